"""Cells of measures: what each subject's readings come to on each local day.

Only readings that are not held back. A reading about more than a day (a week, a month, a year) is
spread: a flow evenly over the days of its period, those until it was observed where it still runs;
a stock or a gauge holds on each of them. Of a cumulative measure counts the increase since the
reading before, evenly over the days in between; the first one after a reset is itself the increase
since the reset. Without a reset, the first one of all tells no increase.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from lawang.city import City
from lawang.domain.formula import ReadingFormula, Within
from lawang.domain.measure import Measure, MeasureKind, Period, span
from lawang.kpi.cells import ONE_DAY, Cell, Days, day_of
from lawang.store import schema
from lawang.store.database import chunked

#: The longest that each period can be.
_LONGEST = {
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=31),
    Period.YEAR: timedelta(days=366),
}
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What is known of a series beside its readings."""

    id: int
    subject: str
    name: str
    kecamatan: str | None


@dataclass(frozen=True, slots=True)
class _Value:
    """One accepted reading."""

    at: datetime
    value: float
    observed_at: datetime


def measure_of(city: City, formula: ReadingFormula) -> Measure | None:
    """The measure meant; None where the source is not connected in this installation."""
    source = city.sources.get(formula.source)
    return source.measures.get(formula.measure) if source else None


def series_of(connection: Connection, formula: ReadingFormula) -> list[SeriesInfo]:
    """The series that a formula reads."""
    table = schema.series
    rows = connection.execute(
        select(table.c.id, table.c.subject, table.c.subject_name, table.c.kecamatan)
        .where(table.c.source_id == formula.source, table.c.measure == formula.measure)
        .order_by(table.c.subject)
    )
    return [
        SeriesInfo(row.id, row.subject, row.subject_name or row.subject, row.kecamatan)
        for row in rows
        if (not formula.subjects or row.subject in formula.subjects)
        and row.subject not in formula.exclude
    ]


def read_cells(
    connection: Connection, formula: ReadingFormula, measure: Measure, days: Days
) -> list[Cell]:
    """The cells of `days`; their `num` is the value (times the factor), their `den` 1."""
    series = {each.id: each for each in series_of(connection, formula)}
    if not series:
        return []
    if measure.kind is MeasureKind.CUMULATIVE:
        found = _cumulative(connection, series, measure, formula.within, days)
    elif measure.period in _LONGEST:
        found = _long(connection, series, measure, days)
    else:
        found = _short(connection, series, measure, formula.within, days)
    cells = []
    for series_id, day, value, count, observed_at in found:
        about = series[series_id]
        cells.append(
            Cell(
                day=day,
                kecamatan=about.kecamatan,
                key=about.subject,
                name=about.name,
                num=value * formula.factor,
                den=1.0,
                n=count,
                observed_at=observed_at,
            )
        )
    return cells


#: Series, day, value, readings behind it, newest observation.
_Found = tuple[int, date, float, int, datetime]


def _usual(measure: Measure) -> Within | None:
    """How the values of a day make one where the formula says nothing; None: they are added."""
    return {
        MeasureKind.GAUGE: Within.MEAN,
        MeasureKind.STOCK: Within.LAST,
    }.get(measure.kind)


def _short(
    connection: Connection,
    series: Iterable[int],
    measure: Measure,
    within: Within | None,
    days: Days,
) -> Iterator[_Found]:
    """Readings of a day or less, by the day in SQL."""
    table = schema.reading
    way = within or _usual(measure)
    figure: dict[Within | None, Any] = {
        None: func.sum(table.c.value),
        Within.MEAN: func.avg(table.c.value),
        Within.MAX: func.max(table.c.value),
        Within.MIN: func.min(table.c.value),
        # A column of the newest row is put in its place below.
        Within.LAST: func.max(table.c.at),
    }
    # One statement for all days: composing it anew for each takes longer than its answer.
    statements = [
        select(
            table.c.series_id,
            figure[way].label("figure"),
            func.count().label("readings"),
            func.max(table.c.observed_at).label("observed_at"),
        )
        .where(
            table.c.series_id.in_(some),
            table.c.at >= bindparam("start"),
            table.c.at < bindparam("end"),
            table.c.held == "",
        )
        .group_by(table.c.series_id)
        for some in chunked(series)
    ]
    for day in days:
        start, end = Days(day, day, days.zone).bounds
        for statement in statements:
            rows = connection.execute(statement, {"start": start, "end": end}).all()
            newest = _values_at(connection, rows) if way is Within.LAST else {}
            for row in rows:
                value = newest[row.series_id] if way is Within.LAST else float(row.figure)
                yield row.series_id, day, value, int(row.readings), row.observed_at


def _values_at(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, float]:
    """The values of some series at their own (`figure`) times."""
    wanted: dict[datetime, list[int]] = defaultdict(list)
    for row in rows:
        wanted[row.figure].append(row.series_id)
    found: dict[int, float] = {}
    for at, ids in wanted.items():
        values = connection.execute(_VALUES_AT, {"ids": ids, "moment": at})
        found |= {each.series_id: each.value for each in values}
    return found


_VALUES_AT = select(schema.reading.c.series_id, schema.reading.c.value).where(
    schema.reading.c.series_id.in_(bindparam("ids", expanding=True)),
    schema.reading.c.at == bindparam("moment"),
)


