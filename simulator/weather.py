"""The one weather of the simulated city: what every department's instruments measure.

It follows from the seed and from what somebody made happen (`Town.happenings`), so departments
agree without talking: the storms over which citizens complain to e-lapor are those that fill the
rain gauges and, a little later, the streets. All figures are the simulation's own; they are shaped
after an equatorial river town, not measured in Palembang.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial

from simulator.city_life import Neighbourhood, Storm, Town, distance_km, random_for, storm_on
from simulator.happenings import Rain

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_STEP, _RIVER_STEP = timedelta(minutes=5), timedelta(hours=1)
#: After this no water of a storm stands in a street any more.
_DRAINED = timedelta(hours=14)
#: What the drains of a street swallow; runoff needs a while to reach its lowest place.
_DRAIN_MM_H, _RUNOFF_MIN, _DRAIN_MIN = 12.0, 25.0, 100.0
_DEEPEST_CM = 120.0
#: A river above this holds the drains' outlets shut, and streets stay under water for longer.
_HIGH_RIVER_CM = 250.0
_CITY_KM2 = 400.0


@dataclass(frozen=True, slots=True)
class Wind:
    """`speed_kmh`, and `direction_deg` from which it blows (0 is north, 90 east)."""

    speed_kmh: float
    direction_deg: float


class Weather:
    """The weather of a town. Any number of these with one town and seed agree.

    All instants are aware; latitude and longitude are degrees WGS84.
    """

    def __init__(self, town: Town, seed: int) -> None:
        self._town = town
        self._seed = seed
        self._scheduled = lru_cache(maxsize=400)(partial(storm_on, town, seed))
        self._bowl = lru_cache(maxsize=10_000)(self._drawn_bowl)

    def storms(self, since: datetime, until: datetime) -> list[Storm]:
        """All storms of which some part falls into the span, by their start."""
        day = (since - timedelta(days=1)).astimezone(self._town.timezone).date()
        last = until.astimezone(self._town.timezone).date()
        found = []
        while day <= last:
            if (storm := self._scheduled(day)) is not None:
                found.append(storm)
            day += timedelta(days=1)
        found += [self._made(rain) for rain in self._town.happenings.rains]
        return sorted(
            (storm for storm in found if storm.start <= until and storm.end >= since),
            key=lambda storm: (storm.start, storm.key),
        )

    def rain_mm_h(self, latitude: float, longitude: float, at: datetime) -> float:
        """How hard it rains at a point, in millimetres an hour; of two storms the harder one."""
        return _hardest(self._over(latitude, longitude, at, at), at)

    def rain_mm(self, latitude: float, longitude: float, since: datetime, until: datetime) -> float:
        """How much rain fell on a point in a span, in millimetres."""
        return _fallen(self._over(latitude, longitude, since, until), since, until)

    def flood_cm(self, latitude: float, longitude: float, at: datetime) -> float:
        """How deep water stands in the street at a point, in centimetres; 0 when it is dry.

        It follows the rain by about half an hour, is deepest in the kelurahan that lie low (the
        seed says which), and drains for hours, longer while the river is high.
        """
        since = at - _DRAINED
        over = self._over(latitude, longitude, since, at)
        if not over:
            return 0.0
        step_h, step_min = _STEP.total_seconds() / 3600, _minutes(_STEP)
        begun = now = min(storm.start for storm, _ in over)
        on_the_way = standing = 0.0
        shut = 1.0
        while now < at:
            if (now - begun) % _RIVER_STEP == timedelta(0):
                shut = 1 + max(0.0, self.river_cm(now) - _HIGH_RIVER_CM) / 60
            after = min(now + _STEP, at)
            part = (after - now) / _STEP
            rain = _fallen(over, now, after)
            flowing = on_the_way * step_min * part / _RUNOFF_MIN
            on_the_way += max(0.0, rain - _DRAIN_MM_H * step_h * part) - flowing
            standing += flowing - standing * step_min * part / (_DRAIN_MIN * shut)
            now = after
        # Deeper water spreads instead of rising.
        bowl = self._bowl(latitude, longitude) / 10
        depth = _DEEPEST_CM * (1 - math.exp(-standing * bowl / _DEEPEST_CM))
        return depth if depth >= 0.5 else 0.0

    def river_cm(self, at: datetime) -> float:
        """The Musi above the zero of its gauge, in centimetres.

        Two tides a day, higher at springs, on top of a seasonal level; runoff of storms comes
        hours after the rain and is gone in two days.
        """
        hours = at.timestamp() / 3600
        moon = 55 * math.cos(math.tau * hours / 12.4206) + 18 * math.cos(math.tau * hours / 12.0)
        day = 12 * math.cos(math.tau * hours / 23.9345)
        season = 35 * math.cos(math.tau * (hours / 24 - 45) / 365.25)  # highest in February
        made = sum(
            tide.cm * _strength(_minutes(at - tide.at), tide.minutes, rise=0.25)
            for tide in self._town.happenings.tides
        )
        return 170 + season + moon + day + made + self._runoff_cm(at)

    def temperature_c(self, latitude: float, longitude: float, at: datetime) -> float:
        """Degrees Celsius: warmest about 14:00, and some degrees cooler after rain."""
        local = at.astimezone(self._town.timezone)
        hour = local.hour + local.minute / 60
        today, tomorrow = local.date(), local.date() + timedelta(days=1)
        warmth = self._warmth(today) * (1 - hour / 24) + self._warmth(tomorrow) * hour / 24
        dry = 28.2 + warmth + 4.0 * math.cos(math.tau * (hour - 14) / 24)
        rain = self.rain_mm(latitude, longitude, at - timedelta(hours=1), at)
        return dry - 4.5 * (1 - math.exp(-rain / 10))

    def _warmth(self, day: date) -> float:
        return random_for(self._seed, "warmth", day).uniform(-1.0, 1.0)

    def humidity(self, latitude: float, longitude: float, at: datetime) -> float:
        """Relative humidity in percent: high at night and in rain."""
        rain = self.rain_mm(latitude, longitude, at - timedelta(hours=1), at)
        dry = 96 - 4.3 * (self.temperature_c(latitude, longitude, at) - 24)
        return min(99.0, max(45.0, dry + 8 * (1 - math.exp(-rain / 10))))

    def wind(self, latitude: float, longitude: float, at: datetime) -> Wind:
        """Light at night, a breeze by day, and gusts where it rains.

        From the north-west in the wet half of the year, from the south-east in the dry one.
        """
        local = at.astimezone(self._town.timezone)
        rng = random_for(self._seed, "wind", f"{local:%Y%m%d%H}")
        by_day = max(0.0, math.sin(math.tau * (local.hour + local.minute / 60 - 7) / 24))
        gusts = 0.45 * self.rain_mm_h(latitude, longitude, at)
        main = 315 if local.month in (10, 11, 12, 1, 2, 3, 4) else 135
        return Wind(3 + 9 * by_day + rng.uniform(0, 4) + gusts, (main + rng.gauss(0, 25)) % 360)

    def _made(self, rain: Rain) -> Storm:
        """The storm that somebody asked for."""
        return Storm(
            key=f"{rain.at.astimezone(self._town.timezone):%Y%m%d}-M{rain.number}",
            start=rain.at,
            area=self._town.in_kecamatan(rain.kecamatan),
            strength=min(8.0, max(1.5, 1 + rain.mm_h * rain.minutes / 60 / 30)),
            mm_h=rain.mm_h,
            minutes=rain.minutes,
        )

    def _over(
        self, latitude: float, longitude: float, since: datetime, until: datetime
    ) -> list[tuple[Storm, float]]:
        """The storms over a point in a span, each with the part of it that falls there."""
        return [
            (storm, reach)
            for storm in self.storms(since, until)
            if (reach := _reach(storm, latitude, longitude)) > 0.01
        ]

    def _runoff_cm(self, at: datetime) -> float:
        total = 0.0
        for storm in self.storms(at - timedelta(hours=48), at):
            caught = sum(place.area_km2 for place in storm.area) / _CITY_KM2
            fallen = _poured(storm, storm.start, at)
            six_hours = (at - storm.start) / timedelta(hours=6)
            total += 1.2 * fallen * caught * six_hours * math.exp(1 - six_hours)
        return total

    def _drawn_bowl(self, latitude: float, longitude: float) -> float:
        """How much of the water around gathers at a point: one figure for each kelurahan."""
        code = self._nearest(latitude, longitude).code
        return random_for(self._seed, "bowl", code).uniform(3.0, 13.0)

    def _nearest(self, latitude: float, longitude: float) -> Neighbourhood:
        return min(
            self._town.neighbourhoods,
            key=lambda place: distance_km(latitude, longitude, place.latitude, place.longitude),
        )


def _reach(storm: Storm, latitude: float, longitude: float) -> float:
    """What part of a storm falls on a point: all inside its area, less and less around it."""
    nearest = min(
        (
            distance_km(latitude, longitude, place.latitude, place.longitude)
            - 1.1 * math.sqrt(place.area_km2 / math.pi)
            - 0.3
            for place in storm.area
        ),
        default=math.inf,
    )
    return 1.0 if nearest <= 0 else math.exp(-((nearest / 0.8) ** 2))


def _strength(minute: float, minutes: float, rise: float = 0.15) -> float:
    """0 to 1: how far something is in force that rises, stays, and falls in its last third."""
    if not 0 < minute < minutes:
        return 0.0
    begun = min(1.0, minute / (rise * minutes))
    return min(begun, (minutes - minute) / (0.3 * minutes))


def _so_far(minute: float, minutes: float, rise: float = 0.15) -> float:
    """The integral of `_strength` from the beginning on, in minutes."""
    at = min(max(minute, 0.0), minutes)
    first, last = rise * minutes, 0.7 * minutes
    if at <= first:
        return at * at / (2 * first) if first else 0.0
    if at <= last:
        return at - first / 2
    left, fall = minutes - at, minutes - last
    return last - first / 2 + fall / 2 - left * left / (2 * fall)


def _hardest(over: Sequence[tuple[Storm, float]], at: datetime) -> float:
    return max(
        (
            storm.mm_h * reach * _strength(_minutes(at - storm.start), storm.minutes)
            for storm, reach in over
        ),
        default=0.0,
    )


def _fallen(over: Sequence[tuple[Storm, float]], since: datetime, until: datetime) -> float:
    """What the storms over a point gave it in a span, in millimetres."""
    over = [each for each in over if each[0].start < until and each[0].end > since]
    if len(over) == 1:
        ((storm, reach),) = over
        return reach * _poured(storm, since, until)
    # Of several the harder one counts, minute by minute.
    total, now = 0.0, max(since, min((storm.start for storm, _ in over), default=until))
    until = min(until, max((storm.end for storm, _ in over), default=until))
    while now < until:
        after = min(now.replace(second=0, microsecond=0) + _MINUTE, until)
        total += _hardest(over, now + (after - now) / 2) * ((after - now) / _HOUR)
        now = after
    return total


def _poured(storm: Storm, since: datetime, until: datetime) -> float:
    """What one storm gave every place in its area."""
    before = _so_far(_minutes(since - storm.start), storm.minutes)
    after = _so_far(_minutes(until - storm.start), storm.minutes)
    return storm.mm_h / 60 * max(0.0, after - before)


def _minutes(span: timedelta) -> float:
    return span.total_seconds() / 60
