"""Made-up reports of a year, the same at every run: what the first import of a city brings."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lawang.city import City
from lawang.domain.incident import Report

#: Of the records of a page; the others are changes of reports that were open.
NEW_SHARE = 0.8
#: How many reports are open at a time.
_OPEN = 5_000
_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
#: A million of these make a year.
_BETWEEN = timedelta(seconds=30)
#: The longest time from report to done of those that come finished; the import is that old.
LONGEST = timedelta(hours=36)
_CODES = ("JLN", "BJR", "DRN", "SMP", "LPJ", "PHN", "AIR", "LLN", "TRB", "PLY", "LNY")
_TEXTS = (
    "Air masuk ke rumah setinggi lutut sejak subuh, selokan di depan gang penuh sampah dan pasir.",
    "Lampu jalan padam sudah empat malam, mohon segera diperbaiki karena rawan bagi pejalan kaki.",
    "Lubang besar di jalur kiri setelah jembatan, dua pengendara motor jatuh tadi pagi.",
    "Sampah menumpuk di pojok pasar dan belum diangkut. Hubungi saya di 0812-7788-9900.",
    "Pohon tumbang menutup separuh jalan, kabel ikut tertarik, mohon petugas datang.",
)
_NOTES = ("Koordinasi dengan OPD", "Disposisi ke petugas", "Proses di lapangan")


class ReportMaker:
    """Pages of reports: `NEW_SHARE` are new, each other one is the next state of an open report.

    Most new ones are finished already, as in an import of the past; as many stay open as changes
    will close, so that the number of open reports holds.
    """

    def __init__(self, city: City, seed: int = 1671) -> None:
        self._random = random.Random(seed)
        self._kelurahan: Sequence[tuple[float, float]] = [
            (region.latitude, region.longitude) for region in city.kelurahan
        ]
        self._open: list[Report] = []
        self.made = 0

    @property
    def now(self) -> datetime:
        """The time of the newest report."""
        return _FIRST + self.made * _BETWEEN

    def page(self, size: int) -> list[Report]:
        """The next `size` records, each about another report."""
        changes = min(round(size * (1 - NEW_SHARE)), len(self._open))
        return [*self._changes(changes), *(self._new() for _ in range(size - changes))]

    def _new(self) -> Report:
        chance = self._random
        requested_at = self.now
        self.made += 1
        latitude, longitude = chance.choice(self._kelurahan)
        report = Report(
            external_id=f"{requested_at.year}-{self.made:07d}",
            status="open",
            status_note="Menunggu verifikasi",
            category=chance.choice(_CODES),
            description=chance.choice(_TEXTS),
            address=f"Jl. Merdeka No. {chance.randrange(1, 400)}, RT {chance.randrange(1, 60):02d}",
            agency="Dinas PUPR",
            latitude=latitude + chance.uniform(-0.004, 0.004),
            longitude=longitude + chance.uniform(-0.004, 0.004),
            requested_at=requested_at,
            updated_at=requested_at,
        )
        if len(self._open) < _OPEN and chance.random() < 0.5:
            self._open.append(report)
            return report
        return _finish(report, requested_at + chance.uniform(0.05, 1.0) * LONGEST)

    def _changes(self, count: int) -> Iterator[Report]:
        """Half of them go on, half are done; none appears twice."""
        chosen = sorted(self._random.sample(range(len(self._open)), count), reverse=True)
        for index in chosen:
            report = self._open[index]
            if self._random.random() < 0.5:
                yield _finish(report, self.now)
                self._open[index] = self._open[-1]
                self._open.pop()
            else:
                moved = replace(
                    report, status_note=self._random.choice(_NOTES), updated_at=self.now
                )
                self._open[index] = moved
                yield moved


def _finish(report: Report, at: datetime) -> Report:
    return replace(report, status="closed", status_note="Selesai dikerjakan", updated_at=at)
