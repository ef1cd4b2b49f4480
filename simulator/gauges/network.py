"""A department's gauges, published at their pace, and what faults make of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

from lawang.domain.clock import Clock
from simulator.city_life import Town, random_for
from simulator.department import Department
from simulator.faults import Faults
from simulator.gauges.broker import PASSWORD, Station, station_at
from simulator.gauges.gauge import Gauge
from simulator.gauges.sites import Site
from simulator.people import somebody
from simulator.settings import SimulatorSettings

#: A reading every so many ticks: ten seconds of the demonstration. Real gauges take minutes.
_TICKS = 10
#: The department's own fault: gauge number `amount` (counted from 1; 0 is the first) loses power.
DIES = "gauge_dies"
_HUGE_BYTES = 3_000_000

Measure = Callable[[Site, datetime], dict[str, Any]]


class Gauges:
    """The gauges of one department. `measure` is what an instrument shows at a moment."""

    def __init__(
        self,
        town: Town,
        settings: SimulatorSettings,
        *,
        base: str,
        sites: Sequence[Site],
        measure: Measure,
    ) -> None:
        self.faults = Faults()
        self._town = town
        self._clock: Clock = settings.clock
        self._every_s = _TICKS * settings.tick_s
        self._measure = measure
        self._seed = settings.seed
        self._sites = sites
        self._gauges = [Gauge(base, site.id, settings.mqtt_port) for site in sites]

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Let the gauges live while entered."""
        for gauge in self._gauges:
            gauge.switch_on()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._publish_on())
            try:
                yield
            finally:
                task.cancel()
                leaving = (asyncio.to_thread(gauge.switch_off) for gauge in self._gauges)
                await asyncio.gather(*leaving)

    async def _publish_on(self) -> None:
        while True:
            await asyncio.to_thread(self._switch)
            self._publish(self._clock())
            # A change of the fault shows at once, not with the next reading.
            await self.faults.hold(self._every_s)

    def _switch(self) -> None:
        """Give and take power as the fault says."""
        fault = self.faults.present
        dead = max(0, int(fault.amount) - 1) if fault.kind == DIES else -1
        for number, gauge in enumerate(self._gauges):
            if number == dead:
                gauge.die()
            else:
                gauge.switch_on()

    def _publish(self, at: datetime) -> None:
        kind = self.faults.present.kind
        told = at + self.faults.skew
        for number, (gauge, site) in enumerate(zip(self._gauges, self._sites, strict=True)):
            if kind == "garbage":
                gauge.publish(random.randbytes(64), retain=False)
                continue
            reading = self._speak(site, at, told)
            if kind == "huge" and number == 0:
                gauge.publish({**reading, "catatan": "x" * _HUGE_BYTES}, retain=False)
            elif kind == "wrong_types":
                gauge.publish(_confused(reading, number), retain=False)
            else:
                gauge.publish(reading)

    def _speak(self, site: Site, at: datetime, told: datetime) -> dict[str, Any]:
        keeper = somebody(random_for(self._seed, "keeper", site.id))
        battery = random_for(self._seed, "battery", site.id, f"{at:%Y%m%d%H}").uniform(12.1, 12.9)
        return {
            "id": site.id,
            "nama": site.name,
            "waktu": told.astimezone(self._town.timezone).isoformat(timespec="seconds"),
            "lat": site.latitude,
            "lon": site.longitude,
            **self._measure(site, at),
            "baterai_v": round(battery, 1),
            "penjaga": {"nama": keeper.name, "hp": keeper.phone},
            "simulasi": True,
        }


def _confused(reading: dict[str, Any], number: int) -> object:
    """A reading as a gauge with a broken program says it: three ways in turn."""
    match number % 3:
        case 0:
            return {**reading, "waktu": ["kemarin"], "lat": {"derajat": 2}}
        case 1:
            return [reading["id"], "rusak"]
        case _:
            numbers = {key: "rusak" for key in reading if key.endswith(("_cm", "_mm"))}
            return {**reading, **numbers}


def make_department(
    gauges: Gauges, settings: SimulatorSettings, *, department_id: str, name: str, topic: str
) -> tuple[Department, Station | None]:
    """The department, and the station that its gauges speak to (None where no broker is run)."""
    station = station_at(settings.mqtt_port) if settings.mqtt_port else None
    if station is not None:
        station.faults[department_id] = gauges.faults
    department = Department(
        id=department_id,
        name=name,
        protocol="MQTT 3.1.1",
        note=f"mqtt://127.0.0.1:{settings.mqtt_port} {topic} ({department_id}/{PASSWORD})"
        if station is not None
        else "tidak dijalankan: tanpa broker",
        faults=gauges.faults,
        fault_kinds=(DIES,),
        run=gauges.run if station is not None else None,
    )
    return department, station
