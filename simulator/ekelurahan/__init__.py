"""e-kelurahan: letters asked for at the counters of 107 kelurahan, over REST JSON with cursors."""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import Department
from simulator.ekelurahan.api import TOKEN, Api
from simulator.ekelurahan.letters import LONGEST, Counters
from simulator.faults import Confusion, Faults
from simulator.register import Register
from simulator.settings import SimulatorSettings

_CONFUSION = Confusion(
    "idSurat",
    (
        {"kelurahan": "26 Ilir"},
        {"idSurat": {"tahun": 2026, "urut": 7}},
        {"waktuPengajuan": ["kemarin"], "waktuPerubahan": 20261121},
        {"status": 1, "jenisSurat": ["SKD"]},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; it keeps nothing."""
    counters = Counters(town, settings.seed, settings.factor)
    register = Register(counters.letters_on, town.timezone, LONGEST)
    faults = Faults()
    return Department(
        id="ekelurahan",
        name="e-kelurahan",
        protocol="REST JSON",
        path="/api/v1/surat",
        note=f"Authorization: Bearer {TOKEN}",
        routes=Api(register, town, faults, settings.clock).routes(),
        faults=faults,
        confusion=_CONFUSION,
    )
