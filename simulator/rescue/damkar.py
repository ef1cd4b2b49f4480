"""`damkar`: fires and rescues, pushed within seconds of each turn of the brigade."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from simulator.city_life import Town, random_for
from simulator.department import Department
from simulator.events import Fire
from simulator.people import somebody
from simulator.rescue.bases import ENGINE_KMH, fire_posts, minutes_to
from simulator.rescue.calls import (
    LONGEST,
    Call,
    CallLog,
    days_between,
    moments_on,
    place_of,
)
from simulator.rescue.pusher import make_push_department
from simulator.settings import SimulatorSettings

#: Palembang's rescues of 2025: 1,040, of which 460 of or from animals.
PER_YEAR, ANIMALS = 1040, 460
_PAST = timedelta(days=14)
_ANIMAL_CALLS = (
    "Ular masuk rumah warga",
    "Evakuasi sarang tawon",
    "Kucing terjebak di plafon",
    "Biawak di dapur warga",
    "Monyet lepas di permukiman",
)
_OTHER_CALLS = (
    "Cincin tersangkut di jari",
    "Pintu rumah terkunci dari dalam",
    "Pohon menimpa kendaraan",
    "Pencarian orang tenggelam",
    "Evakuasi korban di ketinggian",
    "Anak terjebak di dalam mobil",
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; nothing is pushed without `settings.push_url`."""
    calls = Calls(town, settings.seed, settings.factor)
    return make_push_department(
        "damkar", "Damkar: panggilan kebakaran dan penyelamatan", calls.between, settings, _PAST
    )


class Calls(CallLog):
    """All calls of the brigade: those of the town's fires, and the rescues."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        super().__init__(town, seed, factor)
        self._posts = [(each.latitude, each.longitude) for each in fire_posts(town)]

    def made(self, since: datetime, until: datetime) -> Iterator[Call]:
        """The calls of which something may be told in a span, in any order."""
        for fire in self._fires.fires_between(since - LONGEST, until):
            yield self._of_fire(fire)
        per_day = PER_YEAR * self._factor / 365
        for day in days_between(since, until, self._town):
            moments = moments_on(day, self._town, self._seed, "rescue", per_day)
            for number, at, rng in moments:
                yield self._of_rescue(f"DK-{day:%Y%m%d}-P{number}", at, rng)

    def _way(self, latitude: float, longitude: float) -> float:
        return minutes_to(self._posts, (latitude, longitude), ENGINE_KMH)

    def _of_fire(self, fire: Fire) -> Call:
        rng = random_for(self._seed, "fire call", fire.key)
        # Somebody sees it first; the promise is to be there within 15 minutes.
        called = rng.uniform(0.3, 2.0)
        left = called + rng.uniform(0.8, 2.0)
        there = left + self._way(fire.latitude, fire.longitude)
        out = max(there + 5.0, float(fire.minutes))
        return Call(
            number=f"DK-{fire.key}",
            at=fire.start + timedelta(minutes=called),
            kind="KBK",
            words=f"Kebakaran {fire.kind} di Kelurahan {fire.place.name}",
            place=fire.place,
            latitude=fire.latitude,
            longitude=fire.longitude,
            caller=somebody(rng),
            steps=(
                (0.0, "DITERIMA"),
                (left - called, "MELUNCUR"),
                (there - called, "TIBA"),
                (out - called, "PADAM"),
                (out - called + rng.uniform(10, 40), "SELESAI"),
            ),
            more={"objek": fire.kind, "penyebab": fire.cause, "unit": fire.engines},
        )

    def _of_rescue(self, number: str, at: datetime, rng: random.Random) -> Call:
        is_animal = rng.random() < ANIMALS / PER_YEAR
        words = rng.choice(_ANIMAL_CALLS if is_animal else _OTHER_CALLS)
        place, latitude, longitude = place_of(self._town, rng)
        left = rng.uniform(1.0, 4.0)
        there = left + self._way(latitude, longitude)
        steps = [(0.0, "DITERIMA"), (left, "MELUNCUR"), (there, "TIBA")]
        steps.append((there + rng.uniform(10, 60), "SELESAI"))
        if rng.random() < 0.03:
            steps = [(0.0, "DITERIMA"), (left, "PALSU")]
        return Call(
            number=number,
            at=at,
            kind="PYL",
            words=f"{words} di Kelurahan {place.name}",
            place=place,
            latitude=latitude,
            longitude=longitude,
            caller=somebody(rng),
            steps=tuple(steps),
            more={"objek": "hewan" if is_animal else "orang", "penyebab": None, "unit": 1},
        )
