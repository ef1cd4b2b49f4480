"""One value beside what it is held to: a bar from nought, a tick, bands behind it."""

from __future__ import annotations

from markupsafe import Markup

from lawang.domain.kpi import Direction
from layouts.svg.bands import thresholds
from layouts.svg.marks import Scale, drawing, path, rect


def bullet(
    value: float | None,
    target: float | None,
    *,
    title: str,
    direction: Direction = Direction.UP,
    green: float = 1.0,
    amber: float = 0.9,
    year: float | None = None,
    interval: tuple[float, float] | None = None,
    end: float | None = None,
    width: float = 200,
    height: float = 14,
) -> Markup:
    """A bar of `value` with a tick at `target`, what should be there by now.

    `year` is the whole year's amount, a mark at the end; `interval` what is forecast. `end` is the
    value at the right edge, for bars that are to be compared; else what the figures need.
    """
    ends = [each for each in (value, target, year, *(interval or ())) if each is not None]
    whole = end if end is not None else max([*ends, 0.0]) * (1.0 if year else 1.15) or 1.0
    across = Scale(0.0, whole, 0.0, width)
    middle = height / 2
    parts = [rect("ground", 0, 2, width, height - 4)]
    limits = thresholds(target, direction, green, amber)
    if limits is not None:
        one, other = across(limits[0]), across(limits[1])
        parts.append(rect("band-amber", min(one, other), 2, abs(other - one), height - 4))
        if direction is Direction.UP:
            parts.append(rect("band-green", other, 2, width - other, height - 4))
        else:
            parts.append(rect("band-green", 0, 2, other, height - 4))
    if value is not None:
        parts.append(rect("bar-value", 0, middle - 2.2, max(0.6, across(value)), 4.4))
    if interval is not None:
        low, high = across(interval[0]), across(interval[1])
        span = f"M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} 4V{height - 4:.1f}"
        parts.append(path("whisker", f"{span}M{high:.1f} 4V{height - 4:.1f}"))
    if year is not None:
        parts.append(rect("bar-end", max(0.0, across(year) - 1), 1, 1, height - 2))
    if target is not None:
        parts.append(
            rect("bar-tick", min(width - 1.6, max(0.0, across(target) - 0.8)), 0, 1.6, height)
        )
    return drawing("bullet", width, height, title, parts, stretched=True)
