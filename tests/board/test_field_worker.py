"""The field on the board at work: a real Valkey, a real SQLite, and only what changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from lawang.board.field.facts import FieldFacts
from lawang.board.field.following import fill_field, take_field
from lawang.board.field.water import water
from lawang.board.panels import PANELS
from lawang.board.worker import BoardWorker
from lawang.city import City
from lawang.domain.alert import MessageType
from lawang.domain.facts import Facts
from lawang.domain.health import SourceState
from lawang.domain.service import RequestStatus
from lawang.store.history import History
from lawang.store.live import KEPT_AFTER_EXPIRY, LiveStore
from tests.board.field import NOW, build_alert, build_position, build_reading
from tests.board.test_field_offices import request as build_request
from tests.board.test_worker import Listener
from tests.conftest import HeldClock

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def listener(valkey_url: str, live: LiveStore) -> Iterator[Listener]:
    with (
        closing(redis.Redis.from_url(valkey_url)) as server,
        closing(Listener(server, live)) as listening,
    ):
        yield listening


@pytest.fixture
def board(city: City, sqlite_history: History, live: LiveStore) -> Iterator[BoardWorker]:
    worker = BoardWorker(city, sqlite_history, live, clock=HeldClock(NOW))
    yield worker
    worker.stop()


@pytest.fixture
def settle(city: City, sqlite_history: History, live: LiveStore) -> Callable[..., None]:
    """Store facts of a source as a poll does: history first, then live state."""

    def store(source: str, **records: Any) -> None:
        facts = Facts(zone=city.timezone, measures=city.sources[source].measures, **records)
        settled = sqlite_history.settle(source, [], fetched_at=NOW, fence=1, facts=facts)
        live.put(
            readings=settled.readings.newest, positions=settled.positions, alerts=settled.alerts
        )

    return store


Settle = Callable[..., None]


def start(board: BoardWorker, listener: Listener) -> None:
    """Let the board say all it has to say."""
    board.start()
    listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
    listener.signs_of_life(1)
    listener.take()


def heard_of(listener: Listener, panel: str) -> list[dict[str, Any]]:
    return [message["patch"] for message in listener.heard if message["panel"] == panel]


def test_a_new_position_is_announced_as_no_more_than_changed(
    board: BoardWorker, listener: Listener, settle: Settle
) -> None:
    settle("ambulans", positions=[build_position("ambulans", str(n)) for n in range(20)])
    start(board, listener)
    assert len(listener.panels["vehicles"]["things"]) == 20
    moved = NOW + SECOND
    settle(
        "ambulans",
        positions=[build_position("ambulans", "7", latitude=-2.98, observed_at=moved)],
    )
    listener.until(lambda: bool(heard_of(listener, "vehicles")), "the vehicle")
    listener.signs_of_life(1)
    told = listener.take()
    assert [message["panel"] for message in told] == ["vehicles"]
    assert told[0]["patch"] == {
        "things": {"ambulans:7": {"p": [104.76, -2.98], "t": moved.isoformat()}}
    }


def test_a_board_begins_with_the_last_hours_of_its_gauges(
    board: BoardWorker, listener: Listener, settle: Settle
) -> None:
    for minutes, value in ((64, 200.0), (40, 240.0), (3, 280.0)):
        reading = build_reading("pengukur_air", "tinggi_air", "A", value, at=NOW - minutes * MINUTE)
        settle("pengukur_air", readings=[reading])
    start(board, listener)
    entry = listener.panels["water"]["gauges"]["A"]
    assert (entry["v"], entry["rise"], entry["mark"]) == (280.0, 80.0, "air_siaga")
    assert entry["spark"] == [[60, 200.0], [30, 240.0], [0, 280.0]]


def test_courses_that_cannot_be_read_at_first_are_read_with_the_next_fact(
    city: City, sqlite_history: History, live: LiveStore, settle: Settle, tmp_path: Path
) -> None:
    for minutes, value in ((61, 200.0), (1, 280.0)):
        reading = build_reading("pengukur_air", "tinggi_air", "A", value, at=NOW - minutes * MINUTE)
        settle("pengukur_air", readings=[reading])
    facts = FieldFacts(city)
    with closing(sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)) as other:
        other.execute("ALTER TABLE reading RENAME TO lost")
        fill_field(facts, live, sqlite_history, NOW)
        other.execute("ALTER TABLE lost RENAME TO reading")
    gauge = water(facts, NOW)["gauges"]["A"]
    assert (gauge["v"], "rise" in gauge) == (280.0, False)
    take_field(facts, {"positions": ["ambulans:1"]}, live, sqlite_history, NOW)
    assert water(facts, NOW)["gauges"]["A"]["rise"] == 80.0


def test_a_new_reading_follows_on_the_course(
    board: BoardWorker, listener: Listener, settle: Settle
) -> None:
    def read(minutes: int, value: float) -> None:
        at = NOW - minutes * MINUTE
        reading = build_reading("pengukur_hujan", "hujan_hari_ini", "H", value, at=at)
        settle("pengukur_hujan", readings=[reading])

    read(30, 1.0)
    start(board, listener)
    assert "v" not in listener.panels["rain"]["gauges"]["H"]
    read(10, 3.0)
    listener.until(lambda: listener.panels["rain"]["gauges"]["H"].get("v") == 2.0, "two mm")
    read(0, 14.0)
    listener.until(lambda: listener.panels["rain"]["gauges"]["H"].get("v") == 13.0, "thirteen mm")


def test_what_a_gauge_had_kept_to_itself_is_read_from_history(
    board: BoardWorker, listener: Listener, settle: Settle
) -> None:
    """It names its newest reading alone; those of its silence came with it."""

    def reading(minutes: int, value: float) -> Any:
        at = NOW - minutes * MINUTE
        return build_reading("pengukur_air", "tinggi_air", "A", value, at=at)

    settle("pengukur_air", readings=[reading(120, 100.0)])
    start(board, listener)
    settle("pengukur_air", readings=[reading(61, 150.0), reading(31, 170.0), reading(1, 190.0)])
    listener.until(lambda: listener.panels["water"]["gauges"]["A"].get("rise") == 40.0, "the rise")


def test_a_warning_comes_and_is_cancelled(
    board: BoardWorker, listener: Listener, settle: Settle
) -> None:
    start(board, listener)
    settle("bmkg_peringatan", alerts=[build_alert("w")])
    listener.until(lambda: bool(listener.panels["warnings"]["warnings"]), "the warning")
    settle("bmkg_peringatan", alerts=[build_alert("w", ended_at=NOW)])
    settle("bmkg_peringatan", alerts=[build_alert("x", touches_city=False)])
    listener.until(lambda: listener.panels["warnings"]["elsewhere"] == 1, "the other one")


def test_what_expired_long_ago_or_only_cancels_is_not_kept(
    city: City, sqlite_history: History, live: LiveStore, listener: Listener, settle: Settle
) -> None:
    clock = HeldClock(NOW)
    settle(
        "bmkg_peringatan",
        alerts=[
            build_alert("w", message_type=MessageType.CANCEL),
            build_alert("x", expires_at=NOW + MINUTE),
            build_alert("y", expires_at=NOW + MINUTE + SECOND),
            build_alert("z"),
        ],
    )
    assert "bmkg_peringatan:w" not in live.facts("alerts")
    board = BoardWorker(city, sqlite_history, live, clock=clock)
    board.start()
    try:
        listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
        clock.now = NOW + KEPT_AFTER_EXPIRY + MINUTE + SECOND
        listener.until(lambda: "bmkg_peringatan:x" not in live.facts("alerts"), "a day later")
    finally:
        board.stop()
    assert live.facts("alerts").keys() == {"bmkg_peringatan:y", "bmkg_peringatan:z"}


def test_letters_are_counted_when_their_source_was_polled(
    board: BoardWorker, listener: Listener, settle: Settle, live: LiveStore
) -> None:
    start(board, listener)
    letters = [build_request(1), build_request(2, status=RequestStatus.PROCESSING)]
    settle("ekelurahan", requests=letters)
    live.put(state=SourceState(source_id="ekelurahan", last_success=NOW))
    listener.until(lambda: listener.panels["desks"]["letters"]["today"] == 2, "two letters")
    assert listener.panels["desks"]["letters"]["open"] == 1


def test_while_history_is_locked_vehicles_go_on(
    board: BoardWorker, listener: Listener, live: LiveStore, tmp_path: Path
) -> None:
    start(board, listener)
    with closing(sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        live.put(positions=[build_position("ambulans", "1")])
        listener.until(lambda: bool(listener.panels["vehicles"]["things"]), "the vehicle")


def test_an_emptied_cache_brings_the_field_back(
    board: BoardWorker,
    listener: Listener,
    settle: Settle,
    live: LiveStore,
    valkey_url: str,
) -> None:
    settle("ambulans", positions=[build_position("ambulans", "1")])
    start(board, listener)
    before = listener.panels["vehicles"]
    with closing(redis.Redis.from_url(valkey_url)) as server:
        server.delete(live.keys.positions, live.keys.panels, live.keys.filled)
    listener.until(lambda: len(live.panels()) == len(PANELS), "all panels again")
    assert live.panels()["vehicles"]["payload"] == before
