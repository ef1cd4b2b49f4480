"""One clock in the whole installation: who holds it, and who must not write any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from lawang.domain.errors import Fenced
from lawang.polling.lease import RENEW_S, TTL_S, ClockLease
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.conftest import REQUESTED_AT, build_incident


class Monotonic:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def server(valkey_url: str) -> Iterator[redis.Redis]:
    with closing(redis.Redis.from_url(valkey_url)) as client:
        yield client


@pytest.fixture
def first(live: LiveStore, sqlite_history: History, monotonic: Monotonic) -> ClockLease:
    return ClockLease(live, sqlite_history, monotonic=monotonic)


@pytest.fixture
def second(live: LiveStore, sqlite_history: History, monotonic: Monotonic) -> ClockLease:
    return ClockLease(live, sqlite_history, monotonic=monotonic)


def run_out(server: redis.Redis, live: LiveStore) -> None:
    """Let the lease's time in Valkey pass, as it does when its holder renews it no more."""
    server.delete(live.keys.lease("clock"))


def test_one_of_two_holds_the_clock(first: ClockLease, second: ClockLease) -> None:
    assert (first.tick() is not None, second.tick()) == (True, None)


def test_the_holder_keeps_it_under_the_same_number(first: ClockLease, second: ClockLease) -> None:
    number = first.tick()
    assert [first.tick(), second.tick(), first.tick()] == [number, None, number]


def test_a_dead_holder_is_replaced_within_fifteen_seconds(
    first: ClockLease, second: ClockLease, server: redis.Redis, live: LiveStore
) -> None:
    first.tick()
    left_s = server.pttl(live.keys.lease("clock")) / 1000
    assert 0 < left_s <= TTL_S
    assert TTL_S + RENEW_S < 15
    run_out(server, live)
    assert second.tick() is not None


def test_renewing_gives_the_holder_its_whole_time_again(
    first: ClockLease, server: redis.Redis, live: LiveStore
) -> None:
    first.tick()
    server.pexpire(live.keys.lease("clock"), 500)
    first.tick()
    assert server.pttl(live.keys.lease("clock")) > TTL_S * 1000 - 2000


def test_the_number_grows_whenever_the_clock_changes_hands(
    first: ClockLease, second: ClockLease, server: redis.Redis, live: LiveStore
) -> None:
    before = first.tick()
    run_out(server, live)
    after = second.tick()
    assert before is not None
    assert after is not None
    assert after > before


def test_a_lease_that_is_given_up_can_be_taken_at_once(
    first: ClockLease, second: ClockLease
) -> None:
    first.tick()
    first.give_up()
    assert first.fence is None
    assert second.tick() is not None


def test_giving_up_takes_nothing_from_the_next_holder(
    first: ClockLease, second: ClockLease, server: redis.Redis, live: LiveStore
) -> None:
    first.tick()
    run_out(server, live)
    held = second.tick()
    first.give_up()
    assert second.tick() == held


def test_a_holder_that_slept_past_its_time_knows_it_without_asking(
    first: ClockLease, monotonic: Monotonic
) -> None:
    first.tick()
    monotonic.seconds += TTL_S - 1.01
    assert first.fence is not None
    monotonic.seconds += 0.02
    assert first.fence is None


def test_a_holder_stops_before_the_next_one_can_start(
    first: ClockLease, monotonic: Monotonic, server: redis.Redis, live: LiveStore
) -> None:
    first.tick()
    left_s = server.pttl(live.keys.lease("clock")) / 1000
    monotonic.seconds += left_s - 0.5
    assert first.fence is None


def test_a_holder_that_slept_does_not_take_the_clock_back(
    first: ClockLease,
    second: ClockLease,
    server: redis.Redis,
    live: LiveStore,
    monotonic: Monotonic,
) -> None:
    first.tick()
    monotonic.seconds += 60
    run_out(server, live)
    second.tick()
    assert (first.tick(), second.fence is not None) == (None, True)


def test_what_a_replaced_holder_writes_late_is_refused(
    first: ClockLease,
    second: ClockLease,
    server: redis.Redis,
    live: LiveStore,
    sqlite_history: History,
) -> None:
    old = first.tick()
    run_out(server, live)
    new = second.tick()
    assert old is not None
    assert new is not None
    sqlite_history.settle("elapor", [], fetched_at=REQUESTED_AT, fence=new)
    with pytest.raises(Fenced):
        sqlite_history.settle("elapor", [build_incident()], fetched_at=REQUESTED_AT, fence=old)
    assert sqlite_history.incident("elapor:2026-000001") is None


def test_after_a_lost_cache_the_number_is_above_all_that_history_has_seen(
    first: ClockLease, live: LiveStore, server: redis.Redis, sqlite_history: History
) -> None:
    sqlite_history.settle("elapor", [], fetched_at=REQUESTED_AT, fence=41)
    server.delete(live.keys.fence("clock"))
    assert first.tick() == 42
    sqlite_history.settle("elapor", [build_incident()], fetched_at=REQUESTED_AT, fence=42)


def test_a_holder_whose_cache_was_lost_takes_the_clock_again(
    first: ClockLease, live: LiveStore, server: redis.Redis, sqlite_history: History
) -> None:
    before = first.tick()
    assert before is not None
    sqlite_history.settle("elapor", [], fetched_at=REQUESTED_AT, fence=before)
    server.delete(live.keys.lease("clock"), live.keys.fence("clock"))
    after = first.tick()
    assert after is not None
    assert after > before


def test_a_cache_that_is_away_for_a_moment_takes_nothing_away(
    sqlite_history: History, monotonic: Monotonic, valkey_url: str, live: LiveStore
) -> None:
    flaky = _Flaky(valkey_url, live)
    lease = ClockLease(flaky, sqlite_history, monotonic=monotonic)
    held = lease.tick()
    flaky.cut()
    monotonic.seconds += RENEW_S
    assert (held is not None, lease.tick()) == (True, held)
    monotonic.seconds += TTL_S
    assert lease.tick() is None
    flaky.close()


class _Flaky(LiveStore):
    """A live store whose server can go away for good."""

    def __init__(self, url: str, live: LiveStore) -> None:
        super().__init__(url, "unused")
        self.keys = live.keys

    def cut(self) -> None:
        self._redis.close()
        self._redis = redis.Redis.from_url("redis://127.0.0.1:9/0")


def test_no_lease_without_a_cache(sqlite_history: History) -> None:
    with closing(LiveStore("redis://127.0.0.1:9/0", "palembang")) as away:
        lease = ClockLease(away, sqlite_history)
        assert lease.tick() is None
        lease.give_up()


def test_a_lease_whose_number_could_not_be_checked_is_not_kept_from_others(
    live: LiveStore,
    sqlite_history: History,
    second: ClockLease,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    from lawang.store.engine import open_engine

    # A database without tables: every question to it ends in an error.
    empty = tmp_path_factory.mktemp("empty") / "history.sqlite3"
    with closing(History(open_engine(f"sqlite:///{empty}"))) as away:
        assert ClockLease(live, away).tick() is None
    assert second.tick() is not None
