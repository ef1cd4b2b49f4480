"""A department that speaks no protocol: it puts files into a folder, and can fail at that too.

A folder `drop/<id>/` below the simulator's data holds what was sent so far, each file with the time
of its sending, beside a mark `_simulated` that says what they are. Which files there are and what
is in them follows from seed and time, so a restarted simulator adds only what is missing.

Faults here: `off` takes the share away, `slow`, `500` and `429` send nothing, `auth` closes the
folder (root may read it still), and the newest file is spoilt by `garbage`, `truncated` (cut in
the middle), `huge`, and, by its maker, `wrong_types`, `clock_skew` and kinds of a department's own.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from simulator.department import Department
from simulator.faults import Fault, Faults
from simulator.settings import SimulatorSettings

MARK = "_simulated"
_MARK_TEXT = (
    "Semua berkas di folder ini dibuat oleh simulator. All files in this folder are made up.\n"
)
_QUIET = frozenset({"slow", "500", "429"})
_HUGE_BYTES = 64_000_000
_NONE = Fault()


@dataclass(frozen=True, slots=True)
class Sending:
    """A file as it is sent at an instant. `make` writes it as the present fault has it."""

    name: str
    at: datetime
    make: Callable[[Fault], bytes]


#: All that was sent until an instant, oldest first.
Plan = Callable[[datetime], Iterable[Sending]]


class DropFolder:
    """The folder of one department."""

    def __init__(self, folder: Path, faults: Faults, plan: Plan) -> None:
        self._folder = folder
        self._away = folder.with_name(f".{folder.name}.away")
        self._faults = faults
        self._plan = plan
        self._fault = _NONE
        self._spoilt: Sending | None = None
        # A simulator that was killed while the share was away finds it again.
        self._bring_back()

    def advance(self, at: datetime) -> None:
        """Bring the folder up to an instant, and into the state of the present fault."""
        fault = self._faults.present
        if fault != self._fault:
            self._mend()
            self._fault = fault
        if fault.kind == "off":
            self._take_away()
            return
        if fault.kind in _QUIET:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        mark = self._folder / MARK
        if not mark.exists():
            mark.write_text(_MARK_TEXT, encoding="utf-8")
        there = set(os.listdir(self._folder))
        newest: Sending | None = None
        for sending in self._plan(at):
            newest = sending
            if sending.name not in there:
                self._write(sending, sending.make(_NONE), sending.at)
        if fault.kind == "auth":
            self._folder.chmod(0)
        elif fault.kind != "none" and newest is not None and self._spoilt is None:
            self._spoil(newest, at)

    def close(self) -> None:
        """Leave the folder as a healthy department would."""
        self._mend()

    def _spoil(self, sending: Sending, at: datetime) -> None:
        body = sending.make(self._fault)
        if self._fault.kind == "garbage":
            body = random.Random(sending.name).randbytes(4_096)
        elif self._fault.kind == "truncated":
            body = body[: len(body) // 2]
        elif self._fault.kind == "huge":
            body = body.ljust(_HUGE_BYTES, b" ")
        self._write(sending, body, at)
        self._spoilt = sending

    def _mend(self) -> None:
        self._bring_back()
        if self._folder.is_dir():
            self._folder.chmod(0o755)
        if self._spoilt is not None:
            self._write(self._spoilt, self._spoilt.make(_NONE), self._spoilt.at)
            self._spoilt = None

    def _take_away(self) -> None:
        if self._folder.is_dir():
            shutil.rmtree(self._away, ignore_errors=True)
            self._folder.rename(self._away)

    def _bring_back(self) -> None:
        if self._away.is_dir() and not self._folder.exists():
            self._away.rename(self._folder)

    def _write(self, sending: Sending, body: bytes, at: datetime) -> None:
        """Under a temporary name first: nobody sees half a file of a healthy department."""
        handle, temporary = tempfile.mkstemp(suffix=".part", prefix=".", dir=self._folder)
        with os.fdopen(handle, "wb") as stream:
            stream.write(body)
        os.chmod(temporary, 0o644)
        os.utime(temporary, (at.timestamp(), at.timestamp()))
        os.replace(temporary, self._folder / sending.name)


def make_file_department(
    settings: SimulatorSettings,
    plan: Plan,
    *,
    department_id: str,
    name: str,
    protocol: str,
    fault_kinds: Sequence[str] = (),
) -> Department:
    """A department that sends what `plan` says into `drop/<department_id>`."""
    faults = Faults()
    path = settings.drop_dir / department_id
    folder = DropFolder(path, faults, plan)
    return Department(
        id=department_id,
        name=name,
        protocol=protocol,
        note=f"files: {path}",
        faults=faults,
        fault_kinds=fault_kinds,
        advance=folder.advance,
        close=folder.close,
    )
