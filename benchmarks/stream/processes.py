"""The processes of a run: servers whose CPU and memory are read, and the load that asks them."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.figures import BenchError
from lawang.process import PARENT
from lawang.settings import ROOT

_LIBC = ctypes.CDLL(None)
_READY_S = 60.0
_STOP_S = 10.0


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


class Server:
    """A server process that listens on a port of loopback."""

    def __init__(self, name: str, process: psutil.Popen, port: int) -> None:
        self.name = name
        self.port = port
        self._process = process

    def cpu_s(self) -> float:
        """Seconds of CPU it has used so far, in the kernel too."""
        # To the nanosecond: the usual counters go by hundredths of a second, which is as much as a
        # bare loop needs for a second of several hundred screens.
        clock = ctypes.c_int()
        find_clock = getattr(_LIBC, "clock_getcpuclockid", None)
        if find_clock is not None and find_clock(self._process.pid, ctypes.byref(clock)) == 0:
            return time.clock_gettime(clock.value)
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """What of its memory is resident now."""
        return int(self._process.memory_info().rss)


@contextmanager
def run_server(
    name: str, module: str, arguments: Sequence[str], env: Mapping[str, str], port: int, log: Path
) -> Iterator[Server]:
    """Start `python -m module arguments`, wait until it listens, end it afterwards."""
    with log.open("ab") as out:
        process = psutil.Popen(
            [sys.executable, "-m", module, *arguments],
            env=_environment(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_listening(name, process, port, log)
        yield Server(name, process, port)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(name: str, process: psutil.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    raise BenchError(f"The server {name!r} does not start. It said:\n{tail}")


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
        env=_environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Load(process, server, screens)
    finally:
        process.terminate()
        process.wait(_STOP_S)
        if process.stdout is not None:
            process.stdout.close()


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), *(part for part in sys.path if part)])
    return {**os.environ, "PYTHONPATH": path, PARENT: str(os.getpid()), **env}
