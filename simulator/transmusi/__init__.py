"""Trans Musi's buses, invented: three GTFS-Realtime feeds.

`GET /transmusi/gtfs-rt/{vehicle-positions,trip-updates,alerts}` in protocol buffers, with the key
in `X-Api-Key`. No public feed of Palembang's was found: the shape is the standard's, the corridors,
buses and timetables are the simulation's own.
"""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import INTERNET, Department
from simulator.faults import Faults
from simulator.settings import SimulatorSettings
from simulator.transmusi.api import API_KEY, Api


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; all that it says follows from the seed and the time.

    Its own fault "stuck" answers with a feed that stopped `amount` seconds ago.
    """
    faults = Faults()
    return Department(
        id="transmusi",
        name="Trans Musi",
        protocol="GTFS-Realtime",
        path="/gtfs-rt/vehicle-positions",
        note=f"X-Api-Key: {API_KEY}",
        routes=Api(town, settings, faults).routes(),
        faults=faults,
        fault_kinds=("stuck",),
        tags=frozenset({INTERNET}),
    )
