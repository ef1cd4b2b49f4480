"""Series, readings, positions, warnings and service requests by the API, on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.store.history import History
from tests.api.conftest import Web, make_installation, sentence_of, serve_web
from tests.api.life import (
    ALERTS,
    MEASURE,
    NOON,
    POSITIONS,
    READINGS,
    REQUESTS,
    SLIP,
    settle_life,
    with_measure,
)

pytestmark = pytest.mark.parametrize("full_history", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="module")
def records(
    city: City, full_history: History, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """A web process before a history that holds every kind of record."""
    measured = with_measure(city)
    settle_life(full_history, measured, utc_now())
    folder = tmp_path_factory.mktemp("records")
    with serve_web(make_installation(measured, full_history, valkey_url, folder)) as running:
        yield running


def get(web: Web, path: str, **query: Any) -> dict[str, Any]:
    answer = web.client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


LISTS = {
    "series": ("series", "number", 2),
    "readings": ("readings", "at", len(READINGS)),
    "positions": ("positions", "id", len(POSITIONS)),
    "warnings": ("warnings", "id", len(ALERTS) - 1),
    "service-requests": ("requests", "id", len(REQUESTS)),
}
EVERY_LIST = pytest.mark.parametrize("path", [*LISTS, "findings"])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_paging_walks_each_list_exactly_once(records: Web, path: str, limit: int) -> None:
    name, _key, total = LISTS[path]
    walked: list[str] = []
    following: dict[str, str] = {}
    while True:
        answer = get(records, path, limit=limit, **following)
        walked += [repr(each) for each in answer[name]]
        assert answer["total"] == total
        if answer["next"] is None:
            break
        following = {"after": answer["next"]}
    assert len(walked) == len(set(walked)) == total


@EVERY_LIST
def test_an_unknown_parameter_is_refused_with_the_known_ones(records: Web, path: str) -> None:
    answer = records.client.get(f"/api/v1/{path}?sumber=elapor")
    assert answer.status_code == 422
    assert "sumber" in sentence_of(answer)
    assert "source" in sentence_of(answer)


@EVERY_LIST
@pytest.mark.parametrize(
    "after", ["x", "%ff", "AAAA", "MjAyNi0xMS0yMA", "OTk5OTk5OTk5OTk5OTk5OTk5OTk"]
)
def test_a_place_that_next_never_gave_leads_to_no_500(records: Web, path: str, after: str) -> None:
    answer = records.client.get(f"/api/v1/{path}?after={after}")
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert "`after`" in sentence_of(answer)


@EVERY_LIST
@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x"])
def test_a_page_has_one_to_a_thousand(records: Web, path: str, limit: str) -> None:
    assert records.client.get(f"/api/v1/{path}?limit={limit}").status_code == 422


@EVERY_LIST
def test_a_source_that_is_not_there_has_nothing(records: Web, path: str) -> None:
    assert get(records, path, source="lain")["total"] == 0


def test_a_series_names_its_measure_its_unit_and_its_newest_value(records: Web) -> None:
    (found,) = get(records, "series", subject="a")["series"]
    assert (found["name_id"], found["name_en"], found["unit"]) == ("Kunjungan", "Visits", "orang")
    assert (found["last"]["value"], found["subject_name"]) == (51, "Puskesmas a")


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ({"subject": "a"}, 12),
        ({"kecamatan": "16.71.01"}, 12),
        ({"measure": MEASURE.id}, 24),
        ({"measure": "lain"}, 0),
        ({"since": (NOON + timedelta(hours=10)).isoformat()}, 4),
        ({"until": (NOON + timedelta(hours=1)).isoformat()}, 2),
    ],
)
def test_readings_are_filtered(records: Web, query: dict[str, str], total: int) -> None:
    answer = get(records, "readings", **query)
    assert (answer["total"], len(answer["readings"])) == (total, total)


def test_readings_held_back_are_counted_beside_and_listed_when_asked_for(records: Web) -> None:
    answer = get(records, "readings")
    assert (answer["total"], answer["held"]) == (24, 1)
    assert SLIP.value not in {each["value"] for each in answer["readings"]}
    (held,) = get(records, "readings", held="true")["readings"]
    assert (held["value"], held["held"]) == (SLIP.value, "magnitude")


_POSITIONS: list[tuple[dict[str, str], Callable[[Any], bool]]] = [
    ({"kind": "truk"}, lambda each: each.kind == "truk"),
    ({"status": "mati"}, lambda each: each.status == "mati"),
    ({"kecamatan": "16.71.02"}, lambda each: each.kecamatan is not None),
]


@pytest.mark.parametrize(("query", "test"), _POSITIONS)
def test_positions_are_filtered(records: Web, query: dict[str, str], test: Any) -> None:
    found = get(records, "positions", **query)
    assert [each["id"] for each in found["positions"]] == [p.id for p in POSITIONS if test(p)]


def test_positions_without_coordinates_are_counted(records: Web) -> None:
    assert get(records, "positions", limit=1)["unlocated"] == 4


def test_positions_as_geojson_have_points_or_nothing(records: Web) -> None:
    answer = records.client.get("/api/v1/positions?format=geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    found = answer.json()
    assert (found["type"], found["total"], found["unlocated"]) == ("FeatureCollection", 10, 4)
    assert found["features"][0]["geometry"] is None
    assert found["features"][1]["geometry"] == {"type": "Point", "coordinates": [104.75, -2.98]}
    assert found["features"][1]["properties"]["facts"] == {"rute": "A"}


def test_warnings_are_those_in_force_unless_all_are_asked_for(records: Web) -> None:
    in_force = {each["id"] for each in get(records, "warnings")["warnings"]}
    every = get(records, "warnings", in_force="false")["warnings"]
    assert {each["id"] for each in every} - in_force == {ALERTS[1].id}
    assert {each["id"] for each in every if not each["in_force"]} == {ALERTS[1].id}


def test_warnings_for_elsewhere_are_counted_and_can_be_left_out(records: Web) -> None:
    assert get(records, "warnings")["elsewhere"] == 2
    here = get(records, "warnings", touches_city="true")
    assert (here["total"], here["elsewhere"]) == (3, 0)


def test_warnings_are_filtered_by_severity(records: Web) -> None:
    found = get(records, "warnings", severity="severe")["warnings"]
    assert {each["id"] for each in found} == {ALERTS[3].id, ALERTS[5].id}


def test_warnings_as_geojson_have_the_area_that_was_drawn(records: Web) -> None:
    features = records.client.get("/api/v1/warnings?format=geojson").json()["features"]
    drawn = [each for each in features if each["geometry"]]
    assert [each["geometry"]["type"] for each in drawn] == ["Polygon"]


_REQUESTS: list[tuple[dict[str, str], Callable[[Any], bool]]] = [
    ({"service": "usaha"}, lambda each: each.service == "usaha"),
    ({"status": "selesai"}, lambda each: each.status == "selesai"),
    ({"open": "true"}, lambda each: each.is_open),
    ({"open": "false"}, lambda each: not each.is_open),
    ({"past_due": "true"}, lambda each: each.is_open),
    ({"kecamatan": "16.71.01"}, lambda each: each.kecamatan is not None),
    ({"since": NOON.isoformat()}, lambda each: each.requested_at >= NOON),
    ({"until": NOON.isoformat()}, lambda each: each.requested_at < NOON),
]


@pytest.mark.parametrize(("query", "test"), _REQUESTS)
def test_service_requests_are_filtered(records: Web, query: dict[str, str], test: Any) -> None:
    found = get(records, "service-requests", **query)
    assert {each["id"] for each in found["requests"]} == {r.id for r in REQUESTS if test(r)}


def test_a_service_request_says_how_long_it_took(records: Web) -> None:
    found = get(records, "service-requests", status="selesai")["requests"]
    assert {each["duration_s"] for each in found} == {600}
    assert {each["is_open"] for each in found} == {False}


def test_what_is_simulated_is_marked(records: Web) -> None:
    marks = [get(records, path)["simulated"] for path in ("positions", "warnings")]
    assert [*marks, get(records, "service-requests")["simulated"]] == [True, True, True]


def test_every_list_says_when_it_was_true(records: Web) -> None:
    stamps = [get(records, path)["at"] for path in itertools.chain(LISTS, ["findings"])]
    assert all(stamp.endswith("Z") or "+00:00" in stamp for stamp in stamps)
