"""Disdukcapil: coverage and daily work, in an envelope that answers 200 whatever happened."""

from __future__ import annotations

from lawang.city import load_city
from simulator.city_life import Town
from simulator.department import Department
from simulator.disdukcapil.api import HIDDEN_FAULT, USER_KEY, Api
from simulator.disdukcapil.figures import Figures
from simulator.faults import Confusion, Faults
from simulator.settings import SimulatorSettings

_CONFUSION = Confusion(
    "kdKec",
    (
        {"tglData": ["kemarin"], "tglPelayanan": ["kemarin"]},
        {"kdKec": {"kode": 7}},
        {"wajibKtp": "banyak", "ktpDiajukan": "banyak"},
        {"tglData": "31-02-2026", "tglPelayanan": "31-02-2026"},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; it keeps nothing."""
    city = load_city(settings.pack_dir, simulated=True)
    kecamatan = {region.code: (region.bps_code or "", region.name) for region in city.kecamatan}
    faults = Faults()
    figures = Figures(town, settings.seed, settings.factor)
    api = Api(figures, town, kecamatan, faults, settings.clock, settings.seed)
    return Department(
        id="disdukcapil",
        name="Disdukcapil",
        protocol="REST JSON",
        path="/api/v1/layanan",
        note=f"user_key: {USER_KEY}",
        routes=api.routes(),
        faults=faults,
        fault_kinds=(HIDDEN_FAULT,),
        confusion=_CONFUSION,
    )
