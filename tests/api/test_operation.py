"""What operators' programs ask: alive, ready, figures; and what they hear when a store is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lawang.city import City
from lawang.store.briefs import Letter, MailState
from lawang.store.embedded import EmbeddedValkey
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.kpis import KpiState
from tests.api.conftest import (
    Web,
    board_of,
    make_installation,
    sentence_of,
    serve_web,
    until,
)
from tests.brief.conftest import make_brief

MAYOR = "walikota@kota.example"


def samples(web: Web) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(web.client.get("/metrics").text)
        for sample in family.samples
    }


def test_a_living_web_process_says_so_and_names_its_build(web: Web) -> None:
    answer = web.client.get("/healthz").json()
    assert (answer["status"], len(answer["build"])) == ("ok", 12)


def test_a_web_process_with_all_its_stores_is_ready(web: Web) -> None:
    answer = web.client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (
        200,
        {"history": "ok", "cache": "ok", "board": "ok"},
    )


def test_figures_can_be_read_by_prometheus(web: Web) -> None:
    answer = web.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = samples(web)
    assert found["lawang_cache_up", frozenset()] == 1
    assert found["lawang_stream_clients", frozenset()] == 0
    assert found["lawang_board_silence_seconds", frozenset()] < 60
    assert found["lawang_source_failures", frozenset({("source", "elapor")})] == 0


def test_the_figures_tell_when_indicators_were_looked_at_and_a_brief_was_made(
    web: Web, full_history: History
) -> None:
    assert "lawang_brief_age_seconds" not in {name for name, _ in samples(web)}
    history, now = full_history, datetime.now(UTC)
    state = KpiState(kpi="x", digest="", through=None, computed_at=now - timedelta(hours=1))
    history.kpis.save_states([state])
    brief = replace(make_brief(), made_at=now - timedelta(hours=2))
    history.briefs.save([brief], [(b"", b"")])
    letter = Letter(
        day=brief.day, language="id", edition=1, recipient=MAYOR, message_id="<x@y>",
        state=MailState.REFUSED, attempts=1, tried_at=now, next_at=now, error="refused (550)",
    )  # fmt: skip
    history.briefs.queue([letter])
    found = samples(web)
    assert 3600 <= found["lawang_indicators_age_seconds", frozenset()] < 3700
    assert 7200 <= found["lawang_brief_age_seconds", frozenset()] < 7300
    assert found["lawang_brief_letters", frozenset({("state", "refused")})] == 1
    assert MAYOR not in web.client.get("/metrics").text


def test_a_source_has_exactly_one_health_among_the_figures(web: Web) -> None:
    found = {
        dict(labels)["health"]: value
        for (name, labels), value in samples(web).items()
        if name == "lawang_source_health"
    }
    assert set(found) == {"never", "fresh", "late", "stale", "down", "refused"}
    assert sorted(found.values()) == [0, 0, 0, 0, 0, 1]


def test_figures_count_the_open_streams(web: Web) -> None:
    def clients() -> float:
        return samples(web)["lawang_stream_clients", frozenset()]

    with web.client.stream("GET", "/stream") as stream:
        assert stream.status_code == 200
        until(lambda: clients() == 1, "one stream")
    until(lambda: clients() == 0, "no stream")


# --- a store is gone ------------------------------------------------------------------------


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of this test alone."""
    server = EmbeddedValkey(tmp_path)
    server.start()
    yield server
    server.stop()


def test_without_the_cache_it_is_alive_but_not_ready(
    city: City, sqlite_history: History, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    installation = make_installation(city, sqlite_history, valkey.url, tmp_path)
    with board_of(installation), serve_web(installation) as web:
        until(lambda: web.client.get("/readyz").status_code == 200, "ready")
        valkey.stop()
        until(lambda: web.client.get("/readyz").status_code == 503, "not ready")
        checks = web.client.get("/readyz").json()["checks"]
        assert checks["history"] == "ok"
        assert checks["cache"].startswith("lost since ")
        assert web.client.get("/healthz").status_code == 200
        assert samples(web)["lawang_cache_up", frozenset()] == 0
        # The last word of the sources stays, with the time since when there is no newer one.
        answer = web.client.get("/api/v1/sources").json()
        assert answer["cache_lost_at"] is not None
        elapor = next(each for each in answer["sources"] if each["id"] == "elapor")
        assert elapor["records"] == 120
        valkey.start()
        until(lambda: web.client.get("/readyz").status_code == 200, "ready again")
        assert web.client.get("/api/v1/sources").json()["cache_lost_at"] is None


def test_without_a_board_it_is_not_ready(
    city: City, sqlite_history: History, valkey_url: str, tmp_path: Path
) -> None:
    installation = make_installation(city, sqlite_history, valkey_url, tmp_path)
    with serve_web(installation) as web:
        answer = web.client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["board"]) == (503, "not heard yet")


def test_without_history_the_api_says_so_in_a_sentence(
    city: City, valkey_url: str, tmp_path: Path
) -> None:
    # A database without tables: every question to it ends in an error.
    with closing(History(open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}"))) as history:
        installation = make_installation(city, history, valkey_url, tmp_path)
        with serve_web(installation) as web:
            answer = web.client.get("/api/v1/incidents")
            assert answer.status_code == 503
            assert "store_down" in sentence_of(answer)
            assert str(tmp_path) not in answer.text
            assert web.client.get("/healthz").status_code == 200
