"""What PUPR works on. Codes, shares and durations are the simulation's own."""

from __future__ import annotations

from simulator.desk import Kind

_ROADS, _WATER = "Bidang Bina Marga", "Bidang Sumber Daya Air"

KINDS = (
    Kind(
        "11",
        "Penambalan jalan",
        _ROADS,
        0.34,
        5.0,
        (
            "Penambalan lubang {place}",
            "Perbaikan permukaan jalan {place}",
            "Lubang di badan jalan {place}, sudah {n} titik ditandai",
        ),
        ("tambal lubang", "perbaikan jalan"),
    ),
    Kind(
        "12",
        "Perbaikan jembatan",
        _ROADS,
        0.06,
        18.0,
        (
            "Perbaikan lantai jembatan kecil {place}",
            "Penggantian pagar jembatan {place}",
        ),
        ("jembatan kecil rusak",),
    ),
    Kind(
        "13",
        "Perbaikan trotoar",
        _ROADS,
        0.14,
        9.0,
        (
            "Perbaikan trotoar {place}",
            "Penggantian penutup lubang periksa di trotoar {place}",
        ),
        ("trotoar amblas",),
    ),
    Kind(
        "21",
        "Normalisasi drainase",
        _WATER,
        0.28,
        7.0,
        (
            "Pengerukan sedimen saluran {place}",
            "Normalisasi saluran {place} yang meluap saat hujan",
            "Pembongkaran sumbatan gorong-gorong {place}",
        ),
        ("saluran tersumbat", "keruk parit"),
    ),
    Kind(
        "22",
        "Perbaikan talud",
        _WATER,
        0.10,
        14.0,
        (
            "Perbaikan talud yang longsor {place}",
            "Penguatan dinding saluran {place}",
        ),
        ("talud longsor",),
    ),
    Kind(
        "23",
        "Pemompaan genangan",
        _WATER,
        0.08,
        0.6,
        (
            "Pemompaan genangan {place}",
            "Penempatan pompa bergerak {place}",
        ),
        ("pompa genangan",),
    ),
)
NAMES = {kind.code: kind.name for kind in KINDS}
