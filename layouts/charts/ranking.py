"""Kecamatan beside each other with what chance alone explains: never a league table of noise."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lawang.domain.kpi import Kpi
from lawang.overview.model import District, Districts, Standing
from layouts import formats
from layouts.charts import axes
from layouts.theme import TOKENS
from layouts.words import Words

_ROW_PX = 27
_LOOKS = {
    Standing.WORSE: ("bad", "triangle-up"),
    Standing.SAME: ("text-2", "circle"),
    Standing.BETTER: ("good", "diamond"),
    Standing.FEW: ("text-3", "circle-open"),
}


def ranking(districts: Districts, kpi: Kpi, say: Words, *, narrow: bool = False) -> go.Figure:
    """Value and interval of each kecamatan in the order given, and the city's value as a line.

    What is not judged (an amount, a state) are bars from nought; of an amount the city's is no
    line beside its parts.
    """
    if not districts.judged:
        return _bars(districts, kpi, say)
    rows = districts.rows
    head = 150 if narrow else 84
    figure = axes.empty(say, head + _ROW_PX * len(rows), hovermode="closest")
    names = {
        Standing.WORSE: say("Worse than the rest of the city"),
        Standing.SAME: say("Within what chance explains"),
        Standing.BETTER: say("Better than the rest of the city"),
        Standing.FEW: say("Too few records"),
    }
    for standing, name in names.items():
        some = [
            (place, row)
            for place, row in enumerate(rows)
            if row.standing is standing and row.value.value is not None
        ]
        if some:
            figure.add_trace(_points(standing, name, some, kpi, say))
    bounds = [
        each
        for row in rows
        for each in (row.value.value, row.low, row.high)
    ] + [districts.city.value]  # fmt: skip
    if districts.city.value is not None:
        _city_line(figure, districts.city.value, len(rows), kpi, say)
    figure.update_layout(
        margin={"t": 56},
        xaxis=axes.value_axis(bounds, kpi.unit_in(say.language), say.language, zero=False)
        | {"showgrid": True, "side": "bottom"},
        yaxis=_names(rows),
    )
    return figure


def _bars(districts: Districts, kpi: Kpi, say: Words) -> go.Figure:
    rows = [each for each in districts.rows if each.value.value is not None]
    figure = axes.empty(say, 84 + _ROW_PX * len(rows), hovermode="closest")
    unit = kpi.unit_in(say.language)
    values = [each.value.value for each in rows]
    figure.add_trace(
        go.Bar(
            x=values,
            y=list(range(len(rows))),
            orientation="h",
            marker={"color": TOKENS["accent"]},
            customdata=[_hover(each, "", kpi, say) for each in rows],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    city = districts.city.value
    if kpi.unit == "%" and city is not None:
        _city_line(figure, city, len(rows), kpi, say)
        values.append(city)
    figure.update_layout(
        margin={"t": 56},
        xaxis=axes.value_axis(values, unit, say.language, zero=True)
        | {"showgrid": True, "side": "bottom"},
        yaxis=_names(rows),
    )
    return figure


def _names(rows: Sequence[District]) -> dict[str, object]:
    """The axis of kecamatan, the first one at the top."""
    return {
        "tickvals": list(range(len(rows))),
        "ticktext": [axes.plain_text(row.name) for row in rows],
        "range": [len(rows) + 0.3, -0.6],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


def _city_line(figure: go.Figure, city: float, count: int, kpi: Kpi, say: Words) -> None:
    figure.add_shape(
        type="line", x0=city, x1=city, y0=-0.5, y1=count - 0.5,
        line={"color": TOKENS["accent"], "width": 1.5, "dash": "dash"}, layer="below",
    )  # fmt: skip
    value = formats.figure(city, kpi.unit_in(say.language), say.language)
    figure.add_annotation(
        x=city,
        y=count - 0.5,
        text=axes.plain_text(say("city {value}", value=value)),
        showarrow=False,
        yanchor="top",
        font={"color": TOKENS["accent"]},
    )


def _points(
    standing: Standing, name: str, some: list[tuple[int, District]], kpi: Kpi, say: Words
) -> go.Scatter:
    token, symbol = _LOOKS[standing]
    values = [row.value.value or 0.0 for _, row in some]
    bounds = [(row.low, row.high) for _, row in some]
    return go.Scatter(
        x=values,
        y=[place for place, _ in some],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [
                0.0 if high is None else high - value
                for value, (_, high) in zip(values, bounds, strict=True)
            ],
            "arrayminus": [
                0.0 if low is None else value - low
                for value, (low, _) in zip(values, bounds, strict=True)
            ],
            "color": TOKENS[token],
            "thickness": 2,
            "width": 4,
        },
        mode="markers",
        marker={"symbol": symbol, "size": 10, "color": TOKENS[token]},
        customdata=[_hover(row, name, kpi, say) for _, row in some],
        hovertemplate="%{customdata}<extra></extra>",
        name=name,
    )


def _hover(row: District, name: str, kpi: Kpi, say: Words) -> str:
    language = say.language
    told = [
        f"<b>{axes.plain_text(row.name)}</b>",
        axes.plain_text(formats.figure(row.value.value, kpi.unit_in(language), language)),
    ]
    if name and row.low is not None and row.high is not None:
        low = formats.figure(row.low, kpi.unit_in(language), language)
        high = formats.figure(row.high, kpi.unit_in(language), language)
        told.append(axes.plain_text(say("interval {low} to {high}", low=low, high=high)))
    told.append(say("n = {n}", n=formats.number(row.value.n, language)))
    if name:
        told.append(name)
    return "<br>".join(told)
