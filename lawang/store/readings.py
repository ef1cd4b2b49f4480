"""Readings in history: written once, corrected in the open, held back where they look wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, select, update

from lawang.domain.errors import LawangError
from lawang.domain.facts import Facts
from lawang.domain.finding import Finding, FindingKind, FindingState, NewFinding
from lawang.domain.measure import Reading
from lawang.domain.sanity import REMEMBERED, judge
from lawang.store import schema
from lawang.store.database import Database, chunked
from lawang.store.findings import end_finding, mark_decided, take_open
from lawang.store.touches import touch

SeriesKey = tuple[str, str]  # measure, subject

_PLACE = (
    "subject_name",
    "kecamatan",
    "kelurahan",
    "placed_by",
    "location_problem",
    "latitude",
    "longitude",
    "simulated",
)


@dataclass(slots=True)
class WrittenReadings:
    """What one write changed. `newest` are accepted readings that are now the last of theirs."""

    newest: list[Reading] = field(default_factory=list)
    written: int = 0
    corrected: int = 0
    withdrawn: int = 0
    held: int = 0
    new_series: int = 0
    #: Findings that are over, as a correction came.
    ended: int = 0
    findings: list[NewFinding] = field(default_factory=list)


@dataclass(slots=True)
class _Series:
    """One series while a write lasts; `past` are accepted (at, value) pairs, oldest first."""

    id: int
    key: SeriesKey
    last_at: datetime | None
    past: list[tuple[datetime, float]]
    place: dict[str, Any]
    have: dict[datetime, Row[Any]] = field(default_factory=dict)
    changed: bool = False
    is_stale: bool = False
    last: Reading | None = None


@dataclass(slots=True)
class _Work:
    """The rows that one write comes to."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    corrections: list[dict[str, Any]] = field(default_factory=list)
    freed: set[tuple[int, SeriesKey, str]] = field(default_factory=set)
    #: Measures with the times about which something is said anew.
    touched: set[tuple[str, datetime]] = field(default_factory=set)


def write_readings(
    database: Database,
    connection: Connection,
    source_id: str,
    facts: Facts,
    fetched_at: datetime,
) -> WrittenReadings:
    """Write the readings of one answer inside a transaction; repeating it changes nothing.

    Each new or changed value is judged by its series; what looks wrong is stored as held. With a
    delivery, what an earlier one of its name brought and this one lacks is withdrawn.
    """
    result = WrittenReadings()
    if not facts.readings and facts.delivery is None:
        return result
    by_key: dict[SeriesKey, dict[datetime, Reading]] = defaultdict(dict)
    for each in facts.readings:
        by_key[(each.measure, each.subject)][each.at] = each
    known = _load_series(connection, source_id)
    missing = [key for key in by_key if key not in known]
    if missing:
        connection.execute(
            schema.series.insert(),
            [_series_row(source_id, next(iter(by_key[key].values()))) for key in missing],
        )
        known = _load_series(connection, source_id)
        result.new_series = len(missing)
    _load_present(connection, known, by_key)
    work = _Work()
    for key, readings in by_key.items():
        series = known[key]
        for at in sorted(readings):
            _take(series, readings[at], facts, work, result, fetched_at)
    database.upsert(connection, schema.reading, work.rows)
    if facts.delivery is not None:
        _withdraw(connection, source_id, facts.delivery, known, by_key, work, result, fetched_at)
    if work.corrections:
        connection.execute(schema.reading_correction.insert(), work.corrections)
    touch(database, connection, source_id, work.touched)
    changed = [series for series in known.values() if series.changed]
    _save_series(connection, changed)
    result.newest += [series.last for series in changed if series.last is not None]
    for series_id, key, kind in work.freed:
        result.ended += _end_if_free(connection, source_id, series_id, key, kind, fetched_at)
    return result


