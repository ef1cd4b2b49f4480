"""A department's own database: reports with their present stage, and moves that lie ahead.

SQLite in WAL mode, one connection behind a lock; every call is short and blocking, so callers on
an event loop use a worker thread. Instants are whole seconds since the epoch (UTC).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

Stage = Literal[
    "Menunggu",
    "Koordinasi",
    "Disposisi",
    "Proses",
    "Selesai",
    "Dikembalikan",
    "Ditolak",
    "Dibuka kembali",
    "Diverifikasi",
]

_CLOSING: tuple[Stage, ...] = ("Selesai", "Ditolak")
#: No stage that a report is in: somebody else confirms that it is done.
VERIFIED: Stage = "Diverifikasi"
#: What a database of an older simulator lacks.
_LATER_COLUMNS = ("closed_at", "verified_at")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reports (
  id TEXT PRIMARY KEY,
  service_code TEXT NOT NULL,
  service_name TEXT NOT NULL,
  description TEXT NOT NULL,
  address TEXT,
  latitude REAL,
  longitude REAL,
  media_url TEXT,
  attributes TEXT,
  agency TEXT,
  stage TEXT NOT NULL,
  note TEXT NOT NULL,
  is_open INTEGER NOT NULL,
  requested_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expected_at INTEGER,
  quirk TEXT NOT NULL,
  closed_at INTEGER,
  verified_at INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reports_updated ON reports (updated_at, id);
CREATE INDEX IF NOT EXISTS reports_requested ON reports (requested_at, id);
CREATE TABLE IF NOT EXISTS moves (
  report_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  stage TEXT NOT NULL,
  note TEXT NOT NULL,
  agency TEXT,
  PRIMARY KEY (report_id, at)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS moves_at ON moves (at);
CREATE TABLE IF NOT EXISTS reporters (
  report_id TEXT PRIMARY KEY,
  email TEXT,
  first_name TEXT,
  last_name TEXT,
  phone TEXT,
  device_id TEXT,
  account_id TEXT
) WITHOUT ROWID;
"""


class Quirk(StrEnum):
    """What is odd in how this report is answered; real feeds have all of these."""

    NONE = ""
    NO_POINT = "no_point"
    TEXT_POINT = "text_point"
    SWAPPED = "swapped"
    OUTSIDE = "outside"
    NO_UPDATED = "no_updated"
    RETIRED_SERVICE = "retired_service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A change of stage at an instant (UTC, whole seconds). `agency` is set where one takes it.

    A move to `VERIFIED` leaves the stage as it is.
    """

    at: datetime
    stage: Stage
    note: str
    agency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who filed a report: personal data. Whether it is answered is up to the department."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    device_id: str | None = None
    account_id: str | None = None

    @property
    def full_name(self) -> str:
        return " ".join(name for name in (self.first_name, self.last_name) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """A report as it is filed, in stage Menunggu, with all its later moves."""

    id: str
    service_code: str
    service_name: str
    description: str
    address: str | None
    latitude: float | None
    longitude: float | None
    requested_at: datetime
    expected_at: datetime | None
    media_url: str | None = None
    attributes: str | None = None
    quirk: Quirk = Quirk.NONE
    moves: Sequence[Move] = ()
    reporter: Reporter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report with its present stage; `verified_at` is of its present closing."""

    id: str
    service_code: str
    service_name: str
    description: str
    address: str | None
    latitude: float | None
    longitude: float | None
    media_url: str | None
    agency: str | None
    stage: str
    note: str
    is_open: bool
    requested_at: datetime
    updated_at: datetime
    expected_at: datetime | None
    quirk: Quirk
    closed_at: datetime | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which reports are asked for; all bounds inclusive. `ids` overrides everything else.

    With `updated_after` the order is by change, oldest first; otherwise newest report first.
    `after` goes on behind a report of that order by change: its time of change and its id.
    """

    ids: tuple[str, ...] = ()
    service_codes: tuple[str, ...] = ()
    is_open: bool | None = None
    requested_from: datetime | None = None
    requested_to: datetime | None = None
    updated_after: datetime | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 100
    offset: int = 0


@dataclass
class _Clause:
    parts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, part: str, *values: Any) -> None:
        self.parts.append(part)
        self.values.extend(values)


class Store:
    """The database of one department. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA busy_timeout = 5000")
        self._connection.executescript(_SCHEMA)
        known = {row["name"] for row in self._connection.execute("PRAGMA table_info(reports)")}
        for name in _LATER_COLUMNS:
            if name not in known:
                self._connection.execute(f"ALTER TABLE reports ADD COLUMN {name} INTEGER")

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        with self._lock:
            self._connection.close()

    def advanced_to(self) -> datetime | None:
        """Until when life has gone on, or None in a new database."""
        with self._reading() as db:
            row = db.execute("SELECT value FROM facts WHERE name = 'advanced_to'").fetchone()
        return None if row is None else _instant(int(row["value"]))

    def live(self, births: Iterable[NewReport], until: datetime) -> None:
        """Add what was filed and make all moves that are due, in one transaction."""
        with self._writing() as db:
            for birth in births:
                _insert(db, birth)
            _move(db, _seconds(until))
            db.execute(
                "INSERT INTO facts VALUES ('advanced_to', ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (str(_seconds(until)),),
            )

    def next_posted_id(self, day: str) -> str:
        """A free number for a report that a person files at e-lapor on a local day (YYYYMMDD)."""
        with self._writing() as db:
            name = f"posted_{day}"
            row = db.execute(
                "INSERT INTO facts VALUES (?, '1') "
                "ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1 "
                "RETURNING value",
                (name,),
            ).fetchone()
        return f"EL-{day}-W{int(row['value']):04d}"

    def post(self, report: NewReport) -> None:
        """Keep a report that a person filed."""
        with self._writing() as db:
            _insert(db, report)

    def find(self, query: Query) -> list[StoredReport]:
        """The reports asked for, in the order and page asked for."""
        where = _where(query)
        by_change = query.updated_after is not None or query.after is not None
        order = "updated_at, id" if by_change else "requested_at DESC, id DESC"
        # Only fixed text goes into the statement; every value is bound.
        statement = (
            f"SELECT * FROM reports WHERE {' AND '.join(where.parts) or '1'} "  # noqa: S608
            f"ORDER BY {order} LIMIT ? OFFSET ?"
        )
        with self._reading() as db:
            rows = db.execute(statement, (*where.values, query.limit, query.offset)).fetchall()
        return [_stored(row) for row in rows]

    def count(self, query: Query) -> int:
        """How many reports are asked for, on all pages together."""
        where = _where(query)
        statement = f"SELECT count(*) FROM reports WHERE {' AND '.join(where.parts) or '1'}"  # noqa: S608
        with self._reading() as db:
            row = db.execute(statement, where.values).fetchone()
        return int(row[0])

    def reporters(self, ids: Sequence[str]) -> dict[str, Reporter]:
        """Who filed these reports, as far as that is known."""
        statement = f"SELECT * FROM reporters WHERE report_id IN ({_marks(ids)})"  # noqa: S608
        with self._reading() as db:
            rows = db.execute(statement, tuple(ids)).fetchall()
        return {row["report_id"]: _reporter(row) for row in rows}

    def dump(self) -> list[str]:
        """The whole database as SQL statements, to compare two of them."""
        with self._reading() as db:
            return list(db.iterdump())

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _insert(db: sqlite3.Connection, report: NewReport) -> None:
    """A number that is taken already keeps its report: the seed or factor has changed since."""
    at = _seconds(report.requested_at)
    expected = None if report.expected_at is None else _seconds(report.expected_at)
    added = db.execute(
        "INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, 1, ?, ?, ?, ?, "
        "NULL, NULL) "
        "ON CONFLICT DO NOTHING",
        (
            report.id,
            report.service_code,
            report.service_name,
            report.description,
            report.address,
            report.latitude,
            report.longitude,
            report.media_url,
            report.attributes,
            "Menunggu",
            "laporan diterima, menunggu verifikasi",
            at,
            at,
            expected,
            report.quirk.value,
        ),
    )
    if added.rowcount:
        db.executemany(
            "INSERT INTO moves VALUES (?, ?, ?, ?, ?)",
            [
                (report.id, _seconds(move.at), move.stage, move.note, move.agency)
                for move in report.moves
            ],
        )
        if report.reporter is not None:
            who = report.reporter
            db.execute(
                "INSERT INTO reporters VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    report.id,
                    who.email,
                    who.first_name,
                    who.last_name,
                    who.phone,
                    who.device_id,
                    who.account_id,
                ),
            )


