"""The sources: which department is heard, how well, and what to do about the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dash
from dash import html
from dash.development.base_component import Component

from layouts.context import page_context
from layouts.shell import header, language_switch, live_root
from layouts.sources import maturity_ladder, source_board
from layouts.words import words

dash.register_page(
    __name__,
    path="/sources",
    title="Lawang Jabo",
    name="Sources",
    description="Health of every connected source",
)


def layout(lang: str = "id", **_: Any) -> Component:
    """The table of sources in a language."""
    say = words(lang)
    context = page_context()
    facts = context.facts(("sources", "city"))
    yields = {source.id: source.yields for source in context.city.sources.values()}
    facts = replace(facts, extra={**facts.extra, "yields": yields})
    suffix = f"?lang={say.language}"
    return live_root(
        facts,
        say,
        [
            header(
                facts,
                say,
                say("Sources"),
                html.Nav(
                    [
                        html.A(say("Home"), href=f"/{suffix}"),
                        html.A(say("Wall"), href=f"/wall{suffix}"),
                    ],
                    className="links",
                ),
            ),
            html.Main(
                [
                    html.P(
                        say(
                            "A source is fresh while its last success is younger than two "
                            "intervals; late, stale and down follow. Ages are counted by this "
                            "screen."
                        ),
                        className="lead",
                    ),
                    source_board(say),
                    maturity_ladder(say),
                    language_switch(say),
                ],
                className="sources-main",
            ),
        ],
        "page sources-page",
    )
