"""What the mayor's pages cost the web process: its whole application, asked in this process."""

from __future__ import annotations

import asyncio
import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import text

from api.door import App
from app import create_web
from benchmarks.figures import BenchError
from benchmarks.ground import PACK, Ground
from lawang.city import City
from lawang.domain.kpi import Combine
from lawang.installation import Installation
from lawang.overview.read import KEPT, OverviewReader
from lawang.settings import Settings
from lawang.store.engine import open_engine
from lawang.store.history import History


@dataclass(frozen=True, slots=True)
class Timing:
    """How long some requests took, in milliseconds; `cpu_ms` is the process's own part of each."""

    times_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.times_ms)

    @property
    def median_cpu_ms(self) -> float:
        """What other programs on the machine disturb least."""
        return statistics.median(self.cpu_ms)

    @property
    def p95_ms(self) -> float:
        """Not less than 95 of 100."""
        ordered = sorted(self.times_ms)
        return ordered[math.ceil(0.95 * len(ordered)) - 1]


class Stopwatch:
    """Times the same thing again and again."""

    def __init__(self) -> None:
        self._times_ms: list[float] = []
        self._cpu_ms: list[float] = []

    @contextmanager
    def timed(self) -> Iterator[None]:
        """What happens within is one time."""
        began, cpu_began = time.perf_counter(), time.process_time()
        yield
        self._cpu_ms.append((time.process_time() - cpu_began) * 1000)
        self._times_ms.append((time.perf_counter() - began) * 1000)

    def timing(self) -> Timing:
        """All times so far."""
        return Timing(tuple(self._times_ms), tuple(self._cpu_ms))


class SetClock:
    """The time of the server, which a measurement moves on."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def drills(city: City) -> dict[str, str]:
    """What is behind the first page, by a short name: one page of each kind, and the API."""
    share = next(name for name in city.programme.districts if name in city.kpis)
    finance = city.programme.finance
    if finance is None:
        raise BenchError(f"The pack {city.slug!r} has no finance in its programme.")
    # A sum that has figures by kecamatan too costs the most.
    total = next(
        (name for name in finance.items if city.kpis[name].combine is Combine.SUM), finance.revenue
    )
    return {
        "kpi_share": f"/mayor/kpi/{share}",
        "kpi_sum": f"/mayor/kpi/{total}",
        "kpi_forecast": f"/mayor/kpi/{finance.revenue}",
        "dimension": f"/mayor/dimension/{next(iter(city.dimensions))}",
        "finance": "/mayor/finance",
        "districts": "/mayor/districts",
        "api_kpis": "/api/v1/kpis",
        "api_scores": "/api/v1/scores",
    }


class _Life:
    """Start and end of an ASGI application, as a server tells it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; BenchError if it refuses."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}

        async def live() -> None:
            await self._app(scope, self._told.get, self._heard.put)

        self._task = asyncio.create_task(live())
        await self._tell("startup")

    async def stop(self) -> None:
        """End it."""
        await self._tell("shutdown")
        if self._task is not None:
            await self._task

    async def _tell(self, what: str) -> None:
        await self._told.put({"type": f"lifespan.{what}"})
        heard = await self._heard.get()
        if heard["type"] != f"lifespan.{what}.complete":
            raise BenchError(f"The application answers {heard['type']} to its {what}.")


class Views:
    """Asks the application and takes the time until its answer is there, compressed."""

    def __init__(self, ground: Ground, history: History, clock: SetClock) -> None:
        self._history = history
        self._clock = clock
        settings = Settings(
            data_dir=ground.data_dir,
            city=str(PACK),
            host="127.0.0.1",
            database_url="",
            redis_url="",
        )
        self.installation = Installation(settings, ground.city, history, ground.redis_url)
        self._app = create_web(self.installation, clock=clock)
        self._runner = asyncio.Runner()
        self._life = _Life(self._app)
        self._runner.run(self._life.start())
        #: Works the same figures out beside the application, to be compared.
        self.reader = OverviewReader(ground.city, history)

    def measure(
        self, path: str, times: int, before: Callable[[], None], *, after: str | None = None
    ) -> Timing:
        """Ask so often; not counted are what is done `before` each and a page opened `after` that.

        Raises BenchError for an answer other than 200.
        """
        return self._runner.run(self._measure(path, times, before, after))

    async def _measure(
        self, path: str, times: int, before: Callable[[], None], after: str | None
    ) -> Timing:
        transport = httpx.ASGITransport(self._app)
        headers = {"accept": "text/html", "accept-encoding": "gzip"}
        watch = Stopwatch()
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=headers
        ) as client:
            for _ in range(times):
                before()
                if after is not None:
                    await client.get(after)
                with watch.timed():
                    answer = await client.get(path)
                if answer.status_code != 200:
                    raise BenchError(f"{path} was answered with {answer.status_code}.")
        return watch.timing()

    def close(self) -> None:
        """Stop the application."""
        self._runner.run(self._life.stop())
        self._runner.close()

    @property
    def now(self) -> datetime:
        """The server's time."""
        return self._clock.now

    # --- what comes before a request -----------------------------------------------------------

    def nothing(self) -> None:
        """Asked again at once."""

    def pass_time(self) -> None:
        """Longer than anything that depends on the time is kept; nothing has changed."""
        self._clock.now += KEPT + timedelta(seconds=1)

    def change_all(self) -> None:
        """The facts of every indicator have changed: nothing that was kept may be used."""
        self._change("")

    def change_one(self) -> None:
        """A fact of one indicator has changed, as in any minute of a day."""
        self._change(" WHERE kpi = (SELECT min(kpi) FROM kpi_revision)")

    def _change(self, where: str) -> None:
        with self._history.database.writing() as connection:
            connection.execute(text(f"UPDATE kpi_revision SET number = number + 1{where}"))


@contextmanager
def open_views(ground: Ground, now: datetime) -> Iterator[Views]:
    """The application over the history of a ground, at a moment."""
    history = History(open_engine(f"sqlite:///{ground.data_dir / 'history.sqlite3'}"))
    thresholds = gc.get_threshold()
    views = Views(ground, history, SetClock(now.astimezone(UTC)))
    try:
        yield views
    finally:
        views.close()
        history.close()
        # The web process sets its collector as it starts; this process goes on to other things.
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def largest(timings: Sequence[Timing]) -> Timing:
    """The one whose slowest requests were the slowest."""
    return max(timings, key=lambda each: each.p95_ms)
