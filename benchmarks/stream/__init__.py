"""What a screen costs: the real `/stream` beside the least possible and beside Dash's own means.

The server is `lawang web` as an installation runs it, behind it a real Valkey; the wall changes
every second (`benchmarks.stream.wall`). Screens, publisher and server are processes of their own;
only the server's CPU counts, in user space and in the kernel. In the same run the same wall goes

- to a bare loop that only writes the same bytes to every socket (`bare`),
- through Dash's WebSocket callbacks and through dcc.Interval (`dash_peer`).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.figures import Aim, Figures
from benchmarks.ground import PACK, Ground, open_ground
from benchmarks.processes import Server, free_port, run_server
from benchmarks.stream import dash_peer
from benchmarks.stream.processes import Load, Window, run_load
from benchmarks.stream.wall import keep_publishing
from layouts.wall import wall_panels

AIMS = (
    Aim("cpu_vs_bare_loop", "server CPU per screen against the bare loop, at 500", at_most=4),
    Aim("dash_ws_cpu_vs_ours", "CPU of Dash's WebSocket against ours, at 500", at_least=25),
    Aim("dash_interval_cpu_vs_ours", "CPU of dcc.Interval against ours, at 100", at_least=1),
    Aim("p99_ms_500", "published to received at 500 screens, ms, 99 of 100", at_most=50),
    Aim("kb_per_screen", "memory of the server per screen, kB", at_most=60),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many screens, and how long each window is. `reference` is the number that aims are for.

    The peers are measured at the numbers of screens given for them, some of `screens`.
    """

    screens: Sequence[int]
    reference: int
    socket_screens: Sequence[int]
    polling_screens: Sequence[int]
    window_s: float
    repeats: int


FULL = Plan(
    screens=(10, 100, 500, 2000),
    reference=500,
    socket_screens=(100, 500),
    polling_screens=(100,),
    window_s=6.0,
    repeats=3,
)
QUICK = Plan(
    screens=(100, 500),
    reference=500,
    socket_screens=(500,),
    polling_screens=(100,),
    window_s=2.0,
    repeats=1,
)

Say = Callable[[str], None]


def measure(plan: Plan, say: Say = print) -> Figures:
    """Run the plan in a fresh installation and give the figures named in `AIMS`, and more."""
    run = _Run(plan, say)
    with open_ground() as ground, keep_publishing(ground.city, ground.redis_url):
        with _lawang_web(ground) as server:
            ours, kb_per_screen = run.measure_ours(server, wall_panels(ground.city.screens))
        with _bare_loop(ground, run.sample) as server:
            bare = run.measure("bare loop", server, "stream", plan.screens)
        with _dash(ground) as server:
            call = _polling_call()
            polling = run.measure("dcc.Interval", server, "polling", plan.polling_screens, call)
            call = _socket_call(server)
            sockets = run.measure("Dash WebSocket", server, "socket", plan.socket_screens, call)
    at = plan.reference
    figures = {
        "cpu_vs_bare_loop": _ratio(ours[at], bare[at]),
        "dash_ws_cpu_vs_ours": _against(sockets, ours),
        "dash_interval_cpu_vs_ours": _against(polling, ours),
        f"p99_ms_{at}": round(ours[at].p99_ms, 1),
        "kb_per_screen": kb_per_screen,
    }
    for name, windows in (("ours", ours), ("bare", bare), ("ws", sockets), ("interval", polling)):
        for screens, window in windows.items():
            figures[f"{name}_{screens}_cpu_us"] = round(window.cpu_us_per_screen, 1)
            figures[f"{name}_{screens}_p99_ms"] = round(window.p99_ms, 1)
            figures[f"{name}_{screens}_updates_per_s"] = round(window.updates_per_s, 3)
    return figures


