"""What rules are judged by: readings, incidents, warnings and polls, as known at one moment.

History's side of it is `lawang.rules.gather`, a recording's `lawang.rules.replay`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from lawang.domain.alert import Alert
from lawang.domain.health import SourceState
from lawang.domain.rule import Absence, OfSeries, Rate, Rule, Surge, Threshold
from lawang.domain.screen import Beat

#: Before the time a rule looks back on, so that what the run began with is seen as well.
_MARGIN = timedelta(minutes=15)


class Sample(NamedTuple):
    """One accepted reading: the moment or start of the period it is about, its value, and when it
    was true."""

    at: datetime
    value: float
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series with its accepted readings of late, oldest first; the newest is always there,
    unless all of the series is held back. `kecamatan` is "" where it is not known."""

    source: str
    measure: str
    subject: str
    subject_name: str
    kecamatan: str
    simulated: bool
    samples: tuple[Sample, ...]

    @property
    def key(self) -> str:
        return f"{self.source}/{self.measure}/{self.subject}"


class Report(NamedTuple):
    """One incident: when it was reported, and where; "" where that is not known."""

    requested_at: datetime
    kecamatan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """The incidents of a surge's windows; `first` is when its sources' records begin."""

    items: tuple[Report, ...] = ()
    first: datetime | None = None
    simulated: bool = False


class Ended(NamedTuple):
    """An alarm that ended lately."""

    rule: str
    region: str
    ended_at: datetime


class Wall(NamedTuple):
    """A screen of the programme and its last heartbeat; None: it was never heard of."""

    id: str
    name: str
    beat: Beat | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the rules of one evaluation need.

    `series` are by source and measure, `reports` by rule. `warnings` are those in force, `walls`
    all of the programme. Before `awake_since` nobody listened: silence counts from then.
    """

    states: Mapping[str, SourceState]
    awake_since: datetime | None = None
    series: Mapping[tuple[str, str], Sequence[Series]] = field(default_factory=dict)
    reports: Mapping[str, Reports] = field(default_factory=dict)
    warnings: Sequence[Alert] = ()
    ended: Sequence[Ended] = ()
    walls: Sequence[Wall] = ()


def looks_back(rule: Rule) -> timedelta:
    """How much of its series a rule needs to see."""
    condition = rule.condition
    if isinstance(condition, Rate):
        return timedelta(seconds=condition.within_s + rule.for_s) + _MARGIN
    if isinstance(condition, Threshold) and rule.for_s:
        return timedelta(seconds=rule.for_s) + _MARGIN
    return timedelta(0)


def windows(surge: Surge, now: datetime) -> list[tuple[datetime, datetime]]:
    """The window that ends now, and the same one of each week before (start excluded)."""
    length = timedelta(seconds=surge.within_s)
    ends = [now - timedelta(weeks=week) for week in range(surge.weeks + 1)]
    return [(end - length, end) for end in ends]


def series_wanted(rules: Sequence[Rule]) -> dict[OfSeries, timedelta]:
    """The series that rules are about, and how far each looks back."""
    wanted: dict[OfSeries, timedelta] = {}
    for rule in rules:
        if rule.series is not None and isinstance(rule.condition, Threshold | Rate | Absence):
            wanted[rule.series] = max(looks_back(rule), wanted.get(rule.series, timedelta(0)))
    return wanted
