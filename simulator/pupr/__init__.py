"""PUPR's works on roads and drains, and its heavy equipment: two layers of an ArcGIS server.

`/pupr/arcgis/rest/services/PUPR/Pekerjaan/FeatureServer/0` (works, lines) and `/1` (equipment,
points), with the token "demo" as `X-Esri-Authorization: Bearer demo` or `token=demo`.
"""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import Department
from simulator.desk import Desk
from simulator.faults import Confusion, Faults
from simulator.life import Rhythm
from simulator.pupr.equipment import Equipment
from simulator.pupr.kinds import KINDS
from simulator.pupr.server import SERVICE, TOKEN, Server
from simulator.settings import SimulatorSettings
from simulator.store import Store

#: The simulation's own figure.
PER_DAY = 5.0

_CONFUSION = Confusion(
    "attributes",
    (
        {"attributes": ["bukan", "objek"]},
        {"attributes": {"NOMOR": {"tahun": 2026}, "KODE_UNIT": ["DT", 1]}},
        {"attributes": {"NOMOR": "PU-X", "KODE_UNIT": "X", "TGL_USUL": "kemarin"}},
        {"geometry": {"x": "NaN", "paths": "bukan garis"}},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its database `pupr.sqlite3` opened (made when missing)."""
    store = Store(settings.data_dir / "pupr.sqlite3")
    rhythm = Rhythm("PU", PER_DAY, ("pupr",))
    life = Desk(store, town, settings.seed, settings.factor, rhythm=rhythm, kinds=KINDS)
    faults = Faults()
    equipment = Equipment(store, town, settings.seed)
    server = Server(store, town, faults, equipment, settings.clock)
    return Department(
        id="pupr",
        name="PUPR",
        protocol="ArcGIS FeatureServer",
        path=f"{SERVICE}/0",
        note=f"token: {TOKEN}",
        routes=server.routes(),
        faults=faults,
        confusion=_CONFUSION,
        advance=life.advance,
        close=store.close,
    )
