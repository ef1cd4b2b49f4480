"""DLHK's refuse trucks: `GET tracking/vehicles[?limit=25&page=N]` with HTTP Basic.

Camel case, milliseconds since 1970, "lat,lon" in one text; `links.next` is the whole address of the
next page. From 05:00 to 14:00 a truck goes round its kecamatan and, full, to the landfill.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.armada.trips import Point, along, driving
from simulator.asking import Refusal, read_whole
from simulator.city_life import Town, random_for
from simulator.department import Department
from simulator.faults import Confusion, Faults
from simulator.people import somebody
from simulator.settings import SimulatorSettings

USER, PASSWORD = "demo", "demo"
#: The simulation's own figures, as is the place of its landfill, somewhere in Sukarami.
TRUCKS, LANDFILL = 54, "16.71.07"
DEFAULT_PAGE, LARGEST_PAGE = 25, 100
_SHIFT = time(5), timedelta(hours=9)
_SPEED_KMH, _STOP = 24.0, timedelta(minutes=7)
_STOPS_A_TOUR, _TOURS = 9, 3
_BROKEN = 0.03
_CONFUSION = Confusion(
    "vehicleId",
    (
        {"position": [-2.98, 104.75]},
        {"vehicleId": {"no": 7}},
        {"gpsTime": ["kemarin"]},
        {"engineStatus": 1, "speed": "cepat"},
    ),
)


@dataclass(frozen=True, slots=True)
class Leg:
    """From one point to the next, between two instants; both the same while it stands."""

    start: datetime
    end: datetime
    origin: Point
    target: Point


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a truck is; degrees WGS84."""

    point: Point
    heading: float
    speed_kmh: float
    status: str


class Fleet:
    """Where all trucks are. Any number of these with one town and seed agree."""

    def __init__(self, town: Town, seed: int) -> None:
        self._town = town
        self._seed = seed
        codes = sorted({place.kecamatan for place in town.neighbourhoods})
        #: The kecamatan (code) of each truck, in the order of their numbers.
        self.rounds = tuple(codes[number % len(codes)] for number in range(TRUCKS))
        places = town.in_kecamatan(LANDFILL)
        landfill = max(places, key=lambda place: (place.area_km2, place.code))
        self.depot: Point = (landfill.latitude, landfill.longitude)
        self._legs = lru_cache(maxsize=4 * TRUCKS)(self._scripted)

    def fix(self, number: int, at: datetime) -> Fix:
        """One truck's place."""
        day = at.astimezone(self._town.timezone).date()
        midnight = datetime.combine(day, time(), self._town.timezone)
        if random_for(self._seed, "truck", number, day, "broken").random() < _BROKEN:
            return Fix(self.depot, 0.0, 0.0, "SERVICE")
        for leg in self._legs(number, midnight):
            if leg.start <= at < leg.end:
                if leg.origin == leg.target:
                    return Fix(leg.origin, 0.0, 0.0, "LOADING")
                part = (at - leg.start) / (leg.end - leg.start)
                point, heading = along(leg.origin, leg.target, part)
                return Fix(point, heading, _SPEED_KMH, "MOVING")
        return Fix(self.depot, 0.0, 0.0, "PARKED")

    def _scripted(self, number: int, midnight: datetime) -> tuple[Leg, ...]:
        """A truck's whole day, leg by leg; the last one ends at the depot."""
        rng = random_for(self._seed, "truck", number, midnight.date())
        begin, length = _SHIFT
        now = midnight + timedelta(hours=begin.hour, minutes=rng.uniform(0, 25))
        end, here = now + length, self.depot
        legs: list[Leg] = []

        def go(target: Point, stay: timedelta) -> None:
            nonlocal now, here
            arrived = now + driving(here, target, _SPEED_KMH)
            legs.append(Leg(now, arrived, here, target))
            legs.append(Leg(arrived, arrived + stay, target, target))
            now, here = arrived + stay, target

        places = self._town.in_kecamatan(self.rounds[number])
        for _ in range(_TOURS):
            for _ in range(_STOPS_A_TOUR):
                if now < end:
                    go(self._town.point_in(rng.choice(places), rng), _STOP)
            if here != self.depot:
                go(self.depot, 2 * _STOP)
        return tuple(legs)


@dataclass(frozen=True)
class Api:
    """The endpoint; a skewed clock (see `Faults`) shifts all times it speaks."""

    fleet: Fleet
    faults: Faults
    clock: Clock
    seed: int

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [Route("/tracking/vehicles", self._answer)]

    def _answer(self, request: Request) -> Response:
        good = b"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), good):
            return JSONResponse({"errorCode": "AUTH", "errorMessage": "Unauthorized"}, 401)
        try:
            page = read_whole(request.query_params, "page", 1)
            size = min(read_whole(request.query_params, "limit", DEFAULT_PAGE), LARGEST_PAGE)
        except Refusal as refusal:
            return JSONResponse({"errorCode": "QUERY", "errorMessage": refusal.sentence}, 400)
        numbers = range(TRUCKS)[(page - 1) * size : page * size]
        following = request.url.include_query_params(page=page + 1, limit=size)
        return JSONResponse(
            {
                "vehicles": [self._speak(number) for number in numbers],
                "links": {"next": str(following) if page * size < TRUCKS else None},
            }
        )

    def _speak(self, number: int) -> dict[str, Any]:
        now = self.clock()
        fix = self.fleet.fix(number, now)
        driver = somebody(random_for(self.seed, "truck", number, "driver"))
        sent = now + self.faults.skew - timedelta(seconds=(number * 7) % 20)
        return {
            "vehicleId": f"TS-{number + 1:03d}",
            "vehicleName": f"Truk sampah {number + 1}",
            "position": f"{fix.point[0]:.6f},{fix.point[1]:.6f}",
            "gpsTime": int(sent.timestamp() * 1000),
            "speed": fix.speed_kmh,
            "course": fix.heading,
            "engineStatus": fix.status,
            "serviceArea": self.fleet.rounds[number],
            "driverName": driver.name,
            "driverPhone": driver.phone,
        }


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; it keeps nothing."""
    faults = Faults()
    api = Api(Fleet(town, settings.seed), faults, settings.clock, settings.seed)
    return Department(
        id="truk_sampah",
        name="Truk sampah DLHK",
        protocol="REST JSON",
        path="/tracking/vehicles",
        note=f"Basic {USER}:{PASSWORD}",
        routes=api.routes(),
        faults=faults,
        confusion=_CONFUSION,
    )
