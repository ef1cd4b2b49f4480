"""The course of an indicator, day by day, in front of the band of its target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import plotly.graph_objects as go

from lawang.domain.kpi import Combine, Direction, Kpi, Light, light_of, score_of
from lawang.domain.programme import Annotation
from lawang.kpi.evaluate import TrendPoint
from lawang.overview.model import Gap
from layouts import formats
from layouts.charts import axes
from layouts.lights import light_word
from layouts.theme import TOKENS, shade
from layouts.words import Words

#: How many days may lie between two points of one line, by how often data is due. A day more than
#: the longest period.
_CADENCE_DAYS = {"day": 1, "week": 8, "month": 32, "quarter": 93, "year": 367}
#: Up to so many days each one that misses its target gets a mark of its own.
_MARKED = 130


def trend(
    points: Sequence[TrendPoint],
    kpi: Kpi,
    say: Words,
    *,
    smooth: Sequence[TrendPoint] = (),
    gaps: Sequence[Gap] = (),
    notes: Sequence[Annotation] = (),
    outages: Sequence[tuple[date, date]] = (),
    narrow: bool = False,
) -> go.Figure:
    """The trend with its target band; missing days break the line.

    `smooth` is the course over seven days, drawn as the line where it is given; single days are
    points then. `notes` are marked at their days, `outages` are [first, last] days on which a
    source was down.
    """
    figure = axes.empty(say, 400 if narrow else 380, hovermode="closest")
    if not points:
        return figure
    first, last = points[0].day, points[-1].day
    targets = [each for each in points if each.target is not None]
    values = [each.value for each in points]
    axis = axes.value_axis(
        [*values, *(each.target for each in targets)],
        kpi.unit_in(say.language),
        say.language,
        zero=False,
    )
    _draw_band(figure, targets, kpi, say, axis["range"])
    name = say("Each day") if smooth else axes.plain_text(_name(kpi, say))
    figure.add_trace(_line(points, kpi, say, name, dots=bool(smooth)))
    if smooth:
        figure.add_trace(_line(smooth, kpi, say, say("Over seven days"), dots=False))
    if len(points) <= _MARKED:
        _mark_missed(figure, points, kpi, say)
    for gap in gaps:
        _shade(figure, gap.first, gap.last, first, last, down=False)
    for begin, end in outages:
        _shade(figure, begin, end, first, last, down=True)
    _write_notes(figure, notes, say, first, last)
    figure.update_layout(xaxis=axes.day_axis(first, last, 4 if narrow else 8), yaxis=axis)
    return figure


def broken(points: Sequence[TrendPoint], due: str) -> list[TrendPoint | None]:
    """The points with None wherever more days are missing than one period of the data."""
    longest = timedelta(days=_CADENCE_DAYS.get(due, 1))
    found: list[TrendPoint | None] = []
    for at, each in enumerate(points):
        if at and each.day - points[at - 1].day > longest:
            found.append(None)
        found.append(each)
    return found


def light_on(kpi: Kpi, point: TrendPoint) -> Light:
    """How one day stands to its target; grey without a value or a target."""
    if point.value is None or point.target is None:
        return Light.GREY
    return light_of(score_of(kpi.direction, point.value, point.target), kpi.green, kpi.amber)


def edges(kpi: Kpi, target: float) -> tuple[float, float]:
    """The values at which green and amber end."""
    if kpi.direction is Direction.UP:
        return target * kpi.green, target * kpi.amber
    return target / kpi.green, target / kpi.amber


def hover(point: TrendPoint, kpi: Kpi, say: Words) -> str:
    """Day, value, target and cohort of a point, as lines of a figure's text."""
    language = say.language
    value = formats.figure(point.value, kpi.unit_in(language), language)
    lines = [f"<b>{axes.plain_text(value)}</b>", formats.day(point.day, language)]
    if point.target is not None:
        wanted = formats.figure(point.target, kpi.unit_in(language), language)
        lines.append(axes.plain_text(say("target {value}", value=wanted)))
    lines.append(say("n = {n}", n=formats.number(point.n, language)))
    return "<br>".join(lines)


def _draw_band(
    figure: go.Figure,
    points: Sequence[TrendPoint],
    kpi: Kpi,
    say: Words,
    limits: Sequence[float],
) -> None:
    if not points:
        return
    days = [each.day for each in points]
    wanted = [each.target or 0.0 for each in points]
    both = [edges(kpi, each) for each in wanted]
    good = [each[0] for each in both]
    far = limits[1] if kpi.direction is Direction.UP else min(limits[0], 0.0)

    def edge(y: Sequence[float]) -> go.Scatter:
        return go.Scatter(
            x=days, y=y, mode="lines", line={"width": 0}, showlegend=False, hoverinfo="skip"
        )

    figure.add_trace(edge(good))
    figure.add_trace(
        edge([far] * len(days)).update(
            fill="tonexty",
            fillcolor=shade("good", 0.13),
            showlegend=True,
            name=light_word(Light.GREEN, say),
        )
    )
    figure.add_trace(edge(good))
    figure.add_trace(
        edge([each[1] for each in both]).update(
            fill="tonexty",
            fillcolor=shade("warn", 0.16),
            showlegend=True,
            name=light_word(Light.AMBER, say),
        )
    )
    figure.add_trace(
        go.Scatter(
            x=days,
            y=wanted,
            mode="lines",
            line={"color": TOKENS["text-2"], "width": 1.5, "dash": "dash"},
            name=say("Target (simulated)") if kpi.simulated_target else say("Target"),
            hoverinfo="skip",
        )
    )


