"""The city's accounts: revenue by account, spending by department.

Published figures: revenue target 2025 Rp5.223 T and 2026 Rp4.6 T; spending 2025 Rp5.290 T, of which
64.54% on 19 November, Perkimtan least (27.83%), Kecamatan Kemuning most (86.44%). How the totals
divide, the other years and the course within a year are the simulation's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from simulator import seasons
from simulator.city_life import Town, random_for

_MILIAR = 1_000_000_000
REVENUE = {2024: 5_010 * _MILIAR, 2025: 5_223 * _MILIAR, 2026: 4_600 * _MILIAR}
SPENDING = {2024: 5_060 * _MILIAR, 2025: 5_290 * _MILIAR, 2026: 4_660 * _MILIAR}
#: The day of which the shares of the OPDs are known.
_KNOWN_DAY = (11, 19)
LEAST, MOST = ("perkimtan", 0.2783), ("kecamatan_kemuning", 0.8644)

#: Account, name, share of all revenue, and the curve by which it comes in.
ACCOUNTS = (
    ("4.1.01.09", "Pajak Reklame", 0.006, "reklame"),
    ("4.1.01.15", "PBB-P2", 0.060, "pbb"),
    ("4.1.01.16", "BPHTB", 0.055, "bphtb"),
    ("4.1.01.19", "PBJT", 0.125, "listrik"),
    ("4.1.01.20", "Opsen PKB dan BBNKB", 0.052, "restoran"),
    ("4.1.02", "Retribusi Daerah", 0.022, "restoran"),
    ("4.1.03", "Hasil Pengelolaan Kekayaan Daerah yang Dipisahkan", 0.015, "hotel"),
    ("4.1.04", "Lain-lain PAD yang Sah", 0.035, "restoran"),
    ("4.2.01", "Pendapatan Transfer Pemerintah Pusat", 0.520, "listrik"),
    ("4.2.02", "Pendapatan Transfer Antar Daerah", 0.110, "bphtb"),
)
#: OPD by id and name with its part of all spending; the kecamatan share what is left.
_OPDS = (
    ("disdik", "Dinas Pendidikan", 0.300),
    ("dinkes", "Dinas Kesehatan", 0.150),
    ("pupr", "Dinas Pekerjaan Umum dan Penataan Ruang", 0.125),
    ("bpkad", "Badan Pengelolaan Keuangan dan Aset Daerah", 0.080),
    ("perkimtan", "Perkimtan", 0.035),
    ("dlhk", "DLHK", 0.045),
    ("dishub", "Dinas Perhubungan", 0.030),
    ("satpol_pp", "Satuan Polisi Pamong Praja", 0.018),
    ("damkar", "Dinas Pemadam Kebakaran dan Penyelamatan", 0.016),
    ("dinsos", "Dinas Sosial", 0.010),
    ("disdukcapil", "Dinas Kependudukan dan Pencatatan Sipil", 0.008),
    ("dpmptsp", "DPMPTSP", 0.007),
    ("bapenda", "Badan Pendapatan Daerah", 0.028),
    ("diskominfo", "Dinas Komunikasi dan Informatika", 0.010),
    ("bappeda_litbang", "Bappeda Litbang", 0.008),
    ("bkpsdm", "BKPSDM", 0.007),
    ("dispar", "Dinas Pariwisata", 0.006),
    ("disdag", "Dinas Perdagangan", 0.007),
    ("dkpp", "DKPP", 0.006),
    ("diskan", "Dinas Perikanan", 0.004),
    ("dpppa", "DPPPA", 0.004),
    ("dispora", "Dispora", 0.006),
    ("dinkop_umkm", "Dinkop UMKM", 0.005),
    ("kesbangpol", "Badan Kesatuan Bangsa dan Politik", 0.006),
    ("inspektorat", "Inspektorat", 0.006),
    ("bpbd", "Badan Penanggulangan Bencana Daerah", 0.005),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the accounts, in whole rupiah."""

    code: str
    name: str
    budget: int
    realised: int


def revenue_until(seed: int, year: int, month: int) -> list[Entry]:
    """Revenue by account at the end of a month."""
    return revenue_on(seed, month_end(year, month))


def revenue_on(seed: int, day: date) -> list[Entry]:
    """Revenue by account from 1 January until a day."""
    year = day.year
    rest = 1 - sum(share for _, _, share, _ in ACCOUNTS)
    entries = []
    for code, name, share, curve in ACCOUNTS:
        part = share + (rest if code == "4.2.01" else 0.0)
        budget = round(total_of(REVENUE, year) * part)
        reached = 0.90 + 0.14 * random_for(seed, "apbd", code, year).random()
        entries.append(Entry(code, name, budget, round(budget * reached * _along(curve, day))))
    return entries


def spending_until(town: Town, seed: int, day: date) -> list[Entry]:
    """Spending by OPD until a day, kecamatan included; its total follows the city's."""
    total = total_of(SPENDING, day.year)
    kecamatan = sorted({place.kecamatan_name for place in town.neighbourhoods})
    left = (1 - sum(share for _, _, share in _OPDS)) / len(kecamatan)
    parts = list(_OPDS) + [
        (f"kecamatan_{_slug(name)}", f"Kecamatan {name}", left) for name in kecamatan
    ]
    share = seasons.spending_share(day)
    made = []
    for code, name, part in parts:
        budget = round(total * part)
        made.append((code, name, budget, budget * _absorbed(seed, code, day.year, share)))
    known = {LEAST[0], MOST[0]}
    fixed = sum(spent for code, _, _, spent in made if code in known)
    loose = sum(spent for code, _, _, spent in made if code not in known)
    scale = (total * share - fixed) / loose if loose else 0.0
    return [
        Entry(code, name, budget, min(budget, round(spent * (1 if code in known else scale))))
        for code, name, budget, spent in made
    ]


def _absorbed(seed: int, code: str, year: int, share: float) -> float:
    """What an OPD has spent of its budget when the city has spent `share` of its own."""
    known = dict((LEAST, MOST)).get(code)
    if known is None:
        known = random_for(seed, "apbd", code, year).uniform(0.56, 0.74)
    whole = seasons.spending_share(date(year, *_KNOWN_DAY))
    slowness = math.log(1 - known) / math.log(1 - whole)
    return float(1 - (1 - share) ** slowness)


def _along(curve: str, day: date) -> float:
    return seasons.tax_share(curve, day)


def total_of(known: dict[int, int], year: int) -> int:
    """A year's total; years without a published one grow by 3% from the nearest."""
    nearest = min(known, key=lambda each: abs(each - year))
    return round(known[nearest] * 1.03 ** (year - nearest))


def month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _slug(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
