"""The air over the simulated city, as DLHK's stations measure it, hour by hour.

In µg/m³. Levels, stations and their places are the simulation's own; they follow what is known of
the region: haze of burning peat from July to October, worst in September, peaks in the morning and
the evening rush, and rain that washes dust out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from simulator.city_life import Town, random_for
from simulator.weather import Weather

#: Kecamatan that have a station.
PLACES = ("16.71.04", "16.71.07", "16.71.06", "16.71.14", "16.71.17")
#: Fine dust of a dry day by month, January first.
_DUST = (17, 17, 18, 18, 20, 24, 31, 46, 58, 44, 23, 18)
_RUSH = (7.5, 18.5)


@dataclass(frozen=True, slots=True)
class Station:
    """A station and where it stands (degrees WGS84)."""

    code: str
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Sample:
    """The means of one hour in µg/m³; None is an instrument that was out."""

    pm25: float | None
    pm10: float | None
    so2: float | None
    no2: float | None
    co: float | None
    o3: float | None


class Air:
    """Any number of these with one town and seed agree."""

    def __init__(self, town: Town, seed: int) -> None:
        self._town = town
        self._seed = seed
        self._weather = Weather(town, seed)
        self.stations = tuple(self._station(n, code) for n, code in enumerate(PLACES, 1))
        # What somebody lets rain changes hours that were asked for already.
        self._known = lru_cache(maxsize=5_000)(self._measured)

    def sample(self, station: Station, hour: datetime) -> Sample:
        """The means of the hour that begins at `hour`."""
        return self._known(station, hour, len(self._town.happenings.rains))

    def _measured(self, station: Station, hour: datetime, rains: int) -> Sample:
        local = hour.astimezone(self._town.timezone)
        rng = random_for(self._seed, "udara", station.code, hour.isoformat())
        haze = random_for(self._seed, "udara", "haze", local.date()).lognormvariate(0, 0.35)
        clock = local.hour + 0.5
        rush = sum(math.exp(-(((clock - peak) / 1.8) ** 2)) for peak in _RUSH)
        night = 0.5 + 0.5 * math.cos(math.tau * (clock - 4) / 24)
        sun = max(0.0, math.sin(math.pi * (clock - 6) / 12))
        fallen = self._weather.rain_mm(
            station.latitude,
            station.longitude,
            hour - timedelta(hours=5),
            hour + timedelta(hours=1),
        )
        washed = 0.35 + 0.65 * math.exp(-fallen / 12)
        dust = _DUST[local.month - 1] * haze * (0.7 + 0.4 * rush + 0.4 * night) * washed
        pm25 = dust * rng.uniform(0.9, 1.1)
        values = (
            pm25,
            pm25 * rng.uniform(1.5, 1.9),
            8 + 0.12 * pm25 + 3 * rng.random(),
            12 + 22 * rush + 4 * rng.random(),
            320 + 560 * rush + 6 * pm25 + 40 * rng.random(),
            18 + 62 * sun * washed + 6 * rng.random(),
        )
        return Sample(*(None if rng.random() < 0.01 else round(each, 1) for each in values))

    def _station(self, number: int, kecamatan: str) -> Station:
        place = max(self._town.in_kecamatan(kecamatan), key=lambda each: (each.area_km2, each.code))
        return Station(
            code=f"PLB-{number:02d}",
            name=f"Stasiun {place.kecamatan_name}",
            latitude=place.latitude,
            longitude=place.longitude,
        )
