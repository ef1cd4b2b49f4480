"""A value with what chance leaves open about it, beside the city's: one row each, one scale.

Amounts, which nothing judges, are bars from nought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from layouts.svg.marks import Scale, drawing, extent, lamp_mark, path, rect

_WIDTH, _HEIGHT = 200.0, 18.0


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One row; `kind` (worse, better, same, few) decides its mark."""

    title: str
    value: float | None
    low: float | None
    high: float | None
    kind: str


def intervals(rows: Sequence[IntervalRow], city: float | None) -> list[Markup]:
    """A strip for each row: the interval as a bar, the value by its mark, the city's line."""
    edges = [edge for row in rows for edge in (row.low, row.high, row.value) if edge is not None]
    if city is not None:
        edges.append(city)
    low, high = extent(edges)
    if edges and min(edges) >= 0:
        low = max(0.0, low)
    across = Scale(low, high, 5, _WIDTH - 5)
    return [_strip(row, city, across) for row in rows]


def bars(rows: Sequence[IntervalRow], city: float | None = None) -> list[Markup]:
    """A bar from nought for each row, without interval or standing; the city's line where given."""
    values = [row.value for row in rows if row.value is not None]
    ends = [0.0, *values, *([] if city is None else [city])]
    across = Scale(min(ends), max(ends) or 1.0, 0, _WIDTH - 5)
    return [_bar(row, city, across) for row in rows]


def _bar(row: IntervalRow, city: float | None, across: Scale) -> Markup:
    zero = across(0.0)
    parts = [path("zero", f"M{zero:.1f} 2V{_HEIGHT - 2:.0f}")]
    if row.value is not None:
        end = across(row.value)
        parts.append(rect("bar-value", min(zero, end), 5, abs(end - zero), _HEIGHT - 10))
    if city is not None:
        parts.append(path("city-line", f"M{across(city):.1f} 0V{_HEIGHT:.0f}"))
    return drawing("interval", _WIDTH, _HEIGHT, row.title, parts, stretched=True)


#: Worse looks like a red light, better like a green one, the rest like a ring.
_SHAPES = {"worse": "red", "better": "amber", "same": "green", "few": "grey"}


def _strip(row: IntervalRow, city: float | None, across: Scale) -> Markup:
    middle = _HEIGHT / 2
    parts = [path("grid", f"M0 {middle:.0f}H{_WIDTH:.0f}")]
    if city is not None:
        parts.append(path("city-line", f"M{across(city):.1f} 0V{_HEIGHT:.0f}"))
    if row.low is not None and row.high is not None:
        x = across(row.low)
        parts.append(rect(f"range {row.kind}", x, middle - 2.5, max(1, across(row.high) - x), 5))
    if row.value is not None:
        mark = lamp_mark(_SHAPES[row.kind], across(row.value), middle, 4)
        parts.append(path(f"point {row.kind}", mark))
    return drawing("interval", _WIDTH, _HEIGHT, row.title, parts)
