"""What somebody made happen in the simulated city, by hand or by a scenario.

It comes on top of what the seed brings, is the same for all departments, and is kept in a file, so
that a simulator that starts again remembers the rain of yesterday.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

Size = Literal["kecil", "sedang", "besar"]
SIZES: tuple[Size, ...] = ("kecil", "sedang", "besar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rain:
    """Rain over one kecamatan (code) from `at` on: `mm_h` while it lasts, which is `minutes`."""

    what: ClassVar[str] = "rain"
    number: int
    at: datetime
    kecamatan: str
    mm_h: float
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tide:
    """The river `cm` higher than the moon and the rain make it, for `minutes` from `at` on."""

    what: ClassVar[str] = "tide"
    number: int
    at: datetime
    cm: float
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Blaze:
    """A fire that breaks out at `at` somewhere in a kecamatan (code)."""

    what: ClassVar[str] = "blaze"
    number: int
    at: datetime
    kecamatan: str
    size: Size


class Happenings:
    """All that was made to happen, oldest first. Safe to use from several threads.

    With a `file` (JSON, one a line) it is read at once and added to with each happening; a line
    that cannot be read, such as one half written when the power went, is left out.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._rains: list[Rain] = []
        self._tides: list[Tide] = []
        self._blazes: list[Blaze] = []
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                self._recall(line)

    @property
    def rains(self) -> Sequence[Rain]:
        return tuple(self._rains)

    @property
    def tides(self) -> Sequence[Tide]:
        return tuple(self._tides)

    @property
    def blazes(self) -> Sequence[Blaze]:
        return tuple(self._blazes)

    def rain(self, kecamatan: str, at: datetime, mm_h: float, minutes: float) -> Rain:
        """Let it rain over a kecamatan (code)."""
        with self._lock:
            rain = Rain(
                number=len(self._rains) + 1,
                at=_whole(at),
                kecamatan=kecamatan,
                mm_h=mm_h,
                minutes=minutes,
            )
            self._keep(rain)
            self._rains.append(rain)
        return rain

    def tide(self, at: datetime, cm: float, minutes: float) -> Tide:
        """Let the river rise."""
        with self._lock:
            tide = Tide(number=len(self._tides) + 1, at=_whole(at), cm=cm, minutes=minutes)
            self._keep(tide)
            self._tides.append(tide)
        return tide

    def blaze(self, kecamatan: str, at: datetime, size: Size) -> Blaze:
        """Let a fire break out in a kecamatan (code)."""
        with self._lock:
            number = len(self._blazes) + 1
            blaze = Blaze(number=number, at=_whole(at), kecamatan=kecamatan, size=size)
            self._keep(blaze)
            self._blazes.append(blaze)
        return blaze

    def _keep(self, happening: Rain | Tide | Blaze) -> None:
        if self._file is None:
            return
        plain = {"what": happening.what, **asdict(happening), "at": happening.at.isoformat()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(plain)}\n")

    def _recall(self, line: str) -> None:
        try:
            plain: dict[str, Any] = json.loads(line)
            what = plain.pop("what")
            plain["at"] = datetime.fromisoformat(plain["at"])
            match what:
                case Rain.what:
                    self._rains.append(Rain(**plain))
                case Tide.what:
                    self._tides.append(Tide(**plain))
                case Blaze.what:
                    self._blazes.append(Blaze(**plain))
        except (ValueError, TypeError, KeyError, AttributeError):
            return


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
