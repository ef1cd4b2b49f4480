"""`/api/v1/kpis` and `/api/v1/scores`: is the city on target, where not, and what moved."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field

from api.paging import refuse_unknown
from api.quality import QualityBook, Standing, standing_out
from api.services import Services
from lawang.city import City
from lawang.domain.formula import is_share
from lawang.domain.kpi import (
    CITY_THRESHOLDS,
    SCORE_MAX,
    Combine,
    Direction,
    Driver,
    Grey,
    Kpi,
    KpiValue,
    Light,
    RollUp,
    Span,
    wilson,
)
from lawang.kpi.evaluate import Evaluator, TrendPoint
from lawang.kpi.explain import Explainer, Part, describe
from lawang.overview.links import is_simulated, records_of, source_names
from lawang.overview.read import OverviewReader

_TREND_MAX = 3700


class DefinitionOut(BaseModel):
    """What an indicator is, as the pack defines it."""

    id: str
    name_id: str
    name_en: str
    definition_id: str
    definition_en: str
    dimension: str
    owner: str = Field(description="Id of the department that answers for it")
    owner_name: str
    unit: str = Field(description="% means that values are shares from 0 to 1")
    unit_en: str = Field(description="The unit in English")
    direction: Direction
    combine: Combine
    formula: str
    sources: list[str]
    weight: float
    green: float = Field(description="Least score that is green")
    amber: float = Field(description="Least score that is amber")
    minimum: int = Field(description="Least cohort in a horizon")
    due: str
    stale_after_s: float
    target_source: str
    simulated_target: bool
    curve: str | None = Field(description="Id of the curve that spreads the year's target")
    simulated: bool = Field(description="Whether any of its sources is a simulated one")


class ValueOut(BaseModel):
    """One indicator over one horizon."""

    span: Span
    first: date
    last: date
    value: float | None
    target: float | None
    score: float | None = Field(description=f"1 is on target; between 0 and {SCORE_MAX}")
    light: Light
    grey: Grey | None = Field(description="Why it does not count, where it does not")
    counts: bool
    num: float
    den: float
    cohort: int = Field(description="Records behind it")
    days: int = Field(description="Days of which anything is known")
    days_of_horizon: int
    observed_at: datetime | None
    age_s: float | None
    fresh: bool | None = Field(description="None: nothing is known")
    interval: tuple[float, float] | None = Field(
        None, description="95% interval (Wilson) of a share of a cohort"
    )


class KpiOut(BaseModel):
    """An indicator with its value."""

    definition: DefinitionOut
    value: ValueOut


class KpisOut(BaseModel):
    """All indicators over one horizon."""

    at: datetime
    span: Span
    first: date
    last: date
    counting: int
    total: int
    kpis: list[KpiOut]


class TrendOut(BaseModel):
    """One known day."""

    day: date
    value: float | None
    target: float | None
    cohort: int


class RegionOut(BaseModel):
    """One kecamatan."""

    code: str
    name: str
    value: ValueOut


class PartOut(BaseModel):
    """One subject, source or department."""

    key: str
    name: str
    value: float | None
    num: float
    den: float
    cohort: int


class RecordsOut(BaseModel):
    """Where the records behind a number are listed."""

    source: str
    url: str


class SourceOut(BaseModel):
    """One source of an indicator, and how well it is heard."""

    id: str
    name: str
    opd: str
    simulated: bool
    standing: Standing


class KpiDetailOut(BaseModel):
    """One indicator in full."""

    at: datetime
    definition: DefinitionOut
    values: list[ValueOut] = Field(description="Over the five horizons, shortest first")
    previous: list[ValueOut] = Field(description="Over the equal horizons before")
    trend: list[TrendOut]
    cumulative: list[TrendOut] = Field(
        description="Of a sum: since 1 January, beside what was to be reached by then"
    )
    kecamatan: list[RegionOut]
    parts: list[PartOut]
    records: list[RecordsOut]
    held: int = Field(description="Readings of the horizon that findings hold back")
    sources: list[SourceOut]


class DriverOut(BaseModel):
    """What one indicator did to a score since the equal horizon before."""

    kpi: str
    name_id: str
    name_en: str
    contribution: float
    before: float | None
    after: float | None


class RollUpOut(BaseModel):
    """The score of a dimension, or of the city."""

    id: str
    name_id: str
    name_en: str
    score: float | None
    light: Light
    weight: float
    green: float
    amber: float
    counting: int
    total: int
    before: float | None
    change: float | None
    drivers: list[DriverOut] = Field(description="All of them; they add up to the change")


class ScoresOut(BaseModel):
    """The city and its dimensions over one horizon."""

    span: Span
    first: date
    last: date
    city: RollUpOut
    dimensions: list[RollUpOut]


class AllScoresOut(BaseModel):
    """Scores over the horizons asked for."""

    at: datetime
    scores: list[ScoresOut]


_Span = Annotated[Span, Query(description="The horizon")]
_Day = Annotated[date | None, Query(description="Its last day; else the last complete one")]


def add_kpi_routes(router: APIRouter, services: Services, book: QualityBook) -> None:
    """The routes of indicators."""
    city, history = services.city, services.history
    evaluator = Evaluator(city, history.kpis)
    reader = services.reader or OverviewReader(city, history)
    explainer = Explainer(city, history)

    @router.get(
        "/api/v1/kpis",
        response_model=KpisOut,
        tags=["indicators"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def kpis(
        span: _Span = Span.MONTH,
        dimension: Annotated[list[str] | None, Query(description="Dimension ids")] = None,
        owner: Annotated[list[str] | None, Query(description="Department ids")] = None,
        light: Annotated[list[Light] | None, Query(description="Lights")] = None,
    ) -> KpisOut:
        """Every indicator with its definition and its value over one horizon."""
        now = services.clock()
        horizon = evaluator.horizon(span, now)
        wanted = {
            name: kpi
            for name, kpi in city.kpis.items()
            if (not dimension or kpi.dimension in dimension) and (not owner or kpi.owner in owner)
        }
        values = await asyncio.to_thread(evaluator.values, horizon, now, wanted)
        shown = [name for name in wanted if not light or values[name].light in light]
        return KpisOut(
            at=now,
            span=span,
            first=horizon.first,
            last=horizon.last,
            counting=sum(values[name].counts for name in shown),
            total=len(shown),
            kpis=[
                KpiOut(
                    definition=_definition_out(wanted[name], city),
                    value=_value_out(wanted[name], values[name]),
                )
                for name in shown
            ],
        )

    @router.get(
        "/api/v1/kpis/{kpi_id}",
        response_model=KpiDetailOut,
        tags=["indicators"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def one_kpi(
        kpi_id: str,
        span: _Span = Span.MONTH,
        days: Annotated[int, Query(ge=1, le=_TREND_MAX, description="Days of the trend")] = 91,
    ) -> KpiDetailOut:
        """One indicator over all horizons: trend, kecamatan, parts, records and sources."""
        kpi = city.kpis.get(kpi_id)
        if kpi is None:
            raise HTTPException(404, "There is no indicator with this id.")
        return await asyncio.to_thread(detail, kpi, span, days)

    def detail(kpi: Kpi, span: Span, days: int) -> KpiDetailOut:
        now = services.clock()
        horizons = [evaluator.horizon(each, now) for each in Span]
        horizon = evaluator.horizon(span, now)
        year = evaluator.horizon(Span.YEAR, now)
        standings = book.read().sources
        return KpiDetailOut(
            at=now,
            definition=_definition_out(kpi, city),
            values=[_value_out(kpi, evaluator.value(kpi, each, now)) for each in horizons],
            previous=[
                _value_out(kpi, evaluator.past_value(kpi, each.previous())) for each in horizons
            ],
            trend=_trend_out(
                evaluator.trend(kpi, horizon.last - timedelta(days=days - 1), horizon.last)
            ),
            cumulative=_trend_out(evaluator.cumulative(kpi, year.first, year.last)),
            kecamatan=_regions_out(kpi, evaluator.by_kecamatan(kpi, horizon, now), city),
            parts=[_part_out(each) for each in explainer.parts(kpi, horizon, now)],
            records=[
                RecordsOut(source=each.source, url=each.api)
                for each in records_of(kpi, horizon, city)
            ],
            held=explainer.count_held(kpi, horizon),
            sources=[
                SourceOut(
                    id=name,
                    name=city.sources[name].name,
                    opd=city.sources[name].opd,
                    simulated=city.sources[name].simulated,
                    standing=standing_out(standings[name]),
                )
                for name in source_names(kpi, city)
            ],
        )

    @router.get(
        "/api/v1/scores",
        response_model=AllScoresOut,
        tags=["indicators"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def scores(
        span: Annotated[list[Span] | None, Query(description="Horizons; all five")] = None,
        day: _Day = None,
    ) -> AllScoresOut:
        """The scores of the city and its dimensions, how many indicators count, what moved them."""
        now = services.clock()
        last = evaluator.horizon(Span.DAY, now).last
        if day is not None and not date(2000, 1, 1) <= day <= last:
            raise HTTPException(422, f"`day` must be between 2000-01-01 and {last}.")
        wanted = list(dict.fromkeys(span or Span))

        def read() -> list[list[RollUp]]:
            if day is not None and day != last:
                return [evaluator.scores(each, now, day) for each in wanted]
            of_today = reader.scores(now)
            return [list(of_today[each]) for each in wanted]

        found = await asyncio.to_thread(read)
        return AllScoresOut(at=now, scores=[_scores_out(each, city) for each in found])


def _definition_out(kpi: Kpi, city: City) -> DefinitionOut:
    names = source_names(kpi, city)
    curve = kpi.target.curve if kpi.target else None
    return DefinitionOut(
        **{
            name: getattr(kpi, name)
            for name in DefinitionOut.model_fields
            if name
            not in (
                "owner_name",
                "formula",
                "sources",
                "stale_after_s",
                "curve",
                "simulated",
                "unit_en",
            )
        },
        unit_en=kpi.unit_in("en"),
        owner_name=city.opds[kpi.owner].name,
        formula=describe(kpi, city),
        sources=names,
        stale_after_s=kpi.stale_after.total_seconds(),
        curve=curve.id if curve else None,
        simulated=is_simulated(kpi, city),
    )


def _value_out(kpi: Kpi, value: KpiValue) -> ValueOut:
    return ValueOut(
        span=value.horizon.span,
        first=value.horizon.first,
        last=value.horizon.last,
        value=value.value,
        target=value.target,
        score=value.score,
        light=value.light,
        grey=value.grey,
        counts=value.counts,
        num=value.num,
        den=value.den,
        cohort=value.n,
        days=value.days,
        days_of_horizon=value.horizon.days,
        observed_at=value.observed_at,
        age_s=None if value.age is None else value.age.total_seconds(),
        fresh=None if value.age is None else value.age <= kpi.stale_after,
        interval=wilson(value.num, value.den) if is_share(kpi.formula) else None,
    )


def _trend_out(points: list[TrendPoint]) -> list[TrendOut]:
    return [
        TrendOut(day=each.day, value=each.value, target=each.target, cohort=each.n)
        for each in points
    ]


def _regions_out(kpi: Kpi, values: dict[str, KpiValue], city: City) -> list[RegionOut]:
    return [
        RegionOut(code=each.code, name=each.name, value=_value_out(kpi, values[each.code]))
        for each in city.kecamatan
    ]


def _part_out(part: Part) -> PartOut:
    return PartOut(
        key=part.key, name=part.name, value=part.value, num=part.num, den=part.den, cohort=part.n
    )


def _scores_out(found: list[RollUp], city: City) -> ScoresOut:
    whole, *dimensions = found
    green, amber = CITY_THRESHOLDS
    return ScoresOut(
        span=whole.horizon.span,
        first=whole.horizon.first,
        last=whole.horizon.last,
        city=_roll_up_out(
            whole, city, name_id=city.name, name_en=city.name, green=green, amber=amber
        ),
        dimensions=[
            _roll_up_out(
                each,
                city,
                **{
                    name: getattr(city.dimensions[each.id], name)
                    for name in ("name_id", "name_en", "green", "amber")
                },
            )
            for each in dimensions
        ],
    )


def _roll_up_out(found: RollUp, city: City, **stated: Any) -> RollUpOut:
    return RollUpOut(
        id=found.id,
        score=found.score,
        light=found.light,
        weight=found.weight,
        counting=found.counting,
        total=found.total,
        before=found.before,
        change=found.change,
        drivers=[_driver_out(each, city.kpis[each.kpi]) for each in found.drivers],
        **stated,
    )


def _driver_out(driver: Driver, kpi: Kpi) -> DriverOut:
    return DriverOut(
        kpi=driver.kpi,
        name_id=kpi.name_id,
        name_en=kpi.name_en,
        contribution=driver.contribution,
        before=driver.before,
        after=driver.after,
    )
