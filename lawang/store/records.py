"""Positions, alerts and service requests in history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, and_, func, or_, select, update

from lawang.domain.alert import Alert, MessageType, Severity
from lawang.domain.position import Position, PositionStatus
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.store import schema
from lawang.store.database import Database, chunked
from lawang.store.touches import REQUESTS, touch

#: How far back an Update or a Cancel is looked for that came before the message it ends.
_REFERENCE_REACH = timedelta(days=30)
_UNCOMPARED = frozenset({"observed_at", "observed_estimated", "fetched_at"})

Kept = TypeVar("Kept", Position, ServiceRequest)


def _present(connection: Connection, table: Table, ids: Sequence[str]) -> dict[str, Row[Any]]:
    found: dict[str, Row[Any]] = {}
    for chunk in chunked(ids):
        for row in connection.execute(select(table).where(table.c.id.in_(chunk))):
            found[row.id] = row
    return found


@dataclass(frozen=True, slots=True)
class WrittenRecords:
    """What one write changed: the new states, how many of them are new, how many came too late.

    `before` are the states that were replaced.
    """

    changed: list[Any]
    new: int = 0
    outdated: int = 0
    before: list[Any] = field(default_factory=list)


def _write_newer(
    database: Database,
    connection: Connection,
    table: Table,
    incoming: Sequence[Kept],
    *,
    read: Callable[[Row[Any]], Kept],
    complete: Callable[[Kept, Kept], Kept],
) -> WrittenRecords:
    """Store what says something newer than what is known.

    `read` makes a record of a row; `complete(known, incoming)` adds what the newer one leaves
    unsaid and what still holds.
    """
    present = _present(connection, table, [each.id for each in incoming])
    changed: list[Kept] = []
    before: list[Kept] = []
    outdated = 0
    for each in incoming:
        row = present.get(each.id)
        if row is None:
            changed.append(each)
            continue
        known = read(row)
        if _is_outdated(known, each):
            outdated += 1
            continue
        whole = complete(known, each)
        if not _is_same(known, whole):
            changed.append(whole)
            before.append(known)
    database.upsert(connection, table, [_plain(each) for each in changed])
    new = sum(each.id not in present for each in changed)
    return WrittenRecords(changed, new, outdated, before)


def _is_outdated(known: Kept, incoming: Kept) -> bool:
    return (
        not known.observed_estimated
        and not incoming.observed_estimated
        and incoming.observed_at < known.observed_at
    )


def _is_same(known: Kept, incoming: Kept) -> bool:
    """Whether nothing new is said. A new time, stated by the source, is something new."""
    if not incoming.observed_estimated and incoming.observed_at != known.observed_at:
        return False
    return _says_the_same(known, incoming)


def _says_the_same(known: Any, incoming: Any) -> bool:
    return all(
        getattr(known, each.name) == getattr(incoming, each.name)
        for each in fields(known)
        if each.name not in _UNCOMPARED
    )


def _plain(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


# --- positions -----------------------------------------------------------------------------------


def write_positions(
    database: Database, connection: Connection, positions: Sequence[Position]
) -> WrittenRecords:
    """Store the positions that say something newer than what is known."""
    return _write_newer(
        database,
        connection,
        schema.position,
        positions,
        read=_position_of,
        complete=_complete_position,
    )


def _complete_position(known: Position, incoming: Position) -> Position:
    """A message about nothing but its status, such as a gauge's last will: it still is what and
    where it was."""
    if not (incoming.name is None and incoming.latitude is None and incoming.kecamatan is None):
        return incoming
    return replace(
        known,
        status=incoming.status,
        status_raw=incoming.status_raw,
        observed_at=incoming.observed_at,
        observed_estimated=incoming.observed_estimated,
        fetched_at=incoming.fetched_at,
        simulated=incoming.simulated,
    )


def _position_of(row: Row[Any]) -> Position:
    values = dict(row._mapping)
    values["status"] = PositionStatus(values["status"])
    return Position(**values)


# --- alerts --------------------------------------------------------------------------------------


def write_alerts(
    database: Database, connection: Connection, source_id: str, alerts: Sequence[Alert]
) -> WrittenRecords:
    """Store messages, and end those that a later one updates or cancels, whichever came first."""
    if not alerts:
        return WrittenRecords([])
    present = _present(connection, schema.alert, [each.id for each in alerts])
    changed: dict[str, Alert] = {}
    for each in alerts:
        row = present.get(each.id)
        if row is not None:
            known = _alert_of(row)
            each = replace(each, ended_at=known.ended_at, ended_by=known.ended_by)
            if _says_the_same(known, each):
                continue
        changed[each.id] = each
    if not changed:
        return WrittenRecords([])
    _end_referenced(connection, source_id, changed)
    rows = [_alert_row(each) for each in changed.values()]
    database.upsert(connection, schema.alert, rows)
    new = sum(alert_id not in present for alert_id in changed)
    return WrittenRecords(list(changed.values()), new)


def _end_referenced(connection: Connection, source_id: str, changed: dict[str, Alert]) -> None:
    """Let messages of this write end each other, those stored before, and be ended by those."""
    table = schema.alert
    oldest = min(each.sent_at for each in changed.values()) - _REFERENCE_REACH
    stored = connection.execute(
        select(table).where(table.c.source_id == source_id, table.c.sent_at >= oldest)
    ).all()
    known = {row.id: _alert_of(row) for row in stored} | changed
    for ending in sorted(known.values(), key=lambda each: each.sent_at):
        if ending.message_type is MessageType.ALERT:
            continue
        for reference in ending.references:
            target = known.get(f"{source_id}:{reference}")
            if target is None or target.ended_at is not None or target.id == ending.id:
                continue
            ended = replace(target, ended_at=ending.sent_at, ended_by=ending.external_id)
            known[target.id] = changed[target.id] = ended


def end_missing_alerts(
    connection: Connection, source_id: str, present: Sequence[str], now: datetime
) -> list[Alert]:
    """End messages without an expiry that a whole feed does not list any more; those ended."""
    table = schema.alert
    rows = connection.execute(
        select(table).where(
            table.c.source_id == source_id,
            table.c.ended_at.is_(None),
            table.c.expires_at.is_(None),
        )
    ).all()
    listed = set(present)
    ended = [
        replace(_alert_of(row), ended_at=now, ended_by="") for row in rows if row.id not in listed
    ]
    for chunk in chunked([each.id for each in ended]):
        connection.execute(
            update(table).where(table.c.id.in_(chunk)).values(ended_at=now, ended_by="")
        )
    return ended


def _alert_row(alert: Alert) -> dict[str, Any]:
    row = _plain(alert)
    row["message_type"] = alert.message_type.value
    row["severity"] = alert.severity.value
    for name in ("areas", "areas_not_found", "regions", "references"):
        row[name] = list(row[name])
    return row


def _alert_of(row: Row[Any]) -> Alert:
    values = dict(row._mapping)
    values["message_type"] = MessageType(values["message_type"])
    values["severity"] = Severity(values["severity"])
    for name in ("areas", "areas_not_found", "regions", "references"):
        values[name] = tuple(values[name])
    return Alert(**values)


# --- service requests ----------------------------------------------------------------------------


def write_requests(
    database: Database, connection: Connection, requests: Sequence[ServiceRequest]
) -> WrittenRecords:
    """Store the requests that say something newer than what is known."""
    written = _write_newer(
        database,
        connection,
        schema.service_request,
        requests,
        read=_request_of,
        complete=_complete_request,
    )
    moments: dict[str, set[datetime | None]] = {}
    for each in (*written.changed, *written.before):
        moments.setdefault(each.source_id, set()).update((each.requested_at, each.closed_at))
    for source_id, touched in moments.items():
        touch(database, connection, source_id, ((REQUESTS, at) for at in touched))
    return written


def _complete_request(known: ServiceRequest, incoming: ServiceRequest) -> ServiceRequest:
    if incoming.closed_at is None and not incoming.is_open and not known.is_open:
        # An outcome seen once keeps its time although the source states none.
        return replace(incoming, closed_at=known.closed_at)
    return incoming


def _request_of(row: Row[Any]) -> ServiceRequest:
    values = dict(row._mapping)
    values["status"] = RequestStatus(values["status"])
    return ServiceRequest(**values)


# --- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which service requests are meant; empty means everything."""

    sources: Sequence[str] = ()
    services: Sequence[str] = ()
    statuses: Sequence[RequestStatus] = ()
    kecamatan: Sequence[str] = ()
    kelurahan: Sequence[str] = ()
    open: bool | None = None
    past_due_at: datetime | None = None
    requested_from: datetime | None = None
    requested_to: datetime | None = None


