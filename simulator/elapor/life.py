"""The life of e-lapor: the reports of an ordinary day, and those that rain brings."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from simulator import city_life, life
from simulator.city_life import Neighbourhood, Storm
from simulator.elapor.services import (
    BY_CODE,
    RAIN_CODES,
    RETIRED_CODE,
    RETIRED_NAME,
    SERVICES,
    Service,
)
from simulator.lifecycle import lifecycle, promised
from simulator.store import Move, NewReport, Quirk, Rain
from simulator.texts import describe

#: Reports of an ordinary day, without what storms add (about 3 a day over the year).
PER_DAY = 26.0
#: What an ordinary day has of the reports that rain multiplies.
_RAIN_PER_DAY = PER_DAY * sum(BY_CODE[code].share for code in RAIN_CODES)
#: After this long a storm brings no more reports.
_AFTERMATH = timedelta(hours=2)
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

    def rain(self, kecamatan: str, at: datetime) -> Rain:
        """A storm over all of one kecamatan from `at` on, as strong as storms get."""
        return self._store.add_rain(kecamatan, at)

    def moves_of_posted(
        self, report_id: str, code: str, kelurahan: str, at: datetime
    ) -> list[Move]:
        """The way of a report that a person filed."""
        rng = self._random("posted", report_id)
        return lifecycle(rng, at, BY_CODE[code], kelurahan, self._town.timezone)

    def promised(self, at: datetime) -> datetime:
        """When a report filed at `at` should be answered: 8 working days on, weekends left out."""
        return promised(at, self._town.timezone)

    def _births(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        yield from super()._births(since, until)
        yield from self._stormy(since, until)

    def _stormy(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        for storm in self._storms(since, until):
            rng = self._random("wet", storm.key)
            extra = _RAIN_PER_DAY * self._factor * (storm.strength - 1)
            for index in range(max(3, city_life.poisson(rng, extra))):
                delay = min(rng.expovariate(1 / 1_500), _AFTERMATH.total_seconds() - 1)
                at = storm.start + timedelta(seconds=60 + int(delay))
                if since < at <= until:
                    yield self._report(f"EL-{storm.key}-R{index:02d}", at, storm)

    def _storms(self, since: datetime, until: datetime) -> list[Storm]:
        storms = city_life.storms_between(self._town, self._seed, since, until)
        for rain in self._store.rains(since - _AFTERMATH - timedelta(minutes=1)):
            area = self._town.in_kecamatan(rain.kecamatan)
            key = f"{rain.at.astimezone(self._town.timezone):%Y%m%d}-M{rain.id}"
            storms.append(Storm(key, rain.at, area, strength=3.0))
        return storms

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
            moves=lifecycle(rng, at, service, place.name, self._town.timezone),
        )
        if quirk is Quirk.RETIRED_SERVICE:
            report = replace(
                report,
                service_code=RETIRED_CODE,
                service_name=RETIRED_NAME,
                description=describe(rng, RETIRED_CODE, spot),
            )
        return report
