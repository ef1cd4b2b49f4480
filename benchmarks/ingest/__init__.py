"""How many records a second settle into history and live state, and whether that lasts.

Every page goes the way of a poll: `settle` of a thousand reports, one transaction of history (the
current states, the log, the fence), one of live state in a real Valkey. What a poll does before,
fetching and parsing, depends on the source and is not part of it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import Aim, Figures
from benchmarks.ground import Ground, open_ground
from benchmarks.ingest.reports import LONGEST, ReportMaker
from benchmarks.ingest.writers import NaiveWriter, OwnWriter, Writer
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History, IncidentFilter

PAGE = 1_000

AIMS = (
    Aim("records_per_s", "records a second, sustained", at_least=5_000),
    Aim("last_vs_first", "rate of the last tenth against the first tenth", at_least=0.8),
    Aim("million", "incidents in history at the end", at_least=1_000_000),
    Aim("vs_naive", "times the rate of one ORM commit and one HSET a record", at_least=1),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`incidents` are brought into history, changes come on top; `naive` records the other way."""

    incidents: int
    naive: int
    page: int = PAGE


FULL = Plan(incidents=1_000_000, naive=5_000)
QUICK = Plan(incidents=20_000, naive=1_000)


def measure(plan: Plan, say: Callable[[str], None] = print) -> Figures:
    """Run the plan in a fresh installation and give the figures named in `AIMS`, and more."""
    with open_ground() as ground:
        naive_rate = _write_naively(ground, plan)
        say(f"one by one         {naive_rate:>8,.0f} records/s")
        pages, incidents = _write(ground, plan, say)
    seconds = [page.seconds for page in pages]
    tenth = max(1, len(seconds) // 10)
    first, last = (plan.page * tenth / sum(part) for part in (seconds[:tenth], seconds[-tenth:]))
    rate = plan.page * len(seconds) / sum(seconds)
    return {
        "records_per_s": round(rate),
        "first_per_s": round(first),
        "last_per_s": round(last),
        "last_vs_first": round(last / first, 3),
        "million": incidents,
        "seconds": round(sum(seconds), 1),
        "cpu_us_per_record": round(
            statistics.median(page.cpu_s for page in pages) / plan.page * 1e6
        ),
        "naive_per_s": round(naive_rate),
        "vs_naive": round(rate / naive_rate, 1),
    }


@dataclass(frozen=True, slots=True)
class _Page:
    """What one page took; `cpu_s` is this process's, which other programs disturb less."""

    seconds: float
    cpu_s: float


def _write(ground: Ground, plan: Plan, say: Callable[[str], None]) -> tuple[list[_Page], int]:
    """The pages, and how many incidents history holds after them."""
    engine = open_engine(f"sqlite:///{ground.data_dir / 'history.sqlite3'}")
    migrate(engine)
    maker = ReportMaker(ground.city)
    writer = OwnWriter(ground, engine)
    pages: list[_Page] = []
    shown = max(1, plan.incidents // plan.page // 8)
    while maker.made < plan.incidents:
        pages.append(_time_page(maker, writer, plan.page))
        if len(pages) % shown == 0:
            rate = plan.page * shown / sum(page.seconds for page in pages[-shown:])
            say(f"{maker.made:>9,} incidents {rate:>8,.0f} records/s")
    incidents, _unlocated = History(engine).count_incidents(IncidentFilter())
    writer.close()
    engine.dispose()
    return pages, incidents


def _write_naively(ground: Ground, plan: Plan) -> float:
    """Records a second, written one by one."""
    engine = open_engine(f"sqlite:///{ground.data_dir / 'naive.sqlite3'}")
    migrate(engine)
    writer = NaiveWriter(ground, engine)
    page = _time_page(ReportMaker(ground.city), writer, plan.naive)
    writer.close()
    engine.dispose()
    return plan.naive / page.seconds


def _time_page(maker: ReportMaker, writer: Writer, size: int) -> _Page:
    reports = maker.page(size)
    began, cpu_began = time.perf_counter(), time.process_time()
    writer.write(reports, maker.now + LONGEST)
    return _Page(time.perf_counter() - began, time.process_time() - cpu_began)
