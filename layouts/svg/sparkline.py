"""A word-sized course: the line with its gaps, the amber band, the last point by its shape."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from lawang.domain.kpi import Direction, Light, light_of, score_of
from lawang.kpi.evaluate import TrendPoint
from layouts.svg.bands import thresholds
from layouts.svg.marks import Point, Scale, area, drawing, extent, lamp_mark, line, path, runs


def sparkline(
    points: Sequence[TrendPoint],
    *,
    direction: Direction,
    green: float,
    amber: float,
    title: str,
    width: float = 88,
    height: float = 26,
    light: Light | None = None,
) -> Markup:
    """The course of an indicator. `light` is that of the last mark; else worked out from it.

    The bands are shaded from amber to green and from green on, in the indicator's direction.
    """
    known = [each for each in points if each.value is not None]
    if not known:
        return Markup("")
    limits = [thresholds(each.target, direction, green, amber) for each in known]
    values = [each.value for each in known if each.value is not None]
    low, high = extent([*values, *(value for pair in limits if pair for value in pair)])
    across = Scale(known[0].day.toordinal(), known[-1].day.toordinal(), 1, width - 4.5)
    up = Scale(low, high, height - 2, 2)
    good_edge = 0.0 if direction is Direction.UP else height
    ambers: list[Point] = []
    greens: list[Point] = []
    for point, pair in zip(known, limits, strict=True):
        if pair:
            x = across(point.day.toordinal())
            ambers.append((x, up(pair[0])))
            greens.append((x, up(pair[1])))
    parts = [
        path("band-amber", area(_thin(ambers), _thin(greens))),
        path("band-green", area(_thin(greens), [(x, good_edge) for x, _ in _thin(greens)])),
        path(
            "line",
            "".join(
                line((across(each.day.toordinal()), up(each.value or 0.0)) for each in run)
                for run in runs(known)
            ),
        ),
    ]
    last = known[-1]
    if light is None and last.value is not None and last.target is not None:
        light = light_of(score_of(direction, last.value, last.target), green, amber)
    shown = (light or Light.GREY).value
    x, y = across(last.day.toordinal()), up(last.value or 0.0)
    parts.append(path(f"mark {shown}", lamp_mark(shown, x, y, 2.6)))
    return drawing("spark", width, height, title, parts)


def _thin(points: Sequence[Point]) -> list[Point]:
    """Without points between two of the same height."""
    return [
        each
        for place, each in enumerate(points)
        if not (
            0 < place < len(points) - 1 and points[place - 1][1] == each[1] == points[place + 1][1]
        )
    ]
