"""Alarms in history: raised and ended by rules, acknowledged, shelved and resolved by people.

`Watch` rows are the memory of evaluation: what is not simply normal. An alarm and its watch change
in one transaction, with an entry in the append-only log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from lawang.domain.alarm import (
    OPEN_STATES,
    Alarm,
    AlarmEvent,
    AlarmEventKind,
    AlarmSeverity,
    AlarmState,
    Judgement,
    Transition,
    TransitionKind,
    Watch,
    WatchState,
)
from lawang.domain.errors import LawangError
from lawang.store import schema
from lawang.store.database import Database

_NAME_MAX, _NOTE_MAX, _SUBJECT_MAX = 120, 500, 300
_KINDS = {
    TransitionKind.UNKNOWN: AlarmEventKind.UNKNOWN,
    TransitionKind.KNOWN: AlarmEventKind.KNOWN,
    TransitionKind.CLEARED: AlarmEventKind.CLEARED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One watch as an evaluation left it. `note` goes into the log beside its transitions."""

    watch: Watch
    judgement: Judgement
    transitions: tuple[Transition, ...]
    severity: AlarmSeverity
    simulated: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFilter:
    """Which alarms are meant; empty means everything."""

    states: Sequence[AlarmState] = ()
    severities: Sequence[AlarmSeverity] = ()
    rules: Sequence[str] = ()
    regions: Sequence[str] = ()


