"""The simulated buses: plausible, the same for one seed, and read through their source files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lawang.domain.errors import SourceError
from simulator.city_life import Storm, Town, distance_km
from simulator.transmusi.fleet import CLOSED_CM, SPEED_KMH, Fleet
from simulator.weather import Weather
from tests.simulator.conftest import HeldClock, Simulator, run_simulator
from tests.simulator.reading import faulty, read_source

SEED = 1671
#: A Wednesday, 14:00 WIB.
NOON = datetime(2026, 11, 18, 7, tzinfo=UTC)
SOURCES = ("transmusi", "transmusi_jadwal", "transmusi_info")


@pytest.fixture(scope="module")
def fleet(town: Town) -> Fleet:
    return Fleet(town, Weather(town, SEED), SEED)


@pytest.fixture(scope="module")
def flood(town: Town, fleet: Fleet) -> tuple[Storm, datetime]:
    """A storm by day, and a moment of it at which a stop is under water."""
    month = datetime(2026, 11, 1, tzinfo=UTC)
    for storm in Weather(town, SEED).storms(month, month + timedelta(days=90)):
        at = (storm.end - timedelta(minutes=5)).replace(microsecond=0)
        if fleet.closures(at) and any(bus.trip for bus in fleet.buses(at)):
            return storm, at
    raise AssertionError("no flood in three wet months")


@pytest.fixture(scope="module")
def simulator(
    tmp_path_factory: pytest.TempPathFactory, flood: tuple[Storm, datetime]
) -> Iterator[Simulator]:
    with run_simulator(tmp_path_factory.mktemp("buses"), HeldClock(flood[1])) as running:
        yield running


def test_two_of_one_seed_agree(town: Town, fleet: Fleet) -> None:
    assert Fleet(town, Weather(town, SEED), SEED).buses(NOON) == fleet.buses(NOON)


def test_corridors_are_of_a_length_that_a_bus_serves(fleet: Fleet) -> None:
    assert len({corridor.id for corridor in fleet.corridors}) == 5
    for corridor in fleet.corridors:
        assert 4 < corridor.length_km < 30
        assert len(corridor.stops) >= 4


def test_a_bus_glides_and_never_leaps(fleet: Fleet) -> None:
    step = timedelta(seconds=10)
    most_km = SPEED_KMH / 3600 * step.total_seconds() * 1.5
    before = fleet.buses(NOON)
    for number in range(1, 120):
        after = fleet.buses(NOON + number * step)
        for old, new in zip(before, after, strict=True):
            moved = distance_km(old.latitude, old.longitude, new.latitude, new.longitude)
            assert moved <= most_km, (old.id, number)
        before = after


def test_at_night_every_bus_rests_at_its_first_stop(fleet: Fleet) -> None:
    night = fleet.buses(datetime(2026, 11, 18, 19, tzinfo=UTC))
    assert {bus.trip for bus in night} == {None}
    assert {bus.id for bus in night} == {bus.id for bus in fleet.buses(NOON)}


def test_rain_makes_buses_late(fleet: Fleet, flood: tuple[Storm, datetime]) -> None:
    storm, at = flood
    stops = {stop.code for stop in storm.area}
    wet = max(fleet.corridors, key=lambda each: len(stops & {stop.code for stop in each.stops}))
    assert fleet.delay_s(wet, at) > fleet.delay_s(wet, at - timedelta(days=7)) + 60


def test_on_school_mornings_buses_are_later_than_in_the_holidays(fleet: Fleet) -> None:
    def late(day: int) -> float:
        # 06:45 in Palembang, on Mondays of a term and of the summer holidays.
        at = datetime(2026, 6, day, tzinfo=UTC) - timedelta(minutes=15)
        return sum(fleet.delay_s(corridor, at) for corridor in fleet.corridors)

    assert late(8) > late(29) + 60 * len(fleet.corridors)


def test_streets_are_closed_only_where_water_stands(
    town: Town, fleet: Fleet, flood: tuple[Storm, datetime]
) -> None:
    weather = Weather(town, SEED)
    for closure in fleet.closures(flood[1]):
        stop = closure.stop
        assert weather.flood_cm(stop.latitude, stop.longitude, flood[1]) >= CLOSED_CM


@pytest.mark.parametrize("source_id", SOURCES)
def test_everything_comes_through_the_sources_own_file(
    simulator: Simulator, source_id: str
) -> None:
    (found,) = read_source(simulator, source_id).parsed
    assert found.rejects == []
    assert found.records > 0


def test_every_bus_is_in_the_city(simulator: Simulator, town: Town) -> None:
    (found,) = read_source(simulator, "transmusi").parsed
    outside = [
        fix.external_id
        for fix in found.fixes
        if town.at(fix.latitude or 0, fix.longitude or 0)[0] is None
    ]
    assert len(outside) <= len(found.fixes) / 10  # a straight line may cut a corner


def test_an_alert_is_in_indonesian_and_says_that_it_is_simulated(simulator: Simulator) -> None:
    (found,) = read_source(simulator, "transmusi_info").parsed
    assert all("tergenang (simulasi)" in each.headline for each in found.bulletins)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("off", "unreachable"),
        ("500", "bad_status"),
        ("auth", "refused"),
        ("garbage", "garbage"),
        ("truncated", "garbage"),
        ("stuck", "silent"),
    ],
)
@pytest.mark.parametrize("source_id", SOURCES)
def test_a_fault_is_told_by_its_kind(
    simulator: Simulator, source_id: str, kind: str, error: str
) -> None:
    with faulty(simulator, "transmusi", kind), pytest.raises(SourceError) as caught:
        read_source(simulator, source_id)
    assert caught.value.kind == error


def test_a_clock_ahead_shows_in_the_positions(simulator: Simulator) -> None:
    with faulty(simulator, "transmusi", "clock_skew", seconds=7_200):
        (found,) = read_source(simulator, "transmusi").parsed
    assert {fix.observed_at for fix in found.fixes} == {simulator.clock() + timedelta(hours=2)}


def test_the_feeds_want_their_key(simulator: Simulator) -> None:
    url = f"{simulator.url}/transmusi/gtfs-rt/alerts"
    assert httpx.get(url, trust_env=False).status_code == 401
