"""People who do not exist, for the fields in which real systems hold persons.

The identity numbers begin with 99, which no province has; the telephone numbers (block 0000) are
given to nobody. A centre that stores any of these reads what it must not.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

_FIRST_NAMES = (
    "Darmawan",
    "Fitriani",
    "Herlambang",
    "Iskandar",
    "Nurhayati",
    "Rusmiati",
    "Suryadi",
    "Yuliana",
)
_LAST_NAMES = (
    "Alamsyah",
    "Effendi",
    "Hidayatullah",
    "Kusumawati",
    "Lestariningsih",
    "Pratama",
    "Rahmadani",
    "Zulkarnain",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody made up."""

    name: str
    nik: str
    phone: str


def somebody(rng: random.Random) -> Person:
    """Another person of this kind."""
    return Person(
        name=" ".join(some_names(rng)),
        nik=f"9916710101{rng.randrange(1_000_000):06d}",
        phone=some_phone(rng),
    )


def some_names(rng: random.Random) -> tuple[str, str]:
    """A first and a last name."""
    return rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)


def some_phone(rng: random.Random) -> str:
    """A telephone number of nobody."""
    return f"0812-0000-{rng.randrange(10_000):04d}"
