"""Cells: what one subject (a clinic, an account, a source) adds to one local day."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lawang.domain.formula import Across
from lawang.domain.kpi import Combine, Daily

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One subject on one day. `key` tells subjects apart, `name` is for people."""

    day: date
    kecamatan: str | None
    key: str
    name: str
    num: float
    den: float
    n: int
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Days:
    """Local days from `first` to `last` in a zone."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Their start and end in UTC, the end exclusive."""
        return day_start(self.first, self.zone), day_start(self.last + ONE_DAY, self.zone)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    """The local day of an instant."""
    return at.astimezone(zone).date()


def last_complete_day(now: datetime, zone: ZoneInfo) -> date:
    """The day before the local day that still runs."""
    return day_of(now, zone) - ONE_DAY


#: Makes numerator and denominator of one day from its cells, of which there is at least one.
Joining = Callable[[Sequence[Cell]], tuple[float, float]]


def add_up(cells: Sequence[Cell]) -> tuple[float, float]:
    """Cohorts: numerators and denominators are summed up, exactly."""
    return math.fsum(cell.num for cell in cells), math.fsum(cell.den for cell in cells)


def joining(across: Across, combine: Combine) -> Joining:
    """How the values (`num`) of the subjects of a measure make one figure of a day.

    A mean keeps the number of its subjects as denominator, so that days weigh by them; where days
    are summed up, it is the mean itself.
    """

    def join(cells: Sequence[Cell]) -> tuple[float, float]:
        values = [cell.num for cell in cells]
        if across is Across.MAX:
            return max(values), 1.0
        if across is Across.MIN:
            return min(values), 1.0
        if across is Across.SUM:
            return math.fsum(values), 1.0
        if combine is Combine.SUM:
            return math.fsum(values) / len(values), 1.0
        return math.fsum(values), float(len(values))

    return join


def gather(kpi: str, cells: Iterable[Cell], join: Joining) -> list[Daily]:
    """The facts of the city and of each kecamatan from the cells of their subjects."""
    groups: dict[tuple[str, date], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups["", cell.day].append(cell)
        if cell.kecamatan:
            groups[cell.kecamatan, cell.day].append(cell)
    found = []
    for (region, day), own in sorted(groups.items()):
        num, den = join(own)
        found.append(
            Daily(
                kpi=kpi,
                region=region,
                day=day,
                num=num,
                den=den,
                n=sum(cell.n for cell in own),
                observed_at=max(cell.observed_at for cell in own),
            )
        )
    return found