def _take(
    series: _Series,
    reading: Reading,
    facts: Facts,
    work: _Work,
    result: WrittenReadings,
    fetched_at: datetime,
) -> None:
    present = series.have.get(reading.at)
    if present is not None and present.value == reading.value:
        if reading.delivery is not None and present.delivery != reading.delivery:
            work.rows.append(
                _reading_row(series.id, replace(reading, held=present.held))
                | {"fetched_at": present.fetched_at, "observed_at": present.observed_at}
            )
        return
    others = [pair for pair in series.past if pair[0] != reading.at]
    found = None
    if not reading.held:
        before = [pair for pair in others if pair[0] < reading.at]
        found = judge(reading, facts.measures[reading.measure], before or others, facts.zone)
    held = reading.held or (found.kind.value if found else "")
    if found is not None:
        result.findings.append(found)
    # A newer forecast is no correction of an older one.
    if present is not None and not facts.measures[reading.measure].forecast:
        result.corrected += 1
        work.corrections.append(
            _correction(series.id, reading.at, present.value, reading.value, reading, fetched_at)
        )
    if present is not None and present.held not in ("", held):
        work.freed.add((series.id, series.key, present.held))
    work.rows.append(_reading_row(series.id, replace(reading, held=held)))
    work.touched.add((reading.measure, reading.at))
    result.written += 1
    series.changed = True
    if held:
        result.held += 1
        series.past = others
        series.is_stale = series.is_stale or reading.at == series.last_at
        return
    series.past = sorted([*others, (reading.at, reading.value)])[-REMEMBERED:]
    if series.last_at is None or reading.at >= series.last_at:
        series.last_at = reading.at
        series.last = reading


def _withdraw(
    connection: Connection,
    source_id: str,
    delivery: str,
    known: dict[SeriesKey, _Series],
    by_key: dict[SeriesKey, dict[datetime, Reading]],
    work: _Work,
    result: WrittenReadings,
    fetched_at: datetime,
) -> None:
    """Take back what this delivery brought before and does not bring any more."""
    by_id = {series.id: series for series in known.values()}
    table = schema.reading
    rows = connection.execute(
        select(table.c.series_id, table.c.at, table.c.value, table.c.held)
        .join(schema.series, schema.series.c.id == table.c.series_id)
        .where(schema.series.c.source_id == source_id, table.c.delivery == delivery)
    ).all()
    for row in rows:
        series = by_id[row.series_id]
        if row.at in by_key.get(series.key, {}):
            continue
        connection.execute(
            delete(table).where(table.c.series_id == row.series_id, table.c.at == row.at)
        )
        work.corrections.append(
            {
                "series_id": row.series_id,
                "at": row.at,
                "before": row.value,
                "after": None,
                "delivery": delivery,
                "corrected_at": fetched_at,
            }
        )
        work.touched.add((series.key[0], row.at))
        result.withdrawn += 1
        series.changed = series.is_stale = True
        series.past = [pair for pair in series.past if pair[0] != row.at]
        if row.held:
            work.freed.add((series.id, series.key, row.held))


def _load_series(connection: Connection, source_id: str) -> dict[SeriesKey, _Series]:
    table = schema.series
    rows = connection.execute(select(table).where(table.c.source_id == source_id))
    return {
        (row.measure, row.subject): _Series(
            id=row.id,
            key=(row.measure, row.subject),
            last_at=row.last_at,
            past=[(datetime.fromisoformat(at).astimezone(UTC), value) for at, value in row.recent],
            place={name: getattr(row, name) for name in _PLACE},
        )
        for row in rows
    }


def _load_present(
    connection: Connection,
    known: dict[SeriesKey, _Series],
    by_key: dict[SeriesKey, dict[datetime, Reading]],
) -> None:
    """The readings that are there already about the times of the incoming ones."""
    by_id = {known[key].id: known[key] for key in by_key}
    if not by_id:
        return
    first = min(min(readings) for readings in by_key.values())
    last = max(max(readings) for readings in by_key.values())
    table = schema.reading
    for ids in chunked(by_id):
        rows = connection.execute(
            select(table).where(table.c.series_id.in_(ids), table.c.at.between(first, last))
        )
        for row in rows:
            by_id[row.series_id].have[row.at] = row


