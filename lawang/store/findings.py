"""Findings in history: opened at settle, decided by a person, or over by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, update

from lawang.domain.errors import LawangError
from lawang.domain.finding import Finding, FindingKind, FindingState, NewFinding
from lawang.store import schema
from lawang.store.database import Database

_LONGEST_NOTE = 500


def open_findings(
    database: Database,
    connection: Connection,
    source_id: str,
    found: Iterable[NewFinding],
    seen_at: datetime,
) -> int:
    """Add findings to those open of the same kind and series, or open them; how many are new."""
    joined: dict[tuple[str, str, str], NewFinding] = {}
    counts: dict[tuple[str, str, str], int] = {}
    for each in found:
        key = (each.kind.value, each.measure, each.subject)
        joined[key] = each
        counts[key] = counts.get(key, 0) + each.count
    table = schema.finding
    opened = 0
    for key, each in joined.items():
        known = connection.execute(
            update(table)
            .where(_same(source_id, key), table.c.state == FindingState.OPEN.value)
            .values(
                count=table.c.count + counts[key],
                last_seen=seen_at,
                detail=each.detail,
                sample=each.sample,
                at=each.at,
                value=each.value,
                usual=each.usual,
            )
        )
        if known.rowcount:
            continue
        opened += 1
        connection.execute(
            database.insert(table).values(
                source_id=source_id,
                kind=each.kind.value,
                measure=each.measure,
                subject=each.subject,
                detail=each.detail,
                sample=each.sample,
                count=counts[key],
                at=each.at,
                value=each.value,
                usual=each.usual,
                first_seen=seen_at,
                last_seen=seen_at,
                state=FindingState.OPEN.value,
            )
        )
    return opened


def end_finding(
    connection: Connection,
    source_id: str,
    kind: FindingKind,
    at: datetime,
    measure: str = "",
    subject: str = "",
) -> int:
    """Call an open finding over, as its cause is gone; how many were open."""
    table = schema.finding
    return connection.execute(
        update(table)
        .where(
            _same(source_id, (kind.value, measure, subject)),
            table.c.state == FindingState.OPEN.value,
        )
        .values(state=FindingState.OVER.value, decided_at=at)
    ).rowcount


def _same(source_id: str, key: tuple[str, str, str]) -> ColumnElement[bool]:
    table = schema.finding
    kind, measure, subject = key
    return and_(
        table.c.source_id == source_id,
        table.c.kind == kind,
        table.c.measure == measure,
        table.c.subject == subject,
    )


class FindingStore:
    """Reads findings; deciding one is `ReadingStore.decide`, as readings follow it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        source_ids: Sequence[str] = (),
        states: Sequence[FindingState] = (FindingState.OPEN,),
        limit: int = 200,
        *,
        kinds: Sequence[FindingKind] = (),
        before: tuple[datetime, int] | None = None,
    ) -> list[Finding]:
        """Findings, the last seen first; of all sources where none is named.

        `before` is (last_seen, id) of the last one of the page before.
        """
        table = schema.finding
        statement = select(table).where(*_wanted(source_ids, states, kinds))
        if before is not None:
            last_seen, finding_id = before
            statement = statement.where(
                or_(
                    table.c.last_seen < last_seen,
                    and_(table.c.last_seen == last_seen, table.c.id < finding_id),
                )
            )
        statement = statement.order_by(table.c.last_seen.desc(), table.c.id.desc())
        with self._database.reading() as connection:
            return [_finding_of(row) for row in connection.execute(statement.limit(limit))]

    def count(
        self,
        source_ids: Sequence[str] = (),
        states: Sequence[FindingState] = (FindingState.OPEN,),
        kinds: Sequence[FindingKind] = (),
    ) -> int:
        """How many findings match."""
        statement = select(func.count()).select_from(schema.finding)
        with self._database.reading() as connection:
            return int(
                connection.execute(
                    statement.where(*_wanted(source_ids, states, kinds))
                ).scalar_one()
            )

    def get(self, finding_id: int) -> Finding | None:
        """One finding."""
        table = schema.finding
        with self._database.reading() as connection:
            row = connection.execute(select(table).where(table.c.id == finding_id)).first()
        return _finding_of(row) if row else None

    def count_open(self, source_id: str) -> int:
        """How many findings of a source are open."""
        table = schema.finding
        with self._database.reading() as connection:
            return int(
                connection.execute(
                    select(func.count()).where(
                        table.c.source_id == source_id,
                        table.c.state == FindingState.OPEN.value,
                    )
                ).scalar_one()
            )

    def open_counts(self) -> dict[str, int]:
        """How many findings each source has open; those without any are left out."""
        table = schema.finding
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table.c.source_id, func.count())
                .where(table.c.state == FindingState.OPEN.value)
                .group_by(table.c.source_id)
            )
            return {row[0]: int(row[1]) for row in rows}


def _wanted(
    source_ids: Sequence[str], states: Sequence[FindingState], kinds: Sequence[FindingKind]
) -> tuple[ColumnElement[bool], ...]:
    table = schema.finding
    lists = (
        (table.c.source_id, source_ids),
        (table.c.state, [state.value for state in states]),
        (table.c.kind, [kind.value for kind in kinds]),
    )
    return tuple(column.in_(list(values)) for column, values in lists if values)


def take_open(connection: Connection, finding_id: int) -> Finding:
    """The open finding to be decided. Raises LawangError where there is none of that number."""
    table = schema.finding
    row = connection.execute(select(table).where(table.c.id == finding_id)).first()
    if row is None:
        raise LawangError(f"there is no finding {finding_id}")
    if row.state != FindingState.OPEN.value:
        raise LawangError(f"finding {finding_id} is decided already: {row.state}")
    return _finding_of(row)


def mark_decided(
    connection: Connection,
    finding_id: int,
    state: FindingState,
    by: str,
    note: str,
    at: datetime,
) -> None:
    """Write down who decided what, and why."""
    table = schema.finding
    connection.execute(
        update(table)
        .where(table.c.id == finding_id)
        .values(state=state.value, decided_by=by[:120], note=note[:_LONGEST_NOTE], decided_at=at)
    )


def _finding_of(row: Row[tuple[object, ...]]) -> Finding:
    values = dict(row._mapping)
    values["kind"] = FindingKind(values["kind"])
    values["state"] = FindingState(values["state"])
    return Finding(**values)
