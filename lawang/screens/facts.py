"""What is known of the city at a moment, for the rules of its status."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from lawang.city import City
from lawang.domain.health import Health, SourceState, health
from lawang.domain.status import SeenAlarm, StatusFacts, StatusRules

#: The city's score moves by the day; a minute old is new.
_SCORE_KEPT_S = 60.0


class CityFacts:
    """Gathers the facts; call it with the time. It blocks where `alarms` and `score` do.

    `states` is what is known of the sources' polls, None while that cannot be told; `score` the
    city's score of the last 30 days, asked for only where a rule needs it. StoreError is theirs.
    """

    def __init__(
        self,
        city: City,
        rules: Callable[[], StatusRules],
        alarms: Callable[[datetime], Sequence[SeenAlarm] | None],
        states: Callable[[], Mapping[str, SourceState] | None],
        score: Callable[[datetime], float | None],
    ) -> None:
        self._city = city
        self._rules = rules
        self._alarms = alarms
        self._states = states
        self._score = score
        self._kept: tuple[float, float | None] | None = None

    def __call__(self, at: datetime) -> StatusFacts:
        return StatusFacts(
            alarms=self._alarms(at), sources_down=self._down(at), score=self._score_at(at)
        )

    def _down(self, at: datetime) -> int | None:
        """Sources that are down or refuse; one that was never polled is neither."""
        states = self._states()
        if states is None:
            return None
        found = [
            health(states[name], source.cadence, at)
            for name, source in self._city.sources.items()
            if name in states
        ]
        return sum(each in (Health.DOWN, Health.REFUSED) for each in found)

    def _score_at(self, at: datetime) -> float | None:
        levels = self._rules().levels
        if not any(each.score_below is not None for level in levels for each in level.when):
            return None
        now = time.monotonic()
        if self._kept is None or now - self._kept[0] > _SCORE_KEPT_S:
            self._kept = (now, self._score(at))
        return self._kept[1]
