"""What a map of many reports and moving vehicles costs the browser, beside stock dash-leaflet.

A Chromium opens our wall, from a web process of its own, with one map that fills the glass, and the
same map made of stock dash-leaflet (`stock`). In all of them the page itself makes up the city
(`feed.js`): every second each vehicle moves and some reports change. The wall hears that as frames
of its stream, parsed and merged as always; the stock page gets whole collections unparsed. Measured
are the main thread's CPU time (`TaskDuration` of the DevTools protocol by thread ticks), its long
tasks and the gaps between animation frames. Vehicles glide on the wall and jump on the stock page.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Aim, BenchError, Figures
from benchmarks.ground import PACK, open_ground
from benchmarks.mayor.phone import find_browser
from benchmarks.processes import Server, free_port, run_server
from lawang.store.engine import migrate, open_engine

AIMS = (
    Aim("busy_ms_per_s", "CPU of the main thread, ms a second of the city", at_most=400),
    Aim("longest_task_ms", "longest task, ms", at_most=200),
    Aim("gap_p99_ms", "between two frames, ms, 99 of 100", at_most=100),
    Aim("markers_vs_ours", "CPU of stock markers against ours", at_least=1),
    Aim("canvas_vs_ours", "CPU of stock circles on canvas against ours", at_least=1),
)
Say = Callable[[str], None]

_FEED = (Path(__file__).parent / "feed.js").read_text(encoding="utf-8")
_SIZE = {"width": 1920, "height": 1080}
_READY_MS = 120_000
#: What is drawn first is no part of the steady state.
_WARM_S = 3
_SCENE = """() => {
  lawang.wall.scene("bench", {
    panels: [],
    mount(root, context) {
      const slot = document.createElement("div");
      slot.style.cssText = "position:absolute;inset:0";
      root.append(slot);
      context.map({ slot, layers: ["regions", "incidents", "vehicles"] });
      return {};
    },
  });
  lawang.wall.show([{ cell: "", scene: "bench", filters: {}, why: "" }]);
}"""

_SETTLED = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is on the map, how many reports change a second, how long each way is watched."""

    incidents: int
    vehicles: int
    changed: int
    seconds: int


FULL = Plan(incidents=10_000, vehicles=500, changed=20, seconds=20)
QUICK = Plan(incidents=2_000, vehicles=100, changed=10, seconds=5)


def measure(plan: Plan, say: Say) -> Figures:
    """The figures of the wall and of both stock ways. Raises BenchError without a Chromium."""
    path = find_browser()
    if path is None:
        raise BenchError("The map is measured in a Chromium; install one or set LAWANG_CHROMIUM.")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise BenchError("The map needs Playwright: pip install -e '.[dev]'") from error
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    figures: Figures = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            with _wall() as server:
                figures |= _watch_wall(browser, server.port, plan)
            _say_way(say, "the wall", figures, "")
            for way in ("markers", "canvas"):
                with _stock(way) as server:
                    figures |= _watch_stock(browser, server.port, plan, way)
                _say_way(say, f"stock {way}", figures, f"{way}_")
                ratio = figures[f"{way}_busy_ms_per_s"] / figures["busy_ms_per_s"]
                figures[f"{way}_vs_ours"] = round(ratio, 1)
        finally:
            browser.close()
    return figures


def _say_way(say: Say, name: str, figures: Figures, prefix: str) -> None:
    say(
        f"{name:<16} busy {figures[f'{prefix}busy_ms_per_s']:>6.0f} ms/s, longest task "
        f"{figures[f'{prefix}longest_task_ms']:>6.0f} ms, frames 99% within "
        f"{figures[f'{prefix}gap_p99_ms']:>6.0f} ms"
    )


# --- pages ---------------------------------------------------------------------------------------


@contextmanager
def _wall() -> Iterator[Server]:
    with open_ground() as ground:
        engine = open_engine(f"sqlite:///{ground.data_dir / 'history.sqlite3'}")
        migrate(engine)
        engine.dispose()
        port = free_port()
        env = {
            "LAWANG_DATA_DIR": str(ground.data_dir),
            "LAWANG_REDIS_URL": ground.redis_url,
            "LAWANG_CITY": str(PACK),
            "LAWANG_HOST": "127.0.0.1",
            "LAWANG_SIMULATOR_URL": "http://127.0.0.1:9",
        }
        arguments = ["web", "--port", str(port)]
        log = ground.data_dir / "web.log"
        with run_server("lawang web", "cli", arguments, env, port, log) as server:
            yield server


