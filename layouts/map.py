"""The map of a wall's cell: the pack's own lines, drawn without a tile server or the internet.

Everything that lives (shades, reports, vehicles, gauges, warnings) is drawn by assets/wall_map*.js
on canvas over it. No text of a citizen is ever put on a map: Leaflet takes texts of features as
markup. The names on it are the pack's, drawn as pictures of letters.
"""

from __future__ import annotations

import json
from typing import Any

import dash_leaflet as dl
from dash import html
from dash.development.base_component import Component

from lawang.city import City
from lawang.tiles import MAX_ZOOM, TileFacts
from layouts.context import PageContext

#: Where the web process hands out the pictures of `LAWANG_TILES`.
TILES_PATH = "/tiles/{z}/{x}/{y}"


def map_id(cell_id: str) -> str:
    """The id of a cell's map; the cell without a name is the whole screen."""
    return f"map-{cell_id or 'whole'}"


def city_map(cell_id: str, context: PageContext, language: str = "id") -> Component:
    """One map and what its script has to know. It shows nothing until a scene asks for it."""
    city, bounds = context.city, context.bounds
    layers = [
        # Each pane has a canvas of its own: regions shaded anew never redraw the lines above.
        _lines("regions", 400, {"baseRegion": city.kecamatan_geojson}),
        _lines(
            "lines",
            420,
            {
                "baseKelurahan": city.kelurahan_geojson,
                "baseRoad": city.roads_geojson,
                "baseRiver": city.river_geojson,
            },
        ),
    ]
    if context.tiles is not None:
        layers.insert(0, _tiles(context.tiles))
    return html.Div(
        dl.Map(
            layers,
            id=map_id(cell_id),
            className="map",
            bounds=bounds,
            # The map's own, whatever its tiles can do: the city is to fit.
            minZoom=0,
            maxZoom=MAX_ZOOM,
            zoomSnap=0.05,
            zoomControl=False,
            zoomAnimation=False,
            fadeAnimation=False,
            dragging=False,
            scrollWheelZoom=False,
            doubleClickZoom=False,
            boxZoom=False,
            keyboard=False,
            touchZoom=False,
            preferCanvas=True,
            attributionControl=False,
            trackViewport=False,
        ),
        className="wall-map",
        **{"data-map-facts": json.dumps(map_facts(context, language), ensure_ascii=False)},
    )


def map_facts(context: PageContext, language: str) -> dict[str, Any]:
    """What the script knows of the city beside its lines.

    `regions` are {code: {n: name, p: [longitude, latitude], a: km², i?: inhabitants}}, `marks` the
    shape of each category that has one.
    """
    city = context.city
    return {
        "bounds": context.bounds,
        "regions": {region.code: _region(region) for region in city.kecamatan},
        "landmarks": [[each.name, each.longitude, each.latitude] for each in city.landmarks],
        "marks": {each.id: each.mark for each in city.categories.values() if each.mark != "other"},
        "approximate": city.boundaries.approximate,
        "credits": _credits(city, context.tiles, language),
        "tiles": context.tiles is not None,
    }


def _region(region: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "n": region.name,
        "p": [region.longitude, region.latitude],
        "a": region.area_km2,
    }
    if region.population is not None:
        facts["i"] = region.population
    return facts


def _credits(city: City, tiles: TileFacts | None, language: str) -> list[str]:
    own = [*city.credits_in(language)][:1]
    return [*own, tiles.attribution] if tiles is not None and tiles.attribution else own


def _lines(pane: str, height: int, drawn: dict[str, dict[str, Any]]) -> Component:
    return dl.Pane(
        [
            dl.GeoJSON(data=data, style={"variable": f"lawang.map.{style}"}, interactive=False)
            for style, data in drawn.items()
            if data["features"]
        ],
        name=pane,
        style={"zIndex": height, "pointerEvents": "none"},
    )


def _tiles(facts: TileFacts) -> Component:
    return dl.TileLayer(
        url=TILES_PATH,
        # No `minNativeZoom`: a map that has no size yet stands at zoom 0, where it would ask for
        # every tile of the world at the file's own least zoom.
        minZoom=facts.min_zoom,
        maxZoom=MAX_ZOOM,
        maxNativeZoom=facts.max_zoom,
        keepBuffer=0,
    )
