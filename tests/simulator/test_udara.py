"""The air over the simulated city, and how the centre reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import fmean

import httpx
import pytest

from lawang.domain.errors import NeedsPerson, RetryLater
from simulator.city_life import Town
from simulator.happenings import Happenings
from simulator.udara.air import PLACES, Air
from tests.simulator.conftest import NOW, Simulator
from tests.simulator.reading import faulty, read_source

HOUR = datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def air(town: Town) -> Air:
    return Air(town, 1671)


def _dust(air: Air, month: int) -> float:
    start = datetime(2026, month, 1, tzinfo=UTC)
    station = air.stations[0]
    found = [air.sample(station, start + timedelta(hours=6 * n)).pm25 for n in range(112)]
    return fmean(each for each in found if each is not None)


def test_haze_makes_september_worse_than_january(air: Air) -> None:
    assert _dust(air, 9) > 2 * _dust(air, 1)


def test_rain_washes_the_air(town: Town) -> None:
    own = replace(town, happenings=Happenings())
    air = Air(own, 1671)
    station = air.stations[0]
    at = datetime(2026, 8, 15, 3, tzinfo=UTC)
    before = air.sample(station, at).pm25
    own.happenings.rain(PLACES[0], at - timedelta(hours=2), 60, 90)
    after = air.sample(station, at).pm25
    assert before is not None
    assert after is not None
    assert after < 0.7 * before


def test_one_seed_gives_one_air(town: Town, air: Air) -> None:
    again, other = Air(town, 1671), Air(town, 7)
    assert [again.sample(each, HOUR) for each in again.stations] == [
        air.sample(each, HOUR) for each in air.stations
    ]
    assert air.sample(air.stations[0], HOUR) != other.sample(other.stations[0], HOUR)


def test_coarse_dust_is_never_less_than_fine(air: Air) -> None:
    for step in range(200):
        found = air.sample(air.stations[step % 5], HOUR - timedelta(hours=step))
        if found.pm25 is not None and found.pm10 is not None:
            assert found.pm10 > found.pm25 > 0


def test_a_day_of_readings_comes_without_rejects(simulator: Simulator) -> None:
    found = read_source(simulator, "udara")
    readings = found.all("measurements")
    assert found.all("rejects") == []
    # An instrument is out now and then, which is no value and no error.
    assert 0.95 * 24 * 5 * 6 < len(readings) <= 24 * 5 * 6
    assert {each.measure for each in readings} == found.source.measures.keys()
    for each in readings:
        least, greatest = found.source.measures[each.measure].expected
        assert least is not None
        assert greatest is not None
        assert least <= each.value <= greatest


def test_the_running_hour_is_not_told(simulator: Simulator) -> None:
    found = read_source(simulator, "udara")
    newest = max(each.at for each in found.all("measurements"))
    assert newest == NOW.replace(minute=0, second=0) - timedelta(hours=1)


def test_stations_have_a_place(simulator: Simulator, town: Town) -> None:
    fixes = read_source(simulator, "udara").all("fixes")
    assert {town.at(fix.latitude, fix.longitude)[0] for fix in fixes} == set(PLACES)
    assert {fix.kind for fix in fixes} == {"stasiun_udara"}


def test_who_looks_after_it_is_never_read(simulator: Simulator) -> None:
    found = read_source(simulator, "udara")
    assert "0812-0000-" in found.text
    assert "0812" not in found.meaning


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        ("off", RetryLater, "unreachable"),
        ("500", RetryLater, "bad_status"),
        ("auth", NeedsPerson, "refused"),
        ("garbage", RetryLater, "garbage"),
        ("truncated", RetryLater, "garbage"),
    ],
)
def test_a_fault_is_told(
    simulator: Simulator, fault: str, error: type[Exception], kind: str
) -> None:
    with faulty(simulator, "udara", fault), pytest.raises(error, match=kind):
        read_source(simulator, "udara")


def test_wrong_types_cost_some_and_not_the_others(simulator: Simulator) -> None:
    with faulty(simulator, "udara", "wrong_types"):
        found = read_source(simulator, "udara")
    assert {each.reason for each in found.all("rejects")} >= {"no_id", "bad_time", "bad_value"}
    assert len(found.all("measurements")) > len(found.all("rejects"))


def test_without_a_password_there_is_no_answer(simulator: Simulator) -> None:
    assert httpx.get(f"{simulator.url}/udara/api/data-jam", trust_env=False).status_code == 401
