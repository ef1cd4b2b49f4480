"""What was pushed is kept once, in order, and until it was taken."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from lawang.connector import Cursor
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.inbox import BODY_KEPT, KEY_KEPT, Inbox

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    with closing(History(open_engine(database_url))) as opened:
        yield opened


@pytest.fixture
def inbox(history: History) -> Inbox:
    return history.inbox


def put(inbox: Inbox, key: str, source: str = "damkar", at: datetime = NOW) -> tuple[int, bool]:
    return inbox.put(source, key, f'"{key}"'.encode(), "application/json", at)


def test_messages_come_out_in_the_order_in_which_they_came(inbox: Inbox) -> None:
    numbers = [put(inbox, key)[0] for key in ("c", "a", "b")]
    waiting = inbox.waiting("damkar", 0, 10)
    assert [each.number for each in waiting] == numbers == sorted(numbers)
    assert [each.body for each in waiting] == [b'"c"', b'"a"', b'"b"']
    assert waiting[0].received_at == NOW


def test_a_key_that_was_used_before_keeps_the_first_message(inbox: Inbox) -> None:
    number, is_new = put(inbox, "a")
    assert is_new
    assert inbox.put("damkar", "a", b'"other"', "application/json", NOW) == (number, False)
    assert [each.body for each in inbox.waiting("damkar", 0, 10)] == [b'"a"']


def test_two_sources_may_use_the_same_key(inbox: Inbox) -> None:
    assert put(inbox, "a", "damkar")[1]
    assert put(inbox, "a", "psc119")[1]
    assert len(inbox.waiting("psc119", 0, 10)) == 1


def test_what_lies_before_the_cursor_is_not_given_again(inbox: Inbox) -> None:
    first, second = (put(inbox, key)[0] for key in "ab")
    assert [each.number for each in inbox.waiting("damkar", first, 10)] == [second]
    assert inbox.waiting("damkar", second, 10) == []


def test_a_heartbeat_is_heard_and_not_kept(inbox: Inbox) -> None:
    assert inbox.put("damkar", "h", b"{}", "application/json", NOW, heartbeat=True) == (0, True)
    assert inbox.waiting("damkar", 0, 10) == []
    assert inbox.last_heard("damkar") == NOW


def test_the_latest_moment_counts_as_heard(inbox: Inbox) -> None:
    assert inbox.last_heard("damkar") is None
    put(inbox, "a", at=NOW)
    put(inbox, "b", at=NOW - timedelta(seconds=3))
    assert inbox.last_heard("damkar") == NOW


def test_fifty_writers_of_one_key_keep_one_message(inbox: Inbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: put(inbox, "a"), range(50)))
    assert len({number for number, _ in outcomes}) == 1
    assert sum(is_new for _, is_new in outcomes) == 1
    assert len(inbox.waiting("damkar", 0, 10)) == 1


def test_a_reader_beside_many_writers_misses_none(inbox: Inbox) -> None:
    seen: list[int] = []
    with ThreadPoolExecutor(6) as pool:
        writing = [pool.submit(put, inbox, f"k{number}") for number in range(120)]
        while not all(each.done() for each in writing) or inbox.waiting(
            "damkar", max(seen, default=0), 1
        ):
            found = inbox.waiting("damkar", max(seen, default=0), 7)
            seen += [each.number for each in found]
    assert sorted(seen) == sorted(each.result()[0] for each in writing)


def take(history: History, number: int) -> None:
    """What the poller writes once everything up to a number is committed."""
    state = SourceState(source_id="damkar", last_success=NOW)
    cursor = Cursor(validators={"inbox": str(number)})
    history.finish_poll("damkar", cursor, state, fence=1, now=NOW)


def test_bodies_are_emptied_and_keys_forgotten_once_taken(history: History) -> None:
    inbox = history.inbox
    first, _ = put(inbox, "a")
    second, _ = put(inbox, "b")
    take(history, first)
    assert inbox.prune(NOW + BODY_KEPT + timedelta(hours=1)) == 1
    assert [each.number for each in inbox.waiting("damkar", 0, 10)] == [second]
    assert put(inbox, "a") == (first, False)
    assert inbox.prune(NOW + KEY_KEPT + timedelta(hours=1)) == 1
    number, is_new = put(inbox, "a")
    assert is_new
    assert number > second


def test_what_nobody_took_is_never_pruned(inbox: Inbox) -> None:
    put(inbox, "a")
    assert inbox.prune(NOW + timedelta(days=400)) == 0
    assert len(inbox.waiting("damkar", 0, 10)) == 1


def test_a_number_is_never_given_twice(history: History) -> None:
    inbox = history.inbox
    number, _ = put(inbox, "a")
    take(history, number)
    inbox.prune(NOW + KEY_KEPT + timedelta(hours=1))
    assert put(inbox, "b")[0] > number


def test_a_database_that_is_away_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("away") / "history.sqlite3"
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        for call in (
            lambda: put(history.inbox, "a"),
            lambda: history.inbox.waiting("damkar", 0, 1),
            lambda: history.inbox.last_heard("damkar"),
        ):
            with pytest.raises(StoreError, match="store_down"):
                call()
