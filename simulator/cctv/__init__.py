"""The city's cameras as Dishub lists them, playing drawn clips in place of a street.

`GET /cctv/api/cameras`; `/cctv/hls/<id>/index.m3u8` is a live HLS playlist, `/cctv/still/<id>.png`
the present picture. Most public cameras have a link to their playlist, some only to their still.
A dead camera is "offline" in the list, and its picture and playlist are answered 404; some are
dead although the list says "online", and some play what they showed when they froze.
"""

from __future__ import annotations

from simulator.cctv.api import Api
from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Confusion, Faults
from simulator.settings import SimulatorSettings
from simulator.weather import Weather

_CONFUSION = Confusion(
    "cctv_id",
    (
        {"location": {"coordinates": "104.76,-2.99"}},
        {"cctv_id": {"nomor": 7}},
        {"cctv_status": 1, "cctv_title": ["Simpang"], "cctv_opd": "Dishub"},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; everything it shows follows from the seed and the time."""
    faults = Faults()
    api = Api(
        town=town,
        weather=Weather(town, settings.seed),
        seed=settings.seed,
        clock=settings.clock,
        faults=faults,
        base_url=settings.base_url,
    )
    return Department(
        id="cctv",
        name="CCTV Dishub dan Diskominfo",
        protocol="REST JSON",
        path="/api/cameras",
        routes=api.routes(),
        faults=faults,
        confusion=_CONFUSION,
    )
