"""Esri JSON and GeoJSON geometries -> GeoJSON in WGS84, and one point that stands for each.

The point of several points is their middle one, of lines the middle of the longest, of areas a
point inside the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from lawang.domain.errors import NeedsPerson

#: WGS84, and NAD83 which differs from it by less than what a map here can show.
_DEGREES = frozenset({4326, 4269})
_WEB_MERCATOR = frozenset({3857, 102100, 102113, 900913})
_EARTH_RADIUS_M = 6_378_137.0

Position = tuple[float, float]
Convert = Callable[[float, float], Position]


def converter(wkid: int | None) -> Convert:
    """How coordinates of a spatial reference become degrees (longitude, latitude).

    None is WGS84, which is what was asked for. NeedsPerson("garbage") for one that is not known.
    """
    if wkid is None or wkid in _DEGREES:
        return lambda x, y: (x, y)
    if wkid in _WEB_MERCATOR:
        return _from_web_mercator
    raise NeedsPerson(
        "garbage",
        f"coordinates in EPSG:{wkid}; set out_sr = 3857, or have the layer answer in 4326",
    )


def stated_wkid(document: dict[str, Any]) -> int | None:
    """The spatial reference that an answer states: esri's `spatialReference`, GeoJSON's `crs`."""
    stated = document.get("spatialReference")
    if isinstance(stated, dict):
        found = stated.get("latestWkid") or stated.get("wkid")
        return found if isinstance(found, int) and not isinstance(found, bool) else None
    crs = document.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    last = name.rpartition(":")[2] if isinstance(name, str) else ""
    return int(last) if last.isascii() and last.isdecimal() and len(last) < 9 else None


def place(geometry: object, convert: Convert) -> dict[str, Any] | None:
    """`{latitude, longitude, geojson}` of a feature's geometry; None where there is none usable."""
    if not isinstance(geometry, dict):
        return None
    try:
        found = _from_geojson(geometry, convert) if "type" in geometry else _esri(geometry, convert)
        if found is None:
            return None
        point = _representative(shape(found))
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, ShapelyError):
        return None
    if point is None or not (abs(point.x) <= 180 and abs(point.y) <= 90):
        return None
    return {"latitude": round(point.y, 7), "longitude": round(point.x, 7), "geojson": found}


def _representative(found: Any) -> Any:
    if found.is_empty:
        return None
    if found.geom_type == "Point":
        return found
    if found.geom_type == "MultiPoint":
        return found.representative_point()
    if found.geom_type in ("LineString", "MultiLineString"):
        parts = getattr(found, "geoms", [found])
        return max(parts, key=lambda part: part.length).interpolate(0.5, normalized=True)
    areas = found if found.is_valid else shapely.make_valid(found)
    parts = getattr(areas, "geoms", [areas])
    return max(parts, key=lambda part: part.area).representative_point()


def _from_geojson(geometry: dict[str, Any], convert: Convert) -> dict[str, Any] | None:
    kind = geometry["type"]
    depth = {
        "Point": 0,
        "MultiPoint": 1,
        "LineString": 1,
        "MultiLineString": 2,
        "Polygon": 2,
        "MultiPolygon": 3,
    }.get(kind)
    if depth is None:
        return None
    return {"type": kind, "coordinates": _nested(geometry["coordinates"], depth, convert)}


def _nested(value: Any, depth: int, convert: Convert) -> Any:
    if depth == 0:
        return _position(value, convert)
    return [_nested(each, depth - 1, convert) for each in value]


def _esri(geometry: dict[str, Any], convert: Convert) -> dict[str, Any] | None:
    """Curves (`curvePaths`, `curveRings`) are not read: nobody here asks for true curves."""
    if "x" in geometry:
        point = _position((geometry["x"], geometry.get("y")), convert)
        return {"type": "Point", "coordinates": point}
    if points := geometry.get("points"):
        return {"type": "MultiPoint", "coordinates": _nested(points, 1, convert)}
    if paths := geometry.get("paths"):
        lines = [line for line in _nested(paths, 2, convert) if len(line) >= 2]
        return {"type": "MultiLineString", "coordinates": lines}
    if rings := geometry.get("rings"):
        return {"type": "MultiPolygon", "coordinates": _polygons(_nested(rings, 2, convert))}
    return None


def _polygons(rings: list[list[Position]]) -> list[list[list[Position]]]:
    """Esri's flat list of rings as areas with their holes: outer rings run clockwise."""
    usable = [ring for ring in rings if len(ring) >= 4]
    outer = [ring for ring in usable if _doubled_area(ring) <= 0]
    holes = [ring for ring in usable if _doubled_area(ring) > 0]
    polygons = [[ring] for ring in outer]
    bodies = [shapely.make_valid(shapely.Polygon(ring)) for ring in outer]
    for hole in holes:
        inside = shapely.Polygon(hole).representative_point()
        around = [number for number, body in enumerate(bodies) if body.contains(inside)]
        if around:
            polygons[min(around, key=lambda number: bodies[number].area)].append(hole)
        else:
            # Some servers write outer rings the other way round.
            polygons.append([hole])
    return polygons


def _doubled_area(ring: Iterable[Position]) -> float:
    """Twice the signed area: positive when the ring runs anti-clockwise."""
    points = list(ring)
    return sum(
        x * next_y - next_x * y
        for (x, y), (next_x, next_y) in zip(points, points[1:] + points[:1], strict=True)
    )


def _position(value: Any, convert: Convert) -> Position:
    """A position without its height and measure; ValueError for what is none ("NaN", null)."""
    x, y = float(value[0]), float(value[1])
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError("not a position")
    longitude, latitude = convert(x, y)
    return round(longitude, 7), round(latitude, 7)


def _from_web_mercator(x: float, y: float) -> Position:
    longitude = math.degrees(x / _EARTH_RADIUS_M)
    latitude = math.degrees(2 * math.atan(math.exp(y / _EARTH_RADIUS_M)) - math.pi / 2)
    return longitude, latitude
