"""Makes the clips that the simulated cameras play: a street by day, at night, and under water.

Run once by a developer, with PyAV and NumPy (neither is installed with the program):

    python scripts/make_camera_clip.py

It writes simulator/cctv/clips/<scene>-<number>.ts: H.264 (baseline) in MPEG-TS, 320 x 180, two
seconds each, so that a clip of SEGMENTS can be played round and round. All of it is drawn here.
"""

from __future__ import annotations

import random
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from simulator.cctv import picture  # noqa: E402
from simulator.cctv.clip import FOLDER, SCENES, SEGMENT_S, SEGMENTS  # noqa: E402

FRAMES_A_SECOND = 10
_FRAMES = SEGMENTS * SEGMENT_S * FRAMES_A_SECOND


def main() -> None:
    """Write every clip anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.ts"):
        old.unlink()
    for scene in SCENES:
        _encode(scene)
    total = sum(file.stat().st_size for file in FOLDER.glob("*.ts"))
    print(f"{len(SCENES) * SEGMENTS} segments, {total} bytes")


def _encode(scene: str) -> None:
    av, numpy = import_module("av"), import_module("numpy")
    options = {
        "segment_time": str(SEGMENT_S),
        "segment_format": "mpegts",
        "segment_list_type": "flat",
    }
    with av.open(
        str(FOLDER / f"{scene}-%d.ts"), "w", format="segment", options=options
    ) as container:
        stream: Any = container.add_stream("libx264", rate=FRAMES_A_SECOND)
        stream.width, stream.height, stream.pix_fmt = picture.WIDTH, picture.HEIGHT, "yuv420p"
        whole = str(SEGMENT_S * FRAMES_A_SECOND)
        stream.options = {
            **{"profile": "baseline", "preset": "veryslow", "crf": "30", "bf": "0"},
            **{"g": whole, "keyint_min": whole, "sc_threshold": "0"},
        }
        palette = picture.NIGHT if scene == "malam" else picture.DAY
        colours = numpy.array(palette, dtype=numpy.uint8)
        for number in range(_FRAMES):
            rows = numpy.frombuffer(b"".join(_draw(scene, number).rows), dtype=numpy.uint8)
            pixels = colours[rows.reshape(picture.HEIGHT, picture.WIDTH)]
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _draw(scene: str, number: int) -> picture.Canvas:
    """One frame. Everything comes back to where it was after the last one."""
    canvas = picture.Canvas()
    picture.draw_street(canvas, random.Random(7))  # noqa: S311
    turn = number / _FRAMES
    flooded, night = scene == "banjir", scene == "malam"
    # Whole rounds a clip: cars, their start, their lane. Nobody drives fast through water.
    for index in range(2 if flooded else 3 if night else 6):
        rounds = 1 if flooded else 2 + index % 2
        way = (turn * rounds + index * 0.37) % 1
        x = int(way * (picture.WIDTH + 60)) - 40
        lane = picture.LANES[index % 2]
        x = x if index % 2 else picture.WIDTH - 20 - x
        picture.draw_car(canvas, x, lane, red=index % 3 == 0, night=night)
    if flooded:
        picture.draw_water(canvas, 22 + (number // 5) % 2)
        picture.draw_rain(canvas, random.Random(number // 2), 40)  # noqa: S311
    picture.draw_label(canvas)
    canvas.write(118, 7, "GAMBAR TIRUAN")
    # A bar that walks along the foot: a picture that stands still is seen at once.
    canvas.fill(int(turn * picture.WIDTH), 176, 16, 4, picture.INK)
    return canvas


if __name__ == "__main__":
    main()
