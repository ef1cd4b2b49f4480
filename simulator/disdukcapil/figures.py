"""What Disdukcapil counts: coverage of the population, and the counters' daily work.

Published for Palembang: 1,279,679 people must have an e-KTP and 99.21% are recorded; IKD 8.66%;
birth certificates 98.90%; KIA 60.72%; about 300 e-KTP requests a day, peaks of 500; roughly 29,000
births a year. From there on, and in how it is spread over the kecamatan, it is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from simulator.city_life import Town, random_for
from simulator.seasons import office_factor

ELIGIBLE, RECORDED = 1_279_679, 0.9921
IKD, BIRTHS, KIA = 0.0866, 0.9890, 0.6072
EKTP_PER_DAY, EKTP_PEAK, BIRTHS_PER_YEAR = 300.0, 500.0, 29_000
#: Children, of whom birth certificates and KIA are counted: the simulation's own figure.
CHILDREN = 520_000
#: The day for which the published figures are taken to hold, and what a day adds to them since.
_FROM = date(2026, 1, 1)
_MORE_A_DAY = {"wajib": 38.0, "rekam": 41.0, "ikd": 170.0, "anak": 12.0, "akta": 14.0, "kia": 95.0}


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of one kecamatan have what, at the end of the day before."""

    eligible: int
    recorded: int
    ikd: int
    children: int
    births: int
    kia: int


@dataclass(frozen=True, slots=True)
class Work:
    """What one kecamatan's counter did on a day, so far."""

    asked: int
    printed: int
    births: int
    kia: int
    ikd: int


class Figures:
    """Any number of these with one town, seed and factor agree."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        self._town = town
        self._seed = seed
        self._factor = factor
        area: dict[str, float] = {}
        for place in town.neighbourhoods:
            area[place.kecamatan] = area.get(place.kecamatan, 0.0) + place.area_km2**0.5
        total = sum(area.values())
        #: Kecamatan codes with their part of the city's people.
        self.shares = {code: part / total for code, part in area.items()}

    def coverage(self, kecamatan: str, day: date) -> Coverage:
        """The stand at the end of a local day; before the published one it is that one."""
        days = max(0, (day - _FROM).days)
        more = {name: days * rate for name, rate in _MORE_A_DAY.items()}
        share = self.shares[kecamatan]
        eligible = ELIGIBLE + more["wajib"]
        children = CHILDREN + more["anak"]
        # Nothing can be recorded of more people than there are.
        return Coverage(
            eligible=int(eligible * share),
            recorded=int(min(eligible, ELIGIBLE * RECORDED + more["rekam"]) * share),
            ikd=int(min(eligible, ELIGIBLE * IKD + more["ikd"]) * share),
            children=int(children * share),
            births=int(min(children, CHILDREN * BIRTHS + more["akta"]) * share),
            kia=int(min(children, CHILDREN * KIA + more["kia"]) * share),
        )

    def work(self, kecamatan: str, day: date, now: datetime) -> Work:
        """What was done on a local day until `now`; nothing while the office is closed."""
        full, done = self._busy(day, now)
        rng = random_for(self._seed, "disdukcapil", day, kecamatan)
        mean = min(EKTP_PEAK, EKTP_PER_DAY * full) * self._factor * self.shares[kecamatan]
        asked = mean * rng.uniform(0.75, 1.25)
        births = BIRTHS_PER_YEAR / 245 * self._factor * self.shares[kecamatan] * min(full, 1.3)
        return Work(
            asked=round(asked * done),
            printed=round(asked * rng.uniform(0.86, 0.99) * done),
            births=round(births * rng.uniform(0.7, 1.3) * done),
            kia=round(births * rng.uniform(0.5, 1.2) * done),
            ikd=round(asked * rng.uniform(0.15, 0.4) * done),
        )

    def _busy(self, day: date, now: datetime) -> tuple[float, float]:
        """How busy a day is against an average one, and what part of it is over."""
        opening = datetime.combine(day, time(), self._town.timezone).astimezone(UTC)
        full = over = 0.0
        for hour in range(24):
            start = opening + timedelta(hours=hour)
            busy = office_factor(start, self._town.timezone)
            full += busy
            over += busy * min(1.0, max(0.0, (now - start) / timedelta(hours=1)))
        return (full / 8, over / full) if full else (0.0, 0.0)
