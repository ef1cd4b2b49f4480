"""`/api/v1/incidents` and `/api/v1/sources`, on both databases."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from lawang.domain.incident import Incident
from tests.api.conftest import NEWEST, Web, sentence_of, small_life

pytestmark = pytest.mark.parametrize("full_history", ["sqlite", "postgresql"], indirect=True)

ALL = small_life()


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["incidents"]]


def get(web: Web, **query: Any) -> dict[str, Any]:
    answer = web.client.get("/api/v1/incidents", params={"limit": 1000, **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_incidents_come_newest_report_first(web: Web) -> None:
    wanted = sorted(ALL, key=lambda item: (item.requested_at, item.id), reverse=True)
    assert ids(get(web)) == [item.id for item in wanted]


def test_the_answer_counts_all_and_those_without_a_place(web: Web) -> None:
    answer = get(web, limit=5)
    assert (answer["total"], answer["unlocated"], len(answer["incidents"])) == (120, 40, 5)
    assert datetime.fromisoformat(answer["at"]).tzinfo is not None


_FILTERS = [
    ({"status": "selesai"}, lambda i: i.status == "selesai"),
    ({"status": ["selesai", "proses"]}, lambda i: i.status in ("selesai", "proses")),
    ({"category": "banjir"}, lambda i: i.category == "banjir"),
    ({"kecamatan": "16.71.01"}, lambda i: i.kecamatan == "16.71.01"),
    ({"kecamatan": ["16.71.01", "16.71.02"]}, lambda i: i.kecamatan is not None),
    ({"kelurahan": "16.71.01.1001"}, lambda i: i.kelurahan == "16.71.01.1001"),
    ({"open": "true"}, lambda i: i.is_open),
    ({"open": "false"}, lambda i: not i.is_open),
    ({"past_due": "true"}, lambda i: i.is_open and i.due_at is not None),
    ({"located": "false"}, lambda i: i.kecamatan is None),
    ({"source": "elapor"}, lambda i: True),
    ({"source": "lain"}, lambda i: False),
    (
        {"since": (NEWEST - timedelta(hours=3)).isoformat()},
        lambda i: i.requested_at >= NEWEST - timedelta(hours=3),
    ),
    (
        {"until": (NEWEST - timedelta(hours=3)).isoformat()},
        lambda i: i.requested_at < NEWEST - timedelta(hours=3),
    ),
    ({"since": "2026-11-20T19:00:00+07:00"}, lambda i: i.requested_at >= NEWEST),
    ({"since": "2026-11-20T12:00:00"}, lambda i: i.requested_at >= NEWEST),
    (
        {"changed_since": NEWEST.isoformat()},
        lambda i: i.observed_at >= NEWEST,
    ),
    (
        {"open": "true", "category": "jalan", "kecamatan": "16.71.02"},
        lambda i: i.is_open and i.category == "jalan" and i.kecamatan == "16.71.02",
    ),
]


@pytest.mark.parametrize(("query", "test"), _FILTERS)
def test_a_filter_gives_those_it_names(web: Web, query: dict[str, Any], test: Any) -> None:
    answer = get(web, **query)
    wanted = {item.id for item in ALL if test(item)}
    assert (set(ids(answer)), answer["total"]) == (wanted, len(wanted))


@pytest.mark.parametrize("limit", [1, 7, 40, 119, 120, 121])
def test_paging_walks_all_incidents_exactly_once(web: Web, limit: int) -> None:
    walked: list[str] = []
    following: str | None = ""
    while following is not None:
        answer = get(web, limit=limit, **({"after": following} if following else {}))
        walked += ids(answer)
        following = answer["next"]
    assert len(walked) == len(set(walked)) == 120


def test_pages_of_a_filter_stay_within_it(web: Web) -> None:
    first = get(web, limit=3, category="banjir")
    second = get(web, limit=3, category="banjir", after=first["next"])
    assert {item["category"] for item in [*first["incidents"], *second["incidents"]]} == {"banjir"}
    assert not set(ids(first)) & set(ids(second))


def test_an_incident_is_given_with_all_its_fields(web: Web) -> None:
    (found,) = get(web, limit=1)["incidents"]
    assert found.keys() == Incident.__dataclass_fields__.keys()
    assert datetime.fromisoformat(found["requested_at"]) == NEWEST


def test_simulated_reports_are_marked_in_every_form(web: Web) -> None:
    assert get(web)["simulated"] is True
    assert get(web, format="geojson")["simulated"] is True


# --- GeoJSON --------------------------------------------------------------------------------


def test_geojson_is_a_feature_collection_by_the_standard(web: Web) -> None:
    answer = web.client.get("/api/v1/incidents", params={"format": "geojson", "limit": 1000})
    assert answer.headers["content-type"] == "application/geo+json"
    collection = answer.json()
    assert (collection["type"], len(collection["features"])) == ("FeatureCollection", 120)
    for feature in collection["features"]:
        assert feature.keys() == {"type", "id", "geometry", "properties"}
        assert feature["type"] == "Feature"
        assert {"latitude", "longitude"}.isdisjoint(feature["properties"])
        if feature["geometry"] is not None:
            assert feature["geometry"] == {"type": "Point", "coordinates": [104.75, -2.98]}


def test_what_has_no_place_has_no_geometry(web: Web) -> None:
    features = get(web, format="geojson", located="false")["features"]
    assert {feature["geometry"] is None for feature in features} == {True}


def test_geojson_can_be_asked_for_by_the_accept_header(web: Web) -> None:
    headers = {"accept": "application/geo+json"}
    answer = web.client.get("/api/v1/incidents", headers=headers, params={"limit": 2})
    assert answer.json()["type"] == "FeatureCollection"
    assert answer.json()["next"]


# --- one incident ---------------------------------------------------------------------------


def test_one_incident_comes_with_its_log(web: Web) -> None:
    wanted = next(item for item in ALL if item.status == "selesai")
    answer = web.client.get(f"/api/v1/incidents/{wanted.id}").json()
    assert answer["incident"]["id"] == wanted.id
    assert [event["kind"] for event in answer["events"]] == ["reported", "status_changed"]
    assert answer["events"][-1]["status"] == "selesai"


def test_an_incident_that_is_not_there_is_said_so(web: Web) -> None:
    answer = web.client.get("/api/v1/incidents/elapor:nix")
    assert (answer.status_code, sentence_of(answer)) == (404, "There is no incident with this id.")


# --- what cannot be understood --------------------------------------------------------------


def token(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 1001}, 422),
        ({"limit": "many"}, 422),
        ({"status": "beres"}, 422),
        ({"open": "perhaps"}, 422),
        ({"since": "yesterday"}, 422),
        ({"since": "0001-01-01T00:00:00+14:00"}, 422),
        ({"until": "9999-12-31T23:59:59-14:00"}, 422),
        ({"format": "xml"}, 422),
        ({"after": "%%%"}, 400),
        ({"after": "x"}, 400),
        ({"after": token("no time")}, 400),
        ({"after": token("2026-01-01T00:00:00+00:00")}, 400),
        ({"after": token("2026-01-01T00:00:00 elapor:1")}, 400),
        ({"after": token("0001-01-01T00:00:00+14:00 elapor:1")}, 400),
        ({"after": "é" * 10}, 400),
        ({"category": "\x00"}, 400),
        ({"source": "a\x00b"}, 400),
        ({"after": token("2026-01-01T00:00:00+00:00 \x00")}, 400),
    ],
)
def test_a_query_that_cannot_be_understood_is_answered_with_a_sentence(
    web: Web, query: dict[str, Any], status: int
) -> None:
    answer = web.client.get("/api/v1/incidents", params=query)
    assert answer.status_code == status, answer.text
    assert sentence_of(answer)


def test_an_identity_that_no_database_can_hold_is_refused(web: Web) -> None:
    assert web.client.get("/api/v1/incidents/%00").status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/incidents", "/api/v1/incidents/elapor:r001"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_incidents_can_only_be_read(web: Web, method: str, path: str) -> None:
    answer = web.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert sentence_of(answer)


# --- sources --------------------------------------------------------------------------------


def elapor_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The one source of the pack that was polled here."""
    (source,) = [each for each in answer["sources"] if each["id"] == "elapor"]
    return cast("dict[str, Any]", source)


def test_a_source_says_what_it_is_and_how_old_its_word_is(web: Web) -> None:
    answer = web.client.get("/api/v1/sources").json()
    source = elapor_of(answer)
    assert (source["id"], source["opd"], source["records"]) == ("elapor", "Diskominfo", 120)
    assert source["age_s"] >= 0
    assert source["health"] in ("fresh", "late", "stale", "down")
    assert answer["cache_lost_at"] is None


def test_one_source_is_the_same_as_in_the_list(web: Web) -> None:
    listed = elapor_of(web.client.get("/api/v1/sources").json())
    alone = web.client.get("/api/v1/sources/elapor").json()
    shared = {name: value for name, value in alone.items() if name in listed}
    assert shared | {"age_s": 0, "health": ""} == listed | {"age_s": 0, "health": ""}


def test_an_unknown_source_is_answered_with_the_known_ones(web: Web) -> None:
    answer = web.client.get("/api/v1/sources/nix")
    assert answer.status_code == 404
    assert "elapor" in sentence_of(answer)
