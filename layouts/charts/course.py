"""A sum as it grew since New Year, beside its curve, and what it will come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import plotly.graph_objects as go

from lawang.domain.kpi import Kpi
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.model import Forecast
from layouts import formats
from layouts.charts import axes
from layouts.charts.trend import hover
from layouts.theme import TOKENS, shade
from layouts.words import Words


def course(
    points: Sequence[TrendPoint],
    kpi: Kpi,
    say: Words,
    *,
    forecast: Forecast | None = None,
    narrow: bool = False,
) -> go.Figure:
    """Running total and curve, to the year's end; the fan is the forecast's interval."""
    figure = axes.empty(say, 400 if narrow else 380, hovermode="closest")
    if not points:
        return figure
    year = points[-1].day.year
    curve = _curve(kpi, points)
    figure.add_trace(
        go.Scatter(
            x=[each.day for each in curve],
            y=[each.target for each in curve],
            mode="lines",
            line={"color": TOKENS["text-2"], "width": 1.5, "dash": "dash"},
            name=say("Target (simulated)") if kpi.simulated_target else say("Target"),
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[each.day for each in points],
            y=[each.value for each in points],
            customdata=[hover(each, kpi, say) for each in points],
            hovertemplate="%{customdata}<extra></extra>",
            mode="lines",
            line={"color": TOKENS["accent"], "width": 2.5},
            fill="tozeroy",
            fillcolor=shade("accent", 0.1),
            name=say("Reached"),
        )
    )
    bounds = [each.value for each in points] + [each.target for each in curve]
    if forecast is not None:
        _draw_forecast(figure, forecast, kpi, say)
        bounds += [forecast.high, forecast.low]
    figure.update_layout(
        xaxis=axes.day_axis(points[0].day, date(year, 12, 31), 4 if narrow else 8),
        yaxis=axes.value_axis(bounds, kpi.unit_in(say.language), say.language, zero=True),
    )
    return figure


def _curve(kpi: Kpi, points: Sequence[TrendPoint]) -> list[TrendPoint]:
    """What was to be reached on each known day, and on to the ends of the months that are left."""
    known = [each for each in points if each.target is not None]
    if kpi.target is None:
        return known
    begin, last = points[0].day, points[-1].day
    ends = [date(last.year, month + 1, 1) for month in range(1, 12)] + [date(last.year + 1, 1, 1)]
    for end in ends:
        day = date.fromordinal(end.toordinal() - 1)
        if day > last:
            known.append(TrendPoint(day, None, kpi.target.amount(begin, day), 0))
    return known


def _draw_forecast(figure: go.Figure, forecast: Forecast, kpi: Kpi, say: Words) -> None:
    until, end = forecast.until, date(forecast.until.year, 12, 31)
    x = [until, end, end, until]
    y = [forecast.reached, forecast.high, forecast.low, forecast.reached]
    language = say.language
    interval = say(
        "{level} interval: {low} to {high}",
        level=formats.percent(forecast.level, language, 0),
        low=formats.figure(forecast.low, kpi.unit_in(language), language),
        high=formats.figure(forecast.high, kpi.unit_in(language), language),
    )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=shade("accent", 0.22),
            hoverinfo="skip",
            name=axes.plain_text(interval),
        )
    )
    value = formats.figure(forecast.value, kpi.unit_in(language), language)
    told = axes.plain_text(say("Forecast for 31 December: {value}", value=value))
    figure.add_trace(
        go.Scatter(
            x=[until, end],
            y=[forecast.reached, forecast.value],
            mode="lines+markers",
            line={"color": TOKENS["accent"], "width": 2, "dash": "dot"},
            marker={"symbol": ["circle", "diamond"], "size": [1, 10], "color": TOKENS["accent"]},
            customdata=[told, f"<b>{told}</b><br>{axes.plain_text(interval)}"],
            hovertemplate="%{customdata}<extra></extra>",
            name=told,
        )
    )
