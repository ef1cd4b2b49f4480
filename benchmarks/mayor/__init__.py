"""How long the mayor's pages take over ten years of daily facts, beside the same done by pandas.

The application of `lawang web` is asked in this process, from the route to the compressed answer;
the history behind it is SQLite in WAL mode with daily facts of every indicator of the pack
(`facts`). In the same run pandas works out the same figures from the same table (`pandas_way`),
and both are compared: a difference of more than a billionth part ends the run. Where a Chromium is
found, a slow phone loads the first page from a web process of its own, whose memory is taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial

import httpx
import pandas as pd

from benchmarks.figures import Aim, BenchError, Figures
from benchmarks.ground import PACK, Ground, open_ground
from benchmarks.mayor.facts import fill
from benchmarks.mayor.pandas_way import Figure, FirstView, Opened, PandasWay
from benchmarks.mayor.phone import find_browser, measure_phone
from benchmarks.mayor.views import Stopwatch, Timing, Views, drills, largest, open_views
from benchmarks.processes import Server, free_port, run_server
from lawang.domain.clock import utc_now
from lawang.domain.kpi import KpiValue, Span
from lawang.kpi.cells import last_complete_day
from lawang.overview.model import KpiDetail, Overview
from lawang.store.engine import migrate, open_engine

AIMS = (
    Aim("first_cold_p95_ms", "first view, every indicator changed, ms, 95 of 100", at_most=300),
    Aim("first_warm_p95_ms", "first view asked again, ms, 95 of 100", at_most=300),
    Aim("drill_cold_p95_ms", "slowest drill after a first view, ms, 95 of 100", at_most=200),
    Aim("drill_warm_p95_ms", "slowest drill asked again, ms, 95 of 100", at_most=200),
    Aim("pandas_first_vs_ours", "CPU of a first view by pandas and SQL against ours", at_least=1),
    Aim("kept_first_vs_warm", "the same with all in memory, against ours unchanged", at_least=1),
    Aim("web_mb", "memory of the web process after all pages, MB", at_most=400),
)
#: Ours and theirs are sums of the same numbers in another order.
_TOLERANCE = 1e-9
_TREND_DAYS = 371
_FIRST = "/mayor"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Days of history, how often each page is asked, and how often pandas is."""

    days: int
    times: int
    pandas_times: int
    phone_times: int


FULL = Plan(days=3653, times=30, pandas_times=10, phone_times=5)
QUICK = Plan(days=800, times=5, pandas_times=2, phone_times=1)


def measure(plan: Plan, say: Say = print) -> Figures:
    """Run the plan in a fresh installation and give the figures named in `AIMS`, and more."""
    now = utc_now()
    with open_ground() as ground:
        last = last_complete_day(now, ground.city.timezone)
        file = ground.data_dir / "history.sqlite3"
        engine = open_engine(f"sqlite:///{file}")
        migrate(engine)
        engine.dispose()
        began = time.perf_counter()
        rows = fill(file, ground.city, last, plan.days)
        size_mb = file.stat().st_size / 1e6
        say(f"{rows:,} daily facts of {len(ground.city.kpis)} indicators, {size_mb:,.0f} MB,")
        say(f"written in {time.perf_counter() - began:.0f} s")
        figures: Figures = {
            "kpi_day_rows": rows,
            "indicators": len(ground.city.kpis),
            "history_mb": round(size_mb),
        }
        with open_views(ground, now) as views:
            figures |= _measure_ours(plan, ground, views, say)
            figures |= _measure_pandas(plan, ground, views, last, figures, say)
        figures |= measure_process(plan, ground, say)
    return figures


# --- the application -----------------------------------------------------------------------------