def _long(
    connection: Connection, series: Iterable[int], measure: Measure, days: Days
) -> Iterator[_Found]:
    """Readings about a week, a month or a year."""
    start, end = days.bounds
    spread = measure.kind is MeasureKind.FLOW
    for series_id, values in _read_values(
        connection, series, start - _LONGEST[measure.period], end
    ).items():
        for each in values:
            first, last = _coverage(each, measure, days)
            if not spread:
                begin, after = span(each.at, measure.period, days.zone)
                first, last = day_of(begin, days.zone), day_of(after - _TICK, days.zone)
            value = each.value / ((last - first).days + 1) if spread else each.value
            for day in _common(first, last, days):
                yield series_id, day, value, 1, each.observed_at


def _common(first: date, last: date, days: Days) -> Iterator[date]:
    first, last = max(first, days.first), min(last, days.last)
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _coverage(value: _Value, measure: Measure, days: Days) -> tuple[date, date]:
    """First and last local day that a reading is about: no later than when it was observed."""
    start, end = span(value.at, measure.period, days.zone)
    first = day_of(start, days.zone)
    if end == start:
        return first, first
    until = min(end, max(value.observed_at, start + _TICK))
    return first, day_of(until - _TICK, days.zone)


def _cumulative(
    connection: Connection,
    series: Iterable[int],
    measure: Measure,
    within: Within | None,
    days: Days,
) -> Iterator[_Found]:
    start, end = days.bounds
    reach = _LONGEST.get(measure.period, timedelta())
    ids = list(series)
    before = neighbours(connection, ids, start - reach, backwards=True)
    after = neighbours(connection, ids, end, backwards=False)
    for series_id, inside in _read_values(connection, ids, start - reach, end).items():
        # What stands before and after is needed for the increases that reach into the days.
        values = [
            *([before[series_id]] if series_id in before else []),
            *inside,
            *([after[series_id]] if series_id in after else []),
        ]
        found = (
            _totals(values, measure, days)
            if within is Within.LAST
            else _increases(values, measure, days, is_whole=series_id not in before)
        )
        for day, (value, count, observed_at) in sorted(found.items()):
            yield series_id, day, value, count, observed_at


def _totals(
    values: Sequence[_Value], measure: Measure, days: Days
) -> dict[date, tuple[float, int, datetime]]:
    """The running total on the days at whose end one was told."""
    found: dict[date, tuple[float, int, datetime]] = {}
    for each in values:
        _, day = _coverage(each, measure, days)
        if day in days:
            count = found[day][1] + 1 if day in found else 1
            found[day] = (each.value, count, each.observed_at)
    return found


def _increases(
    values: Sequence[_Value], measure: Measure, days: Days, *, is_whole: bool
) -> dict[date, tuple[float, int, datetime]]:
    """The increase of each day. `is_whole`: nothing of the series stands before `values`."""
    found: dict[date, tuple[float, int, datetime]] = {}
    for place, each in enumerate(values):
        previous = values[place - 1] if place else None
        if previous is None and not is_whole:
            continue
        step = _step(previous, each, measure, days)
        if step is None:
            continue
        amount, first, last = step
        share = amount / ((last - first).days + 1)
        for day in _common(first, last, days):
            value, count, observed_at = found.get(day, (0.0, 0, each.observed_at))
            found[day] = (value + share, count + 1, max(observed_at, each.observed_at))
    return found


def _step(
    previous: _Value | None, each: _Value, measure: Measure, days: Days
) -> tuple[float, date, date] | None:
    """How much was added by one reading, and on which days; None where that cannot be told."""
    _, last = _coverage(each, measure, days)
    if previous is not None and _same_run(previous, each, measure, days):
        _, known = _coverage(previous, measure, days)
        return each.value - previous.value, min(known + ONE_DAY, last), last
    if measure.resets is None:
        return None
    began = day_of(span(each.at, measure.resets, days.zone)[0], days.zone)
    return each.value, began, last


def _same_run(one: _Value, other: _Value, measure: Measure, days: Days) -> bool:
    if measure.resets is None:
        return True
    return (
        span(one.at, measure.resets, days.zone)[0] == span(other.at, measure.resets, days.zone)[0]
    )


def _read_values(
    connection: Connection, series: Iterable[int], start: datetime, end: datetime
) -> dict[int, list[_Value]]:
    """Accepted readings by series, oldest first; a series without any has an empty list."""
    table = schema.reading
    ids = list(series)
    found: dict[int, list[_Value]] = {each: [] for each in ids}
    for some in chunked(ids):
        rows = connection.execute(
            select(table.c.series_id, table.c.at, table.c.value, table.c.observed_at)
            .where(
                table.c.series_id.in_(some),
                table.c.at >= start,
                table.c.at < end,
                table.c.held == "",
            )
            .order_by(table.c.series_id, table.c.at)
        )
        for row in rows:
            found[row.series_id].append(_Value(row.at, row.value, row.observed_at))
    return found


def neighbours(
    connection: Connection, series: Iterable[int], moment: datetime, *, backwards: bool
) -> dict[int, _Value]:
    """The last accepted reading of each series before a moment, or the first one from it on."""
    table = schema.reading
    nearest = func.max(table.c.at) if backwards else func.min(table.c.at)
    beyond = table.c.at < moment if backwards else table.c.at >= moment
    found: dict[int, _Value] = {}
    for some in chunked(series):
        edges = (
            select(table.c.series_id, nearest.label("at"))
            .where(table.c.series_id.in_(some), beyond, table.c.held == "")
            .group_by(table.c.series_id)
            .subquery()
        )
        rows = connection.execute(
            select(table.c.series_id, table.c.at, table.c.value, table.c.observed_at).join(
                edges, (table.c.series_id == edges.c.series_id) & (table.c.at == edges.c.at)
            )
        )
        for row in rows:
            found[row.series_id] = _Value(row.at, row.value, row.observed_at)
    return found
