"""What e-lapor takes reports of, and how each kind of report usually goes.

Codes and names are those the city pack maps. Shares, agencies and durations are the simulation's
own: no public source gives them for Palembang; together they make 150 to 250 open reports.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attribute:
    """A question of a service's definition, of the standard's type singlevaluelist."""

    code: str
    description: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of report. `share` is its part of all reports, `median_days` how long half take."""

    code: str
    name: str
    description: str
    group: str
    keywords: str
    agency: str
    share: float
    median_days: float
    attributes: tuple[Attribute, ...] = ()


_HOLE = Attribute(
    "UKURAN",
    "Seberapa besar kerusakannya?",
    (("K", "Kecil, masih bisa dihindari"), ("S", "Sedang"), ("B", "Besar, jalan sulit dilewati")),
)
_DEPTH = Attribute(
    "TINGGI",
    "Setinggi apa airnya?",
    (("MK", "Semata kaki"), ("LT", "Selutut"), ("PG", "Sepinggang atau lebih")),
)

SERVICES: tuple[Service, ...] = (
    Service(
        "JLN",
        "Jalan rusak",
        "Jalan berlubang, amblas atau bergelombang",
        "Infrastruktur",
        "jalan, lubang, aspal",
        "PUPR",
        0.22,
        5.2,
        (_HOLE,),
    ),
    Service(
        "BJR",
        "Banjir dan genangan",
        "Air menggenangi jalan atau rumah",
        "Infrastruktur",
        "banjir, genangan, pasang",
        "BPBD",
        0.10,
        1.3,
        (_DEPTH,),
    ),
    Service(
        "DRN",
        "Drainase",
        "Saluran tersumbat, rusak atau tidak ada",
        "Infrastruktur",
        "got, saluran, parit",
        "PUPR",
        0.10,
        4.8,
    ),
    Service(
        "SMP",
        "Sampah",
        "Sampah tidak terangkut atau dibuang sembarangan",
        "Lingkungan",
        "sampah, TPS, bau",
        "DLHK",
        0.14,
        1.8,
    ),
    Service(
        "LPJ",
        "Lampu jalan",
        "Lampu penerangan jalan mati atau rusak",
        "Infrastruktur",
        "lampu, PJU, gelap",
        "Perkimtan",
        0.15,
        2.9,
    ),
    Service(
        "PHN",
        "Pohon tumbang",
        "Pohon tumbang, miring atau mengganggu",
        "Lingkungan",
        "pohon, dahan, ranting",
        "BPBD",
        0.05,
        0.8,
    ),
    Service(
        "AIR",
        "Air bersih",
        "Air tidak mengalir, keruh atau pipa bocor",
        "Infrastruktur",
        "air, pipa, ledeng",
        "Perkimtan",
        0.06,
        2.4,
    ),
    Service(
        "LLN",
        "Lalu lintas dan parkir",
        "Rambu, lampu lalu lintas, parkir, kemacetan",
        "Perhubungan",
        "macet, parkir, rambu",
        "Dishub",
        0.08,
        2.7,
    ),
    Service(
        "TRB",
        "Ketertiban umum",
        "Gangguan ketertiban dan pelanggaran perda",
        "Ketertiban",
        "bising, pedagang, reklame",
        "Satpol PP",
        0.04,
        2.7,
    ),
    Service(
        "PLY",
        "Pelayanan publik",
        "Pelayanan kantor pemerintah kota",
        "Pelayanan",
        "antrean, surat, petugas",
        "Disdukcapil",
        0.04,
        3.4,
    ),
    Service(
        "LNY",
        "Lainnya",
        "Laporan lain kepada Pemerintah Kota",
        "Lainnya",
        "lain",
        "Diskominfo",
        0.02,
        4.0,
    ),
)

BY_CODE = {service.code: service for service in SERVICES}

#: What rain brings, with the odds of each.
RAIN_CODES = {"BJR": 0.75, "PHN": 0.25}

#: A service that was retired: old forms still send it, the list of services no longer has it.
RETIRED_CODE, RETIRED_NAME = "WFI", "WiFi publik"
