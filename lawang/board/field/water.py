"""The panels `water` and `rain`: each gauge, the marks of the city's rules, and its last hours.

A gauge that fell silent keeps its last value with the time of it; what is told of its hour is of
the hour before that time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from lawang.board.field.course import Course
from lawang.board.field.facts import FieldFacts, Panel, Plain, known, moment, point
from lawang.city import City
from lawang.domain.alarm import SEVERITIES_WORST_FIRST
from lawang.domain.programme import MeasureRef
from lawang.domain.rule import OfSeries, Rate, Rule, Threshold

_HOUR_S = 3600.0
_SPARK_POINTS = 24
_QUARTER_S, _TEN_S = 900, 600
#: An hour of which fewer seconds are known is told with how many minutes it has.
_NEARLY_AN_HOUR_S = 3300.0

_Told = Callable[[Plain, Course], Panel]
#: A rule, the series that it is about, and the value above which it holds.
Mark = tuple[Rule, OfSeries, float]


def water(facts: FieldFacts, now: datetime) -> Panel:
    ref = facts.city.field_tables.water
    if ref is None:
        return {"sources": []}

    def tell(reading: Plain, course: Course) -> Panel:
        at = moment(reading["at"]).timestamp()
        rise = course.rise(at)
        return known(
            v=reading["value"],
            rise=None if rise is None else round(rise, 2),
            spark=levels(course, now) or None,
        )

    return _gauges(facts, ref, "water", marks_of(facts.city, ref), tell)


def rain(facts: FieldFacts, now: datetime) -> Panel:
    ref = facts.city.field_tables.rain
    if ref is None:
        return {"sources": []}
    zone = facts.city.timezone

    def tell(reading: Plain, course: Course) -> Panel:
        at = moment(reading["at"])
        hour = course.amount(at.timestamp() - _HOUR_S, at.timestamp())
        is_today = at.astimezone(zone).date() == now.astimezone(zone).date()
        told = known(day=reading["value"] if is_today else None)
        if hour is not None:
            told["v"] = round(hour[0], 2)
            if hour[1] < _NEARLY_AN_HOUR_S:
                told["minutes"] = round(hour[1] / 60)
        return told | known(spark=amounts(course, now) or None)

    return _gauges(facts, ref, "rain", hour_marks_of(facts.city, ref), tell)


def _gauges(
    facts: FieldFacts,
    ref: MeasureRef,
    panel: str,
    marks: list[Mark],
    tell: _Told,
) -> Panel:
    measure = facts.city.sources[ref.source].measures[ref.measure]
    readings = facts.readings_of(ref)
    places = {each["external_id"]: each for _id, each in facts.positions_of((ref.source,))}
    courses: Mapping[str, Course] = facts.courses.get((ref.source, ref.measure), {})
    gauges: dict[str, Panel] = {}
    for subject in sorted({*readings, *places}):
        reading, place = readings.get(subject), places.get(subject)
        told = known(
            n=(reading or {}).get("subject_name") or (place or {}).get("name") or subject,
            p=point(place, reading),
            k=(place or {}).get("kecamatan") or (reading or {}).get("kecamatan"),
            s=(place or {}).get("status"),
        )
        if reading is not None:
            told["at"] = reading["at"]
            told |= tell(reading, courses.get(subject) or Course())
        elif place is not None:
            told["at"] = place["observed_at"]
        if (value := told.get("v")) is not None:
            passed = [
                rule.id for rule, series, over in marks if series.takes(subject) and value > over
            ]
            told |= known(mark=passed[-1] if passed else None)
        gauges[subject] = told
    return {
        "sources": facts.lists[panel],
        "measure": {
            "name_id": measure.name_id,
            "name_en": measure.name_en,
            "unit": measure.unit,
        },
        "marks": [
            {
                "rule": rule.id,
                "severity": rule.severity.value,
                "over": over,
                "name_id": rule.name_id,
                "name_en": rule.name_en,
            }
            for rule, _series, over in marks
        ],
        "gauges": gauges,
        "unlocated": sum("p" not in each for each in gauges.values()),
    }


def marks_of(city: City, ref: MeasureRef) -> list[Mark]:
    """The city's threshold rules on a measure that look upwards, the lowest first."""
    return _ordered(
        (rule, rule.condition.series, rule.condition.over)
        for rule in city.rules.values()
        if isinstance(rule.condition, Threshold) and rule.condition.over is not None
        if _is_about(rule.condition.series, ref)
    )


def hour_marks_of(city: City, ref: MeasureRef) -> list[Mark]:
    """The city's rules on how much of a running total may come within an hour."""
    return _ordered(
        (rule, rule.condition.series, rule.condition.rises)
        for rule in city.rules.values()
        if isinstance(rule.condition, Rate) and rule.condition.rises is not None
        if rule.condition.adds_up and rule.condition.within_s == _HOUR_S
        if _is_about(rule.condition.series, ref)
    )


def _is_about(series: OfSeries, ref: MeasureRef) -> bool:
    return (series.source, series.measure) == (ref.source, ref.measure)


def _ordered(marks: Iterable[Mark]) -> list[Mark]:
    def height(mark: Mark) -> tuple[float, int]:
        return mark[2], -SEVERITIES_WORST_FIRST.index(mark[0].severity)

    return sorted(marks, key=height)


def levels(course: Course, now: datetime) -> list[list[float]]:
    """[minutes before now, value] at each quarter of an hour of the last six, oldest first.

    A quarter in which nothing was said has no point. What came since is not in it.
    """
    return _spark(now, _QUARTER_S, lambda end: course.value_at(end, _QUARTER_S))


def amounts(course: Course, now: datetime) -> list[list[float]]:
    """[minutes before now, amount] of each ten minutes of the last four hours, oldest first."""

    def fallen(end: float) -> float | None:
        found = course.amount(end - _TEN_S, end, slack_s=_TEN_S)
        return None if found is None else round(found[0], 2)

    return _spark(now, _TEN_S, fallen)


def _spark(
    now: datetime, step_s: int, value_at: Callable[[float], float | None]
) -> list[list[float]]:
    # Steps of the clock: values stay what they are while time goes by, and minutes alone move.
    second = now.timestamp()
    last = second // step_s * step_s
    points: list[list[float]] = []
    for back in range(_SPARK_POINTS - 1, -1, -1):
        end = last - back * step_s
        value = value_at(end)
        if value is not None:
            points.append([int((second - end) // 300) * 5, value])
    return points
