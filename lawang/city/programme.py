"""`mayor.toml` of a pack: what the mayor's page is made of. Strict: every indicator, source,
measure, department and dimension named must exist, and be of a kind that can be shown there.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from lawang.city.kpis import Indicators
from lawang.city.source import Source
from lawang.city.toml import Mistake, Table, first_mistake, mistake, read_toml
from lawang.domain.kpi import Combine, Kpi
from lawang.domain.measure import MeasureKind
from lawang.domain.programme import (
    Annotation,
    DayCount,
    FinanceProgramme,
    MeasureRef,
    Milestone,
    MorningFigure,
    Programme,
    ServicesProgramme,
)

_Text = Annotated[str, Field(min_length=1)]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_Path = tuple[str, ...]
_MONEY = "Rp"
_RUNNING = frozenset({MeasureKind.CUMULATIVE})
_STATES = frozenset({MeasureKind.STOCK, MeasureKind.GAUGE})
#: As many figures as the morning's scene has room for.
_FIGURES = 6
#: How often an indicator must be told for one day of it to mean anything.
_DAILY = frozenset({"hour", "day"})
_YIELDED = {
    DayCount.INCIDENTS_RECEIVED: "incidents",
    DayCount.INCIDENTS_DONE: "incidents",
    DayCount.REQUESTS_RECEIVED: "service_requests",
    DayCount.REQUESTS_DONE: "service_requests",
}


class _MeasureTable(Table):
    source: _Text
    measure: _Text
    subjects: list[_Text] = Field(default_factory=list)

    def ref(self) -> MeasureRef:
        return MeasureRef(source=self.source, measure=self.measure, subjects=tuple(self.subjects))


class _FinanceTable(Table):
    revenue: str
    spending: str
    own_revenue: str
    items: list[str] = Field(default_factory=list)
    spent: _MeasureTable
    budget: _MeasureTable
    spending_curve: str = ""
    financing: _MeasureTable | None = None
    financing_paid: _MeasureTable | None = None
    cash: _MeasureTable | None = None
    cash_stale_after_days: Annotated[float, Field(gt=0, le=366, allow_inf_nan=False)] = 5.0

    @model_validator(mode="after")
    def _agrees(self) -> _FinanceTable:
        if self.financing_paid is not None and self.financing is None:
            raise ValueError("financing_paid is taken off financing: give that as well")
        return self


class _ServicesTable(Table):
    promises: list[str] = Field(min_length=1)
    claimed: str
    verified: str = ""
    reopened: str
    licences: list[str] = Field(default_factory=list)


class _MilestoneTable(Table):
    id: _Id
    name_id: _Text
    name_en: _Text
    dimension: str
    owner: str
    due: date | None = None
    done: date | None = None
    kpi: str = ""
    reach: Annotated[float, Field(allow_inf_nan=False)] | None = None
    source: str = ""
    simulated: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> _MilestoneTable:
        if bool(self.kpi) != (self.reach is not None):
            raise ValueError("kpi and reach belong together: give both or neither")
        if not self.source.strip() and not self.simulated:
            raise ValueError("source must say where the step is from, or simulated = true")
        return self


class _AnnotationTable(Table):
    first: date
    last: date | None = None
    text_id: _Text
    text_en: _Text
    kpi: str = ""
    simulated: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> _AnnotationTable:
        if self.last is not None and self.last < self.first:
            raise ValueError("last must not be before first")
        return self


class _HealthTable(Table):
    indicators: list[str] = Field(min_length=1)


class _FigureTable(Table):
    id: _Id
    kpi: str = ""
    count: DayCount | None = None
    sources: list[_Text] = Field(default_factory=list)
    name_id: str = ""
    name_en: str = ""
    unit: str = ""
    unit_en: str = ""

    @model_validator(mode="after")
    def _agrees(self) -> _FigureTable:
        if bool(self.kpi) == (self.count is not None):
            raise ValueError("a figure is an indicator (kpi) or a count of records: give one")
        told = (self.sources, self.name_id.strip(), self.name_en.strip(), self.unit.strip())
        if self.count is not None and not all(told):
            raise ValueError("a count needs sources, name_id, name_en and unit")
        if self.kpi and (any(told) or self.unit_en):
            raise ValueError("an indicator brings its own sources, names and unit")
        return self


class _MorningTable(Table):
    figures: list[_FigureTable] = Field(min_length=1, max_length=_FIGURES)


class _File(Table):
    finance: _FinanceTable | None = None
    services: _ServicesTable | None = None
    districts: list[str] = Field(default_factory=list)
    milestones: list[_MilestoneTable] = Field(default_factory=list)
    annotations: list[_AnnotationTable] = Field(default_factory=list)
    health: _HealthTable | None = None
    morning: _MorningTable | None = None


@dataclass(frozen=True, slots=True)
class _Pack:
    """What the rest of the pack holds, for checking what is named."""

    indicators: Indicators
    sources: Mapping[str, Source]
    opds: Container[str]

    def kpi(self, name: str, at: _Path) -> Kpi:
        found = self.indicators.kpis.get(name)
        if found is None:
            raise Mistake(at, f"there is no indicator {name!r} in kpi.toml")
        return found

    def check_list(self, names: list[str], at: _Path) -> list[Kpi]:
        """Indicators of a list, each named once."""
        kpis = []
        for place, name in enumerate(names):
            kpis.append(self.kpi(name, (*at, str(place))))
            if names.index(name) != place:
                raise Mistake((*at, str(place)), f"{name!r} is named twice")
        return kpis

    def check_sum(self, name: str, at: _Path) -> None:
        kpi = self.kpi(name, at)
        if kpi.combine is not Combine.SUM or kpi.unit != _MONEY:
            raise Mistake(at, f"{name!r} is not a sum in {_MONEY}")

    def check_share(self, name: str, at: _Path) -> None:
        if self.kpi(name, at).combine is not Combine.RATIO:
            raise Mistake(at, f'{name!r} is not a share or a mean (combine = "ratio")')

    def check_measure(
        self, table: _MeasureTable | None, kinds: frozenset[MeasureKind], at: _Path
    ) -> None:
        if table is None:
            return
        source = self.sources.get(table.source)
        if source is None:
            raise Mistake((*at, "source"), f"there is no source {table.source!r}")
        measure = source.measures.get(table.measure)
        if measure is None:
            problem = f"{table.measure!r} is not under [measures] of {source.id}.toml"
            raise Mistake((*at, "measure"), problem)
        if measure.forecast or measure.kind not in kinds or measure.unit != _MONEY:
            words = " or ".join(sorted(kind.value for kind in kinds))
            raise Mistake((*at, "measure"), f"{table.measure!r} must be {words}, in {_MONEY}")


def read_programme(
    file: Path, indicators: Indicators, sources: Mapping[str, Source], opds: Container[str]
) -> Programme:
    """Read and validate `mayor.toml`; empty where a pack has none. Raises PackError."""
    if not file.exists():
        return Programme()
    try:
        found = _File.model_validate(read_toml(file))
    except ValidationError as error:
        raise mistake(file, *first_mistake(error)) from error
    pack = _Pack(indicators, sources, opds)
    try:
        return Programme(
            finance=_finance(found.finance, pack),
            services=_services(found.services, pack),
            districts=_districts(found.districts, pack),
            milestones=_milestones(found.milestones, pack),
            annotations=_annotations(found.annotations, pack),
            health=_health(found.health, pack),
            morning=_morning(found.morning, pack),
        )
    except Mistake as error:
        raise mistake(file, error.path, str(error)) from error


def _finance(table: _FinanceTable | None, pack: _Pack) -> FinanceProgramme | None:
    if table is None:
        return None
    at = ("finance",)
    for key in ("revenue", "spending", "own_revenue"):
        pack.check_sum(getattr(table, key), (*at, key))
    pack.check_list(table.items, (*at, "items"))
    for place, name in enumerate(table.items):
        pack.check_sum(name, (*at, "items", str(place)))
    pack.check_measure(table.spent, _RUNNING, (*at, "spent"))
    pack.check_measure(table.budget, _STATES, (*at, "budget"))
    pack.check_measure(table.financing, _RUNNING, (*at, "financing"))
    pack.check_measure(table.financing_paid, _RUNNING, (*at, "financing_paid"))
    pack.check_measure(table.cash, _STATES, (*at, "cash"))
    if table.spending_curve and table.spending_curve not in pack.indicators.curves:
        problem = f"{table.spending_curve!r} is not under [curves] of kpi.toml"
        raise Mistake((*at, "spending_curve"), problem)
    return FinanceProgramme(
        revenue=table.revenue,
        spending=table.spending,
        own_revenue=table.own_revenue,
        items=tuple(table.items),
        spent=table.spent.ref(),
        budget=table.budget.ref(),
        spending_curve=table.spending_curve,
        financing=table.financing.ref() if table.financing else None,
        financing_paid=table.financing_paid.ref() if table.financing_paid else None,
        cash=table.cash.ref() if table.cash else None,
        cash_stale_after=timedelta(days=table.cash_stale_after_days),
    )


def _services(table: _ServicesTable | None, pack: _Pack) -> ServicesProgramme | None:
    if table is None:
        return None
    at = ("services",)
    pack.check_list(table.promises, (*at, "promises"))
    for key in ("claimed", "verified", "reopened"):
        # Where nobody verifies closings there is nothing to hold the claims to.
        if name := getattr(table, key):
            pack.check_share(name, (*at, key))
        elif key != "verified":
            raise Mistake((*at, key), "must name an indicator")
    for place, name in enumerate(table.licences):
        source = pack.sources.get(name)
        if source is None:
            raise Mistake((*at, "licences", str(place)), f"there is no source {name!r}")
        if "service_requests" not in source.yields:
            problem = f"{name!r} does not yield service_requests"
            raise Mistake((*at, "licences", str(place)), problem)
    return ServicesProgramme(
        promises=tuple(table.promises),
        claimed=table.claimed,
        verified=table.verified,
        reopened=table.reopened,
        licences=tuple(table.licences),
    )


def _health(table: _HealthTable | None, pack: _Pack) -> tuple[str, ...]:
    if table is None:
        return ()
    pack.check_list(table.indicators, ("health", "indicators"))
    return tuple(table.indicators)


def _morning(table: _MorningTable | None, pack: _Pack) -> tuple[MorningFigure, ...]:
    if table is None:
        return ()
    seen: set[str] = set()
    for place, each in enumerate(table.figures):
        at = ("morning", "figures", str(place))
        if each.id in seen:
            raise Mistake((*at, "id"), f"{each.id!r} is there twice")
        seen.add(each.id)
        if each.kpi:
            _check_daily(pack.kpi(each.kpi, (*at, "kpi")), (*at, "kpi"))
        for number, name in enumerate(each.sources):
            _check_counted(each.count, name, (*at, "sources", str(number)), pack)
    return tuple(
        MorningFigure(**{**each.model_dump(), "sources": tuple(each.sources)})
        for each in table.figures
    )


def _check_daily(kpi: Kpi, at: _Path) -> None:
    if kpi.combine is Combine.LAST or kpi.due not in _DAILY:
        problem = f"{kpi.id!r} says nothing about one day: it is a state, or due more rarely"
        raise Mistake(at, problem)


def _check_counted(count: DayCount | None, name: str, at: _Path, pack: _Pack) -> None:
    source = pack.sources.get(name)
    if source is None:
        raise Mistake(at, f"there is no source {name!r}")
    if count is not None and _YIELDED[count] not in source.yields:
        raise Mistake(at, f"{name!r} does not yield {_YIELDED[count]}")


def _districts(names: list[str], pack: _Pack) -> tuple[str, ...]:
    for place, kpi in enumerate(pack.check_list(names, ("districts",))):
        # What a kecamatan is to bring of an amount is not known: it cannot be ranked.
        if kpi.combine is Combine.SUM:
            problem = f"{kpi.id!r} is a sum: only shares, means and states can be compared"
            raise Mistake(("districts", str(place)), problem)
    return tuple(names)


def _milestones(tables: list[_MilestoneTable], pack: _Pack) -> tuple[Milestone, ...]:
    seen: set[str] = set()
    for place, each in enumerate(tables):
        at = ("milestones", str(place))
        if each.id in seen:
            raise Mistake((*at, "id"), f"{each.id!r} is there twice")
        seen.add(each.id)
        if each.dimension not in pack.indicators.dimensions:
            problem = f"{each.dimension!r} is not under [dimensions] of kpi.toml"
            raise Mistake((*at, "dimension"), problem)
        if each.owner not in pack.opds:
            raise Mistake((*at, "owner"), f"{each.owner!r} is not in opd.toml")
        if each.kpi:
            pack.kpi(each.kpi, (*at, "kpi"))
    return tuple(Milestone(**each.model_dump()) for each in tables)


def _annotations(tables: list[_AnnotationTable], pack: _Pack) -> tuple[Annotation, ...]:
    for place, each in enumerate(tables):
        if each.kpi:
            pack.kpi(each.kpi, ("annotations", str(place), "kpi"))
    return tuple(
        Annotation(**{**each.model_dump(), "last": each.last or each.first}) for each in tables
    )
