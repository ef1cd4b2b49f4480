"""The rows of the portal's resources, made from the seed and the date alone.

No figure here was published by anybody. They are shaped to be plausible for a city of its size,
and to move with the seasons: food before Lebaran, visitors in school holidays, the school year.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from simulator import seasons
from simulator.city_life import Town, random_for

Rows = list[dict[str, Any]]
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip
_PRICE_DAYS, _TOURISM_MONTHS, _SCHOOL_YEARS, _WELFARE_MONTHS = 45, 24, 3, 12

MARKETS = ("Pasar 16 Ilir", "Pasar Cinde", "Pasar Lemabang", "Pasar KM 5", "Pasar Plaju")


@dataclass(frozen=True, slots=True)
class Commodity:
    """A usual price in Rp a unit; `fasting` is what it costs more in the days before Lebaran."""

    name: str
    unit: str
    price: int
    restless: float
    fasting: float


COMMODITIES = (
    Commodity("Beras medium", "kg", 13_500, 0.02, 0.03),
    Commodity("Gula pasir", "kg", 17_500, 0.02, 0.05),
    Commodity("Minyak goreng curah", "liter", 17_000, 0.03, 0.06),
    Commodity("Daging sapi", "kg", 135_000, 0.02, 0.12),
    Commodity("Daging ayam ras", "kg", 36_000, 0.06, 0.18),
    Commodity("Telur ayam ras", "kg", 28_500, 0.05, 0.10),
    Commodity("Cabai merah", "kg", 48_000, 0.22, 0.30),
    Commodity("Cabai rawit", "kg", 55_000, 0.25, 0.30),
    Commodity("Bawang merah", "kg", 36_000, 0.12, 0.15),
    Commodity("Bawang putih", "kg", 38_000, 0.06, 0.08),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A resource: its columns with PostgreSQL's types, and its rows at a local date.

    `changed` is the local day of its last publication, at 09:00.
    """

    resource_id: str
    package: str
    title: str
    columns: tuple[tuple[str, str], ...]
    rows: Callable[[Town, int, date], Rows]
    changed: Callable[[date], date]

    def modified(self, town: Town, now: datetime) -> datetime:
        """When it was last published before `now`."""
        local = now.astimezone(town.timezone)
        day = local.date() if local.hour >= _PUBLISHED_AT else local.date() - timedelta(days=1)
        at = datetime.combine(self.changed(day), time(_PUBLISHED_AT), town.timezone)
        return at.astimezone(UTC)

    def at(self, town: Town, seed: int, now: datetime) -> Rows:
        """The rows as they were last published, numbered as the DataStore does."""
        day = self.modified(town, now).astimezone(town.timezone).date()
        rows = self.rows(town, seed, day)
        return [{"_id": number, **row} for number, row in enumerate(rows, start=1)]


_PUBLISHED_AT = 9


def prices(town: Town, seed: int, day: date) -> Rows:
    """One row a day, market and commodity; numbers as text, as spreadsheets are uploaded."""
    rows: Rows = []
    for date_ in (day - timedelta(days=ago) for ago in reversed(range(_PRICE_DAYS))):
        for market in MARKETS:
            for good in COMMODITIES:
                rows.append(
                    {
                        "tanggal": date_.isoformat(),
                        "pasar": market,
                        "komoditas": good.name,
                        "satuan": good.unit,
                        "harga": str(_price(seed, date_, market, good)),
                    }
                )
    return rows


def _price(seed: int, day: date, market: str, good: Commodity) -> int:
    phase = random_for(seed, "price", good.name).uniform(0, math.tau)
    slow = math.sin(math.tau * day.toordinal() / 190 + phase)
    fast = math.sin(math.tau * day.toordinal() / 37 + 2 * phase)
    ahead = -seasons.days_from_eid(day)
    feast = good.fasting * max(0.0, 1 - ahead / 30) if ahead >= 0 else 0.0
    market_part = random_for(seed, "market", market, good.name).uniform(-0.03, 0.03)
    noise = random_for(seed, "price", good.name, market, day).gauss(0, 0.006)
    # Markets ask a little more while purses are full.
    payday = 0.05 * (seasons.payday_factor(day) - 1)
    factor = 1 + good.restless * (0.7 * slow + 0.3 * fast) + feast + payday + market_part + noise
    return round(good.price * factor / 250) * 250


def tourism(town: Town, seed: int, day: date) -> Rows:
    """One row a month, up to the last full one; percentages with a decimal comma."""
    return [_tourism(seed, month) for month in _months_before(day, _TOURISM_MONTHS)]


def _tourism(seed: int, month: date) -> dict[str, Any]:
    rng = random_for(seed, "tourism", month)
    season = 1.0 + {6: 0.18, 7: 0.12, 12: 0.28}.get(month.month, 0.0)
    eid = seasons.eid(month.year)
    season += 0.15 if (eid.year, eid.month) == (month.year, month.month) else 0.0
    domestic = round(165_000 * season * rng.uniform(0.94, 1.06))
    foreign = round(900 * season * rng.uniform(0.85, 1.15))
    occupancy = min(88.0, 51 * (0.6 + 0.4 * season) * rng.uniform(0.95, 1.05))
    stay = rng.uniform(1.25, 1.55)
    return {
        "bulan": f"{month:%Y-%m}",
        "wisatawan_nusantara": f"{domestic:,}".replace(",", "."),
        "wisatawan_mancanegara": f"{foreign:,}".replace(",", "."),
        "tingkat_penghunian_kamar": f"{occupancy:.2f}".replace(".", ","),
        "rata_lama_menginap": f"{stay:.2f}".replace(".", ","),
    }


