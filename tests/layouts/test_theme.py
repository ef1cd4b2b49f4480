"""One set of colours: the style sheet's, the charts' and the paper's."""

from __future__ import annotations

import re

import plotly.graph_objects as go
import plotly.io as pio
import pytest

from lawang.settings import ROOT
from layouts import theme

_DECLARED = re.compile(r"--([a-z0-9-]+): (#[0-9a-f]{6});")


def declared(css: str) -> dict[str, str]:
    return dict(_DECLARED.findall(css))


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_charts_have_the_colours_of_the_style_sheet() -> None:
    css = (ROOT / "assets" / "tokens.css").read_text(encoding="utf-8")
    # The levels of the city's status are drawn on walls, never in a chart.
    drawn = {name: colour for name, colour in declared(css).items() if "status-" not in name}
    assert drawn == theme.TOKENS


def test_charts_on_paper_have_the_colours_of_the_printed_page() -> None:
    css = (ROOT / "assets" / "lawang.css").read_text(encoding="utf-8")
    printed = declared(css[css.index("@media print") :])
    # Surfaces are all white; in charts they differ by a trace, so that each can be found again.
    surfaces = {"deep", "hull", "panel"}
    assert {name: theme.PRINT_TOKENS[name] for name in printed.keys() - surfaces} == {
        name: colour for name, colour in printed.items() if name not in surfaces
    }
    assert {printed[name] for name in surfaces} == {"#ffffff"}
    assert printed.keys() == theme.TOKENS.keys()


@pytest.mark.parametrize(
    ("tokens", "ground"), [(theme.TOKENS, "#0f1b26"), (theme.PRINT_TOKENS, "#ffffff")]
)
def test_what_is_read_stands_out_from_its_ground(tokens: dict[str, str], ground: str) -> None:
    read = ("text", "text-2", "text-3", "accent", "warn", "bad", "good")
    assert [name for name in read if contrast(tokens[name], ground) < 4.5] == []


def test_a_chart_for_paper_has_no_colour_of_the_screen_left() -> None:
    figure = go.Figure(
        go.Scatter(
            y=[1, 2], line={"color": theme.TOKENS["accent"]}, fillcolor=theme.shade("bad", 0.2)
        ),
        {"template": theme.TEMPLATE},
    )
    text = theme.for_print(figure).to_json()
    assert [colour for colour in theme.print_colours() if f'"{colour}"' in text] == []
    assert theme.PRINT_TOKENS["accent"] in text
    assert "rgba(179,24,10,0.2)" in text


def test_both_templates_are_registered() -> None:
    assert {theme.TEMPLATE, theme.PRINT_TEMPLATE} <= set(pio.templates)


def test_a_chart_for_paper_has_the_looks_of_the_print_template() -> None:
    for_screen = go.Figure(layout={"template": theme.TEMPLATE})
    for_paper = go.Figure(layout={"template": theme.PRINT_TEMPLATE})
    assert theme.for_print(for_screen).to_dict() == for_paper.to_dict()
