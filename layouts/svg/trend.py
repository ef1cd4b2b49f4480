"""An indicator day by day, beside its target, with what is not known drawn as not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from lawang.domain.kpi import Direction, Light
from lawang.kpi.evaluate import TrendPoint
from layouts.svg.bands import thresholds
from layouts.svg.marks import (
    Point,
    Scale,
    Tell,
    TellDay,
    area,
    drawing,
    extent,
    hatch,
    hatched,
    lamp_mark,
    line,
    months,
    path,
    rect,
    runs,
    text,
    ticks,
)

WIDTH, HEIGHT = 360.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 354.0, 16.0, 150.0
#: The width of a bold digit of a label.
_DIGIT = 7.0


@dataclass(frozen=True, slots=True)
class Note:
    """A numbered note at some days; its text is listed under the chart."""

    number: int
    first: date
    last: date


def trend(
    points: Sequence[TrendPoint],
    *,
    first: date,
    last: date,
    direction: Direction,
    green: float,
    amber: float,
    title: str,
    desc: str,
    tell: Tell,
    day: TellDay,
    gaps: Sequence[tuple[date, date]] = (),
    outages: Sequence[tuple[date, date]] = (),
    notes: Sequence[Note] = (),
    light: Light = Light.GREY,
    zero: bool = False,
    key: str = "trend",
) -> Markup:
    """The days from `first` to `last`. Gaps and outages are hatched, outages with a bar below.

    `zero` begins the scale at nought, for amounts and counts. `key` names the pattern of this
    chart, once in a page.
    """
    limits = [thresholds(each.target, direction, green, amber) for each in points]
    values = [each.value for each in points if each.value is not None]
    targets = [each.target for each in points if each.target is not None]
    low, high = extent([*values, *targets], zero=zero)
    begin, end = first.toordinal(), max(last.toordinal(), first.toordinal() + 1)
    across = Scale(begin, end, _LEFT, _RIGHT)
    up = Scale(low, high, _BOTTOM, _TOP)
    edge = _TOP if direction is Direction.UP else _BOTTOM
    ambers: list[Point] = []
    greens: list[Point] = []
    aims: list[Point] = []
    for point, pair in zip(points, limits, strict=True):
        x = across(point.day.toordinal())
        if pair is not None:
            ambers.append((x, up(pair[0])))
            greens.append((x, up(pair[1])))
        if point.target is not None:
            aims.append((x, up(point.target)))
    half = (_RIGHT - _LEFT) / (end - begin) / 2
    parts = [
        hatch(key),
        path("band-amber", area(ambers, greens)),
        path("band-green", area(greens, [(x, edge) for x, _ in greens])),
        *_grid(low, high, up, tell),
        *_months(first, last, across, day),
        *(_days_hatched(key, each, across, half) for each in (*gaps, *outages)),
        *(
            rect("outage", x, _BOTTOM - 1, max(2.0, across(until.toordinal()) + half - x), 4)
            for since, until in outages
            for x in (across(since.toordinal()) - half,)
        ),
        path("target", line(aims)),
    ]
    drawn: list[str] = []
    for run in runs(points):
        places = [(across(each.day.toordinal()), up(each.value or 0.0)) for each in run]
        if len(places) == 1:
            drawn.append(lamp_mark("green", *places[0], 1.2))
        else:
            drawn.append(line(places))
    parts.append(path("line", "".join(drawn)))
    known = [each for each in points if each.value is not None]
    if known:
        newest = known[-1]
        x, y = across(newest.day.toordinal()), up(newest.value or 0.0)
        parts.append(path(f"mark {light.value}", lamp_mark(light.value, x, y, 4)))
    for note in notes:
        x = across(note.first.toordinal())
        reach = across(note.last.toordinal()) - x
        parts.append(rect("note-span", x, _TOP, reach, _BOTTOM - _TOP))
        parts.append(path("note", f"M{x:.1f} {_TOP:.1f}V{_BOTTOM:.1f}"))
    parts += _numbers(notes, across)
    return drawing("trend", WIDTH, HEIGHT, title, parts, desc=desc)


def _numbers(notes: Sequence[Note], across: Scale) -> list[Markup]:
    """The numbers above the notes; those that would lie upon each other become one: 9–12."""
    groups: list[list[Note]] = []
    for note in notes:
        if groups and across(note.first.toordinal()) - _place(groups[-1], across) < _room(
            groups[-1], note
        ):
            groups[-1].append(note)
        else:
            groups.append([note])
    return [
        text("note-number", _place(group, across), _TOP - 4, _told(group), "middle")
        for group in groups
    ]


def _place(group: Sequence[Note], across: Scale) -> float:
    return (across(group[0].first.toordinal()) + across(group[-1].first.toordinal())) / 2


def _told(group: Sequence[Note]) -> str:
    first, last = group[0].number, group[-1].number
    return str(first) if first == last else f"{first}–{last}"


def _room(group: Sequence[Note], note: Note) -> float:
    """How far from the middle of a group the next number must stand, in units of the drawing."""
    return (len(_told(group)) + len(str(note.number))) * _DIGIT / 2 + 3


def _grid(low: float, high: float, up: Scale, tell: Tell) -> list[Markup]:
    found: list[Markup] = []
    for value in ticks(low, high):
        y = up(value)
        found.append(path("zero" if value == 0 else "grid", f"M{_LEFT:.0f} {y:.1f}H{_RIGHT:.0f}"))
        found.append(text("axis", _LEFT - 4, y + 3, tell(value), "end"))
    return found


def _months(first: date, last: date, across: Scale, day: TellDay) -> list[Markup]:
    found: list[Markup] = []
    named = months(first, last)
    if not named:
        named = [first, last]
    for place, each in enumerate(named):
        x = across(each.toordinal())
        found.append(path("grid", f"M{x:.1f} {_BOTTOM:.0f}v4"))
        anchor = "end" if place and x > _RIGHT - 24 else "middle" if x > _LEFT + 12 else "start"
        found.append(text("axis", x, _BOTTOM + 15, day(each), anchor))
    return found


def _days_hatched(key: str, days: tuple[date, date], across: Scale, half: float) -> Markup:
    x = max(_LEFT, across(days[0].toordinal()) - half)
    reach = min(_RIGHT, across(days[1].toordinal()) + half) - x
    return hatched(key, x, _TOP, reach, _BOTTOM - _TOP)
