"""The operator's desk: the city's status, the alerts and the walls. Scripts fill the parts."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from layouts.tiles import age
from layouts.words import Words


def operator_desk(say: Words) -> Component:
    """Who acts, the status, the alerts and the screens; forms and lists are the scripts'."""
    return html.Div(
        [
            html.Div([], id="desk-operator", className="desk-operator"),
            html.Section(
                [
                    html.Div(
                        [
                            html.H2(
                                say("City status"),
                                className="section-title",
                                id="desk-status-title",
                            ),
                            age("status"),
                        ],
                        className="desk-head",
                    ),
                    html.Div([], id="desk-status"),
                ],
                className="tile desk-tile desk-status-tile",
                **{
                    "data-live-tile": "status",
                    "data-health": "never",
                    "aria-labelledby": "desk-status-title",
                },
            ),
            html.Div(
                [
                    html.Section(
                        [
                            html.Div(
                                [
                                    html.H2(
                                        say("Alerts"),
                                        className="section-title",
                                        id="desk-alerts-title",
                                    ),
                                    age("alarms"),
                                ],
                                className="desk-head",
                            ),
                            html.Div([], id="desk-alerts"),
                        ],
                        className="tile desk-tile",
                        **{
                            "data-live-tile": "alarms",
                            "data-health": "never",
                            "aria-labelledby": "desk-alerts-title",
                        },
                    ),
                    html.Section(
                        [
                            html.H2(
                                say("Screens"), className="section-title", id="desk-screens-title"
                            ),
                            html.Div([], id="desk-screens"),
                        ],
                        className="tile desk-tile",
                        **{"aria-labelledby": "desk-screens-title"},
                    ),
                ],
                className="desk-columns",
            ),
        ],
        id="desk",
        className="desk",
    )
