"""Where the invented gauges stand. BPBD's real ones are not public; none here is one of them."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.city_life import Town, random_for


@dataclass(frozen=True, slots=True)
class Site:
    """A gauge's place: degrees WGS84. `is_canal` tells a drain of the streets from the river."""

    id: str
    name: str
    latitude: float
    longitude: float
    is_canal: bool


#: Kelurahan (code) and whether a canal is measured there; the others stand at the Musi's side.
_WATER = (
    ("16.71.12.1001", False),
    ("16.71.01.1001", False),
    ("16.71.13.1004", False),
    ("16.71.14.1003", False),
    ("16.71.06.1007", False),
    ("16.71.13.1005", False),
    ("16.71.11.1004", True),
    ("16.71.05.1008", True),
    ("16.71.09.1001", True),
    ("16.71.18.1001", True),
    ("16.71.10.1002", True),
    ("16.71.08.1002", True),
)
_RAIN = (
    "16.71.12.1005",
    "16.71.13.1005",
    "16.71.14.1002",
    "16.71.01.1003",
    "16.71.04.1003",
    "16.71.05.1009",
    "16.71.06.1005",
    "16.71.08.1007",
    "16.71.10.1002",
    "16.71.15.1004",
    "16.71.16.1005",
    "16.71.18.1002",
)


def water_sites(town: Town, seed: int) -> list[Site]:
    """The water gauges; those whose kelurahan the pack does not have are left out."""
    return _sites(town, seed, "TMA", "Pos duga air", _WATER)


def rain_sites(town: Town, seed: int) -> list[Site]:
    """The rain gauges, in the same way."""
    return _sites(town, seed, "CH", "Pos hujan", [(code, False) for code in _RAIN])


def _sites(
    town: Town,
    seed: int,
    prefix: str,
    name: str,
    places: list[tuple[str, bool]] | tuple[tuple[str, bool], ...],
) -> list[Site]:
    sites = []
    for number, (code, is_canal) in enumerate(places, 1):
        place = town.by_code.get(code)
        if place is None:
            continue
        site_id = f"{prefix}-{number:02d}"
        latitude, longitude = town.point_in(place, random_for(seed, "gauge", site_id))
        sites.append(Site(site_id, f"{name} {place.name} (tiruan)", latitude, longitude, is_canal))
    return sites
