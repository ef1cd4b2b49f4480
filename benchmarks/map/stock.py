"""The same map as stock dash-leaflet: `python -m benchmarks.map.stock PORT WAY`.

`markers` is what one gets without asking for more: clustered reports and vehicles as markers of the
document. `canvas` draws circles on canvas and clusters nothing. Either way the whole collection is
set anew every second, as a callback does.
"""

from __future__ import annotations

import sys
from typing import Any

import dash
import dash_leaflet as dl
from dash import html

_CIRCLE = {"variable": "bench.circle"}
_EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}


def make_page(way: str) -> dash.Dash:
    """The page of one way. Whoever opens it brings `bench`, which feeds it."""
    app = dash.Dash(__name__, add_log_handler=False)
    layers = (
        [
            dl.GeoJSON(id="incidents", data=_EMPTY, cluster=True),
            dl.GeoJSON(id="vehicles", data=_EMPTY),
        ]
        if way == "markers"
        else [
            dl.GeoJSON(id="incidents", data=_EMPTY, pointToLayer=_CIRCLE),
            dl.GeoJSON(id="vehicles", data=_EMPTY, pointToLayer=_CIRCLE),
        ]
    )
    app.layout = html.Div(
        dl.Map(
            layers,
            center=[-2.975, 104.757],
            zoom=12,
            preferCanvas=True,
            id="map",
            style={"height": "100vh"},
        )
    )
    return app


if __name__ == "__main__":
    make_page(sys.argv[2]).run(port=int(sys.argv[1]), debug=False)
