"""Bapenda's tables through the years, from the seed and the time alone."""

from __future__ import annotations

import bisect
import random
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from simulator import seasons
from simulator.bapenda.figures import OBJECTS, PBB, TAXES, District, districts_of, share_at, split
from simulator.city_life import Town, random_for
from simulator.database import Database, days_between, write_time
from simulator.faults import Faults
from simulator.people import some_names

FILE = "bapenda.sqlite3"
#: Whole years of the past, month by month; and the last days, day by day.
YEARS, DAYS = 2, 60
#: How many objects stand in SPPT: a sample, the summaries count all of them.
SAMPLE = 1_200
#: How often the summary of the running day is written again.
STEP = timedelta(minutes=10)
#: PBB falls due on 30 September.
_DUE = (9, 30)
_CLOSING = time(20, 0)

_NOP = (
    "KD_PROPINSI TEXT NOT NULL, KD_DATI2 TEXT NOT NULL, KD_KECAMATAN TEXT NOT NULL, "
    "KD_KELURAHAN TEXT NOT NULL, KD_BLOK TEXT NOT NULL, NO_URUT TEXT NOT NULL, "
    "KD_JNS_OP TEXT NOT NULL"
)
_NOP_KEY = "KD_PROPINSI, KD_DATI2, KD_KECAMATAN, KD_KELURAHAN, KD_BLOK, NO_URUT, KD_JNS_OP"
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS REF_KECAMATAN (
  KD_PROPINSI TEXT NOT NULL, KD_DATI2 TEXT NOT NULL, KD_KECAMATAN TEXT PRIMARY KEY,
  NM_KECAMATAN TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS SPPT (
  {_NOP}, THN_PAJAK_SPPT TEXT NOT NULL, NM_WP_SPPT TEXT NOT NULL, JLN_WP_SPPT TEXT NOT NULL,
  PBB_YG_HARUS_DIBAYAR_SPPT INTEGER NOT NULL, TGL_JATUH_TEMPO_SPPT TEXT NOT NULL,
  STATUS_PEMBAYARAN_SPPT TEXT NOT NULL, PRIMARY KEY ({_NOP_KEY}, THN_PAJAK_SPPT)
);
CREATE TABLE IF NOT EXISTS PEMBAYARAN_SPPT (
  {_NOP}, THN_PAJAK_SPPT TEXT NOT NULL, PEMBAYARAN_SPPT_KE INTEGER NOT NULL,
  DENDA_SPPT INTEGER NOT NULL, JML_SPPT_YG_DIBAYAR INTEGER NOT NULL,
  TGL_PEMBAYARAN_SPPT TEXT NOT NULL,
  PRIMARY KEY ({_NOP_KEY}, THN_PAJAK_SPPT, PEMBAYARAN_SPPT_KE)
);
CREATE TABLE IF NOT EXISTS REKAP_PBB (
  KD_KECAMATAN TEXT NOT NULL, TGL_REKAP TEXT NOT NULL, THN_PAJAK_SPPT TEXT NOT NULL,
  TARGET_PBB INTEGER NOT NULL, JML_SPPT_YG_DIBAYAR INTEGER NOT NULL,
  JML_OBJEK_LUNAS INTEGER NOT NULL, DIPERBARUI TEXT NOT NULL,
  PRIMARY KEY (KD_KECAMATAN, TGL_REKAP)
);
CREATE TABLE IF NOT EXISTS REALISASI_PAJAK (
  TAHUN INTEGER NOT NULL, BULAN INTEGER NOT NULL, KD_PAJAK TEXT NOT NULL, NM_PAJAK TEXT NOT NULL,
  TARGET_JUTA NUMERIC NOT NULL, REALISASI_JUTA NUMERIC NOT NULL, TGL_DATA TEXT NOT NULL,
  DIPERBARUI TEXT NOT NULL, PRIMARY KEY (TAHUN, BULAN, KD_PAJAK)
)
"""
_TIMES = {"REKAP_PBB": ("DIPERBARUI",), "REALISASI_PAJAK": ("DIPERBARUI",)}
_WRONG = (
    "UPDATE REKAP_PBB SET JML_SPPT_YG_DIBAYAR = 'belum ada' WHERE KD_KECAMATAN = '020'",
    "UPDATE REKAP_PBB SET TGL_REKAP = 'akhir ' || TGL_REKAP WHERE KD_KECAMATAN = '030'",
    "UPDATE REALISASI_PAJAK SET REALISASI_JUTA = 'dalam proses' WHERE KD_PAJAK = 'REKLAME'",
    "UPDATE REALISASI_PAJAK SET TGL_DATA = '0000-00-00' WHERE KD_PAJAK = 'BPHTB'",
)


def open_database(folder: Path) -> Database:
    """Bapenda's database in a folder, made when missing."""
    return Database(folder / FILE, _SCHEMA, times=_TIMES, wrong=_WRONG)


@dataclass(frozen=True)
class Office:
    """The life of Bapenda's tables."""

    database: Database
    town: Town
    seed: int
    faults: Faults

    def advance(self, until: datetime) -> None:
        """Bring all tables up to `until`; nothing when that is in the past.

        The first call brings the ends of the months of two whole years and of this one, the last
        60 days of PBB and a sample of its objects. Blocking.
        """
        self.database.obey(self.faults)
        due = self.database.due(until, STEP)
        if due is None:
            return
        lived, stepped = due
        districts = districts_of(self.town, self.seed)
        today = stepped.astimezone(self.town.timezone).date()
        first = None if lived is None else lived.astimezone(self.town.timezone).date()
        with self.database.writing() as connection:
            if first is None:
                _write_districts(connection, districts)
            for day in _pbb_days(first, today):
                self._write_pbb(connection, districts, day, self._stand(day, stepped))
            for day in _month_days(first, today):
                self._write_taxes(connection, day, self._stand(day, stepped))
            self._write_sample(connection, districts, first, today)
            self.database.remember(connection, stepped)

    def _stand(self, day: date, until: datetime) -> datetime:
        """When the figures of a day were true: when its counters closed, or just now."""
        return min(datetime.combine(day, _CLOSING, self.town.timezone), until)

    def _write_pbb(
        self,
        connection: sqlite3.Connection,
        districts: tuple[District, ...],
        day: date,
        at: datetime,
    ) -> None:
        share = share_at(PBB.curve, at, self.town.timezone)
        taken = split(PBB.taken(day.year, share), [each.of_take for each in districts])
        targets = split(PBB.target_of(day.year), [each.of_target for each in districts])
        ratio = PBB.actual / PBB.target
        connection.executemany(
            "INSERT OR REPLACE INTO REKAP_PBB VALUES (?,?,?,?,?,?,?)",
            [
                (
                    each.code,
                    day.isoformat(),
                    str(day.year),
                    target,
                    amount,
                    int(OBJECTS * each.of_take * ratio * share),
                    write_time(at, self.town.timezone),
                )
                for each, target, amount in zip(districts, targets, taken, strict=True)
            ],
        )

    def _write_taxes(self, connection: sqlite3.Connection, day: date, at: datetime) -> None:
        connection.executemany(
            "INSERT OR REPLACE INTO REALISASI_PAJAK VALUES (?,?,?,?,?,?,?,?)",
            [
                (
                    day.year,
                    day.month,
                    tax.code,
                    tax.name,
                    round(tax.target_of(day.year) / 1e6, 3),
                    round(
                        tax.taken(day.year, share_at(tax.curve, at, self.town.timezone)) / 1e6, 3
                    ),
                    day.isoformat(),
                    write_time(at, self.town.timezone),
                )
                for tax in TAXES
            ],
        )

    def _write_sample(
        self,
        connection: sqlite3.Connection,
        districts: tuple[District, ...],
        first: date | None,
        today: date,
    ) -> None:
        """This year's objects of the sample, and the payments that are due by now."""
        is_new = first is None or first.year < today.year
        since = date(today.year, 1, 1) if first is None or is_new else first
        for number in range(SAMPLE):
            rng = random_for(self.seed, "sppt", number)
            nop, name, street, amount = _object(rng, districts, number)
            year = str(today.year)
            if is_new:
                due = date(today.year, *_DUE).isoformat()
                connection.execute(
                    "INSERT OR IGNORE INTO SPPT VALUES (?,?,?,?,?,?,?,?,?,?,?,?,'0')",
                    (*nop, year, name, street, amount, due),
                )
            paid = _paid_on(today.year, rng.random() * PBB.target / PBB.actual)
            if paid is None or not since <= paid <= today:
                continue
            late = paid > date(today.year, *_DUE)
            connection.execute(
                "INSERT OR IGNORE INTO PEMBAYARAN_SPPT VALUES (?,?,?,?,?,?,?,?,1,?,?,?)",
                (*nop, year, amount // 50 if late else 0, amount, paid.isoformat()),
            )
            connection.execute(
                "UPDATE SPPT SET STATUS_PEMBAYARAN_SPPT = '1' WHERE KD_KECAMATAN = ? "
                "AND KD_KELURAHAN = ? AND KD_BLOK = ? AND NO_URUT = ? AND THN_PAJAK_SPPT = ?",
                (*nop[2:6], year),
            )


def _write_districts(connection: sqlite3.Connection, districts: tuple[District, ...]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO REF_KECAMATAN VALUES ('16','71',?,?)",
        [(each.code, each.name) for each in districts],
    )


def _pbb_days(first: date | None, today: date) -> list[date]:
    """The days whose summary is written: all since the last, or at first those of the past."""
    if first is not None:
        return days_between(first, today)
    recent = days_between(today - timedelta(days=DAYS - 1), today)
    return sorted({*_month_days(None, today), *recent})


def _month_days(first: date | None, today: date) -> list[date]:
    """The last day of each month, and today."""
    since = first or date(today.year - YEARS, 1, 1)
    return [
        day
        for day in days_between(since, today)
        if day == today or (day + timedelta(days=1)).day == 1
    ]


def _object(
    rng: random.Random, districts: tuple[District, ...], number: int
) -> tuple[tuple[str, ...], str, str, int]:
    """NOP in its seven parts, an invented owner and street, and the tax in rupiah."""
    district = rng.choices(districts, [each.of_target for each in districts])[0]
    village, block = rng.randint(1, 9), rng.randint(1, 30)
    nop = ("16", "71", district.code, f"{village:03d}", f"{block:03d}", f"{number:04d}", "0")
    amount = int(rng.lognormvariate(12.6, 0.9)) // 1_000 * 1_000 + 10_000
    return nop, " ".join(some_names(rng)), f"Lorong Contoh No. {rng.randint(1, 200)}", amount


def _paid_on(year: int, share: float) -> date | None:
    """The day by which that share of the year's take is in; None for what is never paid."""
    shares = _shares(year)
    place = bisect.bisect_left(shares, share)
    return date(year, 1, 1) + timedelta(days=place) if place < len(shares) else None


@cache
def _shares(year: int) -> list[float]:
    days = days_between(date(year, 1, 1), date(year, 12, 31))
    return [seasons.pbb_share(day) for day in days]
