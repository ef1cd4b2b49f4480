"""The buses: where each is at any instant, how late, and which streets they have to avoid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.city_life import Neighbourhood, Storm, Town, random_for
from simulator.seasons import is_school_day
from simulator.transmusi.corridors import Corridor, corridors_of
from simulator.weather import Weather

#: The simulation's own: an average with its stops, and how long a bus stands at each.
SPEED_KMH = 24.0
_STAND = timedelta(seconds=25)
_TURN = timedelta(minutes=6)
_FIRST_HOUR, _LAST_HOUR = 5, 21
_EVERY_MIN = 20.0
#: What a millimetre of rain in the last hour adds, and the most that a bus is late.
_PER_MM_S, _MOST_S = 22.0, 2_400.0
#: What the way to school adds at its height.
_SCHOOL_S = 120.0
#: From here on a street is closed to buses.
CLOSED_CM = 20.0
_DRAINED = timedelta(hours=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """One bus at one instant. `trip` is None while it stands at its first stop out of service.

    `next_stop` is the index of the stop that it drives to or stands at; `load` 0 to 1.
    """

    id: str
    label: str
    corridor: Corridor
    trip: str | None
    back: bool
    latitude: float
    longitude: float
    bearing: float
    speed_kmh: float
    stands: bool
    next_stop: int
    delay_s: int
    load: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A street under water at a stop. `since` is when the rain behind it began."""

    corridor: Corridor
    stop: Neighbourhood
    since: datetime
    depth_cm: float
    key: str


class Fleet:
    """All buses of the town. Any number of these with one town and seed agree."""

    def __init__(self, town: Town, weather: Weather, seed: int, factor: float = 1.0) -> None:
        self._town = town
        self._weather = weather
        self._seed = seed
        self._factor = factor
        self.corridors = corridors_of(town)

    def buses(self, at: datetime) -> list[Bus]:
        """Every bus, those out of service too."""
        local = at.astimezone(self._town.timezone)
        runs = _FIRST_HOUR <= local.hour < _LAST_HOUR
        found = []
        for corridor in self.corridors:
            delay = self.delay_s(corridor, at)
            count = max(
                1, round(2 * _one_way(corridor) / timedelta(minutes=_EVERY_MIN) * self._factor)
            )
            numbers = range(min(count, 60))
            if runs:
                found += [self._bus(corridor, each, count, at, delay) for each in numbers]
            else:
                found += [self._resting(corridor, each) for each in numbers]
        return found

    def delay_s(self, corridor: Corridor, at: datetime) -> int:
        """How late buses of a corridor are: a little by the hour, more by the rain on it."""
        hour = at.astimezone(self._town.timezone)
        busy = 70 * max(0.0, math.cos(math.tau * (hour.hour + hour.minute / 60 - 17) / 12))
        usual = random_for(self._seed, "delay", corridor.id, hour.date()).uniform(0, 60)
        school = _SCHOOL_S * _school_run(hour)
        rain = sum(
            self._weather.rain_mm(stop.latitude, stop.longitude, at - timedelta(hours=1), at)
            for stop in corridor.stops
        ) / len(corridor.stops)
        return round(min(_MOST_S, usual + busy + school + _PER_MM_S * rain))

    def closures(self, at: datetime) -> list[Closure]:
        """The stops that no bus can serve because the street is under water."""
        storms = self._weather.storms(at - _DRAINED, at)
        found = []
        for corridor in self.corridors if storms else ():
            for stop in corridor.stops:
                over = [each for each in storms if stop in each.area and each.start <= at]
                depth = self._weather.flood_cm(stop.latitude, stop.longitude, at) if over else 0.0
                if depth >= CLOSED_CM:
                    found.append(_closure(corridor, stop, over[-1], depth))
        return found

    def _resting(self, corridor: Corridor, number: int) -> Bus:
        stop = corridor.stops[0]
        return Bus(
            id=_id(corridor, number),
            label=_label(corridor, number),
            corridor=corridor,
            trip=None,
            back=False,
            latitude=stop.latitude,
            longitude=stop.longitude,
            bearing=0.0,
            speed_kmh=0.0,
            stands=True,
            next_stop=0,
            delay_s=0,
            load=0.0,
        )

    def _bus(self, corridor: Corridor, number: int, count: int, at: datetime, delay_s: int) -> Bus:
        one_way = _one_way(corridor)
        whole = 2 * (one_way + _TURN)
        turn = at.timestamp() - delay_s + number / count * whole.total_seconds()
        round_number, into_s = divmod(turn, whole.total_seconds())
        half_s = whole.total_seconds() / 2
        back = into_s >= half_s
        along_km, stands, stop = _progress(corridor, into_s % half_s, back=back)
        latitude, longitude, bearing = corridor.point(along_km, back=back)
        trip = (
            f"{corridor.id}-{int(round_number) % 100_000}-{number + 1:02d}-{'B' if back else 'A'}"
        )
        rng = random_for(self._seed, "load", trip, stop)
        slow = 1 / (1 + delay_s / 1_800)
        return Bus(
            id=_id(corridor, number),
            label=_label(corridor, number),
            corridor=corridor,
            trip=trip,
            back=back,
            latitude=latitude,
            longitude=longitude,
            bearing=bearing,
            speed_kmh=0.0 if stands else round(SPEED_KMH * slow, 1),
            stands=stands,
            next_stop=stop,
            delay_s=delay_s,
            load=rng.betavariate(2, 3),
        )


def _progress(corridor: Corridor, seconds: float, *, back: bool) -> tuple[float, bool, int]:
    """How far along a bus is so long after it set out, whether it stands, and its next stop."""
    order = list(range(len(corridor.stops)))
    if back:
        order.reverse()
    left = seconds
    for index, stop in enumerate(order):
        if left < _STAND.total_seconds() or index == len(order) - 1:
            return corridor.marks_km[stop], True, stop
        left -= _STAND.total_seconds()
        here, there = corridor.marks_km[stop], corridor.marks_km[order[index + 1]]
        takes = abs(there - here) / SPEED_KMH * 3600
        if left < takes:
            return here + (there - here) * left / takes, False, order[index + 1]
        left -= takes
    raise AssertionError("a corridor has stops")


def _one_way(corridor: Corridor) -> timedelta:
    driving = timedelta(hours=corridor.length_km / SPEED_KMH)
    return driving + len(corridor.stops) * _STAND


def _closure(corridor: Corridor, stop: Neighbourhood, storm: Storm, depth: float) -> Closure:
    return Closure(
        corridor=corridor,
        stop=stop,
        since=storm.start,
        depth_cm=depth,
        key=f"banjir-{storm.key}-{corridor.id}-{stop.code}",
    )


def _id(corridor: Corridor, number: int) -> str:
    return f"SIM-{corridor.id}-{number + 1:02d}"


def _label(corridor: Corridor, number: int) -> str:
    return f"Bus {corridor.id[2:]}{number + 1:02d}"


def _school_run(local: datetime) -> float:
    """How full the streets are of children on their way, 0 to 1: from 6:00 to 7:30 in term."""
    if not is_school_day(local.date()):
        return 0.0
    hours = local.hour + local.minute / 60 + local.second / 3600
    return max(0.0, math.cos(math.pi * (hours - 6.75) / 1.5)) if 6 <= hours <= 7.5 else 0.0
