"""What the overview holds: values and references, no words of a language and no markup.

Days are local days of the city, instants are aware and in UTC, amounts are in the indicator's own
unit (rupiah where it is money), shares go from 0 to 1. What is not known is None, never nought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from lawang.domain.formula import is_share
from lawang.domain.health import Health
from lawang.domain.kpi import Kpi, KpiValue, RollUp, Span
from lawang.domain.maturity import Assessment
from lawang.domain.programme import Annotation, Milestone
from lawang.domain.quality import Quality
from lawang.kpi.evaluate import TrendPoint
from lawang.kpi.explain import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiLine:
    """One indicator over all horizons.

    `before` are the equal horizons before. `spark` is its recent course, oldest first, at most 60
    points, missing days left out: by days, or by months where it is due monthly or more rarely.
    `simulated` tells that any of its sources is a simulated one; `of_flow` that it is a share of
    things which a department counts by the day, as applications are.
    """

    kpi: Kpi
    values: Mapping[Span, KpiValue]
    before: Mapping[Span, KpiValue]
    spark: tuple[TrendPoint, ...]
    simulated: bool
    of_flow: bool = False

    def cohort(self, span: Span) -> int | None:
        """Of how many cases a share is told; None of what is not known or not a share of cases."""
        value = self.values[span]
        if value.value is None:
            return None
        if is_share(self.kpi.formula):
            return value.n
        return round(value.den) if self.of_flow else None


class ChangeKind(StrEnum):
    """What became of an indicator: another light or score, or it stopped or began to count."""

    LIGHT = "light"
    SCORE = "score"
    LOST = "lost"
    REGAINED = "regained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One indicator that stands elsewhere than it did. `after` less `before` is the move."""

    kpi: str
    kind: ChangeKind
    before: KpiValue
    after: KpiValue

    @property
    def worse(self) -> bool:
        """Whether it went down, or was lost."""
        if self.kind in (ChangeKind.LOST, ChangeKind.REGAINED):
            return self.kind is ChangeKind.LOST
        return (self.after.score or 0.0) < (self.before.score or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What moved since the last complete day at the last look, the largest move first.

    `since` is that day; None when nothing can be compared (a first look, or no newer day).
    `city` is the city's score then.
    """

    since: date | None
    city: float | None
    worse: tuple[Change, ...]
    better: tuple[Change, ...]


class OverdueKind(StrEnum):
    """What is overdue."""

    INCIDENTS = "incidents"
    REQUESTS = "requests"
    DATA = "data"
    MILESTONE = "milestone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What one department is late with, `oldest` being since when the latest of it was due.

    `count` of `of` (all that are open; None for data and milestones). `sources` are those it came
    from; `subject` is the id of a source (data) or of a milestone, else "".
    """

    kind: OverdueKind
    owner: str
    count: int
    of: int | None
    oldest: datetime | None
    sources: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a sum will come to by 31 December, if the rest of the year goes as stated.

    `low` and `high` bound an interval of `level` (0.8: four of five such years end in it).
    `method` is "past_years" (the spread of what the same reckoning gave in `years` earlier years)
    or "months" (the spread of this year's months about the curve). `reached` is the known part and
    `until` the last day known.
    """

    value: float
    low: float
    high: float
    level: float
    method: str
    years: int
    reached: float
    until: date
    target: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A summed indicator in its year: what came, what was to have come by then, what will come.

    `course` is the running total beside what was to be reached, oldest first, at most 60 points,
    the last one the newest day known. `target_year` is the whole year's amount.
    """

    kpi: str
    value: KpiValue
    target_year: float | None
    course: tuple[TrendPoint, ...]
    forecast: Forecast | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorption:
    """How much of its budget a department has spent. `due` is the share that the curve asks for.

    `opd` is the id of a department of the pack where the subject is one, else "".
    """

    key: str
    name: str
    opd: str
    spent: float
    budget: float
    due: float | None
    observed_at: datetime

    @property
    def share(self) -> float | None:
        return self.spent / self.budget if self.budget else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A figure with the moment it is true of, and its source."""

    value: float
    observed_at: datetime
    source: str
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Silpa:
    """The running surplus (SiLPA): revenue less spending plus net financing, as of one day.

    All four are since 1 January, up to `until`, the last day of which all are known.
    """

    revenue: float
    spending: float
    financing: float
    until: date

    @property
    def value(self) -> float:
        return self.revenue - self.spending + self.financing


@dataclass(frozen=True, slots=True, kw_only=True)
class Finance:
    """The finance section; absorption is sorted, the lowest share first."""

    revenue: Budget
    spending: Budget
    own_revenue: Budget
    items: tuple[Budget, ...]
    absorption: tuple[Absorption, ...]
    cash: Amount | None
    silpa: Silpa | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """Open applications of one source in one stage (a request's status)."""

    source: str
    status: str
    count: int
    past_promise: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services section; ids of indicators, whose lines are in the overview.

    `unverifiable` are the sources of `claimed` that never say whether a closing was verified.
    """

    promises: tuple[str, ...]
    claimed: str
    verified: str
    reopened: str
    licences: tuple[StageCount, ...]
    unverifiable: tuple[str, ...] = ()


class Standing(StrEnum):
    """How a kecamatan stands to the rest of the city; SAME is within what chance explains."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"
    FEW = "few"


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """One kecamatan. `low` and `high` bound its value so that with all kecamatan compared at once
    chance alone names one better or worse in at most one of twenty such rankings.
    """

    code: str
    name: str
    value: KpiValue
    low: float | None
    high: float | None
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Districts:
    """One indicator by kecamatan: those that stand out first (worst first), then the rest by value,
    last those with too few records. `unplaced` is the cohort that belongs to no kecamatan.

    Not `judged` are amounts and states, for which nothing tells what chance explains: they have no
    standing, and the largest comes first.
    """

    kpi: str
    choices: tuple[str, ...]
    city: KpiValue
    rows: tuple[District, ...]
    unplaced: int
    judged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One department on the maturity ladder."""

    opd: str
    assessment: Assessment
    sources: tuple[str, ...]
    closed: int
    in_time: int


class MilestoneState(StrEnum):
    """Where a step stands. UNKNOWN: its indicator is grey; UNDATED: nobody said by when."""

    DONE = "done"
    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    LATE = "late"
    UNDATED = "undated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneLine:
    """A step of the masterplan and where it stands; `progress` is value by `reach`."""

    milestone: Milestone
    state: MilestoneState
    progress: float | None
    value: KpiValue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How the city does, as of `at`. `last` is the last complete day, `span` the horizon chosen.

    `version` changes whenever a daily fact does. `scores` hold, for each horizon, the city first
    and then its dimensions. `simulated` tells that any source is a simulated one.
    """

    at: datetime
    version: str
    last: date
    span: Span
    simulated: bool
    scores: Mapping[Span, tuple[RollUp, ...]]
    lines: Mapping[str, KpiLine]
    changes: Changes
    overdue: tuple[Overdue, ...]
    finance: Finance | None
    services: Services | None
    districts: Districts | None
    ladder: tuple[Rung, ...]
    milestones: tuple[MilestoneLine, ...]

    @property
    def city(self) -> RollUp:
        """The city over the horizon chosen."""
        return self.scores[self.span][0]

    @property
    def dimensions(self) -> tuple[RollUp, ...]:
        """The dimensions over the horizon chosen."""
        return self.scores[self.span][1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """One source behind an indicator: how it is heard now, and how well it was in 30 days."""

    source: str
    health: Health
    age_s: float | None
    day: Quality
    month: Quality
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsLink:
    """Where the records behind a number are listed: a page's path, and the API's."""

    source: str
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Days of a trend of which nothing is known, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiDetail:
    """One indicator opened. `trend` is by days, oldest first, missing days left out and told as
    `gaps`; `course` the running total of the year of a sum (else empty). `districts` is None where
    it has no figures by kecamatan. `parts` are its subjects, sources or departments. `held` is how
    many readings of the horizon findings hold back. `outages` are [first, last] instants at which
    a source was down, the last one None while it is.
    """

    at: datetime
    version: str
    span: Span
    line: KpiLine
    trend: tuple[TrendPoint, ...]
    gaps: tuple[Gap, ...]
    course: tuple[TrendPoint, ...]
    annotations: tuple[Annotation, ...]
    districts: Districts | None
    district_trends: Mapping[str, tuple[TrendPoint, ...]]
    parts: tuple[Part, ...]
    records: tuple[RecordsLink, ...]
    held: int
    sources: tuple[SourceLine, ...]
    outages: tuple[tuple[str, datetime, datetime | None], ...]
    forecast: Forecast | None
