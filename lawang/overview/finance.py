"""The finance section: sums beside their curves and where they lead, departments, cash, surplus.

Readings that a finding holds back enter nothing here. Where one of them is the newest of its series
the sum is known up to the day before it only: the rest of the accounts alone would pass for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, or_, select, union_all

from lawang.city import City
from lawang.domain.forecast import (
    LEVEL,
    Outlook,
    Part,
    PastYear,
    look_ahead,
    months_of,
)
from lawang.domain.formula import ReadingFormula
from lawang.domain.kpi import Curve, Horizon, Kpi, KpiValue, Span
from lawang.domain.measure import Measure, span
from lawang.domain.programme import FinanceProgramme, MeasureRef
from lawang.kpi.cells import ONE_DAY, day_of, day_start
from lawang.kpi.evaluate import Evaluator, TrendPoint
from lawang.overview.model import Absorption, Amount, Budget, Finance, Forecast, Silpa
from lawang.store import schema
from lawang.store.history import History
from lawang.store.readings import ReadingFilter

#: Points of a course, and how many earlier years a forecast looks at: older ones say less of today.
_POINTS, _PAST = 60, 6
_TICK = timedelta(microseconds=1)


def read_finance(
    city: City, history: History, now: datetime, values: Mapping[str, KpiValue] | None = None
) -> Finance | None:
    """The section as of an instant; None where the pack has none. Blocking.

    `values` are the indicators' own over the year, where they are at hand already.
    """
    programme = city.programme.finance
    if programme is None:
        return None
    names = (programme.revenue, programme.spending, programme.own_revenue, *programme.items)
    if any(name not in city.kpis for name in names):
        # Reading a pack refuses that; indicators replaced since may be others.
        return None
    sums = _Sums(city, history, [city.kpis[name] for name in dict.fromkeys(names)], now)
    budgets = sums.budgets(values)
    return Finance(
        revenue=budgets[programme.revenue],
        spending=budgets[programme.spending],
        own_revenue=budgets[programme.own_revenue],
        items=tuple(budgets[name] for name in programme.items),
        absorption=_absorption(city, history, programme),
        cash=_cash(city, history, programme, now),
        silpa=_silpa(city, history, programme, sums),
    )


def read_budget(
    city: City, history: History, kpi: Kpi, now: datetime, value: KpiValue | None = None
) -> Budget:
    """One summed indicator in its year; `forecast` is None where it has no amount or no curve."""
    sums = _Sums(city, history, [kpi], now)
    return sums.budgets(None if value is None else {kpi.id: value})[kpi.id]


# --- sums ----------------------------------------------------------------------------------------


class _Sums:
    """The daily amounts of some summed indicators since 1 January."""

    def __init__(self, city: City, history: History, kpis: Sequence[Kpi], now: datetime) -> None:
        self._city = city
        self._kpis = {kpi.id: kpi for kpi in kpis}
        self._now = now
        self._evaluator = Evaluator(city, history.kpis)
        self.horizon: Horizon = self._evaluator.horizon(Span.YEAR, now)
        with history.database.reading() as connection:
            self._days = self._read_days(connection)
            self._cut(connection)
            self._past = self._read_past(connection)

    def amounts(self, kpi: str) -> Mapping[date, float]:
        """By day, oldest first, as far as all of it is known."""
        return {day: num for day, (num, _) in self._days[kpi].items()}

    def until(self, kpi: str) -> date | None:
        """The newest day that is known."""
        return max(self._days[kpi], default=None)

    def budgets(self, values: Mapping[str, KpiValue] | None) -> dict[str, Budget]:
        """Each indicator in its year."""
        if values is None:
            values = self._evaluator.values(self.horizon, self._now, self._kpis)
        return {
            name: Budget(
                kpi=name,
                value=values[name],
                target_year=kpi.target.of_year(self.horizon.last.year) if kpi.target else None,
                course=tuple(self._course(kpi)),
                forecast=self._forecast(kpi),
            )
            for name, kpi in self._kpis.items()
        }

    def _read_days(self, connection: Connection) -> dict[str, dict[date, tuple[float, int]]]:
        table = schema.kpi_day
        rows = connection.execute(
            select(table.c.kpi, table.c.day, table.c.num, table.c.n)
            .where(
                table.c.kpi.in_(list(self._kpis)),
                table.c.region == "",
                table.c.day.between(self.horizon.first, self.horizon.last),
            )
            .order_by(table.c.kpi, table.c.day)
        )
        found: dict[str, dict[date, tuple[float, int]]] = {name: {} for name in self._kpis}
        for kpi, day, num, n in rows:
            found[kpi][day] = (num, n)
        return found

    def _cut(self, connection: Connection) -> None:
        """Leave out the days from the first reading on that is held back and nothing came after."""
        formulas = {
            name: kpi.formula
            for name, kpi in self._kpis.items()
            if isinstance(kpi.formula, ReadingFormula)
        }
        zone = self._city.timezone
        held = _held_last(connection, formulas.values(), day_start(self.horizon.first, zone))
        for name, formula in formulas.items():
            source = self._city.sources.get(formula.source)
            measure = source.measures.get(formula.measure) if source else None
            firsts = [
                day_of(span(row.at, measure.period, zone)[0], zone)
                for row in held
                if measure is not None and _is_of(row, formula)
            ]
            if firsts:
                first = min(firsts)
                days = self._days[name]
                self._days[name] = {day: each for day, each in days.items() if day < first}

    def _read_past(self, connection: Connection) -> dict[str, list[PastYear]]:
        """Whole earlier years up to the same day, for those that had a target then."""
        wanted: dict[tuple[int, date], list[str]] = defaultdict(list)
        this = self.horizon.last.year
        for name, kpi in self._kpis.items():
            until = self.until(name)
            if until is None or kpi.target is None or kpi.target.curve is None:
                continue
            for year in range(this - _PAST, this):
                if kpi.target.of_year(year) is not None:
                    wanted[year, until].append(name)
        found: dict[str, list[PastYear]] = {name: [] for name in self._kpis}
        if not wanted:
            return found
        parts = [
            statement
            for (year, until), names in wanted.items()
            for statement in _year_sums(year, _same_day(until, year), names)
        ]
        for kpi, year, known, came, rest_days, rest in connection.execute(union_all(*parts)):
            target = self._kpis[kpi].target
            first, last = date(year, 1, 1), date(year, 12, 31)
            if known + rest_days != (last - first).days + 1 or target is None:
                continue
            until = first + (known - 1) * ONE_DAY
            part = Part(came, target.amount(first, until) or 0.0)
            found[kpi].append(PastYear(part, target.of_year(year) or 0.0, came + rest))
        return found

    def _course(self, kpi: Kpi) -> Iterator[TrendPoint]:
        days = self._days[kpi.id]
        order = list(days)
        running = list(accumulate(num for num, _ in days.values()))
        counts = list(accumulate(n for _, n in days.values()))
        for place in _spread(len(order)):
            day = order[place]
            target = None if kpi.target is None else kpi.target.amount(self.horizon.first, day)
            yield TrendPoint(day, running[place], target, counts[place])

    def _forecast(self, kpi: Kpi) -> Forecast | None:
        until, year = self.until(kpi.id), self.horizon.last.year
        if until is None or kpi.target is None or kpi.target.curve is None:
            return None
        target = kpi.target.of_year(year)
        amounts = self.amounts(kpi.id)
        months = months_of(kpi.target, amounts, until, year)
        if target is None or months is None:
            return None
        outlook = look_ahead(target, *months, self._past[kpi.id])
        return None if outlook is None else _told(outlook, sum(amounts.values()), until, target)


def _told(outlook: Outlook, reached: float, until: date, target: float) -> Forecast:
    return Forecast(
        value=outlook.value,
        low=outlook.low,
        high=outlook.high,
        level=LEVEL,
        method=outlook.method,
        years=outlook.years,
        reached=reached,
        until=until,
        target=target,
    )


def _spread(count: int) -> list[int]:
    """At most _POINTS places of `count`, evenly, the first and the last among them."""
    if count <= _POINTS:
        return list(range(count))
    return [round(n * (count - 1) / (_POINTS - 1)) for n in range(_POINTS)]


def _same_day(day: date, year: int) -> date:
    """The same day of another year; 29 February is 28 February where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _year_sums(year: int, until: date, kpis: list[str]) -> Iterator[Select[Any]]:
    """Days and amounts of a year, up to a day and after it."""
    table = schema.kpi_day
    is_early = table.c.day <= until
    yield (
        select(
            table.c.kpi,
            literal(year).label("year"),
            func.count().filter(is_early),
            func.coalesce(func.sum(table.c.num).filter(is_early), 0.0),
            func.count().filter(~is_early),
            func.coalesce(func.sum(table.c.num).filter(~is_early), 0.0),
        )
        .where(
            table.c.kpi.in_(kpis),
            table.c.region == "",
            table.c.day.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .group_by(table.c.kpi)
    )


def _held_last(
    connection: Connection, formulas: Iterable[ReadingFormula], since: datetime
) -> list[Row[Any]]:
    """The first reading of each series that is held back after the last one that counts."""
    about, table = schema.series, schema.reading
    wanted = {(each.source, each.measure) for each in formulas}
    statement = (
        select(
            about.c.source_id, about.c.measure, about.c.subject, func.min(table.c.at).label("at")
        )
        .join(table, table.c.series_id == about.c.id)
        .where(
            about.c.source_id.in_({source for source, _ in wanted}),
            about.c.measure.in_({measure for _, measure in wanted}),
            table.c.held != "",
            table.c.at >= since,
            or_(about.c.last_at.is_(None), table.c.at > about.c.last_at),
        )
        .group_by(about.c.source_id, about.c.measure, about.c.subject)
    )
    return list(connection.execute(statement))


def _is_of(row: Row[Any], formula: ReadingFormula) -> bool:
    return (
        (row.source_id, row.measure) == (formula.source, formula.measure)
        and (not formula.subjects or row.subject in formula.subjects)
        and row.subject not in formula.exclude
    )


# --- departments ---------------------------------------------------------------------------------


def _measure(city: City, ref: MeasureRef) -> Measure:
    return city.sources[ref.source].measures[ref.measure]


def _filter(ref: MeasureRef) -> ReadingFilter:
    return ReadingFilter(sources=(ref.source,), measures=(ref.measure,), subjects=ref.subjects)


def _until(at: datetime, observed_at: datetime, measure: Measure, city: City) -> date:
    """The last local day that a reading is about: no later than when it was observed."""
    start, end = span(at, measure.period, city.timezone)
    if end > start:
        end = min(end, max(observed_at, start + _TICK)) - _TICK
    return day_of(end, city.timezone)


def _absorption(
    city: City, history: History, programme: FinanceProgramme
) -> tuple[Absorption, ...]:
    """What each department had spent at its newest reading, beside its budget of the same time."""
    measure = _measure(city, programme.spent)
    curve = city.curves.get(programme.spending_curve)
    spent = history.readings.latest(_filter(programme.spent))
    budgets = {each.subject: each for each in history.readings.latest(_filter(programme.budget))}
    newest = max((each.at for each in spent), default=None)
    found = []
    for each in spent:
        budget = budgets.get(each.subject)
        # One that has told nothing in the year of the rest is not behind: it is not there any more.
        if newest is None or not _same_year(each.at, newest, city):
            continue
        if budget is None or not _same_year(budget.at, each.at, city):
            continue
        opd = city.opds.get(each.subject)
        found.append(
            Absorption(
                key=each.subject,
                name=each.subject_name or (opd.name if opd else each.subject),
                opd=opd.id if opd else "",
                spent=each.value,
                budget=budget.value,
                due=_due(curve, _until(each.at, each.observed_at, measure, city)),
                observed_at=each.observed_at,
            )
        )
    return tuple(sorted(found, key=_rank))


def _rank(each: Absorption) -> tuple[bool, float, str]:
    return each.share is None, each.share or 0.0, each.key


def _due(curve: Curve | None, until: date) -> float | None:
    return None if curve is None else curve.share(until)


def _same_year(one: datetime, other: datetime, city: City) -> bool:
    return day_of(one, city.timezone).year == day_of(other, city.timezone).year


# --- cash and surplus ----------------------------------------------------------------------------


def _cash(
    city: City, history: History, programme: FinanceProgramme, now: datetime
) -> Amount | None:
    """The newest balances of all accounts, as old as the oldest of them."""
    if programme.cash is None:
        return None
    balances = history.readings.latest(_filter(programme.cash))
    if not balances:
        return None
    observed_at = min(each.observed_at for each in balances)
    return Amount(
        value=sum(each.value for each in balances),
        observed_at=observed_at,
        source=programme.cash.source,
        stale=now - observed_at > programme.cash_stale_after,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What one account told about the days up to `until`; `value` is None where it is held back."""

    until: date
    value: float | None


def _silpa(city: City, history: History, programme: FinanceProgramme, sums: _Sums) -> Silpa | None:
    """Of the newest day of this year of which revenue, spending and financing are all known."""
    if programme.financing is None:
        return None
    revenue, spending = sums.until(programme.revenue), sums.until(programme.spending)
    if revenue is None or spending is None:
        return None
    came = _accounts(city, history, programme.financing, sums.horizon.first)
    paid = _accounts(city, history, programme.financing_paid, sums.horizon.first)
    if not came:
        return None
    told = [each for account in (*came, *paid) for each in account]
    last = min(revenue, spending)
    for day in sorted({each.until for each in told if each.until <= last}, reverse=True):
        receipts, payments = _financing_on(came, day), _financing_on(paid, day)
        if receipts is None or payments is None:
            continue
        return Silpa(
            revenue=_sum_until(sums.amounts(programme.revenue), day),
            spending=_sum_until(sums.amounts(programme.spending), day),
            financing=receipts - payments,
            until=day,
        )
    return None


def _accounts(
    city: City, history: History, ref: MeasureRef | None, first: date
) -> list[list[_Told]]:
    """What each account told this year, oldest first."""
    if ref is None:
        return []
    measure = _measure(city, ref)
    about, table = schema.series, schema.reading
    statement = (
        select(about.c.id, table.c.at, table.c.value, table.c.observed_at, table.c.held)
        .join(table, table.c.series_id == about.c.id)
        .where(
            about.c.source_id == ref.source,
            about.c.measure == ref.measure,
            table.c.at >= day_start(first, city.timezone),
        )
        .order_by(about.c.id, table.c.at)
    )
    if ref.subjects:
        statement = statement.where(about.c.subject.in_(ref.subjects))
    found: dict[int, list[_Told]] = defaultdict(list)
    with history.database.reading() as connection:
        for row in connection.execute(statement):
            until = _until(row.at, row.observed_at, measure, city)
            found[row.id].append(_Told(until, None if row.held else row.value))
    return list(found.values())


def _financing_on(accounts: Sequence[Sequence[_Told]], day: date) -> float | None:
    """The running total of all accounts on a day; None where one of them is not known then."""
    total = 0.0
    for account in accounts:
        before = [each for each in account if each.until <= day]
        # An account that had not begun yet held nothing.
        if not before:
            continue
        if before[-1].until != day or before[-1].value is None:
            return None
        total += before[-1].value
    return total


def _sum_until(amounts: Mapping[date, float], day: date) -> float:
    return sum(amount for at, amount in amounts.items() if at <= day)
