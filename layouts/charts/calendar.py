"""A calendar of days, a column a week: when a target was met, and when nothing came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import plotly.graph_objects as go
from babel.dates import get_day_names

from lawang.domain.kpi import Kpi, Light
from lawang.kpi.evaluate import TrendPoint
from layouts import formats
from layouts.charts import axes
from layouts.charts.trend import hover, light_on
from layouts.theme import TOKENS
from layouts.words import Words

#: Within a square; without any colour one sees which day is which.
GLYPHS = {Light.GREEN: "", Light.AMBER: "◆", Light.RED: "▲", Light.GREY: "○"}
_LIGHTS = (Light.GREY, Light.RED, Light.AMBER, Light.GREEN)
_LOCALES = {"id": "id", "en": "en_GB"}


def calendar(
    points: Sequence[TrendPoint],
    kpi: Kpi,
    say: Words,
    *,
    last: date,
    weeks: int = 53,
    height: int = 232,
) -> go.Figure:
    """The weeks up to that of `last`, Monday on top. A day without a value stays empty."""
    figure = axes.empty(say, height, hovermode="closest")
    monday = last - timedelta(days=last.weekday())
    begin = monday - timedelta(weeks=weeks - 1)
    shown = [each for each in points if begin <= each.day <= last and each.value is not None]
    grid: list[list[int | None]] = [[None] * weeks for _ in range(7)]
    texts = [[""] * weeks for _ in range(7)]
    hovers = [[""] * weeks for _ in range(7)]
    for each in shown:
        column, row = (each.day - begin).days // 7, each.day.weekday()
        light = light_on(kpi, each)
        grid[row][column] = _LIGHTS.index(light)
        texts[row][column] = GLYPHS[light]
        hovers[row][column] = hover(each, kpi, say)
    scale: list[tuple[float, str]] = []
    for at, light in enumerate(_LIGHTS):
        colour = TOKENS[axes.LIGHT_TOKENS[light]]
        scale += [(at / len(_LIGHTS), colour), ((at + 1) / len(_LIGHTS), colour)]
    figure.add_trace(
        go.Heatmap(
            z=grid,
            text=texts,
            texttemplate="%{text}",
            textfont={"size": 11, "color": TOKENS["deep"]},
            customdata=hovers,
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            zmin=-0.5,
            zmax=len(_LIGHTS) - 0.5,
            colorscale=scale,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    names = get_day_names("abbreviated", "stand-alone", _LOCALES[say.language])
    ticks = _month_columns(begin, weeks)
    figure.update_layout(
        margin={"t": 8},
        xaxis={
            "tickvals": [column for column, _ in ticks],
            "ticktext": [_month(day, say.language) for _, day in ticks],
            "range": [-0.5, weeks - 0.5],
            "fixedrange": True,
        },
        yaxis={
            "tickvals": list(range(7)),
            "ticktext": [names[day] for day in range(7)],
            "range": [6.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return figure


def _month_columns(begin: date, weeks: int) -> list[tuple[int, date]]:
    """The columns in which a month begins, and that month; every other one where there are many."""
    found: list[tuple[int, date]] = []
    for column in range(weeks):
        week = [begin + timedelta(days=7 * column + day) for day in range(7)]
        found += [(column, day) for day in week if day.day == 1]
    return found if weeks > 20 else found[-5:]


def _month(day: date, language: str) -> str:
    name = formats.month(day, language)
    return name if day.month == 1 else name.rsplit(" ", 1)[0]
