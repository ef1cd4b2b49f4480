"""e-puskesmas: the clinics' own SQL database, with its patients in it.

`epuskesmas.sqlite3` in the simulator's folder. Clinics, drugs, patients and all figures are
invented; only the kelurahan are real.
"""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import Department
from simulator.epuskesmas.life import FILE, open_database
from simulator.epuskesmas.life import Clinics as _Clinics
from simulator.faults import Faults
from simulator.settings import SimulatorSettings


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its database opened (made when missing)."""
    faults = Faults()
    database = open_database(settings.data_dir)
    life = _Clinics(database, town, settings.seed, settings.factor, faults)
    return Department(
        id="epuskesmas",
        name="e-puskesmas (Dinas Kesehatan)",
        protocol="SQL (SQLite)",
        note=f"{FILE} di folder simulator; tabel puskesmas, kunjungan, rekap_harian, antrian, "
        "stok_obat",
        faults=faults,
        advance=life.advance,
        close=database.close,
    )
