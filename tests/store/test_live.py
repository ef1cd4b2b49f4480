"""Live state on a real Valkey: what the wall works on, and the right to poll."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState
from lawang.domain.incident import Incident, Status
from lawang.store.embedded import EmbeddedValkey
from lawang.store.live import TIMEOUT_S, LiveStore
from tests.conftest import REQUESTED_AT, build_incident

TTL_MS = 30_000


def report(number: int, **changes: Any) -> Incident:
    return build_incident(external_id=f"r{number}", **changes)


@pytest.fixture
def server(valkey_url: str) -> Iterator[redis.Redis]:
    """The same server, without the program in between."""
    client = redis.Redis.from_url(valkey_url, socket_timeout=10)
    yield client
    client.close()


@pytest.fixture
def listening(live: LiveStore) -> Iterator[Any]:
    subscription = live.listen_changed()
    yield subscription
    subscription.close()


def next_message(subscription: Any) -> dict[str, Any]:
    """The next message; None comes for the confirmation of a subscription too, so ask again."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        message = subscription.get_message(timeout=1)
        if message is not None:
            content: dict[str, Any] = orjson.loads(message["data"])
            return content
    raise AssertionError("nothing was announced")


# --- incidents and sources -----------------------------------------------------------------------


def test_what_was_put_is_there(live: LiveStore) -> None:
    one, other = report(1), report(2, status=Status.DONE, due_at=None, description="Surut 🌧 ظ")
    live.put([one, other])
    assert live.incidents([one.id, other.id]) == {one.id: one, other.id: other}


def test_an_incident_that_is_not_live_is_none(live: LiveStore) -> None:
    live.put([report(1)])
    assert live.incidents(["elapor:r9", report(1).id]) == {
        "elapor:r9": None,
        report(1).id: report(1),
    }


def test_no_ids_are_no_question(live: LiveStore) -> None:
    assert live.incidents([]) == {}


def test_putting_again_replaces(live: LiveStore) -> None:
    moved = report(1, status=Status.IN_PROGRESS)
    live.put([report(1)])
    live.put([moved])
    assert live.all_incidents() == [moved]


def test_what_is_gone_is_taken_out(live: LiveStore) -> None:
    live.put([report(1), report(2)])
    live.put([report(3)], gone=[report(1).id, "elapor:never"])
    assert {item.external_id for item in live.all_incidents()} == {"r2", "r3"}


def test_the_state_of_a_source_is_kept_with_its_times(live: LiveStore) -> None:
    state = SourceState(
        source_id="elapor", last_success=REQUESTED_AT, failures=3, error_kind="timeout"
    )
    live.put(state=SourceState(source_id="elapor"))
    live.put(state=state)
    live.put(state=SourceState(source_id="damkar"))
    assert live.source_states() == {
        "elapor": state,
        "damkar": SourceState(source_id="damkar"),
    }


def test_the_states_of_some_sources_are_read_without_the_others(live: LiveStore) -> None:
    for name in ("elapor", "damkar"):
        live.put(state=SourceState(source_id=name))
    assert live.source_states(["damkar", "unheard"]) == {"damkar": SourceState(source_id="damkar")}


def test_a_change_is_announced_after_it_can_be_read(live: LiveStore, listening: Any) -> None:
    live.put([report(1)], gone=["elapor:r2"], state=SourceState(source_id="elapor"))
    assert next_message(listening) == {
        "incidents": [report(1).id, "elapor:r2"],
        "source": "elapor",
    }
    assert live.incidents([report(1).id])[report(1).id] == report(1)


def test_an_announcement_without_a_source_says_so(live: LiveStore, listening: Any) -> None:
    live.put([report(1)])
    assert next_message(listening) == {"incidents": [report(1).id], "source": None}


def test_two_cities_on_one_server_do_not_meet(live: LiveStore, valkey_url: str) -> None:
    other = LiveStore(valkey_url, f"{live.keys.incidents.split(':')[1]}-lain")
    other.put([report(1)], state=SourceState(source_id="elapor"))
    other.take_lease("clock", "them", TTL_MS)
    other.close()
    assert (live.all_incidents(), live.source_states()) == ([], {})
    assert live.take_lease("clock", "us", TTL_MS) == 1


# --- filling from history ------------------------------------------------------------------------


def test_filling_replaces_all_incidents(live: LiveStore) -> None:
    live.put([report(1), report(2)])
    live.fill([report(2), report(3)], [], "run-1")
    assert {item.external_id for item in live.all_incidents()} == {"r2", "r3"}


def test_filling_with_nothing_leaves_nothing(live: LiveStore) -> None:
    live.put([report(1)])
    live.fill([], [], "run-1")
    assert live.all_incidents() == []


