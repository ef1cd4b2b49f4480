"""How much happens in the simulated city, how varied it is, and that one seed makes one city."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.armada.ambulances import Station
from simulator.armada.engines import Brigade
from simulator.city_life import Town
from simulator.disdukcapil.figures import BIRTHS_PER_YEAR, Figures
from simulator.epuskesmas import clinics
from simulator.events import Fires
from simulator.happenings import Happenings
from simulator.ibu_hamil.register import puskesmas_of
from simulator.perizinan.licences import Office
from simulator.rescue import damkar, psc119
from simulator.rescue.bases import AMBULANCES, POSTS
from simulator.rescue.calls import LONGEST, Call
from tests.simulator.conftest import NOW, HeldClock, run_simulator

SEED = 1671
YEAR = (datetime(2025, 12, 31, 17, tzinfo=UTC), datetime(2026, 12, 31, 17, tzinfo=UTC))
MONTH = (NOW - timedelta(days=30), NOW)


@pytest.fixture(scope="module")
def quiet(town: Town) -> Town:
    """The town without what other tests made happen in it."""
    return replace(town, happenings=Happenings())


def calls_in(calls: damkar.Calls | psc119.Calls, span: tuple[datetime, datetime]) -> list[Call]:
    since, until = span
    return [each for each in calls.made(since + LONGEST, until) if since < each.at <= until]


@pytest.fixture(scope="module")
def medical(quiet: Town) -> list[Call]:
    return calls_in(psc119.Calls(quiet, SEED, 1.0), YEAR)


@pytest.fixture(scope="module")
def brigade(quiet: Town) -> list[Call]:
    return calls_in(damkar.Calls(quiet, SEED, 1.0), YEAR)


# --- the brigade, as counted in 2025 -------------------------------------------------------------


def test_the_brigade_is_called_to_as_many_rescues_as_were_counted(brigade: list[Call]) -> None:
    rescues = [call for call in brigade if call.kind == "PYL"]
    animals = sum(call.more["objek"] == "hewan" for call in rescues)
    assert len(rescues) == pytest.approx(1_040, rel=0.1)
    assert animals / len(rescues) == pytest.approx(460 / 1_040, abs=0.05)


def test_every_fire_is_one_call(brigade: list[Call], quiet: Town) -> None:
    fires = Fires(quiet, SEED).fires_between(*YEAR)
    called = {call.number for call in brigade if call.kind == "KBK"}
    assert len({f"DK-{fire.key}" for fire in fires} ^ called) <= 2  # at the ends of the year


def test_most_calls_are_reached_within_a_quarter_of_an_hour(brigade: list[Call]) -> None:
    waits = sorted(there - call.at for call in brigade if (there := call.when("TIBA")))
    assert waits[len(waits) // 2] < timedelta(minutes=15)
    late = sum(wait > timedelta(minutes=15) for wait in waits)
    assert 0 < late < 0.4 * len(waits)


def test_engines_drive_to_the_calls_that_are_pushed(quiet: Town) -> None:
    fleet = Brigade(quiet, SEED, 1.0)
    calls = calls_in(damkar.Calls(quiet, SEED, 1.0), (NOW - timedelta(days=1), NOW))
    reached = [(call, there) for call in calls if (there := call.when("TIBA"))]
    assert reached
    for call, there in reached:
        on_it = [
            fix
            for _, fix in fleet.fixes(there + timedelta(minutes=1))
            if fix.trip is not None and fix.trip.call.key == call.number
        ]
        assert any(fix.doing == "there" for fix in on_it), call.number


def test_posts_and_vehicles_are_as_many_as_published(quiet: Town) -> None:
    assert (len(POSTS), sum(POSTS.values())) == (8, 33)
    assert len(Station(quiet, SEED, 1.0).bases) == AMBULANCES == 10


# --- medical emergencies -------------------------------------------------------------------------


def test_there_are_10_to_25_medical_calls_on_most_days(medical: list[Call], town: Town) -> None:
    days = Counter(call.at.astimezone(town.timezone).date() for call in medical)
    assert 10 <= len(medical) / 365 <= 25
    assert sum(10 <= count <= 27 for count in days.values()) > 0.9 * len(days)


def test_medical_calls_come_from_everywhere(medical: list[Call], town: Town) -> None:
    places = Counter(call.place.code for call in medical)
    assert set(places) == set(town.by_code)
    assert max(places.values()) < 3 * len(medical) / len(town.neighbourhoods)


def test_no_words_are_most_of_the_medical_calls(medical: list[Call]) -> None:
    words = Counter(call.words.split(" di Kelurahan")[0] for call in medical)
    assert len(words) >= 15
    assert max(words.values()) < 0.12 * len(medical)


def test_two_calls_in_a_row_are_seldom_alike(medical: list[Call]) -> None:
    ordered = sorted(medical, key=lambda call: call.at)
    alike = sum(before.words == after.words for before, after in pairwise(ordered))
    assert alike < 0.01 * len(ordered)


def test_ambulances_drive_to_the_calls_that_are_pushed(quiet: Town) -> None:
    station = Station(quiet, SEED, 1.0)
    calls = calls_in(psc119.Calls(quiet, SEED, 1.0), (NOW - timedelta(days=1), NOW))
    met = 0
    for call in calls:
        over = call.when("DIRUJUK", "SELESAI")
        assert over is not None
        met += any(
            fix.trip is not None and fix.trip.call.key == call.number and fix.doing == "there"
            for fix in station.fixes(over - timedelta(seconds=1))
        )
    # Now and then the nearest is out, and a farther one comes late, or none is left.
    assert met > 0.8 * len(calls)


# --- offices --------------------------------------------------------------------------------------


def test_there_are_42_puskesmas(town: Town) -> None:
    assert len(puskesmas_of(town)) == clinics.COUNT == 42


def test_as_many_births_are_recorded_as_there_are(town: Town) -> None:
    figures = Figures(town, SEED, 1.0)
    begin, end = YEAR
    recorded = 0
    while begin < end:
        day, begin = begin.astimezone(town.timezone).date(), begin + timedelta(days=1)
        recorded += sum(figures.work(code, day, begin).births for code in figures.shares)
    assert recorded == pytest.approx(BIRTHS_PER_YEAR, rel=0.1)


def test_licences_are_asked_for_on_working_days(town: Town) -> None:
    office = Office(town, SEED, 1.0)
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(31)]
    asked = {day: len(office.licences_on(day)) for day in days}
    assert all(asked[day] == 0 for day in days if day.weekday() >= 5)
    assert 20 < sum(asked.values()) / sum(day.weekday() < 5 for day in days) < 60


# --- one seed, one city ---------------------------------------------------------------------------


def test_a_factor_scales_calls_and_fires(quiet: Town) -> None:
    for calls in (damkar.Calls, psc119.Calls):
        usual = len(calls_in(calls(quiet, SEED, 1.0), MONTH))
        many = len(calls_in(calls(quiet, SEED, 10.0), MONTH))
        assert many == pytest.approx(10 * usual, rel=0.25)


ANSWERS: dict[str, dict[str, Any]] = {
    "elapor/open311/v2/requests.json": {},
    "udara/api/data-jam": {"auth": ("demo", "demo")},
    "armada_damkar/api/armada": {"params": {"kunci": "demo"}},
    "ambulans/v2/units": {"headers": {"authorization": "Bearer demo"}},
    "transmusi/gtfs-rt/vehicle-positions": {"headers": {"x-api-key": "demo"}},
    "bmkg/DataMKG/TEWS/gempaterkini.json": {},
    "cctv/api/cameras": {},
}


def answers_of(folder: Path, at: datetime, seed: int = SEED) -> dict[str, bytes]:
    """What some of the departments say, without the address of this run."""
    with run_simulator(folder, HeldClock(at), seed=seed) as running:
        found = {}
        for path, how in ANSWERS.items():
            answer = httpx.get(f"{running.url}/{path}", timeout=60, trust_env=False, **how)
            if answer.status_code == 200:
                found[path] = answer.content.replace(running.url.encode(), b"")
        return found


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("city")
    answers_of(folder, NOW - timedelta(hours=3))
    return folder, answers_of(folder, NOW)


def test_every_department_that_is_compared_answers(said: tuple[Path, dict[str, bytes]]) -> None:
    assert set(said[1]) == set(ANSWERS)


def test_a_restart_agrees_with_a_city_that_began_at_once(
    said: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    restarted, fresh = said[1], answers_of(tmp_path, NOW)
    for path in restarted.keys() - {"elapor/open311/v2/requests.json"}:
        assert restarted[path] == fresh[path], path
    # The one that began later has not lived through the first three hours of the other's past.
    one, other = (
        {each["service_request_id"]: each for each in json.loads(said_then[path])}
        for said_then in (restarted, fresh)
        for path in ["elapor/open311/v2/requests.json"]
    )
    assert len(one.keys() & other.keys()) > 0.98 * len(one)
    assert all(one[key] == other[key] for key in one.keys() & other.keys())


def test_another_seed_makes_another_city(
    said: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    other = answers_of(tmp_path, NOW, seed=7)
    for path in ("elapor/open311/v2/requests.json", "udara/api/data-jam", "ambulans/v2/units"):
        assert other[path] != said[1][path], path
