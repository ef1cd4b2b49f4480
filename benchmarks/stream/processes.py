"""The load on a server: its screens, in a process of their own, and what they measure."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import BenchError
from benchmarks.processes import STOP_S, Server, environment


@dataclass(frozen=True, slots=True)
class Window:
    """One measurement. Latencies are from publishing to the screen, in milliseconds."""

    screens: int
    seconds: float
    cpu_s: float
    received: int
    received_bytes: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    lost: int

    @property
    def cpu_us_per_screen(self) -> float:
        """Microseconds of the server's CPU for one screen in one second."""
        return self.cpu_s / self.seconds / self.screens * 1e6

    @property
    def cpu_us_per_change(self) -> float:
        """Microseconds of the server's CPU for one change delivered to one screen.

        One change a second is published. More are received while a server catches up with what
        it owes from before; that does not make it cheaper.
        """
        return self.cpu_us_per_screen / min(1.0, max(self.updates_per_s, 0.01))

    @property
    def updates_per_s(self) -> float:
        """How many changes a second reached a screen; 1 when none was missed."""
        return self.received / self.seconds / self.screens


class Load:
    """The screens of one run, in a process of their own."""

    def __init__(self, process: subprocess.Popen[str], server: Server, screens: int) -> None:
        self._process = process
        self._server = server
        self._screens = screens
        #: One message as it arrived, to be sent again by others.
        self.sample = b""

    def wait_connected(self) -> None:
        """Return when every screen has received something."""
        self._expect("connected")

    def measure(self) -> Window:
        """The next window, with the server's CPU in it."""
        self._expect("begin")
        cpu_before = self._server.cpu_s()
        heard = self._expect("end")
        cpu_s = self._server.cpu_s() - cpu_before
        self.sample = b64decode(heard["sample"])
        return Window(
            screens=self._screens,
            seconds=heard["seconds"],
            cpu_s=cpu_s,
            received=heard["received"],
            received_bytes=heard["received_bytes"],
            p50_ms=heard.get("p50_ms", float("inf")),
            p99_ms=heard.get("p99_ms", float("inf")),
            max_ms=heard.get("max_ms", float("inf")),
            lost=heard["lost"],
        )

    def _expect(self, state: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        heard: dict[str, Any] = json.loads(line) if line else {}
        if heard.get("state") != state:
            raise BenchError(f"The screens of {self._server.name!r} fell; see the lines above.")
        return heard


@contextmanager
def run_load(
    server: Server,
    kind: str,
    screens: int,
    windows: Sequence[float],
    *,
    path: str = "/",
    call: Mapping[str, Any] | None = None,
) -> Iterator[Load]:
    """Play `screens` screens on a server; `windows` are the seconds of each measurement."""
    config = {
        "kind": kind,
        "address": "127.0.0.1",
        "port": server.port,
        "path": path,
        "call": call or {},
        "screens": screens,
        "windows": list(windows),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stream.screens", json.dumps(config)],
        env=environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Load(process, server, screens)
    finally:
        process.terminate()
        process.wait(STOP_S)
        if process.stdout is not None:
            process.stdout.close()
