"""The same small chart for each kecamatan, on the same axes, so that eyes can compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lawang.domain.kpi import Kpi
from lawang.kpi.evaluate import TrendPoint
from layouts import theme
from layouts.charts import axes
from layouts.charts.trend import hover
from layouts.theme import TOKENS
from layouts.words import Words

_ROW_PX = 118


def multiples(
    trends: Mapping[str, Sequence[TrendPoint]],
    names: Mapping[str, str],
    kpi: Kpi,
    say: Words,
    *,
    columns: int = 6,
) -> go.Figure:
    """One panel a kecamatan in the order of `names` (code -> name); the dashed line is the target.

    A panel without a point stays empty but keeps its place.
    """
    codes = list(names)
    rows = max(1, -(-len(codes) // columns))
    height = 56 + _ROW_PX * rows
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_xaxes="all",
        shared_yaxes="all",
        subplot_titles=[axes.plain_text(names[code]) for code in codes],
        vertical_spacing=min(0.2, 30 / height),
        horizontal_spacing=0.02,
    )
    known = [point for code in codes for point in trends.get(code, ())]
    values = [each.value for each in known] + [each.target for each in known]
    axis = axes.value_axis(values, kpi.unit_in(say.language), say.language, zero=False, count=2)
    for place, code in enumerate(codes):
        points = trends.get(code, ())
        row, column = place // columns + 1, place % columns + 1
        figure.add_trace(_target(points), row=row, col=column)
        figure.add_trace(_course(points, kpi, say), row=row, col=column)
    figure.update_yaxes(axis | {"title": {"text": ""}})
    if known:
        first, last = min(each.day for each in known), max(each.day for each in known)
        figure.update_xaxes(
            axes.day_axis(first, last, 2 if columns > 2 else 3) | {"fixedrange": True}
        )
    figure.update_annotations(font={"size": theme.TEXT_PX, "color": TOKENS["text-2"]})
    separators = axes.empty(say, height).layout.separators
    figure.update_layout(
        template=theme.TEMPLATE,
        height=height,
        separators=separators,
        showlegend=False,
        hovermode="closest",
        margin={"t": 26},
    )
    return figure


def _course(points: Sequence[TrendPoint], kpi: Kpi, say: Words) -> go.Scatter:
    return go.Scatter(
        x=[each.day for each in points],
        y=[each.value for each in points],
        customdata=[hover(each, kpi, say) for each in points],
        hovertemplate="%{customdata}<extra></extra>",
        mode="lines+markers",
        marker={"size": 4, "color": TOKENS["accent"]},
        line={"width": 1.5, "color": TOKENS["accent"]},
    )


def _target(points: Sequence[TrendPoint]) -> go.Scatter:
    held = [each for each in points if each.target is not None]
    return go.Scatter(
        x=[each.day for each in held],
        y=[each.target for each in held],
        mode="lines",
        line={"width": 1, "color": TOKENS["text-2"], "dash": "dash"},
        hoverinfo="skip",
    )
