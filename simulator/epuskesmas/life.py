"""The clinics' days: who comes, who waits, and what is left of the drugs.

All of it follows from the seed and the time, so it does not matter in how many steps time passes.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from simulator import seasons
from simulator.city_life import Town, poisson, random_for
from simulator.database import Database, days_between, write_time
from simulator.epuskesmas.clinics import DRUGS, Clinic, Drug, clinics_of, patient
from simulator.faults import Faults

FILE = "epuskesmas.sqlite3"
#: How far back the daily summaries go, and for how long single visits are kept.
SUMMARIES, VISITS = timedelta(days=60), timedelta(days=3)
#: When the day is closed: its summary is written and the drugs are counted.
CLOSING = time(16, 30)
#: How often the clinics' programs write: visits, and the board of the waiting room.
BOARD = timedelta(minutes=1)
_MINUTES_A_PATIENT = 4.5

_SCHEMA = """
CREATE TABLE IF NOT EXISTS puskesmas (
  kd_puskesmas TEXT PRIMARY KEY, nm_puskesmas TEXT NOT NULL, kd_wilayah TEXT NOT NULL,
  lintang REAL NOT NULL, bujur REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS kunjungan (
  no_kunjungan TEXT PRIMARY KEY, kd_puskesmas TEXT NOT NULL, waktu_daftar TEXT NOT NULL,
  nik TEXT NOT NULL, nama_pasien TEXT NOT NULL, no_telepon TEXT NOT NULL,
  poli TEXT NOT NULL, cara_bayar TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS kunjungan_waktu ON kunjungan (waktu_daftar);
CREATE TABLE IF NOT EXISTS rekap_harian (
  kd_puskesmas TEXT NOT NULL, tgl TEXT NOT NULL, jml_kunjungan INTEGER NOT NULL,
  waktu_tutup TEXT NOT NULL, PRIMARY KEY (kd_puskesmas, tgl)
);
CREATE TABLE IF NOT EXISTS antrian (
  kd_puskesmas TEXT PRIMARY KEY, menunggu INTEGER NOT NULL, waktu_tunggu_menit REAL NOT NULL,
  diperbarui TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS stok_obat (
  kd_puskesmas TEXT NOT NULL, kd_obat TEXT NOT NULL, nm_obat TEXT NOT NULL,
  satuan TEXT NOT NULL, stok INTEGER NOT NULL, diperbarui TEXT NOT NULL,
  PRIMARY KEY (kd_puskesmas, kd_obat)
)
"""
_TIMES = {
    "kunjungan": ("waktu_daftar",),
    "rekap_harian": ("waktu_tutup",),
    "antrian": ("diperbarui",),
    "stok_obat": ("diperbarui",),
}
_WRONG = (
    "UPDATE rekap_harian SET jml_kunjungan = 'tutup' WHERE kd_puskesmas = 'P002'",
    "UPDATE rekap_harian SET tgl = 'tgl ' || tgl WHERE kd_puskesmas = 'P003'",
    "UPDATE antrian SET menunggu = 'banyak' WHERE kd_puskesmas = 'P002'",
    "UPDATE antrian SET diperbarui = '31/02/2026' WHERE kd_puskesmas = 'P003'",
    "UPDATE stok_obat SET stok = 'habis?' WHERE kd_puskesmas = 'P002'",
)


def open_database(folder: Path) -> Database:
    """The clinics' database in a folder, made when missing."""
    return Database(folder / FILE, _SCHEMA, times=_TIMES, wrong=_WRONG)


@dataclass(frozen=True)
class Clinics:
    """The life of all clinics. `factor` scales how many people come."""

    database: Database
    town: Town
    seed: int
    factor: float
    faults: Faults

    def advance(self, until: datetime) -> None:
        """Let everything happen that is due by `until`; nothing when that is in the past.

        The first call brings 60 days of summaries and 3 of visits. Blocking.
        """
        self.database.obey(self.faults)
        due = self.database.due(until, BOARD)
        if due is None:
            return
        lived, until = due
        since = lived or until - SUMMARIES
        clinics = clinics_of(self.town, self.seed)
        with self.database.writing() as connection:
            if lived is None:
                _write_clinics(connection, clinics)
            local_since = since.astimezone(self.town.timezone).date()
            local_until = until.astimezone(self.town.timezone).date()
            for day in days_between(local_since, local_until):
                self._live_day(connection, clinics, day, since, until)
            self._forget(connection, until)
            self._write_board(connection, clinics, until)
            if lived is None or self._counted_on(lived) < self._counted_on(until):
                self._count_drugs(connection, clinics, self._counted_on(until))
            self.database.remember(connection, until)

    def visits(self, clinic: Clinic, day: date) -> list[datetime]:
        """When people come to a clinic on a day, in order; nobody on a day without work."""
        midnight = datetime.combine(day, time(), self.town.timezone)
        hours = [
            seasons.office_factor(midnight + timedelta(hours=hour), self.town.timezone)
            for hour in range(24)
        ]
        rng = random_for(self.seed, "kunjungan", clinic.code, day)
        count = poisson(rng, clinic.per_day * self.factor * sum(hours) / 8)
        drawn = rng.choices(range(24), hours, k=count) if count else []
        return sorted(
            midnight + timedelta(hours=hour, seconds=rng.randrange(3600)) for hour in drawn
        )

    def _live_day(
        self,
        connection: sqlite3.Connection,
        clinics: tuple[Clinic, ...],
        day: date,
        since: datetime,
        until: datetime,
    ) -> None:
        closing = datetime.combine(day, CLOSING, self.town.timezone)
        closes = since < closing <= until and seasons.is_working_day(day)
        counts = until - closing < VISITS
        if not closes and not counts:
            return
        for clinic in clinics:
            came = self.visits(clinic, day)
            if closes:
                summary = (clinic.code, day.isoformat(), len(came), self._write(closing))
                connection.execute("INSERT OR REPLACE INTO rekap_harian VALUES (?,?,?,?)", summary)
            if counts:
                due = [(n, at) for n, at in enumerate(came) if since < at <= until]
                for number, at in due:
                    connection.execute(
                        "INSERT OR REPLACE INTO kunjungan VALUES (?,?,?,?,?,?,?,?)",
                        self._visit(clinic, day, number, at),
                    )

    def _visit(self, clinic: Clinic, day: date, number: int, at: datetime) -> tuple[str, ...]:
        key = f"{clinic.code}-{day:%Y%m%d}-{number:03d}"
        rng = random_for(self.seed, "pasien", key)
        who, room, payer = patient(rng)
        return key, clinic.code, self._write(at), who.nik, who.name, who.phone, room, payer

    def _forget(self, connection: sqlite3.Connection, until: datetime) -> None:
        oldest = (self._write(until - VISITS),)
        connection.execute("DELETE FROM kunjungan WHERE waktu_daftar < ?", oldest)

    def _write_board(
        self, connection: sqlite3.Connection, clinics: tuple[Clinic, ...], until: datetime
    ) -> None:
        busy = seasons.office_factor(until, self.town.timezone)
        rows = []
        for clinic in clinics:
            rng = random_for(self.seed, "antrian", clinic.code, until.isoformat())
            usual = clinic.per_day * self.factor / 8 * busy
            waiting = poisson(rng, usual) if busy else 0
            minutes = waiting * _MINUTES_A_PATIENT * rng.uniform(0.8, 1.3)
            rows.append((clinic.code, waiting, round(minutes, 1), self._write(until)))
        connection.executemany("INSERT OR REPLACE INTO antrian VALUES (?,?,?,?)", rows)

    def _counted_on(self, at: datetime) -> date:
        """The last day whose drugs have been counted by an instant."""
        local = at.astimezone(self.town.timezone)
        return local.date() if local.time() >= CLOSING else local.date() - timedelta(days=1)

    def _count_drugs(
        self, connection: sqlite3.Connection, clinics: tuple[Clinic, ...], day: date
    ) -> None:
        at = self._write(datetime.combine(day, CLOSING, self.town.timezone))
        rows = [
            (clinic.code, drug.code, drug.name, drug.unit, self.stock(clinic, drug, day), at)
            for clinic in clinics
            for drug in DRUGS
        ]
        connection.executemany("INSERT OR REPLACE INTO stok_obat VALUES (?,?,?,?,?,?)", rows)

    def stock(self, clinic: Clinic, drug: Drug, day: date) -> int:
        """What a clinic has of a drug at the end of a day: less day by day until more comes."""
        rng = random_for(self.seed, "stok", clinic.code, drug.code)
        every, shift = rng.randint(26, 34), rng.randint(0, 33)
        a_day = drug.per_day * clinic.per_day / 30
        age = (day.toordinal() + shift) % every
        delivery = (day.toordinal() + shift) // every
        brought = random_for(self.seed, "kiriman", clinic.code, drug.code, delivery).uniform(
            0.9, 1.4
        )
        return max(0, math.floor(a_day * (every * brought - age)))

    def _write(self, at: datetime) -> str:
        return write_time(at, self.town.timezone)


def _write_clinics(connection: sqlite3.Connection, clinics: tuple[Clinic, ...]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO puskesmas VALUES (?,?,?,?,?)",
        [
            (
                clinic.code,
                clinic.name,
                clinic.place.code,
                round(clinic.place.latitude, 5),
                round(clinic.place.longitude, 5),
            )
            for clinic in clinics
        ],
    )
