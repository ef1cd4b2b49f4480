"""A department's SQLite database that others read while the department writes it.

The file stands at its own path, in WAL mode. A fault puts a stand-in there for as long as it lasts,
and the true file lives on beside it (`<name>.asli`):

off: nothing is there; slow: another program holds the database locked; 500: its tables are gone, as
after an upgrade nobody told of; garbage: random bytes; truncated: its first half; wrong_types: some
cells hold what they should not; clock_skew: its times are shifted. The rest (auth, 429, huge) a
file does not have, and they change nothing.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from simulator.faults import Fault, Faults

FACTS = "CREATE TABLE IF NOT EXISTS keadaan (nama TEXT PRIMARY KEY, isi TEXT NOT NULL)"
_SPOILING = ("off", "slow", "500", "garbage", "truncated", "wrong_types", "clock_skew")
_SIDES = ("", "-wal", "-shm")


class Database:
    """One such file. `times` names the columns with times by table, which clock_skew shifts;
    `wrong` are statements that make wrong_types. Safe to use from several threads.

    Every text of a time is local, "2026-11-21 14:03:00".
    """

    def __init__(
        self,
        file: Path,
        schema: str,
        *,
        times: Mapping[str, Sequence[str]],
        wrong: Sequence[str],
    ) -> None:
        self._file = file
        self._aside = file.with_name(f"{file.name}.asli")
        self._schema = schema
        self._times = times
        self._wrong = wrong
        self._lock = threading.RLock()
        self._present = Fault()
        self._holder: sqlite3.Connection | None = None
        file.parent.mkdir(parents=True, exist_ok=True)
        if self._aside.exists():  # a simulator ended while its department was faulty
            _remove(self._file)
            _move(self._aside, self._file)
        self._connection = self._open(self._file)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection, inside one transaction."""
        with self._lock, self._connection:
            yield self._connection

    def read(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(statement, tuple(values)).fetchall()

    def advanced_to(self) -> datetime | None:
        """Up to when the department has lived; None before its first day."""
        found = self.read("SELECT isi FROM keadaan WHERE nama = 'sampai'")
        return datetime.fromisoformat(found[0][0]) if found else None

    def due(self, until: datetime, step: timedelta) -> tuple[datetime | None, datetime] | None:
        """From when to when the department has to live on, in whole steps; None for not at all.

        The first of the two is None before its first day.
        """
        seconds = step.total_seconds()
        stepped = datetime.fromtimestamp(until.timestamp() // seconds * seconds, UTC)
        lived = self.advanced_to()
        return None if lived is not None and stepped <= lived else (lived, stepped)

    def remember(self, connection: sqlite3.Connection, until: datetime) -> None:
        """Keep, inside a transaction, up to when it has lived."""
        connection.execute(
            "INSERT OR REPLACE INTO keadaan VALUES ('sampai', ?)",
            (until.astimezone(UTC).isoformat(),),
        )

    def obey(self, faults: Faults) -> None:
        """Make the file what the present fault says. Blocking; call it tick by tick."""
        fault = faults.present
        with self._lock:
            if fault == self._present:
                return
            self._mend()
            if fault.kind in _SPOILING:
                self._spoil(fault)
            self._present = fault

    def close(self) -> None:
        """Mend what is faulty and close the file."""
        with self._lock:
            self._mend()
            self._connection.close()

    def _open(self, file: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(file, check_same_thread=False, timeout=5)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(f"{self._schema};{FACTS};")
        return connection

    def _mend(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None
        if self._aside.exists():
            self._connection.close()
            _remove(self._file)
            _move(self._aside, self._file)
            self._connection = self._open(self._file)

    def _spoil(self, fault: Fault) -> None:
        # The last connection's close writes all of the WAL into the file itself.
        self._connection.close()
        _move(self._file, self._aside)
        self._connection = self._open(self._aside)
        stand_in = self._file
        match fault.kind:
            case "garbage":
                stand_in.write_bytes(random.randbytes(8_192))
            case "truncated":
                self._copy(stand_in)
                whole = stand_in.read_bytes()
                stand_in.write_bytes(whole[: len(whole) // 2])
            case "slow":
                self._copy(stand_in)
                self._holder = sqlite3.connect(stand_in, check_same_thread=False)
                self._holder.isolation_level = None
                self._holder.execute("BEGIN EXCLUSIVE")
            case "500":
                self._alter(stand_in, [f'DROP TABLE "{table}"' for table in self._times])
            case "wrong_types":
                self._alter(stand_in, self._wrong)
            case "clock_skew":
                self._alter(stand_in, self._shifts(fault.amount))

    def _shifts(self, seconds: float) -> list[str]:
        by = f"'{seconds:+.0f} seconds'"
        return [
            f'UPDATE "{table}" SET "{column}" = datetime("{column}", {by})'  # noqa: S608 (our own names)
            for table, columns in self._times.items()
            for column in columns
        ]

    def _copy(self, to: Path) -> None:
        """A copy in rollback mode, whose locks keep readers out."""
        with contextlib.closing(sqlite3.connect(to)) as copy:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    def _alter(self, file: Path, statements: Sequence[str]) -> None:
        self._copy(file)
        with contextlib.closing(sqlite3.connect(file)) as copy, copy:
            for statement in statements:
                copy.execute(statement)


def write_time(at: datetime, zone: ZoneInfo) -> str:
    """A time as the clerks' programs write it: local, to the second."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _move(old: Path, new: Path) -> None:
    for side in _SIDES:
        source = old.with_name(old.name + side)
        if source.exists():
            shutil.move(source, new.with_name(new.name + side))


def _remove(file: Path) -> None:
    for side in (*_SIDES, "-journal"):
        file.with_name(file.name + side).unlink(missing_ok=True)


def days_between(since: date, until: date) -> list[date]:
    """All days from `since` to `until`, both of them in it."""
    return [since + timedelta(days=step) for step in range((until - since).days + 1)]
