"""What all charts are drawn with: scales, paths, and an element that says what it shows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median_low

from markupsafe import Markup

from lawang.kpi.evaluate import TrendPoint

#: How a value or a day is said in the page's language.
Tell = Callable[[float], str]
TellDay = Callable[[date], str]
#: A point of a chart, in its own units, y downwards.
Point = tuple[float, float]

_SVG = Markup(
    '<svg class="chart {kind}" viewBox="0 0 {width} {height}" role="img"{fit}>'
    "<title>{title}</title>{desc}{parts}</svg>"
)
_DESC = Markup("<desc>{}</desc>")
_RECT = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
_PATH = Markup('<path class="{}" d="{}"/>')
_TEXT = Markup('<text class="{}" x="{}" y="{}"{}>{}</text>')
_HATCH = Markup(
    '<defs><pattern id="{0}" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="hatch" d="M0 0V5"/></pattern></defs>'
)
_HATCHED = Markup('<rect fill="url(#{})" x="{}" y="{}" width="{}" height="{}"/>')
_ANCHORS = {
    "start": Markup(""),
    "middle": Markup(' text-anchor="middle"'),
    "end": Markup(' text-anchor="end"'),
}


def drawing(
    kind: str,
    width: float,
    height: float,
    title: str,
    parts: Iterable[Markup],
    *,
    desc: str = "",
    stretched: bool = False,
) -> Markup:
    """A whole chart. `desc` states the finding; `stretched` fills its box whatever its shape."""
    return _SVG.format(
        kind=kind,
        width=short(width),
        height=short(height),
        title=title,
        desc=_DESC.format(desc) if desc else "",
        parts=Markup("").join(parts),
        fit=Markup(' preserveAspectRatio="none"') if stretched else "",
    )


def short(value: float) -> str:
    """A coordinate with one decimal at most."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    """A box; none where it has no extent."""
    if width <= 0 or height <= 0:
        return Markup("")
    return _RECT.format(kind, short(x), short(y), short(width), short(height))


def path(kind: str, lines: str) -> Markup:
    """A path of our own coordinates; none where it is empty."""
    return _PATH.format(kind, lines) if lines else Markup("")


def text(kind: str, x: float, y: float, said: str, anchor: str = "start") -> Markup:
    """A label; what it says is escaped."""
    return _TEXT.format(kind, short(x), short(y), _ANCHORS[anchor], said)


def hatch(key: str) -> Markup:
    """The pattern of what is not known; `key` names it, once in a page."""
    return _HATCH.format(key)


def hatched(key: str, x: float, y: float, width: float, height: float) -> Markup:
    """A box filled with the pattern `key`."""
    if width <= 0 or height <= 0:
        return Markup("")
    return _HATCHED.format(key, short(x), short(y), short(width), short(height))


def line(points: Iterable[Point]) -> str:
    """The path through some points."""
    steps = [f"{short(x)} {short(y)}" for x, y in points]
    return "M" + "L".join(steps) if steps else ""


def area(upper: Sequence[Point], lower: Sequence[Point]) -> str:
    """The path around what lies between two lines of the same length."""
    return f"{line([*upper, *reversed(lower)])}Z" if upper else ""


def lamp_mark(light: str, x: float, y: float, size: float) -> str:
    """The shape of a light about a point: a disc, a diamond, a triangle or a ring's disc."""
    s = size
    if light == "red":
        return f"M{short(x)} {short(y - s)}l{short(s)} {short(2 * s)}h{short(-2 * s)}Z"
    if light == "amber":
        return (
            f"M{short(x)} {short(y - s)}l{short(s)} {short(s)} {short(-s)} {short(s)} "
            f"{short(-s)} {short(-s)}Z"
        )
    return (
        f"M{short(x - s)} {short(y)}a{short(s)} {short(s)} 0 1 0 {short(2 * s)} 0"
        f"a{short(s)} {short(s)} 0 1 0 {short(-2 * s)} 0Z"
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` onto `start` to `end`; what lies beyond is held at the edge."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        part = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return self.start + part * (self.end - self.start)


def extent(values: Iterable[float], *, zero: bool = False) -> tuple[float, float]:
    """From the least to the greatest with a little air; with nought where asked."""
    found = [value for value in values if math.isfinite(value)]
    if zero:
        found.append(0.0)
    if not found:
        return 0.0, 1.0
    low, high = min(found), max(found)
    if low == high:
        reach = abs(high) * 0.1 or 1.0
        return (low if zero and low == 0 else low - reach), high + reach
    air = (high - low) * 0.08
    return (0.0 if zero and low == 0 else low - air), (0.0 if zero and high == 0 else high + air)


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round values within a range, at most `most` and a few less."""
    if high <= low:
        return [low]
    raw = (high - low) / most
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw)
    first = math.ceil(low / step - 1e-9)
    return [count * step for count in range(first, math.floor(high / step + 1e-9) + 1)]


def months(first: date, last: date, most: int = 6) -> list[date]:
    """First days of months within a span, every so many that at most `most` are named."""
    found = []
    year, month = first.year, first.month
    while (day := date(year, month, 1)) <= last:
        if day >= first:
            found.append(day)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    step = next((each for each in (1, 2, 3, 6, 12) if len(found) <= most * each), 24)
    return [day for day in found if (day.month - 1) % min(step, 12) == 0]


def runs(points: Sequence[TrendPoint]) -> list[list[TrendPoint]]:
    """Known points as unbroken stretches: a step clearly longer than the usual one breaks."""
    known = [each for each in points if each.value is not None]
    if not known:
        return []
    steps = [(two.day - one.day).days for one, two in itertools.pairwise(known)]
    longest = max(1.0, median_low(steps) * 1.5) if steps else 1.0
    found = [[known[0]]]
    for step, point in zip(steps, known[1:], strict=True):
        if step > longest:
            found.append([])
        found[-1].append(point)
    return found
