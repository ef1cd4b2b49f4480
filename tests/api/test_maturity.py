"""The maturity ladder by the API: every department once, by the rules it prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.field import FieldTables
from lawang.domain.health import SourceState
from lawang.domain.incident import Status
from lawang.domain.quality import Tally, bucket_of
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from lawang.store.outcomes import OutcomeStore
from tests.api.conftest import Web, board_of, make_installation, serve_web, until
from tests.api.life import REQUESTS, settle_life
from tests.conftest import build_incident


@pytest.fixture
def ladder(
    city: City, _migrated_sqlite: Path, valkey_url: str, tmp_path: Path
) -> Iterator[tuple[Web, LiveStore, History]]:
    """A centre whose e-lapor has just been heard."""
    path = tmp_path / "history.sqlite3"
    path.write_bytes(_migrated_sqlite.read_bytes())
    # Late after an hour, so that no slow machine changes what is asserted.
    source = city.sources["elapor"]
    calm = replace(
        source.cadence, every_s=600, late_after_s=3600, stale_after_s=7200, down_after_s=86_400
    )
    own = {"elapor": replace(source, cadence=calm, every_s=600.0)}
    only = replace(city, sources=own, field_tables=FieldTables())
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        installation = make_installation(only, history, valkey_url, tmp_path)
        with board_of(installation) as live, serve_web(installation) as web:
            until(lambda: web.client.get("/readyz").status_code == 200, "a ready web process")
            yield web, live, history


def ask(web: Web, lang: str = "id") -> dict[str, Any]:
    answer = web.client.get("/api/v1/maturity", params={"lang": lang})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def department(web: Web, opd: str = "diskominfo") -> dict[str, Any]:
    return next(dict(each) for each in ask(web)["departments"] if each["id"] == opd)


def settle_closed(history: History, in_time: int, late: int) -> None:
    """Reports of e-lapor that closed today, with a due time."""
    now = utc_now()
    history.settle(
        "elapor",
        [
            build_incident(
                external_id=f"m{number}",
                status=Status.DONE,
                status_raw="closed",
                requested_at=now - timedelta(hours=3),
                observed_at=now - timedelta(hours=1),
                due_at=now - timedelta(minutes=30 if number < in_time else 90),
            )
            for number in range(in_time + late)
        ],
        fetched_at=now,
        fence=1,
    )


def test_every_department_stands_on_one_stage(
    ladder: tuple[Web, LiveStore, History], city: City
) -> None:
    found = ask(ladder[0])
    assert [each["id"] for each in found["departments"]] == list(city.opds)
    assert sum(each["departments"] for each in found["stages"]) == len(city.opds)
    assert [each["id"] for each in found["stages"]] == [
        "ad_hoc",
        "inisiatif",
        "scattered",
        "integratif",
        "smart",
    ]


def test_a_department_without_a_source_is_ad_hoc(ladder: tuple[Web, LiveStore, History]) -> None:
    found = department(ladder[0], "inspektorat")
    assert (found["stage"], found["reasons"][0]["code"]) == ("ad_hoc", "no_source")
    assert found["reasons"][0]["text"] == "belum ada sumber tersambung"


def test_a_fresh_source_makes_it_integrated(ladder: tuple[Web, LiveStore, History]) -> None:
    found = department(ladder[0])
    assert (found["stage"], found["reasons"][0]["code"]) == ("integratif", "few_closed")


def test_closing_in_time_makes_it_smart(ladder: tuple[Web, LiveStore, History]) -> None:
    settle_closed(ladder[2], in_time=9, late=1)
    found = department(ladder[0])
    assert (found["stage"], found["closed"], found["in_time"]) == ("smart", 10, 9)
    assert found["reasons"][0]["text"] == "90% selesai tepat waktu"


def test_closing_late_does_not(ladder: tuple[Web, LiveStore, History]) -> None:
    settle_closed(ladder[2], in_time=5, late=5)
    assert department(ladder[0])["reasons"][0]["code"] == "not_in_time"


def test_a_late_source_says_how_late(ladder: tuple[Web, LiveStore, History]) -> None:
    web, live, _history = ladder
    heard = utc_now() - timedelta(hours=3, minutes=1)
    live.put(state=SourceState(source_id="elapor", last_success=heard, records=120))
    until(lambda: department(web)["stage"] == "scattered", "a scattered department")
    (reason,) = department(web)["reasons"]
    assert reason["source"] == "elapor"
    assert reason["text"] == "terlambat, terakhir terdengar 3 jam lalu"


def test_bad_records_keep_it_scattered(ladder: tuple[Web, LiveStore, History]) -> None:
    _web, _live, history = ladder
    history.quality.add("elapor", {bucket_of(utc_now()): Tally(polls=96, records=100, unusable=40)})
    until(lambda: department(ladder[0])["stage"] == "scattered", "a scattered department")
    assert department(ladder[0])["reasons"][0]["text"] == "60% rekaman sah"


def test_the_texts_are_in_the_language_asked_for(ladder: tuple[Web, LiveStore, History]) -> None:
    english = ask(ladder[0], "en")
    assert english["stages"][3]["name"] == "Integrated"
    assert "at least 90%" in english["stages"][3]["rule"]
    assert "sedikitnya 90%" in ask(ladder[0])["stages"][3]["rule"]
    assert ladder[0].client.get("/api/v1/maturity?lang=xx").status_code == 422


def test_outcomes_count_incidents_and_requests_with_a_due_time(
    history: History, city: City
) -> None:
    now = utc_now()
    settle_closed(history, in_time=2, late=1)
    settle_life(history, city, now)
    ended = [each for each in REQUESTS if each.closed_at is not None]
    counted = OutcomeStore(history.database).closed_since(now - timedelta(days=3650))
    assert counted == {"elapor": (3 + len(ended), 2 + len(ended))}
    assert OutcomeStore(history.database).closed_since(now + timedelta(days=1)) == {}
