"""Dinkes's ambulances: `GET v2/units` with a bearer token, snake case, GeoJSON points.

They drive to the calls that `psc119` pushes. Who lies in them is in the answers,
as in real ones: nobody outside the ambulance may read that.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.armada.responders import Responders, between
from simulator.armada.trips import Call, Fix
from simulator.city_life import Neighbourhood, Town, random_for
from simulator.department import Department
from simulator.faults import Confusion, Faults
from simulator.people import somebody
from simulator.rescue import psc119
from simulator.rescue.bases import AMBULANCE_KMH, ambulance_bases
from simulator.rescue.calls import Call as RescueCall
from simulator.settings import SimulatorSettings

TOKEN = "demo"  # noqa: S105 (it is printed in the log and guards nothing)
_STATE = {"standby": "READY", "going": "EN_ROUTE", "there": "ON_SCENE", "returning": "RETURNING"}
_CONFUSION = Confusion(
    "unit_code",
    (
        {"geo": "-2.98,104.75"},
        {"unit_code": {"no": 7}},
        {"last_fix": ["kemarin"]},
        {"state": 1, "velocity": "cepat"},
    ),
)


class Station:
    """Where all ambulances are. Any number of these with one town, seed and factor agree."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        self.bases: tuple[Neighbourhood, ...] = tuple(ambulance_bases(town))
        points = [(place.latitude, place.longitude) for place in self.bases]
        calls = psc119.Calls(town, seed, factor)
        self._crews = Responders(town, calls, points, AMBULANCE_KMH, _sent)

    def fixes(self, at: datetime) -> list[Fix]:
        """Every ambulance's place, in the order of `bases`."""
        return self._crews.fixes(at)


def _sent(call: RescueCall) -> Call | None:
    return between(call, "BERANGKAT", "DIRUJUK", "SELESAI")


@dataclass(frozen=True)
class Api:
    """The endpoint; a skewed clock (see `Faults`) shifts all times it speaks."""

    station: Station
    town: Town
    faults: Faults
    clock: Clock
    seed: int

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [Route("/v2/units", self._answer)]

    def _answer(self, request: Request) -> Response:
        shown = request.headers.get("authorization", "")
        if not hmac.compare_digest(shown.encode(), f"Bearer {TOKEN}".encode()):
            return JSONResponse({"error": "invalid_token"}, 401)
        fixes = self.station.fixes(self.clock())
        units = [self._speak(number, fix) for number, fix in enumerate(fixes, 1)]
        return JSONResponse({"status": "success", "units": units})

    def _speak(self, number: int, fix: Fix) -> dict[str, Any]:
        crew = somebody(random_for(self.seed, "crew", number))
        patient = None
        if fix.trip is not None and fix.doing != "going":
            who = somebody(random_for(self.seed, "patient", fix.trip.call.key))
            patient = {"full_name": who.name, "nik": who.nik, "complaint": "sesak napas"}
        shown = (self.clock() + self.faults.skew).astimezone(self.town.timezone)
        return {
            "unit_code": f"AMB-{number:02d}",
            "display_name": f"Ambulans {number}",
            "geo": {
                "type": "Point",
                "coordinates": [round(fix.point[1], 6), round(fix.point[0], 6)],
            },
            "velocity": fix.speed_kmh,
            "bearing": fix.heading,
            "state": _STATE[fix.doing],
            "last_fix": shown.isoformat(timespec="seconds"),
            "base": {"name": f"Pangkalan {self.station.bases[number - 1].name}"},
            "crew": [{"full_name": crew.name, "phone": crew.phone}],
            "patient": patient,
        }


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; it keeps nothing."""
    faults = Faults()
    station = Station(town, settings.seed, settings.factor)
    api = Api(station, town, faults, settings.clock, settings.seed)
    return Department(
        id="ambulans",
        name="Ambulans Dinkes",
        protocol="REST JSON",
        path="/v2/units",
        note=f"Authorization: Bearer {TOKEN}",
        routes=api.routes(),
        faults=faults,
        confusion=_CONFUSION,
    )
