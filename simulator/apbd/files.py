"""The files of BPKAD: the mirror of SIPD once a month, the cash book once a working day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from simulator import seasons
from simulator.apbd.books import ACCOUNTS, Entry, month_end, revenue_until, spending_until
from simulator.apbd.treasury import balance_on, financing_until, flows_of
from simulator.city_life import Town
from simulator.drop import Sending
from simulator.faults import Fault

_YEARS_BACK = 2
_SENT_DAY, _CORRECTED_DAY, _SENT = 5, 12, time(9, 30)
#: The month whose revenue is sent with a mistake first.
CORRECTED_MONTH = 7
#: For how many days back the cash book is there, and when a day's page is sent.
_CASH_DAYS, _CASH_SENT = 90, time(16, 45)
_PARENTS = (
    ("4", "PENDAPATAN DAERAH"),
    ("4.1", "PENDAPATAN ASLI DAERAH (PAD)"),
    ("4.1.01", "Pajak Daerah"),
    ("4.2", "PENDAPATAN TRANSFER"),
)


def plan(town: Town, seed: int, at: datetime) -> Iterator[Sending]:
    """The files sent until an instant: accounts from January two years ago on, then cash.

    The newest revenue file comes last: that is the one a fault spoils.
    """
    today = at.astimezone(town.timezone).date()
    yield from _cash_book(town, seed, today, at)
    for year in range(today.year - _YEARS_BACK, today.year + 1):
        for month in range(1, 13):
            sent = _sent(town, year, month, _SENT_DAY)
            if sent > at:
                return
            name = f"{year}-{month:02d}"
            spending = partial(_write_spending, town, seed, year, month)
            yield Sending(f"apbd_belanja_opd_{name}.csv", sent, spending)
            financing = partial(_write_financing, town, seed, year, month)
            yield Sending(f"apbd_pembiayaan_{name}.csv", sent, financing)
            is_wrong = year == today.year and month == CORRECTED_MONTH
            revenue = partial(_write_revenue, seed, year, month)
            yield Sending(
                f"apbd_pendapatan_{name}.csv", sent, partial(revenue, with_mistake=is_wrong)
            )
            corrected = _sent(town, year, month, _CORRECTED_DAY)
            if is_wrong and corrected <= at:
                yield Sending(f"apbd_pendapatan_{name}_rev2.csv", corrected, revenue)


def _cash_book(town: Town, seed: int, today: date, at: datetime) -> Iterator[Sending]:
    for back in range(_CASH_DAYS, -1, -1):
        day = today - timedelta(days=back)
        sent = datetime.combine(day, _CASH_SENT, town.timezone).astimezone(UTC)
        if sent <= at and seasons.is_working_day(day):
            page = partial(_write_cash, town, seed, day)
            yield Sending(f"kas_daerah_{day:%Y-%m-%d}.csv", sent, page)


def _sent(town: Town, year: int, month: int, day: int) -> datetime:
    following = month_end(year, month) + timedelta(days=day)
    return datetime.combine(following, _SENT, town.timezone).astimezone(UTC)


def _rupiah(amount: int) -> str:
    return "Rp" + f"{amount:,}".replace(",", ".") + ",00"


def _percent(entry: Entry) -> str:
    if not entry.budget:
        return "-"
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
    entries = spending_until(town, seed, month_end(year, month))
    header = ["Kode OPD", "Nama OPD", "Anggaran", "Realisasi", "Persentase"]
    title = f"REALISASI BELANJA PER OPD s.d. bulan {month:02d} tahun {year} (data simulasi)"
    rows = [_cells(entry, fault, number) for number, entry in enumerate(entries)]
    budget = sum(entry.budget for entry in entries)
    all_of_it = Entry("JUMLAH", "", budget, sum(entry.realised for entry in entries))
    return _csv([[title], header, *rows, _cells(all_of_it, Fault(), 0)], ",")


def _write_financing(town: Town, seed: int, year: int, month: int, fault: Fault) -> bytes:
    entries = financing_until(town, seed, month_end(year, month))
    header = ["Kode Rekening", "Uraian", "Anggaran", "Realisasi", "Persentase"]
    title = f"LAPORAN REALISASI PEMBIAYAAN s.d. bulan {month:02d} tahun {year} (data simulasi)"
    rows = [["6", "PEMBIAYAAN DAERAH", "", "", ""]]
    for code, name in (("6.1", "PENERIMAAN PEMBIAYAAN"), ("6.2", "PENGELUARAN PEMBIAYAAN")):
        own = [each for each in entries if each.code.startswith(f"{code}.")]
        total = Entry(
            code, name, sum(each.budget for each in own), sum(each.realised for each in own)
        )
        rows += [_cells(each, fault, number) for number, each in enumerate((total, *own))]
    return _csv([[title], ["Sumber: tiruan cermin SIPD"], [], header, *rows], ";")


def _write_cash(town: Town, seed: int, day: date, fault: Fault) -> bytes:
    came, paid = flows_of(town, seed, day)
    balance = balance_on(town, seed, day)
    header = ["Rekening", "Nama Rekening", "Penerimaan", "Pengeluaran", "Saldo Akhir"]
    amounts = [_rupiah(amount) for amount in (came, paid, balance)]
    if fault.kind == "wrong_types":
        amounts = ["lihat lampiran", "±", "n.a."]
    title = f"BUKU KAS UMUM DAERAH {day:%d-%m-%Y} (data simulasi)"
    return _csv([[title], header, ["RKUD", "Rekening Kas Umum Daerah", *amounts]], ";")


def _csv(rows: list[list[str]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8-sig")