def _measure_ours(plan: Plan, ground: Ground, views: Views, say: Say) -> Figures:
    say(f"{'':<28}{'median ms':>10}{'95%':>8}{'CPU ms':>8}")
    figures: Figures = {}

    def take(
        name: str, path: str, before: Callable[[], None], *, after: str | None = None
    ) -> Timing:
        found = views.measure(path, plan.times, before, after=after)
        figures[f"{name}_ms"] = round(found.median_ms, 1)
        figures[f"{name}_p95_ms"] = round(found.p95_ms, 1)
        figures[f"{name}_cpu_ms"] = round(found.median_cpu_ms, 1)
        _say_timing(say, name, found)
        return found

    figures["first_start_ms"] = round(views.measure(_FIRST, 1, views.nothing).median_ms, 1)
    say(f"{'first_start':<28}{figures['first_start_ms']:>10.1f}")
    take("first_cold", _FIRST, views.change_all)
    take("first_one_changed", _FIRST, views.change_one)
    take("first_later", _FIRST, views.pass_time)
    take("first_warm", _FIRST, views.nothing)
    alone, cold, warm = [], [], []
    for name, path in drills(ground.city).items():
        alone.append(take(f"{name}_alone", path, views.change_all))
        cold.append(take(f"{name}_cold", path, views.change_all, after=_FIRST))
        warm.append(take(f"{name}_warm", path, views.nothing))
    for name, timings in (("alone", alone), ("cold", cold), ("warm", warm)):
        figures[f"drill_{name}_p95_ms"] = round(largest(timings).p95_ms, 1)
    return figures


def _say_timing(say: Say, name: str, found: Timing) -> None:
    say(f"{name:<28}{found.median_ms:>10.1f}{found.p95_ms:>8.1f}{found.median_cpu_ms:>8.1f}")


# --- the plain way -------------------------------------------------------------------------------


def _measure_pandas(
    plan: Plan, ground: Ground, views: Views, last: date, ours: Figures, say: Say
) -> Figures:
    city, file = ground.city, ground.data_dir / "history.sqlite3"
    now = views.now
    overview = views.reader.read(now, {})
    kpi = city.kpis[next(name for name in city.programme.districts if name in city.kpis)]
    detail = views.reader.detail(kpi.id, now, {}, days=_TREND_DAYS)
    figures: Figures = {}
    for name, keeps in (("pandas", False), ("kept", True)):
        began = time.perf_counter()
        way = PandasWay(file, city, keep=keeps)
        if keeps:
            figures["kept_load_s"] = round(time.perf_counter() - began, 1)
            figures["kept_mb"] = round(way.kept_bytes / 1e6)
        try:
            check_first(overview, way.first_view(last, pd.Timestamp(now)))
            check_opened(detail, way.open(kpi, last, _TREND_DAYS, Span.MONTH))
            times = plan.pandas_times
            first = _time(times, partial(way.first_view, last, pd.Timestamp(now)))
            opened = _time(times, partial(way.open, kpi, last, _TREND_DAYS, Span.MONTH))
        finally:
            way.close()
        for what, found, cold in (
            ("first", first, ours["first_cold_cpu_ms"]),
            ("kpi", opened, ours["kpi_share_alone_cpu_ms"]),
        ):
            figures[f"{name}_{what}_ms"] = round(found.median_ms, 1)
            figures[f"{name}_{what}_p95_ms"] = round(found.p95_ms, 1)
            figures[f"{name}_{what}_cpu_ms"] = round(found.median_cpu_ms, 1)
            figures[f"{name}_{what}_vs_ours"] = round(found.median_cpu_ms / cold, 2)
            _say_timing(say, f"{name}_{what}", found)
        warm = ours["first_warm_cpu_ms"]
        figures[f"{name}_first_vs_warm"] = round(first.median_cpu_ms / warm, 1)
    return figures


def _time(times: int, work: Callable[[], object]) -> Timing:
    watch = Stopwatch()
    for _ in range(times):
        with watch.timed():
            work()
    return watch.timing()


