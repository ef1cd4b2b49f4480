"""Intervals for a ranking: wide enough that chance alone seldom names anybody. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

#: How often a whole ranking may name nobody wrongly.
FAMILY = 0.95
#: Days that follow each other are alike, so that an interval is made of stretches of so many.
BLOCK = 7
_LEAST_BLOCKS = 5


def tail(compared: int) -> float:
    """The chance left on each side of one of so many intervals, by Sidak (1967)."""
    alone: float = FAMILY ** (1 / max(1, compared))
    return (1 - alone) / 2


def normal(tail_: float) -> float:
    """The quantile of the normal distribution that leaves `tail_` above it."""
    return NormalDist().inv_cdf(1 - tail_)


def student(tail_: float, freedom: int) -> float:
    """The quantile of Student's t that leaves `tail_` above it, by bisection of its integral.

    Exact to six digits; the integral is that of Abramowitz and Stegun 26.7.3 and 26.7.4.
    """
    low, high = 0.0, 2.0
    while _beyond(high, freedom) > tail_:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if _beyond(middle, freedom) > tail_:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beyond(t: float, freedom: int) -> float:
    """The chance that Student's t is above `t` >= 0."""
    theta = math.atan(t / math.sqrt(freedom))
    cos, sin = math.cos(theta), math.sin(theta)
    term = cos if freedom % 2 else 1.0
    total = 0.0
    # The chance within -t and t is a finite sum of powers of the cosine.
    for n in range(1 if freedom % 2 else 0, freedom - 1, 2):
        total += term
        term *= cos**2 * (n + 1) / (n + 2)
    within = 2 / math.pi * (theta + sin * total) if freedom % 2 else sin * total
    return (1 - within) / 2


def poisson(count: float, tail_: float) -> tuple[float, float]:
    """The interval of the mean behind a count, by Byar's approximation of the exact one.

    It is within a hundredth of the exact one from a count of 5 on, and wider below.
    """
    z = normal(tail_)
    low = 0.0
    if count > 0:
        low = count * max(0.0, 1 - 1 / (9 * count) - z / (3 * math.sqrt(count))) ** 3
    above = count + 1
    return low, above * (1 - 1 / (9 * above) + z / (3 * math.sqrt(above))) ** 3


def ratio(days: Sequence[tuple[int, float, float]], tail_: float) -> tuple[float, float] | None:
    """The interval of a mean or ratio from its days (place in the horizon, num, den); None where
    there are too few to tell how it scatters.

    It is that of a ratio estimator over clusters: how far each stretch of days lies from what the
    whole would have it be. Stretches are a week long where there are enough of them, else as long
    as leaves five.
    """
    if not days:
        return None
    length = max(place for place, _, _ in days) - min(place for place, _, _ in days) + 1
    block = max(1, min(BLOCK, length // _LEAST_BLOCKS))
    blocks: dict[int, tuple[float, float]] = {}
    for place, num, den in days:
        had = blocks.get(place // block, (0.0, 0.0))
        blocks[place // block] = (had[0] + num, had[1] + den)
    count = len(blocks)
    whole = math.fsum(den for _, den in blocks.values())
    if count < _LEAST_BLOCKS or whole <= 0:
        return None
    value = math.fsum(num for num, _ in blocks.values()) / whole
    squares = math.fsum((num - value * den) ** 2 for num, den in blocks.values())
    error = math.sqrt(squares * count / (count - 1)) / whole
    reach = student(tail_, count - 1) * error
    return value - reach, value + reach
