"""The city that all simulated departments share: its places, its hours, its weather.

Everything is drawn from random generators seeded by (seed, what for), never from a running one,
so that any hour can be made again alone and two runs with one seed agree.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from lawang.city import City
from simulator.happenings import Happenings

#: Share of a day's reports by local hour: few at night, a peak before noon and one after work.
_HOURS = (6, 4, 3, 2, 3, 8, 20, 38, 56, 66, 68, 60, 48, 50, 54, 55, 54, 52, 50, 52, 48, 36, 22, 12)
#: Monday to Sunday; offices and phones rest a little at the weekend.
_WEEKDAYS = (1.15, 1.08, 1.05, 1.05, 1.02, 0.88, 0.77)
#: Chance of a storm on a day by month: the wet season runs from October to April.
_STORM_CHANCE = (0.55, 0.5, 0.5, 0.45, 0.25, 0.15, 0.12, 0.1, 0.15, 0.35, 0.55, 0.6)
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A kelurahan as the simulation needs it; degrees WGS84, `landmarks` within 2 km of it."""

    code: str
    name: str
    kecamatan: str
    kecamatan_name: str
    latitude: float
    longitude: float
    area_km2: float
    landmarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Storm:
    """Heavy rain over a few neighbouring kelurahan.

    `strength` is what it makes of the flooding and fallen-tree reports of an ordinary day:
    2 doubles them, 3 triples them, and what it adds falls into its area, mostly within the hour.
    `mm_h` is how hard it rains at its height, `minutes` how long it lasts (see `Weather`).
    """

    key: str
    start: datetime
    area: tuple[Neighbourhood, ...]
    strength: float
    mm_h: float
    minutes: float

    @property
    def end(self) -> datetime:
        """When its last drop falls."""
        return self.start + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Town:
    """The places of a city. `at(latitude, longitude)` gives (kecamatan, kelurahan) codes.

    `happenings` is what was made to happen in it; departments see it through `Weather`, `Fires`.
    """

    name: str
    timezone: ZoneInfo
    neighbourhoods: tuple[Neighbourhood, ...]
    at: Callable[[float, float], tuple[str | None, str | None]]
    happenings: Happenings = field(default_factory=Happenings, compare=False)

    @classmethod
    def of(cls, city: City, happenings: Happenings | None = None) -> Town:
        """The places of a city pack. Without `happenings` nothing has been made to happen."""
        kecamatan = {region.code: region.name for region in city.kecamatan}
        landmarks = [(mark.name, mark.latitude, mark.longitude) for mark in city.landmarks]
        return cls(
            name=city.name,
            timezone=city.timezone,
            neighbourhoods=tuple(
                Neighbourhood(
                    code=region.code,
                    name=region.name,
                    kecamatan=region.parent,
                    kecamatan_name=kecamatan[region.parent],
                    latitude=region.latitude,
                    longitude=region.longitude,
                    area_km2=region.area_km2,
                    landmarks=_near(region.latitude, region.longitude, landmarks),
                )
                for region in city.kelurahan
                if region.parent is not None
            ),
            at=city.gazetteer.at,
            happenings=happenings or Happenings(),
        )

    @cached_property
    def by_code(self) -> dict[str, Neighbourhood]:
        """Kelurahan by Kemendagri code."""
        return {place.code: place for place in self.neighbourhoods}

    def in_kecamatan(self, code: str) -> tuple[Neighbourhood, ...]:
        """The kelurahan of one kecamatan; empty when there is no such code."""
        return tuple(place for place in self.neighbourhoods if place.kecamatan == code)

    def around(self, centre: Neighbourhood, count: int) -> tuple[Neighbourhood, ...]:
        """A kelurahan and its nearest others, `count` in all."""
        ranked = sorted(
            self.neighbourhoods,
            key=lambda place: distance_km(
                place.latitude, place.longitude, centre.latitude, centre.longitude
            ),
        )
        return tuple(ranked[:count])

    def point_in(self, place: Neighbourhood, rng: random.Random) -> tuple[float, float]:
        """A random point inside the kelurahan; its own point if chance finds no other."""
        reach = 0.9 * math.sqrt(place.area_km2 / math.pi) / _KM_PER_DEGREE
        for _ in range(12):
            away, bearing = reach * math.sqrt(rng.random()), rng.uniform(0, math.tau)
            latitude = round(place.latitude + away * math.sin(bearing), 6)
            longitude = round(place.longitude + away * math.cos(bearing), 6)
            if self.at(latitude, longitude)[1] == place.code:
                return latitude, longitude
        return place.latitude, place.longitude


def random_for(seed: int, *parts: object) -> random.Random:
    """A generator of its own for one purpose; the same on every machine."""
    return random.Random("/".join(str(part) for part in (seed, *parts)))


def poisson(rng: random.Random, mean: float) -> int:
    """How many events happen when `mean` are expected."""
    count = 0
    while mean > 0:  # in portions, as exp() of a large mean is zero
        portion = min(mean, 50.0)
        mean -= portion
        floor, product = math.exp(-portion), rng.random()
        while product > floor:
            count += 1
            product *= rng.random()
    return count


def expected_in_hour(per_day: float, start: datetime, timezone: ZoneInfo) -> float:
    """How many of `per_day` fall into the hour from `start`, by local hour and weekday."""
    local = start.astimezone(timezone)
    return per_day * _WEEKDAYS[local.weekday()] * _HOURS[local.hour] / sum(_HOURS)


def hours_between(since: datetime, until: datetime) -> Iterator[datetime]:
    """The starts (UTC) of all whole hours that touch the span."""
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        yield hour
        hour += timedelta(hours=1)


def storms_between(town: Town, seed: int, since: datetime, until: datetime) -> list[Storm]:
    """The scheduled storms of all local days that touch the span, and of the day before it."""
    day = since.astimezone(town.timezone).date() - timedelta(days=1)
    last = until.astimezone(town.timezone).date()
    storms = []
    while day <= last:
        if (storm := storm_on(town, seed, day)) is not None:
            storms.append(storm)
        day += timedelta(days=1)
    return storms


def storm_on(town: Town, seed: int, day: date) -> Storm | None:
    """The scheduled storm of a local day, if the seed has one."""
    rng = random_for(seed, "storm", day)
    if rng.random() > _STORM_CHANCE[day.month - 1]:
        return None
    # Most storms of this coast break in the afternoon.
    hour = min(23.0, max(0.0, rng.gauss(16.0, 3.0)))
    midnight = datetime.combine(day, time(), town.timezone)
    area = town.around(rng.choice(town.neighbourhoods), rng.randint(4, 8))
    strength = rng.uniform(2.0, 3.0)
    return Storm(
        key=f"{day:%Y%m%d}",
        start=(midnight + timedelta(seconds=int(hour * 3600))).astimezone(UTC),
        area=area,
        strength=strength,
        mm_h=25 + 35 * (strength - 2),
        minutes=rng.randint(45, 90),
    )


def _near(
    latitude: float, longitude: float, marks: list[tuple[str, float, float]]
) -> tuple[str, ...]:
    # A bracket tells which end of a thing is meant; nobody writes that in a report.
    names = (
        name.split(" (")[0]
        for name, mark_latitude, mark_longitude in marks
        if distance_km(latitude, longitude, mark_latitude, mark_longitude) < 2.0
    )
    return tuple(dict.fromkeys(names))


def distance_km(latitude: float, longitude: float, latitude_2: float, longitude_2: float) -> float:
    """Flat distance: the city lies at the equator and spans 30 km."""
    return _KM_PER_DEGREE * math.hypot(latitude - latitude_2, longitude - longitude_2)
