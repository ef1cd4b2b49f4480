"""Satu Data: an open data portal that speaks CKAN's action API, version 3.

Four resources have their rows in the DataStore (food prices, visitors, schools, welfare), one is
a file only. Everything in them is the simulation's own.
"""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Confusion, Faults
from simulator.satudata.portal import Portal
from simulator.settings import SimulatorSettings

_CONFUSION = Confusion(
    "_id",
    (
        {"tanggal": "kemarin", "bulan": ["Okt"], "per_tanggal": {"hari": 1}},
        {
            "harga": "habis",
            "wisatawan_nusantara": "banyak",
            "jumlah_siswa": [1],
            "keluarga_pkh": "?",
        },
        {"pasar": {"nama": "x"}, "kecamatan": 5},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The portal; every row follows from the seed and the date."""
    faults = Faults()
    portal = Portal(town, settings.seed, settings.clock, faults)
    return Department(
        id="satudata",
        name="Satu Data",
        protocol="CKAN",
        path="/api/3/action/package_list",
        routes=portal.routes(),
        faults=faults,
        confusion=_CONFUSION,
    )
