"""The invented clinics: as many as Palembang has, each in a real kelurahan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.city_life import Neighbourhood, Town, random_for
from simulator.people import Person, somebody

#: Palembang has 42; which kelurahan they stand in is the simulation's own.
COUNT = 42
_ROOMS = {"Umum": 0.55, "KIA": 0.2, "Gigi": 0.1, "Lansia": 0.15}
_PAYERS = {"JKN": 0.78, "Umum": 0.14, "Jamsoskes": 0.08}


@dataclass(frozen=True, slots=True)
class Clinic:
    """A clinic; `per_day` are the visits of an ordinary working day."""

    code: str
    name: str
    place: Neighbourhood
    per_day: float


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug; a clinic of `use` 1.0 gives `per_day` of its units a working day."""

    code: str
    name: str
    unit: str
    per_day: float


DRUGS = (
    Drug("PCT500", "Parasetamol 500 mg", "tablet", 160),
    Drug("AMX500", "Amoksisilin 500 mg", "kapsul", 90),
    Drug("ORALIT", "Oralit", "saset", 25),
    Drug("TTD", "Tablet tambah darah", "tablet", 110),
    Drug("AML5", "Amlodipin 5 mg", "tablet", 70),
    Drug("MET500", "Metformin 500 mg", "tablet", 60),
)


def clinics_of(town: Town, seed: int) -> tuple[Clinic, ...]:
    """The clinics: two or more in each kecamatan, in its largest kelurahan."""
    ranked: dict[str, list[Neighbourhood]] = {}
    for place in sorted(town.neighbourhoods, key=lambda each: (-each.area_km2, each.code)):
        ranked.setdefault(place.kecamatan, []).append(place)
    # Turn by turn, so that no kecamatan is without.
    longest = max(map(len, ranked.values()))
    turns = [
        places[turn]
        for turn in range(longest)
        for _, places in sorted(ranked.items())
        if turn < len(places)
    ]
    chosen = sorted(turns[:COUNT], key=lambda place: place.code)
    return tuple(
        Clinic(
            code=f"P{number:03d}",
            name=f"Puskesmas {place.name}",
            place=place,
            per_day=random_for(seed, "puskesmas", place.code).uniform(18, 42),
        )
        for number, place in enumerate(chosen, 1)
    )


def patient(rng: random.Random) -> tuple[Person, str, str]:
    """Somebody who does not exist, with room and payer."""
    return somebody(rng), _one_of(rng, _ROOMS), _one_of(rng, _PAYERS)


def _one_of(rng: random.Random, shares: dict[str, float]) -> str:
    words: Sequence[str] = list(shares)
    return rng.choices(words, list(shares.values()))[0]
