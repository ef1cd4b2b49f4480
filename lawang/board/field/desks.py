"""The panel `desks`: letters, licences, identity cards and the counters of the kecamatan.

Letters and licences are counted in history, for live state holds no service requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from lawang.board.field.facts import (
    FieldFacts,
    Panel,
    known,
    letter_formula,
    licence_sources,
    moment,
)
from lawang.city import City
from lawang.domain.programme import MeasureRef
from lawang.domain.service import RequestStatus
from lawang.store import schema
from lawang.store.history import History

_OUTCOMES = (RequestStatus.DONE.value, RequestStatus.REJECTED.value)
#: In the order of their way through an office.
_STAGES = tuple(each.value for each in RequestStatus if each.is_open)


def desks(facts: FieldFacts, now: datetime) -> Panel:
    """`ektp` and `paten` are of the newest day that anybody told of."""
    table = facts.city.field_tables.desks
    panel: Panel = {"sources": facts.lists["desks"]}
    if facts.letters:
        panel["letters"] = facts.letters
    if facts.licences:
        panel["licences"] = facts.licences
    if table.ektp_asked is not None:
        panel["ektp"] = _day(facts, asked=table.ektp_asked, printed=table.ektp_printed)
    if table.paten_asked is not None:
        panel["paten"] = _day(
            facts, asked=table.paten_asked, done=table.paten_done, rejected=table.paten_rejected
        )
    return panel


def _day(facts: FieldFacts, **refs: MeasureRef | None) -> Panel:
    """Sums of the newest day; `missing` are the kecamatan that told of an earlier one only."""
    readings = {name: facts.readings_of(ref) for name, ref in refs.items()}
    moments = {moment(each["at"]) for found in readings.values() for each in found.values()}
    if not moments:
        return {}
    newest = max(moments)
    panel: Panel = {"day": newest.astimezone(facts.city.timezone).date().isoformat()}
    ever: set[str] = set()
    told: set[str] = set()
    for name, found in readings.items():
        mine = [each for each in found.values() if moment(each["at"]) == newest]
        if mine:
            panel[name] = sum(each["value"] for each in mine)
        ever |= {each["kecamatan"] for each in found.values() if each["kecamatan"]}
        told |= {each["kecamatan"] for each in mine if each["kecamatan"]}
    panel["missing"] = len(ever - told)
    return panel


# --- from history --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Desks:
    """What was counted: the parts `letters` and `licences` of the panel."""

    letters: Panel
    licences: Panel


def read_desks(city: City, history: History, day_began: datetime, now: datetime) -> Desks:
    """Count letters and licences as of `now`. Raises StoreError.

    `in_time` of `cohort` letters of today were done within the promise, as the city's indicator
    counts them: withdrawn ones and those still in time are in neither.
    """
    formula = letter_formula(city)
    licences = licence_sources(city)
    with history.database.reading() as connection:
        return Desks(
            letters=_letters(connection, formula.sources, formula.services, day_began, now)
            if formula is not None
            else {},
            licences=_licences(connection, licences, now) if licences else {},
        )


def _letters(
    connection: Connection,
    sources: Sequence[str],
    services: Sequence[str],
    day_began: datetime,
    now: datetime,
) -> Panel:
    table = schema.service_request
    mine: list[Any] = [table.c.source_id.in_(sources)]
    if services:
        mine.append(table.c.service.in_(services))
    ended = and_(table.c.status.in_(_OUTCOMES), table.c.closed_at.is_not(None))
    overdue = and_(
        table.c.status.not_in((*_OUTCOMES, RequestStatus.CANCELLED.value)), table.c.due_at < now
    )
    asked = connection.execute(
        select(
            func.count().label("today"),
            func.count().filter(table.c.due_at.is_not(None), or_(ended, overdue)).label("cohort"),
            func.count().filter(ended, table.c.closed_at <= table.c.due_at).label("in_time"),
        ).where(*mine, table.c.requested_at >= day_began)
    ).one()
    done = connection.execute(
        select(func.count()).where(
            *mine, table.c.status == RequestStatus.DONE.value, table.c.closed_at >= day_began
        )
    ).scalar_one()
    waiting = connection.execute(
        select(func.count()).where(*mine, schema.OPEN_REQUEST)
    ).scalar_one()
    return known(
        today=int(asked.today),
        done_today=int(done),
        open=int(waiting),
        cohort=int(asked.cohort),
        in_time=int(asked.in_time) if asked.cohort else None,
    )


def _licences(connection: Connection, sources: Sequence[str], now: datetime) -> Panel:
    table = schema.service_request
    rows = connection.execute(
        select(
            table.c.status,
            func.count().label("open"),
            func.count().filter(table.c.due_at < now).label("late"),
        )
        .where(table.c.source_id.in_(sources), schema.OPEN_REQUEST)
        .group_by(table.c.status)
    ).all()
    by_status = {row.status: {"n": int(row.open), "late": int(row.late)} for row in rows}
    return {
        "stages": {name: by_status[name] for name in _STAGES if name in by_status},
        "open": sum(each["n"] for each in by_status.values()),
        "late": sum(each["late"] for each in by_status.values()),
    }
