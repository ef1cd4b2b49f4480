"""History: every incident and what happened to it, in SQLite or PostgreSQL.

All methods are synchronous and may be called from any thread; each is one transaction. They raise
`StoreError("store_busy" | "store_down", ...)` when the database cannot answer, and nothing of the
transaction is kept then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, func, or_, select, update

from lawang.connector import Cursor
from lawang.domain.alert import Alert
from lawang.domain.errors import Fenced
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind
from lawang.domain.health import SourceState, state_from_plain, state_to_plain
from lawang.domain.incident import (
    EventKind,
    Incident,
    IncidentEvent,
    Reject,
    Status,
    apply,
    compare,
    derive,
    field_values,
    from_plain,
    is_outdated,
)
from lawang.domain.position import Position
from lawang.domain.service import ServiceRequest
from lawang.store import schema
from lawang.store.alarms import AlarmStore
from lawang.store.briefs import BriefStore
from lawang.store.database import CHUNK, Database
from lawang.store.findings import FindingStore, end_finding, open_findings
from lawang.store.inbox import Inbox
from lawang.store.kpis import KpiStore
from lawang.store.quality import QualityStore
from lawang.store.readings import ReadingStore, WrittenReadings, write_readings
from lawang.store.records import (
    RecordStore,
    end_missing_alerts,
    write_alerts,
    write_positions,
    write_requests,
)
from lawang.store.screens import ScreenStore
from lawang.store.touches import INCIDENTS, touch


@dataclass(frozen=True, slots=True)
class Settled:
    """What one write changed.

    `incidents` are the new states of those that changed, `before` the states they replace (none
    for a new one); `quarantined` counts records that were not in quarantine yet.
    """

    incidents: list[Incident] = field(default_factory=list)
    before: list[Incident] = field(default_factory=list)
    events: list[IncidentEvent] = field(default_factory=list)
    outdated: int = 0
    quarantined: int = 0
    readings: WrittenReadings = field(default_factory=WrittenReadings)
    positions: list[Position] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    requests: list[ServiceRequest] = field(default_factory=list)
    #: How many of the records changed were not there before, by kind.
    new: dict[str, int] = field(default_factory=dict)
    findings: int = 0

    @property
    def changed(self) -> int:
        """How many records were stored or replaced."""
        return (
            len(self.incidents)
            + self.quarantined
            + self.readings.written
            + self.readings.withdrawn
            + len(self.positions)
            + len(self.alerts)
            + len(self.requests)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The wall's four numbers at one moment. New and done are since the day began there."""

    new_today: int
    open: int
    past_due: int
    done_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """What the incident list is narrowed to; empty means everything."""

    sources: Sequence[str] = ()
    categories: Sequence[str] = ()
    statuses: Sequence[Status] = ()
    kecamatan: Sequence[str] = ()
    kelurahan: Sequence[str] = ()
    open: bool | None = None
    past_due_at: datetime | None = None
    located: bool | None = None
    requested_from: datetime | None = None
    requested_to: datetime | None = None
    updated_from: datetime | None = None


