"""Dinkes' register of pregnant women: a workbook a week, one row a visit, full of personal data.

Everybody in it is made up (`simulator.people`). What a command centre may keep of it are counts;
the file is here so that leaving out the rest is really tested. The share of a year's pregnancies
that shows up is scaled down: a week's file holds some 250 visits, not thousands.
"""

from __future__ import annotations

from functools import partial

from simulator.city_life import Town
from simulator.department import Department
from simulator.drop import make_file_department
from simulator.ibu_hamil.register import plan
from simulator.settings import SimulatorSettings


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its files in `drop/ibu_hamil`."""
    return make_file_department(
        settings,
        partial(plan, town, settings.seed, settings.factor),
        department_id="ibu_hamil",
        name="Dinkes: ibu hamil",
        protocol="XLSX",
    )
