"""BMKG's open data, invented: earthquakes, the forecast by kelurahan, and warnings as CAP.

`GET /bmkg/DataMKG/TEWS/{autogempa,gempaterkini,gempadirasakan}.json`,
`GET /bmkg/publik/prakiraan-cuaca?adm4=16.71.01.1001`,
`GET /bmkg/alerts/nowcast/id` (RSS) and the CAP documents that it links to. No key; 60 requests a
minute from one address, then 429.
"""

from __future__ import annotations

from simulator.bmkg.api import Api
from simulator.city_life import Town
from simulator.department import INTERNET, Department
from simulator.faults import Confusion, Faults
from simulator.settings import SimulatorSettings

_CONFUSION = Confusion(
    "Coordinates",
    (
        {"Coordinates": ["-4.5", "102.1"]},
        {"DateTime": 20261121},
        {"Magnitude": {"nilai": 5}, "Coordinates": "tidak diketahui"},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; all that it says follows from the seed and the time."""
    faults = Faults()
    return Department(
        id="bmkg",
        name="BMKG",
        protocol="JSON, RSS + CAP 1.2",
        path="/DataMKG/TEWS/autogempa.json",
        routes=Api(town, settings, faults).routes(),
        faults=faults,
        confusion=_CONFUSION,
        tags=frozenset({INTERNET}),
    )
