"""Values of all indicators over all horizons, from the daily facts in history. Blocking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from lawang.city import City
from lawang.domain.kpi import (
    Combine,
    Horizon,
    Kpi,
    KpiValue,
    RollUp,
    Span,
    evaluate,
    roll_up,
    sum_up,
)
from lawang.kpi.cells import ONE_DAY, day_start, last_complete_day
from lawang.store.kpis import KpiStore


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One day of an indicator beside what it is held to; both None on a day that is missing."""

    day: date
    value: float | None
    target: float | None
    n: int


class Evaluator:
    """Reads values for the pages, the API and the command line.

    `now` decides which day is the last complete one and how old things are.
    """

    def __init__(self, city: City, store: KpiStore) -> None:
        self._city = city
        self._store = store

    def horizon(self, span: Span, now: datetime, last: date | None = None) -> Horizon:
        """The horizon of that name up to `last`, or to the last complete day."""
        return Horizon.ending(span, last or last_complete_day(now, self._city.timezone))

    def values(
        self, horizon: Horizon, now: datetime | None, kpis: Mapping[str, Kpi] | None = None
    ) -> dict[str, KpiValue]:
        """The city's value of each indicator; without `now` age plays no part."""
        wanted = self._city.kpis if kpis is None else kpis
        totals = self._store.totals(wanted, horizon)
        return {
            name: evaluate(kpi, horizon, totals.get(name), now=now) for name, kpi in wanted.items()
        }

    def value(self, kpi: Kpi, horizon: Horizon, now: datetime | None) -> KpiValue:
        """The city's value of one indicator."""
        return self.values(horizon, now, {kpi.id: kpi})[kpi.id]

    def past_value(self, kpi: Kpi, horizon: Horizon) -> KpiValue:
        """The city's value over a past horizon, as fresh as it was at its end."""
        return self.value(kpi, horizon, self._seen_from(horizon))

    def by_kecamatan(self, kpi: Kpi, horizon: Horizon, now: datetime) -> dict[str, KpiValue]:
        """The value in each kecamatan, by code; those without a fact are grey.

        Age is the city's, as a kecamatan without a report is not out of date; but of a state it is
        the kecamatan's own.
        """
        city = self.value(kpi, horizon, now)
        codes = [each.code for each in self._city.kecamatan]
        totals = self._store.totals_by_region(kpi, horizon, codes)
        return {
            each.code: evaluate(
                kpi,
                horizon,
                totals.get(each.code),
                now=now,
                region=each.code,
                observed_at=city.observed_at,
            )
            for each in self._city.kecamatan
        }

    def trend(self, kpi: Kpi, first: date, last: date) -> list[TrendPoint]:
        """Each day that is known, oldest first, with the target of that day alone."""
        points = []
        for each in self._store.days(kpi.id, first, last):
            day = Horizon(Span.DAY, each.day, each.day)
            value = evaluate(kpi, day, sum_up(kpi, day, [each]), now=None)
            points.append(TrendPoint(each.day, value.value, value.target, each.n))
        return points

    def cumulative(self, kpi: Kpi, first: date, last: date) -> list[TrendPoint]:
        """A sum as it grew from `first` on, beside the curve; empty for what is not summed up."""
        if kpi.combine is not Combine.SUM:
            return []
        total, points = 0.0, []
        n = 0
        for each in self._store.days(kpi.id, first, last):
            total, n = total + each.num, n + each.n
            target = None if kpi.target is None else kpi.target.amount(first, each.day)
            points.append(TrendPoint(each.day, total, target, n))
        return points

    def scores(self, span: Span, now: datetime, last: date | None = None) -> list[RollUp]:
        """The city (first) and its dimensions over a horizon, with what moved them."""
        horizon = self.horizon(span, now, last)
        past = horizon.previous()
        after = self.values(horizon, self._seen_from(horizon) if last else now)
        before = self.values(past, self._seen_from(past))
        return roll_up(
            list(self._city.dimensions.values()),
            list(self._city.kpis.values()),
            horizon,
            after,
            before,
        )

    def _seen_from(self, horizon: Horizon) -> datetime:
        """A past horizon is judged from its own end: what was fresh then does not age."""
        return day_start(horizon.last + ONE_DAY, self._city.timezone)