def check_first(ours: Overview, theirs: FirstView) -> None:
    """Raise BenchError unless both say the same of every indicator, horizon and dimension."""
    for name, line in ours.lines.items():
        for span in Span:
            check_value(f"{name} over the {span}", line.values[span], theirs.now[span, name])
            check_value(f"{name} before the {span}", line.before[span], theirs.before[span, name])
    for span, rolled in ours.scores.items():
        for each in rolled:
            _check_number(f"score {each.id!r} ({span})", each.score, theirs.scores[span, each.id])


def check_opened(ours: KpiDetail, theirs: Opened) -> None:
    """Raise BenchError unless both have the same days and kecamatan."""
    trend = [each for each in theirs.trend if each[0] >= ours.trend[0].day]
    if [each.day for each in ours.trend] != [each[0] for each in trend]:
        raise BenchError(f"{ours.line.kpi.id}: pandas has other days than the product.")
    for point, (day, value, target) in zip(ours.trend, trend, strict=True):
        _check_number(f"{ours.line.kpi.id} on {day}", point.value, value)
        _check_number(f"target of {ours.line.kpi.id} on {day}", point.target, target)
    for row in ours.districts.rows if ours.districts else ():
        about = f"{ours.line.kpi.id} in {row.name}"
        _check_number(about, row.value.value, theirs.kecamatan.get(row.code))


def check_value(about: str, ours: KpiValue, theirs: Figure) -> None:
    """Raise BenchError unless both say the same of one indicator over one horizon."""
    value, target, score, counts = theirs
    _check_number(f"value of {about}", ours.value, value)
    _check_number(f"target of {about}", ours.target, target)
    _check_number(f"score of {about}", ours.score, score)
    if ours.counts is not counts:
        raise BenchError(f"{about}: pandas and the product disagree whether it counts.")


def _check_number(about: str, ours: float | None, theirs: float | None) -> None:
    if ours is None or theirs is None:
        agree = ours is theirs
    else:
        agree = math.isclose(ours, theirs, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    if not agree:
        raise BenchError(f"{about}: the product says {ours!r}, pandas {theirs!r}.")


# --- a web process of its own --------------------------------------------------------------------


def measure_process(plan: Plan, ground: Ground, say: Say) -> Figures:
    """Memory of a web process that showed everything once, and what a slow phone sees of it."""
    with _web(ground) as server:
        address = f"http://127.0.0.1:{server.port}"
        started = server.memory_bytes()
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            for path in (_FIRST, *drills(ground.city).values()):
                client.get(path).raise_for_status()
            # Every indicator opened once: whatever is kept of them is kept then.
            for name in ground.city.kpis:
                client.get(f"{_FIRST}/kpi/{name}").raise_for_status()
        figures: Figures = {
            "web_start_mb": round(started / 1e6, 1),
            "web_mb": round(server.memory_bytes() / 1e6, 1),
        }
        say(f"the web process holds {figures['web_mb']:,.0f} MB ({figures['web_start_mb']} before)")
        browser = find_browser()
        if browser is None:
            say("no Chromium is found: what a slow phone sees is not measured")
            return figures
        phone = measure_phone(f"{address}{_FIRST}", browser, plan.phone_times)
        say(f"on a slow phone painted after {phone['phone_first_paint_ms']:,.0f} ms")
        return figures | phone


@contextmanager
def _web(ground: Ground) -> Iterator[Server]:
    port = free_port()
    env = {
        "LAWANG_DATA_DIR": str(ground.data_dir),
        "LAWANG_REDIS_URL": ground.redis_url,
        "LAWANG_CITY": str(PACK),
        "LAWANG_HOST": "127.0.0.1",
        "LAWANG_SIMULATOR_URL": "http://127.0.0.1:9",
    }
    log = ground.data_dir / "web.log"
    arguments = ["web", "--port", str(port)]
    with run_server("lawang web", "cli", arguments, env, port, log) as server:
        yield server