@contextmanager
def _stock(way: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="lawang-bench-") as folder:
        port = free_port()
        log = Path(folder) / "stock.log"
        arguments = [str(port), way]
        with run_server("the stock page", "benchmarks.map.stock", arguments, {}, port, log) as it:
            yield it


def _watch_wall(browser: Any, port: int, plan: Plan) -> Figures:
    page = _open(browser, "window.EventSource = window.bench.Line;")
    page.goto(f"http://127.0.0.1:{port}/wall?scene=sumber&thumb=1", timeout=_READY_MS)
    page.wait_for_function(
        "() => window.lawang?.live?.config() && document.querySelector('.wall-map .leaflet-pane')",
        timeout=_READY_MS,
    )
    page.evaluate(_SCENE)
    page.evaluate("([i, v]) => bench.fill(i, v)", [plan.incidents, plan.vehicles])
    page.evaluate("() => bench.snapshot()")
    page.wait_for_function(
        "(n) => lawang.wall.cells.get('').placed?.state().incidents?.reports === n",
        arg=plan.incidents,
        timeout=_READY_MS,
    )
    pass_one = "(n) => bench.delta(bench.pass(n))"
    figures = _watch(page, pass_one, plan, "")
    shown = page.evaluate("() => lawang.wall.cells.get('').placed.state()")
    if shown["vehicles"]["things"] != plan.vehicles:
        raise BenchError(f"The wall shows {shown['vehicles']['things']} vehicles of all.")
    figures["elements"] = page.evaluate("() => document.querySelectorAll('.wall-map *').length")
    page.context.close()
    return figures


def _watch_stock(browser: Any, port: int, plan: Plan, way: str) -> Figures:
    page = _open(browser, "")
    page.goto(f"http://127.0.0.1:{port}/", timeout=_READY_MS)
    page.wait_for_function(
        "() => document.querySelector('.leaflet-pane') && window.dash_clientside?.set_props",
        timeout=_READY_MS,
    )
    page.evaluate("([i, v]) => bench.fill(i, v)", [plan.incidents, plan.vehicles])
    page.evaluate("() => bench.give()")
    found = "() => document.querySelector('.leaflet-marker-icon, .leaflet-overlay-pane canvas')"
    page.wait_for_function(found, timeout=_READY_MS)
    figures = _watch(page, "(n) => { bench.pass(n); bench.give(); }", plan, f"{way}_")
    figures[f"{way}_elements"] = page.evaluate(
        "() => document.querySelectorAll('.leaflet-container *').length"
    )
    page.context.close()
    return figures


def _open(browser: Any, before: str) -> Any:
    page = browser.new_context(viewport=_SIZE).new_page()
    page.add_init_script(f"{_FEED}\n{before}")
    return page


# --- watching ------------------------------------------------------------------------------------


def _watch(page: Any, pass_one: str, plan: Plan, prefix: str) -> Figures:
    """Let so many seconds pass in the page, one change each, and read what they cost."""
    session = page.context.new_cdp_session(page)
    # CPU time of the thread, so that what else this machine does is not counted.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    _pass(page, pass_one, plan.changed, _WARM_S)
    page.evaluate("() => bench.watch()")
    busy, began = _busy_s(session), time.monotonic()
    _pass(page, pass_one, plan.changed, plan.seconds)
    # What was asked for last is done as well.
    page.evaluate(_SETTLED)
    lasted = time.monotonic() - began
    busy = _busy_s(session) - busy
    seen = page.evaluate("() => bench.watched()")
    gaps, long = sorted(seen["gaps"]), seen["long"]
    return {
        f"{prefix}busy_ms_per_s": round(1000 * busy / plan.seconds, 1),
        f"{prefix}longest_task_ms": round(max(long, default=0.0), 1),
        f"{prefix}long_tasks": len(long),
        f"{prefix}gap_p99_ms": round(gaps[int(0.99 * (len(gaps) - 1))], 1),
        f"{prefix}frames_per_s": round(len(gaps) / lasted, 1),
        f"{prefix}behind_s": round(lasted - plan.seconds, 1),
        f"{prefix}heap_mb": round(_metric(session, "JSHeapUsedSize") / 1e6, 1),
    }


def _pass(page: Any, pass_one: str, changed: int, seconds: int) -> None:
    began = time.monotonic()
    for number in range(seconds):
        page.evaluate(pass_one, changed)
        # A page that cannot keep up is not given time that it did not have.
        page.wait_for_timeout(max(0.0, began + number + 1 - time.monotonic()) * 1000)


def _busy_s(session: Any) -> float:
    return _metric(session, "TaskDuration")


def _metric(session: Any, name: str) -> float:
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in found if each["name"] == name))
