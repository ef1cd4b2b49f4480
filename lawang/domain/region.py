"""Kecamatan and kelurahan: finding the region that a code, a spelling or a point means.

Names reach us in every spelling: "Kec. Ilir Barat I", "ILIR BARAT 1", "ilir barat satu". They are
compared by `spelling`, which leaves only what tells two regions apart. Codes are Kemendagri's
(16.71.01, 16.71.01.1001), or BPS's seven digits of a kecamatan (1671010).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

Level = Literal["kecamatan", "kelurahan"]

#: How a region was found; "" when it was not.
PlacedBy = Literal["", "point", "code", "bps_code", "name"]

#: What was wrong with coordinates; "swapped" ones were mended and are on the map.
Problem = Literal["", "missing", "outside", "swapped"]


class Box(NamedTuple):
    """A bounding box in degrees WGS84."""

    south: float
    west: float
    north: float
    east: float

    def contains(self, latitude: float, longitude: float) -> bool:
        """Whether the point lies inside or on the edge; never for NaN."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One kecamatan or kelurahan.

    `code` is Kemendagri's with dots. `parent` is the code of a kelurahan's kecamatan. `bps_code`
    is known for kecamatan only: no list of BPS's kelurahan codes goes with our figures. `variants`
    are spellings that `spelling` alone does not bring together. The point is a representative one,
    in degrees WGS84. `population` is the number of people who live there, where the pack knows it.
    """

    code: str
    name: str
    level: Level
    parent: str | None
    bps_code: str | None
    variants: tuple[str, ...]
    latitude: float
    longitude: float
    area_km2: float
    population: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: codes of its regions and coordinates that can be trusted, or None."""

    kecamatan: str | None
    kelurahan: str | None
    placed_by: PlacedBy
    problem: Problem
    latitude: float | None
    longitude: float | None


_TOKEN = re.compile(r"[a-z]+|[0-9]+")
_LEVELS: dict[str, Level] = {
    "kec": "kecamatan",
    "kecamatan": "kecamatan",
    "kel": "kelurahan",
    "kelurahan": "kelurahan",
}
_WORDS = {
    **{roman: str(n) for n, roman in enumerate(("i", "ii", "iii", "iv"), start=1)},
    **{
        word: str(n)
        for n, word in enumerate(
            (
                "satu",
                "dua",
                "tiga",
                "empat",
                "lima",
                "enam",
                "tujuh",
                "delapan",
                "sembilan",
                "sepuluh",
            ),
            start=1,
        )
    },
    # Palembang's "20 Ilir D. I" is also written without the dot and the space.
    **{f"d{roman}": f"d{n}" for n, roman in enumerate(("i", "ii", "iii", "iv"), start=1)},
    "sei": "sungai",
}
#: Longer text than this is no region's name; it is not worth the time of looking.
_LONGEST = 100


def spelling(text: str) -> tuple[str, Level | None]:
    """What all spellings of a name have in common, and the level if the text names it.

    >>> spelling("Kec. ILIR BARAT SATU")
    ('ilirbarat1', 'kecamatan')
    """
    plain = unicodedata.normalize("NFKD", text[:_LONGEST]).casefold()
    tokens = _TOKEN.findall(plain)
    level: Level | None = None
    if len(tokens) > 1 and tokens[0] in _LEVELS:
        level = _LEVELS[tokens.pop(0)]
    words = [str(int(token)) if token.isdigit() else _WORDS.get(token, token) for token in tokens]
    key = ""
    for word in words:
        # "3/4 Ulu" is not "34 Ulu".
        key += f"-{word}" if key[-1:].isdigit() and word[0].isdigit() else word
    return key, level


_CODE = re.compile(r"[0-9][0-9.\- ]*[0-9]")


