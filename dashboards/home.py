"""The landing page: where to go, and whether it is worth going there right now."""

from __future__ import annotations

from typing import Any

import dash
from dash import html
from dash.development.base_component import Component

from layouts.context import page_context
from layouts.shell import header, language_switch, live_root
from layouts.tiles import age
from layouts.words import words

dash.register_page(__name__, path="/", title="Lawang Jabo", name="Home", description="Start page")


def layout(lang: str = "id", **_: Any) -> Component:
    """Doors to the pages, and the four numbers with their age."""
    say = words(lang)
    facts = page_context().facts(("counters", "sources", "city"))
    suffix = f"?lang={say.language}"

    def door(href: str, title: str, text: str) -> Component:
        return html.A([html.H2(title), html.P(text)], href=f"{href}{suffix}", className="tile door")

    def figure(name: str, title: str) -> Component:
        return html.Div(
            [
                html.Span("–", id=f"counter-{name}", className="counter-value"),
                html.Span(title, className="figure-title"),
            ],
            className="figure",
        )

    return live_root(
        facts,
        say,
        [
            header(facts, say, say("City command centre")),
            html.Main(
                [
                    html.Section(
                        [
                            figure("new_today", say("New today")),
                            figure("open", say("Open")),
                            figure("past_due", say("Past due")),
                            figure("done_today", say("Done today")),
                            age("counters"),
                        ],
                        className="tile figures",
                        **{"data-live-tile": "counters", "data-health": "never"},
                    ),
                    html.Div(
                        [
                            door(
                                "/mayor",
                                say("Mayor's page"),
                                say("Are we on target, where not, since when, and who acts"),
                            ),
                            door(
                                "/wall",
                                say("Wall"),
                                say("The city at a glance, for the control room's screens"),
                            ),
                            door(
                                "/screens",
                                say("Operator's desk"),
                                say(
                                    "Status, alerts and screens: acknowledge, shelve, send a "
                                    "scene, reload"
                                ),
                            ),
                            door(
                                "/sources",
                                say("Sources"),
                                say("Which departments are heard, how old their data is"),
                            ),
                            door(
                                "/analysis",
                                say("Analysis"),
                                say("Each indicator opened: trend, kecamatan, parts, its days"),
                            ),
                            html.A(
                                [
                                    html.H2("API"),
                                    html.P(say("The same facts for other programs")),
                                ],
                                href="/docs",
                                className="tile door",
                            ),
                        ],
                        className="doors",
                    ),
                    language_switch(say),
                ],
                className="home-main",
            ),
        ],
        "page home-page",
    )
