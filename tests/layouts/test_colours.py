"""State colours hold for the common kinds of colour blindness, and are read on the dark panels.

Colour blindness is simulated after Machado, Oliveira and Fernandes, "A Physiologically-based Model
for Simulation of Color Vision Deficiency", IEEE TVCG 15(6), 2009, with their matrices of severity
1.0 on linear RGB. Difference is CIEDE2000 (Sharma, Wu and Dalal, Color Research and Application
30(1), 2005); contrast is that of WCAG 2.2.
"""

from __future__ import annotations

import re
from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

import pytest

from lawang.settings import ROOT

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

_NONE: Matrix = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
SIGHTS: dict[str, Matrix] = {
    "full colour": _NONE,
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
_XYZ: Matrix = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE: Triple = (0.95047, 1.0, 1.08883)

#: What must be told apart at a glance. About 2.3 is just seen beside each other.
NEIGHBOURS = (
    ("good", "warn"),
    ("warn", "bad"),
    ("good", "bad"),
    ("good", "text-3"),
    ("warn", "text-3"),
    ("bad", "text-3"),
    ("status-1", "status-2"),
    ("status-2", "status-3"),
    ("status-3", "status-4"),
    ("status-4", "status-5"),
)
LEAST_DIFFERENCE = 10.0
WRITTEN = (
    "good",
    "warn",
    "bad",
    "text",
    "text-2",
    "text-3",
    "accent",
    *(f"status-{n}" for n in range(1, 6)),
)
LEAST_CONTRAST = 4.5


def token(name: str) -> str:
    """The value of a colour in assets/tokens.css, e.g. "#6fd3a4"."""
    css = (ROOT / "assets" / "tokens.css").read_text(encoding="utf-8")
    found = re.search(rf"--{name}: (#[0-9a-f]{{6}});", css)
    assert found, f"tokens.css has no --{name}"
    return found[1]


def linear(colour: str) -> Triple:
    def part(at: int) -> float:
        value = int(colour[at : at + 2], 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    return part(1), part(3), part(5)


def times(matrix: Matrix, rgb: Triple) -> Triple:
    red, green, blue = (sum(a * b for a, b in zip(row, rgb, strict=True)) for row in matrix)
    return red, green, blue


def lab(rgb: Triple) -> Triple:
    def part(value: float) -> float:
        return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116

    shown = (min(1.0, max(0.0, rgb[0])), min(1.0, max(0.0, rgb[1])), min(1.0, max(0.0, rgb[2])))
    x, y, z = (part(v / w) for v, w in zip(times(_XYZ, shown), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one: Triple, other: Triple) -> float:
    """CIEDE2000 of two colours in L*a*b*."""
    mean = (hypot(*one[1:]) + hypot(*other[1:])) / 2
    stretch = 1.5 - 0.5 * sqrt(mean**7 / (mean**7 + 25**7))
    a1, a2, b1, b2 = one[1] * stretch, other[1] * stretch, one[2], other[2]
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    light, chroma = (one[0] + other[0]) / 2, (c1 + c2) / 2
    hue = h1 + turn / 2 if c1 * c2 else h1 + h2
    t = (
        1 - 0.17 * cos(radians(hue - 30)) + 0.24 * cos(radians(2 * hue))
        + 0.32 * cos(radians(3 * hue + 6)) - 0.2 * cos(radians(4 * hue - 63))
    )  # fmt: skip
    d_light = (other[0] - one[0]) / (1 + 0.015 * (light - 50) ** 2 / sqrt(20 + (light - 50) ** 2))
    d_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    d_hue = 2 * sqrt(c1 * c2) * sin(radians(turn / 2)) / (1 + 0.015 * chroma * t)
    bent = -2 * sqrt(chroma**7 / (chroma**7 + 25**7))
    bent *= sin(radians(60 * exp(-((((hue % 360) - 275) / 25) ** 2))))
    return sqrt(d_light**2 + d_chroma**2 + d_hue**2 + bent * d_chroma * d_hue)


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        red, green, blue = linear(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ],
)
def test_the_measure_gives_the_values_of_its_publication(
    one: Triple, other: Triple, expected: float
) -> None:
    assert difference(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize(("one", "other"), NEIGHBOURS, ids=" and ".join)
def test_states_are_told_apart_by_every_sight(sight: str, one: str, other: str) -> None:
    seen = [lab(times(SIGHTS[sight], linear(token(name)))) for name in (one, other)]
    assert difference(*seen) >= LEAST_DIFFERENCE


@pytest.mark.parametrize("ground", ["panel", "deep"])
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_read_on_its_ground(name: str, ground: str) -> None:
    assert contrast(token(name), token(ground)) >= LEAST_CONTRAST
