"""The operator's desk: what the city's status is, what is wrong, and how every wall does."""

from __future__ import annotations

from typing import Any

import dash
from dash import html
from dash.development.base_component import Component

from layouts.context import page_context
from layouts.screens import operator_desk
from layouts.shell import header, language_switch, live_root
from layouts.words import words

dash.register_page(
    __name__,
    path="/screens",
    title="Lawang Jabo",
    name="Screens",
    description="Status, alerts and screens, for the operator on duty",
)

PANELS = ("programme", "walls", "status", "alarms", "sources", "city")


def layout(lang: str = "id", **_: Any) -> Component:
    """The desk in a language. Every value in it comes by the stream or the API."""
    say = words(lang)
    facts = page_context().facts(PANELS)
    suffix = f"?lang={say.language}"
    return live_root(
        facts,
        say,
        [
            header(
                facts,
                say,
                say("Operator's desk"),
                html.Nav(
                    [
                        html.A(say("Home"), href=f"/{suffix}"),
                        html.A(say("Wall"), href=f"/wall{suffix}"),
                        html.A(say("Sources"), href=f"/sources{suffix}"),
                    ],
                    className="links",
                ),
            ),
            html.Main([operator_desk(say), language_switch(say)], className="desk-main"),
        ],
        "page desk-page",
    )
