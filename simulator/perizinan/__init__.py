"""DPMPTSP's licences, as OSS-RBA words them: a POST query with its paging in the body."""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Confusion, Faults
from simulator.perizinan.api import USER_KEY, Api
from simulator.perizinan.licences import LONGEST, Office
from simulator.register import Register
from simulator.settings import SimulatorSettings

_CONFUSION = Confusion(
    "IZINSTATUS",
    (
        {"dataNIB": "9900000000001"},
        {"IZINSTATUS": [{"id_izin": {"urut": 7}, "tgl_status": "2026-11-20 08:00:00"}]},
        {"IZINSTATUS": [{"id_izin": "I-1", "kd_status": 10, "tgl_status": ["kemarin"]}]},
        {"IZINSTATUS": None},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; it keeps nothing."""
    office = Office(town, settings.seed, settings.factor)
    register = Register(office.licences_on, town.timezone, LONGEST)
    faults = Faults()
    return Department(
        id="perizinan",
        name="Perizinan DPMPTSP",
        protocol="REST JSON (POST)",
        path="/api/izin/daftar",
        note=f"user_key: {USER_KEY}",
        routes=Api(register, town, faults, settings.clock).routes(),
        faults=faults,
        confusion=_CONFUSION,
    )
