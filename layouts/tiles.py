"""What a tile of a live page has: a place for the age of its panel."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component


def age(panel: str) -> Component:
    """The age of a panel: text and state are written by the script, by its own clock."""
    return html.Span(className="age", **{"data-live-age": panel, "data-health": "never"})
