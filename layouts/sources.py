"""The table of sources, as one row a source; the script keeps it live."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from layouts.words import Words


def source_table(say: Words) -> Component:
    """The head of the table and an empty body for the script to fill."""
    columns = (
        say("Source"),
        say("State"),
        say("Last success"),
        say("Age"),
        say("Last attempt"),
        say("Duration"),
        say("Records"),
        say("Incidents"),
        say("Quarantined"),
        say("Unlocated"),
        say("Last error"),
    )
    return html.Div(
        html.Table(
            [
                html.Thead(html.Tr([html.Th(name, scope="col") for name in columns])),
                html.Tbody([], id="sources-body"),
            ],
            className="sources-table",
        ),
        className="table-scroll",
        tabIndex="0",
        role="region",
        **{"aria-label": say("Sources")},
    )
