"""Tiles of a live page: each names the panel it shows, and has a place for its age."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from layouts.words import Words


def age(panel: str) -> Component:
    """The age of a panel: text and state are written by the script, by its own clock."""
    return html.Span(className="age", **{"data-live-age": panel, "data-health": "never"})


def tile(
    tile_id: str, title: str, panel: str, body: list[Component], class_name: str = ""
) -> Component:
    """A framed part of the wall. Its frame shows the health of what it is made from."""
    return html.Section(
        [
            html.Div([html.H2(title, className="tile-title"), age(panel)], className="tile-head"),
            *body,
        ],
        id=tile_id,
        className=f"tile {class_name}".strip(),
        **{"data-live-tile": panel, "data-health": "never"},
    )


def counter(name: str, title: str, say: Words) -> Component:
    """One number with what it was at the same hour last week."""
    return tile(
        f"tile-{name}",
        title,
        "counters",
        [
            html.Div(
                "–", id=f"counter-{name}", className="counter-value", **{"data-counter": name}
            ),
            html.Div("", id=f"compare-{name}", className="counter-compare"),
        ],
        f"counter counter-{name.replace('_', '-')}",
    )
