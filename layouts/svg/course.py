"""A year's running total beside the curve it is to follow, and where it is likely to end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from markupsafe import Markup

from lawang.kpi.evaluate import TrendPoint
from layouts.svg.marks import Scale, Tell, TellDay, area, drawing, line, months, path, text, ticks

WIDTH, HEIGHT = 360.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 350.0, 8.0, 150.0


def course(
    points: Sequence[TrendPoint],
    *,
    curve: Sequence[tuple[date, float]],
    title: str,
    desc: str,
    tell: Tell,
    day: TellDay,
    forecast: tuple[float, float, float] | None = None,
    year: int,
) -> Markup:
    """`curve` is what was to be reached by a day, through the whole year; it is drawn dashed.

    `forecast` is (low, middle, high) of the total on 31 December: a wedge from the last point.
    The scale begins at nought.
    """
    known = [each for each in points if each.value is not None]
    values = [each.value for each in known if each.value is not None]
    highs = [*values, *(value for _, value in curve), *(forecast or ())]
    lows = min([0.0, *values])
    high = max([*highs, 0.0]) * 1.06 or 1.0
    first, last = date(year, 1, 1), date(year, 12, 31)
    across = Scale(first.toordinal(), last.toordinal(), _LEFT, _RIGHT)
    up = Scale(lows, high, _BOTTOM, _TOP)
    parts: list[Markup] = []
    for value in ticks(lows, high):
        y = up(value)
        parts.append(path("zero" if value == 0 else "grid", f"M{_LEFT:.0f} {y:.1f}H{_RIGHT:.0f}"))
        parts.append(text("axis", _LEFT - 4, y + 3, tell(value), "end"))
    for each in months(first, last, 6):
        x = across(each.toordinal())
        parts.append(path("grid", f"M{x:.1f} {_BOTTOM:.0f}v4"))
        parts.append(text("axis", x, _BOTTOM + 15, day(each), "start"))
    places = [(across(each.day.toordinal()), up(each.value or 0.0)) for each in known]
    if forecast is not None and places:
        start, end = places[-1], across(last.toordinal())
        low, middle, top = (up(each) for each in forecast)
        parts.append(path("wedge", area([start, (end, top)], [start, (end, low)])))
        parts.append(path("ahead", line([start, (end, middle)])))
        parts.append(path("whisker", f"M{end:.1f} {top:.1f}V{low:.1f}"))
    parts.append(path("target", line((across(at.toordinal()), up(value)) for at, value in curve)))
    if places:
        base = up(0.0)
        parts.append(path("fill", area(places, [(x, base) for x, _ in places])))
        parts.append(path("line", line(places)))
        x, y = places[-1]
        parts.append(
            Markup('<circle class="dot" cx="{}" cy="{}" r="3"/>').format(f"{x:.1f}", f"{y:.1f}")
        )
    return drawing("course", WIDTH, HEIGHT, title, parts, desc=desc)
