"""The pages behind the mayor's first page: one for each number on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from lawang.city import City
from lawang.domain.kpi import Combine, KpiValue, RollUp, Span, shares_of
from lawang.domain.maturity import Stage
from lawang.kpi.explain import describe
from lawang.overview.behind import newest_behind
from lawang.overview.model import Districts, KpiLine, MilestoneState, Overdue, Overview, Standing
from layouts.words import LANGUAGES
from light.figures import Figures, notes_within
from light.record_words import RecordWords
from light.render import Ask

if TYPE_CHECKING:
    from light.routes import Pages

#: How many days of a trend may be asked for, and which are offered.
TREND_DAYS = (30, 91, 365, 1100)
_DEFAULT_DAYS = 365
#: The calendar shows as many weeks, whatever the trend shows.
_CALENDAR_DAYS = 371
#: How many morning briefs are listed.
_BRIEFS = 60


def add_detail_routes(router: APIRouter, pages: Pages) -> None:
    """The routes below /mayor that open a number. Blocking, read by FastAPI's threads."""
    city = pages.city
    records = {name: RecordWords(city, pages.renderer.terms(name)) for name in LANGUAGES}
    figures = {name: Figures(city, pages.renderer.terms(name)) for name in LANGUAGES}

    def answer(template: str, ask: Ask, **values: Any) -> HTMLResponse:
        drawn, told = figures[ask.language], records[ask.language]
        return pages.answer(template, ask, draw=drawn, record=told, **values)

    @router.get("/mayor/kpi/{kpi_id}")
    def kpi(request: Request, kpi_id: str) -> HTMLResponse:
        ask = pages.ask(request)
        found = city.kpis.get(kpi_id)
        if found is None:
            return pages.lost(ask)
        days = _days(request.query_params.get("days", ""))
        detail = pages.detail(kpi_id, ask, days=max(days, _CALENDAR_DAYS))
        horizon = detail.line.values[ask.span].horizon
        first = horizon.last - timedelta(days=days - 1)
        if detail.trend:
            first = max(first, detail.trend[0].day)
        return answer(
            "kpi.html",
            ask,
            detail=detail,
            kpi=found,
            value=detail.line.values[ask.span],
            first=first,
            last=horizon.last,
            days=days,
            choices=TREND_DAYS,
            notes=notes_within(detail, first, horizon.last),
            formula=describe(found, city),
            behind=newest_behind(city, pages.history, found, horizon),
            is_sum=found.combine is Combine.SUM,
            simulated=detail.line.simulated,
            groups=district_groups(detail.districts),
            standings=_STANDINGS,
        )

    @router.get("/mayor/dimension/{dimension_id}")
    def dimension(request: Request, dimension_id: str) -> HTMLResponse:
        ask = pages.ask(request)
        found = city.dimensions.get(dimension_id)
        if found is None:
            return pages.lost(ask)
        overview = pages.overview(ask)
        return answer(
            "dimension.html",
            ask,
            ov=overview,
            page=dimension_page(city, overview, dimension_id),
            dimension=found,
            names={
                name: pages.renderer.terms(ask.language).name(kpi)
                for name, kpi in city.kpis.items()
            },
        )

    @router.get("/mayor/finance")
    def finance(request: Request) -> HTMLResponse:
        ask = pages.ask(request)
        overview = pages.overview(ask)
        shares = [each.share for each in overview.finance.absorption] if overview.finance else []
        return answer(
            "finance.html",
            ask,
            ov=overview,
            widest=max([1.0, *(each for each in shares if each is not None)]),
        )

    @router.get("/mayor/districts")
    def districts(request: Request) -> HTMLResponse:
        ask = pages.ask(request)
        overview = pages.overview(ask, districts=request.query_params.get("kpi", ""))
        return answer(
            "districts.html",
            ask,
            ov=overview,
            groups=district_groups(overview.districts),
            standings=_STANDINGS,
        )

    @router.get("/mayor/ladder")
    def ladder(request: Request) -> HTMLResponse:
        ask = pages.ask(request)
        overview = pages.overview(ask)
        return answer("ladder.html", ask, ov=overview, stages=tuple(reversed(Stage)))

    @router.get("/mayor/milestones")
    def milestones(request: Request) -> HTMLResponse:
        ask = pages.ask(request)
        overview = pages.overview(ask)
        return answer("milestones.html", ask, ov=overview, states=MILESTONE_ORDER)

    @router.get("/mayor/overdue")
    def overdue(request: Request) -> HTMLResponse:
        ask = pages.ask(request)
        overview = pages.overview(ask)
        return answer("overdue.html", ask, ov=overview, owners=by_owner(overview.overdue))

    @router.get("/mayor/brief")
    def brief(request: Request) -> HTMLResponse:
        ask = pages.ask(request)
        briefs = pages.history.briefs.recent(ask.language, _BRIEFS)
        return answer("brief.html", ask, briefs=briefs)


