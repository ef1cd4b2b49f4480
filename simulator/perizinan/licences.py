"""Licences that people and companies ask DPMPTSP for, and the way of each through the office.

The stages are OSS-RBA's: 10 lengkap, 20 validasi, 40 inspeksi, 50 disetujui, 90 ditolak. Kinds,
shares, volumes and promises are the simulation's own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from simulator.city_life import Town, poisson, random_for
from simulator.people import somebody
from simulator.register import Filing, Step, in_office, working_time
from simulator.seasons import office_factor

PER_DAY = 42.0
LONGEST = timedelta(days=90)
_HOURS_A_DAY = 8


@dataclass(frozen=True, slots=True)
class Licence:
    """A kind of licence. `days` are the working days promised; `inspected`: somebody looks."""

    code: str
    name: str
    share: float
    days: int
    inspected: bool
    kbli: str


LICENCES = (
    Licence("SIPD", "Surat izin praktik dokter", 0.2, 5, False, "86201"),
    Licence("SIPP", "Surat izin praktik perawat", 0.19, 5, False, "86901"),
    Licence("SIPA", "Surat izin praktik apoteker", 0.12, 5, False, "47721"),
    Licence("REKLAME", "Izin penyelenggaraan reklame", 0.16, 7, True, "73100"),
    Licence("PBG", "Persetujuan bangunan gedung", 0.15, 28, True, "68111"),
    Licence("SLF", "Sertifikat laik fungsi", 0.05, 28, True, "68111"),
    Licence("APOTEK", "Izin apotek", 0.05, 14, True, "47721"),
    Licence("PENELITIAN", "Rekomendasi penelitian", 0.08, 3, False, "72102"),
)
BY_CODE = {each.code: each for each in LICENCES}


class Office:
    """The licences of a town. Any number of these with one town, seed and factor agree."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        self._town = town
        self._seed = seed
        self._factor = factor
        self._weights = [place.area_km2**0.5 for place in town.neighbourhoods]

    def licences_on(self, day: date) -> Sequence[Filing]:
        """Every application complete on a local day, by its time."""
        noon = datetime.combine(day, time(10), self._town.timezone)
        busy = office_factor(noon, self._town.timezone)
        rng = random_for(self._seed, "perizinan", day)
        mean = PER_DAY * self._factor * min(busy, 1.5)
        opening = datetime.combine(day, time(8), self._town.timezone).astimezone(UTC)
        times = [
            opening + timedelta(seconds=rng.randrange(8 * 3600)) for _ in range(poisson(rng, mean))
        ]
        return [self._licence(f"I-{day:%Y%m%d}{n:04d}", at) for n, at in enumerate(sorted(times))]

    def _licence(self, key: str, at: datetime) -> Filing:
        rng = random_for(self._seed, "perizinan", key)
        kind = rng.choices(LICENCES, [each.share for each in LICENCES])[0]
        return Filing(
            key=key,
            code=kind.code,
            place=rng.choices(self._town.neighbourhoods, self._weights)[0],
            person=somebody(rng),
            steps=tuple(self._way(rng, in_office(at, self._town.timezone), kind)),
        )

    def _way(self, rng: random.Random, at: datetime, kind: Licence) -> list[Step]:
        # Half are done in six tenths of the promised time, about one in six is late.
        hours = kind.days * _HOURS_A_DAY * min(1.7, 0.6 * rng.lognormvariate(0, 0.5))
        steps = [Step(at, "10")]

        def after(share: float, stage: str) -> None:
            when = working_time(steps[-1].at, hours * share, self._town.timezone)
            steps.append(Step(max(when, steps[-1].at + timedelta(seconds=1)), stage))

        after(0.25, "20")
        if kind.inspected:
            after(0.4, "40")
        after(0.35 if kind.inspected else 0.75, "90" if rng.random() < 0.07 else "50")
        return steps