class RecordStore:
    """Reads positions, alerts and service requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def positions(
        self,
        sources: Sequence[str] = (),
        kinds: Sequence[str] = (),
        limit: int = 10_000,
        *,
        statuses: Sequence[PositionStatus] = (),
        kecamatan: Sequence[str] = (),
        after: str = "",
    ) -> list[Position]:
        """The last known positions, by id; `after` is the id of the last one of the page before."""
        table = schema.position
        statement = select(table).where(
            *_position_conditions(sources, kinds, statuses, kecamatan), table.c.id > after
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(table.c.id).limit(limit))
            return [_position_of(row) for row in rows]

    def count_positions(
        self,
        sources: Sequence[str] = (),
        kinds: Sequence[str] = (),
        statuses: Sequence[PositionStatus] = (),
        kecamatan: Sequence[str] = (),
    ) -> tuple[int, int]:
        """How many positions match, and how many of them have no coordinates."""
        table = schema.position
        return self._count(
            func.count().filter(table.c.latitude.is_(None)),
            _position_conditions(sources, kinds, statuses, kecamatan),
        )

    def alerts(
        self,
        sources: Sequence[str] = (),
        in_force_at: datetime | None = None,
        touches_city: bool | None = None,
        limit: int = 200,
        *,
        severities: Sequence[Severity] = (),
        before: tuple[datetime, str] | None = None,
    ) -> list[Alert]:
        """Messages, the newest first; with `in_force_at` only those in force at that moment.

        `before` is (sent_at, id) of the last one of the page before.
        """
        table = schema.alert
        statement = select(table).where(
            *_alert_conditions(sources, in_force_at, touches_city, severities)
        )
        if before is not None:
            sent_at, alert_id = before
            statement = statement.where(
                or_(
                    table.c.sent_at < sent_at,
                    and_(table.c.sent_at == sent_at, table.c.id > alert_id),
                )
            )
        statement = statement.order_by(table.c.sent_at.desc(), table.c.id).limit(limit)
        with self._database.reading() as connection:
            return [_alert_of(row) for row in connection.execute(statement)]

    def count_alerts(
        self,
        sources: Sequence[str] = (),
        in_force_at: datetime | None = None,
        touches_city: bool | None = None,
        severities: Sequence[Severity] = (),
    ) -> tuple[int, int]:
        """How many messages match, and how many of them name no area of ours or draw none."""
        return self._count(
            func.count().filter(~schema.alert.c.touches_city),
            _alert_conditions(sources, in_force_at, touches_city, severities),
        )

    def _count(self, some: Any, conditions: list[Any]) -> tuple[int, int]:
        with self._database.reading() as connection:
            row = connection.execute(select(func.count(), some).where(*conditions)).one()
        return int(row[0]), int(row[1])

    def requests(
        self,
        wanted: RequestFilter,
        limit: int,
        before: tuple[datetime, str] | None = None,
    ) -> list[ServiceRequest]:
        """Requests by the time they were made, newest first; `before` as in `History.incidents`."""
        table = schema.service_request
        statement = select(table).where(*_request_conditions(wanted))
        if before is not None:
            at, request_id = before
            statement = statement.where(
                or_(
                    table.c.requested_at < at,
                    and_(table.c.requested_at == at, table.c.id < request_id),
                )
            )
        statement = statement.order_by(table.c.requested_at.desc(), table.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_request_of(row) for row in connection.execute(statement)]

    def count_requests(self, wanted: RequestFilter) -> tuple[int, int]:
        """How many requests match, and how many of them could not be placed."""
        table = schema.service_request
        with self._database.reading() as connection:
            row = connection.execute(
                select(func.count(), func.count().filter(table.c.kecamatan.is_(None))).where(
                    *_request_conditions(wanted)
                )
            ).one()
        return int(row[0]), int(row[1])

    def counts(self, source_id: str) -> dict[str, int]:
        """How many series, positions, alerts and service requests a source has."""
        tables = {
            "series": schema.series,
            "positions": schema.position,
            "alerts": schema.alert,
            "requests": schema.service_request,
        }
        with self._database.reading() as connection:
            return {
                name: int(
                    connection.execute(
                        select(func.count()).where(table.c.source_id == source_id)
                    ).scalar_one()
                )
                for name, table in tables.items()
            }


def _position_conditions(
    sources: Sequence[str],
    kinds: Sequence[str],
    statuses: Sequence[PositionStatus],
    kecamatan: Sequence[str],
) -> list[Any]:
    table = schema.position
    lists = (
        (table.c.source_id, sources),
        (table.c.kind, kinds),
        (table.c.status, [status.value for status in statuses]),
        (table.c.kecamatan, kecamatan),
    )
    return [column.in_(list(values)) for column, values in lists if values]


def _alert_conditions(
    sources: Sequence[str],
    in_force_at: datetime | None,
    touches_city: bool | None,
    severities: Sequence[Severity],
) -> list[Any]:
    table = schema.alert
    found: list[Any] = []
    if sources:
        found.append(table.c.source_id.in_(list(sources)))
    if severities:
        found.append(table.c.severity.in_([severity.value for severity in severities]))
    if touches_city is not None:
        found.append(table.c.touches_city == touches_city)
    if in_force_at is not None:
        found += [
            table.c.message_type != MessageType.CANCEL.value,
            table.c.ended_at.is_(None),
            or_(table.c.expires_at.is_(None), table.c.expires_at > in_force_at),
        ]
    return found


def _request_conditions(wanted: RequestFilter) -> list[Any]:
    table = schema.service_request
    lists = (
        (table.c.source_id, wanted.sources),
        (table.c.service, wanted.services),
        (table.c.status, [status.value for status in wanted.statuses]),
        (table.c.kecamatan, wanted.kecamatan),
        (table.c.kelurahan, wanted.kelurahan),
    )
    found: list[Any] = [column.in_(list(values)) for column, values in lists if values]
    ended = [status.value for status in RequestStatus if not status.is_open]
    if wanted.open is not None:
        is_open = table.c.status.not_in(ended)
        found.append(is_open if wanted.open else ~is_open)
    if wanted.past_due_at is not None:
        found += [table.c.status.not_in(ended), table.c.due_at < wanted.past_due_at]
    if wanted.requested_from is not None:
        found.append(table.c.requested_at >= wanted.requested_from)
    if wanted.requested_to is not None:
        found.append(table.c.requested_at < wanted.requested_to)
    return found
