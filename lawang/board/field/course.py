"""What one gauge said of late, thinned out to one reading a minute. Pure."""

from __future__ import annotations

from bisect import bisect_right
from datetime import datetime
from itertools import pairwise

#: How far back a course goes from its newest reading.
REACH_S = 6 * 3600 + 900
_HOUR_S = 3600.0


class Course:
    """The last value in each minute; readings may come in any order."""

    __slots__ = ("_minutes", "_sorted")

    def __init__(self) -> None:
        self._minutes: dict[int, tuple[float, float]] = {}
        self._sorted: list[tuple[float, float]] | None = None

    def add(self, at: datetime, value: float) -> None:
        """Take a reading; one about the same moment replaces what was there."""
        second = at.timestamp()
        minute = int(second // 60)
        known = self._minutes.get(minute)
        if known is None or second >= known[0]:
            self._minutes[minute] = (second, value)
            self._sorted = None

    @property
    def newest(self) -> float | None:
        """The time of the newest reading in seconds since 1970."""
        samples = self._samples()
        return samples[-1][0] if samples else None

    def value_at(self, second: float, reach_s: float) -> float | None:
        """The last value said by then, unless that was more than `reach_s` earlier."""
        samples = self._samples()
        place = bisect_right(samples, (second, float("inf"))) - 1
        if place < 0 or samples[place][0] < second - reach_s:
            return None
        return samples[place][1]

    def rise(self, second: float) -> float | None:
        """The change over the hour that ends then; None without a reading at its beginning."""
        last = self.value_at(second, 0)
        first = self.value_at(second - _HOUR_S, 900)
        return None if last is None or first is None else last - first

    def amount(self, start: float, end: float, slack_s: float = 0) -> tuple[float, float] | None:
        """What a running total grew by from `start` to `end`, and the seconds that are known.

        It grew from the last reading by `start`, unless that is more than `slack_s` earlier. A
        total that fell was reset: all of it is new. None with fewer than two readings.
        """
        samples = self._samples()
        first = bisect_right(samples, (start, float("inf"))) - 1
        if first < 0 or samples[first][0] < start - slack_s:
            first += 1
        inside = samples[first : bisect_right(samples, (end, float("inf")))]
        if len(inside) < 2:
            return None
        grown = sum(
            later - earlier if later >= earlier else later
            for (_a, earlier), (_b, later) in pairwise(inside)
        )
        return grown, inside[-1][0] - inside[0][0]

    def _samples(self) -> list[tuple[float, float]]:
        if self._sorted is None:
            self._sorted = sorted(self._minutes.values())
            oldest = self._sorted[-1][0] - REACH_S if self._sorted else 0.0
            if self._sorted and self._sorted[0][0] < oldest:
                self._sorted = [each for each in self._sorted if each[0] >= oldest]
                self._minutes = {int(each[0] // 60): each for each in self._sorted}
        return self._sorted
