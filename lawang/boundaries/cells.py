"""Cells around points: each gets what lies nearer to it than to any other point of its group.

A group is an area that cells do not cross: a bank of the river, or an official kecamatan. The
result is a coverage: neighbours share every vertex of their common border, exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from lawang.boundaries.projection import Projection

#: A face further than this from every group is a hole in all of them, not a rounding gap.
_NEAR_M = 5.0


@dataclass(frozen=True, slots=True)
class Site:
    """The point of one cell, in metres, and the group that the cell stays in."""

    code: str
    group: str
    point: Any


def cells(
    groups: Mapping[str, Any], sites: list[Site], projection: Projection, grid: float
) -> dict[str, Any]:
    """The cell of each site by its code, in degrees with all coordinates on `grid`.

    `groups` are polygons in metres that do not overlap. Raises ValueError if a site gets no cell,
    or two stand on one point.
    """
    taken: dict[tuple[str, str], str] = {}
    for site in sites:
        first = taken.setdefault((site.group, site.point.wkt), site.code)
        if first != site.code:
            raise ValueError(f"{site.code} stands on the point of {first}")
    rough = {code: cell for group in groups for code, cell in _voronoi(group, groups, sites)}
    faces = _faces([*groups.values(), *rough.values()], projection, grid)
    by_code = _assign(faces, groups, sites, projection)
    _give_away_detached(by_code, sites, projection)
    for site in sites:
        if not by_code[site.code]:
            raise ValueError(f"{site.code} gets no area of its own")
    return {code: shapely.union_all(parts) for code, parts in by_code.items()}


def _voronoi(group: str, groups: Mapping[str, Any], sites: list[Site]) -> list[tuple[str, Any]]:
    members = [site for site in sites if site.group == group]
    area = groups[group]
    if len(members) < 2:
        return [(site.code, area) for site in members]
    points = shapely.multipoints([site.point for site in members])
    rough = shapely.voronoi_polygons(points, extend_to=area, ordered=True)
    return [
        (site.code, shapely.intersection(cell, area))
        for site, cell in zip(members, shapely.get_parts(rough), strict=True)
    ]


def _faces(polygons: list[Any], projection: Projection, grid: float) -> list[Any]:
    """The pieces that all borders together cut the plane into, with vertices on the grid."""
    lines = shapely.boundary(projection.degrees(polygons))
    noded = shapely.union_all(lines, grid_size=grid)
    faces: list[Any] = shapely.get_parts(shapely.polygonize([noded])).tolist()
    return faces


def _assign(
    faces: list[Any], groups: Mapping[str, Any], sites: list[Site], projection: Projection
) -> dict[str, list[Any]]:
    """Each face to the nearest site of the group it lies in; faces of no group fall away."""
    names = list(groups)
    areas = shapely.STRtree([groups[name] for name in names])
    members: dict[str, list[Site]] = defaultdict(list)
    for site in sites:
        members[site.group].append(site)
    by_code: dict[str, list[Any]] = {site.code: [] for site in sites}
    for face in faces:
        inside = projection.metres(shapely.point_on_surface(face))
        near = areas.query_nearest(inside, max_distance=_NEAR_M).tolist()
        if not near or not members[names[min(near)]]:
            continue
        nearest = min(
            members[names[min(near)]], key=lambda site: shapely.distance(inside, site.point)
        )
        by_code[nearest.code].append(face)
    return by_code


def _give_away_detached(
    by_code: dict[str, list[Any]], sites: list[Site], projection: Projection
) -> None:
    """Parts of a cell that the border of its group cut off go to the neighbour around them."""
    for site in sites:
        whole = shapely.union_all(by_code[site.code])
        parts = shapely.get_parts(whole).tolist()
        if len(parts) < 2:
            continue
        kept = min(parts, key=lambda part: shapely.distance(projection.metres(part), site.point))
        by_code[site.code] = [kept]
        for part in parts:
            if part is not kept:
                _longest_border(part, site, sites, by_code).append(part)


def _longest_border(
    part: Any, site: Site, sites: list[Site], by_code: dict[str, list[Any]]
) -> list[Any]:
    """The cell of the same group that shares most of the border of `part`; its own if none does."""

    def shared(other: Site) -> float:
        area = shapely.union_all(by_code[other.code])
        return float(shapely.length(shapely.intersection(part.boundary, area.boundary)))

    others = [other for other in sites if other.group == site.group and other is not site]
    best = max(others, key=shared, default=site)
    return by_code[best.code if best is not site and shared(best) > 0 else site.code]
