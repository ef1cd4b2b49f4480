"""The simulated BMKG: its feeds follow from the seed, and come through the sources' own files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.cap.options import CapOptions
from connectors.cap.parse import parse_answer
from lawang.connector import Answer, Parsed
from lawang.domain.alert import MessageType
from lawang.domain.errors import SourceError
from simulator.bmkg.api import Gate
from simulator.bmkg.nowcast import Nowcast
from simulator.bmkg.quakes import Quakes
from simulator.city_life import Storm, Town
from simulator.weather import Weather
from tests.simulator.conftest import HeldClock, Simulator, run_simulator
from tests.simulator.reading import faulty, read_source

SEED = 1671


@pytest.fixture
def weather(town: Town) -> Weather:
    return Weather(town, SEED)


@pytest.fixture
def storm(weather: Weather) -> Storm:
    month = datetime(2026, 11, 1, tzinfo=UTC)
    return weather.storms(month, month + timedelta(days=20))[0]


@pytest.fixture
def at_storm(tmp_path: Path, storm: Storm) -> Iterator[Simulator]:
    """A simulator of this test's own (and so with a minute of its own), just after a storm."""
    after = (storm.end + timedelta(minutes=1)).replace(microsecond=0)
    with run_simulator(tmp_path, HeldClock(after)) as running:
        yield running


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator for faults, which let few requests through to the minute that is counted."""
    clock = HeldClock(datetime(2026, 11, 8, tzinfo=UTC))
    with run_simulator(tmp_path_factory.mktemp("bmkg"), clock) as running:
        yield running


def test_two_of_one_seed_agree_on_every_earthquake(town: Town) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    one, other = Quakes(town, SEED), Quakes(town, SEED)
    one.felt(now - timedelta(days=9))
    assert one.felt(now) == other.felt(now)
    assert one.strong(now) == other.strong(now)


def test_the_lists_hold_what_their_names_say(town: Town) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    quakes = Quakes(town, SEED)
    assert len(quakes.felt(now)) == len(quakes.strong(now)) == 15
    assert all(each.felt for each in quakes.felt(now))
    assert min(each.magnitude for each in quakes.strong(now)) >= 5
    assert max(each.at for each in quakes.strong(now)) <= now


def test_one_earthquake_is_an_object_and_several_are_a_list(at_storm: Simulator) -> None:
    base = f"{at_storm.url}/bmkg/DataMKG/TEWS"
    one = httpx.get(f"{base}/autogempa.json", trust_env=False).json()["Infogempa"]["gempa"]
    many = httpx.get(f"{base}/gempaterkini.json", trust_env=False).json()["Infogempa"]["gempa"]
    assert isinstance(one, dict)
    assert isinstance(many, list)
    assert {type(value) for row in [one, *many] for value in row.values()} == {str}


def test_a_storm_is_told_at_its_onset_and_again(town: Town, weather: Weather, storm: Storm) -> None:
    nowcast = Nowcast(weather, SEED, town.timezone)
    mine = [each for each in nowcast.messages(storm.start) if each.storm.key == storm.key]
    assert [each.kind for each in mine] == ["Alert"]
    later = [each for each in nowcast.messages(storm.end) if each.storm.key == storm.key]
    assert [each.kind for each in later][-2:] == ["Update", "Alert"]
    before = nowcast.messages(storm.start - timedelta(seconds=1))
    assert storm.key not in [each.storm.key for each in before]


def test_every_message_about_a_storm_is_read_without_rejects(town: Town, weather: Weather) -> None:
    nowcast = Nowcast(weather, SEED, town.timezone)
    options = CapOptions(url="http://example.go.id/")
    start = datetime(2026, 11, 1, tzinfo=UTC)
    kinds = set()
    for storm in weather.storms(start, start + timedelta(days=30)):
        for message in nowcast.messages(storm.end):
            (found,) = _parse_cap(options, nowcast.document(message, timedelta(0))).bulletins
            kinds.add(found.message_type)
            assert found.geometry is not None
            assert found.references == tuple(each.identifier for each in message.before)
    assert kinds == set(MessageType)


def _parse_cap(options: CapOptions, text: str) -> Parsed:
    parsed = parse_answer(options, Answer(text.encode(), "", datetime(2026, 11, 21, tzinfo=UTC)))
    assert parsed.rejects == []
    return parsed


def test_a_warning_names_the_kecamatan_where_it_rains(at_storm: Simulator, storm: Storm) -> None:
    bulletins = read_source(at_storm, "bmkg_peringatan").all("bulletins")
    areas = {area for each in bulletins for area in each.areas}
    assert {place.kecamatan for place in storm.area} <= areas


@pytest.mark.parametrize("source_id", ["bmkg_gempa", "bmkg_cuaca", "bmkg_peringatan"])
def test_everything_comes_through_the_sources_own_file(at_storm: Simulator, source_id: str) -> None:
    polls = read_source(at_storm, source_id).parsed
    assert [bad for each in polls for bad in each.rejects] == []
    assert sum(each.records for each in polls) > 0


def test_the_forecast_covers_every_kecamatan_for_three_days(
    at_storm: Simulator, town: Town
) -> None:
    found = read_source(at_storm, "bmkg_cuaca").all("measurements")
    kecamatan = {place.kecamatan for place in town.neighbourhoods}
    assert {each.subject.rpartition(".")[0] for each in found} == kecamatan
    rain = [each for each in found if each.measure == "hujan"]
    assert len(rain) == 24 * len(kecamatan)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("off", "unreachable"),
        ("500", "bad_status"),
        ("429", "rate_limited"),
        ("auth", "refused"),
        ("garbage", "garbage"),
        ("truncated", "garbage"),
    ],
)
@pytest.mark.parametrize("source_id", ["bmkg_gempa", "bmkg_cuaca", "bmkg_peringatan"])
def test_a_fault_is_told_by_its_kind(
    spoilt: Simulator, source_id: str, kind: str, error: str
) -> None:
    with faulty(spoilt, "bmkg", kind), pytest.raises(SourceError) as caught:
        read_source(spoilt, source_id)
    assert caught.value.kind == error


def test_wrong_types_are_rejected_beside_good_records(spoilt: Simulator) -> None:
    with faulty(spoilt, "bmkg", "wrong_types"):
        found = read_source(spoilt, "bmkg_gempa")
    assert {bad.reason for bad in found.all("rejects")} >= {"bad_place", "bad_time"}
    assert found.all("bulletins")


def test_the_sixty_first_request_of_a_minute_is_refused() -> None:
    now = 0.0
    gate = Gate(lambda: now)
    assert [gate.wait_s("a") for _ in range(61)] == [0.0] * 60 + [60.0]
    assert gate.wait_s("b") == 0
    now = 60.0
    assert gate.wait_s("a") == 0


def test_a_client_that_asks_too_often_is_told_when_to_come_back(at_storm: Simulator) -> None:
    url = f"{at_storm.url}/bmkg/DataMKG/TEWS/autogempa.json"
    with httpx.Client(timeout=40, trust_env=False) as client:
        answers = [client.get(url) for _ in range(61)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


def test_every_answer_is_marked_and_has_an_etag(at_storm: Simulator) -> None:
    url = f"{at_storm.url}/bmkg/publik/prakiraan-cuaca"
    params = {"adm4": "16.71.01.1001"}
    first = httpx.get(url, params=params, trust_env=False)
    assert first.headers["x-simulated"] == "true"
    headers = {"If-None-Match": first.headers["etag"]}
    again = httpx.get(url, params=params, headers=headers, trust_env=False)
    assert (again.status_code, again.content) == (304, b"")
    assert json.loads(first.content)["data"][0]["cuaca"][0][0]["analysis_date"]
