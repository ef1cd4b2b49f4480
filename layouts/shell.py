"""What every page has: its frame, the header, and the line by which its script gets its facts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from layouts.words import LANGUAGES, Words


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page's script has to know. `panels` are those it listens to, `build` its program."""

    build: str
    city_name: str
    panels: Sequence[str]
    timezone: str
    extra: dict[str, Any]


def live_root(
    facts: PageFacts, say: Words, children: list[Component], class_name: str
) -> Component:
    """The root of a live page: `assets/live.js` starts when it appears."""
    config = {
        "build": facts.build,
        "panels": list(facts.panels),
        "lang": say.language,
        "timezone": facts.timezone,
        "messages": say.catalogue,
        **facts.extra,
    }
    return html.Div(
        children,
        id="live-root",
        className=class_name,
        **{
            "data-live-config": json.dumps(config, ensure_ascii=False),
            "data-connection": "connecting",
            "lang": say.language,
        },
    )


def header(facts: PageFacts, say: Words, title: str, links: Component | None = None) -> Component:
    """City and page on the left, simulated mark and connection in the middle, the clock right."""
    return html.Header(
        [
            html.Div(
                [
                    html.Div(facts.city_name, className="city-name"),
                    html.Div(title, className="page-title"),
                ],
                className="masthead",
            ),
            simulated_mark(say),
            connection_mark(say),
            links,
            clock(),
        ],
        className="topbar",
    )


def simulated_mark(say: Words) -> Component:
    """That the data are invented; shown where the line says so."""
    return html.Div(
        say("SIMULATED DATA"), id="simulated-mark", className="simulated-mark", hidden=True
    )


def clock() -> Component:
    """The city's time and day, by the server's clock."""
    return html.Div(
        [
            html.Div("--.--", id="clock-time", className="clock-time"),
            html.Div("", id="clock-date", className="clock-date"),
        ],
        className="clock",
        role="timer",
    )


def connection_mark(say: Words) -> Component:
    """The state of the line to the server; its text is the script's, said aloud when it changes."""
    return html.Div(
        [
            html.Span(className="connection-lamp"),
            html.Span(say("connecting"), id="connection-text", className="connection-text"),
        ],
        id="connection",
        className="connection",
        role="status",
    )


def language_switch(say: Words) -> Component:
    """Links to this page in the other languages."""
    names = {"id": "Bahasa Indonesia", "en": "English"}
    return html.Nav(
        [
            html.A(
                names[language],
                href=f"?lang={language}",
                className="language current" if language == say.language else "language",
                lang=language,
            )
            for language in LANGUAGES
        ],
        className="languages",
        **{"aria-label": say("Language")},
    )
