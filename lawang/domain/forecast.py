"""What a sum will come to by 31 December, and how far such a reckoning may be off. Pure.

A sum is held to a year's amount T that a curve spreads over the days (`Target`). Of the days that
are known, D is the part of T that belongs to them and w = D / T their share; R is what came.

- pace p = R / D: how much came of what was due.
- believed pace q = w' p + (1 - w'), w' = w / (w + BELIEF): early in the year one payment a week too
  late halves the pace, so that a small share speaks for little and the target for the rest.
- value = R + q (T - D): the rest of the year comes by the curve, at the pace believed.

The interval is of LEVEL and never reaches below R (money that came does not go again). Two ways:

- past years, where at least LEAST_YEARS whole earlier years are known: the same reckoning on the
  same day of each missed its actual total A by e = A / value - 1; half the width is t(n) x the root
  of the mean e^2 x value. Nothing is taken off for how they missed on the whole: few years tell
  little of that.
- months: how this year's months lie about the curve. Month i brought x of its due d, its residual
  is e = x / (q d) - 1. With m months, n = PRIOR_DF + m - 1 and s^2 = (PRIOR_DF PRIOR_SPREAD^2 +
  sum e^2) / n: a year of one month borrows a spread. The rest misses by s q sqrt(sum of its d^2),
  which is chance; by s q w' (T - D) sqrt(sum d^2) / D, as the pace is known from these months
  only; by DRIFT s q (T - D) sqrt(months left / 12), as the pace itself wanders; and by
  (1 - w') PRIOR_PACE (T - D) for what was taken from the target. They add up as squares; half the
  width is t(n) x their root, and no less than what one of the few earlier years missed by.

Both are 0 wide once all is known, else at least `rounding` to each side. How well this holds is
tested on four hundred made-up years, and `backtest` does it on real ones.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lawang.domain.kpi import Target

LEVEL = 0.8
LEAST_YEARS = 3
#: The share of a year at which the pace is believed by half.
BELIEF = 0.1
PRIOR_SPREAD, PRIOR_DF = 0.12, 4.0
PRIOR_PACE = 0.08
DRIFT = 0.75
_NORMAL = 1.2815515655446004
#: The 90% quantiles of Student's t for 1 to 4 degrees of freedom; beyond, a series is exact enough.
_STUDENT = (3.0776835371752536, 1.8856180831641267, 1.6377443536962102, 1.5332062740589438)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Part:
    """A month, or what is known of it: what came, and what was due by the curve."""

    came: float
    due: float


@dataclass(frozen=True, slots=True)
class PastYear:
    """An earlier year whose every day is known: `part` until the day asked about, then `total`."""

    part: Part
    target: float
    total: float

    @property
    def miss(self) -> float | None:
        """How far the actual total lay from what was reckoned on the day, as a part of that."""
        reckoned = estimate(self.part, self.target)
        return None if not reckoned else self.total / reckoned - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A year's end as seen from a day; `method` is "past_years" (`years` of them) or "months"."""

    value: float
    low: float
    high: float
    method: str
    years: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """One year's end as seen from one of its days, without knowing later ones, and the truth."""

    year: int
    outlook: Outlook
    actual: float

    @property
    def hit(self) -> bool:
        return self.outlook.low <= self.actual <= self.outlook.high


def estimate(known: Part, target: float) -> float | None:
    """The year's end; None where no part of the target was due yet, or there is no target."""
    if known.due <= 0 or target <= 0:
        return None
    return known.came + _pace(known, target) * max(0.0, target - known.due)


def look_ahead(
    target: float,
    known: Sequence[Part],
    rest: Sequence[float],
    past: Sequence[PastYear] = (),
    rounding: float = 1.0,
) -> Outlook | None:
    """The year's end with its interval.

    `known` are the months so far, the last one perhaps in part; `rest` is what is due of each
    month, or part of one, that is not known yet, empty when all is. `past` are whole earlier years
    up to the same day. `rounding` is the unit the data come in. None without a target, or before
    any of it was due.
    """
    so_far = Part(math.fsum(each.came for each in known), math.fsum(each.due for each in known))
    value = estimate(so_far, target)
    if value is None:
        return None
    misses = [each for each in (year.miss for year in past) if each is not None]
    is_past = len(misses) >= LEAST_YEARS
    method, years = ("past_years", len(misses)) if is_past else ("months", 0)
    if not any(due > 0 for due in rest):
        # What is left of a curve that is flat at its end is nothing.
        value = so_far.came
        return Outlook(value=value, low=value, high=value, method=method, years=years)
    if is_past:
        spread = math.sqrt(math.fsum(each**2 for each in misses) / years)
        reach = student(years) * spread * abs(value)
    else:
        # The months know nothing of a curve that is wrong at its end; an earlier year does.
        seen = max((abs(each) for each in misses), default=0.0) * abs(value)
        reach = max(_reach(so_far, known, rest, target), seen)
    reach = max(reach, rounding)
    low = max(value - reach, min(so_far.came, value - rounding))
    return Outlook(value=value, low=low, high=value + reach, method=method, years=years)


