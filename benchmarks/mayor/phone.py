"""What a slow phone sees of a page: bytes on the line and the moments that matter, in Chromium.

The phone is the one of DevTools: its CPU slowed four times, its line the preset "Slow 4G" (562.5 ms
to each answer, 1.44 Mbit/s down and 675 kbit/s up, a tenth taken off), a screen of 390x844 at three
pixels a point. Each load has a browser context of its own, so that nothing is in a cache.
"""

from __future__ import annotations

import os
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import BenchError, Figures

#: Names under which a browser of the Chromium family is installed; LAWANG_CHROMIUM names another.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CPU_SLOWED = 4
#: In ms and bytes per second.
SLOW_4G = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1.44e6 / 8 * 0.9,
    "uploadThroughput": 675e3 / 8 * 0.9,
}
SCREEN: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
#: What comes later than this after the load event is not part of loading the page.
_SETTLE_MS = 3000
_WATCH = """window.__largest = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.__largest = each.startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });"""
_MOMENTS = """() => {
  const [visit] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    answer: visit.responseStart,
    paint: paint ? paint.startTime : NaN,
    largest: window.__largest,
    load: visit.loadEventEnd,
  };
}"""


@dataclass(frozen=True, slots=True)
class Load:
    """One load: moments in ms since it was asked for, bytes as they went over the line.

    `early` are the requests begun before anything was painted.
    """

    answer_ms: float
    paint_ms: float
    largest_ms: float
    load_ms: float
    page_bytes: int
    early_bytes: int
    all_bytes: int
    early: tuple[str, ...]


def find_browser() -> Path | None:
    """A Chromium of this machine; None where there is none."""
    if named := os.environ.get("LAWANG_CHROMIUM"):
        return Path(named)
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    return Path(found) if found else None


def measure_phone(address: str, path: Path, times: int = 5) -> Figures:
    """Load a page so often and give the medians; BenchError where Playwright is not installed.

    `path` is the browser's program. The first load, which wakes browser and server, is not counted.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise BenchError("The phone needs Playwright: pip install -e '.[dev]'") from error
    # A container has no namespaces for the sandbox; only pages of our own are opened.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            loads = [load_once(browser, address) for _ in range(times + 1)][1:]
        finally:
            browser.close()
    return figures_of(loads)


def load_once(browser: Any, address: str) -> Load:
    """Load a page on the slow phone, with nothing cached."""
    context = browser.new_context(**SCREEN)
    try:
        page = context.new_page()
        page.add_init_script(_WATCH)
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.send("Network.emulateNetworkConditions", SLOW_4G)
        session.send("Emulation.setCPUThrottlingRate", {"rate": _CPU_SLOWED})
        begun: dict[str, tuple[str, float]] = {}
        ended: dict[str, float] = {}
        session.on(
            "Network.requestWillBeSent",
            lambda told: begun.setdefault(
                told["requestId"], (told["request"]["url"], told["timestamp"])
            ),
        )
        session.on(
            "Network.loadingFinished",
            lambda told: ended.__setitem__(told["requestId"], told["encodedDataLength"]),
        )
        page.goto(address, wait_until="load")
        page.wait_for_timeout(_SETTLE_MS)
        moments = page.evaluate(_MOMENTS)
    finally:
        context.close()
    start = min(at for _, at in begun.values())
    early = [key for key, (_, at) in begun.items() if (at - start) * 1000 < moments["paint"]]
    document = next(iter(begun))
    return Load(
        answer_ms=moments["answer"],
        paint_ms=moments["paint"],
        largest_ms=moments["largest"],
        load_ms=moments["load"],
        page_bytes=int(ended.get(document, 0)),
        early_bytes=int(sum(ended.get(key, 0) for key in early)),
        all_bytes=int(sum(ended.values())),
        early=tuple(begun[key][0] for key in early),
    )


def figures_of(loads: list[Load]) -> Figures:
    """Medians, by the names that `AIMS` and RESULTS.md use."""

    def middle(name: str) -> float:
        return round(float(statistics.median(getattr(each, name) for each in loads)), 1)

    return {
        "phone_answer_ms": middle("answer_ms"),
        "phone_first_paint_ms": middle("paint_ms"),
        "phone_largest_paint_ms": middle("largest_ms"),
        "phone_load_ms": middle("load_ms"),
        "phone_page_bytes": middle("page_bytes"),
        "phone_bytes_before_paint": middle("early_bytes"),
        "phone_bytes": middle("all_bytes"),
        "phone_requests_before_paint": float(statistics.median(len(each.early) for each in loads)),
    }
