"""The processes of a run: programs whose CPU and memory are read from outside."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.figures import BenchError
from lawang.process import PARENT
from lawang.settings import ROOT

_LIBC = ctypes.CDLL(None)
_READY_S = 60.0
#: How long a process may take to end by itself.
STOP_S = 10.0


class Program:
    """A running process of our own making."""

    def __init__(self, name: str, process: psutil.Process) -> None:
        self.name = name
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

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return bool(self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE)


class Server(Program):
    """A program that listens on a port of loopback."""

    def __init__(self, name: str, process: psutil.Process, port: int) -> None:
        super().__init__(name, process)
        self.port = port


@contextmanager
def run_program(
    name: str, module: str, arguments: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[Program]:
    """Start `python -m module arguments`, what it says going to `log`; end it afterwards."""
    with _started(module, arguments, env, log) as process:
        yield Program(name, process)


@contextmanager
def run_server(
    name: str, module: str, arguments: Sequence[str], env: Mapping[str, str], port: int, log: Path
) -> Iterator[Server]:
    """Start `python -m module arguments`, wait until it listens, end it afterwards."""
    with _started(module, arguments, env, log) as process:
        _wait_until_listening(name, process, port, log)
        yield Server(name, process, port)


@contextmanager
def _started(
    module: str, arguments: Sequence[str], env: Mapping[str, str], log: Path
) -> Iterator[psutil.Popen]:
    with log.open("ab") as out:
        process = psutil.Popen(
            [sys.executable, "-m", module, *arguments],
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_words(log: Path) -> str:
    """The end of what a process said, for an error."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child that finds our packages and ends with us."""
    path = os.pathsep.join([str(ROOT), *(part for part in sys.path if part)])
    return {**os.environ, "PYTHONPATH": path, PARENT: str(os.getpid()), **env}


def _wait_until_listening(name: str, process: psutil.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise BenchError(f"The server {name!r} does not start. It said:\n{last_words(log)}")
