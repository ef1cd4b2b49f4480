"""The pack's own boundaries, computed from its figures.

Kelurahan are the cells around their representative points, cut off by the city's outline and by
the river; a kecamatan is the union of its kelurahan. This says which part of the city a point is
in, and no more: two official data sets of the same city disagree by a quarter of their areas.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import shapely
from shapely.ops import split

from lawang.boundaries.cells import Site, cells
from lawang.boundaries.geojson import dump, lines_collection, regions_collection
from lawang.boundaries.projection import Projection
from lawang.city.pack import CityFile, read_city_file, read_pack_regions
from lawang.city.regions import Regions, read_points
from lawang.domain.errors import BoundaryError

#: About a metre; the figures themselves have four decimals.
DECIMALS = 5

#: How far the river's line may be off, as its source says: it is the border that both banks share.
RIVER_M = 150.0


def build(pack_dir: Path) -> list[Path]:
    """Compute the boundaries of a pack and write them into it; the files written.

    Raises PackError for a mistake in the pack, BoundaryError if its figures contradict each other.
    """
    written = []
    for name, collection in compute(pack_dir).items():
        file = pack_dir / "regions" / name
        file.write_text(dump(collection), encoding="utf-8")
        written.append(file)
    return written


def compute(pack_dir: Path) -> dict[str, dict[str, Any]]:
    """The GeoJSON of a pack by file name: kecamatan, kelurahan and, where there is one, river.

    Raises as `build` does.
    """
    city = read_city_file(pack_dir)
    regions = read_pack_regions(pack_dir, city)
    projection = Projection.of(city.box)
    outline = _outline(pack_dir, city, projection)
    reaches = _reaches(pack_dir, city)
    course = _course(reaches, projection)
    sites = _sites(regions, projection, has_river=course is not None)
    banks = _banks(outline, course, sites) if course is not None else {"": outline}
    _check_sites(sites, banks, regions)
    try:
        shapes = cells(banks, sites, projection, 10**-DECIMALS)
    except ValueError as error:
        raise BoundaryError([str(error)]) from error
    collections = {
        "kecamatan.geojson": regions_collection(
            regions.kecamatan, unions(regions, shapes), DECIMALS
        ),
        "kelurahan.geojson": regions_collection(regions.kelurahan, shapes, DECIMALS),
    }
    if reaches:
        collections["river.geojson"] = lines_collection(reaches, DECIMALS)
    return collections


def unions(regions: Regions, kelurahan: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of each kecamatan: all of its kelurahan together."""
    parts: dict[str, list[Any]] = {region.code: [] for region in regions.kecamatan}
    for region in regions.kelurahan:
        assert region.parent is not None
        parts[region.parent].append(kelurahan[region.code])
    return {code: shapely.union_all(shapes) for code, shapes in parts.items()}


def _outline(pack_dir: Path, city: CityFile, projection: Projection) -> Any:
    file = pack_dir / "regions" / "outline.csv"
    ring = [(lon, lat) for _, lat, lon in read_points(file, city.box, None)]
    if len(ring) < 4:
        raise BoundaryError([f"{file}: an outline needs at least four points"])
    outline = shapely.Polygon(ring)
    if not outline.is_valid:
        raise BoundaryError([f"{file}: {shapely.is_valid_reason(outline)}"])
    return projection.metres(outline)


def _reaches(pack_dir: Path, city: CityFile) -> dict[str, Any]:
    """The river's reaches in their order, as lines in degrees; none in a city without river.csv."""
    file = pack_dir / "regions" / "river.csv"
    if not file.exists():
        return {}
    reaches = {}
    for reach, group in groupby(read_points(file, city.box, "reach"), key=itemgetter(0)):
        points = [(lon, lat) for _, lat, lon in group]
        if len(points) < 2:
            raise BoundaryError([f"{file}: {reach} needs at least two points"])
        reaches[reach] = shapely.LineString(points)
    return reaches


def _course(reaches: Mapping[str, Any], projection: Projection) -> Any:
    if not reaches:
        return None
    points = [xy for line in reaches.values() for xy in line.coords]
    # A reach begins where the one before it ends.
    course = [xy for xy, _ in groupby(points)]
    return projection.metres(shapely.LineString(course))