def test_many_incidents_are_filled_whole(live: LiveStore) -> None:
    live.fill([report(number) for number in range(2500)], [], "run-1")
    assert len(live.all_incidents()) == 2500


def test_filling_adds_missing_source_states_and_keeps_younger_ones(live: LiveStore) -> None:
    younger = SourceState(source_id="elapor", last_attempt=REQUESTED_AT + timedelta(minutes=1))
    live.put(state=younger)
    kept = [
        SourceState(source_id="elapor", last_attempt=REQUESTED_AT),
        SourceState(source_id="damkar", last_attempt=REQUESTED_AT),
    ]
    live.fill([], kept, "run-1")
    assert live.source_states() == {"elapor": younger, "damkar": kept[1]}


def test_live_state_knows_who_filled_it_last(live: LiveStore) -> None:
    assert live.filled_by() is None
    live.fill([], [], "run-1")
    live.fill([], [], "run-2")
    assert live.filled_by() == "run-2"


def test_a_server_that_lost_everything_is_not_filled(live: LiveStore, server: redis.Redis) -> None:
    live.fill([report(1)], [], "run-1")
    server.delete(live.keys.filled, live.keys.incidents)
    assert live.filled_by() is None


# --- panels --------------------------------------------------------------------------------------


def test_panels_are_kept_whole_with_their_number(live: LiveStore) -> None:
    live.publish_panels({"map": (1, {"a": 1}, {}), "clock": (7, {"b": None}, {})}, "e1")
    live.publish_panels({"map": (2, {"a": 2}, {"a": 2})}, "e1")
    assert live.panels() == {
        "map": {"epoch": "e1", "seq": 2, "payload": {"a": 2}},
        "clock": {"epoch": "e1", "seq": 7, "payload": {"b": None}},
    }


def test_of_a_panel_only_the_patch_is_announced(live: LiveStore, server: redis.Redis) -> None:
    with server.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(live.keys.panels_channel)
        live.publish_panels({"map": (2, {"a": 1, "b": 2}, {"b": 2})}, "e1")
        live.announce_alive("e1")
        assert [next_message(subscription) for _ in range(2)] == [
            {"panel": "map", "epoch": "e1", "seq": 2, "patch": {"b": 2}},
            {"alive": "e1"},
        ]


def test_no_changed_panel_is_no_message(live: LiveStore, server: redis.Redis) -> None:
    with server.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(live.keys.panels_channel)
        live.publish_panels({}, "e1")
        live.announce_alive("e1")
        assert next_message(subscription) == {"alive": "e1"}


# --- leases --------------------------------------------------------------------------------------


def test_a_lease_has_one_holder(live: LiveStore) -> None:
    assert live.take_lease("clock", "one", TTL_MS) == 1
    assert live.take_lease("clock", "other", TTL_MS) is None
    assert live.take_lease("clock", "one", TTL_MS) is None


def test_many_that_ask_at_once_get_it_once(valkey_url: str, live: LiveStore) -> None:
    city = live.keys.incidents.split(":")[1]
    answers: list[int | None] = []
    together = threading.Barrier(8, timeout=60)

    def ask(number: int) -> None:
        store = LiveStore(valkey_url, city)
        together.wait()
        answers.append(store.take_lease("clock", f"poller-{number}", TTL_MS))
        store.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers, key=str) == [1, *[None] * 7]


def test_only_the_holder_renews(live: LiveStore, server: redis.Redis) -> None:
    live.take_lease("clock", "one", 10_000)
    assert not live.renew_lease("clock", "other", 900_000)
    assert int(server.pttl(live.keys.lease("clock"))) <= 10_000
    assert live.renew_lease("clock", "one", 900_000)
    assert int(server.pttl(live.keys.lease("clock"))) > 10_000


def test_a_lease_that_ran_out_is_lost_to_its_holder_and_free_for_others(
    live: LiveStore, server: redis.Redis
) -> None:
    live.take_lease("clock", "one", TTL_MS)
    server.pexpire(live.keys.lease("clock"), 1)
    wait_until(lambda: not server.exists(live.keys.lease("clock")), "it does not run out")
    assert not live.renew_lease("clock", "one", TTL_MS)
    assert live.take_lease("clock", "other", TTL_MS) == 2


def test_a_lease_runs_out_by_itself(live: LiveStore) -> None:
    live.take_lease("clock", "one", 50)
    wait_until(lambda: live.take_lease("clock", "other", TTL_MS) == 2, "it does not run out")


def test_only_the_holder_gives_it_back(live: LiveStore) -> None:
    live.take_lease("clock", "one", TTL_MS)
    live.release_lease("clock", "other")
    assert live.take_lease("clock", "other", TTL_MS) is None
    live.release_lease("clock", "one")
    assert live.take_lease("clock", "other", TTL_MS) == 2