class _Run:
    """Measures one server after another and says what it sees."""

    def __init__(self, plan: Plan, say: Say) -> None:
        self._plan = plan
        self._say = say
        #: A frame of the real stream, as it was on the wire.
        self.sample = b""
        say(f"{'':<16}{'screens':>8}{'µs/screen·s':>13}{'p50 ms':>8}{'p99 ms':>8}{'changes/s':>11}")

    def measure_ours(
        self, server: Server, panels: Sequence[str]
    ) -> tuple[dict[int, Window], float]:
        """All numbers of screens on the real stream, and its memory per screen in kB."""
        path = f"/stream?panels={','.join(panels)}"
        windows: dict[int, Window] = {}
        kb_per_screen = 0.0
        with run_load(server, "stream", 1, (1.0,), path=path) as load:
            # The first screen of all makes the server load what it needs for any.
            self._take("", load, (1.0,))
            self.sample = load.sample
        idle = server.memory_bytes()
        for screens in self._plan.screens:
            lengths = self._windows(screens)
            with run_load(server, "stream", screens, lengths, path=path) as load:
                windows[screens] = self._take("Lawang Jabo", load, lengths)
                kb_per_screen = (server.memory_bytes() - idle) / screens / 1000
        return windows, round(kb_per_screen, 1)

    def measure(
        self,
        name: str,
        server: Server,
        kind: str,
        numbers: Sequence[int],
        call: Mapping[str, Any] | None = None,
    ) -> dict[int, Window]:
        """Each of these numbers of screens on one server."""
        windows: dict[int, Window] = {}
        for screens in numbers:
            lengths = self._windows(screens)
            with run_load(server, kind, screens, lengths, call=call) as load:
                windows[screens] = self._take(name, load, lengths)
        return windows

    def _windows(self, screens: int) -> tuple[float, ...]:
        repeats = self._plan.repeats if screens == self._plan.reference else 1
        return (self._plan.window_s,) * repeats

    def _take(self, name: str, load: Load, lengths: Sequence[float]) -> Window:
        load.wait_connected()
        window = _median([load.measure() for _ in lengths])
        if name:
            self._say(
                f"{name:<16}{window.screens:>8}{window.cpu_us_per_screen:>13.1f}"
                f"{window.p50_ms:>8.1f}{window.p99_ms:>8.1f}{window.updates_per_s:>11.2f}"
            )
        return window


def _median(windows: Sequence[Window]) -> Window:
    """The one whose CPU is in the middle."""
    middle = statistics.median_low(window.cpu_us_per_screen for window in windows)
    return next(window for window in windows if window.cpu_us_per_screen == middle)


def _ratio(one: Window, other: Window) -> float:
    """CPU for a change delivered to a screen, so that a server does not gain by being late."""
    return round(one.cpu_us_per_change / other.cpu_us_per_change, 2)


def _against(peer: Mapping[int, Window], ours: Mapping[int, Window]) -> float:
    """Their CPU to ours at the most screens at which both were measured."""
    screens = max(peer.keys() & ours.keys())
    return _ratio(peer[screens], ours[screens])


@contextmanager
def _lawang_web(ground: Ground) -> Iterator[Server]:
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
def _bare_loop(ground: Ground, frame: bytes) -> Iterator[Server]:
    port = free_port()
    file = ground.data_dir / "frame"
    file.write_bytes(frame)
    arguments, log = [str(port), str(file)], ground.data_dir / "bare.log"
    with run_server("bare", "benchmarks.stream.bare", arguments, {}, port, log) as server:
        yield server


@contextmanager
def _dash(ground: Ground) -> Iterator[Server]:
    port = free_port()
    env = {dash_peer.REDIS_URL: ground.redis_url, dash_peer.CITY: ground.city.slug}
    log = ground.data_dir / "dash.log"
    module = "benchmarks.stream.dash_peer"
    with run_server("Dash", module, [str(port)], env, port, log) as server:
        yield server


def _socket_call(server: Server) -> dict[str, Any]:
    """What Dash's renderer asks for to start the persistent callback, whose name Dash makes up."""
    answer = httpx.get(f"http://127.0.0.1:{server.port}/_dash-dependencies", timeout=30)
    output = next(found["output"] for found in answer.json() if found.get("persistent"))
    return {"output": output, "outputs": [], "inputs": [], "state": [], "changedPropIds": []}


def _polling_call() -> dict[str, Any]:
    """The body that Dash's renderer posts each second; the load fills in the values."""
    properties = dash_peer.PROPERTIES
    return {
        "output": f"..{'...'.join(f'{component}.{name}' for component, name in properties)}..",
        "outputs": [{"id": component, "property": name} for component, name in properties],
        "inputs": [{"id": "tick", "property": "n_intervals", "value": 0}],
        "state": [{"id": "published_us", "property": "children", "value": 0}],
        "changedPropIds": ["tick.n_intervals"],
    }