def _banks(outline: Any, course: Any, sites: list[Site]) -> dict[str, Any]:
    """The two parts of the city that cells may not cross, in metres, by bank.

    A piece without a kelurahan's point on its own side is no bank: it lies where the line of the
    river and the outline cross each other, and goes to the bank that it borders most. Raises
    BoundaryError if a bank has no piece.
    """
    cut = _prolonged(course, outline)
    banks: dict[str, list[Any]] = {"left": [], "right": []}
    slivers: list[Any] = []
    for piece in shapely.get_parts(split(outline, cut)).tolist():
        bank = _side(piece, cut)
        is_bank = any(site.group == bank and piece.contains(site.point) for site in sites)
        (banks[bank] if is_bank else slivers).append(piece)
    if missing := [bank for bank, pieces in banks.items() if not pieces]:
        raise BoundaryError([f"the river leaves no {bank} bank with kelurahan" for bank in missing])
    whole = {bank: shapely.union_all(pieces) for bank, pieces in banks.items()}
    for piece in slivers:
        most = max(whole, key=lambda bank: _border(piece, whole[bank]))
        banks[most].append(piece)
    return {bank: shapely.union_all(pieces) for bank, pieces in banks.items()}


def _border(piece: Any, area: Any) -> float:
    return float(shapely.length(shapely.intersection(piece, area)))


def _prolonged(course: Any, outline: Any) -> Any:
    """The course, with ends inside the outline carried on straight until they are outside."""
    west, south, east, north = outline.bounds
    far = (east - west) + (north - south)
    points = shapely.get_coordinates(course)
    first, last = points[:1], points[-1:]
    if shapely.contains_xy(outline, *points[0]):
        first = _beyond(points[1], points[0], far)
    if shapely.contains_xy(outline, *points[-1]):
        last = _beyond(points[-2], points[-1], far)
    return shapely.LineString([*first.tolist(), *points.tolist()[1:-1], *last.tolist()])


def _beyond(before: Any, end: Any, far: float) -> Any:
    step = end - before
    return (end + step * (far / float((step @ step) ** 0.5))).reshape(1, 2)


def _side(shape: Any, course: Any) -> str:
    """The bank that a shape lies on, looking downstream."""
    point = shapely.point_on_surface(shape)
    # The ring from the point's two neighbours on the course through the point tells the side.
    along = shapely.line_locate_point(course, point)
    before = shapely.line_interpolate_point(course, max(along - 1.0, 0.0))
    after = shapely.line_interpolate_point(course, along + 1.0)
    ring = shapely.linearrings([[p.x, p.y] for p in (before, after, point)])
    return "left" if shapely.is_ccw(ring) else "right"


def _sites(regions: Regions, projection: Projection, *, has_river: bool) -> list[Site]:
    """The kelurahan's points, each in the group of its bank; "" in a city without a river.

    Raises BoundaryError for a kecamatan whose bank the table does not tell.
    """
    problems = [
        f"{kecamatan.name}: kecamatan.csv does not tell its bank, but the city has a river"
        for kecamatan in regions.kecamatan
        if has_river and regions.banks[kecamatan.code] is None
    ]
    if problems:
        raise BoundaryError(problems)
    sites = []
    for region in regions.kelurahan:
        assert region.parent is not None
        bank = (regions.banks[region.parent] or "") if has_river else ""
        point = projection.metres(shapely.Point(region.longitude, region.latitude))
        sites.append(Site(region.code, bank, point))
    return sites


def _check_sites(sites: list[Site], banks: Mapping[str, Any], regions: Regions) -> None:
    """Refuse points that are clearly on the other bank, or outside of the city.

    The table decides on which bank a kelurahan is, as the administrative border does; its point
    may stand on the other side of the drawn line by as much as that line is uncertain.
    """
    names = {region.code: region.name for region in regions.kelurahan}
    problems = [
        f"{names[site.code]}: its point is {off_m:.0f} m away from its side of the city"
        for site in sites
        if (off_m := shapely.distance(site.point, banks[site.group])) > RIVER_M
    ]
    if problems:
        raise BoundaryError(problems)
