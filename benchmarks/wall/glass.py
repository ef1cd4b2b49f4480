"""A page in Chromium as DevTools sees it: its bytes, its moments, its heap, its main thread.

Each page is opened in a context of its own, so that nothing is in a cache, at the size of a wall.
Service workers are not let in: calls through them would be counted for the worker and the page.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.figures import BenchError
from benchmarks.mayor.phone import find_browser

SIZE = {"width": 1920, "height": 1080}
PATIENCE_MS = 240_000
#: The longest task that a wall may have in its steady state.
LONG_MS = 200
#: Kinds of requests as DevTools names them, and what they are counted as; the rest is data.
_KINDS = {"Script": "script", "Stylesheet": "style", "Font": "font", "Media": "video"}
#: Where the pictures of cameras come from.
_VIDEO = "/api/v1/cameras/"
#: Kinds of nodes in a heap snapshot that are not values of scripts.
_NO_DATA = frozenset({"code", "native", "hidden", "synthetic"})

#: Notes long tasks, and the moment at which `bench.ready()` first says that a tile speaks.
_WATCH = """window.bench = { tasks: [], first: 0, ready: () => false };
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) bench.tasks.push(each.duration);
}).observe({ type: "longtask" });
(function look() {
  let spoken = false;
  try { spoken = bench.ready(); } catch { spoken = false; }
  if (spoken) bench.first = performance.now();
  else requestAnimationFrame(look);
})();
"""
#: A tile with a number in it, and an age that says that the number is good.
WALL_READY = """bench.tiles = () => [...document.querySelectorAll("[data-live-tile]")];
bench.ready = () => bench.tiles().some((tile) => {
  const age = tile.querySelector("[data-live-age]");
  const sound = tile.dataset.health === "fresh" || tile.dataset.partly === "1";
  const body = tile.querySelector(".tile-body");
  return sound && body && /\\d/.test(body.textContent) && age && /\\d/.test(age.textContent);
});"""
#: The stock page has no ages.
STOCK_READY = """bench.ready = () =>
  /\\d/.test(document.getElementById("tile-0")?.textContent || "");"""


@contextmanager
def open_browser() -> Iterator[Any]:
    """A Chromium of this machine; BenchError without one, or without Playwright."""
    path = find_browser()
    if path is None:
        raise BenchError("The wall is measured in a Chromium; install one or set LAWANG_CHROMIUM.")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise BenchError("The wall needs Playwright: pip install -e '.[dev]'") from error
    # A container has no namespaces for the sandbox; only pages of our own are opened.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass  # without slots: Playwright writes into whom it calls
class Traffic:
    """Bytes over the line (compressed, with the heads of answers) by kind, and requests."""

    bytes: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)

    def listen(self, session: Any) -> None:
        """Count all that a page's session tells from now on."""
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on("Network.requestWillBeSent", self._ask)
        session.on("Network.responseReceived", self._answer)
        session.on("Network.dataReceived", self._receive)

    def take(self) -> Traffic:
        """What was counted so far; counting begins anew, requests that run are known."""
        taken = Traffic(self.bytes, self.requests)
        self.bytes, self.requests = {}, {}
        return taken

    def add(self, other: Traffic) -> None:
        """Count what another one has counted."""
        for ours, theirs in ((self.bytes, other.bytes), (self.requests, other.requests)):
            for kind, count in theirs.items():
                ours[kind] = ours.get(kind, 0) + count

    @property
    def all_bytes(self) -> int:
        """All but the pictures of cameras."""
        return sum(size for kind, size in self.bytes.items() if kind != "video")

    @property
    def all_requests(self) -> int:
        """All but those for the pictures of cameras."""
        return sum(count for kind, count in self.requests.items() if kind != "video")

    def _ask(self, told: dict[str, Any]) -> None:
        if told["request"]["url"].startswith(("data:", "blob:")):
            return
        kind = _KINDS.get(told.get("type", ""), "data")
        address = told["request"]["url"]
        if told.get("type") == "EventSource":
            kind = "stream"
        elif _VIDEO in address:
            kind = "video"
        self._kinds[told["requestId"]] = kind
        self.requests[kind] = self.requests.get(kind, 0) + 1

    def _answer(self, told: dict[str, Any]) -> None:
        self._count(told["requestId"], told["response"].get("encodedDataLength", 0))

    def _receive(self, told: dict[str, Any]) -> None:
        self._count(told["requestId"], told["encodedDataLength"])

    def _count(self, request: str, size: float) -> None:
        if kind := self._kinds.get(request):
            self.bytes[kind] = self.bytes.get(kind, 0) + int(size)


