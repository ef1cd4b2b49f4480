"""Reading a GeoJSON file that somebody else made, without trusting any of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from lawang.domain.errors import BoundaryError

#: The boundaries of a province in fine detail are smaller than this.
MAX_BYTES = 64_000_000

#: Ways to say WGS84 with longitude first, which is what GeoJSON means when it says nothing.
_WGS84 = ("CRS84", "EPSG:4326", "EPSG::4326", "WGS84", "WGS 84")


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its properties as text, and its polygon in degrees, or why it has none.

    `number` counts from 1, as people count.
    """

    number: int
    properties: dict[str, str]
    polygon: Any | None
    problem: str


def read_features(file: Path) -> list[Feature]:
    """The features of a FeatureCollection in WGS84.

    Raises BoundaryError for what concerns the whole file: unreadable, too large, no GeoJSON,
    another coordinate system. What is wrong with one feature stands in its `problem`.
    """
    collection = _collection(file)
    _check_crs(collection)
    features = [_feature(n, each) for n, each in enumerate(collection["features"], start=1)]
    if not features:
        raise BoundaryError([f"{file.name} holds no features."])
    return features


def _collection(file: Path) -> dict[str, Any]:
    try:
        if (size := file.stat().st_size) > MAX_BYTES:
            raise BoundaryError(
                [f"{file.name} has {size} bytes; more than {MAX_BYTES} are not read."]
            )
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BoundaryError([f"{file} cannot be read: {error.strerror or error}."]) from error
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise BoundaryError([f"{file.name} is not JSON{where}."]) from error
    is_collection = isinstance(found, dict) and found.get("type") == "FeatureCollection"
    if not is_collection or not isinstance(found.get("features"), list):
        raise BoundaryError([f"{file.name} is not a GeoJSON FeatureCollection."])
    collection: dict[str, Any] = found
    return collection


def _check_crs(collection: dict[str, Any]) -> None:
    crs = collection.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name", "")) if isinstance(properties, dict) else ""
    if not name.upper().endswith(_WGS84):
        raise BoundaryError(
            [f"The file is in {name or 'an unnamed coordinate system'}; export it in WGS84."]
        )


def _feature(number: int, raw: Any) -> Feature:
    raw = raw if isinstance(raw, dict) else {}
    given = raw.get("properties")
    values = {"id": raw.get("id"), **(given if isinstance(given, dict) else {})}
    properties = {
        str(name): str(value)
        for name, value in values.items()
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
    }
    geometry = raw.get("geometry")
    problem = _geometry_problem(geometry)
    if problem:
        return Feature(number, properties, None, problem)
    try:
        polygon = shapely.force_2d(shape(geometry))
    except (ShapelyError, ValueError, TypeError, IndexError):
        return Feature(number, properties, None, "its geometry cannot be read")
    if not polygon.is_valid:
        return Feature(number, properties, None, shapely.is_valid_reason(polygon))
    return Feature(number, properties, polygon, "")


def _geometry_problem(geometry: Any) -> str:
    """Why a geometry is no polygon with closed rings; "" if it is one.

    Raises BoundaryError for coordinates that are not degrees, as then none of the file are.
    """
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        return f"it is a {kind or 'feature without geometry'}, not a Polygon or MultiPolygon"
    rings = list(_rings(geometry.get("coordinates"), 1 if kind == "Polygon" else 2))
    if not rings:
        return "it has no rings"
    for ring in rings:
        if not isinstance(ring, list) or not all(_is_position(each) for each in ring):
            return "a ring holds something that is no position"
        if len(ring) < 4 or ring[0] != ring[-1]:
            return "a ring is not closed"
        _check_degrees(ring)
    return ""


def _rings(coordinates: Any, depth: int) -> Iterator[Any]:
    if not isinstance(coordinates, list):
        return
    for each in coordinates:
        if depth == 1:
            yield each
        else:
            yield from _rings(each, depth - 1)


def _is_position(value: Any) -> bool:
    # The comparison is false for NaN, and does not mind integers too large for a float.
    return (
        isinstance(value, list)
        and len(value) >= 2
        and all(isinstance(each, (int, float)) and abs(each) < 1e12 for each in value)
    )


def _check_degrees(ring: list[list[float]]) -> None:
    # A latitude of 104 is no projection but exchanged axes, which are told feature by feature.
    for x, y, *_ in ring:
        if max(abs(x), abs(y)) > 180:
            raise BoundaryError(
                [
                    f"The coordinates are not degrees ({x:.0f}, {y:.0f}): the file looks projected "
                    "(UTM or Web Mercator); export it in WGS84."
                ]
            )
