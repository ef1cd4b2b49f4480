"""Where a CAP message holds: names, codes, polygons and circles of its `<area>` blocks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from connectors.cap.xml import children, text_of
from lawang.domain.values import read_degrees, read_word

Point = tuple[float, float]  # longitude, latitude: GeoJSON's order

_CORNERS = 32
_KM_PER_DEGREE = 111.2
#: CAP allows a radius of nothing for a point; something must be drawn.
_LEAST_RADIUS_KM, _GREATEST_RADIUS_KM = 0.1, 2_000.0
_MOST_POINTS, _MOST_AREAS = 5_000, 300
_BETWEEN_NAMES = re.compile(r"[,;\n]|\s+dan\s+|\s+and\s+")
#: Kemendagri's (16.71.01.1001) and BPS's (1671010) codes; other geocodes name other registers.
_CODE = re.compile(r"\d{2}(?:\.\d{2}){1,2}(?:\.\d{4})?|\d{4}|\d{7}|\d{10}", re.ASCII)


@dataclass(slots=True)
class Places:
    """`problems` are the shapes that could not be read, a sentence each."""

    names: list[str] = field(default_factory=list)
    polygons: list[list[Point]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def geometry(self) -> dict[str, Any] | None:
        """GeoJSON of all shapes; None where there is none."""
        rings = [[[*point] for point in polygon] for polygon in self.polygons]
        if not rings:
            return None
        if len(rings) == 1:
            return {"type": "Polygon", "coordinates": [rings[0]]}
        return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def read_places(areas: Iterable[Element]) -> Places:
    """What the `<area>` blocks say together."""
    found = Places()
    for area in areas:
        names = [
            read_word(name) for name in _BETWEEN_NAMES.split(text_of(area, "areaDesc")[:20_000])
        ]
        codes = [text_of(code, "value") for code in children(area, "geocode")]
        known = [code for code in codes if _CODE.fullmatch(code)]
        found.names += [name for name in (*names, *known) if name and name not in found.names]
        for polygon in children(area, "polygon"):
            _add(found, "polygon", read_polygon(polygon.text or ""))
        for circle in children(area, "circle"):
            _add(found, "circle", read_circle(circle.text or ""))
    del found.names[_MOST_AREAS:]
    return found


def _add(found: Places, what: str, ring: list[Point] | None) -> None:
    if ring is None:
        found.problems.append(f"a {what} cannot be read")
    elif len(found.polygons) < _MOST_AREAS:
        found.polygons.append(ring)


def read_polygon(text: str) -> list[Point] | None:
    """A closed ring from "lat,lon lat,lon ..."; one that was left open is closed.

    None for what is no polygon: fewer than three corners, or one that is nowhere on earth.
    """
    pairs = text.split()
    if not 3 <= len(pairs) <= _MOST_POINTS:
        return None
    ring: list[Point] = []
    for pair in pairs:
        point = _read_point(pair)
        if point is None:
            return None
        ring.append(point)
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    return ring if len(set(ring)) >= 3 else None


def read_circle(text: str) -> list[Point] | None:
    """A ring of 32 corners from "lat,lon radius", the radius in kilometres; None for no circle."""
    parts = text.split()
    centre = _read_point(parts[0]) if len(parts) == 2 else None
    radius_km = read_degrees(parts[1]) if len(parts) == 2 else None
    if centre is None or radius_km is None or not 0 <= radius_km <= _GREATEST_RADIUS_KM:
        return None
    longitude, latitude = centre
    north = max(radius_km, _LEAST_RADIUS_KM) / _KM_PER_DEGREE
    east = north / max(math.cos(math.radians(latitude)), 0.01)
    ring = [
        (
            round(longitude + east * math.cos(math.tau * corner / _CORNERS), 6),
            round(latitude + north * math.sin(math.tau * corner / _CORNERS), 6),
        )
        for corner in range(_CORNERS)
    ]
    return [*ring, ring[0]]


def _read_point(pair: str) -> Point | None:
    latitude, comma, longitude = pair.partition(",")
    at, along = (read_degrees(latitude), read_degrees(longitude)) if comma else (None, None)
    # A second comma would pass as a decimal one.
    if at is None or along is None or "," in longitude or abs(at) > 90 or abs(along) > 180:
        return None
    return along, at
