"""Indicators: definitions, daily facts, and the score that a span of days comes to. Pure.

Days are local days of the city. A `Daily` is additive: the days of a horizon are summed up, so that
ten years are two sums. What is missing is missing and never counts as nought.
"""

from __future__ import annotations

import calendar
import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from lawang.domain.formula import Formula
from lawang.domain.workdays import is_working_day

#: A score above this says no more than "far above": one indicator must not carry a dimension.
SCORE_MAX = 1.5
#: From which scores on the city as a whole is green and amber.
CITY_THRESHOLDS = (1.0, 0.9)
_ONE_DAY = timedelta(days=1)
#: What a score may lack of a threshold: sums of parts of amounts are not exact.
_ROUNDING = 1e-9
#: The normal quantile of a two-sided interval of 95%.
_Z = 1.959963984540054


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"


class Combine(StrEnum):
    """How days make a horizon: sum of num; sum of num by sum of den; num by den of the newest."""

    SUM = "sum"
    RATIO = "ratio"
    LAST = "last"


class Light(StrEnum):
    """How a score stands to its thresholds; grey leaves the roll-up."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


class Grey(StrEnum):
    """Why a value has no say: nothing known, too old, too few records, or nothing to be held to."""

    NO_DATA = "no_data"
    STALE = "stale"
    FEW = "few"
    NO_TARGET = "no_target"


class Span(StrEnum):
    """The five horizons, as one is named."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


#: How many complete days each one holds; the year holds those since 1 January.
SPAN_DAYS = {Span.DAY: 1, Span.WEEK: 7, Span.MONTH: 30, Span.QUARTER: 91}


