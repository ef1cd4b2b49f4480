"""What becomes of a wall that nobody touches: its heap, its main thread and its heartbeats.

One wall in Chromium on a whole demonstration, the flood night at sixty times its speed played over
and over, every scene in its turn of a few seconds. Once the browser has compiled what a wall runs,
its heap is measured after garbage collections, always under the same scene; what the collections
cost is not counted.
In the same run, on the same facts, a stock Dash page (`benchmarks.wall.stock`) is watched the same
way; it is watched for a shorter time, and growth is compared by the hour.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from benchmarks.figures import Aim, BenchError, Figures
from benchmarks.wall.glass import (
    LONG_MS,
    STOCK_READY,
    WALL_READY,
    Heap,
    Page,
    Traffic,
    open_browser,
    open_page,
)
from benchmarks.wall.site import (
    SCREEN,
    Site,
    flood_again,
    listen_to_beats,
    open_site,
    open_stock,
)
from lawang.domain.clock import utc_now
from lawang.settings import ROOT

AIMS = (
    Aim("heap_growth_percent", "heap after garbage collection, growth, %", at_most=5),
    Aim("data_growth_percent", "values of scripts in it, growth, %", at_most=5),
    Aim("long_tasks", f"tasks over {LONG_MS} ms in steady state", at_most=0),
    Aim("missed_beats", "heartbeats more than 20 s apart", at_most=0),
    Aim("errors", "errors of scripts and of the console", at_most=0),
    Aim("loads", "times the page was loaded", at_most=1),
    Aim("busy_vs_ours", "busy time of the stock page against ours", at_least=1),
    Aim("kb_per_min_vs_ours", "bytes of the stock page against ours", at_least=2),
)
#: A run of half an hour is not one among many: it is started for itself and has its own file.
RESULTS = ROOT / "benchmarks" / "SOAK.md"

Say = Callable[[str], None]

#: The scene under which the heap is measured; it is there for this long before.
_ANCHOR = "kota"
_SETTLE_S = 2.0
_LOOK_S = 0.5
_FLOOD_EVERY_S = 10.0
#: Alarms lengthen a rotation; a scene that has not come by then does not come.
_ROTATIONS = 8
_MISSED_S = 20.0
#: Show one scene, or go on with the programme.
_SHOW = """(scene) => {
  const wall = window.lawang.wall;
  wall.settings().scene = scene;
  wall.resume();
}"""
_SHOWN = """() => {
  const item = window.lawang.wall.items()[0];
  return item ? [item.scene, item.why] : ["", ""];
}"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many minutes the wall and the stock page are watched, and how long a scene stays.

    Before it is watched, the wall shows every scene `rounds` times, as fast as they can be drawn.
    """

    minutes: float
    stock_minutes: float
    dwell_s: int
    rounds: int


FULL = Plan(minutes=30, stock_minutes=10, dwell_s=6, rounds=60)
QUICK = Plan(minutes=2, stock_minutes=1, dwell_s=5, rounds=2)


def for_minutes(minutes: float) -> Plan:
    """A full plan of that length."""
    return Plan(minutes, max(1.0, minutes / 3), FULL.dwell_s, FULL.rounds)


def measure(plan: Plan, say: Say) -> Figures:
    """The figures of the wall and, with `stock_`, of the stock page."""
    load = os.getloadavg()[0]
    with open_browser() as browser, open_site(plan.dwell_s) as site:
        say(f"the demonstration is well; {site.rotation_s:.0f} s a rotation, load {load:.1f}")
        figures = watch_wall(browser, site, plan.minutes * 60, plan.rounds)
        _say_page(say, "the wall", figures, "")
        with open_stock(site) as address:
            figures |= watch_stock(browser, site, address, plan.stock_minutes * 60)
        _say_page(say, "stock Dash", figures, "stock_")
    for name in ("busy_ms_per_s", "kb_per_min"):
        key = "busy_vs_ours" if name.startswith("busy") else "kb_per_min_vs_ours"
        figures[key] = round(figures[f"stock_{name}"] / max(figures[name], 0.1), 1)
    figures["load_before"] = round(load, 1)
    figures["load_after"] = round(os.getloadavg()[0], 1)
    return figures


def _say_page(say: Say, name: str, figures: Figures, prefix: str) -> None:
    say(
        f"{name:<12} heap {figures[f'{prefix}heap_begin_mb']:.1f} to "
        f"{figures[f'{prefix}heap_end_mb']:.1f} MB, busy "
        f"{figures[f'{prefix}busy_ms_per_s']:.0f} ms/s, "
        f"{figures[f'{prefix}long_tasks']:.0f} tasks over {LONG_MS} ms, "
        f"{figures[f'{prefix}kb_per_min']:.0f} kB/min"
    )


# --- the two pages -------------------------------------------------------------------------------


def watch_wall(browser: Any, site: Site, seconds: float, rounds: int = 0) -> Figures:
    """Watch the wall of a site for so long, after `rounds` quick ones and one whole rotation."""
    with (
        listen_to_beats(site) as beats,
        open_page(browser, f"{site.url}/wall/{SCREEN}", WALL_READY) as page,
    ):
        page.first_tile_ms()
        watch = _Watch(page, site)
        cold = page.heap()
        watch.warm_up(rounds)
        seen = watch.pass_rotation()
        beats.beats.clear()
        turns = 0
        watch.begin()
        while True:
            watch.wait_for_turn()
            watch.look_at_heap()
            turns += 1
            if turns == 1:
                watch.look_at_data()
            if watch.lasted_s >= seconds and turns > 1:
                break
        told, ended = list(beats.beats), utc_now()
        watch.look_at_data()
        figures = {"heap_cold_mb": round(cold.used_bytes / 1e6, 2), **watch.figures()}
    figures |= judge_beats(told, ended)
    figures["errors"] += max((float(each["errors"]) for each in told), default=0.0)
    return figures | {"scenes": float(len(seen)), "rotations": turns - 1.0, "loads": page.loads}


def watch_stock(browser: Any, site: Site, address: str, seconds: float) -> Figures:
    """Watch the stock page for so long, after as long as a rotation takes."""
    with open_page(browser, address, STOCK_READY) as page:
        page.first_tile_ms()
        watch = _Watch(page, site)
        watch.rest(site.rotation_s)
        watch.begin()
        watch.look_at_heap()
        while watch.lasted_s < seconds:
            watch.rest(min(site.rotation_s, seconds))
            watch.look_at_heap()
        return {f"stock_{name}": value for name, value in watch.figures().items()}


@dataclass
class _Watch:
    """Adds up what a page does, leaving out what looking at its heap costs."""

    page: Page
    site: Site
    heaps: list[Heap] = field(default_factory=list)
    data: list[int] = field(default_factory=list)
    tasks_ms: list[float] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    busy_s: float = 0.0
    lasted_s: float = 0.0
    peak_s: float = 0.0
    _busy_at: float = 0.0
    _looked_at: float = 0.0
    _began: float = 0.0
    _flooded: float = 0.0

    def begin(self) -> None:
        """The steady state begins."""
        self.page.traffic.take()
        self.page.complaints.clear()
        self._resume()

    def rest(self, seconds: float) -> None:
        """Let so many seconds pass; the flood goes on."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.page.page.wait_for_timeout(min(left, _LOOK_S) * 1000)
            self._look()
            self._keep_flooding()

    def warm_up(self, rounds: int) -> None:
        """Show every scene so often: Chromium compiles what runs often, and keeps what it made."""
        for _ in range(rounds):
            for scene in self.site.scenes:
                self.page.page.evaluate(_SHOW, scene)
                self.rest(_LOOK_S)
        self.page.page.evaluate(_SHOW, "")

    def pass_rotation(self) -> set[str]:
        """Return when every scene has been on the glass; which those are."""
        wanted, seen = set(self.site.scenes), set[str]()
        until = time.monotonic() + _ROTATIONS * self.site.rotation_s
        while not wanted <= seen:
            if time.monotonic() > until:
                missing = ", ".join(sorted(wanted - seen))
                raise BenchError(f"The wall never showed {missing}.")
            seen.add(self.page.page.evaluate(_SHOWN)[0])
            self.rest(_LOOK_S)
        return seen & wanted

    def wait_for_turn(self) -> None:
        """Return when the turn of the scene under which heaps are measured has newly come."""
        until = time.monotonic() + _ROTATIONS * self.site.rotation_s
        was_other = False
        while time.monotonic() < until:
            shown, why = self.page.page.evaluate(_SHOWN)
            if was_other and (shown, why) == (_ANCHOR, "playlist"):
                self.rest(_SETTLE_S)
                if self.page.page.evaluate(_SHOWN)[0] == _ANCHOR:
                    return
            was_other = was_other or shown != _ANCHOR
            self.rest(_LOOK_S)
        raise BenchError(f"The wall does not turn: it never came back to {_ANCHOR}.")

    def look_at_heap(self) -> None:
        """Measure the heap; the stretch of time before it is added up, this look is not."""
        self.tasks_ms += self.page.tasks_ms()
        self.busy_s += self.page.busy_s() - self._busy_at
        self.lasted_s += time.monotonic() - self._began
        self.traffic.add(self.page.traffic.take())
        self.heaps.append(self.page.heap())
        self._resume()

    def look_at_data(self) -> None:
        """Measure what of the heap is values of the scripts; this look is not added up either."""
        self.data.append(self.page.data_bytes())
        self._resume()

    def figures(self) -> Figures:
        """What was seen, by the names that `AIMS` uses."""
        minutes, seconds = self.lasted_s / 60, self.lasted_s
        return {
            **judge_heaps(self.heaps, seconds),
            **judge_data(self.data),
            "minutes": round(minutes, 1),
            "busy_ms_per_s": round(1000 * self.busy_s / seconds, 1),
            "long_tasks": float(sum(each > LONG_MS for each in self.tasks_ms)),
            "tasks_over_50_ms": float(len(self.tasks_ms)),
            "longest_task_ms": round(max(self.tasks_ms, default=0.0), 1),
            "peak_cpu_ms": round(1000 * self.peak_s, 1),
            "kb_per_min": round(self.traffic.all_bytes / 1000 / minutes, 1),
            "stream_kb_per_min": round(self.traffic.bytes.get("stream", 0) / 1000 / minutes, 1),
            "video_kb_per_min": round(self.traffic.bytes.get("video", 0) / 1000 / minutes, 1),
            "requests_per_min": round(self.traffic.all_requests / minutes, 1),
            "errors": float(len(self.page.complaints)),
        }

    def _resume(self) -> None:
        # What the collections took of the main thread.
        self.page.tasks_ms()
        self._busy_at = self._looked_at = self.page.busy_s()
        self._began = time.monotonic()

    def _look(self) -> None:
        """The most CPU used between two looks: no task can have used more."""
        busy = self.page.busy_s()
        if self._began:
            self.peak_s = max(self.peak_s, busy - self._looked_at)
        self._looked_at = busy

    def _keep_flooding(self) -> None:
        if time.monotonic() - self._flooded > _FLOOD_EVERY_S:
            flood_again(self.site)
            self._flooded = time.monotonic()


