"""Heavy equipment: where each unit stands follows from the time and from the works under way."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulator import seasons
from simulator.city_life import Town, random_for
from simulator.people import somebody
from simulator.store import Query, Store, StoredReport

#: Kinds of unit and how many there are: the simulation's own figures.
FLEET = (
    ("EX", "Ekskavator", 5),
    ("DT", "Truk jungkit", 7),
    ("VC", "Truk vakum", 3),
    ("PM", "Pompa bergerak", 5),
)
#: An invented yard; PUPR's real one was not looked up.
DEPOT = (-2.9631, 104.7395)
_STEP = timedelta(minutes=5)
_WORKDAY = (8, 16)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit at an instant. `state` is a code of the layer's KONDISI; `driver` is invented."""

    number: int
    code: str
    kind: str
    name: str
    latitude: float
    longitude: float
    state: int
    work: str | None
    driver: str
    phone: str
    at: datetime


AT_WORK, IN_DEPOT, BROKEN, OFF = 1, 2, 3, 4


class Equipment:
    """All units of the department."""

    def __init__(self, store: Store, town: Town, seed: int) -> None:
        self._store = store
        self._town = town
        self._seed = seed

    def units(self, now: datetime) -> list[Unit]:
        """Every unit as it was at the last full five minutes before `now`."""
        seconds = int(now.timestamp())
        at = datetime.fromtimestamp(seconds - seconds % int(_STEP.total_seconds()), UTC)
        open_works = self._store.find(Query(is_open=True, limit=5_000))
        sites = [
            work
            for work in open_works
            if work.stage == "Proses" and work.latitude is not None and work.longitude is not None
        ]
        units: list[Unit] = []
        for kind, name, count in FLEET:
            for number in range(1, count + 1):
                code = f"{kind}-{number:02d}"
                units.append(self._unit(len(units) + 1, code, kind, name, sites, at))
        return units

    def _unit(
        self,
        number: int,
        code: str,
        kind: str,
        name: str,
        sites: list[StoredReport],
        at: datetime,
    ) -> Unit:
        local = at.astimezone(self._town.timezone)
        rng = random_for(self._seed, "equipment", code, local.date())
        who = somebody(random_for(self._seed, "driver", code))
        is_broken = rng.random() < 0.06
        works = seasons.is_working_day(local.date()) and rng.random() < 0.85
        site = rng.choice(sites) if sites else None
        during = _WORKDAY[0] <= local.hour < _WORKDAY[1]
        latitude, longitude = self._parked(code)
        state, work = OFF if not during else IN_DEPOT, None
        if is_broken:
            state = BROKEN
        elif works and during and site is not None:
            state, work = AT_WORK, site.id
            latitude, longitude = self._beside(site, code, at)
        return Unit(
            number=number,
            code=code,
            kind=kind,
            name=f"{name} {number_of(code)}",
            latitude=round(latitude, 6),
            longitude=round(longitude, 6),
            state=state,
            work=work,
            driver=who.name,
            phone=who.phone,
            at=at,
        )

    def _parked(self, code: str) -> tuple[float, float]:
        rng = random_for(self._seed, "parking", code)
        return DEPOT[0] + rng.uniform(-4e-4, 4e-4), DEPOT[1] + rng.uniform(-4e-4, 4e-4)

    def _beside(self, site: StoredReport, code: str, at: datetime) -> tuple[float, float]:
        rng: random.Random = random_for(self._seed, "beside", code, at.isoformat())
        latitude, longitude = site.latitude or 0.0, site.longitude or 0.0
        return latitude + rng.gauss(0, 1.5e-4), longitude + rng.gauss(0, 1.5e-4)


def number_of(code: str) -> int:
    """The number in a unit's code: 3 of "EX-03"."""
    return int(code.partition("-")[2])