def _move(db: sqlite3.Connection, until: int) -> None:
    due = db.execute("SELECT * FROM moves WHERE at <= ? ORDER BY at, report_id", (until,))
    for row in due.fetchall():
        at, report_id = row["at"], row["report_id"]
        if row["stage"] == VERIFIED:
            db.execute(
                "UPDATE reports SET note = ?, verified_at = ?, updated_at = ? WHERE id = ?",
                (row["note"], at, at, report_id),
            )
            continue
        closes = row["stage"] in _CLOSING
        db.execute(
            "UPDATE reports SET stage = ?, note = ?, agency = coalesce(?, agency), is_open = ?, "
            "updated_at = ?, closed_at = ?, verified_at = NULL WHERE id = ?",
            (
                row["stage"],
                row["note"],
                row["agency"],
                not closes,
                at,
                at if closes else None,
                report_id,
            ),
        )
    db.execute("DELETE FROM moves WHERE at <= ?", (until,))


def _where(query: Query) -> _Clause:
    where = _Clause()
    if query.ids:
        where.add(f"id IN ({_marks(query.ids)})", *query.ids)
        return where
    if query.service_codes:
        where.add(f"service_code IN ({_marks(query.service_codes)})", *query.service_codes)
    if query.is_open is not None:
        where.add("is_open = ?", query.is_open)
    if query.requested_from is not None:
        where.add("requested_at >= ?", _seconds(query.requested_from))
    if query.requested_to is not None:
        where.add("requested_at <= ?", _seconds(query.requested_to))
    if query.updated_after is not None:
        where.add("updated_at >= ?", _seconds(query.updated_after))
    if query.after is not None:
        changed_at, report_id = query.after
        where.add("(updated_at, id) > (?, ?)", _seconds(changed_at), report_id)
    return where


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _stored(row: sqlite3.Row) -> StoredReport:
    return StoredReport(
        id=row["id"],
        service_code=row["service_code"],
        service_name=row["service_name"],
        description=row["description"],
        address=row["address"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        media_url=row["media_url"],
        agency=row["agency"],
        stage=row["stage"],
        note=row["note"],
        is_open=bool(row["is_open"]),
        requested_at=_instant(row["requested_at"]),
        updated_at=_instant(row["updated_at"]),
        expected_at=None if row["expected_at"] is None else _instant(row["expected_at"]),
        quirk=Quirk(row["quirk"]),
        closed_at=None if row["closed_at"] is None else _instant(row["closed_at"]),
        verified_at=None if row["verified_at"] is None else _instant(row["verified_at"]),
    )


def _reporter(row: sqlite3.Row) -> Reporter:
    return Reporter(
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        phone=row["phone"],
        device_id=row["device_id"],
        account_id=row["account_id"],
    )


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
