"""`lawang up`: runs the processes of one machine, restarts what falls, ends all together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from lawang.domain.errors import SettingsError
from lawang.process import PARENT
from lawang.store.embedded import EmbeddedValkey

_RESTART_MIN_S = 0.5
_RESTART_MAX_S = 15.0
#: A process that ran this long was well; its next fall is a new one.
_WELL_AFTER_S = 60.0
_STOP_S = 8.0
_READY_S = 15.0
#: A child waits no longer than this for the one that it would rather find there.
_LONGEST_WAIT_S = 20.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Child:
    """One process: what it is for, in words, and how it is called.

    `after` is an address that should answer before it is started, or "".
    """

    name: str
    purpose: str
    argv: Sequence[str]
    env: Mapping[str, str]
    after: str = ""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    falls: int = 0
    restart_at: float = field(default=0.0)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self.process = subprocess.Popen(
            self.argv,
            env={**os.environ, **self.env, PARENT: str(os.getpid()), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        threading.Thread(target=_relay, args=(self.name, self.process.stdout), daemon=True).start()

    @property
    def process_id(self) -> int | None:
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ask it to end, then make it."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _relay(name: str, pipe: IO[bytes] | None) -> None:
    """Pass a child's lines on, each marked with its name."""
    if pipe is None:
        return
    for line in pipe:
        text = line.decode("utf-8", "replace").rstrip()
        print(f"{name:>9} │ {text}", file=sys.stderr, flush=True)


def refuse_busy_port(host: str, port: int, what: str) -> None:
    """Raise SettingsError with a sentence if the port cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"Port {port} on {host} for {what} is not free ({error.strerror}). "
                f"Stop the program that uses it, or choose another with --port."
            ) from None


class Supervisor:
    """Runs the embedded Valkey (if any) and the children until `stop` is asked for."""

    def __init__(self, children: Sequence[Child], valkey: EmbeddedValkey | None, say: Say) -> None:
        self._children = children
        self._valkey = valkey
        self._say = say
        self._stop = threading.Event()

    def run(self, ready_url: str, announce: Callable[[float], None]) -> None:
        """Start everything, announce the address once it answers, then watch until stopped."""
        began = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            announced = False
            while not self._stop.is_set():
                self._start_waiting(began)
                self._watch()
                if not announced and _answers(ready_url):
                    announced = True
                    announce(time.monotonic() - began)
                elif not announced and time.monotonic() - began > 4 * _READY_S:
                    raise SettingsError("The web process does not answer; see its lines above.")
                self._stop.wait(0.1 if not announced else 0.3)
        finally:
            self._end()

    def _start_waiting(self, began: float) -> None:
        """Start the children that may be: those that wait for another do so for a while only."""
        for child in self._children:
            if child.process is not None:
                continue
            if child.after and not (
                _answers(child.after) or time.monotonic() - began > _LONGEST_WAIT_S
            ):
                continue
            child.start()
            self._say(f"{child.name:>9} │ {child.purpose} (pid {child.process_id})")

    def _watch(self) -> None:
        if self._valkey is not None and not self._valkey.is_running():
            self._say("   valkey │ fell; starting it again")
            self._valkey.start()
        now = time.monotonic()
        for child in self._children:
            if child.process is None or child.is_running():
                continue
            if not child.restart_at:
                code = child.process.returncode if child.process else None
                child.falls = 1 if now - child.started_at > _WELL_AFTER_S else child.falls + 1
                wait = min(_RESTART_MIN_S * 2 ** (child.falls - 1), _RESTART_MAX_S)
                child.restart_at = now + wait
                self._say(f"{child.name:>9} │ ended (code {code}); starting it again in {wait:g} s")
            elif now >= child.restart_at:
                child.restart_at = 0.0
                child.start()

    def _end(self) -> None:
        self._say("   lawang │ ending")
        for child in reversed(self._children):
            child.stop()
        if self._valkey is not None:
            self._valkey.stop()
        self._say("   lawang │ all processes have ended")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except OSError:
        return False
