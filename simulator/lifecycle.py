"""The way of one report through a department: every move, scripted at its birth."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from simulator.store import VERIFIED, Move, Stage

#: The national promise: 3 working days to verify and forward, 5 to answer.
_PROMISED_WORKING_DAYS = 8


class Work(Protocol):
    """Who does the work on a kind of report, and how many days half of them take."""

    @property
    def agency(self) -> str: ...

    @property
    def median_days(self) -> float: ...


@dataclass
class _Path:
    """A way in the making; each step comes after the last, and most in office hours."""

    rng: random.Random
    now: datetime
    timezone: ZoneInfo
    moves: list[Move]

    def step(self, after_days: float, stage: Stage, note: str, agency: str | None = None) -> None:
        at = self.now + timedelta(days=after_days)
        if self.rng.random() < 0.8:
            at = _office_time(self.rng, at, self.timezone)
        if at <= self.now:
            at = self.now + timedelta(seconds=1)
        self.now = at.replace(microsecond=0)
        self.moves.append(Move(at=self.now, stage=stage, note=note, agency=agency))


_PROGRESS = (
    "petugas {agency} menuju lokasi",
    "sedang dikerjakan oleh {agency}",
    "tim {agency} melakukan survei lapangan",
    "menunggu material, dijadwalkan minggu ini",
    "pekerjaan berlangsung",
)
_DONE = (
    "sudah ditangani oleh {agency}",
    "pekerjaan selesai, terima kasih atas laporannya",
    "sudah dibereskan dan diperiksa ketua RT",
    "sudah ditindaklanjuti di lapangan",
)
_RETURNED = (
    "alamat kurang lengkap, mohon dilengkapi",
    "lokasi tidak ditemukan, mohon patokan yang lebih jelas",
    "bukan wewenang {agency}, dikembalikan kepada admin",
)
_REJECTED = (
    "bukan kewenangan Pemerintah Kota",
    "laporan ganda, sudah ada laporan yang sama",
    "laporan tidak dapat diverifikasi",
)
_REOPENED = (
    "pelapor menyatakan masalah belum selesai",
    "kerusakan terjadi lagi menurut pelapor",
)

_VERIFIED = (
    "pelapor menyatakan sudah beres",
    "pelapor mengirim foto sesudah perbaikan",
    "diperiksa di lapangan oleh pengawas kecamatan",
    "dikonfirmasi kepada pelapor lewat telepon",
)
#: How many closings somebody else confirms, and how many days half of these take (simulated).
_VERIFIED_SHARE, _VERIFIED_MEDIAN_DAYS = 0.72, 2.0


def lifecycle(
    rng: random.Random,
    at: datetime,
    work: Work,
    kelurahan: str,
    timezone: ZoneInfo,
    *,
    verifies: bool = False,
) -> list[Move]:
    """All moves after Menunggu, oldest first.

    Most are done within days, a share only after the promised date; about one in twenty each is
    returned or rejected, and a few are disputed and reopened once. With `verifies`, seven of ten
    that stay done are confirmed within days by the reporter or a supervisor.
    """
    path = _Path(rng, at, timezone, [])
    days = work.median_days * rng.lognormvariate(0.0, 0.8)
    fate = rng.random()
    if rng.random() < 0.6 or fate < 0.04:
        note = f"verifikasi lokasi dengan Kelurahan {kelurahan}"
        path.step(days * rng.uniform(0.04, 0.12), "Koordinasi", note)
    if fate < 0.04:
        path.step(min(days * 0.3, 3.0), "Ditolak", rng.choice(_REJECTED))
        return path.moves
    if fate < 0.10:
        note = rng.choice(_RETURNED).format(agency=work.agency)
        path.step(days * rng.uniform(0.1, 0.3), "Dikembalikan", note)
        if rng.random() < 0.4:
            path.step(14.0, "Ditolak", "tidak ada tanggapan dari pelapor selama 14 hari")
            return path.moves
        path.step(rng.uniform(0.5, 6.0), "Koordinasi", "keterangan sudah dilengkapi pelapor")
    _act(path, work, days)
    if rng.random() < 0.04:
        path.step(rng.uniform(0.5, 4.0), "Dibuka kembali", rng.choice(_REOPENED))
        _act(path, work, days * 0.6)
    if verifies and rng.random() < _VERIFIED_SHARE:
        after = _VERIFIED_MEDIAN_DAYS * rng.lognormvariate(0.0, 0.7)
        # People answer when they like, not in office hours.
        path.now += timedelta(seconds=max(60, int(after * 86_400)))
        path.moves.append(Move(at=path.now, stage=VERIFIED, note=rng.choice(_VERIFIED)))
    return path.moves


def _act(path: _Path, work: Work, days: float) -> None:
    rng, agency = path.rng, work.agency
    forward = rng.uniform(0.1, 0.25)
    begin = rng.uniform(0.2, 0.35)
    path.step(days * forward, "Disposisi", f"diteruskan kepada {agency}", agency)
    path.step(days * begin, "Proses", rng.choice(_PROGRESS).format(agency=agency))
    left = days * (1 - forward - begin)
    path.step(left, "Selesai", rng.choice(_DONE).format(agency=agency))


def _office_time(rng: random.Random, at: datetime, timezone: ZoneInfo) -> datetime:
    """The instant itself within Monday to Friday 07:30-16:00, else one in the next office day."""
    local = at.astimezone(timezone)
    opening = local.replace(hour=7, minute=30, second=0)
    closing = local.replace(hour=16, minute=0, second=0)
    if local.weekday() < 5 and opening <= local < closing:
        return at
    if local >= closing or local.weekday() >= 5:
        opening += timedelta(days=1)
    while opening.weekday() >= 5:
        opening += timedelta(days=1)
    return (opening + timedelta(hours=rng.uniform(0, 8.5))).astimezone(UTC)


def promised(at: datetime, timezone: ZoneInfo) -> datetime:
    """`at` plus 8 working days; weekends do not count, public holidays do (a simple system)."""
    due = at.astimezone(timezone)
    for _ in range(_PROMISED_WORKING_DAYS):
        due += timedelta(days=1)
        while due.weekday() >= 5:
            due += timedelta(days=1)
    return due.astimezone(UTC)
