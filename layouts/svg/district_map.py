"""The city's districts by how they stand: a fill and a mark, so that neither has to be trusted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from layouts.svg.marks import drawing, short

_WIDTH = 300.0
_MARKS = {"worse": "▲", "better": "▼", "same": "○", "few": "·", "plain": ""}
_DISTRICT = Markup('<path class="district {}" d="{}"><title>{}</title></path>')
_SIGN = Markup(
    '<text class="sign {}" x="{}" y="{}" text-anchor="middle" aria-hidden="true">{}</text>'
)


@dataclass(frozen=True, slots=True)
class Shape:
    """One district on the map's own grid: its outline and where its mark goes."""

    code: str
    lines: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Outline:
    """All districts of a city, ready to be drawn."""

    shapes: tuple[Shape, ...]
    width: float
    height: float


def outline(geojson: Mapping[str, Any]) -> Outline:
    """The districts of a GeoJSON (degrees WGS84, features with `code`) on a grid of 300 across.

    Points go to the nearest whole step of the grid: neighbours that share a line go on sharing it.
    """
    features = geojson["features"]
    points = [point for feature in features for ring in _rings(feature) for point in ring]
    if not points:
        return Outline((), _WIDTH, _WIDTH)
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    across = _WIDTH / ((east - west) or 1.0)
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    down = across / math.cos(math.radians((south + north) / 2))
    shapes = []
    for feature in features:
        rings = [
            _snapped([((x - west) * across, (north - y) * down) for x, y in ring])
            for ring in _rings(feature)
        ]
        rings = [ring for ring in rings if len(ring) > 2]
        if not rings:
            continue
        x, y = _middle(max(rings, key=lambda ring: abs(_area(ring))))
        lines = "".join(_relative(ring) for ring in rings)
        shapes.append(Shape(str(feature["properties"]["code"]), lines, x, y))
    return Outline(tuple(shapes), _WIDTH, math.ceil((north - south) * down))


def district_map(
    drawn: Outline,
    standings: Mapping[str, str],
    *,
    titles: Mapping[str, str],
    title: str,
    desc: str = "",
) -> Markup:
    """The map. `standings` are worse, better, same, few or plain (not judged) by code; a
    district without one is few.

    `titles` say what stands behind each district. Notes about the lines belong beside the map.
    """
    parts: list[Markup] = []
    signs: list[Markup] = []
    for shape in drawn.shapes:
        kind = standings.get(shape.code, "few")
        parts.append(_DISTRICT.format(kind, shape.lines, titles.get(shape.code, "")))
        if _MARKS[kind]:
            signs.append(_SIGN.format(kind, short(shape.x), short(shape.y + 4), _MARKS[kind]))
    return drawing("map", drawn.width, drawn.height, title, [*parts, *signs], desc=desc)


def _rings(feature: Mapping[str, Any]) -> Iterator[Sequence[tuple[float, float]]]:
    geometry = feature["geometry"]
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    for polygon in polygons:
        for ring in polygon:
            yield [(point[0], point[1]) for point in ring]


def _snapped(ring: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """A ring on whole steps, without repeated points, not closed."""
    found: list[tuple[int, int]] = []
    for x, y in ring:
        point = (round(x), round(y))
        if not found or found[-1] != point:
            found.append(point)
    if len(found) > 1 and found[0] == found[-1]:
        found.pop()
    return found


def _relative(ring: Sequence[tuple[int, int]]) -> str:
    steps = [f"M{ring[0][0]} {ring[0][1]}l"]
    moves = [f"{two[0] - one[0]} {two[1] - one[1]}" for one, two in itertools.pairwise(ring)]
    return steps[0] + " ".join(moves) + "Z"


def _area(ring: Sequence[tuple[int, int]]) -> float:
    turned = [*ring[1:], ring[0]]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, turned, strict=True)) / 2


def _middle(ring: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """The centre of gravity of a ring."""
    whole = _area(ring)
    if not whole:
        return float(ring[0][0]), float(ring[0][1])
    pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    cross = [a[0] * b[1] - b[0] * a[1] for a, b in pairs]
    x = sum((a[0] + b[0]) * c for (a, b), c in zip(pairs, cross, strict=True)) / (6 * whole)
    y = sum((a[1] + b[1]) * c for (a, b), c in zip(pairs, cross, strict=True)) / (6 * whole)
    return x, y
