"""Where engines and ambulances wait, and how long they take: what callers and trackers agree on."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.armada.trips import Point, driving
from simulator.city_life import Neighbourhood, Town, distance_km

ENGINE_KMH, AMBULANCE_KMH = 38.0, 34.0
AMBULANCES = 10
#: The kecamatan of the 8 posts, and how many engines stand at each: the simulation's own.
POSTS = {
    "16.71.04": 6,
    "16.71.07": 5,
    "16.71.06": 5,
    "16.71.02": 4,
    "16.71.14": 4,
    "16.71.09": 3,
    "16.71.13": 3,
    "16.71.08": 3,
}


def fire_posts(town: Town) -> list[Neighbourhood]:
    """The kelurahan of each of `POSTS`, in their order."""
    return [_centre(town, code) for code in POSTS]


def ambulance_bases(town: Town) -> list[Neighbourhood]:
    """The kelurahan of each ambulance: the centre of every other kecamatan."""
    codes = sorted({place.kecamatan for place in town.neighbourhoods})
    return [_centre(town, code) for code in (codes[::2] + codes[1::2])[:AMBULANCES]]


def minutes_to(bases: Sequence[Point], point: Point, speed_kmh: float) -> float:
    """How long from the nearest base, in minutes."""
    nearest = min(bases, key=lambda base: distance_km(base[0], base[1], point[0], point[1]))
    return driving(nearest, point, speed_kmh).total_seconds() / 60


def _centre(town: Town, kecamatan: str) -> Neighbourhood:
    """The smallest kelurahan of a kecamatan is the most closely built."""
    return min(town.in_kecamatan(kecamatan), key=lambda place: (place.area_km2, place.code))
