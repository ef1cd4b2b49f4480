"""Daily facts of an indicator for a stretch of days, worked out from the records of history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from lawang.city import City
from lawang.domain.formula import (
    IncidentFormula,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFormula,
    is_count,
    sources_of,
)
from lawang.domain.kpi import Daily, Kpi
from lawang.domain.measure import MeasureKind, Period, span
from lawang.kpi.cells import Cell, Days, add_up, day_of, gather, joining
from lawang.kpi.counted import incident_cells, reached_cells, request_cells
from lawang.kpi.heard import quality_cells
from lawang.kpi.hearing import known_days
from lawang.kpi.measured import measure_of, read_cells, series_of
from lawang.store import schema
from lawang.store.database import Database

#: Tallies are kept for 35 days; the day on which they are dropped is not whole any more.
TALLIES_KEPT = timedelta(days=33)


class DailyFacts:
    """Works out facts and the cells behind them. Reads only; blocking."""

    def __init__(self, city: City, database: Database) -> None:
        self._city = city
        self._database = database

    def compute(self, kpi: Kpi, first: date, last: date, now: datetime) -> list[Daily]:
        """All facts from `first` to `last`: of the city and of every kecamatan that has any.

        `now` decides what is overdue. Days after the last complete one are yours to leave out.
        """
        if last < first:
            return []
        days = Days(first, last, self._city.timezone)
        with self._database.reading() as connection:
            return self._compute(connection, kpi, days, now)

    def cells(self, kpi: Kpi, first: date, last: date, now: datetime) -> list[Cell]:
        """What is behind the facts: by subject of a measure, source or department, and day.

        Of a ratio `num` and `den` are those of its two measures where their subjects are paired;
        else there are none.
        """
        days = Days(first, last, self._city.timezone)
        with self._database.reading() as connection:
            if isinstance(kpi.formula, ReadingRatioFormula):
                if not kpi.formula.pairs_subjects:
                    return []
                over, under = self._ratio_cells(connection, kpi.formula, days)
                dens = {(cell.key, cell.day): cell.num for cell in under}
                return [replace(cell, den=dens[cell.key, cell.day]) for cell in over]
            return self._cells(connection, kpi, days, now)

    def first_day(self, kpi: Kpi, now: datetime) -> date | None:
        """The first day of which anything can be known; None where there is nothing."""
        with self._database.reading() as connection:
            return self._first_day(connection, kpi, now)

    def _compute(self, connection: Connection, kpi: Kpi, days: Days, now: datetime) -> list[Daily]:
        formula = kpi.formula
        if isinstance(formula, ReadingRatioFormula):
            return self._ratio(connection, kpi, formula, days)
        cells = self._cells(connection, kpi, days, now)
        if isinstance(formula, ReadingFormula):
            return gather(kpi.id, cells, joining(formula.across, kpi.combine))
        facts = gather(kpi.id, cells, add_up)
        if isinstance(formula, QualityFormula):
            return facts
        return self._with_quiet_days(connection, kpi, facts, days)

    def _cells(self, connection: Connection, kpi: Kpi, days: Days, now: datetime) -> list[Cell]:
        formula = kpi.formula
        if isinstance(formula, ReadingFormula):
            measure = measure_of(self._city, formula)
            return read_cells(connection, formula, measure, days) if measure else []
        if isinstance(formula, IncidentFormula):
            return incident_cells(connection, formula, self._city, days, now)
        if isinstance(formula, ReachedFormula):
            return reached_cells(connection, formula, self._city, days, now)
        if isinstance(formula, RequestFormula):
            return request_cells(connection, formula, self._city, days, now)
        if isinstance(formula, QualityFormula):
            return quality_cells(connection, formula, self._city, days)
        raise TypeError(f"{kpi.id}: {type(formula).__name__} has no cells of its own")

    def _ratio_cells(
        self, connection: Connection, formula: ReadingRatioFormula, days: Days
    ) -> tuple[list[Cell], list[Cell]]:
        measures = [
            measure_of(self._city, part) for part in (formula.numerator, formula.denominator)
        ]
        if measures[0] is None or measures[1] is None:
            return [], []
        over = read_cells(connection, formula.numerator, measures[0], days)
        under = read_cells(connection, formula.denominator, measures[1], days)
        if formula.pairs_subjects:
            # A subject whose other half is held back or missing would bend the ratio.
            both = {(c.key, c.day) for c in over} & {(c.key, c.day) for c in under}
            over = [cell for cell in over if (cell.key, cell.day) in both]
            under = [cell for cell in under if (cell.key, cell.day) in both]
        return over, under

    def _ratio(
        self, connection: Connection, kpi: Kpi, formula: ReadingRatioFormula, days: Days
    ) -> list[Daily]:
        over, under = self._ratio_cells(connection, formula, days)
        numerators = gather(kpi.id, over, joining(formula.numerator.across, kpi.combine))
        denominators = {
            (each.region, each.day): each
            for each in gather(kpi.id, under, joining(formula.denominator.across, kpi.combine))
        }
        facts = []
        for each in numerators:
            other = denominators.get((each.region, each.day))
            if other is not None:
                facts.append(
                    replace(
                        each,
                        num=each.num / each.den,
                        den=other.num / other.den,
                        # As old as the older half.
                        observed_at=min(each.observed_at, other.observed_at),
                    )
                )
        return facts

    def _with_quiet_days(
        self, connection: Connection, kpi: Kpi, facts: Sequence[Daily], days: Days
    ) -> list[Daily]:
        """Facts with the days on which nothing happened, once all sources were heard after them.

        Such a day is an empty cohort, and for a count it is nought, in every kecamatan too. Days
        that some source has not yet told of whole do not count for counts.
        """
        table = (
            schema.service_request if isinstance(kpi.formula, RequestFormula) else schema.incident
        )
        known = known_days(connection, table, sources_of(kpi.formula), days)
        counts = is_count(kpi.formula)
        if counts:
            facts = [replace(each, den=1.0) for each in facts]
        if known is None:
            return [] if counts else list(facts)
        first, last = known
        found = {(each.region, each.day): each for each in facts}
        regions = ["", *(each.code for each in self._city.kecamatan)] if counts else [""]
        for day in Days(first, last, days.zone):
            end = Days(day, day, days.zone).bounds[1]
            for region in regions:
                own = found.get((region, day))
                found[region, day] = (
                    replace(own, observed_at=max(own.observed_at, end))
                    if own is not None
                    else Daily(kpi=kpi.id, region=region, day=day, num=0.0,
                               den=1.0 if counts else 0.0, n=0, observed_at=end)
                )  # fmt: skip
        if counts:
            found = {key: each for key, each in found.items() if first <= each.day <= last}
        return [found[key] for key in sorted(found)]

    def _first_day(self, connection: Connection, kpi: Kpi, now: datetime) -> date | None:
        zone = self._city.timezone
        formula = kpi.formula
        if isinstance(formula, ReadingFormula):
            return self._first_reading(connection, formula)
        if isinstance(formula, ReadingRatioFormula):
            firsts = [
                self._first_reading(connection, part)
                for part in (formula.numerator, formula.denominator)
            ]
            known = [each for each in firsts if each is not None]
            return max(known) if len(known) == len(firsts) else None
        if isinstance(formula, QualityFormula):
            oldest = connection.execute(select(func.min(schema.source_tally.c.bucket))).scalar()
            return None if oldest is None else max(
                day_of(oldest, zone), day_of(now - TALLIES_KEPT, zone)
            )  # fmt: skip
        table = schema.service_request if isinstance(formula, RequestFormula) else schema.incident
        oldest = connection.execute(
            select(func.min(table.c.requested_at)).where(table.c.source_id.in_(formula.sources))
        ).scalar()
        return None if oldest is None else day_of(oldest, zone)

    def _first_reading(self, connection: Connection, formula: ReadingFormula) -> date | None:
        measure = measure_of(self._city, formula)
        if measure is None:
            return None
        table = schema.reading
        oldest = [
            at
            for each in series_of(connection, formula)
            if (
                at := connection.execute(
                    select(func.min(table.c.at)).where(
                        table.c.series_id == each.id, table.c.held == ""
                    )
                ).scalar()
            )
            is not None
        ]
        if not oldest:
            return None
        start = min(oldest)
        if measure.kind is MeasureKind.CUMULATIVE and measure.resets is not None:
            # The first total ever told is spread over the days since its reset.
            start = span(start, measure.resets, self._city.timezone)[0]
        elif measure.period is not Period.INSTANT:
            start = span(start, measure.period, self._city.timezone)[0]
        return day_of(start, self._city.timezone)
