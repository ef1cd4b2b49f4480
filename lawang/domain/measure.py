"""Measures and their readings: what a department counts, weighs or measures, over time.

A reading is one value of one measure at one subject (a gauge, a clinic, an account), about one
moment or one period. Everything is kept in the measure's base unit: "ribu", "juta" and "miliar" are
multiplied out where a row is read, so that no number is stored whose unit is a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class MeasureKind(StrEnum):
    """How values of one series relate to each other.

    gauge: an instrument's state, any value may follow any other. stock: a quantity on hand or a
    number of members, which changes by degrees. flow: an amount within its period. cumulative: the
    amount since its last reset, which does not fall before the next one.
    """

    GAUGE = "gauge"
    STOCK = "stock"
    FLOW = "flow"
    CUMULATIVE = "cumulative"


class Period(StrEnum):
    """What span of local time a reading is about; an instant spans nothing."""

    INSTANT = "instant"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of one source, as its file declares it.

    `expected` is the least and the greatest value that can be true; `jump` how many times a value
    may exceed, or fall short of, what its series usually holds before it is held back (None: never
    looked at); `resets` when a cumulative one begins again from nothing; `forecast` that its
    readings are about times to come.
    """

    id: str
    name_id: str
    name_en: str
    unit: str
    kind: MeasureKind = MeasureKind.GAUGE
    period: Period = Period.INSTANT
    expected: tuple[float | None, float | None] = (None, None)
    jump: float | None = None
    resets: Period | None = None
    forecast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One value as a connector's `parse` states it, in the base unit, nothing resolved.

    `at` is the moment, or any moment of the period, that it is about; `observed_at` when it was
    true at the source, where the source says so beside it. `subject` is "" for the whole city.
    """

    measure: str
    value: float
    at: datetime
    subject: str = ""
    subject_name: str | None = None
    observed_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One settled value. Its identity is source, measure, subject and `at`.

    `at` is the moment it is about, or the start of its period. `observed_at` is when it was true
    at the source: of a period that still runs, when it was read. `held` names the finding for
    which it is held back from every indicator, or is "". `delivery` names the file or batch that
    brought it where a later delivery of the same name replaces the whole.
    """

    source_id: str
    measure: str
    subject: str
    subject_name: str | None
    value: float
    at: datetime
    observed_at: datetime
    observed_estimated: bool
    fetched_at: datetime
    kecamatan: str | None
    kelurahan: str | None
    placed_by: str
    location_problem: str
    latitude: float | None
    longitude: float | None
    simulated: bool
    held: str = ""
    delivery: str | None = None

    @property
    def series(self) -> tuple[str, str, str]:
        """What it shares with the other readings of its series."""
        return self.source_id, self.measure, self.subject


def span(at: datetime, period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Start and end (UTC, the end exclusive) of the local period around `at`.

    Both are `at` itself for an instant. Weeks begin on Monday.
    """
    if period is Period.INSTANT:
        return at, at
    local = at.astimezone(zone)
    if period is Period.HOUR:
        start = local.replace(minute=0, second=0, microsecond=0)
        return start.astimezone(UTC), (start + timedelta(hours=1)).astimezone(UTC)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.DAY:
        first, after = day, day + timedelta(days=1)
    elif period is Period.WEEK:
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    elif period is Period.MONTH:
        first = day.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
    else:
        first = day.replace(month=1, day=1)
        after = first.replace(year=first.year + 1)
    return first.astimezone(UTC), after.astimezone(UTC)
