"""Satpol PP's list of public order reports: a REST JSON API of its own shape.

`GET /satpolpp/api/laporan?page=1&per_page=50[&diubah_sejak=ISO]`, with the key in `X-Api-Key`.
"""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import Department
from simulator.desk import Desk
from simulator.faults import Confusion, Faults
from simulator.life import Rhythm
from simulator.satpolpp.api import API_KEY, Api
from simulator.satpolpp.kinds import KINDS
from simulator.settings import SimulatorSettings
from simulator.store import Store

#: The simulation's own figure, which storms do not change.
PER_DAY = 4.0

_CONFUSION = Confusion(
    "nomor",
    (
        {"lokasi": ["Jalan", "Lorong"]},
        {"nomor": {"tahun": 2026, "urut": 7}},
        {"tanggal_lapor": 20261121, "tanggal_ubah": ["kemarin"]},
        {"uraian": 12345, "status": 1, "jenis": ["PKL"]},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its database `satpolpp.sqlite3` opened (made when missing)."""
    store = Store(settings.data_dir / "satpolpp.sqlite3")
    rhythm = Rhythm("PP", PER_DAY, ("satpolpp",))
    life = Desk(
        store, town, settings.seed, settings.factor, rhythm=rhythm, kinds=KINDS, verifies=True
    )
    faults = Faults()
    return Department(
        id="satpolpp",
        name="Satpol PP",
        protocol="REST JSON",
        path="/api/laporan",
        note=f"X-Api-Key: {API_KEY}",
        routes=Api(store, town, faults).routes(),
        controls=[],
        faults=faults,
        confusion=_CONFUSION,
        advance=life.advance,
        close=store.close,
    )
