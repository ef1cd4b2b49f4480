"""The scenes of the wall that are made of the overview, as plain values ready for JSON.

Names are the pack's own, in both languages. Days are local days of the city, instants UTC, amounts
in the indicator's unit, shares from 0 to 1. What is not known is left out. Each panel has `sources`
(those it is made of), `at` (when it was worked out) and `last` (the last complete day); a section
that the city's `mayor.toml` does not have is left out.

An entry of an indicator, the light being the one of the mayor's page: name_id, name_en, unit,
unit_en? (where it is another), value?, target? (what the value is held to), score?, light, higher
(more is better), cohort? (of a share: of how many records, or of how many things that a department
counts), span, last, observed_at?, change? (of the value since the equal horizon before, in its own
unit), spark (values, oldest first, at most 30, missing days left out), simulated, simulated_target?
(only where it is true), why_grey? (no_data, stale, few, no_target).

==========  =====================================================================================
services    promises: [{id, entry}]; claimed, verified?, reopened: {id, entry}; unverifiable:
            sources that never say whether a closing was verified; licences: [{status, n, late}]
            of open applications, in the order of their way
finance     revenue, spending, own_revenue: {id, entry over the year, course: [[day, running
            total, what is due]] (at most 60), forecast?: {value, low, high, level, target?,
            until}}; items: [the same without a course]; absorption: [{key, name,
            opd?, spent, budget, share?, due?, observed_at}], the lowest share first; cash?:
            {value, observed_at, stale}; silpa?: {value, until}
health      entries: {id: entry}, in the order of the pack
==========  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lawang.city import City
from lawang.domain.kpi import Direction, Kpi, Span
from lawang.domain.service import RequestStatus
from lawang.overview.links import source_names
from lawang.overview.model import Absorption, Budget, Finance, KpiLine, Overview, Services

#: Points of a spark; a wall draws no more of them.
SPARK = 30
#: Decimals by the size of a value: (below, decimals); what is larger has none.
_DECIMALS = ((100.0, 6), (1e6, 2))

Panel = dict[str, Any]


def services_panel(city: City, overview: Overview, now: datetime) -> Panel:
    """Whether promises are kept, what is verified, where applications stand."""
    section = overview.services
    if section is None:
        return frame(overview, now, ())
    names = [section.claimed, section.verified, section.reopened]
    kpis = [city.kpis[name] for name in (*section.promises, *names) if name in city.kpis]
    programme = city.programme.services
    licences = programme.licences if programme is not None else ()
    panel = frame(overview, now, (*sources_of_all(kpis, city), *licences))
    panel["promises"] = [
        entry_of(overview.lines[name]) for name in section.promises if name in overview.lines
    ]
    for key, name in zip(("claimed", "verified", "reopened"), names, strict=True):
        if name in overview.lines:
            panel[key] = entry_of(overview.lines[name])
    panel["unverifiable"] = list(section.unverifiable)
    panel["licences"] = _stages(section)
    return panel


def _stages(section: Services) -> list[Panel]:
    """Open applications by stage, all sources together."""
    found: dict[str, Panel] = {}
    for each in section.licences:
        stage = found.setdefault(each.status, {"status": each.status, "n": 0, "late": 0})
        stage["n"] += each.count
        stage["late"] += each.past_promise
    return [found[each.value] for each in RequestStatus if each.value in found]


def finance_panel(city: City, overview: Overview, now: datetime) -> Panel:
    """Revenue and spending beside their curves, and where they lead."""
    section, programme = overview.finance, city.programme.finance
    if section is None or programme is None:
        return frame(overview, now, ())
    budgets = (section.revenue, section.spending, section.own_revenue, *section.items)
    measures = (programme.spent, programme.budget, programme.cash, programme.financing)
    panel = frame(
        overview,
        now,
        (
            *sources_of_all((city.kpis[each.kpi] for each in budgets), city),
            *(each.source for each in measures if each is not None),
        ),
    )
    for key in ("revenue", "spending", "own_revenue"):
        budget: Budget = getattr(section, key)
        panel[key] = {**_budget(budget, overview), "course": _course(budget)}
    panel["items"] = [_budget(each, overview) for each in section.items]
    panel["absorption"] = [_absorbed(each) for each in section.absorption]
    return panel | _balances(section)


def _budget(budget: Budget, overview: Overview) -> Panel:
    told = entry_of(overview.lines[budget.kpi], Span.YEAR)
    if budget.forecast is not None:
        ahead = budget.forecast
        told["forecast"] = known(
            value=rounded(ahead.value),
            low=rounded(ahead.low),
            high=rounded(ahead.high),
            level=ahead.level,
            target=None if ahead.target is None else rounded(ahead.target),
            until=ahead.until.isoformat(),
        )
    return told


def _course(budget: Budget) -> list[list[str | float | None]]:
    return [
        [
            point.day.isoformat(),
            None if point.value is None else rounded(point.value),
            None if point.target is None else rounded(point.target),
        ]
        for point in budget.course
    ]


def _absorbed(each: Absorption) -> Panel:
    return known(
        key=each.key,
        name=each.name,
        opd=each.opd or None,
        spent=rounded(each.spent),
        budget=rounded(each.budget),
        share=None if each.share is None else rounded(each.share),
        due=None if each.due is None else rounded(each.due),
        observed_at=each.observed_at.isoformat(),
    )


def _balances(section: Finance) -> Panel:
    told: Panel = {}
    if section.cash is not None:
        told["cash"] = {
            "value": rounded(section.cash.value),
            "observed_at": section.cash.observed_at.isoformat(),
            "stale": section.cash.stale,
        }
    if section.silpa is not None:
        told["silpa"] = {
            "value": rounded(section.silpa.value),
            "until": section.silpa.until.isoformat(),
        }
    return told


def health_panel(city: City, overview: Overview, now: datetime) -> Panel:
    """The indicators about health."""
    names = [name for name in city.programme.health if name in overview.lines]
    panel = frame(overview, now, sources_of_all((city.kpis[name] for name in names), city))
    if names:
        panel["entries"] = {name: entry_of(overview.lines[name]) for name in names}
    return panel


# --- entries ---------------------------------------------------------------------------------


def entry_of(line: KpiLine, span: Span = Span.MONTH) -> Panel:
    """One indicator over one horizon."""
    kpi, value, before = line.kpi, line.values[span], line.before[span]
    change = None
    if value.value is not None and before.value is not None:
        change = rounded(value.value - before.value)
    return known(
        id=kpi.id,
        **named(kpi),
        value=None if value.value is None else rounded(value.value),
        target=None if value.target is None else rounded(value.target),
        score=None if value.score is None else rounded(value.score),
        light=value.light.value,
        higher=kpi.direction is Direction.UP,
        cohort=line.cohort(span),
        span=span.value,
        last=value.horizon.last.isoformat(),
        observed_at=None if value.observed_at is None else value.observed_at.isoformat(),
        change=change,
        spark=[rounded(each.value) for each in line.spark if each.value is not None][-SPARK:],
        simulated=line.simulated,
        simulated_target=kpi.simulated_target or None,
        why_grey=None if value.grey is None else value.grey.value,
    )


def named(kpi: Kpi) -> Panel:
    """The name of an indicator and its unit, in both languages."""
    return known(
        name_id=kpi.name_id,
        name_en=kpi.name_en,
        unit=kpi.unit,
        unit_en=kpi.unit_en or None,
    )


def frame(overview: Overview, now: datetime, sources: Iterable[str]) -> Panel:
    """What every panel of the overview says of itself."""
    return {
        "sources": sorted(set(sources)),
        "at": now.isoformat(),
        "last": overview.last.isoformat(),
    }


def sources_of_all(kpis: Iterable[Kpi], city: City) -> tuple[str, ...]:
    """The sources behind some indicators."""
    return tuple(name for kpi in kpis for name in source_names(kpi, city))


def known(**values: object) -> Panel:
    """What is known of some values: those that are None are left out."""
    return {name: value for name, value in values.items() if value is not None}


def rounded(value: float) -> float:
    """As exact as anybody is shown it, so that a last digit is nothing new; nought has one sign."""
    decimals = next((number for below, number in _DECIMALS if abs(value) < below), 0)
    return round(value, decimals) + 0.0