class AlarmStore:
    """Reads and writes alarms, their log, and watches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- evaluation --------------------------------------------------------------------------

    def watches(self) -> dict[tuple[str, str], Watch]:
        """Everything watched that is not simply normal, by rule and key."""
        with self._database.reading() as connection:
            rows = connection.execute(select(schema.alarm_watch))
            return {(row.rule, row.key): _watch_of(row) for row in rows}

    def ended_since(self, since: datetime) -> list[tuple[str, str, datetime]]:
        """Rule, region and end of the alarms that ended since a moment."""
        table = schema.alarm
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table.c.rule, table.c.region, table.c.ended_at).where(
                    table.c.ended_at >= since
                )
            )
            return [(row.rule, row.region, row.ended_at) for row in rows]

    def apply(self, steps: Iterable[Step], now: datetime) -> int:
        """Keep what an evaluation came to; how many alarms changed.

        A step whose alarm a person has ended meanwhile is passed over: the next evaluation knows.
        """
        changed = 0
        with self._database.writing() as connection:
            for each in steps:
                changed += self._apply(connection, each, now)
        return changed

    def _apply(self, connection: Connection, each: Step, now: datetime) -> int:
        watch, table = each.watch, schema.alarm
        kinds = [transition.kind for transition in each.transitions]
        changed = 0
        if TransitionKind.RAISED in kinds:
            changed = self._raise(connection, each, now)
        elif watch.raised_at is not None or TransitionKind.CLEARED in kinds:
            row = connection.execute(
                select(table).where(
                    table.c.rule == watch.rule,
                    table.c.key == watch.key,
                    table.c.ended_at.is_(None),
                )
            ).first()
            if row is None:
                return 0
            changed = self._follow(connection, row, each, now)
        self._keep(connection, watch)
        return changed

    def _raise(self, connection: Connection, each: Step, now: datetime) -> int:
        watch, judgement = each.watch, each.judgement
        statement = (
            self._database.insert(schema.alarm)
            .values(
                rule=watch.rule,
                key=watch.key,
                region=watch.region,
                subject=judgement.subject[:_SUBJECT_MAX],
                subject_name=judgement.subject_name or "",
                state=AlarmState.ACTIVE.value,
                severity=each.severity.value,
                value=judgement.value,
                observed_at=judgement.at,
                why="",
                mark=judgement.mark,
                simulated=each.simulated,
                began_at=watch.began_at or now,
                active_at=now,
                version=1,
            )
            .on_conflict_do_nothing(index_elements=["rule", "key"], index_where=schema.OPEN_ALARM)
            .returning(schema.alarm.c.id)
        )
        # Another poller that handed over just now may have raised it already.
        number = connection.execute(statement).scalar()
        if number is None:
            return 0
        _log(connection, number, AlarmEventKind.RAISED, now, "", each.note, judgement.value)
        return 1

    def _follow(self, connection: Connection, row: Row[Any], each: Step, now: datetime) -> int:
        judgement, kinds = each.judgement, [one.kind for one in each.transitions]
        values: dict[str, Any] = {}
        if TransitionKind.CLEARED in kinds:
            values = {"state": AlarmState.CLEARED.value, "ended_at": now, "why": ""}
        else:
            state = (
                AlarmState.UNKNOWN if each.watch.state is WatchState.UNKNOWN else AlarmState.ACTIVE
            )
            if state.value != row.state or each.watch.why != row.why:
                values = {"state": state.value, "why": each.watch.why}
        if judgement.mark and judgement.mark != row.mark:
            values |= {"mark": judgement.mark}
            if judgement.value is not None:
                values |= {"value": judgement.value, "observed_at": judgement.at}
        if not values:
            return 0
        connection.execute(
            update(schema.alarm)
            .where(schema.alarm.c.id == row.id)
            .values(**values, version=row.version + 1)
        )
        for kind in kinds:
            if kind in _KINDS:
                note = each.note or judgement.why
                _log(connection, row.id, _KINDS[kind], now, "", note, judgement.value)
        return 1

    def _keep(self, connection: Connection, watch: Watch) -> None:
        table = schema.alarm_watch
        if watch.is_trivial:
            connection.execute(
                delete(table).where(table.c.rule == watch.rule, table.c.key == watch.key)
            )
        else:
            self._database.upsert(connection, table, [asdict(watch) | {"state": watch.state.value}])

    def retire(self, rules: Iterable[str], now: datetime) -> int:
        """End what belongs to rules that are not among `rules`; how many alarms that ended."""
        known = list(rules)
        table, watched = schema.alarm, schema.alarm_watch
        with self._database.writing() as connection:
            connection.execute(delete(watched).where(watched.c.rule.not_in(known)))
            rows = connection.execute(
                select(table.c.id, table.c.version).where(
                    table.c.rule.not_in(known), table.c.ended_at.is_(None)
                )
            ).all()
            for row in rows:
                _end(connection, row.id, AlarmState.RETIRED, row.version, now)
                _log(connection, row.id, AlarmEventKind.RETIRED, now, "", "", None)
        return len(rows)

    def end_shelves(self, now: datetime) -> int:
        """Take alarms off the shelf whose time there is over; how many."""
        table = schema.alarm
        due = (
            table.c.ended_at.is_(None),
            table.c.shelved_until.is_not(None),
            table.c.shelved_until <= now,
        )
        with self._database.reading() as connection:
            if connection.execute(select(table.c.id).where(*due).limit(1)).first() is None:
                return 0
        with self._database.writing() as connection:
            rows = connection.execute(select(table.c.id, table.c.version).where(*due)).all()
            for row in rows:
                _set(connection, row.id, row.version, _OFF_THE_SHELF)
                _log(connection, row.id, AlarmEventKind.SHELF_ENDED, now, "", "", None)
        return len(rows)

    # --- people ------------------------------------------------------------------------------

    def acknowledge(self, alarm_id: int, *, by: str, note: str, at: datetime) -> Alarm:
        """Note that somebody has seen it. Raises LawangError where it is not open."""
        return self._act(
            alarm_id,
            AlarmEventKind.ACKNOWLEDGED,
            by,
            note,
            at,
            lambda _row: {"acked_at": at, "acked_by": by[:_NAME_MAX]},
        )

    def shelve(
        self, alarm_id: int, *, until: datetime, by: str, reason: str, at: datetime
    ) -> Alarm:
        """Put it aside until then; it goes on being evaluated. Raises LawangError."""
        if not reason.strip():
            raise LawangError("shelving an alert needs a reason")
        if until <= at:
            raise LawangError("an alert can only be shelved until a time to come")
        return self._act(
            alarm_id,
            AlarmEventKind.SHELVED,
            by,
            reason,
            at,
            lambda _row: {
                "shelved_until": until,
                "shelved_by": by[:_NAME_MAX],
                "shelved_reason": reason[:_NOTE_MAX],
            },
        )

    def unshelve(self, alarm_id: int, *, by: str, note: str, at: datetime) -> Alarm:
        """Take it off the shelf before its time. Raises LawangError where it is on none."""

        def change(row: Row[Any]) -> dict[str, Any]:
            if row.shelved_until is None:
                raise LawangError(f"alert {alarm_id} is not shelved")
            return _OFF_THE_SHELF

        return self._act(alarm_id, AlarmEventKind.UNSHELVED, by, note, at, change)

    def resolve(self, alarm_id: int, *, by: str, note: str, at: datetime) -> Alarm:
        """End it by hand. It is raised anew when its facts change and the condition still holds.

        Raises LawangError where it is not open, or no note says why.
        """
        if not note.strip():
            raise LawangError("resolving an alert needs a note that says why")

        def change(row: Row[Any]) -> dict[str, Any]:
            return {"state": AlarmState.RESOLVED.value, "ended_at": at, "why": ""}

        def quiet(connection: Connection, row: Row[Any]) -> None:
            self._keep(
                connection,
                Watch(
                    rule=row.rule,
                    key=row.key,
                    state=WatchState.NORMAL,
                    since=at,
                    region=row.region,
                    quieted=row.mark,
                ),
            )

        return self._act(alarm_id, AlarmEventKind.RESOLVED, by, note, at, change, quiet)

    def _act(
        self,
        alarm_id: int,
        kind: AlarmEventKind,
        by: str,
        note: str,
        at: datetime,
        change: Callable[[Row[Any]], Mapping[str, Any]],
        then: Callable[[Connection, Row[Any]], None] = lambda _connection, _row: None,
    ) -> Alarm:
        if not by.strip():
            raise LawangError("who does this to an alert has to give a name")
        table = schema.alarm
        with self._database.writing() as connection:
            row = connection.execute(
                select(table).where(table.c.id == alarm_id).with_for_update()
            ).first()
            if row is None:
                raise LawangError(f"there is no alert {alarm_id}")
            if row.ended_at is not None:
                raise LawangError(f"alert {alarm_id} is over already: {row.state}")
            _set(connection, alarm_id, row.version, change(row))
            then(connection, row)
            _log(connection, alarm_id, kind, at, by.strip(), note.strip(), row.value)
            after = connection.execute(select(table).where(table.c.id == alarm_id)).one()
        return _alarm_of(after)

    # --- reading -----------------------------------------------------------------------------

    def get(self, alarm_id: int) -> Alarm | None:
        """One alarm."""
        table = schema.alarm
        with self._database.reading() as connection:
            row = connection.execute(select(table).where(table.c.id == alarm_id)).first()
        return _alarm_of(row) if row else None

    def events(self, alarm_id: int) -> list[AlarmEvent]:
        """The log of one alarm, oldest first."""
        table = schema.alarm_event
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table).where(table.c.alarm_id == alarm_id).order_by(table.c.seq)
            )
            return [
                AlarmEvent(
                    alarm_id=row.alarm_id,
                    kind=AlarmEventKind(row.kind),
                    at=row.at,
                    by=row.by,
                    note=row.note,
                    value=row.value,
                )
                for row in rows
            ]

    def find(
        self,
        wanted: AlarmFilter,
        limit: int,
        before: tuple[datetime, int] | None = None,
    ) -> list[Alarm]:
        """Alarms, the last raised first; `before` is (active_at, id) of the last one of a page."""
        table = schema.alarm
        statement = select(table).where(*_conditions(wanted))
        if before is not None:
            at, number = before
            statement = statement.where(
                or_(
                    table.c.active_at < at,
                    and_(table.c.active_at == at, table.c.id < number),
                )
            )
        statement = statement.order_by(table.c.active_at.desc(), table.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_alarm_of(row) for row in connection.execute(statement)]

    def open(self) -> list[Alarm]:
        """All open ones, the last raised first."""
        return self.find(AlarmFilter(states=OPEN_STATES), 10_000)

    def count(self, wanted: AlarmFilter) -> dict[AlarmState, int]:
        """How many match, by state."""
        table = schema.alarm
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table.c.state, func.count())
                .where(*_conditions(wanted))
                .group_by(table.c.state)
            )
            return {AlarmState(row[0]): int(row[1]) for row in rows}

    def blind(self) -> dict[str, int]:
        """How many things each rule cannot tell of, open alarms aside; those with none left out."""
        table = schema.alarm_watch
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table.c.rule, func.count())
                .where(table.c.state == WatchState.UNKNOWN.value, table.c.raised_at.is_(None))
                .group_by(table.c.rule)
                .order_by(table.c.rule)
            )
            return {row[0]: int(row[1]) for row in rows}


_OFF_THE_SHELF = {"shelved_until": None, "shelved_by": None, "shelved_reason": None}


def _set(connection: Connection, alarm_id: int, version: int, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(schema.alarm)
        .where(schema.alarm.c.id == alarm_id)
        .values(**values, version=version + 1)
    )


def _end(
    connection: Connection, alarm_id: int, state: AlarmState, version: int, now: datetime
) -> None:
    _set(connection, alarm_id, version, {"state": state.value, "ended_at": now, "why": ""})


def _log(
    connection: Connection,
    alarm_id: int,
    kind: AlarmEventKind,
    at: datetime,
    by: str,
    note: str,
    value: float | None,
) -> None:
    connection.execute(
        insert(schema.alarm_event).values(
            alarm_id=alarm_id,
            kind=kind.value,
            at=at,
            by=by[:_NAME_MAX],
            note=note[:_NOTE_MAX],
            value=value,
        )
    )


def _conditions(wanted: AlarmFilter) -> list[ColumnElement[bool]]:
    table = schema.alarm
    lists: tuple[tuple[Any, Sequence[str]], ...] = (
        (table.c.state, [each.value for each in wanted.states]),
        (table.c.severity, [each.value for each in wanted.severities]),
        (table.c.rule, wanted.rules),
        (table.c.region, wanted.regions),
    )
    return [column.in_(list(values)) for column, values in lists if values]


def _watch_of(row: Row[Any]) -> Watch:
    return Watch(**{**row._mapping, "state": WatchState(row.state)})


def _alarm_of(row: Row[Any]) -> Alarm:
    values = dict(row._mapping)
    values["state"] = AlarmState(values["state"])
    values["severity"] = AlarmSeverity(values["severity"])
    return Alarm(**values)
