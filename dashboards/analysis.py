"""One indicator opened, for who looks closer: trend, calendar, kecamatan, parts, budget, days.

The address is the state: `/analysis?kpi=&span=&days=&lang=`. The page's script keeps controls and
address together; the server is asked for one indicator at a time, away from the event loop.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

import dash
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html
from dash.development.base_component import Component

from lawang.domain.errors import StoreError
from lawang.kpi.rolling import roll
from layouts.analysis import (
    Analysis,
    Choice,
    controls,
    first_day,
    read_at,
    show,
    sorry,
    table_csv,
)
from layouts.context import PageContext, page_context
from layouts.shell import header, language_switch, live_root
from layouts.words import Words, words

dash.register_page(
    __name__,
    path="/analysis",
    title="Lawang Jabo",
    name="Analysis",
    description="One indicator opened down to its days",
)


def layout(kpi: str = "", span: str = "", days: str = "", lang: str = "id", **_: Any) -> Component:
    """The frame and the controls; the content follows by a callback of its own."""
    say = words(lang)
    context = page_context()
    facts = context.facts(("sources", "city"))
    suffix = f"?lang={say.language}"
    choice = _choice(context, {"kpi": kpi, "span": span, "days": days}, 0)
    return live_root(
        facts,
        say,
        [
            header(
                facts,
                say,
                say("Analysis"),
                html.Nav(
                    [
                        html.A(say("Home"), href=f"/{suffix}"),
                        html.A(say("Mayor's page"), href=f"/mayor{suffix}"),
                        html.A(say("Sources"), href=f"/sources{suffix}"),
                    ],
                    className="links",
                ),
            ),
            html.Main(
                [
                    dcc.Store(id="analysis-asked", data=0),
                    dcc.Store(id="analysis-state"),
                    dcc.Download(id="analysis-file"),
                    controls(context.city, choice, say),
                    html.Div(id="analysis-content", className="analysis-content"),
                    language_switch(say),
                ],
                className="analysis-main",
            ),
        ],
        "page analysis-page",
    )


# What the address says, once the page is there and whenever its script has changed it.
clientside_callback(
    ClientsideFunction("analysis", "read"),
    Output("analysis-state", "data"),
    Input("analysis-asked", "data"),
)


@callback(  # type: ignore[untyped-decorator]
    Output("analysis-content", "children"),
    Input("analysis-state", "data"),
    prevent_initial_call=True,
)
async def show_chosen(state: object) -> list[Component]:
    """What the address asks for."""
    say, choice = _read_state(state)
    context = page_context()
    if choice.kpi not in context.city.kpis:
        return sorry(say("There is no such indicator. Choose one above."))
    try:
        analysis = await asyncio.to_thread(_load, context, choice)
    except StoreError:
        return sorry(say("It cannot be read right now."))
    read = read_at(analysis.detail.at, context.city.timezone, say)
    return [
        *await asyncio.to_thread(show, analysis, choice, say),
        html.P(read, className="card-note analysis-read"),
    ]


@callback(  # type: ignore[untyped-decorator]
    Output("analysis-file", "data"),
    Input("analysis-csv", "n_clicks"),
    State("analysis-state", "data"),
    prevent_initial_call=True,
)
async def give_file(_clicks: int | None, state: object) -> Any:
    """The days of what is shown, as a file for a spreadsheet."""
    say, choice = _read_state(state)
    context = page_context()
    if choice.kpi not in context.city.kpis:
        return dash.no_update
    try:
        analysis = await asyncio.to_thread(_load, context, choice)
    except StoreError:
        return dash.no_update
    last = analysis.detail.line.values[choice.span].horizon.last
    name = f"{context.city.slug}-{choice.kpi}-{last.isoformat()}.csv"
    return dcc.send_string(table_csv(analysis, say), name, type="text/csv")


def _read_state(state: object) -> tuple[Words, Choice]:
    """Language and choice from what the browser says; it may say anything."""
    given = state if isinstance(state, dict) else {}
    search = given.get("search")
    query = parse_qs(search.removeprefix("?")) if isinstance(search, str) else {}
    asked = {name: values[-1] for name, values in query.items()}
    return words(asked.get("lang", "")), _choice(page_context(), asked, given.get("width"))


def _choice(context: PageContext, asked: dict[str, str], width: object) -> Choice:
    """What is asked for; without an indicator the first of the pack."""
    kpi = asked.get("kpi") or next(iter(context.city.kpis), "")
    return Choice.of(kpi, asked.get("span"), asked.get("days"), width)


def _load(context: PageContext, choice: Choice) -> Analysis:
    """Read one indicator. Blocking; raises StoreError where history is away."""
    city, stores = context.city, context.stores
    if stores is None:
        raise StoreError("none", "this web process was given no stores")
    now = stores.clock()
    states = stores.states()
    detail = stores.reader.detail(choice.kpi, now, states, span=choice.span, days=choice.days)
    overview = stores.reader.read(now, states, span=choice.span)
    kpi = detail.line.kpi
    last = overview.last
    facts = stores.history.kpis.days(kpi.id, first_day(choice, last), last)
    return Analysis(
        city=city,
        detail=detail,
        facts=tuple(facts),
        smooth=tuple(roll(kpi, facts)),
        siblings=tuple(
            line for line in overview.lines.values() if line.kpi.dimension == kpi.dimension
        ),
        finance=overview.finance,
    )
