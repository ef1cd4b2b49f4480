"""Forty-one cameras, thirty of them public, as many as the city was said to have in January 2026.

Where the real ones stand was not looked up: these stand near known places of the city, at
invented points, and every name says that it is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from simulator.city_life import random_for

COUNT, PUBLIC = 41, 30
_KOMINFO = "Dinas Komunikasi dan Informatika"
_DISHUB = "Dinas Perhubungan"
_WATCH = timedelta(hours=6)
#: The chances of one watch of six hours; the simulation's own. Dead as the list says, dead although
#: the list says that it works, and standing still.
_DEAD, _DEAD_UNTOLD, _FROZEN = 0.05, 0.03, 0.04
#: Every so many public cameras give a still picture and no stream.
_STILL_EVERY = 6

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


class Condition(StrEnum):
    """How a camera does. UNTOLD: it gives nothing, and the list says that it works."""

    WORKS = "works"
    DEAD = "dead"
    UNTOLD = "untold"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera; `is_public` ones have a link that anybody may open: a stream, or a still."""

    id: str
    name: str
    latitude: float
    longitude: float
    is_public: bool
    has_stream: bool
    agency: str


def list_cameras(seed: int) -> list[Camera]:
    """All cameras, the same for one seed."""
    cameras: list[Camera] = []
    for place, latitude, longitude, count in _PLACES:
        for index in range(1, count + 1):
            number = len(cameras) + 1
            rng = random_for(seed, "camera", number)
            # Every fourth or so is not shown outside.
            public_until_now = number * PUBLIC // COUNT
            is_public = public_until_now > (number - 1) * PUBLIC // COUNT
            cameras.append(
                Camera(
                    id=f"cctv-{number:03d}",
                    name=f"{place} {index} (simulasi)",
                    latitude=round(latitude + rng.uniform(-8e-4, 8e-4), 6),
                    longitude=round(longitude + rng.uniform(-8e-4, 8e-4), 6),
                    is_public=is_public,
                    has_stream=is_public and public_until_now % _STILL_EVERY != 0,
                    agency=_KOMINFO if index == count and count > 2 else _DISHUB,
                )
            )
    return cameras


def find_condition(seed: int, camera: Camera, at: datetime) -> Condition:
    """How a camera does: for a whole watch at a time."""
    chance = random_for(seed, "camera works", camera.id, _watch_of(at)).random()
    for condition, share in (
        (Condition.DEAD, _DEAD),
        (Condition.UNTOLD, _DEAD_UNTOLD),
        (Condition.FROZEN, _FROZEN),
    ):
        if chance < share:
            return condition
        chance -= share
    return Condition.WORKS


def seen_at(seed: int, camera: Camera, at: datetime) -> datetime:
    """The instant whose picture a camera shows at `at`; a frozen one's is that of the watch."""
    if find_condition(seed, camera, at) is not Condition.FROZEN:
        return at
    return datetime.fromtimestamp(_watch_of(at) * _WATCH.total_seconds(), UTC)


def _watch_of(at: datetime) -> int:
    return int(at.timestamp() // _WATCH.total_seconds())