def _line(
    points: Sequence[TrendPoint], kpi: Kpi, say: Words, name: str, *, dots: bool
) -> go.Scatter:
    course = broken(points, kpi.due)
    lonely = len(points) <= 60 or kpi.due != "day"
    return go.Scatter(
        x=_each(course, lambda each: each.day),
        y=_each(course, lambda each: each.value),
        customdata=_each(course, lambda each: hover(each, kpi, say)),
        hovertemplate="%{customdata}<extra></extra>",
        mode="markers" if dots else "lines+markers" if lonely else "lines",
        marker={"size": 4 if dots else 5, "color": TOKENS["text-3" if dots else "accent"]},
        # A state holds until the next one is told; an amount of a month is spread over its days.
        line={
            "color": TOKENS["accent"],
            "width": 2.5,
            "shape": "hv"
            if kpi.combine is Combine.LAST
            else "linear"
            if kpi.due == "day"
            else "hvh",
        },
        name=name,
    )


def _each(
    course: Sequence[TrendPoint | None], pick: Callable[[TrendPoint], object]
) -> list[object]:
    return [None if each is None else pick(each) for each in course]


def _mark_missed(figure: go.Figure, points: Sequence[TrendPoint], kpi: Kpi, say: Words) -> None:
    for light in (Light.AMBER, Light.RED):
        missed = [each for each in points if light_on(kpi, each) is light]
        if not missed:
            continue
        figure.add_trace(
            go.Scatter(
                x=[each.day for each in missed],
                y=[each.value for each in missed],
                customdata=[hover(each, kpi, say) for each in missed],
                hovertemplate="%{customdata}<extra></extra>",
                mode="markers",
                marker={
                    "symbol": axes.LIGHT_SYMBOLS[light],
                    "size": 8,
                    "color": TOKENS[axes.LIGHT_TOKENS[light]],
                    "line": {"width": 1, "color": TOKENS["deep"]},
                },
                name=light_word(light, say),
                showlegend=light is Light.RED,
            )
        )


def _shade(
    figure: go.Figure, begin: date, end: date, first: date, last: date, *, down: bool
) -> None:
    if end < first or begin > last:
        return
    figure.add_shape(
        type="rect",
        x0=f"{max(begin, first) - timedelta(days=1)} 12:00",
        x1=f"{min(end, last)} 12:00",
        y0=0.96 if down else 0,
        y1=1,
        yref="paper",
        line={"width": 0},
        fillcolor=shade("bad", 0.8) if down else shade("text-3", 0.14),
        layer="below",
    )


def _write_notes(
    figure: go.Figure, notes: Sequence[Annotation], say: Words, first: date, last: date
) -> None:
    """Notes by a number at the top of the chart; the text is read by pointing at it."""
    shown = [each for each in notes if each.last >= first and each.first <= last]
    for number, each in enumerate(shown, start=1):
        begin, end = max(each.first, first), min(each.last, last)
        figure.add_shape(
            type="rect",
            x0=f"{begin - timedelta(days=1)} 12:00",
            x1=f"{end} 12:00",
            y0=0,
            y1=1,
            yref="paper",
            line={"color": shade("accent", 0.5), "width": 1, "dash": "dot"},
            fillcolor=shade("accent", 0.06),
            layer="below",
        )
        figure.add_annotation(
            x=f"{begin}",
            y=1,
            yref="paper",
            text=f"<b>{number}</b>",
            hovertext=note_text(each, say),
            showarrow=False,
            xanchor="left",
            yanchor="top",
            bgcolor=TOKENS["panel"],
            bordercolor=TOKENS["accent"],
            borderpad=2,
            font={"color": TOKENS["accent"]},
            captureevents=True,
        )


def note_text(note: Annotation, say: Words) -> str:
    """A note with its days, and that it is simulated, as plain text of a figure."""
    language = say.language
    days = formats.day(note.first, language)
    if note.last != note.first:
        days = f"{days} – {formats.day(note.last, language)}"
    text = note.text_id if language == "id" else note.text_en
    simulated = f" ({say('simulated')})" if note.simulated else ""
    return f"{days}: {axes.plain_text(text)}{simulated}"


def _name(kpi: Kpi, say: Words) -> str:
    return kpi.name_id if say.language == "id" else kpi.name_en
