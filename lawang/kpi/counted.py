"""Cells of incidents and service requests: cohorts by the day of the report or of the request.

Durations alone are by the day on which they ended: of yesterday's reports only the quickest are
closed, and their mean would always look well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Table, select

from lawang.city import City
from lawang.domain.formula import (
    IncidentFigure,
    IncidentFormula,
    ReachedFormula,
    RequestFigure,
    RequestFormula,
)
from lawang.domain.incident import Status
from lawang.domain.service import RequestStatus
from lawang.domain.workdays import end_of_working_days
from lawang.kpi.cells import Cell, Days, day_of
from lawang.store import schema
from lawang.store.database import chunked

#: How far a report has come; what is not in it is neither further nor back.
_PROGRESS = {
    Status.WAITING: 0,
    Status.COORDINATION: 1,
    Status.DISPOSITION: 2,
    Status.IN_PROGRESS: 3,
    Status.DONE: 4,
}
_HOUR_S = 3600.0
_OUTCOMES = (RequestStatus.DONE.value, RequestStatus.REJECTED.value)


@dataclass(slots=True)
class _Cohort:
    """The records of one source, kecamatan and day; numerators are kept, to be added exactly."""

    observed_at: datetime
    nums: list[float] = field(default_factory=list)


#: None leaves a record out of the cohort; else what it adds to the numerator.
_Judged = float | None


def incident_cells(
    connection: Connection, formula: IncidentFormula, city: City, days: Days, now: datetime
) -> list[Cell]:
    """The cells of incidents on `days`, by source."""
    table = schema.incident
    by_closing = formula.figure is IncidentFigure.HOURS
    sources = telling_sources(formula, city)
    rows = _read(
        connection, table, sources, "category", formula.categories, days,
        by_closing=by_closing,
    )  # fmt: skip

    def judge(row: Row[Any]) -> _Judged:
        if formula.figure is IncidentFigure.VERIFIED:
            return _judge_closing(row, formula.verify_days, days.zone, now)
        return _judge_incident(row, formula.figure, now)

    return _sum_up(rows, judge, city, days, by_closing=by_closing)


def telling_sources(formula: IncidentFormula, city: City) -> tuple[str, ...]:
    """The sources that can tell the figure: where no verification is ever told, none is missing."""
    if formula.figure is not IncidentFigure.VERIFIED:
        return formula.sources
    return tuple(
        name
        for name in formula.sources
        if name in city.sources and city.sources[name].tells_verification
    )


def _judge_closing(row: Row[Any], verify_days: int, zone: ZoneInfo, now: datetime) -> _Judged:
    """Whether what was claimed to be done was verified, once there was time for that.

    One verified early waits for its days as the others do: else of the newest closings only those
    that turned out well would be counted. A closing that was disputed (opened again) is decided: it
    counts as not verified until a later one is.
    """
    if row.status == Status.REJECTED.value:
        return None
    is_closed = row.closed_at is not None
    if not row.reopened and not (is_closed and _is_past(row, verify_days, zone, now)):
        return None
    return float(is_closed and row.verified_at is not None)


def _is_past(row: Row[Any], verify_days: int, zone: ZoneInfo, now: datetime) -> bool:
    return verify_by(day_of(row.closed_at, zone), verify_days, zone) < now


def verify_by(closed_on: date, verify_days: int, zone: ZoneInfo) -> datetime:
    """Until when a closing of a local day should have been verified."""
    return end_of_working_days(closed_on, verify_days, zone)


def _judge_incident(row: Row[Any], figure: IncidentFigure, now: datetime) -> _Judged:
    closed, due = row.closed_at, row.due_at
    if figure is IncidentFigure.COUNT:
        return 1.0
    if figure is IncidentFigure.HOURS:
        took: float = (closed - row.requested_at).total_seconds() / _HOUR_S
        return took if took >= 0 else None
    if figure is IncidentFigure.REOPENED:
        return float(row.reopened > 0) if closed is not None or row.reopened else None
    if figure is IncidentFigure.CLAIMED and row.status == Status.REJECTED.value:
        return None
    # Without a due time it would be in the cohort only once it is closed, and so always succeed.
    if due is None or (closed is None and due >= now):
        return None
    if figure in (IncidentFigure.CLOSED, IncidentFigure.CLAIMED):
        return float(closed is not None)
    return float(closed is not None and closed <= due)


def request_cells(
    connection: Connection, formula: RequestFormula, city: City, days: Days, now: datetime
) -> list[Cell]:
    """The cells of service requests on `days`, by source."""
    table = schema.service_request
    by_closing = formula.figure is RequestFigure.MINUTES
    rows = _read(
        connection, table, formula.sources, "service", formula.services, days,
        by_closing=by_closing,
    )  # fmt: skip

    def judge(row: Row[Any]) -> _Judged:
        return _judge_request(row, formula.figure, now)

    return _sum_up(rows, judge, city, days, by_closing=by_closing)


def _judge_request(row: Row[Any], figure: RequestFigure, now: datetime) -> _Judged:
    if figure is RequestFigure.COUNT:
        return 1.0
    # Who asked took it back: no outcome that the office can be judged by.
    if row.status == RequestStatus.CANCELLED.value:
        return None
    has_outcome = row.status in _OUTCOMES
    closed, due = row.closed_at, row.due_at
    if figure is RequestFigure.MINUTES:
        if not has_outcome or closed < row.requested_at:
            return None
        took: float = (closed - row.requested_at).total_seconds() / 60
        return took
    if figure is RequestFigure.REJECTED:
        return float(row.status == RequestStatus.REJECTED.value) if has_outcome else None
    is_overdue = not has_outcome and due is not None and due < now
    if figure is RequestFigure.DONE:
        return float(row.status == RequestStatus.DONE.value) if has_outcome or is_overdue else None
    if due is None:
        return None
    if has_outcome:
        return float(closed <= due) if closed is not None else None
    return 0.0 if is_overdue else None


def reached_cells(
    connection: Connection, formula: ReachedFormula, city: City, days: Days, now: datetime
) -> list[Cell]:
    """The cells of incidents that reached a status in time, by source.

    Rejected ones are left out, and those whose source did not say when they got that far.
    """
    rows = list(
        _read(
            connection, schema.incident, formula.sources, "category", formula.categories, days,
            by_closing=False,
        )
    )  # fmt: skip
    reached = _first_times(connection, [row.id for row in rows], _PROGRESS[formula.status])
    limit = timedelta(minutes=formula.minutes)

    def judge(row: Row[Any]) -> _Judged:
        if row.status == Status.REJECTED.value:
            return None
        if row.id in reached:
            at = reached[row.id]
            return None if at is None else float(at - row.requested_at <= limit)
        return 0.0 if row.requested_at + limit < now else None

    return _sum_up(rows, judge, city, days, by_closing=False)


def _first_times(
    connection: Connection, ids: Sequence[str], progress: int
) -> dict[str, datetime | None]:
    """When incidents got that far; None where the source gave no usable time for it."""
    table = schema.incident_event
    found: dict[str, datetime | None] = {}
    estimated: dict[str, bool] = {}
    for some in chunked(ids):
        rows = connection.execute(
            select(table.c.incident_id, table.c.at, table.c.status, table.c.changes)
            .where(table.c.incident_id.in_(some))
            .order_by(table.c.incident_id, table.c.version)
        )
        for row in rows:
            if row.incident_id in found:
                continue
            # A move seen at first sight says nothing of its own: the report's flag holds for it.
            stated = row.changes.get("observed_estimated")
            if stated is not None:
                estimated[row.incident_id] = bool(stated)
            if row.status is None or _PROGRESS.get(Status(row.status), -1) < progress:
                continue
            found[row.incident_id] = None if estimated.get(row.incident_id) else row.at
    return found


def _read(
    connection: Connection,
    table: Table,
    sources: Sequence[str],
    column: str,
    wanted: Sequence[str],
    days: Days,
    *,
    by_closing: bool,
) -> Iterator[Row[Any]]:
    """The records made, or closed, on `days`."""
    start, end = days.bounds
    at = table.c.closed_at if by_closing else table.c.requested_at
    names = ("id", "source_id", "kecamatan", "status", "requested_at", "due_at", "closed_at")
    columns = [table.c[name] for name in (*names, "observed_at")]
    if table is schema.incident:
        columns += [table.c.reopened, table.c.verified_at]
    statement = select(*columns).where(table.c.source_id.in_(sources), at >= start, at < end)
    if wanted:
        statement = statement.where(table.c[column].in_(wanted))
    yield from connection.execute(statement.order_by(at, table.c.id))


def _sum_up(
    rows: Iterable[Row[Any]],
    judge: Callable[[Row[Any]], _Judged],
    city: City,
    days: Days,
    *,
    by_closing: bool,
) -> list[Cell]:
    """One cell for each source, kecamatan and day that has a cohort."""
    groups: dict[tuple[str, str | None, date], _Cohort] = {}
    for row in rows:
        judged = judge(row)
        if judged is None:
            continue
        day = day_of(row.closed_at if by_closing else row.requested_at, days.zone)
        own = groups.setdefault((row.source_id, row.kecamatan, day), _Cohort(row.observed_at))
        own.nums.append(judged)
        own.observed_at = max(own.observed_at, row.observed_at)
    return [
        Cell(
            day=day,
            kecamatan=kecamatan,
            key=source_id,
            name=city.sources[source_id].name if source_id in city.sources else source_id,
            num=math.fsum(own.nums),
            den=float(len(own.nums)),
            n=len(own.nums),
            observed_at=own.observed_at,
        )
        for (source_id, kecamatan, day), own in groups.items()
    ]
