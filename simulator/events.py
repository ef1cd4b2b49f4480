"""Fires in the simulated city: one list that every department which has to do with them reads."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from simulator.city_life import Neighbourhood, Town, poisson, random_for
from simulator.happenings import SIZES, Blaze, Size

#: Palembang's fires of 2025: 277, of which 166 electrical, and 92 of houses.
PER_YEAR, ELECTRICAL, HOUSES = 277.0, 166, 92
#: The rest is the simulation's own: dry months have more, afternoons and evenings have most.
_MONTHS = (0.7, 0.7, 0.8, 0.8, 0.9, 1.1, 1.3, 1.5, 1.5, 1.2, 0.8, 0.7)
_HOURS = (3, 2, 2, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 7, 7, 7, 6, 6, 7, 7, 6, 5, 4, 4)
_SIZES = {"kecil": 0.74, "sedang": 0.21, "besar": 0.05}
_ELECTRICAL_KINDS = {"rumah": 0.40, "jaringan listrik": 0.36, "toko": 0.20, "gudang": 0.04}
_OTHER_KINDS = {"rumah": 0.23, "lahan": 0.38, "sampah": 0.2, "kendaraan": 0.13, "toko": 0.06}
_OTHER_CAUSES = {"kompor": 0.3, "pembakaran": 0.4, "lain": 0.3}
_MINUTES: dict[Size, tuple[int, int]] = {
    "kecil": (15, 45),
    "sedang": (40, 100),
    "besar": (120, 260),
}
_KEPT_DAYS = 400
_ENGINES: dict[Size, tuple[int, int]] = {"kecil": (1, 2), "sedang": (3, 5), "besar": (9, 16)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """A fire from its breaking out until it is out.

    `kind` is what burns (rumah, toko, lahan, ...), `cause` why. `engines` is how many it takes.
    `made` tells that somebody, or a scenario, let it break out.
    """

    key: str
    start: datetime
    place: Neighbourhood
    latitude: float
    longitude: float
    size: Size
    kind: str
    cause: str
    engines: int
    minutes: int
    made: bool = False

    @property
    def end(self) -> datetime:
        """When it is out."""
        return self.start + timedelta(minutes=self.minutes)


class Fires:
    """All fires of a town. Any number of these with one town, seed and factor agree."""

    def __init__(self, town: Town, seed: int, factor: float = 1.0) -> None:
        self._town = town
        self._seed = seed
        self._factor = factor
        self._on = lru_cache(maxsize=_KEPT_DAYS)(self._scripted)

    def fires_between(self, since: datetime, until: datetime) -> list[Fire]:
        """The fires that broke out after `since` and up to `until`, oldest first."""
        fires = [fire for fire in self._listed(since, until) if since < fire.start <= until]
        return sorted(fires, key=lambda fire: (fire.start, fire.key))

    def burning(self, at: datetime) -> list[Fire]:
        """The fires that are not out yet, oldest first."""
        longest = timedelta(minutes=max(most for _, most in _MINUTES.values()))
        return [fire for fire in self.fires_between(at - longest, at) if fire.end > at]

    def _listed(self, since: datetime, until: datetime) -> list[Fire]:
        day = since.astimezone(self._town.timezone).date()
        last = until.astimezone(self._town.timezone).date()
        fires = [self._made(blaze) for blaze in self._town.happenings.blazes]
        while day <= last:
            fires += self._on(day)
            day += timedelta(days=1)
        return fires

    def _scripted(self, day: date) -> tuple[Fire, ...]:
        rng = random_for(self._seed, "fires", day)
        mean = PER_YEAR * self._factor / 365 * _MONTHS[day.month - 1] / (sum(_MONTHS) / 12)
        midnight = datetime.combine(day, time(), self._town.timezone).astimezone(UTC)
        return tuple(self._ordinary(day, midnight, index) for index in range(poisson(rng, mean)))

    def _ordinary(self, day: date, midnight: datetime, index: int) -> Fire:
        key = f"{day:%Y%m%d}-K{index:02d}"
        rng = random_for(self._seed, "fire", key)
        hour = rng.choices(range(24), _HOURS)[0]
        start = midnight + timedelta(hours=hour, seconds=rng.randrange(3600))
        weights = [place.area_km2**0.5 for place in self._town.neighbourhoods]
        place = rng.choices(self._town.neighbourhoods, weights)[0]
        size = SIZES[rng.choices(range(len(SIZES)), list(_SIZES.values()))[0]]
        return self._fire(rng, key, start, place, size)

    def _made(self, blaze: Blaze) -> Fire:
        key = f"{blaze.at.astimezone(self._town.timezone):%Y%m%d}-B{blaze.number}"
        rng = random_for(self._seed, "fire", key)
        # The most closely built kelurahan are the small ones.
        places = sorted(
            self._town.in_kecamatan(blaze.kecamatan), key=lambda place: (place.area_km2, place.code)
        )
        place = rng.choice(places[: max(1, len(places) // 2)])
        return self._fire(rng, key, blaze.at, place, blaze.size, made=True)

    def _fire(
        self,
        rng: random.Random,
        key: str,
        start: datetime,
        place: Neighbourhood,
        size: Size,
        made: bool = False,
    ) -> Fire:
        electrical = rng.random() < ELECTRICAL / PER_YEAR
        kinds = _ELECTRICAL_KINDS if electrical else _OTHER_KINDS
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        cause = rng.choices(list(_OTHER_CAUSES), list(_OTHER_CAUSES.values()))[0]
        latitude, longitude = self._town.point_in(place, rng)
        return Fire(
            key=key,
            start=start,
            place=place,
            latitude=latitude,
            longitude=longitude,
            size=size,
            kind="rumah" if made else kind,
            cause="listrik" if electrical else cause,
            engines=rng.randint(*_ENGINES[size]),
            minutes=rng.randint(*_MINUTES[size]),
            made=made,
        )
