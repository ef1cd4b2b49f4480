"""The pack's sources over rest: from the simulated departments to incidents in real stores."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from connectors import registry
from connectors.http import client_for
from connectors.rest.options import RestOptions
from lawang.city import City, load_city
from lawang.domain.health import SourceState
from lawang.domain.incident import UNKNOWN_CATEGORY, Incident, Status
from lawang.polling.poll import Bound, Poller
from lawang.settings import ROOT
from lawang.store.embedded import EmbeddedValkey
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History, IncidentFilter
from lawang.store.live import LiveStore
from simulator.store import Query, Reporter, Store, StoredReport
from tests.simulator.conftest import NOW, HeldClock, Simulator, run_simulator

SOURCES = ("satpolpp", "sp4n")
EVERYTHING = Query(limit=1_000_000)
_MAX_BYTES = 20_000_000


@dataclass
class Centre:
    """A simulator, and a poller that reads it as the demonstration does."""

    simulator: Simulator
    city: City
    poller: Poller
    history: History
    live: LiveStore
    valkey_url: str
    folder: Path
    runner: asyncio.Runner

    def poll(self, source_id: str) -> SourceState:
        source = self.city.sources[source_id]
        bound = Bound(source, registry.get(source.connector), registry.bind(source), _MAX_BYTES)
        return self.runner.run(self.poller.poll(bound))

    def fault(self, source_id: str, kind: str, **options: float) -> None:
        address = f"{self.simulator.url}/{source_id}/_fault"
        asked = {"kind": kind, **options}
        httpx.post(address, json=asked, trust_env=False).raise_for_status()

    def told(self, source_id: str) -> list[StoredReport]:
        """What the department itself has."""
        with self._books(source_id) as books:
            return books.find(EVERYTHING)

    def reporters(self, source_id: str) -> list[Reporter]:
        with self._books(source_id) as books:
            ids = [report.id for report in books.find(EVERYTHING)]
            return list(books.reporters(ids).values())

    def stored(self, source_id: str) -> dict[str, Incident]:
        found = self.history.incidents(IncidentFilter(), limit=10_000)
        return {item.external_id: item for item in found if item.source_id == source_id}

    def lived_to(self, source_id: str) -> datetime | None:
        with self._books(source_id) as books:
            return books.advanced_to()

    @contextmanager
    def _books(self, source_id: str) -> Iterator[Store]:
        books = Store(self.simulator.data_dir / f"{source_id}.sqlite3")
        try:
            yield books
        finally:
            books.close()


@contextmanager
def _run(folder: Path, tick_s: float = 3600.0) -> Iterator[Centre]:
    with ExitStack() as ends:
        clock = HeldClock(NOW)
        simulator = ends.enter_context(run_simulator(folder / "simulator", clock, tick_s=tick_s))
        env = {"LAWANG_SIMULATOR_URL": simulator.url}
        city = load_city(ROOT / "cities" / "palembang", simulated=True, env=env)
        valkey = EmbeddedValkey(folder / "valkey")
        valkey.start()
        ends.callback(valkey.stop)
        live = LiveStore(valkey.url, city.slug)
        ends.callback(live.close)
        engine = open_engine(f"sqlite:///{folder / 'history.sqlite3'}")
        migrate(engine)
        history = History(engine)
        ends.callback(history.close)
        poller = Poller(
            city,
            history,
            live,
            clock=clock,
            client_for=lambda source, options: client_for(
                source, options, timeout=timedelta(seconds=4 * source.timeout_s)
            ),
        )
        poller.fence = 1
        runner = ends.enter_context(asyncio.Runner())
        ends.callback(lambda: runner.run(poller.close()))
        yield Centre(simulator, city, poller, history, live, valkey.url, folder, runner)


@pytest.fixture(scope="module")
def _heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with _run(tmp_path_factory.mktemp("heard")) as centre:
        for source_id in SOURCES:
            state = centre.poll(source_id)
            assert state.failures == 0, (source_id, state.error_kind, state.error_detail)
        yield centre


@pytest.fixture
def heard(_heard: Centre) -> Iterator[Centre]:
    """A centre that has heard both departments once; they are sound again after each test."""
    yield _heard
    for source_id in SOURCES:
        _heard.fault(source_id, "none")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """A centre of this test's own, whose departments live on as its clock moves."""
    with _run(tmp_path, tick_s=0.02) as running:
        yield running


