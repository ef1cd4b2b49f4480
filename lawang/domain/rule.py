"""Rules: when the city raises an alarm, who acts, and what they do.

All times of a rule are in seconds; silence windows are in the city's own time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from lawang.domain.alarm import AlarmSeverity
from lawang.domain.alert import Severity
from lawang.domain.screen import ScreenState


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A weekly window in which nothing is announced; days are 0 (Monday) to 6.

    One that ends before it begins goes over midnight, and belongs to the day it begins on; one that
    ends when it begins lasts a whole day.
    """

    days: frozenset[int]
    first: time
    until: time

    def covers(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether an instant lies in it; its end does not."""
        local = moment.astimezone(zone)
        today, yesterday = local.weekday(), (local - timedelta(days=1)).weekday()
        at = local.time().replace(tzinfo=None)
        if self.first < self.until:
            return today in self.days and self.first <= at < self.until
        return (today in self.days and at >= self.first) or (
            yesterday in self.days and at < self.until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSeries:
    """Which series a condition is about: all subjects of a measure, some, or all but some.

    After `vanishes_after_s` without a newer reading a series is silent, and unknown.
    """

    source: str
    measure: str
    subjects: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    vanishes_after_s: float

    def takes(self, subject: str) -> bool:
        if self.subjects:
            return subject in self.subjects
        return subject not in self.exclude


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The newest reading is above `over`, or below `under`; over again at `clears_at` (or past)."""

    series: OfSeries
    over: float | None = None
    under: float | None = None
    clears_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A change of more than `rises` or `falls` within `within_s`.

    Of a cumulative measure the increments are added up (`adds_up`), so that a reset is no fall.
    """

    series: OfSeries
    within_s: float
    adds_up: bool
    rises: float | None = None
    falls: float | None = None
    clears_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Silence for longer than `silent_s`.

    Of one source; of each subject of a measure (`series`); or, with `share`, of at least that part
    of `sources` at once.
    """

    silent_s: float
    sources: tuple[str, ...] = ()
    series: OfSeries | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """More incidents within `within_s` than that hour of that weekday usually has.

    The usual number is that of the same window in each of the `weeks` weeks before: with a sum of
    S over n of them it is (S + 1/2) / n, the mean of Jeffreys's posterior of a Poisson rate, so
    that a stretch without any does not make one report a marvel. It is a surge where at least
    `least` came and a Poisson variable of that mean reaches the number with a probability of `p` at
    most. It is over when fewer than `least` came, or the probability is above ten times `p`. With
    fewer than `least_weeks` weeks of records nobody can tell.
    """

    categories: tuple[str, ...]
    sources: tuple[str, ...]
    by_kecamatan: bool
    within_s: float
    weeks: int
    least: int
    p: float
    least_weeks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CapWarning:
    """A warning of others is in force that touches the city, and is at least this severe."""

    sources: tuple[str, ...]
    least: Severity
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """At least `least` of other rules were active within `within_s`, in one region if said so.

    What one of them finds for the city as a whole counts in each of its regions.
    """

    rules: tuple[str, ...]
    least: int
    within_s: float
    same_region: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenFault:
    """A wall is in one of `states` (dark, frozen); any wall of the programme, or those named.

    One that was never heard of may not hang there yet. One that leaves the programme ends it.
    """

    states: tuple[ScreenState, ...]
    screens: tuple[str, ...] = ()


Condition = Threshold | Rate | Absence | Surge | CapWarning | Combination | ScreenFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the pack. `basis` says where its figures are from, or is "" where `simulated`.

    `region` is a fixed kecamatan code, or "" for that of the subject. Texts hold the placeholders
    {value}, {subject}, {region} and {since}.
    """

    id: str
    name_id: str
    name_en: str
    text_id: str
    text_en: str
    severity: AlarmSeverity
    owner: str
    region: str
    for_s: float
    steps_id: tuple[str, ...]
    steps_en: tuple[str, ...]
    silences: tuple[Silence, ...]
    simulated: bool
    basis: str
    condition: Condition

    def is_silent(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Whether nothing of it is announced at this moment."""
        return any(each.covers(moment, zone) for each in self.silences)

    @property
    def series(self) -> OfSeries | None:
        """The series it is about, if any."""
        return getattr(self.condition, "series", None)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources it hangs on by itself; those of a combination are its members'."""
        if self.series is not None:
            return (self.series.source,)
        return tuple(getattr(self.condition, "sources", ()))
