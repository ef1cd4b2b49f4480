"""The city's accounts, and how the mirror writes them.

Published figures: revenue target 2025 Rp5.223 T and 2026 Rp4.6 T; spending 2025 Rp5.290 T, of which
64.54% on 19 November, Perkimtan least (27.83%), Kecamatan Kemuning most (86.44%). How the totals
divide, the other years and the course within a year are the simulation's own.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from simulator import seasons
from simulator.city_life import Town, random_for
from simulator.drop import Sending
from simulator.faults import Fault

_YEARS_BACK = 2
_SENT_DAY, _CORRECTED_DAY, _SENT = 5, 12, time(9, 30)
#: The month whose revenue is sent with a mistake first.
CORRECTED_MONTH = 7
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
_PARENTS = (
    ("4", "PENDAPATAN DAERAH"),
    ("4.1", "PENDAPATAN ASLI DAERAH (PAD)"),
    ("4.1.01", "Pajak Daerah"),
    ("4.2", "PENDAPATAN TRANSFER"),
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


def plan(town: Town, seed: int, at: datetime) -> Iterator[Sending]:
    """The files sent until an instant, from January two years ago on."""
    today = at.astimezone(town.timezone).date()
    for year in range(today.year - _YEARS_BACK, today.year + 1):
        for month in range(1, 13):
            sent = _sent(town, year, month, _SENT_DAY)
            if sent > at:
                return
            name = f"{year}-{month:02d}"
            spending = partial(_write_spending, town, seed, year, month)
            yield Sending(f"apbd_belanja_opd_{name}.csv", sent, spending)
            is_wrong = year == today.year and month == CORRECTED_MONTH
            revenue = partial(_write_revenue, seed, year, month)
            yield Sending(
                f"apbd_pendapatan_{name}.csv", sent, partial(revenue, with_mistake=is_wrong)
            )
            corrected = _sent(town, year, month, _CORRECTED_DAY)
            if is_wrong and corrected <= at:
                yield Sending(f"apbd_pendapatan_{name}_rev2.csv", corrected, revenue)


def revenue_until(seed: int, year: int, month: int) -> list[Entry]:
    """Revenue by account at the end of a month."""
    end = _month_end(year, month)
    rest = 1 - sum(share for _, _, share, _ in ACCOUNTS)
    entries = []
    for code, name, share, curve in ACCOUNTS:
        part = share + (rest if code == "4.2.01" else 0.0)
        budget = round(_total(REVENUE, year) * part)
        reached = 0.90 + 0.14 * random_for(seed, "apbd", code, year).random()
        entries.append(Entry(code, name, budget, round(budget * reached * _along(curve, end))))
    return entries


def spending_until(town: Town, seed: int, day: date) -> list[Entry]:
    """Spending by OPD until a day, kecamatan included; its total follows the city's."""
    total = _total(SPENDING, day.year)
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


def _total(known: dict[int, int], year: int) -> int:
    """A year's total; years without a published one grow by 3% from the nearest."""
    nearest = min(known, key=lambda each: abs(each - year))
    return round(known[nearest] * 1.03 ** (year - nearest))


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _sent(town: Town, year: int, month: int, day: int) -> datetime:
    following = _month_end(year, month) + timedelta(days=day)
    return datetime.combine(following, _SENT, town.timezone).astimezone(UTC)


def _slug(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")


def _rupiah(amount: int) -> str:
    return "Rp" + f"{amount:,}".replace(",", ".") + ",00"


def _percent(entry: Entry) -> str:
    return f"{100 * entry.realised / entry.budget:.2f}%".replace(".", ",")


def _cells(entry: Entry, fault: Fault, number: int) -> list[str]:
    if fault.kind == "wrong_types" and number % 3 == 1:
        return [entry.code, entry.name, "lihat lampiran", "±", "n.a."]
    return [
        entry.code,
        entry.name,
        _rupiah(entry.budget),
        _rupiah(entry.realised),
        _percent(entry),
    ]


def _write_revenue(
    seed: int, year: int, month: int, fault: Fault, *, with_mistake: bool = False
) -> bytes:
    entries = revenue_until(seed, year, month)
    for index, entry in enumerate(entries):
        times = 1.0
        if with_mistake and entry.code == "4.1.01.16":
            times = 0.94
        if fault.kind == "slip" and entry.code == "4.1.01.15":
            times = 1_000.0
        changed = Entry(entry.code, entry.name, entry.budget, round(entry.realised * times))
        entries[index] = changed
    for code, name in _PARENTS:
        below = [each for each in entries if each.code.startswith(f"{code}.")]
        own = [each for each in below if each.code in {leaf for leaf, *_ in ACCOUNTS}]
        budget, realised = sum(each.budget for each in own), sum(each.realised for each in own)
        entries.append(Entry(code, name, budget, realised))
    entries.sort(key=lambda each: each.code)
    header = ["Kode Rekening", "Uraian", "Anggaran", "Realisasi", "Persentase"]
    title = f"LAPORAN REALISASI PENDAPATAN s.d. bulan {month:02d} tahun {year} (data simulasi)"
    rows = [_cells(entry, fault, number) for number, entry in enumerate(entries)]
    return _csv([[title], ["Sumber: tiruan cermin SIPD"], [], header, *rows], ";")


def _write_spending(town: Town, seed: int, year: int, month: int, fault: Fault) -> bytes:
    entries = spending_until(town, seed, _month_end(year, month))
    header = ["Kode OPD", "Nama OPD", "Anggaran", "Realisasi", "Persentase"]
    title = f"REALISASI BELANJA PER OPD s.d. bulan {month:02d} tahun {year} (data simulasi)"
    rows = [_cells(entry, fault, number) for number, entry in enumerate(entries)]
    budget = sum(entry.budget for entry in entries)
    all_of_it = Entry("JUMLAH", "", budget, sum(entry.realised for entry in entries))
    return _csv([[title], header, *rows, _cells(all_of_it, Fault(), 0)], ",")


def _csv(rows: list[list[str]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8-sig")