@pytest.mark.parametrize(
    ("source_id", "unset"),
    [
        ("satpolpp", {"LAWANG_SATPOLPP_URL", "LAWANG_SATPOLPP_API_KEY"}),
        ("sp4n", {"LAWANG_SP4N_URL", "LAWANG_SP4N_CLIENT_ID", "LAWANG_SP4N_CLIENT_SECRET"}),
    ],
)
def test_a_real_department_waits_for_its_address_and_credentials(
    source_id: str, unset: set[str]
) -> None:
    source = load_city(ROOT / "cities" / "palembang", env={}).sources[source_id]
    registry.bind(source)  # not a mistake of the pack
    assert set(source.unset) == unset


@pytest.mark.parametrize("source_id", SOURCES)
def test_a_real_department_is_asked_at_its_own_address(source_id: str) -> None:
    name = f"LAWANG_{source_id.upper()}"
    env = {f"{name}_{key}": "x" for key in ("API_KEY", "CLIENT_ID", "CLIENT_SECRET")}
    env[f"{name}_URL"] = "https://dinas.example"
    source = load_city(ROOT / "cities" / "palembang", env=env).sources[source_id]
    options = registry.bind(source)
    assert source.unset == ()
    assert isinstance(options, RestOptions)
    assert options.url.startswith("https://dinas.example")


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_report_of_every_page_becomes_an_incident(heard: Centre, source_id: str) -> None:
    told = {report.id for report in heard.told(source_id)}
    assert told == heard.stored(source_id).keys()
    assert len(told) > 100  # more than a page


@pytest.mark.parametrize("source_id", SOURCES)
def test_nothing_of_a_sound_department_is_quarantined(heard: Centre, source_id: str) -> None:
    assert heard.history.quarantined(source_id) == []


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_report_has_its_region(heard: Centre, source_id: str) -> None:
    assert [item for item in heard.stored(source_id).values() if item.kelurahan is None] == []


@pytest.mark.parametrize(("source_id", "way"), [("satpolpp", "name"), ("sp4n", "code")])
def test_a_report_without_a_point_is_placed_by_its_region(
    heard: Centre, source_id: str, way: str
) -> None:
    ways = {item.placed_by for item in heard.stored(source_id).values()}
    assert ways == {"point", way}


@pytest.mark.parametrize("source_id", SOURCES)
def test_points_in_other_spellings_lead_to_the_same_place(heard: Centre, source_id: str) -> None:
    stored = heard.stored(source_id)
    for report in heard.told(source_id):
        item = stored[report.id]
        if item.placed_by == "point":
            assert (item.latitude, item.longitude) == (report.latitude, report.longitude)


@pytest.mark.parametrize("source_id", SOURCES)
def test_no_category_and_no_status_is_unknown(heard: Centre, source_id: str) -> None:
    items = heard.stored(source_id).values()
    assert UNKNOWN_CATEGORY not in {item.category for item in items}
    assert Status.UNKNOWN not in {item.status for item in items}


def test_satpol_pp_reports_on_public_order_alone(heard: Centre) -> None:
    assert {item.category for item in heard.stored("satpolpp").values()} == {"ketertiban"}


def test_sp4n_reports_on_many_things(heard: Centre) -> None:
    source = heard.city.sources["sp4n"]
    categories = {item.category for item in heard.stored("sp4n").values()}
    assert categories == set(source.category_map.values())


@pytest.mark.parametrize("source_id", SOURCES)
def test_open_and_closed_are_what_the_department_says(heard: Centre, source_id: str) -> None:
    stored = heard.stored(source_id)
    assert {report.id for report in heard.told(source_id) if report.is_open} == {
        key for key, item in stored.items() if item.is_open
    }