def _save_series(connection: Connection, changed: Sequence[_Series]) -> None:
    """Write what the series now are; those that change the same columns by one statement."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for series in changed:
        values = _series_values(connection, series)
        alike[tuple(values)].append({"of_series": series.id, **values})
    for rows in alike.values():
        statement = update(schema.series).where(schema.series.c.id == bindparam("of_series"))
        connection.execute(statement, rows)


def _series_values(connection: Connection, series: _Series) -> dict[str, Any]:
    if series.is_stale:
        _look_up_last(connection, series)
    values: dict[str, Any] = {
        "recent": [[at.isoformat(), value] for at, value in series.past],
    }
    if series.last is not None:
        values |= _last_values(series.last)
        place = {name: getattr(series.last, name) for name in _PLACE}
        values |= {name: value for name, value in place.items() if value is not None}
    elif series.is_stale:
        values |= dict.fromkeys(
            ("last_at", "last_value", "last_observed_at", "last_estimated", "last_fetched_at")
        )
    return values


def _look_up_last(connection: Connection, series: _Series) -> None:
    """The newest accepted reading, after the one that was it is gone or held back."""
    table, about = schema.reading, schema.series
    row = connection.execute(
        select(table, about)
        .join(about, about.c.id == table.c.series_id)
        .where(table.c.series_id == series.id, table.c.held == "")
        .order_by(table.c.at.desc())
        .limit(1)
    ).first()
    series.last = _reading_of(row) if row else None


def _end_if_free(
    connection: Connection,
    source_id: str,
    series_id: int,
    key: SeriesKey,
    kind: str,
    at: datetime,
) -> int:
    """Call a finding over once nothing is held back for it any more; how many were open."""
    table = schema.reading
    left = connection.execute(
        select(func.count()).where(table.c.series_id == series_id, table.c.held == kind)
    ).scalar_one()
    if left:
        return 0
    return end_finding(connection, source_id, FindingKind(kind), at, *key)


def _series_row(source_id: str, first: Reading) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "measure": first.measure,
        "subject": first.subject,
        "recent": [],
        **{name: getattr(first, name) for name in _PLACE},
    }


def _reading_row(series_id: int, reading: Reading) -> dict[str, Any]:
    return {
        "series_id": series_id,
        "at": reading.at,
        "value": reading.value,
        "observed_at": reading.observed_at,
        "observed_estimated": reading.observed_estimated,
        "fetched_at": reading.fetched_at,
        "held": reading.held,
        "delivery": reading.delivery,
    }


def _correction(
    series_id: int,
    at: datetime,
    before: float,
    after: float,
    reading: Reading,
    corrected_at: datetime,
) -> dict[str, Any]:
    return {
        "series_id": series_id,
        "at": at,
        "before": before,
        "after": after,
        "delivery": reading.delivery,
        "corrected_at": corrected_at,
    }


def _last_values(reading: Reading) -> dict[str, Any]:
    return {
        "last_at": reading.at,
        "last_value": reading.value,
        "last_observed_at": reading.observed_at,
        "last_estimated": reading.observed_estimated,
        "last_fetched_at": reading.fetched_at,
    }


def _reading_of(row: Row[Any]) -> Reading:
    return Reading(
        source_id=row.source_id,
        measure=row.measure,
        subject=row.subject,
        value=row.value,
        at=row.at,
        observed_at=row.observed_at,
        observed_estimated=row.observed_estimated,
        fetched_at=row.fetched_at,
        held=row.held,
        delivery=row.delivery,
        **{name: getattr(row, name) for name in _PLACE},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFilter:
    """Which series are meant; empty means everything."""

    sources: Sequence[str] = ()
    measures: Sequence[str] = ()
    subjects: Sequence[str] = ()
    kecamatan: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    held: bool | None = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSeries:
    """One series and its newest reading that counts; None where all of it is held back."""

    number: int
    source_id: str
    measure: str
    subject: str
    subject_name: str | None
    kecamatan: str | None
    kelurahan: str | None
    placed_by: str
    location_problem: str
    latitude: float | None
    longitude: float | None
    simulated: bool
    last: Reading | None


class ReadingStore:
    """Reads series and readings, and releases held ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, wanted: ReadingFilter, limit: int = 10_000) -> list[Reading]:
        """The newest accepted reading of each series, by source, measure and subject."""
        table = schema.series
        statement = (
            select(table)
            .where(*_conditions(wanted), table.c.last_at.is_not(None))
            .order_by(table.c.source_id, table.c.measure, table.c.subject)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [_last_of(row) for row in connection.execute(statement)]

    def series(self, wanted: ReadingFilter, limit: int, after: int = 0) -> list[KnownSeries]:
        """Series by their number; `after` is that of the last one of the page before."""
        table = schema.series
        statement = (
            select(table)
            .where(*_conditions(wanted), table.c.id > after)
            .order_by(table.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [
                KnownSeries(
                    number=row.id,
                    source_id=row.source_id,
                    measure=row.measure,
                    subject=row.subject,
                    **{name: getattr(row, name) for name in _PLACE},
                    last=_last_of(row) if row.last_at is not None else None,
                )
                for row in connection.execute(statement)
            ]

    def count_series(self, wanted: ReadingFilter) -> tuple[int, int]:
        """How many series match, and how many have no reading that is not held back."""
        table = schema.series
        statement = select(func.count(), func.count().filter(table.c.last_at.is_(None)))
        with self._database.reading() as connection:
            row = connection.execute(statement.where(*_conditions(wanted))).one()
        return int(row[0]), int(row[1])

    def readings(
        self,
        wanted: ReadingFilter,
        limit: int,
        before: tuple[datetime, int] | None = None,
    ) -> list[tuple[int, Reading]]:
        """Readings with the number of their series, newest first.

        `before` is (at, number of the series) of the last one of the page before.
        """
        table, about = schema.reading, schema.series
        statement = (
            select(table, about)
            .join(about, about.c.id == table.c.series_id)
            .where(*_conditions(wanted))
            .order_by(table.c.at.desc(), table.c.series_id.desc())
            .limit(limit)
        )
        if wanted.since is not None:
            statement = statement.where(table.c.at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(table.c.at < wanted.until)
        if wanted.held is not None:
            held = table.c.held != "" if wanted.held else table.c.held == ""
            statement = statement.where(held)
        if before is not None:
            at, number = before
            statement = statement.where(
                (table.c.at < at) | and_(table.c.at == at, table.c.series_id < number)
            )
        with self._database.reading() as connection:
            return [(row.series_id, _reading_of(row)) for row in connection.execute(statement)]

    def counts(self, wanted: ReadingFilter) -> tuple[int, int]:
        """How many readings match (held ones aside), and how many are held back."""
        table, about = schema.reading, schema.series
        statement = (
            select(func.count().filter(table.c.held == ""), func.count().filter(table.c.held != ""))
            .select_from(table.join(about, about.c.id == table.c.series_id))
            .where(*_conditions(wanted))
        )
        if wanted.since is not None:
            statement = statement.where(table.c.at >= wanted.since)
        if wanted.until is not None:
            statement = statement.where(table.c.at < wanted.until)
        with self._database.reading() as connection:
            row = connection.execute(statement).one()
        return int(row[0]), int(row[1])

    def corrections(self, source_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """What was corrected last: measure, subject, at, before, after (None: withdrawn)."""
        table, about = schema.reading_correction, schema.series
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table, about.c.measure, about.c.subject)
                .join(about, about.c.id == table.c.series_id)
                .where(about.c.source_id == source_id)
                .order_by(table.c.seq.desc())
                .limit(limit)
            )
            return [dict(row._mapping) for row in rows]

    def decide(
        self, finding_id: int, *, accept: bool, by: str, note: str, at: datetime
    ) -> tuple[Finding, list[Reading]]:
        """Accept a finding (its readings count from now on) or dismiss it (they never will).

        Returns it and the readings that are now the newest of their series. Raises LawangError
        where it is not open, or nobody is named.
        """
        if not by.strip():
            raise LawangError("a decision needs the name of who made it")
        state = FindingState.ACCEPTED if accept else FindingState.DISMISSED
        with self._database.writing() as connection:
            finding = take_open(connection, finding_id)
            mark_decided(connection, finding_id, state, by.strip(), note.strip(), at)
            newest = _release(self._database, connection, finding) if accept else []
        return finding, newest


def _release(database: Database, connection: Connection, finding: Finding) -> list[Reading]:
    """Let the readings held for a finding count, and begin their series' habits anew."""
    about, table = schema.series, schema.reading
    row = connection.execute(
        select(about).where(
            about.c.source_id == finding.source_id,
            about.c.measure == finding.measure,
            about.c.subject == finding.subject,
        )
    ).first()
    if row is None:
        return []
    held = (table.c.series_id == row.id, table.c.held == finding.kind.value)
    released = connection.execute(select(table.c.at).where(*held)).scalars().all()
    if not released:
        return []
    connection.execute(update(table).where(*held).values(held=""))
    touched = ((finding.measure, at) for at in released)
    touch(database, connection, finding.source_id, touched)
    newest = connection.execute(
        select(table.c.at, table.c.value)
        .where(table.c.series_id == row.id, table.c.held == "")
        .order_by(table.c.at.desc())
        .limit(REMEMBERED)
    ).all()
    series = _Series(row.id, (row.measure, row.subject), row.last_at, [], {})
    series.is_stale = True
    # A person said that this level is right: values of before would only call it wrong again.
    series.past = [(each.at, each.value) for each in newest[:1]]
    _save_series(connection, [series])
    return [series.last] if series.last is not None else []


def _last_of(row: Row[Any]) -> Reading:
    return Reading(
        source_id=row.source_id,
        measure=row.measure,
        subject=row.subject,
        value=row.last_value,
        at=row.last_at,
        observed_at=row.last_observed_at,
        observed_estimated=row.last_estimated,
        fetched_at=row.last_fetched_at,
        **{name: getattr(row, name) for name in _PLACE},
    )


def _conditions(wanted: ReadingFilter) -> Iterable[Any]:
    table = schema.series
    lists = (
        (table.c.source_id, wanted.sources),
        (table.c.measure, wanted.measures),
        (table.c.subject, wanted.subjects),
        (table.c.kecamatan, wanted.kecamatan),
    )
    return [column.in_(list(values)) for column, values in lists if values]
