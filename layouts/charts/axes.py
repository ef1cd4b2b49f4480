"""What all charts share: an empty figure, axes with our own numbers, and text that stays text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from html import escape
from typing import Any

import plotly.graph_objects as go

from lawang.domain.kpi import Light
from layouts import formats, theme
from layouts.words import Words

#: Decimal mark and thousands mark.
_SEPARATORS = {"id": ",.", "en": ".,"}
#: Nice steps of an axis, of a power of ten.
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
#: Colour and symbol of each light; the symbols differ without any colour.
LIGHT_TOKENS = {
    Light.GREEN: "good",
    Light.AMBER: "warn",
    Light.RED: "bad",
    Light.GREY: "text-3",
}
LIGHT_SYMBOLS = {
    Light.GREEN: "circle",
    Light.AMBER: "diamond",
    Light.RED: "triangle-up",
    Light.GREY: "circle-open",
}
_DAY_MS = 86_400_000


def empty(say: Words, height: int, **layout: Any) -> go.Figure:
    """A figure of a height in px without data yet."""
    figure = go.Figure()
    figure.update_layout(
        template=theme.TEMPLATE,
        height=height,
        separators=_SEPARATORS[say.language],
        **layout,
    )
    return figure


def config(say: Words) -> dict[str, Any]:
    """How a graph behaves: the reduced bar of buttons, our month names, and no logo.

    `assets/plotly_locale.js` brings the locale `id`; `en` is within plotly.
    """
    return {
        "locale": say.language,
        "displaylogo": False,
        "responsive": True,
        "showTips": False,
        "scrollZoom": False,
        "modeBarButtons": [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
    }


def quiet(say: Words) -> dict[str, Any]:
    """The same without buttons and zoom, for charts that have nothing to zoom into."""
    return config(say) | {"displayModeBar": False, "doubleClick": False}


def plain_text(text: str) -> str:
    """Foreign text for a figure: plotly reads tags and entities, and such text shall be neither."""
    return escape(text, quote=False)


def value_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """At most about `count` round values from `low` to `high`."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


def tick_text(value: float, unit: str, language: str) -> str:
    """A value at an axis; a unit that is a word stands in the axis' title instead."""
    if unit == "%" or unit.startswith("Rp"):
        return formats.figure(value, unit.split("/")[0], language)
    return formats.compact(value, language) if abs(value) >= 10_000 else _short(value, language)


def unit_title(unit: str) -> str:
    """What the title of a value axis says of the unit."""
    return "" if unit == "%" or unit == "Rp" else unit


def value_axis(
    values: Iterable[float | None], unit: str, language: str, *, zero: bool, count: int = 5
) -> dict[str, Any]:
    """Range and ticks that hold all values; `zero` for bars and sums, which begin at nought."""
    known = [each for each in values if each is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if zero or 0 <= low < 0.35 * high:
        low, high = min(low, 0.0), max(high, 0.0)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    top = high + room if high > 0 else 0.0
    bottom = low - room if low != 0 else 0.0
    if unit == "%" and high <= 1:
        top = min(top, 1.02)
    ticks = value_ticks(bottom, top, count)
    return {
        "range": [bottom, top],
        "tickvals": ticks,
        "ticktext": [tick_text(each, unit, language) for each in ticks],
        "title": {"text": plain_text(unit_title(unit))},
        "fixedrange": True,
    }


def day_axis(first: date, last: date, count: int = 8) -> dict[str, Any]:
    """An axis of days, whose labels grow finer as one zooms in. Month names are the locale's."""
    return {
        "type": "date",
        "range": [_before(first), _after(last)],
        "tickformatstops": [
            {"dtickrange": [None, _DAY_MS * 27], "value": "%-d %b"},
            {"dtickrange": [_DAY_MS * 27, "M6"], "value": "%b %Y"},
            {"dtickrange": ["M6", None], "value": "%Y"},
        ],
        "minallowed": _before(first),
        "maxallowed": _after(last),
        "nticks": count,
        "tickangle": 0,
    }


def _before(day: date) -> str:
    return f"{date.fromordinal(day.toordinal() - 1).isoformat()} 12:00"


def _after(day: date) -> str:
    return f"{day.isoformat()} 12:00"


def _short(value: float, language: str) -> str:
    return formats.number(value, language, 2 if abs(value) < 10 else 1)
