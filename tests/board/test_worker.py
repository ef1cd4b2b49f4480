"""The board at work: on a real Valkey and a real SQLite, announcing what changed and no more."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from lawang.board.panels import PANELS
from lawang.board.patch import merge
from lawang.board.worker import BoardWorker
from lawang.city import City
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState
from lawang.domain.incident import Incident, Status
from lawang.store.history import History
from lawang.store.live import KEPT_AFTER_CLOSING, LiveStore
from tests.conftest import REQUESTED_AT, HeldClock, build_incident

PATIENCE_S = 60.0
NOW = REQUESTED_AT + timedelta(hours=2)


class Listener:
    """Hears what the board announces, and follows it as a web process does."""

    def __init__(self, server: redis.Redis, live: LiveStore) -> None:
        self._subscription = server.pubsub(ignore_subscribe_messages=True)
        self._subscription.subscribe(live.keys.panels_channel)
        # Redis answers a subscription in its own time; nothing may be announced before it does.
        self._subscription.get_message(timeout=5)
        self.heard: list[dict[str, Any]] = []
        self.alive = 0
        self.panels: dict[str, dict[str, Any]] = {}

    def until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"in vain: {what}"
            self.hear(0.05)

    def signs_of_life(self, number: int) -> None:
        """Listen until the board said that often that it lives: all it had to say is said."""
        wanted = self.alive + number
        self.until(lambda: self.alive >= wanted, "the board to live")

    def hear(self, timeout: float) -> None:
        message = self._subscription.get_message(timeout=timeout)
        if message is None:
            return
        content = orjson.loads(message["data"])
        if "alive" in content:
            self.alive += 1
            return
        self.heard.append(content)
        known = self.panels.get(content["panel"], {}) if content["seq"] > 1 else {}
        self.panels[content["panel"]] = merge(known, content["patch"])

    def take(self) -> list[dict[str, Any]]:
        taken, self.heard = self.heard, []
        return taken

    def close(self) -> None:
        self._subscription.close()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(NOW)


@pytest.fixture
def server(valkey_url: str) -> Iterator[redis.Redis]:
    with closing(redis.Redis.from_url(valkey_url)) as client:
        yield client


@pytest.fixture
def listener(server: redis.Redis, live: LiveStore) -> Iterator[Listener]:
    with closing(Listener(server, live)) as listening:
        yield listening


@pytest.fixture
def board(
    city: City, sqlite_history: History, live: LiveStore, clock: HeldClock
) -> Iterator[BoardWorker]:
    worker = BoardWorker(city, sqlite_history, live, clock=clock)
    yield worker
    worker.stop()


@pytest.fixture
def at_work(board: BoardWorker, listener: Listener) -> BoardWorker:
    """A board that has said all it had to say."""
    board.start()
    listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
    listener.signs_of_life(1)
    listener.take()
    return board


@pytest.fixture
def store(sqlite_history: History, live: LiveStore) -> Callable[..., None]:
    """Store incidents as a poll does: history first, then live state."""

    def settle(*incidents: Incident) -> None:
        settled = sqlite_history.settle("elapor", incidents, fetched_at=NOW, fence=1)
        live.put(settled.incidents)

    return settle


Store = Callable[..., None]


def test_a_board_begins_with_what_history_knows(
    board: BoardWorker, sqlite_history: History, live: LiveStore, listener: Listener
) -> None:
    sqlite_history.settle("elapor", [build_incident()], fetched_at=NOW, fence=1)
    board.start()
    listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
    assert listener.panels["counters"]["open"] == {"value": 1}
    assert [item.id for item in live.all_incidents()] == ["elapor:2026-000001"]


def test_a_change_is_announced_once_and_with_no_more_than_changed(
    at_work: BoardWorker, listener: Listener, store: Store
) -> None:
    store(build_incident())
    listener.until(lambda: any(m["panel"] == "ranking" for m in listener.heard), "the ranking")
    listener.signs_of_life(1)
    told = listener.take()
    names = [message["panel"] for message in told]
    assert (
        sorted(names)
        == sorted(set(names))
        == [
            "counters",
            "hours",
            "incidents",
            "latest",
            "ranking",
            "regions",
        ]
    )
    patches = {message["panel"]: message["patch"] for message in told}
    assert patches["regions"] == {"open": {"16.71.06": 1}}
    assert patches["ranking"] == {"rows": {"16.71.06": {"open": 1, "new_today": 1}}}


def test_only_the_changed_feature_goes_to_the_map(
    at_work: BoardWorker, listener: Listener, store: Store
) -> None:
    store(*(build_incident(external_id=f"r{n}") for n in range(30)))
    listener.until(lambda: len(listener.panels["incidents"]["features"]) == 30, "thirty features")
    listener.take()
    changed = NOW - timedelta(minutes=1)
    store(build_incident(external_id="r7", status=Status.IN_PROGRESS, observed_at=changed))
    listener.until(lambda: any(m["panel"] == "incidents" for m in listener.heard), "the map")
    (told,) = (message for message in listener.take() if message["panel"] == "incidents")
    assert told["patch"] == {"features": {"elapor:r7": {"s": "proses"}}}


def test_a_finished_report_leaves_the_map(
    at_work: BoardWorker, listener: Listener, store: Store
) -> None:
    store(build_incident())
    listener.until(lambda: len(listener.panels["incidents"]["features"]) == 1, "a feature")
    store(build_incident(status=Status.DONE, observed_at=NOW))
    listener.until(lambda: listener.panels["incidents"]["features"] == {}, "an empty map")
    listener.until(
        lambda: listener.panels["counters"]["done_today"] == {"value": 1}, "one done today"
    )


def test_nothing_is_announced_where_nothing_changed(
    at_work: BoardWorker, listener: Listener, store: Store, live: LiveStore
) -> None:
    store(build_incident())
    listener.until(lambda: listener.panels["counters"]["open"] == {"value": 1}, "the report")
    listener.signs_of_life(1)
    listener.take()
    store(build_incident())
    live.put([build_incident()])
    listener.signs_of_life(2)
    assert listener.take() == []


def test_sequence_numbers_have_no_gap(
    at_work: BoardWorker, listener: Listener, store: Store
) -> None:
    for number in range(5):
        store(build_incident(external_id=f"r{number}"))
    listener.until(lambda: listener.panels["counters"]["open"] == {"value": 5}, "five reports")
    numbers = [m["seq"] for m in listener.take() if m["panel"] == "counters"]
    assert numbers == list(range(2, 2 + len(numbers)))


def test_what_was_announced_adds_up_to_what_is_stored(
    at_work: BoardWorker, listener: Listener, store: Store, live: LiveStore
) -> None:
    store(*(build_incident(external_id=f"r{n}") for n in range(5)))
    store(build_incident(external_id="r3", status=Status.DONE, observed_at=NOW))
    listener.until(lambda: listener.panels["counters"]["done_today"] == {"value": 1}, "one done")
    listener.signs_of_life(1)
    assert listener.panels == {name: each["payload"] for name, each in live.panels().items()}


def test_a_polled_source_changes_the_sources_panel_alone(
    at_work: BoardWorker, listener: Listener, live: LiveStore
) -> None:
    live.put(state=SourceState(source_id="elapor", last_success=NOW, failures=0))
    listener.until(lambda: any(m["panel"] == "sources" for m in listener.heard), "the source")
    listener.signs_of_life(1)
    (told,) = listener.take()
    assert told["patch"]["sources"]["elapor"]["last_success"] == NOW.isoformat()


def test_an_emptied_cache_is_filled_again(
    at_work: BoardWorker, listener: Listener, store: Store, live: LiveStore, server: redis.Redis
) -> None:
    store(build_incident())
    listener.until(lambda: listener.panels["counters"]["open"] == {"value": 1}, "the report")
    before = listener.panels
    server.delete(live.keys.incidents, live.keys.panels, live.keys.filled, live.keys.sources)
    listener.until(lambda: len(live.panels()) == len(PANELS), "all panels again")
    assert {name: each["payload"] for name, each in live.panels().items()} == before
    assert [item.id for item in live.all_incidents()] == ["elapor:2026-000001"]


def test_a_refill_that_was_asked_for_brings_what_the_cache_missed(
    at_work: BoardWorker, listener: Listener, sqlite_history: History
) -> None:
    sqlite_history.settle("elapor", [build_incident()], fetched_at=NOW, fence=1)
    at_work.refill()
    listener.until(lambda: listener.panels["counters"]["open"] == {"value": 1}, "the report")


def test_while_history_is_locked_the_sources_panel_goes_on(
    at_work: BoardWorker, listener: Listener, live: LiveStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        live.put(state=SourceState(source_id="elapor", failures=1, error_kind="store_busy"))
        listener.until(
            lambda: (
                listener.panels["sources"]["sources"]["elapor"].get("error_kind") == "store_busy"
            ),
            "the error on the sources panel",
        )


def test_a_history_that_breaks_does_not_silence_the_board(
    at_work: BoardWorker, listener: Listener, live: LiveStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "history.sqlite3", isolation_level=None)) as other:
        other.execute("ALTER TABLE incident_event RENAME TO lost")
        live.put([build_incident()])
        live.put(state=SourceState(source_id="elapor", failures=1, error_kind="store_down"))
        listener.until(
            lambda: listener.panels["counters"]["open"] == {"value": 1}, "the report's count"
        )
        listener.until(
            lambda: listener.panels["sources"]["sources"]["elapor"].get("failures") == 1,
            "the failing source",
        )
        other.execute("ALTER TABLE lost RENAME TO incident_event")


def test_alarms_that_cannot_be_read_stay_when_the_board_is_filled_anew(
    city: City, sqlite_history: History, live: LiveStore, listener: Listener
) -> None:
    is_away = threading.Event()
    flood = {"alarms": {"1": {"rule": "air_awas"}}}

    def alarms(_now: datetime) -> dict[str, Any]:
        if is_away.is_set():
            raise StoreError("store_down", "uji")
        return flood

    worker = BoardWorker(city, sqlite_history, live, clock=HeldClock(NOW), alarms=alarms)
    worker.start()
    try:
        listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
        listener.take()
        is_away.set()
        worker.refill()
        listener.until(lambda: len(listener.heard) == len(PANELS), "every panel anew")
    finally:
        worker.stop()
    assert listener.panels["alarms"] == flood


def test_a_board_that_begins_again_knows_nothing_of_its_last_time(
    city: City, sqlite_history: History, live: LiveStore, listener: Listener
) -> None:
    """Another process may have kept it meanwhile, and ended what it knew of."""
    found = [{"alarms": {"1": {"rule": "air_awas"}}}]

    def alarms(_now: datetime) -> dict[str, Any]:
        if not found:
            raise StoreError("store_down", "uji")
        return found.pop()

    worker = BoardWorker(city, sqlite_history, live, clock=HeldClock(NOW), alarms=alarms)
    try:
        for told in ({"alarms": {"1": {"rule": "air_awas"}}}, {}):
            listener.take()
            worker.start()
            listener.until(lambda: len(listener.heard) == len(PANELS), "every panel")
            assert listener.panels["alarms"] == told
            worker.stop()
    finally:
        worker.stop()


def test_a_restarted_board_speaks_under_another_name(
    at_work: BoardWorker, listener: Listener, live: LiveStore
) -> None:
    before = live.filled_by()
    at_work.stop()
    at_work.start()
    listener.until(lambda: live.filled_by() not in (None, before), "another epoch")
    listener.until(lambda: len(listener.heard) == len(PANELS), "every panel anew")
    assert {message["seq"] for message in listener.take()} == {1}


def test_a_stopped_board_says_nothing_more(
    at_work: BoardWorker, listener: Listener, store: Store
) -> None:
    at_work.stop()
    listener.take()
    store(build_incident())
    listener.hear(1.0)
    assert listener.take() == []


def test_what_was_closed_long_ago_leaves_the_cache(
    board: BoardWorker, listener: Listener, store: Store, live: LiveStore, clock: HeldClock
) -> None:
    store(build_incident(status=Status.DONE, observed_at=NOW))
    clock.now = NOW + KEPT_AFTER_CLOSING + timedelta(seconds=1)
    board.start()
    listener.until(lambda: listener.panels.keys() == PANELS.keys(), "all panels")
    listener.until(lambda: live.all_incidents() == [], "an empty cache")


def test_last_week_is_compared_once_a_whole_day_of_it_is_known(
    board: BoardWorker, listener: Listener, store: Store
) -> None:
    week_ago = NOW - timedelta(days=7)
    store(
        build_incident(external_id="first", requested_at=week_ago - timedelta(days=2)),
        build_incident(external_id="then", requested_at=week_ago - timedelta(hours=1)),
        build_incident(external_id="later", requested_at=week_ago + timedelta(minutes=1)),
    )
    board.start()
    listener.until(lambda: "counters" in listener.panels, "the counters")
    assert listener.panels["counters"]["new_today"] == {"value": 0, "last_week": 1}
    assert listener.panels["counters"]["open"] == {"value": 3, "last_week": 2}


def test_a_young_history_is_compared_with_nothing(
    board: BoardWorker, listener: Listener, store: Store
) -> None:
    store(build_incident(requested_at=NOW - timedelta(days=7, hours=1)))
    board.start()
    listener.until(lambda: "counters" in listener.panels, "the counters")
    assert listener.panels["counters"]["open"] == {"value": 1}
