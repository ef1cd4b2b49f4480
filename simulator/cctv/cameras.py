"""Forty-one cameras, thirty of them public, as many as the city was said to have in January 2026.

Where the real ones stand was not looked up: these stand near known places of the city, at
invented points, and every name says that it is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.city_life import random_for

COUNT, PUBLIC = 41, 30
_KOMINFO = "Dinas Komunikasi dan Informatika"
_DISHUB = "Dinas Perhubungan"
_WATCH = timedelta(hours=6)
#: The chance that a camera is dead through one watch of six hours; the simulation's own.
_DEAD = 0.05

#: Known places, and how many cameras stand near each. Degrees WGS84.
_PLACES = (
    ("Jembatan Ampera Utara", -2.9904, 104.7623, 3),
    ("Jembatan Ampera Tengah", -2.9917, 104.7637, 2),
    ("Benteng Kuto Besak", -2.9914, 104.7592, 3),
    ("Jakabaring Sport City", -3.0182, 104.7898, 4),
    ("Museum SMB II", -2.9902, 104.7592, 1),
    ("Museum Balaputradewa", -2.9509, 104.7285, 2),
    ("Kambang Iwak", -2.9898, 104.7442, 3),
    ("Punti Kayu", -2.9437, 104.7261, 3),
    ("Bukit Siguntang", -2.9950, 104.7174, 3),
    ("Bayt Al-Quran", -3.0111, 104.7018, 2),
    ("Masjid Agung", -2.9880, 104.7604, 4),
    ("Balai Kota", -2.9908, 104.7568, 4),
    ("Monpera", -2.9890, 104.7603, 2),
    ("Bandara SMB II", -2.8983, 104.6997, 3),
    ("Kantor Bapenda", -2.9898, 104.7580, 2),
)


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera; `is_public` ones have a link that anybody may open."""

    id: str
    name: str
    latitude: float
    longitude: float
    is_public: bool
    agency: str


def list_cameras(seed: int) -> list[Camera]:
    """All cameras, the same for one seed."""
    cameras: list[Camera] = []
    for place, latitude, longitude, count in _PLACES:
        for index in range(1, count + 1):
            number = len(cameras) + 1
            rng = random_for(seed, "camera", number)
            cameras.append(
                Camera(
                    id=f"cctv-{number:03d}",
                    name=f"{place} {index} (simulasi)",
                    latitude=round(latitude + rng.uniform(-8e-4, 8e-4), 6),
                    longitude=round(longitude + rng.uniform(-8e-4, 8e-4), 6),
                    # Every fourth or so is not shown outside.
                    is_public=number * PUBLIC // COUNT > (number - 1) * PUBLIC // COUNT,
                    agency=_KOMINFO if index == count and count > 2 else _DISHUB,
                )
            )
    return cameras


def is_online(seed: int, camera: Camera, at: datetime) -> bool:
    """Whether a camera works: it dies for a whole watch at a time."""
    watch = int(at.timestamp() // _WATCH.total_seconds())
    return random_for(seed, "camera works", camera.id, watch).random() >= _DEAD