def _weight(known: Part, target: float) -> float:
    share = known.due / target
    return share / (share + BELIEF)


def _pace(known: Part, target: float) -> float:
    weight = _weight(known, target)
    return weight * known.came / known.due + (1 - weight)


def _reach(so_far: Part, known: Sequence[Part], rest: Sequence[float], target: float) -> float:
    """Half the width by the spread of this year's months."""
    pace, weight = _pace(so_far, target), _weight(so_far, target)
    months = [each for each in known if each.due > 0]
    residuals = [each.came / (pace * each.due) - 1 for each in months] if pace > 0 else []
    freedom = PRIOR_DF + max(0, len(months) - 1)
    spread = math.sqrt(
        (PRIOR_DF * PRIOR_SPREAD**2 + math.fsum(each**2 for each in residuals)) / freedom
    )
    left = math.fsum(rest)
    of_chance = spread * pace * math.sqrt(math.fsum(due**2 for due in rest))
    of_pace = spread * pace * weight * left
    of_pace *= math.sqrt(math.fsum(each.due**2 for each in months)) / so_far.due
    of_drift = DRIFT * spread * pace * left * math.sqrt(len(rest) / 12)
    of_belief = (1 - weight) * PRIOR_PACE * left
    return student(freedom) * math.hypot(of_chance, of_pace, of_drift, of_belief)


def student(freedom: float) -> float:
    """The 90% quantile of Student's t, which leaves LEVEL between it and its negative."""
    if freedom <= len(_STUDENT):
        # Whole numbers only below 5; a fraction is taken as the wider one.
        return _STUDENT[max(1, math.floor(freedom)) - 1]
    z = _NORMAL
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


# --- from days -----------------------------------------------------------------------------------


def months_of(
    target: Target, amounts: Mapping[date, float], until: date, year: int
) -> tuple[list[Part], list[float]] | None:
    """The months of a year as `look_ahead` takes them: what is known until a day, and what is not.

    `amounts` are by day; a day without one is not known, and what was due on it is still to come.
    None where the year has no amount to be held to.
    """
    whole = target.of_year(year)
    if whole is None:
        return None
    known, rest = [], []
    for month in range(1, 13):
        first = date(year, month, 1)
        last = date(year, month, calendar.monthrange(year, month)[1])
        days = [day for day in _days(first, min(last, until)) if day in amounts]
        due = target.amount_of(days) or 0.0
        if days:
            known.append(Part(math.fsum(amounts[day] for day in days), due))
        if len(days) < last.day:
            rest.append(max(0.0, (target.amount(first, last) or 0.0) - due))
    return known, rest


def past_years(target: Target, amounts: Mapping[date, float], until: date) -> list[PastYear]:
    """The earlier years of which every day is known and that had a target, up to the same day."""
    found = []
    for year in sorted({day.year for day in amounts if day.year < until.year}):
        whole = target.of_year(year)
        days = list(_days(date(year, 1, 1), date(year, 12, 31)))
        if whole is None or any(day not in amounts for day in days):
            continue
        part_days = [day for day in days if (day.month, day.day) <= (until.month, until.day)]
        part = Part(
            math.fsum(amounts[day] for day in part_days),
            target.amount(part_days[0], part_days[-1]) or 0.0,
        )
        found.append(PastYear(part, whole, math.fsum(amounts[day] for day in days)))
    return found


def foresee(target: Target, amounts: Mapping[date, float], until: date) -> Outlook | None:
    """The end of the year of `until` from the amounts of days up to it, earlier years included."""
    year_target = target.of_year(until.year)
    months = months_of(target, amounts, until, until.year)
    if target.curve is None or year_target is None or months is None:
        return None
    return look_ahead(year_target, *months, past_years(target, amounts, until))


def backtest(
    target: Target, amounts: Mapping[date, float], at: Iterable[tuple[int, int]]
) -> list[Backtest]:
    """How the reckoning did on given (month, day)s of each whole year, by what was known then."""
    found = []
    at = list(at)
    for year in sorted({day.year for day in amounts}):
        days = list(_days(date(year, 1, 1), date(year, 12, 31)))
        if any(day not in amounts for day in days):
            continue
        actual = math.fsum(amounts[day] for day in days)
        for month, day_of_month in at:
            until = date(year, month, min(day_of_month, calendar.monthrange(year, month)[1]))
            then = {day: amount for day, amount in amounts.items() if day <= until}
            outlook = foresee(target, then, until)
            if outlook is not None:
                found.append(Backtest(year=year, outlook=outlook, actual=actual))
    return found


def _days(first: date, last: date) -> Iterable[date]:
    return (first + n * _ONE_DAY for n in range((last - first).days + 1))
