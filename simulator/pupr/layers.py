"""The two layers: what their fields are, and the features of each as the department has them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.city_life import Town, random_for
from simulator.pupr.equipment import AT_WORK, BROKEN, FLEET, IN_DEPOT, OFF, Equipment, Unit
from simulator.pupr.kinds import NAMES
from simulator.store import Query, Quirk, Reporter, Store, StoredReport

Path = list[tuple[float, float]]

STATUSES = {
    0: "Usulan",
    1: "Survei",
    2: "Ditugaskan",
    3: "Pelaksanaan",
    4: "Selesai",
    5: "Dikembalikan",
    9: "Dibatalkan",
}
_STAGES = {
    "Menunggu": 0,
    "Koordinasi": 1,
    "Disposisi": 2,
    "Proses": 3,
    "Selesai": 4,
    "Dikembalikan": 5,
    "Ditolak": 9,
    "Dibuka kembali": 0,
}
_CONDITIONS = {AT_WORK: "Bekerja", IN_DEPOT: "Siap di depo", BROKEN: "Rusak", OFF: "Tidak bertugas"}
_EVERYTHING = Query(limit=1_000_000)


@dataclass(frozen=True, slots=True)
class Feature:
    """Attributes, and a place as a path of (longitude, latitude): one position is a point."""

    attributes: dict[str, Any]
    path: Path | None


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as its description states it."""

    number: int
    name: str
    geometry: str
    fields: list[dict[str, Any]]
    edited: str


def _field(
    name: str, kind: str, alias: str, values: dict[Any, str] | None = None
) -> dict[str, Any]:
    domain = None
    if values is not None:
        domain = {
            "type": "codedValue",
            "name": f"D_{name}",
            "codedValues": [{"name": word, "code": code} for code, word in values.items()],
        }
    return {"name": name, "type": f"esriFieldType{kind}", "alias": alias, "domain": domain}


WORKS = Layer(
    number=0,
    name="Pekerjaan jalan dan drainase",
    geometry="esriGeometryPolyline",
    fields=[
        _field("OBJECTID", "OID", "OBJECTID"),
        _field("NOMOR", "String", "Nomor pekerjaan"),
        _field("JENIS", "String", "Jenis", NAMES),
        _field("URAIAN", "String", "Uraian"),
        _field("LOKASI", "String", "Lokasi"),
        _field("STATUS", "SmallInteger", "Status", STATUSES),
        _field("CATATAN", "String", "Catatan"),
        _field("PELAKSANA", "String", "Bidang pelaksana"),
        _field("KODE_KEL", "String", "Kode kelurahan"),
        _field("TGL_USUL", "Date", "Tanggal usul"),
        _field("TGL_TARGET", "Date", "Tanggal target"),
        _field("PENGUSUL", "String", "Pengusul"),
        _field("TELP_PENGUSUL", "String", "Telepon pengusul"),
        _field("last_edited_date", "Date", "Diubah"),
    ],
    edited="last_edited_date",
)
EQUIPMENT = Layer(
    number=1,
    name="Alat berat dan pompa",
    geometry="esriGeometryPoint",
    fields=[
        _field("OBJECTID", "OID", "OBJECTID"),
        _field("KODE_UNIT", "String", "Kode unit"),
        _field("NAMA", "String", "Nama unit"),
        _field("JENIS", "String", "Jenis", {code: name for code, name, _ in FLEET}),
        _field("KONDISI", "SmallInteger", "Kondisi", _CONDITIONS),
        _field("NOMOR_PEKERJAAN", "String", "Pekerjaan"),
        _field("OPERATOR", "String", "Operator"),
        _field("TELP_OPERATOR", "String", "Telepon operator"),
        _field("WAKTU", "Date", "Waktu posisi"),
    ],
    edited="WAKTU",
)
LAYERS = {layer.number: layer for layer in (WORKS, EQUIPMENT)}


def works(store: Store, town: Town) -> list[Feature]:
    """All works, the newest first."""
    found = store.find(_EVERYTHING)
    who: dict[str, Reporter] = {}
    # SQLite binds a limited number of values in one statement.
    for start in range(0, len(found), 500):
        who |= store.reporters([report.id for report in found[start : start + 500]])
    return [_work(report, who.get(report.id), town) for report in found]


def _work(report: StoredReport, reporter: Reporter | None, town: Town) -> Feature:
    code = None
    if report.latitude is not None and report.longitude is not None:
        code = town.at(report.latitude, report.longitude)[1]
    attributes = {
        "OBJECTID": int("".join(filter(str.isdigit, report.id))) % 2_000_000_000,
        "NOMOR": report.id,
        "JENIS": report.service_code,
        "URAIAN": _wording(report, reporter),
        "LOKASI": report.address,
        "STATUS": _STAGES[report.stage],
        "CATATAN": report.note,
        "PELAKSANA": report.agency,
        "KODE_KEL": code,
        "TGL_USUL": _milliseconds(report.requested_at),
        "TGL_TARGET": report.expected_at and _milliseconds(report.expected_at),
        "PENGUSUL": reporter and reporter.full_name,
        "TELP_PENGUSUL": reporter and reporter.phone,
        "last_edited_date": _milliseconds(report.updated_at),
    }
    return Feature(attributes, None if report.quirk is Quirk.NO_POINT else _stretch(report))


def _wording(report: StoredReport, reporter: Reporter | None) -> str:
    """The description; now and then a clerk copies into it whom to call."""
    if reporter is None or random_for(0, "contact", report.id).random() >= 0.05:
        return report.description
    return f"{report.description} Hubungi {reporter.phone}."


def _stretch(report: StoredReport) -> Path | None:
    """A stretch of 40 to 160 m whose middle is where the work is."""
    if report.latitude is None or report.longitude is None:
        return None
    rng = random_for(0, "stretch", report.id)
    half, bearing = rng.uniform(1.8e-4, 7.2e-4), rng.uniform(0, math.pi)
    east, north = half * math.cos(bearing), half * math.sin(bearing)
    longitude, latitude = report.longitude, report.latitude
    return [
        (longitude - east, latitude - north),
        (longitude, latitude),
        (longitude + east, latitude + north),
    ]


def units(equipment: Equipment, now: datetime) -> list[Feature]:
    """All equipment as it stands now."""
    return [_unit(unit) for unit in equipment.units(now)]


def _unit(unit: Unit) -> Feature:
    attributes = {
        "OBJECTID": unit.number,
        "KODE_UNIT": unit.code,
        "NAMA": unit.name,
        "JENIS": unit.kind,
        "KONDISI": unit.state,
        "NOMOR_PEKERJAAN": unit.work,
        "OPERATOR": unit.driver,
        "TELP_OPERATOR": unit.phone,
        "WAKTU": _milliseconds(unit.at),
    }
    return Feature(attributes, [(unit.longitude, unit.latitude)])


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
