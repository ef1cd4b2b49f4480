"""How much each tax brings: facts of 2023, and what the simulation makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from simulator import seasons
from simulator.city_life import Town, random_for

#: The simulation's own: how much more each year brings, and how many objects are taxed.
GROWTH = 1.03
OBJECTS = 360_000
#: When banks and counters take payments, by local hour.
_OPENS, _CLOSES = 8, 20


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax. `actual` and `target` are Palembang's of 2023, in rupiah (press and Bapenda, 2023)."""

    code: str
    name: str
    curve: str
    actual: float
    target: float

    def target_of(self, year: int) -> float:
        """The target of a year, in rupiah: invented for every year but 2023."""
        return self.target * GROWTH ** (year - 2023)

    def taken(self, year: int, share: float) -> float:
        """What has come in when a share of the year's take has, in rupiah."""
        return self.actual * GROWTH ** (year - 2023) * share


PBB = Tax("PBB", "PBB-P2", "pbb", 249e9, 279e9)
#: Since 2024 hotel, restaurant, parking, entertainment and electricity are items of PBJT.
TAXES: tuple[Tax, ...] = (
    Tax("PBJT-LISTRIK", "PBJT Tenaga Listrik", "listrik", 248e9, 240e9),
    Tax("BPHTB", "BPHTB", "bphtb", 240e9, 225e9),
    Tax("PBJT-MAKAN", "PBJT Makanan dan Minuman", "restoran", 218e9, 215e9),
    Tax("PBJT-HOTEL", "PBJT Jasa Perhotelan", "hotel", 61.5e9, 54e9),
    Tax("PBJT-HIBURAN", "PBJT Kesenian dan Hiburan", "hiburan", 37.6e9, 37.5e9),
    Tax("PBJT-PARKIR", "PBJT Jasa Parkir", "parkir", 27.5e9, 26e9),
    Tax("REKLAME", "Pajak Reklame", "reklame", 24.3e9, 29e9),
)


@dataclass(frozen=True, slots=True)
class District:
    """A kecamatan under Bapenda's own code, with its parts of the city's target and take."""

    code: str
    kecamatan: str
    name: str
    of_target: float
    of_take: float


def districts_of(town: Town, seed: int) -> tuple[District, ...]:
    """The kecamatan in Bapenda's own order, which is neither Kemendagri's nor that of BPS.

    The codes (010, 020, ...) and the parts are invented: the real list is Bapenda's.
    """
    names = {place.kecamatan: place.kecamatan_name for place in town.neighbourhoods}
    weights, reaches = {}, {}
    for code in names:
        rng = random_for(seed, "pbb", code)
        area = sum(place.area_km2 for place in town.in_kecamatan(code))
        weights[code] = area**0.35 * rng.uniform(0.6, 1.8)
        reaches[code] = weights[code] * rng.uniform(0.8, 1.15)
    whole, reached = sum(weights.values()), sum(reaches.values())
    return tuple(
        District(
            code=f"{10 * number:03d}",
            kecamatan=code,
            name=names[code].upper(),
            of_target=weights[code] / whole,
            of_take=reaches[code] / reached,
        )
        for number, code in enumerate(sorted(names, key=lambda code: names[code]), 1)
    )


def share_at(curve: str, at: datetime, zone: ZoneInfo) -> float:
    """The part of its year's take that a tax has brought by an instant, 0 to 1.

    A day's part comes in evenly while counters are open.
    """
    local = at.astimezone(zone)
    day = local.date()
    before = (
        seasons.tax_share(curve, day - timedelta(days=1)) if day.timetuple().tm_yday > 1 else 0.0
    )
    passed = (local.hour + local.minute / 60 - _OPENS) / (_CLOSES - _OPENS)
    return before + (seasons.tax_share(curve, day) - before) * min(1.0, max(0.0, passed))


def split(total: float, parts: Sequence[float]) -> list[int]:
    """An amount in whole rupiah by parts that add up to 1, so that nothing is lost."""
    found = [int(total * part) for part in parts]
    found[0] += round(total) - sum(found)
    return found
