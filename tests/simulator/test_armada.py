"""The city's vehicles: three trackers' dialects, and how the vehicles move."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lawang.domain.errors import NeedsPerson, RetryLater
from simulator.armada import refuse
from simulator.armada.ambulances import Station
from simulator.armada.engines import Brigade
from simulator.armada.refuse import TRUCKS, Fleet
from simulator.city_life import Town, distance_km
from simulator.events import Fires
from simulator.happenings import Happenings
from simulator.rescue.bases import AMBULANCES, POSTS
from tests.simulator.conftest import NOW, Simulator
from tests.simulator.reading import faulty, read_source

#: A Friday, 10:20 WIB.
MORNING = datetime(2026, 11, 20, 3, 20, 7, tzinfo=UTC)
NUMBERS = {"truk_sampah": TRUCKS, "ambulans": 10, "armada_damkar": 33}
SOURCES = tuple(NUMBERS)


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_engines_are_those_of_the_posts() -> None:
    assert len(POSTS) == 8
    assert sum(POSTS.values()) == NUMBERS["armada_damkar"]
    assert NUMBERS["ambulans"] == AMBULANCES


def test_every_vehicle_comes_through_its_source_file(simulator: Simulator, source: str) -> None:
    found = read_source(simulator, source)
    fixes = found.all("fixes")
    assert found.all("rejects") == []
    assert len({fix.external_id for fix in fixes}) == len(fixes) == NUMBERS[source]
    assert all(answer.complete and answer.simulated for answer in found.answers)


def test_every_status_is_known_and_every_place_is_in_the_city(
    simulator: Simulator, source: str, town: Town
) -> None:
    found = read_source(simulator, source)
    for fix in found.all("fixes"):
        assert fix.status.casefold() in found.source.status_map
        assert fix.latitude is not None
        assert fix.longitude is not None
        assert distance_km(fix.latitude, fix.longitude, -2.97, 104.75) < 20
        assert abs(fix.observed_at - NOW) < timedelta(minutes=1)


def test_drivers_are_in_the_answers_and_never_read(simulator: Simulator, source: str) -> None:
    found = read_source(simulator, source)
    assert "0812-0000-" in found.text
    assert "0812" not in found.meaning
    assert "9916710101" not in found.meaning


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("off", "unreachable"),
        ("500", "bad_status"),
        ("garbage", "garbage"),
        ("truncated", "garbage"),
        ("429", "rate_limited"),
    ],
)
def test_a_fault_is_told(simulator: Simulator, source: str, fault: str, kind: str) -> None:
    with faulty(simulator, source, fault), pytest.raises(RetryLater, match=kind):
        read_source(simulator, source)


def test_a_revoked_key_is_told(simulator: Simulator, source: str) -> None:
    with faulty(simulator, source, "auth"), pytest.raises(NeedsPerson, match="refused"):
        read_source(simulator, source)


def test_wrong_types_cost_some_vehicles_and_not_the_others(
    simulator: Simulator, source: str
) -> None:
    with faulty(simulator, source, "wrong_types"):
        found = read_source(simulator, source)
    assert found.all("rejects")
    assert len(found.all("fixes")) > 0.5 * NUMBERS[source]


def test_a_skewed_clock_shows(simulator: Simulator, source: str) -> None:
    with faulty(simulator, source, "clock_skew"):
        found = read_source(simulator, source)
    assert all(fix.observed_at > NOW + timedelta(hours=1) for fix in found.all("fixes"))


@pytest.mark.parametrize(
    "path", ["truk_sampah/tracking/vehicles", "ambulans/v2/units", "armada_damkar/api/armada"]
)
def test_without_a_key_there_is_no_answer(simulator: Simulator, path: str) -> None:
    assert httpx.get(f"{simulator.url}/{path}", trust_env=False).status_code == 401


# --- how they move ------------------------------------------------------------------------------


def test_trucks_are_out_in_the_morning_and_parked_at_night(town: Town) -> None:
    fleet = Fleet(town, 1671)
    morning = [fleet.fix(number, MORNING).status for number in range(TRUCKS)]
    night = [fleet.fix(number, NOW).status for number in range(TRUCKS)]
    assert morning.count("PARKED") < 0.1 * TRUCKS
    assert {"MOVING", "LOADING"} <= set(morning)
    assert night.count("PARKED") > 0.8 * TRUCKS


def test_no_truck_leaps(town: Town) -> None:
    fleet = Fleet(town, 1671)
    for number in range(0, TRUCKS, 9):
        before = fleet.fix(number, MORNING).point
        for step in range(1, 120):
            after = fleet.fix(number, MORNING + timedelta(seconds=10 * step)).point
            # 10 seconds at the speed of trucks, the axes one after the other.
            assert distance_km(*before, *after) < 0.15
            before = after


def test_engines_drive_to_a_fire_and_back(town: Town) -> None:
    fires = Fires(town, 1671).fires_between(NOW - timedelta(days=60), NOW)
    fire = next(each for each in fires if each.minutes > 30)
    brigade = Brigade(town, 1671, 1.0)
    place = (fire.latitude, fire.longitude)

    def at_fire(at: datetime) -> int:
        return sum(fix.point == place for _, fix in brigade.fixes(at))

    assert at_fire(fire.start) == 0
    assert at_fire(fire.end - timedelta(seconds=1)) >= 1
    assert at_fire(fire.end + timedelta(hours=3)) == 0


def test_engines_go_to_a_fire_that_somebody_made(town: Town) -> None:
    own = replace(town, happenings=Happenings())
    brigade = Brigade(own, 1671, 1.0)
    before = sum(fix.doing == "there" for _, fix in brigade.fixes(NOW + timedelta(minutes=50)))
    own.happenings.blaze("16.71.06", NOW, "besar")
    after = sum(fix.doing == "there" for _, fix in brigade.fixes(NOW + timedelta(minutes=50)))
    assert after >= before + 8


def test_ambulances_are_busy_for_some_of_the_day(town: Town) -> None:
    station = Station(town, 1671, 1.0)
    doing = [
        fix.doing
        for step in range(48)
        for fix in station.fixes(MORNING + timedelta(minutes=30 * step))
    ]
    assert {"standby", "going", "there", "returning"} == set(doing)
    assert doing.count("standby") > 0.5 * len(doing)


def test_one_seed_and_time_give_one_place(town: Town) -> None:
    for at in (NOW, MORNING):
        assert Brigade(town, 7, 1.0).fixes(at) == Brigade(town, 7, 1.0).fixes(at)
        assert Station(town, 7, 1.0).fixes(at) == Station(town, 7, 1.0).fixes(at)
        assert Fleet(town, 7).fix(3, at) == Fleet(town, 7).fix(3, at)
    assert Fleet(town, 7).fix(3, MORNING) != Fleet(town, 8).fix(3, MORNING)


def test_the_last_page_leads_nowhere(simulator: Simulator) -> None:
    auth = (refuse.USER, refuse.PASSWORD)
    url = f"{simulator.url}/truk_sampah/tracking/vehicles?page=3"
    answer = httpx.get(url, auth=auth, trust_env=False).json()
    assert answer["links"]["next"] is None
    assert len(answer["vehicles"]) == TRUCKS - 50
