"""What the daily facts of each indicator come to, kept until they change. Blocking; thread-safe.

The facts of one indicator are read anew when its revision in history or the last complete day is
another one. What is kept of each is a few sums and two months of days, so that memory is bounded by
the number of indicators whatever the years of history.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lawang.city import City
from lawang.domain.kpi import (
    Combine,
    Daily,
    Horizon,
    Kpi,
    KpiValue,
    Span,
    Totals,
    evaluate,
    sum_up,
    target_of,
    value_of,
)
from lawang.kpi.cells import ONE_DAY, day_start
from lawang.kpi.evaluate import TrendPoint
from lawang.store.history import History
from lawang.store.kpis import Month

#: A month and the one before: the spans up to there are summed up from days, longer ones by SQL.
_WINDOW = 60
_SHORT = (Span.DAY, Span.WEEK, Span.MONTH)
#: Points of a spark: days, or months for what is due monthly or more rarely.
_SPARK_DAYS, _SPARK_MONTHS = 60, 24
_BY_DAYS = frozenset({"hour", "day", "week"})
_PAST_KEPT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiFacts:
    """One indicator up to a last complete day.

    `totals` are of the horizons that end there, `before` the values of those before, `days` the
    facts of the last two months, oldest first, `earlier` the newest before them (of a state only).
    """

    totals: Mapping[Span, Totals | None]
    before: Mapping[Span, KpiValue]
    spark: tuple[TrendPoint, ...]
    days: tuple[Daily, ...]
    earlier: Daily | None


class FactBook:
    """Keeps the facts of all indicators of one city."""

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._store = history.kpis
        self._lock = threading.Lock()
        self._last: date | None = None
        self._kept: dict[str, tuple[int, Kpi, KpiFacts]] = {}
        self._past: OrderedDict[tuple[date, str], dict[str, KpiValue]] = OrderedDict()

    def read(
        self, last: date, revisions: Mapping[str, int], kpis: Mapping[str, Kpi]
    ) -> dict[str, KpiFacts]:
        """The facts of some indicators at the given revisions; only what changed is read."""
        with self._lock:
            if last != self._last:
                self._kept, self._last = {}, last
            else:
                # One that is defined no more is not kept either.
                self._kept = {
                    name: kept for name, kept in self._kept.items() if name in self._city.kpis
                }
            wanted = {
                name: kpi
                for name, kpi in kpis.items()
                if name not in self._kept
                or self._kept[name][0] != revisions.get(name, 0)
                or self._kept[name][1] is not kpi
            }
            if wanted:
                for name, facts in self._load(wanted, last).items():
                    self._kept[name] = (revisions.get(name, 0), wanted[name], facts)
            return {name: self._kept[name][2] for name in kpis}

    def values_on(
        self, day: date, version: str, facts: Mapping[str, KpiFacts], last: date
    ) -> dict[str, KpiValue]:
        """The month up to a past day as it was judged at its end, by the facts known today.

        `facts` are those read up to `last`, at that version.
        """
        key, kpis = (day, version), self._city.kpis
        with self._lock:
            known = self._past.get(key)
            if known is not None:
                self._past.move_to_end(key)
                return known
            horizon = Horizon.ending(Span.MONTH, day)
            totals: dict[str, Totals | None] = dict.fromkeys(kpis)
            if horizon.first > last - timedelta(days=_WINDOW):
                for name, kpi in kpis.items():
                    own = facts[name]
                    totals[name] = sum_up(kpi, horizon, _with(own.earlier, own.days))
            else:
                totals |= self._store.totals(kpis, horizon)
            found = {
                name: self.judge_past(kpi, horizon, totals[name]) for name, kpi in kpis.items()
            }
            self._past[key] = found
            while len(self._past) > _PAST_KEPT:
                self._past.popitem(last=False)
            return found

    def judge_past(self, kpi: Kpi, horizon: Horizon, totals: Totals | None) -> KpiValue:
        """A past horizon, as fresh as it was at its end."""
        end = day_start(horizon.last + ONE_DAY, self._city.timezone)
        return evaluate(kpi, horizon, totals, now=end)

    # --- reading -------------------------------------------------------------------------------

    def _load(self, kpis: Mapping[str, Kpi], last: date) -> dict[str, KpiFacts]:
        first = last - timedelta(days=_WINDOW - 1)
        days = self._store.city_days(list(kpis), first, last)
        states = [name for name, kpi in kpis.items() if kpi.combine is Combine.LAST]
        earlier = {
            each.kpi: each for each in self._store.newest((n, "", first - ONE_DAY) for n in states)
        }
        horizons = {span: Horizon.ending(span, last) for span in Span}
        now: dict[Span, dict[str, Totals | None]] = {}
        past: dict[Span, dict[str, Totals | None]] = {}
        added = {name: kpi for name, kpi in kpis.items() if kpi.combine is not Combine.LAST}
        for span, horizon in horizons.items():
            for found, each in ((now, horizon), (past, horizon.previous())):
                is_short = each.first >= first
                found[span] = {
                    name: sum_up(kpi, each, _with(earlier.get(name), days.get(name, ())))
                    for name, kpi in kpis.items()
                    if is_short or kpi.combine is Combine.LAST
                }
                if not is_short:
                    found[span] |= {**dict.fromkeys(added), **self._store.totals(added, each)}
                    self._look_back(found[span], states, kpis, each, first)
        sparks = self._sparks(kpis, days, last)
        return {
            name: KpiFacts(
                totals={span: now[span][name] for span in Span},
                before={
                    span: self.judge_past(kpi, horizons[span].previous(), past[span][name])
                    for span in Span
                },
                spark=sparks[name],
                days=tuple(days.get(name, ())),
                earlier=earlier.get(name),
            )
            for name, kpi in kpis.items()
        }

    def _look_back(
        self,
        found: dict[str, Totals | None],
        states: Sequence[str],
        kpis: Mapping[str, Kpi],
        horizon: Horizon,
        first: date,
    ) -> None:
        """States at the end of a horizon that lies before the days that were read."""
        if horizon.last < first:
            for name in states:
                found[name] = None
            wanted = {name: kpis[name] for name in states}
            found.update(self._store.totals(wanted, horizon))

    # --- sparks --------------------------------------------------------------------------------

    def _sparks(
        self, kpis: Mapping[str, Kpi], days: Mapping[str, Sequence[Daily]], last: date
    ) -> dict[str, tuple[TrendPoint, ...]]:
        found = {
            name: tuple(day_points(kpi, days.get(name, ())[-_SPARK_DAYS:]))
            for name, kpi in kpis.items()
            if kpi.due in _BY_DAYS
        }
        rare = {name: kpi for name, kpi in kpis.items() if kpi.due not in _BY_DAYS}
        if rare:
            begin = _months_before(last, _SPARK_MONTHS - 1)
            months = self._store.months(list(rare), begin, last)
            newest = self._newest_of(rare, months)
            known = self._known_of(rare, months, begin, last)
            for name, kpi in rare.items():
                found[name] = tuple(
                    self._month_point(kpi, month, newest, known.get(name, ()))
                    for month in months.get(name, ())
                )
        return found

    def _newest_of(
        self, kpis: Mapping[str, Kpi], months: Mapping[str, Sequence[Month]]
    ) -> dict[tuple[str, date], Daily]:
        """The facts of the newest day of each month, of states."""
        states = [name for name, kpi in kpis.items() if kpi.combine is Combine.LAST]
        days = {month.newest for name in states for month in months.get(name, ())}
        return {(each.kpi, each.day): each for each in self._store.on_days(states, sorted(days))}

    def _known_of(
        self,
        kpis: Mapping[str, Kpi],
        months: Mapping[str, Sequence[Month]],
        first: date,
        last: date,
    ) -> dict[str, list[date]]:
        """The days known of sums that lack some of a month: they are held to those alone."""
        wanted = [
            name
            for name, kpi in kpis.items()
            if kpi.combine is Combine.SUM
            and any(each.days < each.newest.day for each in months.get(name, ()))
        ]
        return self._store.known_days(wanted, first, last)

    def _month_point(
        self,
        kpi: Kpi,
        month: Month,
        newest: Mapping[tuple[str, date], Daily],
        days: Sequence[date],
    ) -> TrendPoint:
        state = newest.get((kpi.id, month.newest))
        horizon = Horizon(Span.MONTH, month.newest.replace(day=1), month.newest)
        known: tuple[date, ...] | None = None
        if kpi.combine is Combine.SUM and month.days < horizon.days:
            known = tuple(day for day in days if horizon.first <= day <= horizon.last)
        totals = Totals(
            num=month.num if state is None else state.num,
            den=month.den if state is None else state.den,
            n=month.n if state is None else state.n,
            days=month.days,
            newest=month.newest,
            # A point of a trend does not tell when it was true.
            observed_at=day_start(month.newest, self._city.timezone),
            known=known,
        )
        return TrendPoint(
            month.newest, value_of(kpi, totals), target_of(kpi, horizon, totals), totals.n
        )


def day_points(kpi: Kpi, days: Iterable[Daily]) -> Iterable[TrendPoint]:
    """Days as points, each beside what that day alone is held to."""
    for each in days:
        value = each.num
        if kpi.combine is not Combine.SUM:
            if not each.den:
                # An empty cohort has no value: it is missing, not nought.
                continue
            value = each.num / each.den
        target: float | None = None
        if kpi.target is not None:
            is_sum = kpi.combine is Combine.SUM
            target = kpi.target.amount(each.day, each.day) if is_sum else kpi.target.at(each.day)
        yield TrendPoint(each.day, value, target, each.n)


def _with(earlier: Daily | None, days: Iterable[Daily]) -> list[Daily]:
    return [*([] if earlier is None else [earlier]), *days]


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months before."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
