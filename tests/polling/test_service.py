"""The poller process: lease, clock and board together, beside another one on the same stores."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import redis

from connectors.http import client_for
from connectors.open311 import CONNECTOR
from connectors.open311.options import Open311Options
from lawang.city import City
from lawang.connector import Answer, Options, Parsed
from lawang.domain.clock import utc_now
from lawang.polling.lease import RENEW_S
from lawang.polling.poll import Bound
from lawang.polling.service import PollerService
from lawang.store.engine import open_engine
from lawang.store.history import History, IncidentFilter
from lawang.store.live import LiveStore
from tests.polling.conftest import Interrupted, MakeSource, file_report
from tests.simulator.conftest import HeldClock, Simulator, run_simulator

#: Generous: the machine may be busy. What is waited for is a condition, never this time.
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool], what: str) -> float:
    """Look until it is so; returns how many seconds that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_S, f"in vain: {what}"
        time.sleep(0.02)
    return time.monotonic() - began


@dataclass
class Running:
    """A poller process in a thread; `answers` counts what its connector read."""

    service: PollerService
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    answers: list[int] = field(default_factory=list)

    def stop(self) -> None:
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.service.stop)
            self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulated e-lapor whose clock stands at the present, as APScheduler knows no other."""
    with run_simulator(tmp_path_factory.mktemp("elapor"), HeldClock(utc_now())) as running:
        yield running


@pytest.fixture
def start(
    city: City,
    live: LiveStore,
    valkey_url: str,
    sqlite_url: str,
    department: Simulator,
    elapor: MakeSource,
) -> Iterator[Callable[..., Running]]:
    """`start()`: one more poller on the same stores; `after` as for `Interrupted`."""
    slug = live.keys.incidents.split(":")[1]
    options = Open311Options.model_validate(
        {
            "base_url": f"{department.url}/elapor/open311/v2/",
            "window_days": 2,
            "page_size": 20,
            "updated_parameter": "updated_after",
        }
    )
    with ExitStack() as stack:

        def make(
            after: Callable[[int | None], None] = lambda _number: None,
            more: tuple[Bound, ...] = (),
        ) -> Running:
            answers: list[int] = []

            def count(number: int | None) -> None:
                if number is not None:
                    answers.append(number)
                after(number)

            source = elapor(every_s=1.0, timeout_s=0.9)
            bound = Bound(source, Interrupted(count), options, options.max_bytes)
            store = stack.enter_context(closing(History(open_engine(sqlite_url))))
            mine = stack.enter_context(closing(LiveStore(valkey_url, slug)))
            service = PollerService(
                city,
                [bound, *more],
                store,
                mine,
                client_for=lambda source, options: client_for(
                    source, options, timeout=timedelta(seconds=20)
                ),
            )
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_run, args=(loop, service))
            running = Running(service, loop, thread, answers)
            thread.start()
            stack.callback(running.stop)
            return running

        yield make


def _run(loop: asyncio.AbstractEventLoop, service: PollerService) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(service.run())


@contextmanager
def frozen(running: Running) -> Iterator[Callable[[], None]]:
    """The process stands still, as under SIGSTOP, until the yielded function is called."""
    thaw = threading.Event()
    running.loop.call_soon_threadsafe(thaw.wait)
    try:
        yield thaw.set
    finally:
        thaw.set()


def end_lease(valkey_url: str, live: LiveStore) -> None:
    """Let the lease run out now, instead of after its ten seconds."""
    with closing(redis.Redis.from_url(valkey_url)) as server:
        server.delete(live.keys.lease("clock"))


def holds(logged: list[Any]) -> list[int]:
    return [e["fence"] for e in logged if e["event"] == "this poller holds the clock"]


def test_a_poller_polls_and_fills_the_board(
    start: Callable[..., Running], live: LiveStore, department: Simulator, sqlite_history: History
) -> None:
    start()
    new = file_report(department)
    wait_until(lambda: f"elapor:{new}" in live.incidents([f"elapor:{new}"]), "a live report")
    wait_until(
        lambda: (
            f"elapor:{new}"
            in live.panels().get("incidents", {}).get("payload", {}).get("features", {})
        ),
        "the report on the map",
    )
    assert sqlite_history.incident(f"elapor:{new}") is not None


def test_of_two_pollers_only_one_polls(
    start: Callable[..., Running], live: LiveStore, logged: list[Any]
) -> None:
    first = start()
    wait_until(lambda: len(first.answers) > 0, "a first poll")
    second = start()
    wait_until(
        lambda: any(e["event"].startswith("standing by") for e in logged), "the second to stand by"
    )
    wait_until(lambda: "elapor" in live.source_states(), "the state of the source")
    polls = live.source_states()["elapor"].last_attempt
    wait_until(lambda: live.source_states()["elapor"].last_attempt != polls, "one more poll")
    assert (second.answers, len(holds(logged))) == ([], 1)


def test_the_second_poller_takes_over_at_once_when_the_first_stops(
    start: Callable[..., Running], logged: list[Any]
) -> None:
    first = start()
    wait_until(lambda: len(first.answers) > 0, "a first poll")
    second = start()
    wait_until(
        lambda: any(e["event"].startswith("standing by") for e in logged), "the second to stand by"
    )
    first.stop()
    took_s = wait_until(lambda: len(holds(logged)) == 2, "the second to take over")
    assert took_s < 4 * RENEW_S
    wait_until(lambda: len(second.answers) > 0, "the second to poll")
    numbers = holds(logged)
    assert numbers[0] < numbers[1]


def test_what_a_frozen_poller_writes_late_is_refused(
    start: Callable[..., Running],
    live: LiveStore,
    valkey_url: str,
    logged: list[Any],
    sqlite_history: History,
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hold(number: int | None) -> None:
        if number == 1 and not go_on.is_set():
            reached.set()
            go_on.wait(PATIENCE_S)

    first = start(hold)
    assert reached.wait(PATIENCE_S)
    with frozen(first) as thaw:
        end_lease(valkey_url, live)
        second = start()
        wait_until(lambda: len(second.answers) >= 3, "the second to poll")
        wait_until(lambda: live.filled_by() is not None, "the board")
        before = {item.id for item in sqlite_history.incidents(IncidentFilter(), limit=9999)}
        go_on.set()
        thaw()
        wait_until(
            lambda: any("a newer clock has written" in e["event"] for e in logged),
            "the first to be refused",
        )
    after = sqlite_history.incidents(IncidentFilter(), limit=9999)
    assert before <= {item.id for item in after}
    for item in after:
        assert len(sqlite_history.events_of(item.id)) <= 2


def test_a_poller_that_was_replaced_leaves_the_board_to_the_other(
    start: Callable[..., Running], live: LiveStore, valkey_url: str, logged: list[Any]
) -> None:
    first = start()
    wait_until(lambda: len(first.answers) > 0, "a first poll")
    with frozen(first):
        end_lease(valkey_url, live)
        second = start()
        wait_until(lambda: len(second.answers) > 0, "the second to poll")
    wait_until(
        lambda: any(
            e["event"].startswith(("the clock is not ours", "standing by")) for e in logged
        ),
        "the first to step back",
    )
    # From here on one board speaks: its epoch stays, whatever is announced.
    settled = wait_for_one_voice(live, valkey_url)
    assert len(settled) == 1


def wait_for_one_voice(live: LiveStore, valkey_url: str) -> set[str]:
    """The epochs of the boards heard in three signs of life in a row, once they agree."""
    with closing(redis.Redis.from_url(valkey_url)) as server:
        subscription = server.pubsub(ignore_subscribe_messages=True)
        subscription.subscribe(live.keys.panels_channel)
        heard: list[str] = []

        def agreed() -> bool:
            message = subscription.get_message(timeout=0.5)
            if message is not None and b'"alive"' in message["data"]:
                heard.append(message["data"].decode())
            return len(heard) >= 4 and len(set(heard[-3:])) == 1

        wait_until(agreed, "one board")
        subscription.close()
        return set(heard[-3:])


def test_a_poller_goes_on_after_the_cache_lost_everything(
    start: Callable[..., Running], live: LiveStore, valkey_url: str, department: Simulator
) -> None:
    first = start()
    wait_until(lambda: len(live.all_incidents()) > 20, "live incidents")
    before = {item.id for item in live.all_incidents()}
    with closing(redis.Redis.from_url(valkey_url)) as server:
        server.flushall()
    wait_until(lambda: before <= {item.id for item in live.all_incidents()}, "a filled cache")
    polls = len(first.answers)
    new = file_report(department)
    wait_until(
        lambda: live.incidents([f"elapor:{new}"])[f"elapor:{new}"] is not None, "a new report"
    )
    assert len(first.answers) > polls


class _Stumbling(Interrupted):
    def __init__(self) -> None:
        super().__init__(lambda _number: None)

    def parse(self, options: Options, answer: Answer) -> Parsed:
        raise ZeroDivisionError


def test_a_source_that_crashes_does_not_stop_the_others(
    start: Callable[..., Running], live: LiveStore, elapor: MakeSource, department: Simulator
) -> None:
    options = CONNECTOR.options.model_validate({"base_url": f"{department.url}/elapor/open311/v2/"})
    broken = elapor(id="lain", every_s=1.0, timeout_s=0.9)
    start(more=(Bound(broken, _Stumbling(), options, 10_000_000),))
    wait_until(lambda: live.source_states().keys() >= {"lain", "elapor"}, "both sources")
    crashes = live.source_states()["lain"].failures

    def has_one_more_good_poll() -> bool:
        states = live.source_states()
        # A poll of a busy machine may be cut off for once; the next one is good again.
        return states["lain"].failures > crashes and states["elapor"].error_kind == ""

    wait_until(has_one_more_good_poll, "a good poll after one more crash beside it")
    assert live.source_states()["lain"].error_kind == "crash"


def test_a_poller_that_is_told_to_stop_gives_the_clock_back(
    start: Callable[..., Running], live: LiveStore, valkey_url: str
) -> None:
    first = start()
    wait_until(lambda: len(first.answers) > 0, "a first poll")
    first.stop()
    with closing(redis.Redis.from_url(valkey_url)) as server:
        assert not server.exists(live.keys.lease("clock"))


# --- "try now" ----------------------------------------------------------------------------------


def _left_alone(elapor: MakeSource) -> Bound:
    """A source at an address where nobody is: after its first failure left alone for minutes."""
    options = CONNECTOR.options.model_validate({"base_url": "http://127.0.0.1:9/"})
    return Bound(elapor(id="lain", every_s=600.0, timeout_s=5.0), CONNECTOR, options, 1_000_000)


def _failures(live: LiveStore) -> int:
    state = live.source_states().get("lain")
    return state.failures if state is not None else 0


def _await_others(live: LiveStore) -> None:
    """Wait until the other source was heard once more."""

    def heard() -> object:
        state = live.source_states().get("elapor")
        return state and state.last_success

    before = heard()
    wait_until(lambda: heard() not in (None, before), "one more good poll of another source")


def test_a_source_that_a_person_wants_is_polled_within_a_renewal(
    start: Callable[..., Running], live: LiveStore, elapor: MakeSource
) -> None:
    start(more=(_left_alone(elapor),))
    wait_until(lambda: _failures(live) == 1, "a first attempt")
    _await_others(live)
    assert _failures(live) == 1, "it is to be left alone"
    assert live.want("lain")
    took_s = wait_until(lambda: _failures(live) == 2, "the attempt that was asked for")
    assert took_s < 4 * RENEW_S


def test_what_a_person_wanted_is_polled_once(
    start: Callable[..., Running], live: LiveStore, elapor: MakeSource
) -> None:
    start(more=(_left_alone(elapor),))
    wait_until(lambda: _failures(live) == 1, "a first attempt")
    live.want("lain")
    wait_until(lambda: _failures(live) == 2, "the attempt that was asked for")
    for _ in range(2):
        _await_others(live)
    assert (_failures(live), live.take_wanted()) == (2, [])


def test_nobody_is_served_by_a_source_that_does_not_exist(
    start: Callable[..., Running], live: LiveStore, valkey_url: str
) -> None:
    start()
    live.want("tidak-ada")
    with closing(redis.Redis.from_url(valkey_url)) as server:
        wait_until(lambda: not server.exists(live.keys.wanted), "the wish to be taken")
    _await_others(live)
