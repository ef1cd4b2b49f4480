"""Columns of numbers as measures: their unit, factor and kind guessed from their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lawang.mapping import FACTORS, Formats, search
from lawang.propose.columns import key_of, tokens
from lawang.propose.values import Column, is_numeric

_MOST = 40
_NO_AMOUNT = frozenset(
    [
        "id",
        "kode",
        "code",
        "no",
        "nomor",
        "rt",
        "rw",
        "tahun",
        "year",
        "bulan",
        "month",
        "nip",
        "fid",
        "objectid",
        "urut",
        "lat",
        "lon",
        "lng",
        "long",
        "latitude",
        "longitude",
        "lintang",
        "bujur",
        "telepon",
        "hp",
        "kodepos",
        "page",
    ]
)
_MONEY = frozenset(
    [
        "rp",
        "rupiah",
        "harga",
        "anggaran",
        "realisasi",
        "pagu",
        "pajak",
        "nilai",
        "biaya",
        "tarif",
        "pendapatan",
        "belanja",
        "target",
        "retribusi",
        "ketetapan",
        "setoran",
    ]
)
_UNITS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(words.split()), unit)
    for words, unit in (
        ("pm25 pm10 so2 no2 co o3 pm hc", "µg/m³"),
        ("persen persentase percent pct", "%"),
        ("suhu temperatur temperature", "°C"),
        ("kelembaban kelembapan humidity", "%"),
        ("hujan mm rainfall", "mm"),
        ("muka tma cm", "cm"),
        ("kecepatan speed", "km/jam"),
        ("menit minutes", "menit"),
        ("siswa guru pasien penduduk pengunjung wisatawan jiwa orang penerima kunjungan", "orang"),
        ("hari", "hari"),
        ("ton", "ton"),
        ("kg", "kg"),
        ("liter", "liter"),
    )
)
_ALSO_PARTS = re.compile(r"(pm|so|no|o)_?(25|2\.5|10|2|3)$", re.IGNORECASE)
_TOTALS = frozenset({"realisasi", "kumulatif", "cumulative", "sd"})
_STOCKS = frozenset(
    {"anggaran", "pagu", "target", "stok", "stock", "sisa", "persediaan", "penduduk"}
)


@dataclass(frozen=True, slots=True)
class MeasureDraft:
    """One proposed `[measures.<id>]`; `factor` is a word of `FACTORS` or ""."""

    name: str
    unit: str
    kind: str
    period: str
    value: str
    factor: str = ""


def draft_measures(columns: Sequence[Column], decimal: str, period: str) -> dict[str, MeasureDraft]:
    """A measure for each column of amounts, by an id made of its key."""
    drafts: dict[str, MeasureDraft] = {}
    for each in columns:
        words = set(tokens(each.path))
        if words & _NO_AMOUNT or key_of(each.path).startswith("_"):
            continue
        if not is_numeric(each.values, decimal) or len(drafts) == _MOST:
            continue
        drafts.setdefault(_identity(each.path), _draft(each.path, words, period))
    return drafts


def _identity(path: str) -> str:
    text = re.sub(r"[^a-z0-9]+", "_", key_of(path).lower()).strip("_")
    return text if text[:1].isalpha() else f"ukuran_{text}"


def _draft(path: str, words: set[str], period: str) -> MeasureDraft:
    factor = next((word for word in FACTORS if word in words), "")
    if not factor:
        factor = {"jt": "juta", "jutaan": "juta", "rb": "ribu", "m": "miliar"}.get(
            next((word for word in words if word in ("jt", "jutaan", "rb")), ""), ""
        )
    unit = _unit(path, words)
    if factor and not unit:
        unit = "Rp"
    kind = "gauge"
    if words & _TOTALS:
        kind = "cumulative"
    elif words & _STOCKS:
        kind = "stock"
    elif period not in ("instant", "hour") and unit in ("", "orang"):
        kind = "flow"
    name = " ".join(key_of(path).replace("_", " ").split())
    return MeasureDraft(name[:1].upper() + name[1:], unit, kind, period, path, factor)


def _unit(path: str, words: set[str]) -> str:
    if _ALSO_PARTS.fullmatch(key_of(path)):
        return "µg/m³"
    if "%" in key_of(path):
        return "%"
    for known, unit in _UNITS:
        if words & known:
            return unit
    return "Rp" if words & _MONEY else ""


def over(draft: MeasureDraft, period: str) -> MeasureDraft:
    """The same measure about another period: counts of a day and more are amounts within it."""
    is_count = draft.kind == "gauge" and draft.unit in ("", "orang")
    is_flow = is_count and period not in ("instant", "hour")
    return replace(draft, period=period, kind="flow" if is_flow else draft.kind)


def guess_period(
    forms: Sequence[str], rows: Sequence[dict[str, Any]], fields: Mapping[str, str]
) -> str:
    """The period that readings are about, from the form of their times and the times themselves."""
    expression = fields.get("observed_at")
    if expression is None:
        return "instant"
    if forms and not any("%d" in form for form in forms):
        return "year" if "'01'" in expression else "month"
    formats = Formats(times=tuple(forms))
    times = [formats.read_time(search(expression, row)) for row in rows[:200]]
    local = [moment.astimezone(formats.timezone) for moment in times if moment is not None]
    if local and all((moment.hour, moment.minute, moment.second) == (0, 0, 0) for moment in local):
        return "day"
    if local and all((moment.minute, moment.second) == (0, 0) for moment in local):
        return "hour"
    return "instant"
