"""Invented earthquakes off Sumatra and on its fault. No real one is among them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from simulator.city_life import Town, distance_km, poisson, random_for

#: How many a day are felt somewhere, and how many reach magnitude 5: the simulation's own.
_FELT_PER_DAY, _STRONG_PER_DAY = 1.2, 0.6
_LISTED = 15
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
#: Places that such texts name; to the nearest tenth of a degree.
_TOWNS = (
    ("KOTA-BENGKULU", "Kota Bengkulu", -3.8, 102.3),
    ("KAUR-BENGKULU", "Kaur", -4.8, 103.3),
    ("MUKOMUKO-BENGKULU", "Mukomuko", -2.6, 101.1),
    ("ENGGANO-BENGKULU", "Enggano", -5.4, 102.3),
    ("PESISIRBARAT-LAMPUNG", "Pesisir Barat", -5.2, 103.9),
    ("LAMPUNGBARAT-LAMPUNG", "Lampung Barat", -5.0, 104.1),
    ("PESISIRSELATAN-SUMBAR", "Pesisir Selatan", -1.8, 100.8),
    ("KEP-MENTAWAI-SUMBAR", "Kepulauan Mentawai", -2.1, 99.6),
    ("PAGARALAM-SUMSEL", "Pagar Alam", -4.0, 103.2),
)
_WINDS = ("Utara", "TimurLaut", "Timur", "Tenggara", "Selatan", "BaratDaya", "Barat", "BaratLaut")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quake:
    """One earthquake. `felt` names where, with MMI, or is "" where nobody noticed."""

    at: datetime
    latitude: float
    longitude: float
    magnitude: float
    depth_km: int
    region: str
    felt: str

    def to_plain(
        self, skew: timedelta, *, potential: bool, shakemap: bool = False
    ) -> dict[str, Any]:
        """The row as the lists have it: every value a text."""
        at = self.at + skew
        local = at.astimezone(UTC) + timedelta(hours=7)
        south, east = "LS" if self.latitude < 0 else "LU", "BT"
        row = {
            "Tanggal": f"{local.day:02d} {_MONTHS[local.month - 1]} {local.year}",
            "Jam": f"{local:%H:%M:%S} WIB",
            "DateTime": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "Coordinates": f"{self.latitude:.2f},{self.longitude:.2f}",
            "Lintang": f"{abs(self.latitude):.2f} {south}",
            "Bujur": f"{self.longitude:.2f} {east}",
            "Magnitude": f"{self.magnitude:.1f}",
            "Kedalaman": f"{self.depth_km} km",
            "Wilayah": self.region,
        }
        if potential:
            row["Potensi"] = "Tidak berpotensi tsunami"
        if self.felt:
            row["Dirasakan"] = self.felt
        if shakemap:
            row["Shakemap"] = f"{local:%Y%m%d%H%M%S}.mmi.jpg"
        return row


class Quakes:
    """All earthquakes that a town hears of. Any number of these with one seed agree."""

    def __init__(self, town: Town, seed: int) -> None:
        self._town = town
        self._seed = seed
        self._on = lru_cache(maxsize=400)(self._scripted)

    def newest(self, now: datetime) -> Quake:
        """The last one that was strong or felt."""
        return self._back_from(now, lambda quake: True, 1)[0]

    def strong(self, now: datetime) -> list[Quake]:
        """The last ones of magnitude 5 or more, newest first."""
        return self._back_from(now, lambda quake: quake.magnitude >= 5, _LISTED)

    def felt(self, now: datetime) -> list[Quake]:
        """The last ones that were felt, newest first."""
        return self._back_from(now, lambda quake: bool(quake.felt), _LISTED)

    def _back_from(self, now: datetime, wanted: Callable[[Quake], bool], count: int) -> list[Quake]:
        found: list[Quake] = []
        day = now.astimezone(UTC).date()
        while len(found) < count:
            found += [each for each in self._on(day) if each.at <= now and wanted(each)]
            day -= timedelta(days=1)
        return found[:count]

    def _scripted(self, day: date) -> tuple[Quake, ...]:
        """One UTC day's, newest first."""
        rng = random_for(self._seed, "quakes", day)
        strong = poisson(rng, _STRONG_PER_DAY)
        quakes = [
            self._quake(day, index, index < strong)
            for index in range(strong + poisson(rng, _FELT_PER_DAY))
        ]
        return tuple(sorted(quakes, key=lambda quake: quake.at, reverse=True))

    def _quake(self, day: date, index: int, strong: bool) -> Quake:
        rng = random_for(self._seed, "quake", day, index)
        at = datetime.combine(day, time(), UTC) + timedelta(seconds=rng.randrange(86_400))
        # Along the trench, which runs from north-west to south-east off the coast, and inland.
        along, off = rng.random(), abs(rng.gauss(0, 0.9))
        latitude = round(-1.5 - 4.5 * along - 0.4 * off, 2)
        longitude = round(100.6 + 3.3 * along - 0.7 * off, 2)
        # Each step in magnitude is a tenth as frequent.
        least = 5.0 if strong else 3.2
        magnitude = round(min(7.4, least + rng.expovariate(math.log(10))), 1)
        depth = rng.choice((10, 10, 12, 15, 21, 28, 35, 47, 60))
        word, name, away, wind = _nearest(latitude, longitude)
        felt = (
            ""
            if strong and rng.random() < 0.5
            else self._felt(latitude, longitude, magnitude, name)
        )
        region = (
            f"{round(away)} km {wind} {word}"
            if strong
            else f"Pusat gempa berada {round(away)} km {wind} {name}"
        )
        return Quake(
            at=at,
            latitude=latitude,
            longitude=longitude,
            magnitude=magnitude,
            depth_km=depth,
            region=region,
            felt=felt,
        )

    def _felt(self, latitude: float, longitude: float, magnitude: float, name: str) -> str:
        intensity = min(5, max(1, round(magnitude - 2.5)))
        parts = [f"{_ROMAN[intensity - 1]}-{_ROMAN[intensity]} {name}"]
        here = self._town.neighbourhoods[0]
        away_km = distance_km(latitude, longitude, here.latitude, here.longitude)
        if magnitude >= 5.8 and away_km < 450:
            parts.append(f"II {self._town.name.removeprefix('Kota ')}")
        return ", ".join(parts)


def _nearest(latitude: float, longitude: float) -> tuple[str, str, float, str]:
    """The nearest place's two names, how far it is, and in which direction the point lies."""
    word, name, north, east = min(
        _TOWNS, key=lambda town: distance_km(latitude, longitude, town[2], town[3])
    )
    away = distance_km(latitude, longitude, north, east)
    angle = math.degrees(math.atan2(longitude - east, latitude - north)) % 360
    return word, name, away, _WINDS[round(angle / 45) % 8]