def test_the_number_grows_each_time_a_lease_changes_hands(live: LiveStore) -> None:
    numbers = []
    for holder in ("one", "other", "one"):
        numbers.append(live.take_lease("clock", holder, TTL_MS))
        live.release_lease("clock", holder)
    assert numbers == [1, 2, 3]


def test_leases_of_different_names_are_different(live: LiveStore) -> None:
    assert live.take_lease("clock", "one", TTL_MS) == 1
    assert live.take_lease("report", "other", TTL_MS) == 1


@pytest.mark.parametrize(("known", "expected"), [(0, 1), (1, 2), (41, 42)])
def test_the_number_is_lifted_over_the_one_in_history(
    live: LiveStore, known: int, expected: int
) -> None:
    live.take_lease("clock", "one", TTL_MS)
    assert live.raise_fence("clock", known) == expected
    live.release_lease("clock", "one")
    assert live.take_lease("clock", "other", TTL_MS) == expected + 1


def test_the_number_is_never_lowered(live: LiveStore) -> None:
    live.raise_fence("clock", 100)
    assert live.raise_fence("clock", 3) == 101


# --- a server that does not answer ---------------------------------------------------------------


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


#: Every question and every order that a poller or a board has for live state.
CALLS: dict[str, Callable[[LiveStore], object]] = {
    "ping": lambda live: live.ping(),
    "put": lambda live: live.put([report(1)]),
    "incidents": lambda live: live.incidents(["elapor:r1"]),
    "all_incidents": lambda live: live.all_incidents(),
    "source_states": lambda live: live.source_states(),
    "fill": lambda live: live.fill([report(1)], [], "run-1"),
    "filled_by": lambda live: live.filled_by(),
    "panels": lambda live: live.panels(),
    "publish_panels": lambda live: live.publish_panels({"map": (1, {}, {})}, "e1"),
    "announce_alive": lambda live: live.announce_alive("e1"),
    "listen_changed": lambda live: live.listen_changed(),
    "take_lease": lambda live: live.take_lease("clock", "one", TTL_MS),
    "raise_fence": lambda live: live.raise_fence("clock", 1),
    "renew_lease": lambda live: live.renew_lease("clock", "one", TTL_MS),
    "release_lease": lambda live: live.release_lease("clock", "one"),
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A server that was there a moment ago."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("v"))
    server.start()
    kill(server)
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server that a test may treat as it likes."""
    server = EmbeddedValkey(tmp_path)
    server.start()
    yield server
    server.stop()


def kill(server: EmbeddedValkey) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not server.is_running(), "the server survived kill -9")


def password_in(url: str) -> str:
    return url.split(":")[2].split("@")[0]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_killed_server_is_cache_down_and_tells_no_password(
    killed: EmbeddedValkey, call: Callable[[LiveStore], object]
) -> None:
    store = LiveStore(killed.url, "kota-padam")
    with pytest.raises(StoreError) as caught:
        call(store)
    store.close()
    assert caught.value.kind == "cache_down"
    assert password_in(killed.url) not in str(caught.value)


def test_after_a_kill_and_a_restart_the_same_connection_finds_everything(
    own_server: EmbeddedValkey,
) -> None:
    store = LiveStore(own_server.url, "kota-pulih")
    store.fill([report(1)], [SourceState(source_id="elapor")], "run-1")
    kill(own_server)
    with pytest.raises(StoreError):
        store.all_incidents()
    own_server.start()
    found = (store.all_incidents(), store.filled_by(), len(store.source_states()))
    store.close()
    assert found == ([report(1)], "run-1", 1)


def test_a_server_that_hangs_is_given_up_soon(own_server: EmbeddedValkey) -> None:
    store = LiveStore(own_server.url, "kota-macet")
    store.ping()
    assert own_server.pid is not None
    os.kill(own_server.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(StoreError, match="cache_down"):
            store.all_incidents()
        waited = time.monotonic() - began
    finally:
        os.kill(own_server.pid, signal.SIGCONT)
    store.close()
    # One attempt and one more, each until the time-out, and what a busy machine adds.
    assert waited < 3 * TIMEOUT_S + 6


def test_a_server_that_never_was_is_cache_down() -> None:
    store = LiveStore("redis://:rahasia@127.0.0.1:1/0", "palembang")
    with pytest.raises(StoreError, match="cache_down") as caught:
        store.ping()
    store.close()
    assert "rahasia" not in str(caught.value)


def test_a_wrong_password_is_cache_down_and_is_not_repeated(valkey_url: str) -> None:
    store = LiveStore(valkey_url.replace(password_in(valkey_url), "rahasia"), "palembang")
    with pytest.raises(StoreError, match="cache_down") as caught:
        store.ping()
    store.close()
    assert "rahasia" not in str(caught.value)