def schools(town: Town, seed: int, day: date) -> Rows:
    """One row a kecamatan, level and school year; a year is published in August."""
    rows: Rows = []
    last = _school_year(day)
    for year in range(last - _SCHOOL_YEARS + 1, last + 1):
        for code, name, weight in _kecamatan(town):
            for level, pupils, a_school, a_teacher in (
                ("SD", 148_000, 420, 19),
                ("SMP", 67_000, 390, 17),
            ):
                rng = random_for(seed, "schools", code, level)
                growth = (
                    1 + 0.006 * (year - 2024) + random_for(seed, code, level, year).gauss(0, 0.004)
                )
                count = round(pupils * weight * rng.uniform(0.9, 1.1) * growth)
                rows.append(
                    {
                        "tahun_ajaran": f"{year}/{year + 1}",
                        "per_tanggal": f"{year}-07-31",
                        "kode_kecamatan": code,
                        "kecamatan": name,
                        "jenjang": level,
                        "jumlah_sekolah": max(
                            2, round(pupils * weight * rng.uniform(0.9, 1.1) / a_school)
                        ),
                        "jumlah_siswa": count,
                        "jumlah_guru": round(count / a_teacher),
                    }
                )
    return rows


def welfare(town: Town, seed: int, day: date) -> Rows:
    """One row a kecamatan and month, up to the last full one; names in capitals."""
    rows: Rows = []
    for month in _months_before(day, _WELFARE_MONTHS):
        for code, name, weight in _kecamatan(town):
            need = random_for(seed, "welfare", code).uniform(0.75, 1.3)
            # Lists are cleaned by the quarter: within one they hardly move.
            quarter = random_for(seed, "welfare", code, month.year, (month.month - 1) // 3)
            drift = quarter.uniform(0.96, 1.03)
            rows.append(
                {
                    "bulan": f"{_MONTHS[month.month - 1]} {month.year}",
                    "kecamatan": name.upper(),
                    "keluarga_pkh": round(31_000 * weight * need * drift),
                    "keluarga_sembako": round(54_000 * weight * need * drift),
                    "peserta_pbi": round(410_000 * weight * need * drift),
                }
            )
    return rows


def _kecamatan(town: Town) -> list[tuple[str, str, float]]:
    """Code, name and share of every kecamatan: people live where the kelurahan are many."""
    parts: dict[tuple[str, str], float] = {}
    for place in town.neighbourhoods:
        key = (place.kecamatan, place.kecamatan_name)
        parts[key] = parts.get(key, 0.0) + place.area_km2**0.35
    whole = sum(parts.values())
    return [(code, name, part / whole) for (code, name), part in sorted(parts.items())]


def _months_before(day: date, count: int) -> list[date]:
    """The first days of the last `count` months that had ended by `day`, oldest first."""
    last = day.year * 12 + day.month - 2
    return [date(each // 12, each % 12 + 1, 1) for each in range(last - count + 1, last + 1)]


def _school_year(day: date) -> int:
    return day.year if day.month >= 8 else day.year - 1


def _monthly(day: date) -> date:
    """Month's figures come on the 5th of the next; until then the last ones stand."""
    if day.day >= 5:
        return day.replace(day=5)
    before = day.replace(day=1) - timedelta(days=1)
    return before.replace(day=5)


TABLES = (
    Table(
        "5f0c1a52-6a1e-4f57-9d0b-1671a0000001",
        "harga-pangan-harian",
        "Harga pangan harian per pasar (data tiruan)",
        (
            ("tanggal", "date"),
            ("pasar", "text"),
            ("komoditas", "text"),
            ("satuan", "text"),
            ("harga", "text"),
        ),
        prices,
        lambda day: day,
    ),
    Table(
        "5f0c1a52-6a1e-4f57-9d0b-1671a0000002",
        "kunjungan-wisata-bulanan",
        "Kunjungan wisata dan hunian hotel per bulan (data tiruan)",
        (
            ("bulan", "text"),
            ("wisatawan_nusantara", "text"),
            ("wisatawan_mancanegara", "text"),
            ("tingkat_penghunian_kamar", "text"),
            ("rata_lama_menginap", "text"),
        ),
        tourism,
        _monthly,
    ),
    Table(
        "5f0c1a52-6a1e-4f57-9d0b-1671a0000003",
        "sekolah-per-kecamatan",
        "Sekolah, siswa dan guru per kecamatan (data tiruan)",
        (
            ("tahun_ajaran", "text"),
            ("per_tanggal", "date"),
            ("kode_kecamatan", "text"),
            ("kecamatan", "text"),
            ("jenjang", "text"),
            ("jumlah_sekolah", "int4"),
            ("jumlah_siswa", "int4"),
            ("jumlah_guru", "int4"),
        ),
        schools,
        lambda day: date(_school_year(day), 8, 1),
    ),
    Table(
        "5f0c1a52-6a1e-4f57-9d0b-1671a0000004",
        "penerima-bantuan-sosial",
        "Penerima bantuan sosial per kecamatan (data tiruan)",
        (
            ("bulan", "text"),
            ("kecamatan", "text"),
            ("keluarga_pkh", "int4"),
            ("keluarga_sembako", "int4"),
            ("peserta_pbi", "int4"),
        ),
        welfare,
        _monthly,
    ),
)
#: A resource of which only the file is kept.
FILE_ONLY = "5f0c1a52-6a1e-4f57-9d0b-1671a0000009"
