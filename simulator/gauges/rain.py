"""`pengukur_hujan`: rain of the last ten minutes and of the day, under `bpbd/hujan/<id>/...`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from simulator.city_life import Town
from simulator.department import Department
from simulator.gauges.network import Gauges, make_department
from simulator.gauges.sites import Site, rain_sites
from simulator.settings import SimulatorSettings
from simulator.weather import Weather

BASE = "bpbd/hujan"
_TEN_MINUTES = timedelta(minutes=10)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department; its broker is the water gauges'."""
    weather = Weather(town, settings.seed)

    def measure(site: Site, at: datetime) -> dict[str, Any]:
        midnight = at.astimezone(town.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
        place = (site.latitude, site.longitude)
        return {
            "hujan_10m_mm": round(weather.rain_mm(*place, at - _TEN_MINUTES, at), 1),
            "hujan_hari_mm": round(weather.rain_mm(*place, midnight, at), 1),
        }

    gauges = Gauges(
        town, settings, base=BASE, sites=rain_sites(town, settings.seed), measure=measure
    )
    made, _ = make_department(
        gauges,
        settings,
        department_id="pengukur_hujan",
        name="BPBD: pengukur hujan",
        topic=f"{BASE}/+/data",
    )
    return made