_STANDINGS = {each.value: each for each in Standing}
#: What presses comes first.
MILESTONE_ORDER = (
    MilestoneState.LATE,
    MilestoneState.DUE_SOON,
    MilestoneState.ON_TIME,
    MilestoneState.UNDATED,
    MilestoneState.UNKNOWN,
    MilestoneState.DONE,
)


def _days(asked: str) -> int:
    """The days of a trend; what is not offered becomes the default."""
    return next((each for each in TREND_DAYS if str(each) == asked), _DEFAULT_DAYS)


@dataclass(frozen=True, slots=True)
class DimensionLine:
    """One indicator of a dimension; `share` is its part in the score, None where it has none."""

    line: KpiLine
    value: KpiValue
    share: float | None


@dataclass(frozen=True, slots=True)
class DimensionPage:
    """A dimension opened: those that count, the heaviest first, and those that do not."""

    now: RollUp
    spans: tuple[RollUp, ...]
    counting: tuple[DimensionLine, ...]
    grey: tuple[DimensionLine, ...]
    share: float | None


def dimension_page(city: City, overview: Overview, dimension_id: str) -> DimensionPage:
    """One dimension of an overview. `share` is its part in the city's score."""
    span = overview.span
    own = {
        name: overview.lines[name]
        for name, kpi in city.kpis.items()
        if kpi.dimension == dimension_id and name in overview.lines
    }
    shares = shares_of(
        [line.kpi for line in own.values()], lambda name: own[name].values[span].counts
    )
    lines = [DimensionLine(line, line.values[span], shares.get(name)) for name, line in own.items()]
    scored = {each.id for each in overview.dimensions if each.score is not None}
    parts = shares_of(city.dimensions.values(), lambda name: name in scored)
    return DimensionPage(
        now=_of(overview.scores[span], dimension_id),
        spans=tuple(_of(overview.scores[each], dimension_id) for each in Span),
        counting=tuple(
            sorted(
                (each for each in lines if each.value.counts),
                key=lambda each: (each.value.score or 0.0, each.line.kpi.id),
            )
        ),
        grey=tuple(each for each in lines if not each.value.counts),
        share=parts.get(dimension_id),
    )


def _of(rolled: tuple[RollUp, ...], dimension_id: str) -> RollUp:
    return next(each for each in rolled[1:] if each.id == dimension_id)


def district_groups(districts: Districts | None) -> Mapping[str, tuple[object, ...]]:
    """Rows that stand out, then those that do not differ, then those with too few records."""
    rows = districts.rows if districts else ()
    return {
        "apart": tuple(each for each in rows if each.standing in (Standing.WORSE, Standing.BETTER)),
        "same": tuple(each for each in rows if each.standing is Standing.SAME),
        "few": tuple(each for each in rows if each.standing is Standing.FEW),
    }


def by_owner(items: tuple[Overdue, ...]) -> list[tuple[str, list[Overdue]]]:
    """What is overdue by department, in the order in which the overview names them first."""
    found: dict[str, list[Overdue]] = {}
    for each in items:
        found.setdefault(each.owner, []).append(each)
    return list(found.items())
