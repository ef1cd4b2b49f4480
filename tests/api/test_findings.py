"""Findings by the API: listed, decided once by a named person, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.api.conftest import Web, board_of, make_installation, sentence_of, serve_web, until
from tests.api.life import HOSTILE, SLIP, SOURCE, settle_life, with_measure


@dataclass
class Centre:
    web: Web
    live: LiveStore
    history: History

    def open(self, kind: str) -> dict[str, Any]:
        answer = self.web.client.get("/api/v1/findings", params={"kind": kind}).json()
        (found,) = answer["findings"]
        return dict(found)

    def decide(self, finding: int | str, **body: Any) -> httpx.Response:
        return self.web.client.post(f"/api/v1/findings/{finding}", json=body)


@contextmanager
def run_centre(city: City, empty: Path, redis_url: str, folder: Path) -> Iterator[Centre]:
    path = folder / "history.sqlite3"
    path.write_bytes(empty.read_bytes())
    measured = with_measure(city)
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        settle_life(history, measured, utc_now())
        installation = make_installation(measured, history, redis_url, folder)
        with board_of(installation) as live, serve_web(installation) as web:
            until(lambda: web.client.get("/readyz").status_code == 200, "a ready web process")
            yield Centre(web, live, history)


@pytest.fixture
def centre(city: City, _migrated_sqlite: Path, valkey_url: str, tmp_path: Path) -> Iterator[Centre]:
    with run_centre(city, _migrated_sqlite, valkey_url, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def unchanged(
    city: City, _migrated_sqlite: Path, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Centre]:
    """One for all tests that lead to no decision."""
    folder = tmp_path_factory.mktemp("unchanged")
    with run_centre(city, _migrated_sqlite, valkey_url, folder) as running:
        yield running


GOOD = {"decision": "accept", "by": "Sari", "note": "sudah ditanyakan ke dinas"}


def test_open_findings_are_listed_and_decided_ones_when_asked_for(unchanged: Centre) -> None:
    listed = unchanged.web.client.get("/api/v1/findings").json()
    assert {each["kind"] for each in listed["findings"]} == {"magnitude", "shape"}
    assert listed["total"] == 2
    assert unchanged.web.client.get("/api/v1/findings?state=accepted").json()["total"] == 0


def test_a_finding_says_what_it_found_and_whether_readings_wait(unchanged: Centre) -> None:
    slip = unchanged.open("magnitude")
    assert (slip["measure"], slip["subject"], slip["value"]) == ("kunjungan", "a", SLIP.value)
    assert (slip["holds_back"], unchanged.open("shape")["holds_back"]) == (True, False)


def test_an_accepted_reading_counts_at_once_everywhere(centre: Centre) -> None:
    answer = centre.decide(centre.open("magnitude")["id"], **GOOD)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["series_updated"], answer.json()["shown"]) == (1, True)
    finding = answer.json()["finding"]
    assert (finding["state"], finding["decided_by"]) == ("accepted", "Sari")
    assert finding["note"] == GOOD["note"]
    shown = centre.live.facts("readings")[f"{SOURCE}/kunjungan/a"]
    assert shown["value"] == SLIP.value
    counted = centre.web.client.get("/api/v1/readings").json()
    assert (counted["total"], counted["held"]) == (25, 0)


def test_a_dismissed_reading_never_counts(centre: Centre) -> None:
    answer = centre.decide(centre.open("magnitude")["id"], **{**GOOD, "decision": "dismiss"})
    assert answer.json()["finding"]["state"] == "dismissed"
    counted = centre.web.client.get("/api/v1/readings").json()
    assert (counted["total"], counted["held"]) == (24, 1)
    # Live state has what was newest when the board began.
    assert centre.live.facts("readings")[f"{SOURCE}/kunjungan/a"]["value"] == 51


def test_the_board_hears_how_many_findings_are_left(centre: Centre) -> None:
    centre.live.note_findings(SOURCE, 2)

    def shown() -> int:
        stated = centre.web.client.get("/api/v1/sources").json()["sources"]
        return int(next(each["findings"] for each in stated if each["id"] == SOURCE))

    until(lambda: shown() == 2, "two open findings")
    centre.decide(centre.open("shape")["id"], **GOOD)
    until(lambda: shown() == 1, "one open finding")
    quality = centre.web.client.get("/api/v1/quality").json()
    assert quality["sources"][SOURCE]["findings"] == 1


def test_noting_findings_leaves_the_rest_of_the_state(unchanged: Centre) -> None:
    before = unchanged.live.source_states()[SOURCE]
    unchanged.live.note_findings(SOURCE, 7)
    after = unchanged.live.source_states()[SOURCE]
    assert (after.findings, after.records, after.last_success) == (
        7,
        before.records,
        before.last_success,
    )


def test_a_finding_is_decided_once(centre: Centre) -> None:
    number = centre.open("magnitude")["id"]
    assert centre.decide(number, **GOOD).status_code == 200
    again = centre.decide(number, **{**GOOD, "decision": "dismiss"})
    assert again.status_code == 409
    assert "decided already" in sentence_of(again)
    assert centre.web.client.get("/api/v1/readings").json()["total"] == 25


@pytest.mark.parametrize("number", ["999999", "0", "-1", str(2**63), str(2**70)])
def test_a_finding_that_does_not_exist_is_404(unchanged: Centre, number: str) -> None:
    assert unchanged.decide(number, **GOOD).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "accept"},
        {"decision": "delete", "by": "Sari"},
        {"decision": "accept", "by": ""},
        {"decision": "accept", "by": "   "},
        {"decision": "accept", "by": "S\x00ri"},
        {"decision": "accept", "by": "x" * 121},
        {"decision": "accept", "by": "Sari", "note": "x" * 501},
        {"decision": "accept", "by": "Sari", "note": "\x00"},
        {"decision": "accept", "by": 7},
        {**GOOD, "extra": True},
    ],
)
def test_a_decision_that_is_none_changes_nothing(unchanged: Centre, body: dict[str, Any]) -> None:
    number = unchanged.open("magnitude")["id"]
    answer = unchanged.decide(number, **body)
    assert answer.status_code == 422
    assert sentence_of(answer)
    assert unchanged.open("magnitude")["state"] == "open"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 9000])
def test_a_body_that_is_no_decision_is_refused(unchanged: Centre, content: bytes) -> None:
    number = unchanged.open("magnitude")["id"]
    answer = unchanged.web.client.post(
        f"/api/v1/findings/{number}", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_a_huge_body_is_not_read_to_its_end(unchanged: Centre) -> None:
    number = unchanged.open("magnitude")["id"]
    answer = unchanged.decide(number, **{**GOOD, "note": "x" * 30_000})
    assert answer.status_code == 413


def test_a_decision_is_kept_although_live_state_is_away(
    city: City, sqlite_history: History, tmp_path: Path
) -> None:
    measured = with_measure(city)
    settle_life(sqlite_history, measured, utc_now())
    nowhere = make_installation(measured, sqlite_history, "redis://127.0.0.1:1/0", tmp_path)
    with serve_web(nowhere) as web:
        (slip,) = web.client.get("/api/v1/findings?kind=magnitude").json()["findings"]
        answer = web.client.post(f"/api/v1/findings/{slip['id']}", json=GOOD)
        assert (answer.status_code, answer.json()["shown"]) == (200, False)
        assert web.client.get("/api/v1/readings").json()["total"] == 25


def test_a_hostile_finding_is_data(unchanged: Centre) -> None:
    answer = unchanged.web.browser.get("/api/v1/findings?kind=shape")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["findings"][0]["sample"] == HOSTILE
