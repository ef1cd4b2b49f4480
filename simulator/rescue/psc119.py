"""`psc119`: medical emergencies. It pushes who the patient is as well, which none may keep."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from simulator.city_life import Neighbourhood, Town, random_for
from simulator.department import Department
from simulator.people import somebody
from simulator.rescue.bases import AMBULANCE_KMH, ambulance_bases, minutes_to
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

#: The simulation's own figure: ten ambulances are seldom all out.
PER_DAY = 18.0
_PAST = timedelta(days=5)
#: Kinds of call with their shares, what is said of them, and what a patient may complain of.
_KINDS: dict[str, tuple[float, tuple[str, ...], str]] = {
    "LAKA": (
        0.32,
        (
            "Kecelakaan tunggal sepeda motor",
            "Tabrakan dua sepeda motor",
            "Pejalan kaki tertabrak sepeda motor",
            "Tabrakan mobil dan sepeda motor",
            "Penumpang angkutan terjatuh",
        ),
        "luka di kepala",
    ),
    "SESAK": (
        0.16,
        ("Sesak napas", "Serangan asma", "Anak sesak napas setelah batuk"),
        "riwayat asma",
    ),
    "JANTUNG": (0.12, ("Nyeri dada", "Jantung berdebar dan lemas"), "riwayat jantung"),
    "LAHIR": (0.12, ("Persalinan", "Ketuban pecah sebelum waktunya"), "hamil 39 minggu"),
    "LAIN": (
        0.28,
        (
            "Pingsan di tempat umum",
            "Kejang demam pada anak",
            "Lemah separuh badan mendadak",
            "Lansia terjatuh di rumah",
            "Muntah dan diare, tubuh lemas",
            "Digigit ular",
            "Tersengat listrik",
            "Rujukan antar rumah sakit",
        ),
        "demam tinggi",
    ),
}
_BURNT = ("Luka bakar", "Sesak karena asap kebakaran")
#: So many are brought to a hospital; the others are helped where they are.
_REFERRED = 0.45
_URGENCIES = ("MERAH", "KUNING", "HIJAU")


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; nothing is pushed without `settings.push_url`."""
    calls = Calls(town, settings.seed, settings.factor)
    return make_push_department(
        "psc119", "PSC 119: gawat darurat medis", calls.between, settings, _PAST
    )


class Calls(CallLog):
    """All calls of PSC 119; every larger fire brings some of them."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        super().__init__(town, seed, factor)
        self._bases = [(each.latitude, each.longitude) for each in ambulance_bases(town)]

    def made(self, since: datetime, until: datetime) -> Iterator[Call]:
        """The calls of which something may be told in a span, in any order."""
        kinds = list(_KINDS)
        for day in days_between(since, until, self._town):
            per_day = PER_DAY * self._factor
            moments = moments_on(day, self._town, self._seed, "psc", per_day)
            for number, at, rng in moments:
                kind = rng.choices(kinds, [share for share, *_ in _KINDS.values()])[0]
                place = place_of(self._town, rng)
                said = rng.choice(_KINDS[kind][1])
                yield self._call(f"PSC-{day:%Y%m%d}-{number}", at, rng, kind, said, place)
        for fire in self._fires.fires_between(since - LONGEST, until):
            rng = random_for(self._seed, "burnt", fire.key)
            count = {"kecil": 0, "sedang": 1, "besar": 3}[fire.size]
            for index in range(count):
                at = fire.start + timedelta(minutes=8 + 6 * index + rng.uniform(0, 5))
                place = (fire.place, fire.latitude, fire.longitude)
                said = rng.choice(_BURNT)
                yield self._call(f"PSC-{fire.key}-{index}", at, rng, "LAIN", said, place)

    def _call(
        self,
        number: str,
        at: datetime,
        rng: random.Random,
        kind: str,
        words: str,
        where: tuple[Neighbourhood, float, float],
    ) -> Call:
        place, latitude, longitude = where
        complaint = _KINDS[kind][2]
        patient = somebody(rng)
        left = rng.uniform(1.0, 4.0)
        there = left + minutes_to(self._bases, (latitude, longitude), AMBULANCE_KMH)
        over = there + rng.uniform(10.0, 30.0)
        steps = [(0.0, "DITERIMA"), (left, "BERANGKAT"), (there, "TIBA")]
        if rng.random() < _REFERRED:
            steps.append((over, "DIRUJUK"))
            over += rng.uniform(15.0, 50.0)
        return Call(
            number=number,
            at=at,
            kind=kind,
            words=f"{words} di Kelurahan {place.name}",
            place=place,
            latitude=latitude,
            longitude=longitude,
            caller=somebody(rng),
            steps=(*steps, (over, "SELESAI")),
            more={
                "kegawatan": rng.choices(_URGENCIES, (0.25, 0.5, 0.25))[0],
                "pasien": {
                    "nama": patient.name,
                    "nik": patient.nik,
                    "umur": rng.randint(1, 88),
                    "keluhan": complaint,
                },
            },
        )
