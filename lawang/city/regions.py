"""The regions of a pack: `regions/kecamatan.csv`, `kelurahan.csv` and the points on its map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lawang.city.table import Row, read_rows
from lawang.domain.region import Box, Level, Region, spelling

_KECAMATAN = ("code", "name", "bps_code", "lat", "lon", "area_km2", "bank", "variants")
_KELURAHAN = ("code", "name", "kecamatan_code", "lat", "lon", "area_km2", "variants")

#: The side of the river that a kecamatan lies on, looking downstream; None in a city without one.
Bank = Literal["left", "right"] | None


@dataclass(frozen=True, slots=True)
class Regions:
    """A pack's regions; `banks` leads from a kecamatan's code to its side of the river."""

    kecamatan: tuple[Region, ...]
    kelurahan: tuple[Region, ...]
    banks: dict[str, Bank]

    def of_level(self, level: Level) -> tuple[Region, ...]:
        """The regions of one level."""
        return self.kecamatan if level == "kecamatan" else self.kelurahan


def read_regions(folder: Path, city_code: str, bbox: Box) -> Regions:
    """Read both tables. Raises PackError for the first line that cannot be right."""
    checks = _Checks(bbox)
    banks: dict[str, Bank] = {}
    kecamatan: list[tuple[Row, Region]] = []
    for row in read_rows(folder / "kecamatan.csv", _KECAMATAN, ("population",)):
        region = checks.region(row, "kecamatan", city_code, row.text("bps_code"))
        banks[region.code] = _bank(row)
        kecamatan.append((row, region))
    kelurahan: list[tuple[Row, Region]] = []
    for row in read_rows(folder / "kelurahan.csv", _KELURAHAN):
        parent = row.text("kecamatan_code")
        if parent not in banks:
            raise row.mistake("kecamatan_code", f"{parent} is not in kecamatan.csv")
        kelurahan.append((row, checks.region(row, "kelurahan", parent, None)))
    _check_names(kecamatan)
    _check_names(kelurahan)
    return Regions(
        tuple(region for _, region in kecamatan), tuple(region for _, region in kelurahan), banks
    )


class _Checks:
    """What makes a line a region; codes must be there once."""

    def __init__(self, bbox: Box) -> None:
        self._bbox = bbox
        self._codes: dict[str, int] = {}

    def region(self, row: Row, level: Level, parent: str, bps_code: str | None) -> Region:
        """A line as a region below `parent`, the code of the city or of a kecamatan."""
        code = row.text("code")
        tail = code.removeprefix(f"{parent}.")
        if tail == code or not (tail.isascii() and tail.isdigit()):
            raise row.mistake("code", f"{code} is not a code below {parent}")
        self._once(row, "code", code)
        if bps_code is not None:
            if not (len(bps_code) == 7 and bps_code.isascii() and bps_code.isdigit()):
                raise row.mistake("bps_code", f"{bps_code} is not seven digits")
            self._once(row, "bps_code", bps_code)
        latitude, longitude = point(row, self._bbox)
        area_km2 = row.number("area_km2")
        if area_km2 <= 0:
            raise row.mistake("area_km2", "must be more than 0")
        return Region(
            code=code,
            name=row.text("name"),
            level=level,
            parent=parent if level == "kelurahan" else None,
            bps_code=bps_code,
            variants=tuple(v for each in row.values["variants"].split("|") if (v := each.strip())),
            latitude=latitude,
            longitude=longitude,
            area_km2=area_km2,
            population=_population(row),
        )

    def _once(self, row: Row, column: str, code: str) -> None:
        first = self._codes.setdefault(code, row.line)
        if first != row.line:
            raise row.mistake(column, f"{code} stands in line {first} already")


def _population(row: Row) -> int | None:
    """How many people live there; None where the table has no such column or the field is empty."""
    if not row.values.get("population", "").strip():
        return None
    count = row.number("population")
    if count <= 0 or count != int(count):
        raise row.mistake("population", "must be a whole number more than 0, or empty")
    return int(count)


def _check_names(lines: list[tuple[Row, Region]]) -> None:
    """Refuse a name that its kecamatan has already, and a variant that another region goes by.

    Kelurahan of different kecamatan may share a name; it then finds neither of them.
    """
    within: dict[tuple[str | None, str], str] = {}
    owners: dict[str, str] = {}
    for row, region in lines:
        key, _ = spelling(region.name)
        owners[key] = region.code
        if (first := within.setdefault((region.parent, key), region.code)) != region.code:
            raise row.mistake("name", f"{region.name!r} is the name of {first} already")
    for row, region in lines:
        for variant in region.variants:
            if (first := owners.setdefault(spelling(variant)[0], region.code)) != region.code:
                raise row.mistake("variants", f"{variant!r} would also mean {first}")


def point(row: Row, bbox: Box) -> tuple[float, float]:
    """Latitude and longitude of a line; PackError if they are not in the pack's bounding box."""
    latitude, longitude = row.number("lat"), row.number("lon")
    for column, value, low, high in (
        ("lat", latitude, bbox.south, bbox.north),
        ("lon", longitude, bbox.west, bbox.east),
    ):
        if not low <= value <= high:
            raise row.mistake(column, f"{value} is outside the city's bbox ({low} to {high})")
    return latitude, longitude


def _bank(row: Row) -> Bank:
    match row.values["bank"].strip():
        case "":
            return None
        case "left":
            return "left"
        case "right":
            return "right"
        case other:
            raise row.mistake("bank", f"{other!r} is not left, right or empty")


def read_points(file: Path, bbox: Box, label: str | None) -> Iterator[tuple[str, float, float]]:
    """Lines of lat,lon, with a column `label` before them if one is named.

    Yields the label ("" without one) and degrees latitude and longitude. Raises PackError.
    """
    for row in read_rows(file, ("lat", "lon") if label is None else (label, "lat", "lon")):
        latitude, longitude = point(row, bbox)
        yield ("" if label is None else row.text(label)), latitude, longitude
