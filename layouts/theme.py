"""Colours and type of the product for what style sheets do not reach, and the plotly template.

The values are those of `:root` in `assets/lawang.css`; a test holds the two together. A chart takes
every colour from `TOKENS` by name, so that `for_print` can put the paper's in their place.
"""

from __future__ import annotations

import re
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

#: The custom properties of the screen's style sheet, without their dashes.
TOKENS = {
    "deep": "#060c12",
    "hull": "#0b141c",
    "panel": "#0f1b26",
    "panel-edge": "#1b2c3a",
    "line": "#223646",
    "text": "#e4eef4",
    "text-2": "#a3b7c5",
    "text-3": "#7e95a5",
    "accent": "#67d0f0",
    "warn": "#ffb454",
    "bad": "#ff6b5e",
    "good": "#6fd3a4",
}
#: The same names on paper: dark ink on white, at least 4.5 to 1 for everything that is read.
PRINT_TOKENS = {
    "deep": "#ffffff",
    "hull": "#fffffe",
    "panel": "#fffffd",
    "panel-edge": "#b8c4cc",
    "line": "#c9d3da",
    "text": "#10181e",
    "text-2": "#36454f",
    "text-3": "#50616d",
    "accent": "#00607f",
    "warn": "#8a4b00",
    "bad": "#b3180a",
    "good": "#0b6b41",
}
FONT = '"B612", "DejaVu Sans", system-ui, sans-serif'
#: Px: nothing in a chart is smaller.
TEXT_PX = 13
TEMPLATE = "lawang"
PRINT_TEMPLATE = "lawang_print"


def shade(name: str, opacity: float) -> str:
    """A token with an opacity, as rgba()."""
    red, green, blue = (int(TOKENS[name][at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def print_colours() -> dict[str, str]:
    """What each colour of a chart becomes on paper: `#rrggbb`, and `r,g,b` as in rgba()."""
    pairs = {TOKENS[name]: PRINT_TOKENS[name] for name in TOKENS}
    return pairs | {_channels(dark): _channels(light) for dark, light in pairs.items()}


def for_print(figure: go.Figure) -> go.Figure:
    """The same chart in the colours of paper."""
    colours = print_colours()
    every = re.compile("|".join(map(re.escape, colours)))
    text = every.sub(lambda found: colours[found[0]], figure.to_json())
    return pio.from_json(text, skip_invalid=False)


def _channels(colour: str) -> str:
    return ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))


def _template(tokens: dict[str, str]) -> go.layout.Template:
    axis: dict[str, Any] = {
        "gridcolor": tokens["line"],
        "linecolor": tokens["line"],
        "zerolinecolor": tokens["text-3"],
        "zerolinewidth": 1,
        "tickfont": {"color": tokens["text-2"], "size": TEXT_PX},
        "title": {"font": {"color": tokens["text-2"], "size": TEXT_PX}},
        "automargin": True,
        "ticks": "outside",
        "ticklen": 6,
        "tickcolor": "rgba(0,0,0,0)",
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": TEXT_PX, "color": tokens["text"]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [tokens[name] for name in ("accent", "warn", "good", "text-2", "bad")],
            "xaxis": axis | {"showgrid": False},
            "yaxis": axis,
            "margin": {"l": 8, "r": 12, "t": 28, "b": 8},
            "hoverlabel": {
                "bgcolor": tokens["hull"],
                "bordercolor": tokens["text-3"],
                "font": {"family": FONT, "size": TEXT_PX + 1, "color": tokens["text"]},
                "align": "left",
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "font": {"color": tokens["text-2"], "size": TEXT_PX},
                "itemclick": False,
                "itemdoubleclick": False,
            },
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": tokens["text-3"],
                "activecolor": tokens["accent"],
            },
            "bargap": 0.35,
            "dragmode": "zoom",
        }
    )


pio.templates[TEMPLATE] = _template(TOKENS)
pio.templates[PRINT_TEMPLATE] = _template(PRINT_TOKENS)
