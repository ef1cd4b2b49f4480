"""The panel `warnings`: what others warn of that is in force and touches the city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape

from lawang.board.field.facts import FieldFacts, Panel, Plain, known, moment, point
from lawang.domain.alert import MessageType

_HEADLINE_MAX, _TEXT_MAX = 200, 600
_AREAS_MAX = 30
#: What an outline on a wall may have; official ones have thousands of points.
POINTS_MAX = 120
#: Where thinning out begins, in degrees: some ten metres.
_TOLERANCE = 0.0001


def warnings(facts: FieldFacts, now: datetime) -> Panel:
    """What is in force elsewhere is counted alone."""
    found: dict[str, Panel] = {}
    elsewhere = 0
    sources = frozenset(facts.lists["warnings"])
    for key, plain in in_force(facts, now):
        if plain["source_id"] not in sources:
            continue
        if plain["touches_city"]:
            found[key] = _warning(plain)
        else:
            elsewhere += 1
    return {"sources": facts.lists["warnings"], "warnings": found, "elsewhere": elsewhere}


def in_force(facts: FieldFacts, now: datetime) -> Iterator[tuple[str, Plain]]:
    """As `Alert.is_in_force` has it, newest first."""
    newest = sorted(facts.alerts.items(), key=lambda item: item[1]["sent_at"], reverse=True)
    for key, plain in newest:
        if plain["message_type"] == MessageType.CANCEL.value or plain["ended_at"] is not None:
            continue
        if plain["expires_at"] is None or now < moment(plain["expires_at"]):
            yield key, plain


def _warning(plain: Plain) -> Panel:
    geometry = plain["geometry"] or {}
    is_point = geometry.get("type") == "Point"
    return known(
        event=_cut(plain["event"], _HEADLINE_MAX),
        severity=plain["severity"],
        headline=_cut(plain["headline"], _HEADLINE_MAX),
        description=_cut(plain["description"], _TEXT_MAX) or None,
        instruction=_cut(plain["instruction"], _TEXT_MAX) or None,
        sender=plain["sender"],
        areas=plain["areas"][:_AREAS_MAX],
        regions=plain["regions"],
        polygon=None if is_point else thin_out(geometry),
        p=_place(geometry) if is_point else None,
        sent_at=plain["sent_at"],
        onset_at=plain["onset_at"],
        expires_at=plain["expires_at"],
        source=plain["source_id"],
        simulated=plain["simulated"],
    )


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _place(geometry: Plain) -> list[float] | None:
    place: list[float] = geometry.get("coordinates") or []
    return point({"longitude": place[0], "latitude": place[1]}) if len(place) >= 2 else None


def thin_out(geometry: Plain) -> Plain | None:
    """GeoJSON with at most POINTS_MAX points and the same outline as nearly as these allow.

    None where there is nothing, or nothing that can be drawn: its areas then tell where it holds.
    """
    if not geometry:
        return None
    try:
        outline = shape(geometry)
        thin, tolerance = outline, _TOLERANCE
        while _points(thin) > POINTS_MAX and tolerance < 1:
            thin = outline.simplify(tolerance, preserve_topology=True)
            tolerance *= 2
        if _points(thin) > POINTS_MAX:
            thin = outline.convex_hull.simplify(_TOLERANCE)
        if thin.is_empty or _points(thin) > POINTS_MAX:
            return None
        return _plain(mapping(thin))
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _plain(geometry: Plain) -> Plain:
    if geometry["type"] == "GeometryCollection":
        parts = [_plain(each) for each in geometry["geometries"]]
        return {"type": geometry["type"], "geometries": parts}
    return {"type": geometry["type"], "coordinates": _rounded(geometry["coordinates"])}


def _rounded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return round(float(value), 5)


def _points(geometry: Any) -> int:
    if hasattr(geometry, "geoms"):
        return sum(_points(each) for each in geometry.geoms)
    if geometry.geom_type == "Polygon":
        rings = (geometry.exterior, *geometry.interiors)
        return sum(len(each.coords) for each in rings)
    return len(geometry.coords)
