"""Still pictures without a camera: a street at a time of day, in rain or under water, as PNG.

Each says SIMULASI, whose camera it is and when. Written by hand, as no image library is needed for
flat colours: an indexed PNG of 320 x 180 (W3C PNG, third edition).
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence
from datetime import datetime

WIDTH, HEIGHT = 320, 180
#: Where the cars of each direction drive.
LANES = (117, 141)
#: Water on a street shows from this depth on.
FLOODED_CM = 5
_HORIZON = 96
_SKY, _WALL, _WINDOW, _GROUND, _ROAD, _LINE, _CAR, _CAR_2, _LIGHT, _WATER, _RAIN, _BAR, INK = range(
    13
)
DAY = (
    (150, 190, 225), (120, 120, 128), (90, 100, 120), (110, 140, 100), (84, 84, 88),
    (230, 230, 225), (170, 40, 40), (40, 70, 150), (250, 240, 190), (128, 104, 72),
    (205, 215, 225), (20, 20, 24), (255, 255, 255),
)  # fmt: skip
NIGHT = (
    (16, 20, 40), (36, 38, 48), (220, 190, 110), (24, 34, 28), (40, 40, 44),
    (130, 130, 125), (110, 26, 26), (26, 44, 96), (255, 240, 170), (60, 50, 40),
    (90, 100, 115), (10, 10, 12), (255, 255, 255),
)  # fmt: skip
#: Letters of 5 x 7: five columns each, the lowest bit on top.
_LETTERS = {
    letter: bytes.fromhex(columns)
    for letter, columns in {
        "A": "7e1111117e", "B": "7f49494936", "C": "3e41414122", "D": "7f4141221c",
        "E": "7f49494941", "F": "7f09090901", "G": "3e4149497a", "H": "7f0808087f",
        "I": "00417f4100", "J": "2040413f01", "K": "7f08142241", "L": "7f40404040",
        "M": "7f020c027f", "N": "7f0408107f", "O": "3e4141413e", "P": "7f09090906",
        "Q": "3e4151215e", "R": "7f09192946", "S": "4649494931", "T": "01017f0101",
        "U": "3f4040403f", "V": "1f2040201f", "W": "3f4038403f", "X": "6314081463",
        "Y": "0708700807", "Z": "6151494543", "0": "3e5149453e", "1": "00427f4000",
        "2": "4261514946", "3": "2141454b31", "4": "1814127f10", "5": "2745454539",
        "6": "3c4a494930", "7": "0171090503", "8": "3649494936", "9": "064949291e",
        "-": "0808080808", ":": "0036360000", ".": "0060600000", "(": "001c224100",
        ")": "0041221c00",
    }.items()
}  # fmt: skip


class Canvas:
    """A picture of WIDTH x HEIGHT; every byte of `rows` is a colour of the palette (DAY, NIGHT)."""

    def __init__(self) -> None:
        self.rows = [bytearray(WIDTH) for _ in range(HEIGHT)]

    def fill(self, left: int, top: int, width: int, height: int, colour: int) -> None:
        """A rectangle; what lies outside is cut off."""
        first, last = max(0, left), min(WIDTH, left + width)
        for y in range(max(0, top), min(HEIGHT, top + height)):
            if last > first:
                self.rows[y][first:last] = bytes([colour]) * (last - first)

    def write(self, left: int, top: int, text: str, scale: int = 1) -> None:
        """Text in capitals, each letter 6 x 7 times `scale`; unknown ones stay empty."""
        for letter in text.upper():
            for column, bits in enumerate(_LETTERS.get(letter, b"")):
                for row in range(7):
                    if bits >> row & 1:
                        x, y = left + column * scale, top + row * scale
                        self.fill(x, y, scale, scale, INK)
            left += 6 * scale


def draw(name: str, at: datetime, rng: random.Random, rain_mm_h: float, flood_cm: float) -> bytes:
    """A PNG of what a camera would see at the local time `at`.

    `rng` is the camera's own, so that its street stays the same; traffic follows from the time.
    """
    canvas = Canvas()
    draw_street(canvas, rng)
    traffic = random.Random(f"{name}/{int(at.timestamp()) // 5}")
    for _ in range(_cars(at, traffic)):
        x, y = traffic.randrange(-10, WIDTH - 10), traffic.choice(LANES)
        draw_car(canvas, x, y, red=traffic.random() < 0.5, night=is_night(at))
    if flood_cm >= FLOODED_CM:
        draw_water(canvas, flood_cm)
    draw_rain(canvas, traffic, min(400, int(rain_mm_h * 8)))
    draw_label(canvas)
    canvas.write(118, 7, f"{at:%d-%m-%Y %H:%M:%S} WIB")
    canvas.fill(0, 164, WIDTH, 16, _BAR)
    canvas.write(6, 169, name)
    return _encode(canvas, NIGHT if is_night(at) else DAY)


def draw_street(canvas: Canvas, rng: random.Random) -> None:
    """Sky, houses and the road; the same for the same `rng`."""
    canvas.fill(0, 0, WIDTH, HEIGHT, _SKY)
    left = 0
    while left < WIDTH:
        width, height = rng.randint(24, 58), rng.randint(18, 62)
        canvas.fill(left, _HORIZON - height, width, height, _WALL)
        for x in range(left + 4, left + width - 5, 9):
            for y in range(_HORIZON - height + 5, _HORIZON - 6, 11):
                if rng.random() < 0.7:
                    canvas.fill(x, y, 4, 5, _WINDOW)
        left += width + rng.randint(0, 8)
    canvas.fill(0, _HORIZON, WIDTH, HEIGHT - _HORIZON, _GROUND)
    canvas.fill(0, 112, WIDTH, 48, _ROAD)
    for x in range(0, WIDTH, 32):
        canvas.fill(x, 135, 16, 2, _LINE)


def draw_car(canvas: Canvas, x: int, y: int, *, red: bool, night: bool) -> None:
    """One car whose left end is at `x`, on the lane `y` of LANES."""
    colour = _CAR if red else _CAR_2
    canvas.fill(x + 6, y, 16, 6, colour)
    canvas.fill(x, y + 5, 30, 8, colour)
    if night:
        canvas.fill(x + 28, y + 7, 3, 3, _LIGHT)


def draw_water(canvas: Canvas, depth_cm: float) -> None:
    """Water over the road."""
    depth = min(40, int(depth_cm))
    canvas.fill(0, 160 - depth, WIDTH, depth, _WATER)


def draw_rain(canvas: Canvas, rng: random.Random, drops: int) -> None:
    """So many drops."""
    for _ in range(drops):
        canvas.fill(rng.randrange(WIDTH), rng.randrange(160), 1, 5, _RAIN)


def draw_label(canvas: Canvas) -> None:
    """The bar that says SIMULASI."""
    canvas.fill(0, 0, WIDTH, 20, _BAR)
    canvas.write(6, 3, "SIMULASI", 2)


def is_night(at: datetime) -> bool:
    """Whether street lights are on at that local time."""
    return not 6 <= at.hour < 18


def _cars(at: datetime, traffic: random.Random) -> int:
    """Most in the rush hours, few at night."""
    busy = 6 if at.hour in (7, 8, 16, 17) else 3 if 6 <= at.hour < 22 else 1
    return traffic.randint(busy // 2, busy + 1)


def _encode(canvas: Canvas, palette: Sequence[tuple[int, int, int]]) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    pixels = b"".join(b"\0" + bytes(row) for row in canvas.rows)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", b"".join(bytes(colour) for colour in palette)),
            _chunk(b"IDAT", zlib.compress(pixels, 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
