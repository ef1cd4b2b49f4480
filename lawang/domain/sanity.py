"""Judges a reading by its own series: whether it can be believed before anybody looked. Pure.

The traps are real ones: a publication that prints juta as miliar, a cumulative total that falls
from one month to the next, a gauge that answers with the year 2062.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from lawang.domain.finding import FindingKind, NewFinding
from lawang.domain.measure import Measure, MeasureKind, Reading, span

#: How many accepted values of a series are remembered, and how many make a habit.
REMEMBERED = 24
_HABIT = 3

Past = Sequence[tuple[datetime, float]]


def judge(reading: Reading, measure: Measure, past: Past, zone: ZoneInfo) -> NewFinding | None:
    """What is wrong with `reading`, or None.

    `past` are accepted (at, value) pairs of the series before it, oldest first (or, where nothing
    was before it, those after it); without enough of them nothing can be called unusual.
    """
    least, greatest = measure.expected
    if (least is not None and reading.value < least) or (
        greatest is not None and reading.value > greatest
    ):
        return _finding(
            FindingKind.OUT_OF_RANGE,
            reading,
            f"{reading.value:g} {measure.unit} is outside {_range(measure)}".replace("  ", " "),
        )
    if measure.kind is MeasureKind.CUMULATIVE:
        return _judge_cumulative(reading, measure, past, zone)
    return _judge_size(reading, measure, past)


def _judge_cumulative(
    reading: Reading, measure: Measure, past: Past, zone: ZoneInfo
) -> NewFinding | None:
    # One that comes late is not falling below those that were told of later times.
    same = [
        value for at, value in past if at < reading.at and _same_run(at, reading.at, measure, zone)
    ]
    if same and reading.value < same[-1] - 1e-9 * abs(same[-1]):
        return _finding(
            FindingKind.FALLING,
            reading,
            f"a cumulative value fell from {same[-1]:g} to {reading.value:g}",
            same[-1],
        )
    if measure.jump is None:
        return None
    # A new year begins near nothing, so a leap within it says little until it has some past; but
    # nothing outgrows the greatest total ever seen by that factor.
    highest = max((abs(value) for _, value in past), default=0.0)
    if len(past) >= _HABIT and highest > 0 and reading.value >= measure.jump * highest:
        return _magnitude(reading, highest)
    if len(same) >= _HABIT and same[-1] > 0 and reading.value >= measure.jump * same[-1]:
        return _magnitude(reading, same[-1])
    return None


def _same_run(at: datetime, other: datetime, measure: Measure, zone: ZoneInfo) -> bool:
    """Whether no reset lies between two moments."""
    if measure.resets is None:
        return True
    return span(at, measure.resets, zone)[0] == span(other, measure.resets, zone)[0]


def _judge_size(reading: Reading, measure: Measure, past: Past) -> NewFinding | None:
    sizes = [abs(value) for _, value in past if value != 0]
    if measure.jump is None or len(sizes) < _HABIT or reading.value == 0:
        return None
    usual = median(sizes)
    ratio = abs(reading.value) / usual
    if 1 / measure.jump < ratio < measure.jump:
        return None
    return _magnitude(reading, usual)


def _magnitude(reading: Reading, usual: float) -> NewFinding:
    ratio = abs(reading.value) / usual
    times = f"{ratio:.0f} times" if ratio >= 1 else f"one part in {1 / ratio:.0f} of"
    return _finding(
        FindingKind.MAGNITUDE,
        reading,
        f"{reading.value:g} is {times} what the series usually holds ({usual:g})",
        usual,
    )


def _range(measure: Measure) -> str:
    least, greatest = measure.expected
    low = "-∞" if least is None else f"{least:g}"
    high = "∞" if greatest is None else f"{greatest:g}"
    return f"the expected range {low} to {high}"


def _finding(
    kind: FindingKind, reading: Reading, detail: str, usual: float | None = None
) -> NewFinding:
    return NewFinding(
        kind=kind,
        measure=reading.measure,
        subject=reading.subject,
        detail=detail,
        at=reading.at,
        value=reading.value,
        usual=usual,
    )


def future(reading: Reading) -> NewFinding:
    """The finding of a reading about a time that has not come."""
    detail = f"about {reading.at.isoformat()}, read at {reading.fetched_at.isoformat()}"
    return _finding(FindingKind.FUTURE, reading, detail)
