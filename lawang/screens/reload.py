"""Follows `screens.toml`: a saved change is in force within seconds, a broken one changes nothing.

A file is read only after it has not changed for `SETTLE_S`: an editor that writes it in pieces is
not taken for a person's mistake. One watcher a process looks at it once a second; a look costs one
`stat`, and reading happens when that or, once a minute, the content differs.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from lawang.domain.clock import Clock, utc_now
from lawang.domain.errors import LawangError, PackError
from lawang.domain.screen import ScreenProgramme

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
SETTLE_S = 1.0
#: A file system may keep times by the second or two, and a copy may keep them altogether.
_REREAD_EVERY_S = 60.0

_Mark = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why the file as it is now is not in force. `line` is 1-based."""

    file: str
    key: str
    line: int | None
    problem: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A programme, since when it is in force, which bytes it was, and what is wrong now."""

    programme: ScreenProgramme
    since: datetime
    digest: str
    problem: Problem | None = None


class ProgrammeFile:
    """The programme in force in this process; `current` may be read from any thread.

    Starts from `programme`, what the pack held when the process began. `read` raises PackError.
    """

    def __init__(
        self,
        file: Path,
        read: Callable[[], ScreenProgramme],
        programme: ScreenProgramme,
        *,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        settle_s: float = SETTLE_S,
    ) -> None:
        self._file = file
        self._read = read
        self._clock = clock
        self._monotonic = monotonic
        self._settle_s = settle_s
        self._mark = self._look_at()
        self._marked_at = monotonic()
        # Not yet looked at: a file saved between the start's reading and now would be missed.
        self._taken: tuple[_Mark, float] | None = None
        self._digest: str | None = None
        self._current = InForce(programme=programme, since=clock(), digest="")
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def current(self) -> InForce:
        """What is in force now."""
        return self._current

    def start(self) -> None:
        """Look at the file every second from now on, on a thread of its own."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._run, name="screens-file", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End looking; returns when the thread has ended."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> bool:
        """Look once; True where another programme came into force or another mistake was found."""
        mark, now = self._look_at(), self._monotonic()
        if mark != self._mark:
            self._mark, self._marked_at = mark, now
            return False
        if now - self._marked_at < self._settle_s:
            return False
        taken, taken_at = self._taken or (None, -_REREAD_EVERY_S)
        if self._taken is not None and taken == mark and now - taken_at < _REREAD_EVERY_S:
            return False
        self._taken = (mark, now)
        digest = self._digest_now()
        if digest == self._digest:
            return False
        return self._take(digest, mark)

    def _take(self, digest: str, mark: _Mark) -> bool:
        programme, failure = self._current.programme, None
        try:
            programme = self._read()
        except PackError as error:
            failure = error
        if (self._look_at(), self._digest_now()) != (mark, digest):
            # It was written while it was read: what was found is about neither.
            self._taken = None
            return False
        self._digest = digest
        if failure is not None:
            self._refuse(failure)
            return True
        before = self._current
        same = programme == before.programme
        self._current = InForce(
            programme=programme, since=before.since if same else self._clock(), digest=digest
        )
        if not same or before.problem is not None:
            log.info("screens: the file as it is now is in force", file=str(self._file))
            return True
        return False

    def _refuse(self, error: PackError) -> None:
        before = self._current
        problem = Problem(
            file=error.file.name,
            key=error.key,
            line=error.line,
            problem=error.problem,
            seen_at=self._clock(),
        )
        self._current = InForce(
            programme=before.programme, since=before.since, digest=before.digest, problem=problem
        )
        log.warning(
            "screens: the file is broken, the running programme goes on",
            file=str(error.file),
            line=error.line,
            key=error.key,
            problem=error.problem,
        )

    def _run(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            try:
                self.look()
            except (LawangError, OSError, ValueError):
                # Whatever a file can be made to do, the programme goes on.
                log.error("screens: the file cannot be followed", exc_info=True)

    def _look_at(self) -> _Mark:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _digest_now(self) -> str:
        try:
            return hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError:
            return "missing"
