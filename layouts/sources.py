"""The integrator's page: the table of sources, the detail of one, the ladder. A script fills it."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from lawang.domain.maturity import Stage
from layouts.maturity import rule_text, stage_word
from layouts.words import Words


def source_board(say: Words) -> Component:
    """Counts by state, the tools to narrow them down, the table, and room for one source."""
    return html.Div(
        [
            html.Div([], id="source-tools", className="source-tools", role="search"),
            html.Div(
                [
                    html.Div(
                        [source_table(say), html.P([], id="sources-none", className="nothing")],
                        className="source-list",
                    ),
                    html.Div([], id="source-detail"),
                ],
                className="source-columns",
                id="source-columns",
            ),
        ]
    )


def source_table(say: Words) -> Component:
    """The head of the table and an empty body for the script to fill."""
    columns = (
        (say("Source"), "col-source"),
        (say("State"), "col-state"),
        (say("Last success"), "col-success"),
        (say("Last 24 hours"), "col-beats"),
        (say("Quality, 24 hours"), "col-quality"),
        (say("Known"), "col-known"),
        (say("To look at"), "col-check"),
        (say("Last error"), "col-error"),
    )
    return html.Div(
        html.Table(
            [
                html.Thead(
                    html.Tr([html.Th(name, scope="col", className=key) for name, key in columns])
                ),
                html.Tbody([], id="sources-body"),
            ],
            className="sources-table",
        ),
        className="table-scroll",
        tabIndex="0",
        role="region",
        **{"aria-label": say("Sources")},
    )


def maturity_ladder(say: Words) -> Component:
    """The five stages with their rules; the script puts the departments on them."""
    return html.Section(
        [
            html.H2(say("How far each department is integrated"), className="section-title"),
            html.Ol(
                [
                    html.Li(
                        [
                            html.Div(
                                [
                                    html.H3(stage_word(say, stage), className="stage-name"),
                                    html.Span("", className="stage-count"),
                                ],
                                className="stage-head",
                            ),
                            html.P(rule_text(say, stage), className="stage-rule"),
                            html.Div([], id=f"stage-{stage.value}", className="stage-departments"),
                        ],
                        className=f"stage stage-{number}",
                    )
                    for number, stage in enumerate(Stage, start=1)
                ],
                className="ladder",
            ),
        ],
        id="maturity",
        className="maturity",
    )
