"""PATEN: what the 18 kecamatan counted at their counters, as one file a working day.

On most days the city's clerk collects them into a CSV of Windows-Excel (semicolons, cp1252, decimal
comma, three lines of title, a total at the end); on Wednesdays everybody fills in a sheet of one
workbook. Names of services are real kinds of service; all counts are the simulation's own.
"""

from __future__ import annotations

from functools import partial

from simulator.city_life import Town
from simulator.department import Department
from simulator.drop import make_file_department
from simulator.paten.counters import plan
from simulator.settings import SimulatorSettings


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its files in `drop/paten`."""
    return make_file_department(
        settings,
        partial(plan, town, settings.seed, settings.factor),
        department_id="paten",
        name="PATEN (18 kecamatan)",
        protocol="CSV/XLSX",
    )
