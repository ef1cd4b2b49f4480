"""GeoJSON of a pack, or imported in its place: polygons by the code of their region."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from lawang.city.toml import read_text
from lawang.domain.errors import PackError
from lawang.domain.region import Box, Region


def read_geojson(file: Path) -> dict[str, Any]:
    """A FeatureCollection. Raises PackError, with the line where it is not even JSON."""
    try:
        found = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise PackError(file, "", f"is not valid JSON: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise PackError(file, "", "is not valid JSON: nested too deeply") from error
    is_collection = isinstance(found, dict) and found.get("type") == "FeatureCollection"
    if not is_collection or not isinstance(found.get("features"), list):
        raise PackError(file, "", "is not a GeoJSON FeatureCollection", 1)
    collection: dict[str, Any] = found
    return collection


def read_shapes(
    file: Path, collection: dict[str, Any], regions: Iterable[Region], bbox: Box
) -> dict[str, BaseGeometry]:
    """The polygon of each region by its code, from features with the property `code`.

    Raises PackError if a region is missing, there twice or unknown, or its polygon is not valid.
    """
    wanted = {region.code for region in regions}
    shapes: dict[str, BaseGeometry] = {}
    for number, feature in enumerate(collection["features"]):
        code = _code(file, number, feature)
        if code not in wanted:
            raise PackError(file, code, "is not a region of this pack")
        if code in shapes:
            raise PackError(file, code, "is there twice")
        shapes[code] = _polygon(file, code, feature, bbox)
    for code in sorted(wanted - shapes.keys()):
        raise PackError(file, code, "is missing")
    return shapes


def _code(file: Path, number: int, feature: Any) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    code = properties.get("code") if isinstance(properties, dict) else None
    if not isinstance(code, str):
        raise PackError(file, f"features.{number}.properties.code", "is missing or not text")
    return code


def _polygon(file: Path, code: str, feature: dict[str, Any], bbox: Box) -> BaseGeometry:
    try:
        polygon: BaseGeometry = shape(feature["geometry"])
    except (ShapelyError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise PackError(file, code, "has no geometry that can be read") from error
    if polygon.geom_type not in ("Polygon", "MultiPolygon") or polygon.is_empty:
        raise PackError(file, code, "is not a Polygon or MultiPolygon")
    if not polygon.is_valid:
        raise PackError(file, code, "is not a valid polygon")
    west, south, east, north = polygon.bounds
    if not (bbox.contains(south, west) and bbox.contains(north, east)):
        raise PackError(file, code, "reaches outside the city's bbox")
    return polygon