def test_times_of_sp4n_are_local_to_the_second(heard: Centre) -> None:
    stored = heard.stored("sp4n")
    for report in heard.told("sp4n"):
        item = stored[report.id]
        assert (item.requested_at, item.observed_at) == (report.requested_at, report.updated_at)


def test_times_of_satpol_pp_are_local_to_the_minute(heard: Centre) -> None:
    stored = heard.stored("satpolpp")
    for report in heard.told("satpolpp"):
        assert stored[report.id].requested_at == report.requested_at.replace(second=0)


@pytest.mark.parametrize("source_id", SOURCES)
def test_all_of_it_is_marked_as_simulated(heard: Centre, source_id: str) -> None:
    assert all(item.simulated for item in heard.stored(source_id).values())


def test_no_reporter_is_in_any_store(heard: Centre) -> None:
    people = [who for source_id in SOURCES for who in heard.reporters(source_id)]
    assert len(people) > 200
    whole = "\n".join([*_rows(heard.folder / "history.sqlite3"), *_values(heard.valkey_url)])
    assert "sp4n:SP4N-2026" in whole
    for who in people:
        assert who.full_name not in whole
        assert who.phone is not None
        assert who.phone not in whole


@pytest.mark.parametrize("source_id", SOURCES)
def test_a_later_poll_brings_what_has_changed(centre: Centre, source_id: str) -> None:
    first = centre.poll(source_id)
    centre.simulator.clock.forward(days=2)
    _await_life(centre, source_id)
    second = centre.poll(source_id)
    assert second.failures == 0
    assert 0 < second.records < first.records
    stored = centre.stored(source_id)
    told = centre.told(source_id)
    assert stored.keys() == {report.id for report in told}
    assert all(stored[report.id].is_open == report.is_open for report in told)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("off", "unreachable"),
        ("500", "bad_status"),
        ("429", "rate_limited"),
        ("garbage", "garbage"),
        ("truncated", "garbage"),
        ("auth", "refused"),
        ("huge", "too_large"),
    ],
)
@pytest.mark.parametrize("source_id", SOURCES)
def test_a_fault_is_told_by_its_kind_and_recovered_from(
    heard: Centre, source_id: str, kind: str, error: str
) -> None:
    before = heard.stored(source_id)
    heard.fault(source_id, kind)
    assert heard.poll(source_id).error_kind == error
    assert heard.stored(source_id) == before
    heard.fault(source_id, "none")
    assert heard.poll(source_id).failures == 0


@pytest.mark.parametrize("source_id", SOURCES)
def test_wrong_types_are_quarantined_beside_good_reports(centre: Centre, source_id: str) -> None:
    centre.fault(source_id, "wrong_types")
    state = centre.poll(source_id)
    assert state.failures == 0
    reasons = {each["reason"] for each in centre.history.quarantined(source_id, limit=1000)}
    assert reasons == {"bad_record", "no_id", "bad_time"}
    assert 0 < state.quarantined < state.incidents


@pytest.mark.parametrize("source_id", SOURCES)
def test_a_clock_ahead_is_noticed(centre: Centre, source_id: str) -> None:
    centre.fault(source_id, "clock_skew", seconds=86_400)
    assert centre.poll(source_id).skewed > 0


def _rows(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return list(database.iterdump())


def _values(url: str) -> list[str]:
    """Every key of live state with what it holds."""
    with closing(redis.Redis.from_url(url, decode_responses=True)) as client:
        readers: dict[str, Callable[[str], Any]] = {
            "string": client.get,
            "hash": client.hgetall,
            "set": client.smembers,
            "zset": lambda key: client.zrange(key, 0, -1),
            "list": lambda key: client.lrange(key, 0, -1),
        }
        return [f"{key} {readers[client.type(key)](key)}" for key in client.scan_iter("*")]


def _await_life(centre: Centre, source_id: str) -> None:
    """Wait until the department has lived up to the clock."""
    wanted = centre.simulator.clock.now.replace(microsecond=0)
    deadline = time.monotonic() + 40
    while centre.lived_to(source_id) != wanted:
        assert time.monotonic() < deadline, "the department stands still"
        time.sleep(0.02)
