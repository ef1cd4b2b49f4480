"""What polling costs: 500 sources every ten seconds on one poller, beside requests and pandas.

The poller is `lawang poll` as an installation runs it, board included, on an embedded Valkey and
SQLite. The sources are read over the protocols that they speak, from departments in a process of
their own (`departments`): most lists have not changed, some have a little, positions and gauges
move at every poll, some answer slowly and some not at all (`mix`). Only the poller's CPU counts.
Then the same sources are read by `naive`.
"""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.figures import Aim, BenchError, Figures
from benchmarks.ground import Ground, open_ground
from benchmarks.poll.mix import (
    EVERY_S,
    WITHOUT_CADENCE,
    Spot,
    lay_out,
    spread,
    write_list,
    write_pack,
)
from benchmarks.poll.watching import Attempts, Effort, judge_cadence, listen, watch
from benchmarks.processes import Program, free_port, last_words, run_program, run_server
from lawang.city import load_city
from lawang.domain.clock import utc_now
from lawang.store.live import LiveStore

AIMS = (
    Aim("cores", "CPU of the poller, cores, 500 sources every 10 s", at_most=0.5),
    Aim("missed", "polls that were due and did not come in their interval", at_most=0),
    Aim("late_p99_s", "begun after the tick, 99 of 100, seconds", at_most=2),
    Aim("growth_mb_per_h", "growth of the poller's memory, MB an hour", at_most=60),
    Aim("naive_cpu_vs_ours", "CPU a poll of requests and pandas against ours", at_least=1),
)
#: Shapes of records are learned and caches fill; not part of the steady state.
WARM_UP_S = 45.0
_HEARD_S = 180.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`seconds` of steady state after `warm_up_s`; then so many rounds of the other way."""

    sources: int
    seconds: float
    warm_up_s: float = WARM_UP_S
    rounds: int = 4


FULL = Plan(sources=500, seconds=90)
QUICK = Plan(sources=100, seconds=20, warm_up_s=15, rounds=2)

Say = Callable[[str], None]


def for_minutes(minutes: float) -> Plan:
    """The full plan with a steady state of so many minutes; ten tell more about memory."""
    return Plan(sources=FULL.sources, seconds=minutes * 60)


def measure(plan: Plan, say: Say = print) -> Figures:
    """Run the plan in a fresh installation and give the figures named in `AIMS`, and more."""
    with open_ground() as ground, _held_port() as dead_port:
        port, folder = free_port(), ground.data_dir
        spots = lay_out(plan.sources, folder, port, dead_port)
        listed = write_list(spots, folder / "sources.json")
        pack = write_pack(spots, folder / "pack")
        arguments = [str(port), str(listed)]
        log = folder / "departments.log"
        with run_server("departments", "benchmarks.poll.departments", arguments, {}, port, log):
            say(", ".join(f"{number} {kind}" for kind, number in spread(plan.sources).items()))
            figures = _poll(ground, pack, spots, plan, say)
            rounds = _poll_naively(listed, folder, plan, say)
    per_poll = sum(each["cpu_s"] for each in rounds) / sum(each["polls"] for each in rounds)
    # What it would need to be as often around as ours.
    naive_cores = per_poll * plan.sources / EVERY_S
    longest = max(each["seconds"] for each in rounds)
    return figures | {
        "naive_cpu_ms_per_poll": round(per_poll * 1e3, 3),
        "naive_cores": round(naive_cores, 3),
        "naive_round_s": round(longest, 1),
        "naive_cpu_vs_ours": round(per_poll * 1e3 / figures["cpu_ms_per_poll"], 2),
    }


def _poll(ground: Ground, pack: Path, spots: Sequence[Spot], plan: Plan, say: Say) -> Figures:
    env = {
        "LAWANG_CITY": str(pack),
        "LAWANG_DATA_DIR": str(ground.data_dir),
        "LAWANG_REDIS_URL": ground.redis_url,
        "LAWANG_DATABASE_URL": "",
        "LAWANG_SIMULATOR_URL": "",
    }
    log = ground.data_dir / "poller.log"
    live = LiveStore(ground.redis_url, load_city(pack).slug)
    names = {spot.id for spot in spots}
    with listen(live) as attempts, run_program("lawang poll", "cli", ["poll"], env, log) as poller:
        began = time.monotonic()
        while not names <= attempts.heard:
            if not poller.is_running() or time.monotonic() - began > _HEARD_S:
                missing = len(names - attempts.heard)
                raise BenchError(f"{missing} sources were not polled:\n{last_words(log)}")
            time.sleep(0.1)
        heard_s = time.monotonic() - began
        time.sleep(plan.warm_up_s)
        valkey = _valkey()
        valkey_cpu = valkey.cpu_s() if valkey else 0.0
        start = utc_now()
        effort = watch(poller, plan.seconds)
        end = utc_now()
        valkey_cores = (valkey.cpu_s() - valkey_cpu) / effort.seconds if valkey else 0.0
        if not poller.is_running():
            raise BenchError(f"The poller ended:\n{last_words(log)}")
        # What began last is announced when it is through.
        time.sleep(3)
    live.close()
    figures = _figures(attempts, effort, spots, (start, end))
    figures |= {"heard_s": round(heard_s, 1), "valkey_cores": round(valkey_cores, 3)}
    say(
        f"Lawang Jabo       {effort.cores:.2f} cores, {figures['cpu_ms_per_poll']:.2f} ms a poll, "
        f"{figures['missed']:.0f} of {figures['due']:.0f} missed, {effort.last_mb:.0f} MB"
    )
    return figures


def _figures(
    attempts: Attempts, effort: Effort, spots: Sequence[Spot], span: tuple[datetime, datetime]
) -> Figures:
    start, end = span
    kinds = {spot.id: spot.kind for spot in spots}
    regular = [name for name, kind in kinds.items() if kind not in WITHOUT_CADENCE]
    cadence = judge_cadence(attempts.began, regular, EVERY_S, start, end)
    states = attempts.within(start, end)
    failed = Counter(kinds[state.source_id] for state in states if state.failures)
    unexpected = sum(number for kind, number in failed.items() if kind not in WITHOUT_CADENCE)
    return {
        "cores": round(effort.cores, 3),
        "missed": cadence.missed,
        "late_p99_s": round(cadence.late_p99_s, 3),
        "growth_mb_per_h": round(effort.growth_mb_per_h, 1),
        "due": cadence.due,
        "late_max_s": round(cadence.late_max_s, 3),
        "failed": unexpected,
        "polls_per_s": round(len(states) / effort.seconds, 1),
        "records_per_s": round(
            sum(state.records or 0 for state in states if not state.failures) / effort.seconds, 1
        ),
        "cpu_ms_per_poll": round(effort.cpu_s / max(1, len(states)) * 1e3, 3),
        "rss_start_mb": round(effort.first_mb, 1),
        "rss_end_mb": round(effort.last_mb, 1),
        "seconds": round(effort.seconds, 1),
    }


def _poll_naively(listed: Path, folder: Path, plan: Plan, say: Say) -> list[dict[str, float]]:
    """The rounds after the first one, which only fills."""
    log = folder / "naive.log"
    arguments = [str(listed), str(folder / "naive.sqlite3")]
    deadline = time.monotonic() + 120 + 60 * (plan.rounds + 1)
    with run_program("naive", "benchmarks.poll.naive", arguments, {}, log) as naive:
        while len(lines := log.read_text().splitlines()) <= plan.rounds:
            if not naive.is_running() or time.monotonic() > deadline:
                raise BenchError(f"The naive poller ended:\n{last_words(log)}")
            time.sleep(0.2)
    rounds: list[dict[str, float]] = [json.loads(line) for line in lines[1 : plan.rounds + 1]]
    for each in rounds:
        say(
            f"requests + pandas {each['cpu_s'] / EVERY_S:.2f} cores, "
            f"{each['cpu_s'] / each['polls'] * 1e3:.2f} ms a poll, round of {each['seconds']:.1f} s"
        )
    return rounds


def _valkey() -> Program | None:
    """The embedded server of this run, a child of ours."""
    for child in psutil.Process().children(recursive=True):
        if "valkey" in child.name():
            return Program("valkey", child)
    return None


@contextmanager
def _held_port() -> Iterator[int]:
    """A port that is taken and on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
