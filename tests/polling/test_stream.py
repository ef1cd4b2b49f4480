"""A source that streams: the real mqtt connector on a real broker, polled by the real poller."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, aclosing, closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis

from connectors.http import client_for
from connectors.mqtt.options import MqttOptions
from connectors.network import Rules
from lawang.city import City
from lawang.city.network import Network
from lawang.connector import Answer, Cursor, FetchContext, Options, Parsed
from lawang.domain.clock import utc_now
from lawang.domain.health import Cadence, SourceState
from lawang.domain.measure import Measure
from lawang.polling.poll import Bound, Poller
from lawang.polling.service import PollerService
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from lawang.store.readings import ReadingFilter
from simulator.faults import Fault, Faults
from simulator.gauges.broker import Station
from tests.connectors.broker import (
    CONNECTOR,
    Hand,
    moment,
    options_for,
    reading,
    running_station,
)
from tests.polling.test_service import wait_until

_LOOPBACK = Network(loopback=True)
CM = {"tinggi": Measure(id="tinggi", name_id="Tinggi", name_en="Level", unit="cm")}
_PATIENCE_S = 60.0


# --- a broker, a gauge, and a poller --------------------------------------------------------------


@pytest.fixture
def station() -> Iterator[Station]:
    """A running broker; `faults["pusat"]` is what is wrong with it for the poller."""
    begun, ending = threading.Event(), threading.Event()
    found: list[Station] = []

    async def run() -> None:
        async with running_station() as running:
            running.faults["pusat"] = Faults()
            found.append(running)
            begun.set()
            await asyncio.to_thread(ending.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert begun.wait(_PATIENCE_S)
        yield found[0]
    finally:
        ending.set()
        thread.join(_PATIENCE_S)


@pytest.fixture
def hand(station: Station) -> Iterator[Hand]:
    """A gauge that publishes; blocking until the broker has the message."""
    found = Hand(station.port)
    yield found
    found.leave()


@dataclass
class Watched:
    """A gauge that speaks, and what became of its words."""

    hand: Hand
    live: LiveStore
    history: History

    def say(self, number: int) -> None:
        self.hand.say("tma/7/data", reading(100.0 + number, moment(number)))

    def values(self) -> list[float]:
        """All that is in history, the lowest first."""
        found = self.history.readings.readings(ReadingFilter(sources=["pengukur"]), 1000)
        return sorted(each.value for _, each in found)

    def state(self) -> SourceState:
        """The source as the wall shows it."""
        return self.live.source_states().get("pengukur") or SourceState(source_id="pengukur")

    def wait_until_heard(self, what: str = "a connection") -> None:
        def is_heard() -> bool:
            state = self.state()
            return state.last_success is not None and state.failures == 0

        wait_until(is_heard, what)

    def wait_for(self, *values: float) -> None:
        wait_until(lambda: self.values() == list(values), f"{values} in history")


@pytest.fixture
def watched(hand: Hand, live: LiveStore, sqlite_history: History) -> Watched:
    return Watched(hand, live, sqlite_history)


@dataclass
class Overheard:
    """The real connector; tells how often it was asked, and what it is about to acknowledge.

    `before_next` is called with each answer when the next one is asked for, which acknowledges it;
    False from it ends the process there and then, as kill -9 does. `muffled` swallows the signs of
    life, as a connection that hangs does.
    """

    before_next: Callable[[Answer], bool] = lambda _answer: True
    muffled: bool = False
    begun: int = 0
    ended: int = 0
    alive: int = 0

    name: str = "mqtt"
    options: type[Options] = MqttOptions
    kinds: frozenset[str] = CONNECTOR.kinds
    streams: bool = True

    async def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]:
        self.begun += 1
        try:
            async with aclosing(CONNECTOR.fetch(options, cursor, context)) as answers:  # type: ignore[type-var]
                async for answer in answers:
                    self.alive += answer.kind == "alive"
                    if self.muffled and answer.kind == "alive":
                        continue
                    yield answer
                    if not await asyncio.to_thread(self.before_next, answer):
                        raise asyncio.CancelledError
        finally:
            self.ended += 1

    def parse(self, options: Options, answer: Answer) -> Parsed:
        return CONNECTOR.parse(options, answer)


@pytest.fixture
def stream(city: City, station: Station) -> Callable[..., Bound]:
    """`stream(connector)`: the gauges as a source; keywords are further options."""

    def make(
        connector: Any = CONNECTOR, every_s: float = 0.3, timeout_s: float = 5.0, **given: Any
    ) -> Bound:
        options = options_for(station.port, **given)
        source = replace(
            city.sources["elapor"],
            id="pengukur",
            connector="mqtt",
            yields=("readings",),
            connection={},
            measures=CM,
            every_s=every_s,
            timeout_s=timeout_s,
            cadence=Cadence.of(every_s),
        )
        return Bound(source, connector, options, options.max_bytes)

    return make


def _reach(bound: Bound) -> Callable[..., tuple[Network, Rules]]:
    assert isinstance(bound.options, MqttOptions)
    host, port = bound.options.place
    return lambda _source, _options: (_LOOPBACK, Rules.of(_LOOPBACK, [f"{host}:{port}"]))


@dataclass
class Polling:
    """One poll of a stream as in a process of its own; it lasts until `end` or a fault."""

    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    states: list[SourceState] = field(default_factory=list)
    task: asyncio.Task[SourceState] | None = None

    def end(self) -> None:
        """End it as a process is ended: nothing more is acknowledged."""

        if self.thread.is_alive() and self.task is not None:
            self.loop.call_soon_threadsafe(self.task.cancel)
        self.join()

    def join(self) -> None:
        self.thread.join(_PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture
def poll(city: City, sqlite_url: str, live: LiveStore) -> Iterator[Callable[[Bound], Polling]]:
    """`poll(bound)`: begin one; it ends with the test at the latest."""
    with ExitStack() as stack:

        def begin(bound: Bound) -> Polling:
            store = stack.enter_context(closing(History(open_engine(sqlite_url))))
            poller = Poller(
                city, store, live, clock=utc_now, client_for=client_for, reach_for=_reach(bound)
            )
            poller.fence = 1
            loop = asyncio.new_event_loop()
            polling = Polling(loop, threading.Thread())

            async def work() -> None:
                polling.task = asyncio.create_task(poller.poll(bound))
                await asyncio.wait([polling.task])
                if not polling.task.cancelled():
                    polling.states.append(polling.task.result())
                await poller.close()

            def run() -> None:
                with asyncio.Runner(loop_factory=lambda: loop) as runner:
                    runner.run(work())

            polling.thread = threading.Thread(target=run)
            polling.thread.start()
            stack.callback(polling.end)
            return polling

        yield begin


# --- committed before acknowledged ----------------------------------------------------------------


def test_what_is_published_is_stored_while_the_connection_lasts(
    poll: Callable[[Bound], Polling], stream: Callable[..., Bound], watched: Watched
) -> None:
    poll(stream())
    watched.wait_until_heard()
    for number in range(5):
        watched.say(number)
    wait_until(lambda: len(watched.values()) == 5, "five readings")

    def is_shown() -> bool:
        state = watched.state()
        return (state.failures, state.series) == (0, 1)

    wait_until(is_shown, "the state that says so")


def test_a_message_is_in_history_before_it_is_acknowledged(
    poll: Callable[[Bound], Polling], stream: Callable[..., Bound], watched: Watched
) -> None:
    seen: list[list[float]] = []

    def look(answer: Answer) -> bool:
        if answer.body:
            seen.append(watched.values())
        return True

    poll(stream(Overheard(look)))
    watched.wait_until_heard()
    watched.say(1)
    wait_until(lambda: bool(seen), "an answer")
    assert seen[0] == [101.0]


def test_killed_after_the_commit_it_comes_again_and_is_not_doubled(
    poll: Callable[[Bound], Polling], stream: Callable[..., Bound], watched: Watched
) -> None:
    again: list[bytes] = []

    def note(answer: Answer) -> bool:
        again.extend([answer.body] if answer.body else [])
        return True

    first = poll(stream(Overheard(lambda answer: not answer.body)))
    watched.wait_until_heard()
    watched.say(1)
    first.join()
    assert watched.values() == [101.0]
    poll(stream(Overheard(note)))
    wait_until(lambda: bool(again), "the same message once more")
    assert b"101" in again[0]
    assert watched.values() == [101.0]
    assert watched.history.readings.corrections("pengukur") == []


def test_killed_before_the_commit_it_comes_again_and_is_not_lost(
    poll: Callable[[Bound], Polling],
    stream: Callable[..., Bound],
    sqlite_url: str,
    watched: Watched,
) -> None:
    first = poll(stream())
    watched.wait_until_heard()
    path = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        watched.say(1)
        first.join()
        other.execute("ROLLBACK")
    assert [each.error_kind for each in first.states] == ["store_busy"]
    assert watched.values() == []
    poll(stream())
    watched.wait_for(101.0)


def test_what_is_said_while_nobody_listens_is_heard_later(
    poll: Callable[[Bound], Polling], stream: Callable[..., Bound], watched: Watched
) -> None:
    first = poll(stream())
    watched.wait_until_heard()
    first.end()
    for number in range(4):
        watched.say(number)
    poll(stream())
    wait_until(lambda: len(watched.values()) == 4, "what was said meanwhile")


# --- signs of life --------------------------------------------------------------------------------


def test_a_connection_that_lives_keeps_its_source_fresh(
    poll: Callable[[Bound], Polling], stream: Callable[..., Bound], watched: Watched
) -> None:
    poll(stream())
    watched.wait_until_heard()
    seen = set()

    def moved() -> bool:
        state = watched.state()
        assert state.failures == 0
        seen.add(state.last_success)
        return len(seen) >= 4

    wait_until(moved, "four signs of life")


def test_how_long_an_answer_took_is_not_how_long_nothing_was_said(
    poll: Callable[[Bound], Polling], stream: Callable[..., Bound], watched: Watched
) -> None:
    poll(stream())
    watched.wait_until_heard()
    seen: dict[datetime, SourceState] = {}

    def moved() -> bool:
        state = watched.state()
        if state.last_success is not None:
            seen[state.last_success] = state
        return len(seen) >= 6

    wait_until(moved, "six signs of life")
    first, last = min(seen), max(seen)
    took_s = sum((state.duration_ms or 0) / 1000 for state in seen.values())
    # Taken from the end of the one before, they would add up to all of the time.
    assert took_s < (last - first).total_seconds() / 2


def test_a_connection_without_a_sign_of_life_is_lost(
    poll: Callable[[Bound], Polling], stream: Callable[..., Bound]
) -> None:
    silent = poll(stream(Overheard(muffled=True), every_s=0.1, timeout_s=0.9))
    silent.join()
    (state,) = silent.states
    assert (state.error_kind, state.error_detail) == ("timeout", "nothing within 1.3 s")
    assert state.failing_since is not None


def test_a_broker_that_hangs_up_is_an_outage(
    poll: Callable[[Bound], Polling],
    stream: Callable[..., Bound],
    station: Station,
    watched: Watched,
) -> None:
    first = poll(stream())
    watched.wait_until_heard()
    station.faults["pusat"].set(Fault("off"))
    first.join()
    assert [each.error_kind for each in first.states] == ["unreachable"]
    (outage,) = watched.history.outages("pengukur")
    assert (outage["error_kind"], outage["ended_at"]) == ("unreachable", None)


# --- the poller process ---------------------------------------------------------------------------


@dataclass
class Process:
    """A poller process in a thread."""

    service: PollerService
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread

    def stop(self) -> None:
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.service.stop)
            self.thread.join(_PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture
def start(
    city: City, live: LiveStore, valkey_url: str, sqlite_url: str
) -> Iterator[Callable[[Bound], Process]]:
    """`start(bound)`: one more poller on the same stores."""
    slug = live.keys.incidents.split(":")[1]
    with ExitStack() as stack:

        def make(bound: Bound) -> Process:
            service = PollerService(
                city,
                [bound],
                stack.enter_context(closing(History(open_engine(sqlite_url)))),
                stack.enter_context(closing(LiveStore(valkey_url, slug))),
                client_for=lambda source, options: client_for(
                    source, options, timeout=timedelta(seconds=20)
                ),
                reach_for=_reach(bound),
            )
            loop = asyncio.new_event_loop()

            def run() -> None:
                with asyncio.Runner(loop_factory=lambda: loop) as runner:
                    runner.run(service.run())

            process = Process(service, loop, threading.Thread(target=run))
            process.thread.start()
            stack.callback(process.stop)
            return process

        yield make


def test_however_many_ticks_there_is_one_connection(
    start: Callable[[Bound], Process], stream: Callable[..., Bound]
) -> None:
    connector = Overheard()
    start(stream(connector))
    # A sign of life comes once an interval, and so does a tick.
    wait_until(lambda: connector.alive >= 10, "ten intervals")
    assert (connector.begun, connector.ended) == (1, 0)


def test_a_lost_connection_is_left_alone_for_a_while_and_recovers(
    start: Callable[[Bound], Process],
    stream: Callable[..., Bound],
    station: Station,
    logged: list[Any],
    watched: Watched,
) -> None:
    connector = Overheard()
    start(stream(connector))
    watched.wait_until_heard()
    station.faults["pusat"].set(Fault("off"))

    wait_until(lambda: watched.state().failures >= 3, "three failures")
    watched.say(1)
    station.faults["pusat"].set(Fault())
    watched.wait_until_heard("a recovery")
    watched.wait_for(101.0)

    def events(name: str) -> int:
        return sum(entry["event"] == name for entry in logged)

    # Said after it is written down.
    wait_until(lambda: events("source recovered") > 0, "a line about the recovery")
    assert (events("source fails"), events("source recovered")) == (1, 1)
    (outage,) = watched.history.outages("pengukur")
    assert outage["ended_at"] is not None


def test_a_source_that_fell_silent_fails_until_it_speaks(
    start: Callable[[Bound], Process], stream: Callable[..., Bound], watched: Watched
) -> None:
    start(stream(silent_after_s=1.0, timeout_s=0.5))
    wait_until(lambda: watched.state().error_kind == "silent", "a silence that is told")
    # While it is left alone, what is said waits at the broker.
    watched.say(1)
    watched.wait_until_heard("a recovery")
    assert watched.values() == [101.0]


def test_a_poller_that_stops_hangs_up(
    start: Callable[[Bound], Process], stream: Callable[..., Bound], watched: Watched
) -> None:
    connector = Overheard()
    process = start(stream(connector))
    watched.wait_until_heard()
    process.stop()
    assert (connector.begun, connector.ended) == (1, 1)


def test_a_poller_that_lost_the_clock_hangs_up(
    start: Callable[[Bound], Process],
    stream: Callable[..., Bound],
    valkey_url: str,
    watched: Watched,
) -> None:
    connector = Overheard()
    start(stream(connector))
    watched.wait_until_heard()
    with closing(redis.Redis.from_url(valkey_url)) as server:
        server.set(watched.live.keys.lease("clock"), "somebody else", px=600_000)
        wait_until(lambda: connector.ended == 1, "the end of the connection")
    assert connector.begun == 1


def test_who_takes_over_hears_what_the_first_did_not_store(
    start: Callable[[Bound], Process], stream: Callable[..., Bound], watched: Watched
) -> None:
    first = start(stream())
    watched.wait_until_heard()
    watched.say(1)
    watched.wait_for(101.0)
    first.stop()
    watched.say(2)
    start(stream())
    watched.wait_for(101.0, 102.0)
