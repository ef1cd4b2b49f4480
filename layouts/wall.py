"""The frame of a wall: top bar, a cell for each part of the screen's grid, the foot.

Everything in a cell is drawn by the scripts from the stream; a scene is mounted when its turn
comes. The frame stays for months.
"""

from __future__ import annotations

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from lawang.domain.screen import Cell, Screen, ScreenProgramme
from layouts.shell import PageFacts, clock, connection_mark, simulated_mark
from layouts.words import Words

#: What every wall listens to, whatever it shows.
ALWAYS = ("programme", "status", "alarms", "sources", "city")


def grid_of(screen: Screen) -> str:
    """A screen's grid as one text; assets/wall.js compares it with the programme's."""
    parts = [
        f"{each.id}:{each.column}:{each.row}:{each.width}:{each.height}" for each in screen.cells
    ]
    return "|".join([str(screen.columns), str(screen.rows), *parts])


def wall_header(facts: PageFacts, say: Words) -> Component:
    """City, screen and scene; the simulated mark, the line, the city's status, the clock."""
    return html.Header(
        [
            html.Div(
                [
                    html.Div(facts.city_name, className="city-name"),
                    html.Div("", id="scene-name", className="scene-name"),
                ],
                className="masthead",
            ),
            simulated_mark(say),
            html.Div("", id="clock-skew", className="clock-skew", hidden=True),
            connection_mark(say),
            html.Div([], id="city-status", className="city-status", hidden=True),
            clock(),
        ],
        className="topbar",
    )


def wall_panels(programme: ScreenProgramme) -> tuple[str, ...]:
    """All that any scene needs: every wall has the same wishes, so that all get the same bytes."""
    wished = {name for scene in programme.scenes.values() for name in scene.panels}
    if not wished:
        wished = {"counters", "regions", "incidents", "latest", "ranking"}
    return (*ALWAYS, *sorted(wished - {*ALWAYS}))


def stage(screen: Screen, maps: Mapping[str, Component]) -> Component:
    """The cells of a screen; that without a name is all of it, for what fills the glass.

    `maps` are the maps of the cells by their id, each with the id "" for the whole.
    """
    cells = list(screen.cells) if len(screen.cells) > 1 else []
    return html.Main(
        [
            _cell("", "1 / 1 / -1 / -1", maps[""]),
            *[_cell(each.id, _area(each), maps[each.id]) for each in cells],
            html.Div(id="unknown-screen", className="unknown-screen"),
        ],
        id="stage",
        className="stage",
        style={
            "gridTemplateColumns": f"repeat({screen.columns}, minmax(0, 1fr))",
            "gridTemplateRows": f"repeat({screen.rows}, minmax(0, 1fr))",
        },
        **{"data-grid": grid_of(screen)},
    )


def _area(cell: Cell) -> str:
    row, column = cell.row + 1, cell.column + 1
    return f"{row} / {column} / {row + cell.height} / {column + cell.width}"


def _cell(cell_id: str, area: str, city_map: Component) -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.Div([], className="scene-holder"),
                    html.Div(city_map, className="map-holder"),
                ],
                className="cell-scene",
            ),
            html.Aside([], className="alarm-brief", **{"aria-live": "assertive"}),
        ],
        className="cell",
        style={"gridArea": area},
        # The whole is what most screens show; the others wait for the programme.
        hidden=bool(cell_id),
        **{"data-cell": cell_id},
    )


def wall_foot(say: Words) -> Component:
    """Alerts on the left, sources in trouble and the sign of the sound on the right."""
    return html.Footer(
        [
            html.Div([], id="alarm-line", className="alarm-line", role="status"),
            html.Div([], id="source-line", className="source-line"),
            html.Div([], id="wall-sound", className="wall-sound"),
            html.Div("", id="wall-notice", className="wall-notice", hidden=True),
        ],
        className="foot",
        **{"aria-label": say("Alerts and sources")},
    )
