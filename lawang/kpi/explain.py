"""Where a number comes from: the same horizon worked out from its records, day by day. Blocking."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from lawang.city import City
from lawang.domain.formula import Across, ReadingFormula, ReadingRatioFormula, Within
from lawang.domain.kpi import Combine, Daily, Horizon, Kpi, KpiValue, evaluate, sum_up
from lawang.domain.measure import MeasureKind, span
from lawang.kpi.cells import Cell, Days, day_start
from lawang.kpi.daily import DailyFacts
from lawang.kpi.evaluate import Evaluator
from lawang.kpi.measured import measure_of, series_of
from lawang.store import schema
from lawang.store.database import chunked
from lawang.store.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one subject, source or department brought to a horizon. `value` as the indicator's.

    `code` is the source's own name of a subject that is called by its kecamatan, else "".
    """

    key: str
    name: str
    value: float | None
    num: float
    den: float
    n: int
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One indicator over one horizon.

    `stored` is what pages show, `value` what the records say now; `days` are the facts behind it,
    `missing` the days without any, `held` the readings that are held back from it.
    """

    kpi: Kpi
    stored: KpiValue
    value: KpiValue
    days: tuple[Daily, ...]
    missing: tuple[date, ...]
    held: int
    parts: tuple[Part, ...]

    @property
    def agrees(self) -> bool:
        """Whether what pages show is what the records say."""
        one, other = self.stored.value, self.value.value
        if one is None or other is None:
            return one is other
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


class Explainer:
    """Explains indicators from history; reads only."""

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._history = history
        self._facts = DailyFacts(city, history.database)
        self._values = Evaluator(city, history.kpis)

    def explain(self, kpi: Kpi, horizon: Horizon, now: datetime) -> Explanation:
        """Work a horizon out from its records. A state looks back to the last one that counts."""
        first = horizon.first
        if kpi.combine is Combine.LAST:
            first = min(first, horizon.last - kpi.stale_after - timedelta(days=1))
        facts = [
            each for each in self._facts.compute(kpi, first, horizon.last, now) if not each.region
        ]
        value = evaluate(kpi, horizon, sum_up(kpi, horizon, facts), now=now)
        known = {each.day for each in facts}
        return Explanation(
            kpi=kpi,
            stored=self._values.value(kpi, horizon, now),
            value=value,
            days=tuple(facts),
            missing=tuple(
                day
                for day in Days(horizon.first, horizon.last, self._city.timezone)
                if day not in known
            ),
            held=self.count_held(kpi, horizon),
            parts=self.parts(kpi, horizon, now),
        )

    def parts(self, kpi: Kpi, horizon: Horizon, now: datetime) -> tuple[Part, ...]:
        """The horizon by subject, source or department, the largest first."""
        first, last = horizon.first, horizon.last
        if kpi.combine is Combine.LAST:
            first = min(first, last - kpi.stale_after - timedelta(days=1))
        groups: dict[str, list[Cell]] = defaultdict(list)
        for cell in self._facts.cells(kpi, first, last, now):
            groups[cell.key].append(cell)
        regions = {each.code: each.name for each in self._city.kecamatan}
        found = [_part(kpi, key, cells, regions) for key, cells in groups.items()]
        return tuple(sorted(found, key=lambda each: (-abs(each.num), each.key)))

    def count_held(self, kpi: Kpi, horizon: Horizon) -> int:
        """How many readings about the horizon are held back by findings."""
        formula = kpi.formula
        if isinstance(formula, ReadingRatioFormula):
            parts: Sequence[ReadingFormula] = (formula.numerator, formula.denominator)
        elif isinstance(formula, ReadingFormula):
            parts = (formula,)
        else:
            return 0
        return sum(self._count_held(part, horizon) for part in parts)

    def _count_held(self, formula: ReadingFormula, horizon: Horizon) -> int:
        measure = measure_of(self._city, formula)
        if measure is None:
            return 0
        zone = self._city.timezone
        # A reading about a month stands at its first day.
        start, _ = span(day_start(horizon.first, zone), measure.period, zone)
        _, end = Days(horizon.first, horizon.last, zone).bounds
        table = schema.reading
        count = 0
        with self._history.database.reading() as connection:
            for some in chunked(each.id for each in series_of(connection, formula)):
                count += connection.execute(
                    select(func.count()).where(
                        table.c.series_id.in_(some),
                        table.c.at >= start,
                        table.c.at < end,
                        table.c.held != "",
                    )
                ).scalar_one()
        return count


def _part(kpi: Kpi, key: str, cells: Sequence[Cell], regions: Mapping[str, str]) -> Part:
    """One subject's cells by the indicator's own way of making a horizon of days.

    A subject without a name that lies in a kecamatan is called by it.
    """
    if kpi.combine is Combine.LAST:
        cells = [max(cells, key=lambda cell: cell.day)]
    num = math.fsum(cell.num for cell in cells)
    den = math.fsum(cell.den for cell in cells)
    value: float | None = num
    if kpi.combine is not Combine.SUM:
        value = num / den if den else None
    newest = cells[-1]
    place = regions.get(newest.kecamatan or "", "") if newest.name == key else ""
    return Part(
        key=key, name=place or newest.name, value=value, num=num, den=den,
        n=sum(cell.n for cell in cells), code=key if place else "",
    )  # fmt: skip


def describe(kpi: Kpi, city: City) -> str:
    """The formula in one line of English, for a person who checks it."""
    formula = kpi.formula
    if isinstance(formula, ReadingFormula):
        return _describe_reading(formula, city)
    if isinstance(formula, ReadingRatioFormula):
        over = _describe_reading(formula.numerator, city)
        return f"{over} / {_describe_reading(formula.denominator, city)}"
    name = type(formula).__name__.removesuffix("Formula").lower()
    told = [
        f"{key}={', '.join(value) if isinstance(value, tuple) else value}"
        for key in formula.__dataclass_fields__
        if (value := getattr(formula, key))
    ]
    return f"{name}: {'; '.join(told)}"


_WORDS = {
    None: "",
    Within.LAST: "last of the day, ",
    Within.MEAN: "mean of the day, ",
    Within.MAX: "greatest of the day, ",
    Within.MIN: "least of the day, ",
}


def _describe_reading(formula: ReadingFormula, city: City) -> str:
    measure = measure_of(city, formula)
    way = _WORDS[formula.within]
    if measure is not None and measure.kind is MeasureKind.CUMULATIVE:
        way = "running total, " if formula.within is Within.LAST else "increase, "
    across = {Across.SUM: "summed up", Across.MEAN: "averaged"}.get(
        formula.across, f"{formula.across.value} taken"
    )
    subjects = f" of {', '.join(formula.subjects)}" if formula.subjects else ""
    without = f" without {', '.join(formula.exclude)}" if formula.exclude else ""
    factor = f" x {formula.factor:g}" if formula.factor != 1 else ""
    return f"{formula.source}.{formula.measure} ({way}{across}{subjects}{without}){factor}"
