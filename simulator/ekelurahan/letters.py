"""Letters that people ask their kelurahan for, and the way of each across the counter.

Which letters there are is usual in Indonesian kelurahan; shares, volumes and durations are the
simulation's own. Promised are 5 to 10 minutes (e-kelurahan Palembang); most keep that, some
kelurahan are slower than others, and letters whose papers lack something come back another day.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from simulator.city_life import Town, poisson, random_for
from simulator.people import somebody
from simulator.register import Filing, Step, in_office
from simulator.seasons import office_factor

#: In the whole city on an average working day; the simulation's own figure.
PER_DAY = 320.0
LONGEST = timedelta(days=16)


@dataclass(frozen=True, slots=True)
class Letter:
    """A kind of letter: its code, its name, and its share of all."""

    code: str
    name: str
    share: float


LETTERS = (
    Letter("SKD", "Surat Keterangan Domisili", 0.21),
    Letter("SKU", "Surat Keterangan Usaha", 0.22),
    Letter("SKTM", "Surat Keterangan Tidak Mampu", 0.2),
    Letter("SKM", "Surat Keterangan Kematian", 0.06),
    Letter("SPN", "Surat Pengantar Nikah", 0.09),
    Letter("SKBM", "Surat Keterangan Belum Menikah", 0.06),
    Letter("SKAW", "Surat Keterangan Ahli Waris", 0.04),
    Letter("SPSKCK", "Surat Pengantar SKCK", 0.12),
)


class Counters:
    """The counters of all kelurahan. Any number of these with one town, seed and factor agree."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        self._town = town
        self._seed = seed
        self._factor = factor
        self._weights = [place.area_km2**0.5 for place in town.neighbourhoods]
        self._pace = {
            place.code: random_for(seed, "ekelurahan", "pace", place.code).lognormvariate(0, 0.25)
            for place in town.neighbourhoods
        }

    def letters_on(self, day: date) -> Sequence[Filing]:
        """Every letter asked for on a local day, by its time."""
        midnight = datetime.combine(day, time(), self._town.timezone)
        found: list[datetime] = []
        for hour in range(24):
            start = midnight + timedelta(hours=hour)
            busy = office_factor(start, self._town.timezone)
            rng = random_for(self._seed, "ekelurahan", f"{start:%Y%m%d%H}")
            begin = start.astimezone(UTC)
            count = poisson(rng, PER_DAY * self._factor / 8 * busy)
            found += [begin + timedelta(seconds=rng.randrange(3600)) for _ in range(count)]
        return [self._letter(f"KEL-{day:%Y%m%d}-{n:04d}", at) for n, at in enumerate(sorted(found))]

    def _letter(self, key: str, at: datetime) -> Filing:
        rng = random_for(self._seed, "ekelurahan", key)
        place = rng.choices(self._town.neighbourhoods, self._weights)[0]
        return Filing(
            key=key,
            code=rng.choices(LETTERS, [each.share for each in LETTERS])[0].code,
            place=place,
            person=somebody(rng),
            steps=tuple(self._way(rng, at, self._pace[place.code])),
        )

    def _way(self, rng: random.Random, at: datetime, pace: float) -> list[Step]:
        """diajukan -> verifikasi -> tanda_tangan -> selesai, or what else may become of it."""
        way = _Way(self._town, at)
        fate = rng.random()
        way.step(pace * rng.lognormvariate(0.4, 0.5), "verifikasi")
        if fate < 0.02:
            way.step(rng.uniform(1, 6), "ditolak")
            return way.steps
        if fate < 0.08:
            way.step(rng.uniform(1, 4), "dikembalikan")
            if fate < 0.03:
                way.step(rng.uniform(1, 5) * 1440, "dibatalkan")
                return way.steps
            way.step(rng.uniform(0.1, 3) * 1440, "verifikasi")
        way.step(pace * rng.lognormvariate(0.8, 0.5), "tanda_tangan")
        way.step(pace * rng.lognormvariate(0.8, 0.7), "selesai")
        return way.steps


class _Way:
    def __init__(self, town: Town, at: datetime) -> None:
        self._timezone = town.timezone
        self.steps = [Step(at, "diajukan")]

    def step(self, minutes: float, stage: str) -> None:
        last = self.steps[-1].at
        at = in_office(last + timedelta(minutes=minutes), self._timezone)
        self.steps.append(Step(max(at, last + timedelta(seconds=1)), stage))