@dataclass(frozen=True, slots=True)
class Heap:
    """What a page holds after a garbage collection."""

    used_bytes: int
    nodes: int
    listeners: int


@dataclass(slots=True)
class Page:
    """An open page, and what was seen of it since it was opened.

    `complaints` are errors of its console and of its scripts; `loads` how often it was loaded.
    """

    page: Any
    session: Any
    traffic: Traffic
    complaints: list[str] = field(default_factory=list)
    loads: int = 0

    def wait(self, expression: str, argument: Any = None, within_ms: int = PATIENCE_MS) -> None:
        """Return when a script expression is true in the page."""
        self.page.wait_for_function(expression, arg=argument, timeout=within_ms)

    def first_tile_ms(self) -> float:
        """From the start of the navigation to the first tile that says something."""
        self.wait("() => window.bench && bench.first > 0")
        return float(self.page.evaluate("() => bench.first"))

    def tasks_ms(self) -> list[float]:
        """The long tasks (over 50 ms) since the last time this was asked."""
        return [float(each) for each in self.page.evaluate("() => bench.tasks.splice(0)")]

    def busy_s(self) -> float:
        """How much CPU the tasks of the main thread have used since the page began, in seconds."""
        found = self.session.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in found if each["name"] == "TaskDuration"))

    def heap(self) -> Heap:
        """Collect garbage, twice as what a finalizer frees is gone the second time, and look."""
        for _ in range(2):
            self.session.send("HeapProfiler.collectGarbage")
        used = self.session.send("Runtime.getHeapUsage")["usedSize"]
        counts = self.session.send("Memory.getDOMCounters")
        return Heap(int(used), int(counts["nodes"]), int(counts["jsEventListeners"]))

    def data_bytes(self) -> int:
        """What the heap holds of values, once garbage is collected (see `sum_data`)."""
        chunks: list[str] = []

        def keep(told: dict[str, Any]) -> None:
            chunks.append(told["chunk"])

        self.session.on("HeapProfiler.addHeapSnapshotChunk", keep)
        self.session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
        self.session.remove_listener("HeapProfiler.addHeapSnapshotChunk", keep)
        return sum_data(orjson.loads("".join(chunks)))


def sum_data(snapshot: Mapping[str, Any]) -> int:
    """Bytes of objects, lists, texts, numbers, closures and their shapes in a heap snapshot of V8.

    The rest is compiled code, which grows as more of a page has run often enough to be worth it,
    and what lies outside of the heap of scripts.
    """
    fields = snapshot["snapshot"]["meta"]["node_fields"]
    kinds = snapshot["snapshot"]["meta"]["node_types"][fields.index("type")]
    nodes, width = snapshot["nodes"], len(fields)
    of_kind = nodes[fields.index("type") :: width]
    sizes = nodes[fields.index("self_size") :: width]
    return sum(
        size for kind, size in zip(of_kind, sizes, strict=True) if kinds[kind] not in _NO_DATA
    )


@contextmanager
def open_page(browser: Any, address: str, ready: str) -> Iterator[Page]:
    """Open an address with nothing cached; `ready` says when a tile speaks."""
    context = browser.new_context(viewport=SIZE, service_workers="block")
    try:
        page = context.new_page()
        page.add_init_script(_WATCH + ready)
        session = context.new_cdp_session(page)
        # CPU of the thread, not time on the clock: other programs do not lengthen it.
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        traffic = Traffic()
        traffic.listen(session)
        found = Page(page, session, traffic)
        page.on("console", lambda told: _note(found, told))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("load", lambda _page: _count_load(found))
        page.goto(address, wait_until="commit", timeout=PATIENCE_MS)
        yield found
    finally:
        context.close()


def middle(values: list[float]) -> float:
    """The median, to a tenth."""
    return round(float(statistics.median(values)), 1)


def _note(page: Page, told: Any) -> None:
    # Some cameras of the city are dead, and the browser says of each that it is.
    if told.type == "error" and _VIDEO not in told.location["url"]:
        page.complaints.append(told.text)


def _count_load(page: Page) -> None:
    page.loads += 1
