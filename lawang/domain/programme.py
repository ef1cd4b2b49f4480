"""What the mayor's page is made of, as the pack's `mayor.toml` says it. Frozen values.

Names and texts come in both languages of the interface. Ids name indicators of `kpi.toml`,
departments, dimensions, sources and measures of the same pack; whoever reads the pack checks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureRef:
    """A measure of a source; `subjects` narrows it (empty: all of them)."""

    source: str
    measure: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FinanceProgramme:
    """Which indicators and measures make the finance section.

    `revenue`, `spending`, `own_revenue` and `items` (own revenue item by item) are ids of summed
    indicators in rupiah. `spent` and `budget` are running totals by department, for the absorption
    ranking, held to the curve `spending_curve`. `financing` are financing receipts since January,
    of which `financing_paid` is taken off (None: `financing` is net already); `cash` the balance of
    the city's account, stale once older than `cash_stale_after`. None where no source tells.
    """

    revenue: str
    spending: str
    own_revenue: str
    items: tuple[str, ...]
    spent: MeasureRef
    budget: MeasureRef
    spending_curve: str = ""
    financing: MeasureRef | None = None
    financing_paid: MeasureRef | None = None
    cash: MeasureRef | None = None
    cash_stale_after: timedelta = timedelta(days=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesProgramme:
    """Which indicators tell whether promises are kept, and which claims are checked.

    `claimed`, `verified` and `reopened` are shares of reports (`verified` is "" where nobody
    verifies); `licences` are the sources whose applications are shown by their stage.
    """

    promises: tuple[str, ...]
    claimed: str
    verified: str
    reopened: str
    licences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A step of the smart-city masterplan.

    `due` is None where nobody has said by when. Reached is it on `done`, or once the indicator
    `kpi` has come to `reach` (in the indicator's own direction). `source` says where the step is
    from; `simulated` that it was made up for the demonstration.
    """

    id: str
    name_id: str
    name_en: str
    dimension: str
    owner: str
    due: date | None = None
    done: date | None = None
    kpi: str = ""
    reach: float | None = None
    source: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A note at days of a trend, of one indicator or ("") of all. `last` is `first` for one day.

    `holiday` marks a public holiday: worth a note only where single days can be told apart.
    """

    first: date
    last: date
    text_id: str
    text_en: str
    kpi: str = ""
    simulated: bool = False
    holiday: bool = False


class DayCount(StrEnum):
    """Which records of a day are counted: by when they were made, or finished."""

    INCIDENTS_RECEIVED = "incidents_received"
    INCIDENTS_DONE = "incidents_done"
    REQUESTS_RECEIVED = "requests_received"
    REQUESTS_DONE = "requests_done"


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningFigure:
    """One figure of the day before: the indicator `kpi`, or a count of the records of `sources`.

    Exactly one of `kpi` and `count`. A count has its names and its unit here (`unit_en` is "" where
    it is the same in English), an indicator brings its own.
    """

    id: str
    kpi: str = ""
    count: DayCount | None = None
    sources: tuple[str, ...] = ()
    name_id: str = ""
    name_en: str = ""
    unit: str = ""
    unit_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """The whole of `mayor.toml`. Sections that a city does not have are None or empty.

    `districts` are the indicators that may be shown by kecamatan, the first one by default;
    `health` those of the scene about health, `morning` the figures of the morning's.
    """

    finance: FinanceProgramme | None = None
    services: ServicesProgramme | None = None
    districts: tuple[str, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    health: tuple[str, ...] = ()
    morning: tuple[MorningFigure, ...] = ()
