"""Weeks of visits, and the workbook with its two-line header."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import xlsxwriter

from simulator.city_life import Neighbourhood, Town, poisson, random_for
from simulator.drop import Sending
from simulator.faults import Fault
from simulator.people import Person, somebody

_WEEKS = 8
_SENT = time(8, 30)
PUSKESMAS = 42
_VISITS = 6.0
_RISKS = (("Rendah", 0.72), ("Sedang", 0.18), ("Tinggi", 0.10))

#: The upper line of the header with the columns below; "" where both lines are one cell.
_HEADER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("No", ("",)),
    ("Puskesmas", ("",)),
    ("Kelurahan", ("",)),
    ("Data Ibu", ("Nama", "NIK", "Tanggal Lahir", "No. HP", "Alamat")),
    ("Kehamilan", ("HPHT", "Usia (minggu)", "Kunjungan", "Risiko")),
    ("Pemeriksaan", ("Tanggal", "Tekanan Darah", "Hb (g/dL)", "LiLA (cm)")),
    ("Keterangan", ("",)),
)
_FIRST_ROW = 6


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of one woman who does not exist."""

    puskesmas: Neighbourhood
    who: Person
    born: date
    pregnant_since: date
    visit: str
    risk: str
    day: date
    pressure: str
    hb: float
    arm_cm: float

    @property
    def weeks(self) -> int:
        """How long she is pregnant."""
        return (self.day - self.pregnant_since).days // 7


def plan(town: Town, seed: int, factor: float, at: datetime) -> Iterator[Sending]:
    """The files sent until an instant: on Mondays, for the week before."""
    today = at.astimezone(town.timezone).date()
    this_monday = today - timedelta(days=today.weekday())
    for back in range(_WEEKS, -1, -1):
        monday = this_monday - timedelta(weeks=back)
        sent = datetime.combine(monday + timedelta(weeks=1), _SENT, town.timezone).astimezone(UTC)
        if sent <= at:
            make = partial(_workbook, town, seed, factor, monday)
            yield Sending(f"ibu_hamil_{monday:%G-W%V}.xlsx", sent, make)


def puskesmas_of(town: Town) -> tuple[Neighbourhood, ...]:
    """The kelurahan after which the 42 are called, spread over the list of all."""
    places = sorted(town.neighbourhoods, key=lambda place: place.code)
    return tuple(places[index * len(places) // PUSKESMAS] for index in range(PUSKESMAS))


def visits_in(town: Town, seed: int, factor: float, monday: date) -> list[Visit]:
    """The visits of a week, puskesmas by puskesmas."""
    visits: list[Visit] = []
    for place in puskesmas_of(town):
        rng = random_for(seed, "ibu_hamil", place.code, monday)
        count = poisson(rng, _VISITS * factor)
        visits.extend(_visit(rng, place, monday) for _ in range(count))
    return visits


def _visit(rng: random.Random, place: Neighbourhood, monday: date) -> Visit:
    day = monday + timedelta(days=rng.randrange(6))
    weeks = rng.randint(6, 39)
    number = min(6, 1 + weeks // 7)
    return Visit(
        puskesmas=place,
        who=somebody(rng),
        born=day - timedelta(days=rng.randint(18 * 365, 42 * 365)),
        pregnant_since=day - timedelta(days=7 * weeks + rng.randrange(7)),
        visit=f"K{number}",
        risk=rng.choices([name for name, _ in _RISKS], [share for _, share in _RISKS])[0],
        day=day,
        pressure=f"{rng.randint(95, 150)}/{rng.randint(60, 95)}",
        hb=round(rng.gauss(11.6, 1.1), 1),
        arm_cm=round(rng.gauss(25.5, 2.0), 1),
    )


def _workbook(town: Town, seed: int, factor: float, monday: date, fault: Fault) -> bytes:
    out = io.BytesIO()
    skew = timedelta(seconds=fault.amount if fault.kind == "clock_skew" else 0)
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties(
            {"created": datetime.combine(monday, _SENT), "comments": "data simulasi"}
        )
        bold = book.add_format({"bold": True, "align": "center"})
        dates = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet("Register")
        sheet.merge_range(0, 0, 0, 16, "REGISTER KOHORT IBU HAMIL (data simulasi)", bold)
        sheet.merge_range(1, 0, 1, 16, f"Pekan {monday:%V} tahun {monday:%G}", bold)
        column = 0
        for upper, lower in _HEADER:
            last = column + len(lower) - 1
            if lower == ("",):
                sheet.merge_range(3, column, 4, column, upper, bold)
            else:
                sheet.merge_range(3, column, 3, last, upper, bold)
                sheet.write_row(4, column, lower, bold)
            column = last + 1
        for number, visit in enumerate(visits_in(town, seed, factor, monday), start=1):
            row = _FIRST_ROW - 2 + number
            wrong = fault.kind == "wrong_types" and number % 3 == 1
            cells: list[object] = [
                number,
                f"Puskesmas {visit.puskesmas.name}",
                visit.puskesmas.name,
                visit.who.name,
                visit.who.nik,
                visit.born,
                visit.who.phone,
                f"RT {number % 9 + 1:02d} Kelurahan {visit.puskesmas.name}",
                visit.pregnant_since,
                visit.weeks,
                visit.visit,
                visit.risk,
                "minggu lalu" if wrong else visit.day + skew,
                visit.pressure,
                "rendah" if wrong else visit.hb,
                visit.arm_cm,
                "Rujuk ke RS" if visit.risk == "Tinggi" else "",
            ]
            for at, cell in enumerate(cells):
                if isinstance(cell, date):
                    sheet.write_datetime(row, at, datetime.combine(cell, time()), dates)
                elif cell != "":
                    sheet.write(row, at, cell)
        notes = book.add_worksheet("Petunjuk")
        notes.write(0, 0, "Isi satu baris untuk satu kunjungan. Semua orang di sini rekaan.")
    return out.getvalue()
