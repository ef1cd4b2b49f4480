"""The city's map from the pack alone: no tile server, no internet.

No text of a citizen is ever put on it: features carry an id, a category and a status. Labels are
the pack's own names, as children of a tooltip, which escapes them.
"""

from __future__ import annotations

from typing import Any

import dash_leaflet as dl
from dash.development.base_component import Component

_EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}


def _script(name: str) -> dict[str, str]:
    """A function of assets/wall_map.js, as dash-leaflet takes them."""
    return {"variable": f"lawang.map.{name}"}


def city_map(
    *,
    kecamatan: dict[str, Any],
    kelurahan: dict[str, Any],
    river: dict[str, Any],
    labels: list[tuple[str, float, float]],
    bounds: tuple[tuple[float, float], tuple[float, float]],
) -> Component:
    """Regions shaded by open reports, the river, and the clustered reports on canvas.

    `bounds` are (south, west), (north, east); `labels` are (name, latitude, longitude).
    """
    return dl.Map(
        [
            # Each pane has a canvas of its own: new marks never redraw the regions beneath, and
            # regions drawn anew never cover the river.
            dl.Pane(
                dl.GeoJSON(
                    data=kecamatan,
                    id="map-regions",
                    style=_script("regionStyle"),
                    hideout={"open": {}, "steps": []},
                    interactive=False,
                ),
                name="regions",
                style={"zIndex": 400},
            ),
            dl.Pane(
                [
                    dl.GeoJSON(data=kelurahan, style=_script("kelurahanStyle"), interactive=False),
                    dl.GeoJSON(data=river, style=_script("riverStyle"), interactive=False),
                ],
                name="lines",
                style={"zIndex": 420},
            ),
            dl.Pane(
                dl.GeoJSON(
                    data=_EMPTY,
                    id="map-incidents",
                    cluster=True,
                    superClusterOptions={"radius": 46, "maxZoom": 16, "minPoints": 3},
                    zoomToBoundsOnClick=False,
                    spiderfyOnMaxZoom=False,
                    pointToLayer=_script("incidentMark"),
                    clusterToLayer=_script("clusterMark"),
                    style=_script("markStyle"),
                    onEachFeature=_script("noPopups"),
                ),
                name="incidents",
                style={"zIndex": 450},
            ),
            *[
                dl.CircleMarker(
                    center=[latitude, longitude],
                    radius=0,
                    stroke=False,
                    fill=False,
                    interactive=False,
                    children=dl.Tooltip(
                        name, permanent=True, direction="center", className="region-label"
                    ),
                )
                for name, latitude, longitude in labels
            ],
        ],
        id="map",
        className="map",
        bounds=bounds,
        boundsOptions={"padding": [4, 4]},
        zoomSnap=0.05,
        zoomControl=False,
        dragging=False,
        scrollWheelZoom=False,
        doubleClickZoom=False,
        boxZoom=False,
        keyboard=False,
        touchZoom=False,
        preferCanvas=True,
        attributionControl=False,
        trackViewport=False,
    )
