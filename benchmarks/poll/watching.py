"""What a poller does, seen from outside: its announcements, its CPU, its memory."""

from __future__ import annotations

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from benchmarks.processes import Program
from lawang.domain.health import SourceState
from lawang.polling.clock import first_tick
from lawang.store.live import LiveStore

_SAMPLE_S = 1.0


@dataclass(slots=True)
class Attempts:
    """When each source was polled, and what came of it, as announced to the wall."""

    began: dict[str, dict[datetime, SourceState]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def heard(self) -> set[str]:
        """The sources that were polled at least once."""
        return {name for name, found in self.began.items() if found}

    def within(self, start: datetime, end: datetime) -> list[SourceState]:
        """The states that polls begun in a span of time led to."""
        return [
            state
            for found in self.began.values()
            for moment, state in found.items()
            if start <= moment < end
        ]


@contextmanager
def listen(live: LiveStore) -> Iterator[Attempts]:
    """Follow the announcements for as long as the context lasts."""
    attempts = Attempts()
    stopping = threading.Event()
    subscription = live.listen_changed()

    def follow() -> None:
        while not stopping.is_set():
            message = subscription.get_message(timeout=0.2)
            if message is None:
                continue
            names = set()
            while message is not None:
                names.add(orjson.loads(message["data"])["source"])
                message = subscription.get_message(timeout=0)
            states = live.source_states() if names - {None} else {}
            for name in names & states.keys():
                attempt = states[name].last_attempt
                if attempt is not None:
                    attempts.began[name][attempt] = states[name]

    thread = threading.Thread(target=follow, name="listen", daemon=True)
    thread.start()
    try:
        yield attempts
    finally:
        stopping.set()
        thread.join()
        subscription.close()


@dataclass(frozen=True, slots=True)
class Cadence:
    """Of the polls that were due in a span: how many came, and how late (seconds)."""

    due: int
    missed: int
    late_p99_s: float
    late_max_s: float


def judge_cadence(
    attempts: Mapping[str, Iterable[datetime]],
    sources: Iterable[str],
    every_s: float,
    start: datetime,
    end: datetime,
) -> Cadence:
    """Hold each poll against its tick; one that began after the next tick is a missed one.

    Ticks are those of the poller's own clock (`polling.clock.first_tick`). Only ticks whose
    whole interval lies in the span are judged.
    """
    late: list[float] = []
    due = 0
    for name in sources:
        tick = first_tick(name, every_s, start)
        first, whole = tick, int(((end - tick).total_seconds()) // every_s)
        seen: dict[int, float] = {}
        for began in attempts.get(name, ()):
            number, lateness = divmod((began - first).total_seconds(), every_s)
            if 0 <= number < whole:
                seen[int(number)] = min(lateness, seen.get(int(number), every_s))
        due += max(0, whole)
        late += seen.values()
    if not late:
        return Cadence(due, due, float("inf"), float("inf"))
    late.sort()
    return Cadence(due, due - len(late), late[int(len(late) * 0.99)], late[-1])


@dataclass(frozen=True, slots=True)
class Effort:
    """What a program used in `seconds`; memory in MB, its growth by a straight line."""

    seconds: float
    cpu_s: float
    first_mb: float
    last_mb: float
    growth_mb_per_h: float

    @property
    def cores(self) -> float:
        """Seconds of CPU a second."""
        return self.cpu_s / self.seconds


def watch(program: Program, seconds: float) -> Effort:
    """Look at a program for so long, or until it ends."""
    samples: list[tuple[float, float]] = []
    began, cpu_began = time.monotonic(), program.cpu_s()
    while (passed := time.monotonic() - began) < seconds and program.is_running():
        samples.append((passed, program.memory_bytes() / 1e6))
        time.sleep(min(_SAMPLE_S, max(0.01, seconds - passed)))
    spent, cpu_s = time.monotonic() - began, program.cpu_s() - cpu_began
    return Effort(spent, cpu_s, _settled(samples[:10]), _settled(samples[-10:]), _slope(samples))


def _settled(samples: Sequence[tuple[float, Any]]) -> float:
    return float(statistics.median(value for _, value in samples))


def _slope(samples: Sequence[tuple[float, float]]) -> float:
    """MB an hour."""
    if len(samples) < 2:
        return 0.0
    times, values = zip(*samples, strict=True)
    return statistics.linear_regression(times, values).slope * 3600
