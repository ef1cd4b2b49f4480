"""Dinkes' register of pregnant women: a workbook a week, one row a visit, full of personal data.

Everybody in it is made up (`simulator.people`). What a command centre may keep of it are counts;
the file is here so that leaving out the rest is really tested. The share of a year's pregnancies
that shows up is scaled down: a week's file holds some 250 visits, not thousands.
"""

from __future__ import annotations

from functools import partial

from simulator.city_life import Town
from simulator.department import Department
from simulator.drop import DropFolder
from simulator.faults import Faults
from simulator.ibu_hamil.register import plan
from simulator.settings import SimulatorSettings


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its files in `drop/ibu_hamil`."""
    faults = Faults()
    folder = DropFolder(
        settings.drop_dir / "ibu_hamil",
        faults,
        partial(plan, town, settings.seed, settings.factor),
    )
    return Department(
        id="ibu_hamil",
        name="Dinkes: ibu hamil",
        protocol="XLSX",
        note=f"files: {settings.drop_dir / 'ibu_hamil'}",
        faults=faults,
        advance=folder.advance,
        close=folder.close,
    )
