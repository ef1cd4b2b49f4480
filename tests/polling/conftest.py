"""What polling tests stand on: the real poller, fed by the simulated e-lapor over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import structlog

from connectors.http import client_for
from connectors.open311 import CONNECTOR
from connectors.open311.options import Open311Options
from lawang.city import City, Source
from lawang.connector import Answer, Connector, Cursor, FetchContext, Options, Parsed
from lawang.domain.health import Cadence, SourceState
from lawang.polling.poll import Bound, Poller
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.simulator.conftest import NOW, HeldClock, Simulator, run_simulator

MakeSource = Callable[..., Source]
MakeBound = Callable[..., Bound]


@pytest.fixture
def elapor(city: City) -> MakeSource:
    """The pack's own source; keywords replace its fields, `every_s` its cadence as well."""

    def make(**changes: Any) -> Source:
        if "every_s" in changes:
            changes.setdefault("cadence", Cadence.of(changes["every_s"]))
        return replace(city.sources["elapor"], **changes)

    return make


@pytest.fixture(scope="session")
def _simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with run_simulator(tmp_path_factory.mktemp("elapor"), HeldClock(NOW)) as running:
        yield running


@pytest.fixture
def simulator(_simulator: Simulator) -> Iterator[Simulator]:
    """The simulated departments, sound again after each test; their clock stands at `NOW`."""
    yield _simulator
    _simulator.fault("none")


@pytest.fixture
def clock(simulator: Simulator) -> HeldClock:
    """The poller's clock; it begins where the simulator's stands."""
    return HeldClock(simulator.clock.now)


@pytest.fixture
def bind(simulator: Simulator, elapor: MakeSource) -> MakeBound:
    """The simulated e-lapor, bound to its connector; two days of reports in pages of twenty."""

    def make(
        connector: Connector = CONNECTOR,
        url: str = "",
        options: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Bound:
        values = {"window_days": 2, "page_size": 20, "updated_parameter": "updated_after"}
        base_url = url or f"{simulator.url}/elapor/open311/v2/"
        made = Open311Options.model_validate({"base_url": base_url, **values, **(options or {})})
        return Bound(elapor(**{"timeout_s": 4.0, **changes}), connector, made, made.max_bytes)

    return make


@dataclass
class Desk:
    """A poller on real stores, run in a loop of its own; `lost` counts calls for a refill."""

    poller: Poller
    history: History
    live: LiveStore
    clock: HeldClock
    runner: asyncio.Runner
    lost: int = 0

    def poll(self, bound: Bound) -> SourceState:
        return self.runner.run(self.poller.poll(bound))


@pytest.fixture
def desk_on(city: City, live: LiveStore, clock: HeldClock) -> Iterator[Callable[..., Desk]]:
    """`desk_on(history)`: as many pollers as a test wants, each as in a process of its own."""
    desks: list[Desk] = []

    def make(history: History, live: LiveStore = live, **given: Any) -> Desk:
        def lose() -> None:
            desk.lost += 1

        poller = Poller(
            city,
            history,
            live,
            clock=clock,
            client_for=client_for,
            on_live_lost=lose,
            **given,
        )
        poller.fence = 1
        desk = Desk(poller, history, live, clock, asyncio.Runner())
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.runner.run(desk.poller.close())
        desk.runner.close()


@pytest.fixture
def desk(desk_on: Callable[..., Desk], sqlite_history: History) -> Desk:
    """A poller that writes to SQLite."""
    return desk_on(sqlite_history)


class Interrupted:
    """The real connector, with something happening between its answers.

    `after(n)` is called once the n-th answer was taken, before the next one is asked for, and
    with None when there is no more.
    """

    name = "open311"
    options = CONNECTOR.options
    kinds = CONNECTOR.kinds
    streams = False

    def __init__(self, after: Callable[[int | None], None]) -> None:
        self._after = after

    async def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]:
        number = 0
        async for answer in CONNECTOR.fetch(options, cursor, context):
            yield answer
            number += 1
            await asyncio.to_thread(self._after, number)
        await asyncio.to_thread(self._after, None)

    def parse(self, options: Options, answer: Answer) -> Parsed:
        return CONNECTOR.parse(options, answer)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What the program logs, as a list of dictionaries."""
    with structlog.testing.capture_logs() as entries:
        yield entries


def file_report(simulator: Simulator, **changes: str) -> str:
    """File a report at the simulated e-lapor, as a citizen's app does; returns its id."""
    form = {
        "api_key": "demo",
        "service_code": "BJR",
        "lat": "-2.9761",
        "long": "104.7754",
        "description": "Air setinggi lutut di depan pasar.",
        **changes,
    }
    answer = simulator.api.post("requests.json", data=form)
    assert isinstance(answer, httpx.Response)
    assert answer.status_code < 300, answer.text
    return str(answer.json()[0]["service_request_id"])
