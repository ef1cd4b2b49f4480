"""Vehicles that wait at a base, are sent to something, stay, and drive back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from simulator.city_life import distance_km

Point = tuple[float, float]
Doing = Literal["standby", "going", "there", "returning"]
#: Streets are longer than the straight line.
_DETOUR = 1.3


@dataclass(frozen=True, slots=True)
class Call:
    """Something for which `units` vehicles leave to `point` at `at`; they stay until `until`."""

    key: str
    at: datetime
    point: Point
    units: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Trip:
    """One vehicle's way to one call."""

    call: Call
    left: datetime
    arrived: datetime
    leaves: datetime
    back: datetime


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a vehicle is at an instant; degrees WGS84, heading clockwise from north."""

    point: Point
    heading: float
    speed_kmh: float
    doing: Doing
    trip: Trip | None = None


def dispatch(calls: Sequence[Call], bases: Sequence[Point], speed_kmh: float) -> list[list[Trip]]:
    """Each base's vehicle's trips, in order. The nearest that are free are sent."""
    trips: list[list[Trip]] = [[] for _ in bases]
    for call in sorted(calls, key=lambda each: (each.at, each.key)):
        left = call.at
        free = [n for n, own in enumerate(trips) if not own or own[-1].back <= left]
        free.sort(key=lambda n: (distance_km(*bases[n], *call.point), n))
        for n in free[: call.units]:
            way = driving(bases[n], call.point, speed_kmh)
            arrived = left + way
            leaves = max(call.until, arrived + timedelta(minutes=5))
            trips[n].append(Trip(call, left, arrived, leaves, leaves + way))
    return trips


def driving(start: Point, end: Point, speed_kmh: float) -> timedelta:
    """How long a vehicle takes from one point to another."""
    return timedelta(hours=_DETOUR * distance_km(*start, *end) / speed_kmh, seconds=30)


def stand(base: Point, trips: Sequence[Trip], at: datetime, speed_kmh: float) -> Fix:
    """Where a vehicle with these trips is."""
    for trip in trips:
        if not trip.left <= at < trip.back:
            continue
        if at < trip.arrived:
            part = (at - trip.left) / (trip.arrived - trip.left)
            return _on_the_way(base, trip.call.point, part, speed_kmh, "going", trip)
        if at < trip.leaves:
            return Fix(trip.call.point, 0.0, 0.0, "there", trip)
        part = (at - trip.leaves) / (trip.back - trip.leaves)
        return _on_the_way(trip.call.point, base, part, speed_kmh, "returning", trip)
    return Fix(base, 0.0, 0.0, "standby")


def along(start: Point, end: Point, part: float) -> tuple[Point, float]:
    """The point after `part` (0 to 1) of the way, and the heading there.

    First along the one axis, then along the other, as streets mostly do.
    """
    north, east = abs(end[0] - start[0]), abs(end[1] - start[1])
    done = min(max(part, 0.0), 1.0) * (north + east)
    if done < north:
        step = math.copysign(done, end[0] - start[0])
        return (start[0] + step, start[1]), 0.0 if end[0] > start[0] else 180.0
    step = math.copysign(done - north, end[1] - start[1])
    return (end[0], start[1] + step), 90.0 if end[1] > start[1] else 270.0


def _on_the_way(
    start: Point, end: Point, part: float, speed_kmh: float, doing: Doing, trip: Trip
) -> Fix:
    point, heading = along(start, end, part)
    # Slower where streets are joined and left.
    slowed = speed_kmh * (0.35 + 0.65 * min(1.0, 8 * part, 8 * (1 - part)))
    return Fix(point, heading, round(slowed, 1), doing, trip)