@dataclass(frozen=True, slots=True)
class Horizon:
    """Complete local days, `first` and `last` included."""

    span: Span
    first: date
    last: date

    @classmethod
    def ending(cls, span: Span, last: date) -> Horizon:
        """The horizon of that name whose last complete day is `last`."""
        if span is Span.YEAR:
            return cls(span, date(last.year, 1, 1), last)
        return cls(span, last - timedelta(days=SPAN_DAYS[span] - 1), last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def previous(self) -> Horizon:
        """The equal horizon before: as many days, or the year before to the same date.

        29 February is compared with 28 February.
        """
        if self.span is not Span.YEAR:
            return Horizon.ending(self.span, self.first - _ONE_DAY)
        year = self.last.year - 1
        day = min(self.last.day, calendar.monthrange(year, self.last.month)[1])
        return Horizon(self.span, date(year, 1, 1), date(year, self.last.month, day))


# --- targets -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Curve:
    """The cumulative share of a year that is to be reached by the end of each day.

    `points` are ((month, day), share) in the order of the year, the last one 31 December at 1.
    A day of 0 is the last of its month, 29 February included. Between two points the share grows
    evenly by days, or by `working_days` (Monday to Friday but for holidays).
    """

    id: str
    points: tuple[tuple[tuple[int, int], float], ...]
    source: str
    working_days: bool = False

    def share(self, day: date) -> float:
        """The share of the year reached by the end of `day`; 0 before 1 January."""
        days, shares = _anchors(self.points, day.year)
        place = bisect_left(days, day)
        before, after = max(0, place - 1), place
        if days[after] == day:
            return shares[after]
        whole = self._length(days[before], days[after])
        # A stretch without a working day has nothing to spread by: take its days as they are.
        part = (
            self._length(days[before], day) / whole
            if whole
            else (day - days[before]).days / (days[after] - days[before]).days
        )
        return shares[before] + (shares[after] - shares[before]) * part

    def between(self, first: date, last: date) -> float:
        """The share that belongs to the days from `first` to `last`, both of one year."""
        before = self.share(first - _ONE_DAY) if (first.month, first.day) != (1, 1) else 0.0
        return self.share(last) - before

    def _length(self, after: date, until: date) -> int:
        """Days after `after` up to `until`, all of them or the working ones."""
        days = (until - after).days
        if not self.working_days:
            return days
        return sum(is_working_day(after + timedelta(days=n)) for n in range(1, days + 1))


@lru_cache(maxsize=1024)
def _anchors(
    points: tuple[tuple[tuple[int, int], float], ...], year: int
) -> tuple[list[date], list[float]]:
    """The days of a curve in one year and their shares, from 31 December before on."""
    days = [date(year - 1, 12, 31), *(_date_of(year, *at) for at, _ in points)]
    return days, [0.0, *(share for _, share in points)]


def _date_of(year: int, month: int, day: int) -> date:
    return date(year, month, day or calendar.monthrange(year, month)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an indicator is held to. Exactly one of `level`, `levels`, `per_day` and the years.

    `level` is one figure for all days, `levels` one for each month; `per_day` an amount per day;
    `year` an amount for any year, `years` one for each year named. `curve` spreads amounts of a
    year over its days (evenly where there is none) and, for a state (`last`), grows the level.
    """

    level: float | None = None
    levels: tuple[float, ...] = ()
    per_day: float | None = None
    year: float | None = None
    years: Mapping[int, float] = field(default_factory=dict)
    curve: Curve | None = None

    def of_year(self, year: int) -> float | None:
        """The amount or level of one year."""
        return self.years.get(year, self.year if self.year is not None else self.level)

    def at(self, day: date) -> float | None:
        """The level that holds on a day; None where none is set."""
        if self.levels:
            return self.levels[day.month - 1]
        level = self.of_year(day.year)
        if level is None or self.curve is None:
            return level
        return level * self.curve.share(day)

    def amount(self, first: date, last: date) -> float | None:
        """The amount that belongs to all days from `first` to `last`; None where a year has none.

        A span over New Year takes of each year what belongs to its days.
        """
        if self.per_day is not None:
            return self.per_day * ((last - first).days + 1)
        parts: list[float] = []
        for year in range(first.year, last.year + 1):
            whole = self.of_year(year)
            if whole is None:
                return None
            begin, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
            if self.curve is not None:
                parts.append(whole * self.curve.between(begin, end))
            else:
                length = 366 if calendar.isleap(year) else 365
                parts.append(whole * ((end - begin).days + 1) / length)
        return math.fsum(parts)

    def amount_of(self, days: Iterable[date]) -> float | None:
        """The amount that belongs to exactly these days."""
        parts: list[float] = []
        for first, last in _runs(sorted(days)):
            part = self.amount(first, last)
            if part is None:
                return None
            parts.append(part)
        return math.fsum(parts)


def _runs(days: Sequence[date]) -> Iterable[tuple[date, date]]:
    """Sorted days as unbroken stretches."""
    at = 0
    while at < len(days):
        end = at
        while end + 1 < len(days) and (days[end + 1] - days[end]).days == 1:
            end += 1
        yield days[at], days[end]
        at = end + 1


# --- definitions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """What indicators roll up to. Its own score is green and amber from these on."""

    id: str
    name_id: str
    name_en: str
    weight: float
    green: float = 1.0
    amber: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One indicator, as `kpi.toml` defines it.

    `green` and `amber` are the least scores of those lights; `minimum` the least cohort in a
    horizon; `due` how often new data is to come (a word); `stale_after` how old the newest may be.
    `unit_en` is the unit in English, "" where it is the same.
    `simulated_target` says that the target was published nowhere; `target_source` where it is from.
    """

    id: str
    name_id: str
    name_en: str
    definition_id: str
    definition_en: str
    dimension: str
    owner: str
    unit: str
    direction: Direction
    combine: Combine
    formula: Formula
    target: Target | None
    weight: float = 1.0
    green: float = 1.0
    amber: float = 0.9
    minimum: int = 1
    due: str = "day"
    stale_after: timedelta = timedelta(days=3)
    simulated_target: bool = False
    target_source: str = ""
    unit_en: str = ""

    def unit_in(self, language: str) -> str:
        """The unit for people of a language; `unit` itself decides how values are written."""
        return self.unit_en or self.unit if language == "en" else self.unit


# --- facts and values ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """What one local day adds to one indicator. `region` is "" for the city, else a kecamatan.

    `n` is how many records are behind it, `observed_at` (UTC) the newest moment it is true of.
    """

    kpi: str
    region: str
    day: date
    num: float
    den: float
    n: int
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The days of one horizon, summed up; for LAST the newest day alone.

    `days` is how many days are known, `newest` the newest of them. `known` names them where not all
    of the horizon are and a target depends on which (a sum's); else it may be None.
    """

    num: float
    den: float
    n: int
    days: int
    newest: date
    observed_at: datetime
    known: tuple[date, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiValue:
    """One indicator over one horizon.

    `score` is None without a value or a target; a grey one keeps its score for who looks closer.
    `days` are those known of the horizon's `horizon.days`. `age` is how old `observed_at` is.
    """

    kpi: str
    region: str
    horizon: Horizon
    value: float | None
    target: float | None
    score: float | None
    light: Light
    grey: Grey | None
    num: float = 0.0
    den: float = 0.0
    n: int = 0
    days: int = 0
    observed_at: datetime | None = None
    age: timedelta | None = None

    @property
    def counts(self) -> bool:
        """Whether it takes part in a roll-up."""
        return self.grey is None


def sum_up(kpi: Kpi, horizon: Horizon, days: Iterable[Daily]) -> Totals | None:
    """Daily facts of one region as totals; None without any. For LAST, days before count too.

    Sums are exact (`math.fsum`), so that the order in which days came changes nothing.
    """
    wanted = [
        each
        for each in days
        if each.day <= horizon.last and (kpi.combine is Combine.LAST or each.day >= horizon.first)
    ]
    if not wanted:
        return None
    if kpi.combine is Combine.LAST:
        wanted = [max(wanted, key=lambda each: each.day)]
    known = tuple(sorted(each.day for each in wanted))
    return Totals(
        num=math.fsum(each.num for each in wanted),
        den=math.fsum(each.den for each in wanted),
        n=sum(each.n for each in wanted),
        days=len(wanted),
        newest=known[-1],
        observed_at=max(each.observed_at for each in wanted),
        known=None if len(known) == horizon.days else known,
    )


def evaluate(
    kpi: Kpi,
    horizon: Horizon,
    totals: Totals | None,
    *,
    now: datetime | None,
    region: str = "",
    observed_at: datetime | None = None,
) -> KpiValue:
    """Value, target and score of one horizon. Without `now` age plays no part (a past horizon).

    `observed_at` replaces that of the totals: a kecamatan without a report is not older than the
    city. Not so of a state, which somebody must have told: it is as old as its own newest day.
    The amount that a kecamatan is to bring is not known, so sums have no target there.
    """
    if totals is None:
        return KpiValue(
            kpi=kpi.id, region=region, horizon=horizon, value=None, target=None, score=None,
            light=Light.GREY, grey=Grey.NO_DATA,
        )  # fmt: skip
    value = value_of(kpi, totals)
    target = None if region and kpi.combine is Combine.SUM else target_of(kpi, horizon, totals)
    score = None if value is None or target is None else score_of(kpi.direction, value, target)
    seen = totals.observed_at
    if observed_at is not None and kpi.combine is not Combine.LAST:
        seen = observed_at
    age = None if now is None else now - seen
    grey: Grey | None = None
    if value is None:
        grey = Grey.NO_DATA
    elif age is not None and age > kpi.stale_after:
        grey = Grey.STALE
    elif totals.n < kpi.minimum:
        grey = Grey.FEW
    elif target is None:
        grey = Grey.NO_TARGET
    return KpiValue(
        kpi=kpi.id,
        region=region,
        horizon=horizon,
        value=value,
        target=target,
        score=score,
        light=Light.GREY if grey or score is None else light_of(score, kpi.green, kpi.amber),
        grey=grey,
        num=totals.num,
        den=totals.den,
        n=totals.n,
        days=totals.days,
        observed_at=seen,
        age=age,
    )


def value_of(kpi: Kpi, totals: Totals) -> float | None:
    """The value of some totals; None where there is nothing to divide by."""
    if kpi.combine is Combine.SUM:
        return totals.num
    return totals.num / totals.den if totals.den else None


def target_of(kpi: Kpi, horizon: Horizon, totals: Totals) -> float | None:
    """What the value is held to.

    A sum is held to what belongs to the days that are known, so that a day that is missing is not
    counted as a failure; the rest to the level of the newest day that is known.
    """
    if kpi.target is None:
        return None
    if kpi.combine is not Combine.SUM:
        return kpi.target.at(totals.newest)
    if totals.known is None:
        return kpi.target.amount(horizon.first, horizon.last)
    return kpi.target.amount_of(totals.known)


def score_of(direction: Direction, value: float, target: float) -> float:
    """Value by target, or target by value where less is better; within 0 and SCORE_MAX.

    Up: a target of 0 is met (1) by 0, surpassed by more, missed (0) by less. Down: a value of 0
    is the best there is, 1 where 0 was the target; anything above a target of 0 scores 0.
    """
    if direction is Direction.UP:
        if target == 0:
            return 1.0 if value == 0 else SCORE_MAX if value > 0 else 0.0
        score = value / target
    elif value <= 0:
        return 1.0 if value == target else SCORE_MAX
    else:
        score = target / value
    return min(SCORE_MAX, max(0.0, score))


def light_of(score: float, green: float, amber: float) -> Light:
    """The light of a score by its thresholds; what arithmetic rounds off keeps nobody from one."""
    if score >= green - _ROUNDING:
        return Light.GREEN
    return Light.AMBER if score >= amber - _ROUNDING else Light.RED


def wilson(num: float, den: float, z: float = _Z) -> tuple[float, float] | None:
    """The interval of a share (Wilson, 1927), of 95% unless `z` is another normal quantile; None
    without a cohort."""
    if den <= 0:
        return None
    share = min(1.0, max(0.0, num / den))
    middle = share + z**2 / (2 * den)
    reach = z * math.sqrt(share * (1 - share) / den + z**2 / (4 * den**2))
    whole = 1 + z**2 / den
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)


# --- roll-up -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Driver:
    """What one indicator did to a roll-up since the previous equal horizon.

    The contributions of all drivers of a roll-up add up to its change. `before` and `after` are
    its scores, None where it did not count.
    """

    kpi: str
    contribution: float
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollUp:
    """A dimension or ("") the city over one horizon: the weighted mean of what counts.

    `counting` of `total` indicators count. `change` is since the previous equal horizon; None, and
    no drivers, where there is no score on either side.
    """

    id: str
    horizon: Horizon
    score: float | None
    light: Light
    weight: float
    counting: int
    total: int
    before: float | None = None
    change: float | None = None
    drivers: tuple[Driver, ...] = ()


class _Weighed(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def weight(self) -> float: ...


def shares_of(items: Iterable[_Weighed], counts: Callable[[str], bool]) -> dict[str, float]:
    """What part each item that counts has in the whole; together 1."""
    weights = {each.id: each.weight for each in items if counts(each.id)}
    whole = math.fsum(weights.values())
    return {name: weight / whole for name, weight in weights.items()} if whole > 0 else {}


def roll_up(
    dimensions: Sequence[Dimension],
    kpis: Sequence[Kpi],
    horizon: Horizon,
    now: Mapping[str, KpiValue],
    before: Mapping[str, KpiValue],
) -> list[RollUp]:
    """The city (first, id "") and its dimensions, from the values of all indicators.

    `before` are the values of the previous equal horizon. The city is the weighted mean of the
    dimensions that have a score.
    """
    after_shares, before_shares = _dimension_shares(kpis, now), _dimension_shares(kpis, before)
    found = []
    for each in dimensions:
        own = [kpi for kpi in kpis if kpi.dimension == each.id]
        found.append(
            _rolled(each.id, each.weight, (each.green, each.amber), len(own), horizon,
                    after_shares.get(each.id, {}), before_shares.get(each.id, {}), now, before)
        )  # fmt: skip
    city = _rolled(
        "", 1.0, CITY_THRESHOLDS, len(kpis), horizon,
        _city_shares(dimensions, after_shares), _city_shares(dimensions, before_shares),
        now, before,
    )  # fmt: skip
    return [city, *found]


def _dimension_shares(
    kpis: Sequence[Kpi], values: Mapping[str, KpiValue]
) -> dict[str, dict[str, float]]:
    by_dimension: dict[str, list[Kpi]] = {}
    for kpi in kpis:
        by_dimension.setdefault(kpi.dimension, []).append(kpi)
    return {
        name: shares_of(own, lambda each: each in values and values[each].counts)
        for name, own in by_dimension.items()
    }


def _city_shares(
    dimensions: Sequence[Dimension], shares: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    parts = shares_of(dimensions, lambda each: bool(shares.get(each)))
    return {
        kpi: part * share for name, part in parts.items() for kpi, share in shares[name].items()
    }


def _rolled(
    identity: str,
    weight: float,
    thresholds: tuple[float, float],
    total: int,
    horizon: Horizon,
    after: Mapping[str, float],
    earlier: Mapping[str, float],
    now: Mapping[str, KpiValue],
    before: Mapping[str, KpiValue],
) -> RollUp:
    score, past = _mean(after, now), _mean(earlier, before)
    drivers: list[Driver] = []
    if score is not None and past is not None:
        # Measured from half-way between both scores: one that comes or goes is credited with how
        # far it lies from the rest, one that stays with its own move. The sum is the change.
        middle = (score + past) / 2
        for kpi in sorted({*after, *earlier}):
            one, other = now.get(kpi), before.get(kpi)
            then = other.score if kpi in earlier and other is not None else None
            at = one.score if kpi in after and one is not None else None
            gained = 0.0 if at is None else after[kpi] * (at - middle)
            lost = 0.0 if then is None else earlier[kpi] * (then - middle)
            drivers.append(Driver(kpi, gained - lost, then, at))
    drivers.sort(key=lambda each: (-abs(each.contribution), each.kpi))
    return RollUp(
        id=identity,
        horizon=horizon,
        score=score,
        light=Light.GREY if score is None else light_of(score, *thresholds),
        weight=weight,
        counting=len(after),
        total=total,
        before=past,
        change=None if score is None or past is None else score - past,
        drivers=tuple(drivers),
    )


def _mean(shares: Mapping[str, float], values: Mapping[str, KpiValue]) -> float | None:
    if not shares:
        return None
    return math.fsum(share * (values[kpi].score or 0.0) for kpi, share in shares.items())
