"""The same small chart for each region, all on one scale, with the city's line behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from lawang.kpi.evaluate import TrendPoint
from layouts.svg.marks import Scale, drawing, extent, lamp_mark, line, path, runs

_WIDTH, _HEIGHT = 110.0, 44.0


def multiples(
    series: Mapping[str, Sequence[TrendPoint]],
    city: Sequence[TrendPoint],
    *,
    titles: Mapping[str, str],
    zero: bool = False,
) -> dict[str, Markup]:
    """A chart for each key of `series`; one without any value is empty and says so by its title."""
    every = [*city, *(point for points in series.values() for point in points)]
    known = [each for each in every if each.value is not None]
    if not known:
        return {key: drawing("multiple", _WIDTH, _HEIGHT, titles[key], ()) for key in series}
    low, high = extent([each.value for each in known if each.value is not None], zero=zero)
    first = min(each.day for each in known).toordinal()
    last = max(each.day for each in known).toordinal()
    across = Scale(first, max(last, first + 1), 2, _WIDTH - 4)
    up = Scale(low, high, _HEIGHT - 3, 3)

    def drawn(points: Sequence[TrendPoint]) -> str:
        found: list[str] = []
        for run in runs(points):
            places = [(across(each.day.toordinal()), up(each.value or 0.0)) for each in run]
            found.append(line(places) if len(places) > 1 else lamp_mark("green", *places[0], 1.0))
        return "".join(found)

    floor = path("zero", f"M0 {_HEIGHT - 1:.0f}H{_WIDTH:.0f}")
    behind = path("behind", drawn(city))
    return {
        key: drawing(
            "multiple", _WIDTH, _HEIGHT, titles[key],
            (floor, behind, path("line", drawn(points))),
        )
        for key, points in series.items()
    }  # fmt: skip
