"""The forecast by kelurahan: what the simulated weather will do, in steps of three hours.

It is right more often than any real one, as it is computed from that weather itself; a scenario
that lets it rain later is not in it until the next analysis.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.city_life import Neighbourhood, Town, random_for
from simulator.weather import Weather

_STEP = timedelta(hours=3)
_STEPS = 24
#: Analyses come at 00 and 12 UTC, and are out some hours later.
_DELAY = timedelta(hours=3)
#: BMKG's code, its words, the least rain of three hours and the least share of sky under cloud.
_KINDS = (
    (97, "Hujan Petir", "Thunderstorm", 20.0, 0),
    (63, "Hujan Lebat", "Heavy Rain", 12.0, 0),
    (61, "Hujan Sedang", "Moderate Rain", 5.0, 0),
    (60, "Hujan Ringan", "Light Rain", 0.3, 0),
    (3, "Berawan", "Mostly Cloudy", 0.0, 65),
    (2, "Cerah Berawan", "Partly Cloudy", 0.0, 35),
    (0, "Cerah", "Sunny", 0.0, 0),
)
_WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def analysed_at(now: datetime) -> datetime:
    """The analysis behind the forecast that is out at an instant (UTC)."""
    at = (now - _DELAY).astimezone(UTC)
    return at.replace(hour=12 if at.hour >= 12 else 0, minute=0, second=0, microsecond=0)


class Forecast:
    """Answers of `prakiraan-cuaca`. The last few are kept, as an analysis holds for hours."""

    def __init__(self, town: Town, weather: Weather, seed: int) -> None:
        self._town = town
        self._weather = weather
        self._seed = seed
        self._kept: dict[tuple[str, datetime], list[list[dict[str, Any]]]] = {}

    def speak(self, place: Neighbourhood, now: datetime) -> dict[str, Any]:
        """The whole answer about one kelurahan as of `now`."""
        where = {
            "adm1": place.code[:2],
            "adm2": place.code[:5],
            "adm3": place.kecamatan,
            "adm4": place.code,
            "provinsi": "Sumatera Selatan",
            "kotkab": self._town.name,
            "kecamatan": place.kecamatan_name,
            "desa": place.name,
            "lon": place.longitude,
            "lat": place.latitude,
            "timezone": "Asia/Jakarta",
        }
        own = {**where, "type": "adm4"}
        return {"lokasi": where, "data": [{"lokasi": own, "cuaca": self._days(place, now)}]}

    def _days(self, place: Neighbourhood, now: datetime) -> list[list[dict[str, Any]]]:
        analysis = analysed_at(now)
        key = (place.code, analysis)
        if key not in self._kept:
            if len(self._kept) > 500:
                self._kept.clear()
            days: dict[str, list[dict[str, Any]]] = {}
            for step in range(1, _STEPS + 1):
                entry = self._entry(place, analysis, analysis + step * _STEP)
                days.setdefault(entry["local_datetime"][:10], []).append(entry)
            self._kept[key] = list(days.values())
        return self._kept[key]

    def _entry(self, place: Neighbourhood, analysis: datetime, at: datetime) -> dict[str, Any]:
        here = (place.latitude, place.longitude)
        rain = round(self._weather.rain_mm(*here, at - _STEP, at), 1)
        rng = random_for(self._seed, "cloud", place.kecamatan, at)
        cloud = min(100, round(rng.betavariate(2.2, 1.6) * 80 + min(rain, 4) * 10))
        wind = self._weather.wind(*here, at)
        code, words, english = next(
            (code, words, english)
            for code, words, english, least_rain, least_cloud in _KINDS
            if rain >= least_rain and cloud >= least_cloud
        )
        sight = max(1_200, round(11_000 - 700 * min(rain, 12) + rng.uniform(-900, 900)))
        local = at.astimezone(self._town.timezone)
        step = round((at - analysis) / timedelta(hours=1))
        return {
            "datetime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "t": round(self._weather.temperature_c(*here, at)),
            "tcc": cloud,
            "tp": rain,
            "weather": code,
            "weather_desc": words,
            "weather_desc_en": english,
            "wd_deg": round(wind.direction_deg) % 360,
            "wd": _WINDS[round(wind.direction_deg / 45) % 8],
            "wd_to": _WINDS[(round(wind.direction_deg / 45) + 4) % 8],
            "ws": round(wind.speed_kmh, 1),
            "hu": round(self._weather.humidity(*here, at)),
            "vs": sight,
            "vs_text": "> 10 km" if sight > 10_000 else f"< {sight // 1000 + 1} km",
            "time_index": f"{step - 3}-{step}",
            "analysis_date": analysis.strftime("%Y-%m-%dT%H:%M:%S"),
            "image": "",
            "utc_datetime": at.strftime("%Y-%m-%d %H:%M:%S"),
            "local_datetime": local.strftime("%Y-%m-%d %H:%M:%S"),
        }
