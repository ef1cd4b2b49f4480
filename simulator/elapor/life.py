"""The life of e-lapor: which reports come, when, and how each goes its way.

A report is scripted in full at birth, from a generator seeded by its own number; `Life.advance`
only lets happen what is due. So it does not matter in how many steps time passes, and a stopped
simulator that starts again finds everything that should have happened meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from simulator import city_life
from simulator.city_life import Neighbourhood, Storm, Town, random_for
from simulator.elapor.services import (
    BY_CODE,
    RAIN_CODES,
    RETIRED_CODE,
    RETIRED_NAME,
    SERVICES,
    Service,
)
from simulator.elapor.store import Move, NewReport, Quirk, Rain, Stage, Store
from simulator.elapor.texts import LANES, Spot, describe

BACKFILL = timedelta(days=60)
#: Reports of an ordinary day, without what storms add (about 3 a day over the year).
PER_DAY = 26.0
#: What an ordinary day has of the reports that rain multiplies.
_RAIN_PER_DAY = PER_DAY * sum(BY_CODE[code].share for code in RAIN_CODES)
#: After this long a storm brings no more reports.
_AFTERMATH = timedelta(hours=2)
#: The national promise: 3 working days to verify and forward, 5 to answer.
_PROMISED_WORKING_DAYS = 8
_QUIRKS = {
    Quirk.NONE: 0.934,
    Quirk.NO_POINT: 0.02,
    Quirk.TEXT_POINT: 0.012,
    Quirk.SWAPPED: 0.007,
    Quirk.OUTSIDE: 0.007,
    Quirk.NO_UPDATED: 0.012,
    Quirk.RETIRED_SERVICE: 0.008,
}


class Life:
    """The seeded life of one e-lapor. `factor` scales how many reports come."""

    def __init__(self, store: Store, town: Town, seed: int, factor: float) -> None:
        self._store = store
        self._town = town
        self._seed = seed
        self._factor = factor
        self._weights: dict[str, list[float]] = {}

    def advance(self, until: datetime) -> None:
        """Let everything happen that is due by `until`; nothing when that is in the past.

        The first call back-fills 60 days, a later one whatever was missed. Blocking.
        """
        until = until.astimezone(UTC).replace(microsecond=0)
        since = self._store.advanced_to()
        if since is None:
            since = (until - BACKFILL).replace(minute=0, second=0)
        if until > since:
            self._store.live(self._born(since, until), until)

    def rain(self, kecamatan: str, at: datetime) -> Rain:
        """A storm over all of one kecamatan from `at` on, as strong as storms get."""
        return self._store.add_rain(kecamatan, at)

    def moves_of_posted(
        self, report_id: str, code: str, kelurahan: str, at: datetime
    ) -> list[Move]:
        """The way of a report that a person filed."""
        rng = random_for(self._seed, "posted", report_id)
        return lifecycle(rng, at, BY_CODE[code], kelurahan, self._town.timezone)

    def promised(self, at: datetime) -> datetime:
        """When a report filed at `at` should be answered: 8 working days on, weekends left out."""
        return promised(at, self._town.timezone)

    def _born(self, since: datetime, until: datetime) -> list[NewReport]:
        births = [*self._ordinary(since, until), *self._stormy(since, until)]
        return sorted(births, key=lambda birth: (birth.requested_at, birth.id))

    def _ordinary(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        for hour in city_life.hours_between(since, until):
            rng = random_for(self._seed, "hour", hour.isoformat())
            mean = city_life.expected_in_hour(PER_DAY * self._factor, hour, self._town.timezone)
            for index in range(city_life.poisson(rng, mean)):
                at = hour + timedelta(seconds=rng.randrange(3600))
                if since < at <= until:
                    local = hour.astimezone(self._town.timezone)
                    yield self._report(f"EL-{local:%Y%m%d-%H}{index:02d}", at)

    def _stormy(self, since: datetime, until: datetime) -> Iterator[NewReport]:
        for storm in self._storms(since, until):
            rng = random_for(self._seed, "wet", storm.key)
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
        rng = random_for(self._seed, "report", report_id)
        if storm is None:
            shares = [service.share for service in SERVICES]
            service = rng.choices(SERVICES, shares)[0]
            places = self._town.neighbourhoods
            place = rng.choices(places, self._weights_of(service.code))[0]
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
        spot = Spot(
            lane=rng.choice(LANES),
            rt=rng.randint(1, 48),
            rw=rng.randint(1, 16),
            kelurahan=place.name,
            kecamatan=place.kecamatan_name,
            landmarks=place.landmarks,
        )
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

    def _weights_of(self, code: str) -> list[float]:
        """How often each kelurahan reports a category: more where more people live, and in a few
        hot spots. Larger kelurahan are thinner settled, hence the root."""
        if code not in self._weights:
            self._weights[code] = [
                place.area_km2**0.5 * _heat(random_for(self._seed, "hot", code, place.code))
                for place in self._town.neighbourhoods
            ]
        return self._weights[code]


def _heat(rng: random.Random) -> float:
    return rng.uniform(3.0, 5.0) if rng.random() < 0.1 else rng.uniform(0.5, 1.5)


@dataclass
class _Path:
    """A way in the making; each step comes after the last, and most in office hours."""

    rng: random.Random
    now: datetime
    timezone: ZoneInfo
    moves: list[Move]

    def step(self, after_days: float, stage: Stage, note: str, agency: str | None = None) -> None:
        at = self.now + timedelta(days=after_days)
        if self.rng.random() < 0.8:
            at = _office_time(self.rng, at, self.timezone)
        if at <= self.now:
            at = self.now + timedelta(seconds=1)
        self.now = at.replace(microsecond=0)
        self.moves.append(Move(at=self.now, stage=stage, note=note, agency=agency))


_PROGRESS = (
    "petugas {agency} menuju lokasi",
    "sedang dikerjakan oleh {agency}",
    "tim {agency} melakukan survei lapangan",
    "menunggu material, dijadwalkan minggu ini",
    "pekerjaan berlangsung",
)
_DONE = (
    "sudah ditangani oleh {agency}",
    "pekerjaan selesai, terima kasih atas laporannya",
    "sudah dibereskan dan diperiksa ketua RT",
    "sudah ditindaklanjuti di lapangan",
)
_RETURNED = (
    "alamat kurang lengkap, mohon dilengkapi",
    "lokasi tidak ditemukan, mohon patokan yang lebih jelas",
    "bukan wewenang {agency}, dikembalikan kepada admin",
)
_REJECTED = (
    "bukan kewenangan Pemerintah Kota",
    "laporan ganda, sudah ada laporan yang sama",
    "laporan tidak dapat diverifikasi",
)
_REOPENED = (
    "pelapor menyatakan masalah belum selesai",
    "kerusakan terjadi lagi menurut pelapor",
)


def lifecycle(
    rng: random.Random, at: datetime, service: Service, kelurahan: str, timezone: ZoneInfo
) -> list[Move]:
    """All moves after Menunggu, oldest first.

    Most are done within days, a share only after the promised date; about one in twenty each is
    returned or rejected, and a few are reopened once.
    """
    path = _Path(rng, at, timezone, [])
    days = service.median_days * rng.lognormvariate(0.0, 0.8)
    fate = rng.random()
    if rng.random() < 0.6 or fate < 0.04:
        note = f"verifikasi lokasi dengan Kelurahan {kelurahan}"
        path.step(days * rng.uniform(0.04, 0.12), "Koordinasi", note)
    if fate < 0.04:
        path.step(min(days * 0.3, 3.0), "Ditolak", rng.choice(_REJECTED))
        return path.moves
    if fate < 0.10:
        note = rng.choice(_RETURNED).format(agency=service.agency)
        path.step(days * rng.uniform(0.1, 0.3), "Dikembalikan", note)
        if rng.random() < 0.4:
            path.step(14.0, "Ditolak", "tidak ada tanggapan dari pelapor selama 14 hari")
            return path.moves
        path.step(rng.uniform(0.5, 6.0), "Koordinasi", "keterangan sudah dilengkapi pelapor")
    _work(path, service, days)
    if rng.random() < 0.04:
        path.step(rng.uniform(0.5, 4.0), "Dibuka kembali", rng.choice(_REOPENED))
        _work(path, service, days * 0.6)
    return path.moves


def _work(path: _Path, service: Service, days: float) -> None:
    rng, agency = path.rng, service.agency
    forward = rng.uniform(0.1, 0.25)
    begin = rng.uniform(0.2, 0.35)
    path.step(days * forward, "Disposisi", f"diteruskan kepada {agency}", agency)
    path.step(days * begin, "Proses", rng.choice(_PROGRESS).format(agency=agency))
    left = days * (1 - forward - begin)
    path.step(left, "Selesai", rng.choice(_DONE).format(agency=agency))


def _office_time(rng: random.Random, at: datetime, timezone: ZoneInfo) -> datetime:
    """The instant itself within Monday to Friday 07:30-16:00, else one in the next office day."""
    local = at.astimezone(timezone)
    opening = local.replace(hour=7, minute=30, second=0)
    closing = local.replace(hour=16, minute=0, second=0)
    if local.weekday() < 5 and opening <= local < closing:
        return at
    if local >= closing or local.weekday() >= 5:
        opening += timedelta(days=1)
    while opening.weekday() >= 5:
        opening += timedelta(days=1)
    return (opening + timedelta(hours=rng.uniform(0, 8.5))).astimezone(UTC)


def promised(at: datetime, timezone: ZoneInfo) -> datetime:
    """`at` plus 8 working days; weekends do not count, public holidays do (a simple system)."""
    due = at.astimezone(timezone)
    for _ in range(_PROMISED_WORKING_DAYS):
        due += timedelta(days=1)
        while due.weekday() >= 5:
            due += timedelta(days=1)
    return due.astimezone(UTC)
