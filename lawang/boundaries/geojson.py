"""Regions and lines as GeoJSON (RFC 7946), written so that a change can be read in a diff."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import shapely
from shapely.geometry import mapping

from lawang.domain.region import Region


def regions_collection(
    regions: Iterable[Region], shapes: Mapping[str, Any], decimals: int
) -> dict[str, Any]:
    """A FeatureCollection of regions with `code`, `name` and `parent`, in the regions' order.

    Rings are wound and begun in one way, so that equal shapes give equal text.
    """
    return _collection(
        _feature(
            _wound(shapes[region.code]),
            decimals,
            {"code": region.code, "name": region.name, "parent": region.parent},
            region.code,
        )
        for region in regions
    )


def lines_collection(lines: Mapping[str, Any], decimals: int) -> dict[str, Any]:
    """A FeatureCollection of named lines, drawn in the direction they were given."""
    return _collection(
        _feature(line, decimals, {"name": name}, name) for name, line in lines.items()
    )


def dump(collection: Mapping[str, Any]) -> str:
    """JSON text with one feature a line."""
    features = ",\n".join(
        json.dumps(feature, ensure_ascii=False, separators=(",", ":"))
        for feature in collection["features"]
    )
    return f'{{"type":"FeatureCollection","features":[\n{features}\n]}}\n'


def _wound(shape: Any) -> Any:
    return shapely.orient_polygons(shapely.normalize(shape))


def _collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def _feature(
    shape: Any, decimals: int, properties: dict[str, Any], feature_id: str
) -> dict[str, Any]:
    geometry = mapping(shape)
    rounded = {
        "type": geometry["type"],
        "coordinates": _rounded(geometry["coordinates"], decimals),
    }
    return {"type": "Feature", "id": feature_id, "properties": properties, "geometry": rounded}


def _rounded(coordinates: Any, decimals: int) -> Any:
    if isinstance(coordinates, (tuple, list)):
        return [_rounded(each, decimals) for each in coordinates]
    return round(float(coordinates), decimals)