class Gazetteer:
    """A city's regions, findable by code, name and point. Immutable once built.

    `shapes` holds the polygons by code, in degrees WGS84 with x = longitude; regions without a
    shape are found by code and name only. A name that two regions of a level share finds neither.
    """

    def __init__(
        self, regions: Iterable[Region], shapes: Mapping[str, BaseGeometry], bbox: Box
    ) -> None:
        self._bbox = bbox
        self._by_code = {region.code: region for region in regions}
        self._by_digits = {code.replace(".", ""): region for code, region in self._by_code.items()}
        self._by_bps = {
            region.bps_code: region for region in self._by_code.values() if region.bps_code
        }
        self._by_name: dict[Level, dict[str, Region | None]] = {"kecamatan": {}, "kelurahan": {}}
        for region in self._by_code.values():
            self._add_names(region)
        self._kelurahan = _Shapes(self._of_level("kelurahan"), shapes)
        self._kecamatan = _Shapes(self._of_level("kecamatan"), shapes)

    def _of_level(self, level: Level) -> list[Region]:
        return [region for region in self._by_code.values() if region.level == level]

    def _add_names(self, region: Region) -> None:
        names = self._by_name[region.level]
        for key in {spelling(name)[0] for name in (region.name, *region.variants)}:
            names[key] = region if names.get(key, region) is region else None

    def get(self, code: str) -> Region | None:
        """The region of exactly this Kemendagri code, with dots."""
        return self._by_code.get(code)

    def resolve(self, text: str, level: Level | None = None) -> Region | None:
        """The region that a code or a name means, or None.

        Without `level`, a name that both levels use means the kecamatan, unless the text says
        "Kel.". Ten digits that are no Kemendagri code are taken as BPS's code of a kelurahan and
        give its kecamatan, by the first seven. Written without dots, the two codes of a kelurahan
        cannot always be told apart (1671011001 is 35 Ilir to Kemendagri, Pulo Kerto in Gandus to
        BPS): Kemendagri's reading comes first, so a source with BPS codes should send
        the kecamatan's seven digits.
        """
        region, _ = self._find(text, level)
        return region

    def at(self, latitude: float, longitude: float) -> tuple[str | None, str | None]:
        """Codes of the kecamatan and the kelurahan around a point; None, None off the map."""
        if not self._bbox.contains(latitude, longitude):
            return None, None
        kelurahan = self._kelurahan.at(latitude, longitude)
        if kelurahan is not None:
            return kelurahan.parent, kelurahan.code
        kecamatan = self._kecamatan.at(latitude, longitude)
        return (kecamatan.code if kecamatan is not None else None), None

    def touching(self, area: BaseGeometry) -> set[str]:
        """Codes of the kecamatan whose polygons meet `area` (degrees WGS84, x = longitude)."""
        return self._kecamatan.touching(area)

    def place(
        self, latitude: float | None, longitude: float | None, region_text: str | None
    ) -> Place:
        """Where a record is: by its coordinates if they can be trusted, else by its region's text.

        None, NaN, infinities and 0, 0 count as missing. Coordinates that are in the city only
        with latitude and longitude exchanged are exchanged. Those of no region are left out.
        """
        problem: Problem = "missing"
        if _is_given(latitude) and _is_given(longitude) and (latitude or longitude):
            assert latitude is not None
            assert longitude is not None
            problem = ""
            if not self._bbox.contains(latitude, longitude) and self._bbox.contains(
                longitude, latitude
            ):
                latitude, longitude = longitude, latitude
                problem = "swapped"
            kecamatan, kelurahan = self.at(latitude, longitude)
            if kecamatan is not None:
                return Place(kecamatan, kelurahan, "point", problem, latitude, longitude)
            problem = "outside"
        region, placed_by = self._find(region_text or "", None)
        if region is None:
            return Place(None, None, "", problem, None, None)
        if region.level == "kecamatan":
            return Place(region.code, None, placed_by, problem, None, None)
        return Place(region.parent, region.code, placed_by, problem, None, None)

    def _find(self, text: str, level: Level | None) -> tuple[Region | None, PlacedBy]:
        text = text.strip()
        if not text or len(text) > _LONGEST:
            return None, ""
        if _CODE.fullmatch(text):
            region, placed_by = self._find_code(text)
        else:
            region, placed_by = self._find_name(text, level), "name"
        if region is None or (level is not None and region.level != level):
            return None, ""
        return region, placed_by

    def _find_code(self, text: str) -> tuple[Region | None, PlacedBy]:
        # A spreadsheet turns the number 1671010 into 1671010.0.
        groups = re.split(r"[.\- ]+", text.removesuffix(".0"))
        digits = "".join(groups)
        # Dots tell the codes apart: BPS writes 16.71.010.001, Kemendagri 16.71.01.1001.
        dotted_bps = len(groups) > 1 and any(len(group) == 3 for group in groups)
        if not dotted_bps and (region := self._by_digits.get(digits)) is not None:
            return region, "code"
        if len(digits) in (7, 10):
            return self._by_bps.get(digits[:7]), "bps_code"
        return None, ""

    def _find_name(self, text: str, level: Level | None) -> Region | None:
        key, named = spelling(text)
        if level is not None and named is not None and named != level:
            return None
        wanted = level or named
        if wanted is not None:
            return self._by_name[wanted].get(key)
        kecamatan = self._by_name["kecamatan"].get(key)
        return kecamatan if kecamatan is not None else self._by_name["kelurahan"].get(key)


class _Shapes:
    """The polygons of one level, prepared for being asked about one point at a time."""

    def __init__(self, regions: Iterable[Region], shapes: Mapping[str, BaseGeometry]) -> None:
        self._regions: list[Region] = [region for region in regions if region.code in shapes]
        self._shapes: list[Any] = [shapes[region.code] for region in self._regions]
        shapely.prepare(self._shapes)
        self._tree: Any = shapely.STRtree(self._shapes)

    def at(self, latitude: float, longitude: float) -> Region | None:
        # The tree only proposes: its own predicate would not use the prepared polygons.
        proposed: list[int] = self._tree.query(shapely.points(longitude, latitude)).tolist()
        # On a shared border the region that comes first has it, so that answers do not vary.
        for index in sorted(proposed):
            if shapely.intersects_xy(self._shapes[index], longitude, latitude):
                return self._regions[index]
        return None

    def touching(self, area: BaseGeometry) -> set[str]:
        """Codes of the regions that share more than a border with `area`."""
        proposed: list[int] = self._tree.query(area, predicate="intersects").tolist()
        return {
            self._regions[index].code
            for index in proposed
            if not shapely.touches(self._shapes[index], area)
        }


def _is_given(degrees: float | None) -> bool:
    return degrees is not None and math.isfinite(degrees)
