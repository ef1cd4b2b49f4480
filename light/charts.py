"""The first page's charts, in one language. Each says in words what it shows."""

from __future__ import annotations

from functools import cached_property

from markupsafe import Markup

from lawang.city import City
from lawang.domain.kpi import Kpi, KpiValue
from lawang.overview.model import Absorption, Budget, Districts, KpiLine
from layouts.svg import (
    IntervalRow,
    Outline,
    bars,
    bullet,
    district_map,
    intervals,
    outline,
    sparkline,
)
from light.terms import Terms


class Charts:
    """Draws values; the numbers themselves stand beside every chart."""

    def __init__(self, city: City, terms: Terms) -> None:
        self._city = city
        self._fmt = terms

    def spark(self, line: KpiLine) -> Markup:
        """The recent course of an indicator; nothing where none is known."""
        known = [each for each in line.spark if each.value is not None]
        if len(known) < 2:
            return Markup("")
        kpi, say = line.kpi, self._fmt.say
        return sparkline(
            line.spark,
            direction=kpi.direction,
            green=kpi.green,
            amber=kpi.amber,
            title=say("course {days}", days=self._fmt.days(known[0].day, known[-1].day)),
        )

    def budget(self, budget: Budget, kpi: Kpi, width: int) -> Markup:
        """What came of the year's amount, what was to have come, and what will have.

        `width` is how wide it will be, in pixels of a phone: its height stays the same.
        """
        forecast, value = budget.forecast, budget.value
        return bullet(
            value.value,
            value.target,
            title=self._held(self._fmt.rupiah(value.value), self._fmt.rupiah(value.target)),
            direction=kpi.direction,
            green=kpi.green,
            amber=kpi.amber,
            year=budget.target_year,
            interval=(forecast.low, forecast.high) if forecast else None,
            width=width,
        )

    def closing(self, value: KpiValue, kpi: Kpi) -> Markup:
        """A share of reports, drawn to the whole so that shares can be compared."""
        fmt = self._fmt
        return bullet(
            value.value,
            value.target,
            title=self._held(fmt.figure(value.value, kpi), fmt.figure(value.target, kpi)),
            direction=kpi.direction,
            green=kpi.green,
            amber=kpi.amber,
            end=1.0,
            width=320,
        )

    def absorption(self, spent: Absorption) -> Markup:
        """The share that a department has spent, beside the share that the curve asks for."""
        fmt = self._fmt
        return bullet(
            spent.share,
            spent.due,
            title=self._held(fmt.percent(spent.share, 0), fmt.percent(spent.due, 0)),
            end=max(1.0, spent.share or 0.0),
            width=160,
            height=11,
        )

    def districts(self, districts: Districts, kpi: Kpi) -> Markup:
        """The map; what it shows is listed beside it."""
        fmt, say = self._fmt, self._fmt.say
        return district_map(
            self._outline,
            {
                each.code: each.standing.value if districts.judged else "plain"
                for each in districts.rows
            },
            titles={
                each.code: f"{each.name}: {fmt.figure(each.value.value, kpi)}"
                + (f", {fmt.standing(each.standing)}" if districts.judged else "")
                for each in districts.rows
            },
            title=say("{name} by kecamatan", name=fmt.name(kpi)),
        )

    def strips(self, districts: Districts, kpi: Kpi) -> dict[str, Markup]:
        """The interval of each kecamatan, or its amount as a bar, by its code; all on one scale."""
        rows = [
            IntervalRow(each.name, each.value.value, each.low, each.high, each.standing.value)
            for each in districts.rows
        ]
        city = districts.city.value
        if districts.judged:
            drawn = intervals(rows, city)
        else:
            drawn = bars(rows, city if kpi.unit == "%" else None)
        return {each.code: strip for each, strip in zip(districts.rows, drawn, strict=True)}

    def _held(self, value: str, target: str) -> str:
        say = self._fmt.say
        return say("{n} against {target}", n=value, target=target)

    @cached_property
    def _outline(self) -> Outline:
        return outline(self._city.kecamatan_geojson)
