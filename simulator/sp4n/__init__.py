"""SP4N-LAPOR!, the national complaint system, as a city might read its own complaints from it.

The shape of its complaint list is not public. What is spoken here was made up from how Indonesian
national systems usually answer; to read the real one, only the source's configuration differs.
"""

from __future__ import annotations

from simulator.city_life import Town
from simulator.department import INTERNET, Department
from simulator.desk import Desk
from simulator.faults import Confusion, Faults
from simulator.life import Rhythm
from simulator.settings import SimulatorSettings
from simulator.sp4n.api import CLIENT_ID, CLIENT_SECRET, Api
from simulator.sp4n.kinds import KINDS
from simulator.sp4n.tokens import Tokens
from simulator.store import Store

#: Palembang had 171 in most of 2019; today's figure is not public, this one is the simulation's.
PER_DAY = 3.0

_CONFUSION = Confusion(
    "nomor_tiket",
    (
        {"lokasi": {"koordinat": {"lon": 104.76, "lat": -2.99}}},
        {"nomor_tiket": {"id": 7}},
        {"tanggal": {"masuk": ["kemarin"], "perubahan": 20261121}},
        {"isi": 12345, "status": "diproses", "kategori": ["101"]},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its database `sp4n.sqlite3` opened (made when missing)."""
    store = Store(settings.data_dir / "sp4n.sqlite3")
    rhythm = Rhythm("SP4N", PER_DAY, ("sp4n",))
    life = Desk(
        store, town, settings.seed, settings.factor, rhythm=rhythm, kinds=KINDS, verifies=True
    )
    faults = Faults()
    tokens = Tokens(f"sp4n/{settings.seed}", settings.clock)
    return Department(
        id="sp4n",
        name="SP4N-LAPOR!",
        protocol="REST JSON",
        path="/api/pengaduan/daftar",
        note=f"client_id={CLIENT_ID} client_secret={CLIENT_SECRET}",
        routes=Api(store, town, faults, tokens).routes(),
        controls=[],
        faults=faults,
        confusion=_CONFUSION,
        tags=frozenset({INTERNET}),
        advance=life.advance,
        close=store.close,
    )
