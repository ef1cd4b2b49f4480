"""An official boundary file taken in place of the pack's approximate boundaries.

GeoJSON in WGS84, kelurahan or kecamatan. Everything is checked before anything is written, and
everything that is wrong is told at once, as whoever has the file has to send it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely
from shapely.ops import nearest_points

from lawang.boundaries.approximate import unions
from lawang.boundaries.cells import Site, cells
from lawang.boundaries.geojson import dump, regions_collection
from lawang.boundaries.matching import Matching, match
from lawang.boundaries.projection import Projection
from lawang.boundaries.reading import Feature, read_features
from lawang.boundaries.shelf import put_on_shelf
from lawang.city.imported import ImportReport
from lawang.city.pack import CityFile, read_city_file, read_pack_regions
from lawang.city.regions import Regions
from lawang.domain.clock import Clock, utc_now
from lawang.domain.errors import BoundaryError
from lawang.domain.region import Box, Gazetteer

#: About a tenth of a metre.
DECIMALS = 6
_GRID = 10**-DECIMALS

#: The share of the area that may lie in two regions at once: official lines are drawn by hand.
_OVERLAP = 0.01

#: Gaps between neighbouring kelurahan smaller than this are slips of the hand, not other land.
_GAP_M2 = 10_000.0

#: How far inside its official kecamatan a kelurahan's point is set if it lies outside of it.
_INSIDE_M = 20.0

_NOTES = {
    "kelurahan": "Kecamatan are the unions of the imported kelurahan.",
    "kecamatan": (
        "The file holds kecamatan only: kelurahan were computed anew inside of them, around their "
        "points, and stay approximate."
    ),
}


def import_boundaries(
    pack_dir: Path, file: Path, data_dir: Path, clock: Clock = utc_now
) -> ImportReport:
    """Check an official file and put it in force for the city of a pack.

    At kelurahan level, kecamatan are the unions of their kelurahan. At kecamatan level, kelurahan
    are computed anew inside of them and stay approximate. Changes nothing on error: BoundaryError
    with all that does not fit, PackError for a broken pack, OSError as the disk does.
    """
    city = read_city_file(pack_dir)
    regions = read_pack_regions(pack_dir, city)
    projection = Projection.of(city.box)
    gazetteer = Gazetteer((*regions.kecamatan, *regions.kelurahan), {}, city.box)
    features = read_features(file)
    matching = match(features, regions, gazetteer)
    problems = [*matching.problems, *_misplaced(features, city.box)]
    if problems:
        raise BoundaryError(problems)
    given = _polygons(features, matching)
    area_km2 = sum(projection.area_km2(polygon) for polygon in given.values())
    if problems := _wrong_areas(given, area_km2, city, projection):
        raise BoundaryError(problems)
    shapes = _both_levels(given, matching, regions, projection)
    collections = {
        "kecamatan.geojson": regions_collection(regions.kecamatan, shapes, DECIMALS),
        "kelurahan.geojson": regions_collection(regions.kelurahan, shapes, DECIMALS),
    }

    def describe(version: str, previous: str | None) -> ImportReport:
        return ImportReport(
            version=version,
            previous=previous,
            file=file.name,
            imported_at=clock(),
            level=matching.level,
            regions=len(given),
            matched_by=matching.column,
            area_km2=round(area_km2, 2),
            notes=(_NOTES[matching.level],),
        )

    files = {name: dump(collection) for name, collection in collections.items()}
    return put_on_shelf(data_dir, city.slug, files, describe)


def _misplaced(features: list[Feature], bbox: Box) -> list[str]:
    """Features without a usable polygon, and those that are not where the city is."""
    problems = []
    for feature in features:
        if feature.polygon is None:
            problems.append(f"Feature {feature.number}: {feature.problem}.")
            continue
        west, south, east, north = feature.polygon.bounds
        if bbox.contains(south, west) and bbox.contains(north, east):
            continue
        swapped = bbox.contains(west, south) and bbox.contains(east, north)
        why = "has latitude and longitude exchanged" if swapped else "reaches outside the city"
        corners = f"{south:.4f}, {west:.4f} to {north:.4f}, {east:.4f}"
        problems.append(f"Feature {feature.number} {why}: it spans {corners}.")
    return problems


def _polygons(features: list[Feature], matching: Matching) -> dict[str, Any]:
    return {
        code: shapely.set_precision(feature.polygon, _GRID)
        for feature, code in zip(features, matching.codes, strict=True)
        if code is not None
    }


def _wrong_areas(
    given: Mapping[str, Any], area_km2: float, city: CityFile, projection: Projection
) -> list[str]:
    problems = [
        f"{code}: nothing is left of its polygon at {_GRID} degrees."
        for code, polygon in given.items()
        if polygon.is_empty
    ]
    low, high = city.area.min_km2, city.area.max_km2
    if not low <= area_km2 <= high:
        problems.append(
            f"The regions cover {area_km2:.2f} km2; the city has {low:g} to {high:g} km2."
        )
    twice_km2 = area_km2 - projection.area_km2(shapely.union_all(list(given.values())))
    if twice_km2 > _OVERLAP * area_km2:
        problems.append(f"The regions overlap: {twice_km2:.2f} km2 belong to more than one.")
    return problems


def _both_levels(
    given: dict[str, Any], matching: Matching, regions: Regions, projection: Projection
) -> dict[str, Any]:
    if matching.level == "kelurahan":
        whole = unions(regions, given)
        return given | {code: _without_gaps(shape, projection) for code, shape in whole.items()}
    areas = {code: projection.metres(polygon) for code, polygon in given.items()}
    try:
        kelurahan = cells(areas, _sites(regions, areas, projection), projection, _GRID)
    except ValueError as error:
        raise BoundaryError([f"The kelurahan cannot be fitted in: {error}."]) from error
    return given | kelurahan


def _without_gaps(shape: Any, projection: Projection) -> Any:
    """A kecamatan without the small holes that imperfectly drawn kelurahan leave in it."""

    def is_land(hole: Any) -> bool:
        return bool(projection.metres(shapely.Polygon(hole)).area >= _GAP_M2)

    parts = [
        shapely.Polygon(part.exterior, [hole for hole in part.interiors if is_land(hole)])
        for part in shapely.get_parts(shape).tolist()
    ]
    return shapely.union_all(parts)


def _sites(regions: Regions, areas: Mapping[str, Any], projection: Projection) -> list[Site]:
    sites = []
    for region in regions.kelurahan:
        assert region.parent is not None
        area = areas[region.parent]
        point = projection.metres(shapely.Point(region.longitude, region.latitude))
        if not area.contains(point):
            inner = shapely.buffer(area, -_INSIDE_M)
            point = nearest_points(area if inner.is_empty else inner, point)[0]
        sites.append(Site(region.code, region.parent, point))
    return sites
