"""Several indicators at a glance: each one's score as a bar before the bands of its lights."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lawang.domain.kpi import SCORE_MAX, Kpi, KpiValue, Light
from layouts import formats
from layouts.charts import axes
from layouts.theme import TOKENS, shade
from layouts.words import Words

_ROW_PX = 34
_LONGEST = 38


def bullets(rows: Sequence[tuple[Kpi, KpiValue]], say: Words, *, narrow: bool = False) -> go.Figure:
    """One row an indicator, in the order given: score from 0 to 1.5, on target at the line of 1.

    A grey one has no bar, but says that it does not count.
    """
    figure = axes.empty(say, 56 + _ROW_PX * len(rows), barmode="overlay", hovermode="closest")
    places = list(range(len(rows)))
    kpis = [kpi for kpi, _ in rows]
    bands = (
        (shade("bad", 0.16), [kpi.amber for kpi in kpis]),
        (shade("warn", 0.2), [kpi.green - kpi.amber for kpi in kpis]),
        (shade("good", 0.16), [SCORE_MAX - kpi.green for kpi in kpis]),
    )
    base = [0.0] * len(rows)
    for colour, widths in bands:
        figure.add_trace(
            go.Bar(
                x=widths,
                y=places,
                base=list(base),
                orientation="h",
                width=0.82,
                marker={"color": colour},
                hoverinfo="skip",
                showlegend=False,
            )
        )
        base = [before + more for before, more in zip(base, widths, strict=True)]
    for light in Light:
        some = [
            (place, kpi, value)
            for place, (kpi, value) in zip(places, rows, strict=True)
            if value.light is light
        ]
        if some:
            _draw_scores(figure, light, some, say)
    figure.add_shape(
        type="line", x0=1, x1=1, y0=-0.5, y1=len(rows) - 0.5,
        line={"color": TOKENS["text"], "width": 2},
    )  # fmt: skip
    ticks = [0.0, 0.5, 1.0, 1.5]
    figure.update_layout(
        bargap=0,
        margin={"t": 8},
        xaxis={
            "range": [0, SCORE_MAX + 0.03],
            "tickvals": ticks,
            "ticktext": [formats.score(each, say.language) for each in ticks],
            "title": {"text": say("Score: 1 is on target")},
            "fixedrange": True,
        },
        yaxis={
            "tickvals": places,
            "ticktext": [_label(kpi, say, 20 if narrow else _LONGEST) for kpi, _ in rows],
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
        },
    )
    return figure


def _draw_scores(
    figure: go.Figure, light: Light, some: Sequence[tuple[int, Kpi, KpiValue]], say: Words
) -> None:
    grey = light is Light.GREY
    figure.add_trace(
        go.Bar(
            x=[0.0 if grey else value.score or 0.0 for _, _, value in some],
            y=[place for place, _, _ in some],
            orientation="h",
            width=0.36,
            marker={"color": TOKENS[axes.LIGHT_TOKENS[light]]},
            customdata=[_hover(kpi, value, say) for _, kpi, value in some],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[0.02 if grey else value.score or 0.0 for _, _, value in some],
            y=[place for place, _, _ in some],
            mode="markers+text" if grey else "markers",
            text=[say("does not count")] * len(some) if grey else None,
            textposition="middle right",
            textfont={"color": TOKENS["text-2"]},
            marker={
                "symbol": axes.LIGHT_SYMBOLS[light],
                "size": 11,
                "color": TOKENS[axes.LIGHT_TOKENS[light]],
                "line": {"color": TOKENS["deep"], "width": 1},
            },
            cliponaxis=False,
            customdata=[_hover(kpi, value, say) for _, kpi, value in some],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    )


def _hover(kpi: Kpi, value: KpiValue, say: Words) -> str:
    language = say.language
    told = [
        f"<b>{axes.plain_text(_name(kpi, say))}</b>",
        axes.plain_text(formats.figure(value.value, kpi.unit_in(language), language)),
        axes.plain_text(
            say(
                "target {value}",
                value=formats.figure(value.target, kpi.unit_in(language), language),
            )
        ),
        say("Score {value}", value=formats.score(value.score, language)),
        say("n = {n}", n=formats.number(value.n, language)),
    ]
    return "<br>".join(told)


def _label(kpi: Kpi, say: Words, most: int) -> str:
    name = _name(kpi, say)
    return axes.plain_text(name if len(name) <= most else f"{name[: most - 1]}…")


def _name(kpi: Kpi, say: Words) -> str:
    return kpi.name_id if say.language == "id" else kpi.name_en
