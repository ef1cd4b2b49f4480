"""BPKAD's monthly mirror of SIPD (the budget, and what of it came in or was spent) and cash book.

Three files a month, sent on the fifth of the next: revenue by account, spending by OPD, financing
by account, cumulative since January. On working days the balance of the city's account. One month
of the running year is corrected a week later (rev2). The fault `slip` prints one amount of the
newest revenue file a thousand times too high: juta taken for miliar.
"""

from __future__ import annotations

from functools import partial

from simulator.apbd.files import plan
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
