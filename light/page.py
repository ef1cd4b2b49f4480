"""What the first page says beyond the overview itself: choices, groups and counts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lawang.city import City
from lawang.domain.health import Health, SourceState, health
from lawang.domain.kpi import Driver, Grey, Kpi, RollUp, Span
from lawang.domain.maturity import Stage
from lawang.overview.model import (
    Absorption,
    District,
    Finance,
    KpiLine,
    MilestoneLine,
    MilestoneState,
    Overdue,
    Overview,
    StageCount,
    Standing,
)
from light.look import Look

#: How many departments are shown at either end of the ranking of spending.
ENDS = 3


@dataclass(frozen=True, slots=True)
class HorizonScore:
    """The city over one horizon."""

    span: Span
    city: RollUp
    chosen: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Indicators that have no say, for one reason."""

    reason: Grey
    kpis: tuple[Kpi, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """What one department is late with."""

    opd: str
    items: tuple[Overdue, ...]

    @property
    def oldest(self) -> datetime | None:
        return min((each.oldest for each in self.items if each.oldest), default=None)


@dataclass(frozen=True, slots=True)
class DimensionCard:
    """One dimension: its scores over all horizons, and what moved it most."""

    now: RollUp
    spans: tuple[RollUp, ...]
    driver: Driver | None


@dataclass(frozen=True, slots=True)
class LicenceStages:
    """Open applications of one source by stage."""

    source: str
    stages: tuple[StageCount, ...]

    @property
    def open(self) -> int:
        return sum(each.count for each in self.stages)

    @property
    def past_promise(self) -> int:
        return sum(each.past_promise for each in self.stages)


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The first page, chosen and grouped. `first_look` tells that there was none before.

    `items_until` is the oldest moment that an item of own revenue is true of.
    `heard` are how many sources stand in each health, `sources` how many there are.
    """

    first_look: bool
    looked: date | None
    horizons: tuple[HorizonScore, ...]
    left_out: tuple[LeftOut, ...]
    drivers: tuple[Driver, ...]
    overdue: tuple[Owner, ...]
    dimensions: tuple[DimensionCard, ...]
    items_until: datetime | None
    lowest: tuple[Absorption, ...]
    highest: tuple[Absorption, ...]
    promises: tuple[KpiLine, ...]
    licences: tuple[LicenceStages, ...]
    apart: tuple[District, ...]
    same: int
    few: int
    stages: Mapping[Stage, int]
    milestones: Mapping[MilestoneState, int]
    pressing: tuple[MilestoneLine, ...]
    heard: Mapping[Health, int]
    sources: int


def first_page(
    city: City, overview: Overview, states: Mapping[str, SourceState], look: Look
) -> FirstPage:
    """What the first page shows of an overview."""
    rows = overview.districts.rows if overview.districts else ()
    lowest, highest = _ends(overview.finance)
    services = overview.services
    return FirstPage(
        first_look=look.before is None,
        looked=look.before,
        horizons=tuple(
            HorizonScore(span, overview.scores[span][0], span is overview.span) for span in Span
        ),
        left_out=_left_out(overview),
        drivers=_strongest(overview.city, ENDS),
        overdue=_by_owner(overview.overdue),
        dimensions=tuple(
            DimensionCard(
                each,
                tuple(overview.scores[span][1:][place] for span in Span),
                next(iter(_strongest(each, 1)), None),
            )
            for place, each in enumerate(overview.dimensions)
        ),
        items_until=min(
            (
                each.value.observed_at
                for each in (overview.finance.items if overview.finance else ())
                if each.value.observed_at
            ),
            default=None,
        ),
        lowest=lowest,
        highest=highest,
        promises=tuple(
            overview.lines[name]
            for name in (services.promises if services else ())
            if name in overview.lines
        ),
        licences=_licences(services.licences if services else ()),
        apart=tuple(each for each in rows if each.standing in (Standing.WORSE, Standing.BETTER)),
        same=sum(each.standing is Standing.SAME for each in rows),
        few=sum(each.standing is Standing.FEW for each in rows),
        stages={
            stage: sum(each.assessment.stage is stage for each in overview.ladder)
            for stage in Stage
        },
        milestones=Counter(each.state for each in overview.milestones),
        pressing=_pressing(overview.milestones),
        heard=Counter(
            health(states[name], source.cadence, overview.at) if name in states else Health.NEVER
            for name, source in city.sources.items()
        ),
        sources=len(city.sources),
    )


def _left_out(overview: Overview) -> tuple[LeftOut, ...]:
    found: dict[Grey, list[Kpi]] = {}
    for line in overview.lines.values():
        reason = line.values[overview.span].grey
        if reason is not None:
            found.setdefault(reason, []).append(line.kpi)
    return tuple(LeftOut(reason, tuple(found[reason])) for reason in Grey if reason in found)


def _strongest(rolled: RollUp, most: int) -> tuple[Driver, ...]:
    """The drivers that went the way the score went, the strongest first.

    What shows as ±0 moved nothing that could be seen: no change, no reason for one.
    """
    if rolled.change is None or not _shows(rolled.change):
        return ()
    along = [
        each
        for each in rolled.drivers
        if each.contribution * rolled.change > 0 and _shows(each.contribution)
    ]
    return tuple(along[:most])


def _shows(change: float) -> bool:
    """Whether a change of a score differs from ±0 with the two decimals it is shown with."""
    return round(change, 2) != 0


def _by_owner(items: Iterable[Overdue]) -> tuple[Owner, ...]:
    """Grouped by department, in the order in which the overview names them first."""
    found: dict[str, list[Overdue]] = {}
    for each in items:
        found.setdefault(each.owner, []).append(each)
    return tuple(Owner(opd, tuple(own)) for opd, own in found.items())


def _ends(finance: Finance | None) -> tuple[tuple[Absorption, ...], tuple[Absorption, ...]]:
    """The lowest and the highest of the ranking; none stands in both."""
    if finance is None:
        return (), ()
    ranked = [each for each in finance.absorption if each.share is not None]
    lowest = ranked[:ENDS]
    return tuple(lowest), tuple(reversed(ranked[len(lowest) :][-ENDS:]))


def _licences(counts: Sequence[StageCount]) -> tuple[LicenceStages, ...]:
    found: dict[str, list[StageCount]] = {}
    for each in counts:
        found.setdefault(each.source, []).append(each)
    return tuple(LicenceStages(source, tuple(stages)) for source, stages in found.items())


_PRESSING = (MilestoneState.LATE, MilestoneState.DUE_SOON)


def _pressing(lines: Iterable[MilestoneLine]) -> tuple[MilestoneLine, ...]:
    """Those overdue and those due soon, the earliest first."""
    pressing = [each for each in lines if each.state in _PRESSING]
    pressing.sort(key=lambda each: (_PRESSING.index(each.state), each.milestone.due or date.max))
    return tuple(pressing)
