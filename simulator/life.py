"""The seeded life that all departments with reports lead: which come, and when.

A report is scripted in full at birth, from a generator seeded by its own number; `Life.advance`
only lets happen what is due. So it does not matter in how many steps time passes, and a stopped
simulator that starts again finds everything that should have happened meanwhile.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulator import city_life
from simulator.city_life import Neighbourhood, Town, random_for
from simulator.store import NewReport, Store
from simulator.texts import LANES, Spot

BACKFILL = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How reports come to one department: `per_day` of them, numbered `<prefix>-<date>-...`.

    `salt` sets its random numbers apart from those of the departments beside it.
    """

    prefix: str
    per_day: float
    salt: tuple[str, ...] = ()


class Life(ABC):
    """The life of one department. `factor` scales how many reports come."""

    rhythm: Rhythm

    def __init__(self, store: Store, town: Town, seed: int, factor: float) -> None:
        self._store = store
        self._town = town
        self._seed = seed
        self._factor = factor
        self._weights: dict[str, list[float]] = {}

    def advance(self, until: datetime) -> None:
        """Let everything happen that is due by `until`; nothing when that is in the past.

        The first call back-fills 60 days, a later one whatever was missed. Blocking.
        """
        until = until.astimezone(UTC).replace(microsecond=0)
        since = self._store.advanced_to()
        if since is None:
            since = (until - BACKFILL).replace(minute=0, second=0)
        if until > since:
            births = sorted(
                self._births(since, until), key=lambda birth: (birth.requested_at, birth.id)
            )
            self._store.live(births, until)

    @abstractmethod
    def _report(self, report_id: str, at: datetime) -> NewReport:
        """An ordinary report, from `_random("report", report_id)` alone."""

    def _births(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        """All reports filed after `since` and up to `until`, in any order."""
        rhythm = self.rhythm
        for hour in city_life.hours_between(since, until):
            rng = self._random("hour", hour.isoformat())
            timezone = self._town.timezone
            mean = city_life.expected_in_hour(rhythm.per_day * self._factor, hour, timezone)
            for index in range(city_life.poisson(rng, mean)):
                at = hour + timedelta(seconds=rng.randrange(3600))
                if since < at <= until:
                    local = hour.astimezone(timezone)
                    yield self._report(f"{rhythm.prefix}-{local:%Y%m%d-%H}{index:02d}", at)

    def _random(self, *parts: object) -> random.Random:
        return random_for(self._seed, *self.rhythm.salt, *parts)

    def _place(self, rng: random.Random, kind: str) -> Neighbourhood:
        """Where a report of a kind comes from."""
        return rng.choices(self._town.neighbourhoods, self._weights_of(kind))[0]

    def _spot(self, rng: random.Random, place: Neighbourhood) -> Spot:
        """A lane of a neighbourhood, in the words for it."""
        return Spot(
            lane=rng.choice(LANES),
            rt=rng.randint(1, 48),
            rw=rng.randint(1, 16),
            kelurahan=place.name,
            kecamatan=place.kecamatan_name,
            landmarks=place.landmarks,
        )

    def _weights_of(self, kind: str) -> list[float]:
        """How often each kelurahan reports a kind: more where more people live, and in a few
        hot spots. Larger kelurahan are thinner settled, hence the root."""
        if kind not in self._weights:
            self._weights[kind] = [
                place.area_km2**0.5 * _heat(self._random("hot", kind, place.code))
                for place in self._town.neighbourhoods
            ]
        return self._weights[kind]


def _heat(rng: random.Random) -> float:
    return rng.uniform(3.0, 5.0) if rng.random() < 0.1 else rng.uniform(0.5, 1.5)
