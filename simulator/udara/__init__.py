"""DLHK's air quality: `GET api/data-jam[?jam=24]` with HTTP Basic, wide rows, hourly means.

One row is one station's hour; `waktu` is the beginning of the hour, in local time. The instrument
of a gas that was out gives "-". Coordinates are texts with a decimal comma.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.asking import Refusal, read_whole
from simulator.city_life import Town, random_for
from simulator.department import Department
from simulator.faults import Confusion, Faults
from simulator.people import somebody
from simulator.settings import SimulatorSettings
from simulator.udara.air import Air, Station

USER, PASSWORD = "demo", "demo"
DEFAULT_HOURS, MOST_HOURS = 24, 168

_CONFUSION = Confusion(
    "id_stasiun",
    (
        {"waktu": ["kemarin"]},
        {"id_stasiun": {"kode": 7}},
        {"pm25": "tinggi", "lokasi": "Sukarami"},
        {"waktu": "31-02-2026"},
    ),
)


@dataclass(frozen=True)
class Api:
    """The endpoint; a skewed clock (see `Faults`) shifts all times it speaks."""

    air: Air
    town: Town
    faults: Faults
    clock: Clock
    seed: int

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [Route("/api/data-jam", self._answer)]

    def _answer(self, request: Request) -> Response:
        good = b"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), good):
            return JSONResponse({"pesan": "Nama atau sandi salah."}, 401)
        try:
            hours = min(read_whole(request.query_params, "jam", DEFAULT_HOURS), MOST_HOURS)
        except Refusal as refusal:
            return JSONResponse({"pesan": refusal.sentence}, refusal.code)
        # The hour that still runs has no mean yet.
        last = self.clock().replace(minute=0, second=0, microsecond=0)
        times = [last - timedelta(hours=ago) for ago in range(1, hours + 1)]
        rows = [self._speak(each, at) for at in times for each in self.air.stations]
        return JSONResponse({"satuan": "ug/m3", "hasil": rows})

    def _speak(self, station: Station, hour: datetime) -> dict[str, Any]:
        sample = self.air.sample(station, hour)
        local = (hour + self.faults.skew).astimezone(self.town.timezone)
        worker = somebody(random_for(self.seed, "udara", "worker", station.code))
        gases = ("pm25", "pm10", "so2", "no2", "co", "o3")
        values = {name: getattr(sample, name) for name in gases}
        return {
            "id_stasiun": station.code,
            "nama_stasiun": station.name,
            "lokasi": {
                "lintang": f"{station.latitude:.5f}".replace(".", ","),
                "bujur": f"{station.longitude:.5f}".replace(".", ","),
            },
            "waktu": local.strftime("%Y-%m-%d %H:%M:%S"),
            **{name: "-" if value is None else value for name, value in values.items()},
            "petugas": {"nama": worker.name, "hp": worker.phone},
        }


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; it keeps nothing."""
    faults = Faults()
    api = Api(Air(town, settings.seed), town, faults, settings.clock, settings.seed)
    return Department(
        id="udara",
        name="Kualitas udara DLHK",
        protocol="REST JSON",
        path="/api/data-jam",
        note=f"Basic {USER}:{PASSWORD}",
        routes=api.routes(),
        faults=faults,
        confusion=_CONFUSION,
    )