class History:
    """The SQL store. Give it an engine from `lawang.store.engine.open_engine`."""

    def __init__(self, engine: Engine) -> None:
        self.database = Database(engine)
        self.readings = ReadingStore(self.database)
        self.records = RecordStore(self.database)
        self.findings = FindingStore(self.database)
        self.quality = QualityStore(self.database)
        self.inbox = Inbox(engine)
        self.kpis = KpiStore(self.database)
        self.briefs = BriefStore(self.database)
        self.alarms = AlarmStore(self.database)
        self.screens = ScreenStore(self.database)
        self._insert = self.database.insert
        self._reading = self.database.reading
        self._writing = self.database.writing

    def close(self) -> None:
        """Give all connections back."""
        self.database.engine.dispose()

    # --- writing -----------------------------------------------------------------------------

    def settle(
        self,
        source_id: str,
        incoming: Sequence[Incident],
        rejects: Sequence[Reject] = (),
        *,
        fetched_at: datetime,
        fence: int,
        facts: Facts | None = None,
    ) -> Settled:
        """Write one page of a poll: states, events and quarantine together, or nothing.

        `facts` are the records of the page that are no incidents. Repeating it with the same
        records changes nothing. Raises Fenced if a newer clock has written for this source.
        """
        more: dict[str, Any] = {}
        with self._writing() as connection:
            self._hold(connection, source_id, fence, fetched_at)
            current = self._current(connection, [item.id for item in incoming])
            result = _advance(incoming, current)
            self._store(connection, result.states.values())
            self._touch(connection, source_id, result.states, current)
            if result.events:
                connection.execute(
                    schema.incident_event.insert(),
                    [_event_row(event, version) for event, version in result.events],
                )
            outdated = result.outdated
            if facts is not None:
                more, late = self._settle_facts(connection, source_id, facts, fetched_at)
                outdated += late
            quarantined = self._quarantine(connection, source_id, rejects, fetched_at)
        return Settled(
            incidents=[state for state, _version in result.states.values()],
            before=[current[key][0] for key in result.states if key in current],
            events=[event for event, _version in result.events],
            outdated=outdated,
            quarantined=quarantined,
            **more,
        )

    def _settle_facts(
        self, connection: Connection, source_id: str, facts: Facts, fetched_at: datetime
    ) -> tuple[dict[str, Any], int]:
        """Everything but incidents: what changed, and how many records came too late."""
        readings = write_readings(self.database, connection, source_id, facts, fetched_at)
        positions = write_positions(self.database, connection, facts.positions)
        alerts = write_alerts(self.database, connection, source_id, facts.alerts)
        requests = write_requests(self.database, connection, facts.requests)
        found = [*facts.findings, *readings.findings]
        opened = open_findings(self.database, connection, source_id, found, fetched_at)
        changed = {
            "readings": readings,
            "positions": positions.changed,
            "alerts": alerts.changed,
            "requests": requests.changed,
            "new": {
                "series": readings.new_series,
                "positions": positions.new,
                "alerts": alerts.new,
                "requests": requests.new,
            },
            "findings": opened - readings.ended,
        }
        return changed, positions.outdated + requests.outdated

    def note_findings(self, source_id: str, facts: Facts, *, seen_at: datetime) -> int:
        """Open findings that belong to no answer's records; how many are new."""
        with self._writing() as connection:
            return open_findings(self.database, connection, source_id, facts.findings, seen_at)

    def end_finding(self, source_id: str, kind: FindingKind, at: datetime) -> int:
        """Call a finding about the whole source over; how many were open."""
        with self._writing() as connection:
            return end_finding(connection, source_id, kind, at)

    def end_missing_alerts(
        self, source_id: str, present: Sequence[str], now: datetime
    ) -> list[Alert]:
        """End alerts without an expiry that a whole feed does not list any more."""
        with self._writing() as connection:
            return end_missing_alerts(connection, source_id, present, now)

    def finish_poll(
        self, source_id: str, cursor: Cursor, state: SourceState, *, fence: int, now: datetime
    ) -> None:
        """Move the cursor, once all pages of a poll are settled, and close a running outage."""
        with self._writing() as connection:
            self._hold(connection, source_id, fence, now)
            connection.execute(
                update(schema.source_state)
                .where(schema.source_state.c.source_id == source_id)
                .values(
                    watermark=cursor.watermark,
                    validators=cursor.validators,
                    state=state_to_plain(state),
                    updated_at=now,
                )
            )
            outage = schema.source_outage
            connection.execute(
                update(outage)
                .where(outage.c.source_id == source_id, outage.c.ended_at.is_(None))
                .values(ended_at=now)
            )

    def record_outage(
        self, source_id: str, began_at: datetime, error_kind: str, error_detail: str
    ) -> None:
        """Note that a source began to fail; a second call while it still fails adds nothing."""
        outage = schema.source_outage
        with self._writing() as connection:
            connection.execute(
                self._insert(outage)
                .values(
                    source_id=source_id,
                    began_at=began_at,
                    error_kind=error_kind,
                    error_detail=error_detail,
                )
                .on_conflict_do_nothing(index_elements=["source_id"], index_where=schema.RUNNING)
            )

    def _hold(self, connection: Connection, source_id: str, fence: int, now: datetime) -> None:
        """Take the source's row for this transaction and refuse a clock that was replaced."""
        table = schema.source_state
        hold = (
            update(table)
            .where(table.c.source_id == source_id, table.c.fence <= fence)
            .values(fence=fence)
        )
        if connection.execute(hold).rowcount == 1:
            return
        # The first time; or somebody else's, whom the second try finds there still.
        connection.execute(
            self._insert(table)
            .values(
                source_id=source_id,
                fence=fence,
                watermark=None,
                validators={},
                state={},
                updated_at=now,
            )
            .on_conflict_do_nothing()
        )
        if connection.execute(hold).rowcount != 1:
            raise Fenced(f"{source_id}: another clock has taken over")

    def _current(
        self, connection: Connection, ids: Sequence[str]
    ) -> dict[str, tuple[Incident, int]]:
        found: dict[str, tuple[Incident, int]] = {}
        for start in range(0, len(ids), CHUNK):
            rows = connection.execute(
                select(schema.incident).where(schema.incident.c.id.in_(ids[start : start + CHUNK]))
            )
            for row in rows:
                found[row.id] = (_incident_of(row), row.version)
        return found

    def _store(self, connection: Connection, states: Iterable[tuple[Incident, int]]) -> None:
        rows = [_incident_row(state, version) for state, version in states]
        if not rows:
            return
        insert = self._insert(schema.incident)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["id"],
                set_={
                    column.name: insert.excluded[column.name]
                    for column in schema.incident.columns
                    if not column.primary_key
                },
            ),
            rows,
        )

    def _touch(
        self,
        connection: Connection,
        source_id: str,
        after: dict[str, tuple[Incident, int]],
        before: dict[str, tuple[Incident, int]],
    ) -> None:
        """Note the days on which these incidents were made and closed, then and now."""
        states = [state for state, _ in after.values()]
        states += [before[key][0] for key in after if key in before]
        moments = {at for state in states for at in (state.requested_at, state.closed_at)}
        touch(self.database, connection, source_id, ((INCIDENTS, at) for at in moments))

    def _quarantine(
        self,
        connection: Connection,
        source_id: str,
        rejects: Sequence[Reject],
        seen_at: datetime,
    ) -> int:
        if not rejects:
            return 0
        table = schema.quarantine
        rows = {_digest(reject): reject for reject in rejects}
        known = self._quarantined_digests(connection, source_id, list(rows))
        insert = self._insert(table)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["source_id", "digest"],
                set_={"last_seen": insert.excluded.last_seen},
            ),
            [
                {
                    "source_id": source_id,
                    "digest": digest,
                    "external_id": reject.external_id,
                    "reason": reject.reason,
                    "detail": reject.detail,
                    "sample": reject.sample,
                    "first_seen": seen_at,
                    "last_seen": seen_at,
                }
                for digest, reject in rows.items()
            ],
        )
        return len(rows.keys() - known)

    def _quarantined_digests(
        self, connection: Connection, source_id: str, digests: Sequence[str]
    ) -> set[str]:
        """Those of `digests` that lie in quarantine already."""
        column = schema.quarantine.c.digest
        known: set[str] = set()
        for start in range(0, len(digests), CHUNK):
            statement = select(column).where(
                schema.quarantine.c.source_id == source_id,
                column.in_(digests[start : start + CHUNK]),
            )
            known.update(connection.execute(statement).scalars())
        return known

    # --- reading -----------------------------------------------------------------------------

    def cursor(self, source_id: str) -> Cursor:
        """Where polling stands; the empty cursor for a source never finished."""
        table = schema.source_state
        with self._reading() as connection:
            row = connection.execute(
                select(table.c.watermark, table.c.validators).where(table.c.source_id == source_id)
            ).first()
        return Cursor(row.watermark, dict(row.validators)) if row else Cursor()

    def source_state(self, source_id: str) -> SourceState | None:
        """The state kept with the last finished poll; None if there was none."""
        table = schema.source_state
        with self._reading() as connection:
            plain = connection.execute(
                select(table.c.state).where(table.c.source_id == source_id)
            ).scalar()
        return state_from_plain(plain) if plain else None

    def highest_fence(self) -> int:
        """The highest number of a clock that ever wrote; 0 when none has."""
        with self._reading() as connection:
            return int(
                connection.execute(select(func.max(schema.source_state.c.fence))).scalar() or 0
            )

    def outages(self, source_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """The newest outages, newest first, `ended_at` None while one runs."""
        table = schema.source_outage
        with self._reading() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.source_id == source_id)
                .order_by(table.c.began_at.desc())
                .limit(limit)
            )
            return [dict(row._mapping) for row in rows]

    def quarantined(self, source_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """The records last seen in quarantine, newest first."""
        table = schema.quarantine
        with self._reading() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.source_id == source_id)
                .order_by(table.c.last_seen.desc(), table.c.id.desc())
                .limit(limit)
            )
            return [dict(row._mapping) for row in rows]

    def quarantine_count(self, source_id: str) -> int:
        """How many different records of the source lie in quarantine."""
        table = schema.quarantine
        with self._reading() as connection:
            return int(
                connection.execute(
                    select(func.count()).where(table.c.source_id == source_id)
                ).scalar_one()
            )

    def quarantine_reasons(self, source_id: str) -> dict[str, tuple[int, datetime]]:
        """By reason: how many different records lie in quarantine, and when one was last seen."""
        table = schema.quarantine
        with self._reading() as connection:
            rows = connection.execute(
                select(table.c.reason, func.count(), func.max(table.c.last_seen))
                .where(table.c.source_id == source_id)
                .group_by(table.c.reason)
                .order_by(func.count().desc(), table.c.reason)
            ).all()
        return {row[0]: (int(row[1]), row[2]) for row in rows}

    def source_counts(self, source_id: str) -> dict[str, int]:
        """Totals over all incidents of a source: incidents, unlocated, unknown words."""
        table = schema.incident
        with self._reading() as connection:
            row = connection.execute(
                select(
                    func.count().label("incidents"),
                    func.count().filter(table.c.kecamatan.is_(None)).label("unlocated"),
                    func.count()
                    .filter(table.c.category == "tidak_diketahui")
                    .label("unknown_category"),
                    func.count()
                    .filter(table.c.status == Status.UNKNOWN.value)
                    .label("unknown_status"),
                ).where(table.c.source_id == source_id)
            ).one()
        return {name: int(value) for name, value in row._mapping.items()}

    def live_incidents(self, closed_since: datetime) -> list[Incident]:
        """All open incidents, and those closed since: what the wall works on."""
        table = schema.incident
        statement = select(table).where(
            or_(table.c.closed_at.is_(None), table.c.closed_at >= closed_since)
        )
        return self._incidents(statement)

    def incident(self, incident_id: str) -> Incident | None:
        """The current state of one incident."""
        found = self._incidents(select(schema.incident).where(schema.incident.c.id == incident_id))
        return found[0] if found else None

    def events_of(self, incident_id: str) -> list[IncidentEvent]:
        """The log of one incident, oldest first."""
        table = schema.incident_event
        with self._reading() as connection:
            rows = connection.execute(
                select(table).where(table.c.incident_id == incident_id).order_by(table.c.version)
            ).all()
        return [_event_of(row) for row in rows]

    def incident_at(self, incident_id: str, moment: datetime) -> Incident | None:
        """The state that was true at the source at `moment`; None before its first report."""
        return derive(event for event in self.events_of(incident_id) if event.at <= moment)

    def latest_events(self, limit: int) -> list[tuple[IncidentEvent, Incident]]:
        """The newest events by the time they happened, each with its incident's present state."""
        events = schema.incident_event
        with self._reading() as connection:
            rows = connection.execute(
                select(events).order_by(events.c.at.desc(), events.c.seq.desc()).limit(limit)
            ).all()
            current = self._current(connection, sorted({row.incident_id for row in rows}))
        return [(_event_of(row), current[row.incident_id][0]) for row in rows]

    def first_report_at(self) -> datetime | None:
        """When the oldest known report was made: before it there is nothing to compare with."""
        with self._reading() as connection:
            value: datetime | None = connection.execute(
                select(schema.incident.c.requested_at)
                .order_by(schema.incident.c.requested_at)
                .limit(1)
            ).scalar()
        return value

    def counts_at(self, moment: datetime, day_began: datetime) -> Counts:
        """The four numbers as they were at `moment`, from the log.

        Open incidents of a past moment are today's less everything that happened since, so the
        work grows with what happened since, not with the whole history. Times of report and due
        times are those known today.
        """
        states, events = schema.incident, schema.incident_event
        with self._reading() as connection:
            open_now = connection.execute(
                select(func.count()).where(states.c.closed_at.is_(None))
            ).scalar_one()
            opened_since = connection.execute(
                select(func.coalesce(func.sum(events.c.open_delta), 0)).where(events.c.at > moment)
            ).scalar_one()
            due_now = connection.execute(
                select(func.count()).where(states.c.closed_at.is_(None), states.c.due_at < moment)
            ).scalar_one()
            due_since = connection.execute(
                select(func.coalesce(func.sum(events.c.open_delta), 0))
                .select_from(events.join(states, states.c.id == events.c.incident_id))
                .where(events.c.at > moment, states.c.due_at < moment)
            ).scalar_one()
            new_today = connection.execute(
                select(func.count()).where(
                    states.c.requested_at >= day_began, states.c.requested_at <= moment
                )
            ).scalar_one()
            done_today = connection.execute(
                select(func.count(events.c.incident_id.distinct())).where(
                    events.c.at >= day_began,
                    events.c.at <= moment,
                    events.c.open_delta == -1,
                    events.c.status == Status.DONE.value,
                )
            ).scalar_one()
        return Counts(
            new_today=int(new_today),
            open=int(open_now) - int(opened_since),
            past_due=int(due_now) - int(due_since),
            done_today=int(done_today),
        )

    def incidents(
        self,
        wanted: IncidentFilter,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
    ) -> list[Incident]:
        """Incidents by time of report, newest first; `before` is the last one of the page before.

        Give (requested_at, id) of the last incident seen: new reports never shift a later page.
        """
        table = schema.incident
        statement = select(table).where(*_conditions(wanted))
        if before is not None:
            requested_at, incident_id = before
            statement = statement.where(
                or_(
                    table.c.requested_at < requested_at,
                    and_(table.c.requested_at == requested_at, table.c.id < incident_id),
                )
            )
        return self._incidents(
            statement.order_by(table.c.requested_at.desc(), table.c.id.desc()).limit(limit)
        )

    def count_incidents(self, wanted: IncidentFilter) -> tuple[int, int]:
        """How many incidents match, and how many of them could not be placed."""
        table = schema.incident
        with self._reading() as connection:
            row = connection.execute(
                select(func.count(), func.count().filter(table.c.kecamatan.is_(None))).where(
                    *_conditions(wanted)
                )
            ).one()
        return int(row[0]), int(row[1])

    def ping(self) -> None:
        """Raise StoreError if the database does not answer."""
        with self._reading() as connection:
            connection.execute(select(1))

    def _incidents(self, statement: Select[Any]) -> list[Incident]:
        with self._reading() as connection:
            return [_incident_of(row) for row in connection.execute(statement)]


