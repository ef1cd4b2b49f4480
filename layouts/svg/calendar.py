"""A year of days: weeks from left to right, Monday on top, each day by its light."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from lawang.domain.kpi import Light
from layouts.svg.marks import TellDay, drawing, lamp_mark, path, text

_LEFT, _CELL, _ROOM, _HEAD = 22.0, 12.0, 10.4, 13.0
_WEEKS = 27


@dataclass(frozen=True, slots=True)
class DayMark:
    """One known day and its light."""

    day: date
    light: Light


def calendar(
    days: Sequence[DayMark],
    *,
    first: date,
    last: date,
    title: str,
    desc: str,
    month: TellDay,
    weekdays: Mapping[int, str],
) -> Markup:
    """Weeks in rows of half a year, so that a day is as large on a phone as a pen stroke.

    Green is a plain box, amber one with a diamond, red one with a triangle, a day without a target
    one with a point; a day that is missing is an empty frame. `weekdays` names some rows
    (0 is Monday).
    """
    monday = first - timedelta(days=first.weekday())
    weeks = (last - monday).days // 7 + 1
    rows = -(-weeks // _WEEKS)
    block = _HEAD + 7 * _CELL + 6
    boxes: dict[str, list[str]] = defaultdict(list)
    shapes: dict[str, list[str]] = defaultdict(list)
    known = {each.day: each.light.value for each in days}
    parts: list[Markup] = []
    for row in range(rows):
        for weekday, name in weekdays.items():
            parts.append(text("axis", 0, row * block + _HEAD + weekday * _CELL + 9, name))
    named = -3
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        week = (day - monday).days // 7
        row, column = divmod(week, _WEEKS)
        x, y = _LEFT + column * _CELL, row * block + _HEAD + day.weekday() * _CELL
        light = known.get(day, "missing")
        boxes[light].append(f"M{x:.0f} {y:.0f}h{_ROOM:.1f}v{_ROOM:.1f}h-{_ROOM:.1f}Z")
        if light in ("red", "amber", "grey"):
            size = 3.2 if light != "grey" else 1.2
            middle = _ROOM / 2
            shapes[light].append(lamp_mark(light, x + middle, y + middle, size))
        if day.day == 1 and week - named >= 3:
            parts.append(text("axis", x, row * block + 10, month(day)))
            named = week
    parts += [path(f"box {light}", "".join(each)) for light, each in sorted(boxes.items())]
    parts += [path(f"sign {light}", "".join(each)) for light, each in sorted(shapes.items())]
    width = _LEFT + min(weeks, _WEEKS) * _CELL
    return drawing("calendar", max(width, 200.0), rows * block, title, parts, desc=desc)
