"""Bapenda: the PBB tables of SISMIOP, and what other local taxes have brought.

`bapenda.sqlite3` in the simulator's folder. Tax payers, objects and Bapenda's own district codes
are invented; the sums of 2023 are Palembang's own (see `figures`), all others are made from them.
"""

from __future__ import annotations

from simulator.bapenda.life import FILE, Office, open_database
from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Faults
from simulator.settings import SimulatorSettings


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its database opened (made when missing)."""
    faults = Faults()
    database = open_database(settings.data_dir)
    office = Office(database, town, settings.seed, faults)
    return Department(
        id="bapenda",
        name="Bapenda (SISMIOP dan pajak daerah)",
        protocol="SQL (SQLite)",
        note=f"{FILE} di folder simulator; tabel SPPT, PEMBAYARAN_SPPT, REKAP_PBB, REALISASI_PAJAK",
        faults=faults,
        advance=office.advance,
        close=database.close,
    )
