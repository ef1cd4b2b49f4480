"""The days of the counters, and how they are written down."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import xlsxwriter

from simulator import seasons
from simulator.city_life import Town, poisson, random_for
from simulator.drop import Sending
from simulator.faults import Fault

_DAYS = 30
_SENT = time(16, 30)
#: Services of a kecamatan with applications a day and minutes each; the figures are invented.
SERVICES = (
    ("Surat Keterangan Domisili", 3.2, 9.0),
    ("Surat Keterangan Usaha", 2.4, 11.0),
    ("Surat Keterangan Tidak Mampu", 2.8, 8.0),
    ("Surat Pindah", 1.6, 14.0),
    ("Legalisasi Dokumen", 4.1, 5.0),
    ("Rekomendasi Izin Keramaian", 0.5, 22.0),
)
_HEADER = ("Permohonan", "Selesai", "Ditolak", "Rata-rata (menit)")


@dataclass(frozen=True, slots=True)
class Count:
    """One service of one kecamatan on one day."""

    kecamatan: str
    service: str
    asked: int
    done: int
    refused: int
    minutes: float


def plan(town: Town, seed: int, factor: float, at: datetime) -> Iterator[Sending]:
    """The files sent until an instant: one for each working day of the last month."""
    today = at.astimezone(town.timezone).date()
    for back in range(_DAYS, -1, -1):
        day = today - timedelta(days=back)
        sent = datetime.combine(day, _SENT, town.timezone).astimezone(UTC)
        if sent > at or not seasons.is_working_day(day):
            continue
        suffix = "xlsx" if day.weekday() == 2 else "csv"
        make = partial(_write, town, seed, factor, day)
        yield Sending(f"paten_{day:%Y-%m-%d}.{suffix}", sent, make)


def counts_on(town: Town, seed: int, factor: float, day: date) -> list[Count]:
    """What was counted on a day, kecamatan by kecamatan."""
    names = dict.fromkeys(place.kecamatan_name for place in town.neighbourhoods)
    counts = []
    busy = seasons.lebaran_factor(day) * (1.2 if day.weekday() == 0 else 0.95)
    for name in names:
        share = 0.6 + random_for(seed, "paten", name).random() * 0.8
        for service, per_day, minutes in SERVICES:
            rng = random_for(seed, "paten", name, service, day)
            asked = poisson(rng, per_day * share * busy * factor)
            refused = sum(rng.random() < 0.04 for _ in range(asked))
            open_still = sum(rng.random() < 0.05 for _ in range(asked - refused))
            took = round(minutes * rng.uniform(0.7, 1.6), 1)
            counts.append(Count(name, service, asked, asked - refused - open_still, refused, took))
    return counts


def _write(town: Town, seed: int, factor: float, day: date, fault: Fault) -> bytes:
    counts = counts_on(town, seed, factor, day)
    return _workbook(counts, day, fault) if day.weekday() == 2 else _csv(counts, day, fault)


def _cells(count: Count, fault: Fault, number: int) -> list[str | int | float]:
    if fault.kind == "wrong_types" and number % 3 == 1:
        return ["banyak", "sekitar 3", "?", "lama"]
    # Where nobody came, nobody waited: the cell holds a dash.
    return [count.asked, count.done, count.refused, count.minutes if count.asked else "-"]


def _csv(counts: list[Count], day: date, fault: Fault) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["REKAPITULASI PELAYANAN ADMINISTRASI TERPADU KECAMATAN (PATEN)"])
    writer.writerow([f"Tanggal: {day:%d-%m-%Y} – data simulasi"])
    writer.writerow([])
    writer.writerow(["No", "Kecamatan", "Jenis Layanan", *_HEADER])
    for number, count in enumerate(counts, start=1):
        cells = [
            str(cell).replace(".", ",") if isinstance(cell, float) else cell
            for cell in _cells(count, fault, number)
        ]
        writer.writerow([number, count.kecamatan, count.service, *cells])
    asked, done = sum(count.asked for count in counts), sum(count.done for count in counts)
    refused = sum(count.refused for count in counts)
    writer.writerow(["TOTAL", "", "", asked, done, refused, ""])
    return out.getvalue().encode("cp1252")


def _workbook(counts: list[Count], day: date, fault: Fault) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        # Without it the file would hold the time of its making, and no two would be alike.
        book.set_properties({"created": datetime.combine(day, _SENT), "comments": "data simulasi"})
        bold = book.add_format({"bold": True})
        for name in dict.fromkeys(count.kecamatan for count in counts):
            sheet = book.add_worksheet(name)
            sheet.merge_range(0, 0, 0, 5, f"PATEN KECAMATAN {name.upper()} (data simulasi)", bold)
            sheet.write(1, 0, "Tanggal")
            sheet.write_datetime(1, 1, datetime.combine(day, time()))
            sheet.write_row(3, 0, ["No", "Jenis Layanan", *_HEADER], bold)
            own = [count for count in counts if count.kecamatan == name]
            for number, count in enumerate(own, start=1):
                row = [number, count.service, *_cells(count, fault, number)]
                sheet.write_row(3 + number, 0, row)
            sheet.write(4 + len(own), 0, "TOTAL", bold)
            sheet.write_formula(
                4 + len(own), 2, f"=SUM(C5:C{4 + len(own)})", bold, sum(c.asked for c in own)
            )
    return out.getvalue()
