"""One indicator by kecamatan: who stands out from the rest of the city beyond chance. Never a
league table.

A share has Wilson's interval, a mean or ratio one made from how its days scatter, both at a level
such that with all kecamatan compared at once a ranking names somebody by chance in one of twenty
at most. A kecamatan is better or worse only where its whole interval lies beyond the value of the
rest of the city, which is the city without it.

Amounts and counts have no standing: without what they are to be measured by (people, roads, shops)
a large kecamatan has more of everything. A count has the interval of its own size, nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lawang.city import City
from lawang.domain.formula import (
    Across,
    IncidentFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFormula,
    is_count,
    is_share,
)
from lawang.domain.kpi import Combine, Direction, Kpi, KpiValue, evaluate, wilson
from lawang.overview.intervals import normal, poisson, ratio, tail
from lawang.overview.model import District, Districts, Standing
from lawang.store.kpis import KpiStore

#: Of one kecamatan: day, num, den and n of each day that is known.
RegionDays = Mapping[str, Sequence[tuple[date, float, float, int]]]


def read_districts(
    city: City,
    store: KpiStore,
    kpi: Kpi,
    whole: KpiValue,
    choices: tuple[str, ...],
    now: datetime,
) -> Districts:
    """One indicator by kecamatan over the horizon of `whole`, the city's value. Blocking."""
    horizon = whole.horizon
    codes = [each.code for each in city.kecamatan]
    totals = store.totals_by_region(kpi, horizon, codes)
    values = {
        code: evaluate(
            kpi, horizon, totals.get(code), now=now, region=code, observed_at=whole.observed_at
        )
        for code in codes
    }
    days: RegionDays = {}
    if _scatters(kpi):
        days = store.region_days(kpi.id, codes, horizon.first, horizon.last)
    return rank(city, kpi, whole, values, days, choices)


def rank(
    city: City,
    kpi: Kpi,
    whole: KpiValue,
    values: Mapping[str, KpiValue],
    days: RegionDays,
    choices: tuple[str, ...] = (),
) -> Districts:
    """The kecamatan in order, from their values and, of means, their days. Pure."""
    compared = [each for each in values.values() if _is_enough(kpi, each)]
    share = tail(len(compared))
    rows = []
    for region in city.kecamatan:
        value = values[region.code]
        bounds = _bounds(kpi, value, days.get(region.code, ()), share)
        rest = _rest(kpi, whole, value, compared)
        standing = Standing.FEW
        if _is_enough(kpi, value):
            standing = _standing(kpi.direction, bounds, rest)
        low, high = bounds or (None, None)
        rows.append(
            _Row(
                District(
                    code=region.code, name=region.name, value=value, low=low, high=high,
                    standing=standing,
                ),
                rest,
            )
        )  # fmt: skip
    judged = _has_standing(kpi)
    if judged:
        rows.sort(key=lambda each: each.order(kpi.direction))
    else:
        rows.sort(key=_Row.size)
    placed = sum(each.n for each in values.values())
    return Districts(
        kpi=kpi.id,
        choices=choices,
        city=whole,
        rows=tuple(each.district for each in rows),
        unplaced=max(0, whole.n - placed),
        judged=judged,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    district: District
    rest: float | None

    def order(self, direction: Direction) -> tuple[int, float, str]:
        """Those that stand out first, the worst first; then the rest by value; last the few."""
        each = self.district
        value = each.value.value
        worst = 0.0 if value is None else value if direction is Direction.UP else -value
        groups = {Standing.WORSE: 0, Standing.BETTER: 0, Standing.SAME: 1, Standing.FEW: 2}
        return groups[each.standing], worst, each.code

    def size(self) -> tuple[bool, float, str]:
        """The largest first, last those with too few records."""
        each = self.district
        return each.standing is Standing.FEW, -(each.value.value or 0.0), each.code


def _is_enough(kpi: Kpi, value: KpiValue) -> bool:
    return value.value is not None and value.n >= kpi.minimum


def _has_standing(kpi: Kpi) -> bool:
    """Whether chance can be told from a difference: of shares, and of what scatters by day."""
    return kpi.combine is Combine.RATIO and (is_share(kpi.formula) or _scatters(kpi))


def _scatters(kpi: Kpi) -> bool:
    """Whether an interval can be made from days: means and ratios that are no shares."""
    if kpi.combine is not Combine.RATIO or is_share(kpi.formula):
        return False
    if isinstance(kpi.formula, ReadingFormula):
        # A sum of subjects by day grows with their number, as an amount does.
        return kpi.formula.across is not Across.SUM
    return isinstance(kpi.formula, IncidentFormula | RequestFormula | ReadingRatioFormula)


def _bounds(
    kpi: Kpi, value: KpiValue, days: Iterable[tuple[date, float, float, int]], share: float
) -> tuple[float, float] | None:
    if value.value is None:
        return None
    if is_share(kpi.formula) and kpi.combine is Combine.RATIO:
        return wilson(value.num, value.den, normal(share))
    if is_count(kpi.formula) and kpi.combine is Combine.SUM:
        return poisson(value.num, share)
    if not _scatters(kpi):
        return None
    first = value.horizon.first
    return ratio([((day - first).days, num, den) for day, num, den, _ in days], share)


def _rest(kpi: Kpi, whole: KpiValue, own: KpiValue, compared: Sequence[KpiValue]) -> float | None:
    """The value of the city without one kecamatan; None where there is no such thing.

    Where the city's figure is the sum of its parts, theirs is taken off; where it is not (a mean of
    means), it is that of all others together.
    """
    if not _has_standing(kpi):
        return None
    if _is_additive(kpi):
        num, den = whole.num - own.num, whole.den - own.den
    else:
        others = [each for each in compared if each.region != own.region]
        num, den = sum(each.num for each in others), sum(each.den for each in others)
    return num / den if den > 0 else None


def _is_additive(kpi: Kpi) -> bool:
    formula = kpi.formula
    if isinstance(formula, ReadingFormula):
        return formula.across is Across.MEAN
    if isinstance(formula, ReadingRatioFormula):
        return formula.numerator.across is formula.denominator.across is Across.SUM
    return True


def _standing(
    direction: Direction, bounds: tuple[float, float] | None, rest: float | None
) -> Standing:
    if bounds is None or rest is None:
        return Standing.SAME
    low, high = bounds
    if low > rest:
        return Standing.BETTER if direction is Direction.UP else Standing.WORSE
    if high < rest:
        return Standing.WORSE if direction is Direction.UP else Standing.BETTER
    return Standing.SAME
