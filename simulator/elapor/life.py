"""The life of e-lapor: the reports of an ordinary day, and those that rain and fire bring."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from simulator import city_life, life
from simulator.city_life import Neighbourhood, Storm, Town
from simulator.elapor.services import (
    BY_CODE,
    RAIN_CODES,
    RETIRED_CODE,
    RETIRED_NAME,
    SERVICES,
    Service,
)
from simulator.events import Fire, Fires
from simulator.happenings import Rain, Size
from simulator.lifecycle import lifecycle, promised
from simulator.store import Move, NewReport, Quirk, Store
from simulator.texts import SMOKE, SMOKE_TERSE, describe, write
from simulator.weather import Weather

#: Reports of an ordinary day, without what storms add (about 3 a day over the year).
PER_DAY = 26.0
#: What an ordinary day has of the reports that rain multiplies.
_RAIN_PER_DAY = PER_DAY * sum(BY_CODE[code].share for code in RAIN_CODES)
#: After this long a storm of ordinary length brings no more reports; a longer one does meanwhile.
_AFTERMATH = timedelta(hours=2)
_ORDINARY_S = 5_400.0
#: The rain that the control brings: as strong as storms get.
_RAIN_MM_H, _RAIN_MINUTES = 60.0, 60.0
#: There is no service for fires, which people call in; some report the smoke all the same.
_SMOKE_CODE = "LNY"
_SMOKE_REPORTS: dict[Size, int] = {"kecil": 2, "sedang": 4, "besar": 7}
_SMOKE_LASTS = timedelta(hours=1)
_QUIRKS = {
    Quirk.NONE: 0.934,
    Quirk.NO_POINT: 0.02,
    Quirk.TEXT_POINT: 0.012,
    Quirk.SWAPPED: 0.007,
    Quirk.OUTSIDE: 0.007,
    Quirk.NO_UPDATED: 0.012,
    Quirk.RETIRED_SERVICE: 0.008,
}


class Life(life.Life):
    """The seeded life of one e-lapor."""

    rhythm = life.Rhythm("EL", PER_DAY)

    def __init__(self, store: Store, town: Town, seed: int, factor: float) -> None:
        super().__init__(store, town, seed, factor)
        self._weather = Weather(town, seed)
        self._fires = Fires(town, seed, factor)

    def rain(self, kecamatan: str, at: datetime) -> Rain:
        """A storm over all of one kecamatan from `at` on, for every department to feel."""
        return self._town.happenings.rain(kecamatan, at, _RAIN_MM_H, _RAIN_MINUTES)

    def moves_of_posted(
        self, report_id: str, code: str, kelurahan: str, at: datetime
    ) -> list[Move]:
        """The way of a report that a person filed."""
        rng = self._random("posted", report_id)
        return lifecycle(rng, at, BY_CODE[code], kelurahan, self._town.timezone, verifies=True)

    def promised(self, at: datetime) -> datetime:
        """When a report filed at `at` should be answered: 8 working days on, weekends left out."""
        return promised(at, self._town.timezone)

    def _births(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        yield from super()._births(since, until)
        yield from self._stormy(since, until)
        yield from self._smoky(since, until)

    def _stormy(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        earliest = since - _AFTERMATH - timedelta(minutes=1)
        for storm in self._weather.storms(earliest, until):
            rng = self._random("wet", storm.key)
            extra = _RAIN_PER_DAY * self._factor * (storm.strength - 1)
            longer_s = max(0.0, storm.minutes * 60 - _ORDINARY_S)
            for index in range(max(3, city_life.poisson(rng, extra))):
                delay = min(rng.expovariate(1 / 1_500), _AFTERMATH.total_seconds() - 1)
                if longer_s:
                    delay = min(delay, _ORDINARY_S) + longer_s * rng.random()
                at = storm.start + timedelta(seconds=60 + int(delay))
                if since < at <= until:
                    yield self._report(f"EL-{storm.key}-R{index:02d}", at, storm)

    def _smoky(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        """What is reported of the fires that somebody, or a scenario, let break out."""
        for fire in self._fires.fires_between(since - _SMOKE_LASTS, until):
            rng = self._random("smoke", fire.key)
            for index in range(_SMOKE_REPORTS[fire.size] if fire.made else 0):
                delay = min(rng.expovariate(1 / 420), _SMOKE_LASTS.total_seconds() - 121)
                at = fire.start + timedelta(seconds=120 + int(delay))
                if since < at <= until:
                    yield self._smoke(f"EL-{fire.key}-A{index:02d}", at, fire)

    def _smoke(self, report_id: str, at: datetime, fire: Fire) -> NewReport:
        rng = self._random("report", report_id)
        report = self._compose(rng, report_id, at, BY_CODE[_SMOKE_CODE], fire.place)
        latitude = round(fire.latitude + rng.uniform(-0.002, 0.002), 6)
        longitude = round(fire.longitude + rng.uniform(-0.002, 0.002), 6)
        if self._town.at(latitude, longitude)[1] != fire.place.code:
            latitude, longitude = fire.latitude, fire.longitude
        return replace(
            report,
            service_code=_SMOKE_CODE,
            service_name=BY_CODE[_SMOKE_CODE].name,
            description=write(rng, SMOKE, SMOKE_TERSE, self._spot(rng, fire.place)),
            latitude=latitude,
            longitude=longitude,
            quirk=Quirk.NONE,
        )

    def _report(self, report_id: str, at: datetime, storm: Storm | None = None) -> NewReport:
        rng = self._random("report", report_id)
        if storm is None:
            shares = [service.share for service in SERVICES]
            service = rng.choices(SERVICES, shares)[0]
            place = self._place(rng, service.code)
        else:
            code = rng.choices(list(RAIN_CODES), list(RAIN_CODES.values()))[0]
            service = BY_CODE[code]
            place = rng.choice(storm.area)
        return self._compose(rng, report_id, at, service, place)

    def _compose(
        self,
        rng: random.Random,
        report_id: str,
        at: datetime,
        service: Service,
        place: Neighbourhood,
    ) -> NewReport:
        spot = self._spot(rng, place)
        latitude, longitude = self._town.point_in(place, rng)
        quirk = rng.choices(list(_QUIRKS), list(_QUIRKS.values()))[0]
        report = NewReport(
            id=report_id,
            service_code=service.code,
            service_name=service.name,
            description=describe(rng, service.code, spot),
            address=None if rng.random() < 0.04 else spot.address,
            latitude=latitude,
            longitude=longitude,
            requested_at=at,
            expected_at=self.promised(at),
            quirk=quirk,
            moves=lifecycle(rng, at, service, place.name, self._town.timezone, verifies=True),
        )
        if quirk is Quirk.RETIRED_SERVICE:
            report = replace(
                report,
                service_code=RETIRED_CODE,
                service_name=RETIRED_NAME,
                description=describe(rng, RETIRED_CODE, spot),
            )
        return report