# --- judging -------------------------------------------------------------------------------------


def judge_heaps(heaps: Sequence[Heap], seconds: float) -> Figures:
    """Growth from the first heaps to the last: medians of three each where there are enough."""
    if len(heaps) < 2:
        raise BenchError("The heap was measured less than twice; watch for longer.")
    few = min(3, len(heaps) // 2)
    begin, end = (
        Heap(
            int(statistics.median(each.used_bytes for each in part)),
            int(statistics.median(each.nodes for each in part)),
            int(statistics.median(each.listeners for each in part)),
        )
        for part in (heaps[:few], heaps[-few:])
    )
    grown = end.used_bytes - begin.used_bytes
    return {
        "heap_begin_mb": round(begin.used_bytes / 1e6, 2),
        "heap_end_mb": round(end.used_bytes / 1e6, 2),
        "heap_growth_percent": round(100 * grown / begin.used_bytes, 2),
        "heap_growth_mb_per_h": round(grown / 1e6 / seconds * 3600, 2),
        "nodes_begin": float(begin.nodes),
        "nodes_end": float(end.nodes),
        "listeners_begin": float(begin.listeners),
        "listeners_end": float(end.listeners),
    }


def judge_data(data: Sequence[int]) -> Figures:
    """Growth of the values of scripts from the first look to the last, if there were two."""
    if len(data) < 2:
        return {}
    begin, end = data[0], data[-1]
    return {
        "data_begin_mb": round(begin / 1e6, 2),
        "data_end_mb": round(end / 1e6, 2),
        "data_growth_percent": round(100 * (end - begin) / begin, 2),
    }


def judge_beats(beats: Sequence[Mapping[str, Any]], ended: datetime) -> Figures:
    """How many beats there were, how many did not come in time, and the frame rates they told.

    A silence that lasts when the watching `ended` counts as well.
    """
    moments = [*(datetime.fromisoformat(each["seen_at"]) for each in beats), ended]
    gaps = [(after - before).total_seconds() for before, after in pairwise(moments)]
    rates = [float(each["fps"]) for each in beats if each.get("fps") is not None]
    return {
        "beats": float(len(beats)),
        "missed_beats": float(sum(gap > _MISSED_S for gap in gaps)) if gaps else 1.0,
        "longest_gap_s": round(max(gaps, default=0.0), 1),
        "fps_median": round(statistics.median(rates), 1) if rates else 0.0,
        "fps_least": round(min(rates, default=0.0), 1),
    }
