"""Calls for help and what becomes of them, as events: one for each change of a call."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from simulator.city_life import Neighbourhood, Town, poisson, random_for
from simulator.events import Fires
from simulator.people import Person
from simulator.rescue.pusher import Event

#: No call lasts longer than this.
LONGEST = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: `steps` are minutes after it and the status word then, in order.

    `more` is what this kind of call has beside what all have; it may hold invented persons.
    """

    number: str
    at: datetime
    kind: str
    words: str
    place: Neighbourhood
    latitude: float
    longitude: float
    caller: Person
    steps: tuple[tuple[float, str], ...]
    more: dict[str, Any]

    def when(self, *statuses: str) -> datetime | None:
        """The moment at which it first had one of these status words; None if it never has."""
        minutes = (minute for minute, status in self.steps if status in statuses)
        first = next(minutes, None)
        return None if first is None else self.at + timedelta(minutes=first)


def events_of(call: Call, town: Town) -> Iterator[Event]:
    """What is told of a call over time."""
    for index, (minute, status) in enumerate(call.steps):
        at = call.at + timedelta(minutes=minute)
        yield Event(at, f"{call.number}-{index}", _speak(call, town, status, at))


def _speak(call: Call, town: Town, status: str, at: datetime) -> dict[str, Any]:
    def local(moment: datetime) -> str:
        return moment.astimezone(town.timezone).isoformat(timespec="seconds")

    return {
        "type": "kejadian",
        "nomor": call.number,
        "jenis": call.kind,
        "uraian": call.words,
        "status": status,
        "waktu_lapor": local(call.at),
        "waktu_status": local(at),
        "lokasi": {
            "kelurahan": call.place.name,
            "kecamatan": call.place.kecamatan_name,
            "kode": call.place.code,
            "lat": call.latitude,
            "lng": call.longitude,
        },
        "pelapor": {"nama": call.caller.name, "telepon": call.caller.phone},
        **call.more,
        "simulasi": True,
    }


def days_between(since: datetime, until: datetime, town: Town) -> Iterator[date]:
    """The local days on which calls were made that may still be told of in the span."""
    day = (since - LONGEST).astimezone(town.timezone).date()
    while day <= until.astimezone(town.timezone).date():
        yield day
        day += timedelta(days=1)


def moments_on(
    day: date, town: Town, seed: int, what: str, per_day: float
) -> Iterator[tuple[str, datetime, random.Random]]:
    """Number within the day, moment and generator of each call; by day more than at night."""
    count = poisson(random_for(seed, what, day), per_day)
    midnight = datetime.combine(day, time(), town.timezone).astimezone(UTC)
    for index in range(count):
        rng = random_for(seed, what, day, index)
        hour = rng.choices(range(24), [2] * 6 + [5] * 6 + [6] * 8 + [4] * 4)[0]
        yield f"{index:03d}", midnight + timedelta(hours=hour, seconds=rng.randrange(3600)), rng


def place_of(town: Town, rng: random.Random) -> tuple[Neighbourhood, float, float]:
    """Somewhere in the city."""
    place = rng.choice(town.neighbourhoods)
    return place, *town.point_in(place, rng)


class CallLog(ABC):
    """All calls that one service takes; what it tells of them is the same for every service."""

    def __init__(self, town: Town, seed: int, factor: float) -> None:
        self._town = town
        self._seed = seed
        self._factor = factor
        self._fires = Fires(town, seed, factor)

    @abstractmethod
    def made(self, since: datetime, until: datetime) -> Iterator[Call]:
        """The calls of which something may be told in a span, in any order."""

    def between(self, since: datetime, until: datetime) -> list[Event]:
        """What is told in a span, oldest first."""
        events = [
            event
            for call in self.made(since, until)
            for event in events_of(call, self._town)
            if since < event.at <= until
        ]
        return sorted(events, key=lambda event: (event.at, event.id))
