"""An indicator over the last few days, for each day: its course without the noise of one day."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from lawang.domain.kpi import Combine, Daily, Horizon, Kpi, Span, evaluate, sum_up
from lawang.kpi.evaluate import TrendPoint


def roll(kpi: Kpi, days: Sequence[Daily], width: int = 7) -> list[TrendPoint]:
    """For each known day (oldest first, one region) the value over the `width` days that end on it.

    A sum and its target are told per known day, so that they can be drawn beside single days. Less
    than half of the days known is no course: such a day is left out. A state has none at all.
    """
    if kpi.combine is Combine.LAST:
        return []
    found: list[TrendPoint] = []
    window: deque[Daily] = deque()
    for each in days:
        window.append(each)
        first = each.day - timedelta(days=width - 1)
        while window[0].day < first:
            window.popleft()
        if len(window) * 2 < width:
            continue
        horizon = Horizon(Span.WEEK, first, each.day)
        value = evaluate(kpi, horizon, sum_up(kpi, horizon, window), now=None)
        by = len(window) if kpi.combine is Combine.SUM else 1
        found.append(
            TrendPoint(
                each.day,
                None if value.value is None else value.value / by,
                None if value.target is None else value.target / by,
                value.n,
            )
        )
    return found
