"""Cells of the sources themselves: how timely, valid and complete each one was on a day.

From the tallies of polls, which are kept for a few weeks only: what was worked out before stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from lawang.city import City, Source
from lawang.domain.formula import QualityFigure, QualityFormula
from lawang.domain.maturity import FILES, LEAST_TIMELINESS, LEAST_VALIDITY
from lawang.domain.quality import Tally
from lawang.kpi.cells import Cell, Days
from lawang.store import schema

_COUNTS = ("polls", "failures", "records", "unusable", "unknown", "filled", "fillable")


def quality_cells(
    connection: Connection, formula: QualityFormula, city: City, days: Days
) -> list[Cell]:
    """The cells of sources on `days`; for INTEGRATED those of all departments."""
    names = formula.sources or tuple(city.sources)
    sources = [city.sources[name] for name in names if name in city.sources]
    first = _first_buckets(connection)
    cells: list[Cell] = []
    for day in days:
        start, end = Days(day, day, days.zone).bounds
        tallies = _tallies(connection, start, end)
        watched = [each for each in sources if each.id in first and first[each.id] < end]
        if not watched:
            continue
        if formula.figure is QualityFigure.INTEGRATED:
            for opd in city.opds.values():
                own = [each for each in sources if each.opd == opd.id]
                is_so = _is_integrated(own, tallies, first, start, end)
                cells.append(
                    Cell(day=day, kecamatan=None, key=opd.id, name=opd.name, num=float(is_so),
                         den=1.0, n=1, observed_at=end)
                )  # fmt: skip
            continue
        for source in watched:
            tally = tallies.get(source.id, Tally())
            num, den = _figure(formula.figure, source, tally, max(start, first[source.id]), end)
            if den > 0:
                cells.append(
                    Cell(day=day, kecamatan=None, key=source.id, name=source.name, num=num,
                         den=den, n=round(den), observed_at=end)
                )  # fmt: skip
    return cells


def _figure(
    figure: QualityFigure, source: Source, tally: Tally, since: datetime, until: datetime
) -> tuple[float, float]:
    """Numerator and denominator; polls that never happened count as missed."""
    if figure is QualityFigure.TIMELINESS:
        due = (until - since).total_seconds() / source.every_s
        return min(float(tally.polls), due), due
    if figure is QualityFigure.VALIDITY:
        wrong = min(tally.records, tally.unusable + tally.unknown)
        return float(tally.records - wrong), float(tally.records)
    return float(tally.filled), float(tally.fillable)


def _is_integrated(
    sources: Sequence[Source],
    tallies: dict[str, Tally],
    first: dict[str, datetime],
    start: datetime,
    end: datetime,
) -> bool:
    """Whether a department had all its sources connected, timely and valid that day, and not by
    files alone: the least that the ladder asks of "integratif"."""
    if not sources or all(each.connector == FILES for each in sources):
        return False
    for source in sources:
        if source.id not in first or first[source.id] >= end:
            return False
        since = max(start, first[source.id])
        tally = tallies.get(source.id, Tally())
        polls, due = _figure(QualityFigure.TIMELINESS, source, tally, since, end)
        valid, records = _figure(QualityFigure.VALIDITY, source, tally, since, end)
        # A source asked less than once a day is judged by its validity alone.
        if due >= 1 and polls < LEAST_TIMELINESS * due:
            return False
        if records and valid < LEAST_VALIDITY * records:
            return False
    return True


def _first_buckets(connection: Connection) -> dict[str, datetime]:
    table = schema.source_tally
    rows = connection.execute(
        select(table.c.source_id, func.min(table.c.bucket)).group_by(table.c.source_id)
    )
    return {row[0]: row[1] for row in rows}


def _tallies(connection: Connection, start: datetime, end: datetime) -> dict[str, Tally]:
    table = schema.source_tally
    sums = [func.sum(table.c[name]).label(name) for name in _COUNTS]
    rows = connection.execute(
        select(table.c.source_id, *sums)
        .where(table.c.bucket >= start, table.c.bucket < end)
        .group_by(table.c.source_id)
    )
    return {
        row.source_id: Tally(**{name: int(getattr(row, name)) for name in _COUNTS}) for row in rows
    }
