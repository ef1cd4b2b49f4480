"""The sources of a run: of each kind so many, as a city pack for ours and as a list for the other.

The pack is the city's own (regions, categories, departments) with these sources instead of its.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.ground import PACK

#: Seconds between two polls of a source.
EVERY_S = 10.0
#: How many of 500 sources are of each kind.
SHARES = {
    "still": 150,
    "moving": 75,
    "gauges": 75,
    "fleet": 60,
    "files": 50,
    "table": 50,
    "warnings": 20,
    "slow": 10,
    "dead": 10,
}
#: Left alone for longer and longer by the poller, so no cadence is expected of them.
WITHOUT_CADENCE = frozenset({"dead"})

_HEAD = """name = "Sumber {id}"
description = "Sumber buatan untuk pengukuran"
opd = "diskominfo"
connector = "{connector}"
yields = "{yields}"
every_s = {every_s:g}
timeout_s = 8
late_after_s = 25
stale_after_s = 60
down_after_s = 300
attribution = "Data tiruan, dibuat oleh benchmark"
contact = "Tidak ada"

[network]
loopback = true
"""
_REPORTS = """
[connection]
url = "{url}"
records = "data"

[fields]
external_id = "nomor"
requested_at = "dibuat"
updated_at = "diubah"
status = "status"
category = "jenis"
description = "uraian"
address = "alamat"
latitude = "lat"
longitude = "lng"

[map.category]
JLN = "jalan"

[map.status]
baru = "menunggu"
diproses = "proses"
selesai = "selesai"
"""
_GAUGES = """
[connection]
url = "{url}"
records = "data"

[fields]
subject = "pos"
subject_name = "nama"
observed_at = "waktu"
latitude = "lat"
longitude = "lng"

[measures.tinggi_air]
name_id = "Tinggi air"
name_en = "Water level"
unit = "cm"
kind = "gauge"
period = "instant"
expected = [0, 1000]
value = "tinggi"
"""
_FLEET = """
[connection]
url = "{url}"
records = "data"

[fields]
external_id = "unit"
name = "nama"
kind = "'truk'"
latitude = "lat"
longitude = "lng"
speed_kmh = "kecepatan"
status = "status"
observed_at = "waktu"

[map.status]
jalan = "aktif"
"""
_FILES = """
[connection]
location = "{folder}"
pattern = "*.csv"
settle_s = 1

[fields]
subject = "pasar"
observed_at = "waktu"

[measures.harga_beras]
name_id = "Harga beras"
name_en = "Price of rice"
unit = "Rp"
kind = "gauge"
period = "day"
expected = [1000, 100000]
value = "harga"
"""
_TABLE = """
[connection]
url = "sqlite:///{file}"
overlap_s = 30
query = "SELECT nomor, layanan, status, diajukan, diubah FROM permohonan WHERE diubah >= :since"

[fields]
external_id = "nomor"
service = "layanan"
status = "status"
requested_at = "diajukan"
updated_at = "diubah"

[formats]
timezone = "Asia/Jakarta"

[services.surat]
name_id = "Surat keterangan"
name_en = "Letter"
words = ["SKT"]
promise_days = 3
"""
_WARNINGS = """
[connection]
url = "{url}"
per_minute = 6000
"""
#: kind -> connector, what it yields, and the rest of the file.
_FORMS = {
    "still": ("rest", "incidents", _REPORTS),
    "moving": ("rest", "incidents", _REPORTS),
    "gauges": ("rest", "readings", _GAUGES),
    "fleet": ("rest", "positions", _FLEET),
    "files": ("tabular", "readings", _FILES),
    "table": ("sql", "service_requests", _TABLE),
    "warnings": ("cap", "alerts", _WARNINGS),
    "slow": ("rest", "incidents", _REPORTS),
    "dead": ("rest", "incidents", _REPORTS),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """One source: what kind it is, and where it is read. What it is not read by is ""."""

    id: str
    kind: str
    url: str = ""
    folder: str = ""
    file: str = ""


def spread(sources: int) -> dict[str, int]:
    """How many of `sources` are of each kind; at least one of each."""
    whole = sum(SHARES.values())
    found = {kind: max(1, sources * share // whole) for kind, share in SHARES.items()}
    found["still"] += sources - sum(found.values())
    if found["still"] < 1:
        raise ValueError(f"at least {2 * len(SHARES)} sources are needed")
    return found


def lay_out(sources: int, folder: Path, port: int, dead_port: int) -> list[Spot]:
    """Where each source is: departments on `port`, folders and databases below `folder`."""
    spots = []
    for kind, number in spread(sources).items():
        for index in range(number):
            name = f"{kind}_{index}"
            host = f"http://127.0.0.1:{dead_port if kind == 'dead' else port}"
            place = {
                "files": {"folder": str(folder / "drop" / name)},
                "table": {"file": str(folder / "db" / f"{name}.sqlite3")},
            }
            at = place.get(kind, {"url": f"{host}/{kind}/{index}"})
            spots.append(Spot(name, kind, **at))
    return spots


def write_pack(spots: Sequence[Spot], folder: Path) -> Path:
    """A pack with one source file for each, as an integrator would write it."""
    # Indicators, rules and screens are made from the sources that are left out.
    made = ("board.toml", "kpi.toml", "mayor.toml", "rules.toml", "screens.toml")
    shutil.copytree(PACK, folder, ignore=shutil.ignore_patterns("sources", "samples", *made))
    (folder / "sources").mkdir()
    for spot in spots:
        connector, yields, rest = _FORMS[spot.kind]
        values = asdict(spot) | {"connector": connector, "yields": yields, "every_s": EVERY_S}
        text = (_HEAD + rest).format(**values)
        (folder / "sources" / f"{spot.id}.toml").write_text(text, encoding="utf-8")
    return folder


def write_list(spots: Sequence[Spot], file: Path) -> Path:
    """The same sources for the processes that are no pollers of ours."""
    file.write_text(json.dumps([asdict(spot) for spot in spots]), encoding="utf-8")
    return file


def read_list(file: Path) -> list[Spot]:
    """What `write_list` wrote."""
    return [Spot(**each) for each in json.loads(file.read_text(encoding="utf-8"))]
