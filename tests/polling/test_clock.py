"""When sources are polled: spread by hash, the same on every machine and after every restart."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.open311 import CONNECTOR
from lawang.connector import Options
from lawang.domain.clock import utc_now
from lawang.polling.clock import SourceClock, first_tick, offset_s
from lawang.polling.poll import Bound
from tests.polling.conftest import MakeSource

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
IDS = [f"source-{number}" for number in range(500)]


def test_five_hundred_sources_are_spread_evenly_over_their_interval() -> None:
    buckets = Counter(int(offset_s(name, 60)) // 6 for name in IDS)
    assert set(buckets) == set(range(10))
    assert min(buckets.values()) >= 25
    assert max(buckets.values()) <= 75


def test_no_second_of_a_minute_has_more_than_its_share() -> None:
    assert max(Counter(int(offset_s(name, 60)) for name in IDS).values()) <= 24


@given(st.text(min_size=1, max_size=60), st.floats(1, 86_400))
def test_an_offset_lies_within_the_interval(source_id: str, every_s: float) -> None:
    assert 0 <= offset_s(source_id, every_s) < every_s


def test_an_offset_is_the_same_on_every_machine() -> None:
    # A number that was written down: Python's own hash() would differ in every process.
    assert offset_s("elapor", 60) == pytest.approx(20.53, abs=0.01)


@given(
    st.sampled_from(IDS),
    st.sampled_from([5.0, 60.0, 300.0, 3600.0]),
    st.datetimes(datetime(2026, 1, 2), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_the_first_tick_comes_within_one_interval(
    source_id: str, every_s: float, now: datetime
) -> None:
    tick = first_tick(source_id, every_s, now)
    assert now < tick <= now + timedelta(seconds=every_s) + timedelta(milliseconds=1)


def test_ticks_after_a_restart_are_those_of_before() -> None:
    before = first_tick("elapor", 60, NOW)
    restarted = NOW + timedelta(hours=31, seconds=17)
    since_s = (first_tick("elapor", 60, restarted) - before).total_seconds()
    assert since_s % 60 == pytest.approx(0, abs=0.001)


class Polls:
    """Counts the calls of the clock and how many of one source ran at the same time."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.running: Counter[str] = Counter()
        self.most = 0
        self.changed = asyncio.Event()

    async def poll(self, bound: Bound) -> None:
        name = bound.source.id
        self.calls[name] += 1
        self.running[name] += 1
        self.most = max(self.most, self.running[name])
        self.changed.set()
        await asyncio.sleep(0)
        self.running[name] -= 1

    async def wait_for(self, enough: Callable[[Counter[str]], bool]) -> None:
        async with asyncio.timeout(20):
            while not enough(self.calls):
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def three(elapor: MakeSource) -> list[Bound]:
    sources = [elapor(id=f"s{number}", every_s=1.0) for number in range(3)]
    return [Bound(source, CONNECTOR, Options(), 1) for source in sources]


def test_every_source_is_called_at_once_and_then_again_and_again(three: list[Bound]) -> None:
    async def run() -> Counter[str]:
        polls = Polls()
        clock = SourceClock(three, polls.poll, clock=utc_now)
        clock.start()
        try:
            await polls.wait_for(lambda calls: all(calls[f"s{n}"] >= 3 for n in range(3)))
        finally:
            clock.stop()
        return polls.calls

    calls = asyncio.run(run())
    assert set(calls) == {"s0", "s1", "s2"}


def test_a_stopped_clock_calls_nobody(three: list[Bound]) -> None:
    async def run() -> tuple[int, int]:
        polls = Polls()
        clock = SourceClock(three, polls.poll, clock=utc_now)
        clock.start()
        await polls.wait_for(lambda calls: calls.total() >= 3)
        clock.stop()
        before = polls.calls.total()
        await asyncio.sleep(1.2)  # longer than the interval: nothing is to be waited for
        return before, polls.calls.total()

    before, after = asyncio.run(run())
    assert before == after


def test_a_clock_can_be_started_again(three: list[Bound]) -> None:
    async def run() -> bool:
        polls = Polls()
        clock = SourceClock(three, polls.poll, clock=utc_now)
        clock.start()
        clock.stop()
        assert not clock.is_running
        clock.start()
        await polls.wait_for(lambda calls: calls.total() >= 1)
        clock.stop()
        return True

    assert asyncio.run(run())
