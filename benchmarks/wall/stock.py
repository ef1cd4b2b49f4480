"""The wall as a stock Dash page: `python -m benchmarks.wall.stock PORT`, the facts in live state.

Twelve tiles, the reports on a map by dl.GeoJSON (clustered, as its manual shows it) with the
vehicles on it, the latest events, the ranking and the sources; a dcc.Interval asks every second and
its callback gives the whole state. It is spared charts, and with them plotly. The state is read
once a second however many ask, and answers are compressed.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import dash_leaflet as dl
import uvicorn
from dash import Dash, Input, Output, dcc, html
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from lawang.process import bind_to_parent
from lawang.store.live import LiveStore

REDIS_URL = "BENCH_REDIS_URL"
CITY = "BENCH_CITY"

#: Title of each tile, the panel it is from and the path in it.
TILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("New today", "counters", ("new_today", "value")),
    ("Open", "counters", ("open", "value")),
    ("Past due", "counters", ("past_due", "value")),
    ("Done today", "counters", ("done_today", "value")),
    ("Without location", "counters", ("unlocated",)),
    ("Without category", "counters", ("unknown_category",)),
    ("On the map", "incidents", ("total",)),
    ("Waiting in clinics", "clinics", ("waiting",)),
    ("Cameras live", "cameras", ("live",)),
    ("Buses off their route", "transit", ("off_route",)),
    ("Letters today", "desks", ("letters", "today")),
    ("Status", "status", ("level",)),
)
_FRESH_S = 0.9
_ROWS = 18
_GRID = {"display": "grid", "gridTemplateColumns": "repeat(6, 1fr)"}
_OUTPUTS = (
    *((f"tile-{number}", "children") for number in range(len(TILES))),
    ("incidents", "data"),
    ("vehicles", "data"),
    ("latest", "children"),
    ("ranking", "children"),
    ("sources", "children"),
)


class State:
    """The panels of the board, read at most once a second."""

    def __init__(self, live: LiveStore) -> None:
        self._live = live
        self._panels: dict[str, Any] = {}
        self._read_at = 0.0

    def panels(self) -> dict[str, Any]:
        """Payloads by panel."""
        if time.monotonic() - self._read_at > _FRESH_S:
            self._panels = {name: each["payload"] for name, each in self._live.panels().items()}
            self._read_at = time.monotonic()
        return self._panels


def create_page(state: State) -> FastAPI:
    """The application."""
    server = FastAPI()
    server.add_middleware(GZipMiddleware, minimum_size=500)
    page = Dash(__name__, server=server, backend="fastapi", assets_folder="", add_log_handler=False)
    tiles = [
        html.Div([html.H2(title), html.B(id=f"tile-{number}")])
        for number, (title, _panel, _path) in enumerate(TILES)
    ]
    lists = [html.Ul(id=name) for name in ("latest", "ranking", "sources")]
    page.layout = html.Div(
        [
            dcc.Interval(id="tick", interval=1000),
            html.Div(tiles, id="tiles", style=_GRID),
            dl.Map(
                [dl.GeoJSON(id="incidents", cluster=True), dl.GeoJSON(id="vehicles")],
                center=[-2.975, 104.757],
                zoom=12,
                style={"height": "60vh", "width": "60vw"},
            ),
            *lists,
        ]
    )

    @page.callback(  # type: ignore[untyped-decorator]
        [Output(component, name) for component, name in _OUTPUTS], Input("tick", "n_intervals")
    )
    def tell(_turn: int) -> list[Any]:
        panels = state.panels()
        ranks = panels.get("ranking", {}).get("rows", {})
        sources = panels.get("sources", {}).get("sources", {})
        return [
            *(_find(panels.get(panel, {}), path) for _title, panel, path in TILES),
            _points(panels.get("incidents", {}).get("features", {})),
            _points(panels.get("vehicles", {}).get("things", {})),
            [html.Li(_event(each)) for each in panels.get("latest", {}).get("events", [])],
            [html.Li(_rank(item)) for item in _ranks(ranks)],
            [html.Li(_source(item)) for item in sources.items()],
        ]

    return server


def _find(payload: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = payload
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return "-" if found is None else found


def _points(found: dict[str, Any]) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "properties": {"id": name, "tooltip": each.get("c") or each.get("n", "")},
            "geometry": {"type": "Point", "coordinates": each["p"]},
        }
        for name, each in found.items()
        if "p" in each
    ]
    return {"type": "FeatureCollection", "features": features}


def _event(event: dict[str, Any]) -> str:
    return f"{event['at']} {event['category']} {event['status']} {event['text']}"


def _ranks(rows: dict[str, dict[str, int]]) -> list[tuple[str, dict[str, int]]]:
    return sorted(rows.items(), key=lambda item: -item[1].get("open", 0))[:_ROWS]


def _rank(item: tuple[str, dict[str, int]]) -> str:
    code, row = item
    return f"{code} {row.get('open', 0)} {row.get('past_due', 0)}"


def _source(item: tuple[str, dict[str, Any]]) -> str:
    name, source = item
    return f"{source.get('name', name)} {source.get('last_success', '-')}"


if __name__ == "__main__":
    bind_to_parent()
    uvicorn.run(
        create_page(State(LiveStore(os.environ[REDIS_URL], os.environ[CITY]))),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
