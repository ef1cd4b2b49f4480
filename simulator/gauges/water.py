"""`pengukur_air`: the level of the river and of canals, under `bpbd/tma/<id>/...`.

Canals hold what the streets cannot swallow, on top of what the river pushes back.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from simulator.city_life import Town
from simulator.department import Department
from simulator.gauges.network import Gauges, make_department
from simulator.gauges.sites import Site, water_sites
from simulator.settings import SimulatorSettings
from simulator.weather import Weather

BASE = "bpbd/tma"
#: The simulation's own marks, in centimetres above a gauge's zero.
_MARKS = ((320.0, "AWAS"), (270.0, "SIAGA"), (230.0, "WASPADA"))


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department. It runs the broker, which the rain gauges speak to as well."""
    weather = Weather(town, settings.seed)

    def measure(site: Site, at: datetime) -> dict[str, Any]:
        level = _level_cm(weather, site, at)
        mark = next((word for least, word in _MARKS if level >= least), "NORMAL")
        return {"tinggi_cm": level, "siaga": mark}

    gauges = Gauges(
        town, settings, base=BASE, sites=water_sites(town, settings.seed), measure=measure
    )
    made, station = make_department(
        gauges,
        settings,
        department_id="pengukur_air",
        name="BPBD: pengukur tinggi muka air",
        topic=f"{BASE}/+/data",
    )
    if station is None:
        return made

    @contextlib.asynccontextmanager
    async def run() -> AsyncIterator[None]:
        async with station.run(), gauges.run():
            yield

    return replace(made, run=run)


def _level_cm(weather: Weather, site: Site, at: datetime) -> float:
    """Centimetres above the gauge's own zero."""
    river = weather.river_cm(at)
    if not site.is_canal:
        return round(river, 1)
    street = weather.flood_cm(site.latitude, site.longitude, at)
    return round(max(0.0, 70 + 0.35 * (river - 120) + 2.0 * street), 1)
