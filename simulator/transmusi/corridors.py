"""Invented corridors between real kelurahan, and the stops along them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from simulator.city_life import Neighbourhood, Town, distance_km

COUNT = 5
#: A corridor passes the kelurahan that lie within this of the line between its ends.
_WIDTH_KM = 0.9
_FEWEST_KM = 0.6


@dataclass(frozen=True)
class Corridor:
    """A route from its first to its last stop; buses go to and fro on it."""

    id: str
    stops: tuple[Neighbourhood, ...]

    @property
    def name(self) -> str:
        return f"{self.stops[0].name} - {self.stops[-1].name}"

    @cached_property
    def marks_km(self) -> tuple[float, ...]:
        """How far along each stop lies."""
        marks = [0.0]
        for before, after in pairwise(self.stops):
            marks.append(marks[-1] + _apart(before, after))
        return tuple(marks)

    @property
    def length_km(self) -> float:
        return self.marks_km[-1]

    def point(self, along_km: float, *, back: bool) -> tuple[float, float, float]:
        """Latitude, longitude and bearing of a bus that far along, on the way out or back."""
        along_km = min(max(along_km, 0.0), self.length_km)
        last = len(self.marks_km) - 2
        leg = next(
            (index for index in range(last + 1) if along_km <= self.marks_km[index + 1]), last
        )
        before, after = self.stops[leg], self.stops[leg + 1]
        part = (along_km - self.marks_km[leg]) / (self.marks_km[leg + 1] - self.marks_km[leg])
        north = after.latitude - before.latitude
        east = after.longitude - before.longitude
        bearing = math.degrees(math.atan2(east, north)) + (180 if back else 0)
        return before.latitude + part * north, before.longitude + part * east, bearing % 360


def corridors_of(town: Town) -> tuple[Corridor, ...]:
    """Corridors across the town, each through its middle or close by, in as many directions."""
    places = town.neighbourhoods
    middle_at = (
        sum(each.latitude for each in places) / len(places),
        sum(each.longitude for each in places) / len(places),
    )
    # The middle of where people live: small kelurahan are the dense ones.
    inner = sorted(places, key=lambda each: (each.area_km2, each.code))[: max(1, len(places) // 3)]
    middle = min(inner, key=lambda each: distance_km(each.latitude, each.longitude, *middle_at))
    found = []
    for number in range(COUNT):
        angle = math.pi * number / COUNT
        start = _farthest(_reachable(town, middle), middle, angle)
        end = _farthest(_reachable(town, middle), middle, angle + math.pi)
        stops = (*reversed(_between(town, middle, start)), middle, *_between(town, middle, end))
        found.append(Corridor(f"TM{number + 1}", _spaced(stops)))
    return tuple(found)


def _reachable(town: Town, middle: Neighbourhood) -> list[Neighbourhood]:
    """The kelurahan a bus would reach: not the very ends of the town."""
    return [each for each in town.neighbourhoods if 2.0 < _apart(each, middle) < 9.0]


def _farthest(places: list[Neighbourhood], middle: Neighbourhood, angle: float) -> Neighbourhood:
    """The place that lies farthest in a direction."""

    def reach(place: Neighbourhood) -> float:
        north = place.latitude - middle.latitude
        east = place.longitude - middle.longitude
        along = north * math.sin(angle) + east * math.cos(angle)
        across = abs(east * math.sin(angle) - north * math.cos(angle))
        return along - across

    return max(places or [middle], key=reach)


def _between(town: Town, middle: Neighbourhood, end: Neighbourhood) -> list[Neighbourhood]:
    """The stops from (without) the middle to the end, in their order."""
    north, east = end.latitude - middle.latitude, end.longitude - middle.longitude
    length = math.hypot(north, east)
    if not length:
        return []
    found = []
    for place in town.neighbourhoods:
        up, right = place.latitude - middle.latitude, place.longitude - middle.longitude
        along = (up * north + right * east) / length
        across = abs(right * north - up * east) / length
        if 0 < along <= length and across * 111.2 <= _WIDTH_KM:
            found.append((along, place))
    return [place for _, place in sorted(found, key=lambda each: (each[0], each[1].code))]


def _spaced(stops: tuple[Neighbourhood, ...]) -> tuple[Neighbourhood, ...]:
    """Without those that lie too close behind the one before; the ends stay."""
    kept = [stops[0]]
    for stop in stops[1:-1]:
        if _apart(kept[-1], stop) >= _FEWEST_KM and _apart(stop, stops[-1]) >= _FEWEST_KM:
            kept.append(stop)
    return (*kept, stops[-1])


def _apart(one: Neighbourhood, other: Neighbourhood) -> float:
    return distance_km(one.latitude, one.longitude, other.latitude, other.longitude)