@dataclass(slots=True)
class _Advance:
    states: dict[str, tuple[Incident, int]] = field(default_factory=dict)
    events: list[tuple[IncidentEvent, int]] = field(default_factory=list)
    outdated: int = 0


def _advance(incoming: Sequence[Incident], current: dict[str, tuple[Incident, int]]) -> _Advance:
    """Lead each incident from its current state to the incoming one; pure."""
    result = _Advance()
    for item in incoming:
        state, version = result.states.get(item.id) or current.get(item.id) or (None, 0)
        if state is not None and is_outdated(state, item):
            result.outdated += 1
            continue
        events = compare(state, item)
        if not events:
            continue
        for event in events:
            version += 1
            state = apply(state, event)
            result.events.append((event, version))
        if state is not None:
            result.states[item.id] = (state, version)
    return result


def _conditions(wanted: IncidentFilter) -> list[Any]:
    table = schema.incident
    lists = (
        (table.c.source_id, wanted.sources),
        (table.c.category, wanted.categories),
        (table.c.status, [status.value for status in wanted.statuses]),
        (table.c.kecamatan, wanted.kecamatan),
        (table.c.kelurahan, wanted.kelurahan),
    )
    found: list[Any] = [column.in_(list(values)) for column, values in lists if values]
    if wanted.open is not None:
        found.append(table.c.closed_at.is_(None) == wanted.open)
    if wanted.past_due_at is not None:
        found += [table.c.closed_at.is_(None), table.c.due_at < wanted.past_due_at]
    if wanted.located is not None:
        found.append(table.c.kecamatan.is_not(None) == wanted.located)
    if wanted.requested_from is not None:
        found.append(table.c.requested_at >= wanted.requested_from)
    if wanted.requested_to is not None:
        found.append(table.c.requested_at < wanted.requested_to)
    if wanted.updated_from is not None:
        found.append(table.c.observed_at >= wanted.updated_from)
    return found


def _incident_row(incident: Incident, version: int) -> dict[str, Any]:
    row = field_values(incident)
    row["status"] = incident.status.value
    row["version"] = version
    return row


def _incident_of(row: Row[Any]) -> Incident:
    values = dict(row._mapping)
    del values["version"]
    values["status"] = Status(values["status"])
    return Incident(**values)


def _event_row(event: IncidentEvent, version: int) -> dict[str, Any]:
    return {
        "incident_id": event.incident_id,
        "version": version,
        "kind": event.kind.value,
        "at": event.at,
        "fetched_at": event.fetched_at,
        "open_delta": event.open_delta,
        "status": event.changes.get("status"),
        "changes": event.changes,
    }


def _event_of(row: Row[Any]) -> IncidentEvent:
    return IncidentEvent(
        incident_id=row.incident_id,
        kind=EventKind(row.kind),
        at=row.at,
        fetched_at=row.fetched_at,
        open_delta=row.open_delta,
        changes=from_plain(row.changes),
    )


def _digest(reject: Reject) -> str:
    parts = (reject.reason, reject.detail, reject.external_id or "", reject.sample)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "replace")).hexdigest()
