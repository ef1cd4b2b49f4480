"""BPKAD's monthly mirror of SIPD: the budget and what of it came in or was spent.

Two files a month, sent on the fifth of the next: revenue by account, spending by OPD, cumulative
since January. One month of the running year is corrected a week later (rev2). The fault `slip`
prints one amount of the newest revenue file a thousand times too high: juta taken for miliar.
"""

from __future__ import annotations

from functools import partial

from simulator.apbd.books import plan
from simulator.city_life import Town
from simulator.department import Department
from simulator.drop import make_file_department
from simulator.settings import SimulatorSettings


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its files in `drop/apbd`."""
    return make_file_department(
        settings,
        partial(plan, town, settings.seed),
        department_id="apbd",
        name="BPKAD: realisasi APBD",
        protocol="CSV",
        fault_kinds=("slip",),
    )
