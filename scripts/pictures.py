"""Takes the pictures of docs/scenes.md: every scene on a calm day and on a flood night.

`make pictures` runs it: two demonstrations of the real program, one after the other, in a Chromium
of this machine; each takes some minutes, as the numbers have to come first. All people, reports,
rain and fires in the pictures are simulated, and every picture says so.

    python scripts/pictures.py [--scenes kota,bencana] [--settle 300] [--only calm|flood]

The flood night settles for twice as long: its rain is added up from what gauges send meanwhile.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.figures import BenchError  # noqa: E402
from benchmarks.wall.glass import open_browser  # noqa: E402
from benchmarks.wall.site import SCREEN, Site, open_site  # noqa: E402

FOLDER = ROOT / "docs" / "images" / "scenes"
WALL = (1920, 1080)
VIDEO_WALL = (5760, 2160)
DESK = (1440, 900)
#: Minutes of the flood night that are over when it is looked at: rain, high water, many reports.
FLOOD_MIN = 100.0
_LARGEST_BYTES = 150_000
#: Tried in turn until a picture is small enough: colours, and how much of its width is kept.
_STEPS = ((128, 1.0), (64, 1.0), (48, 1.0), (32, 1.0), (32, 0.75), (24, 0.67))
#: What a scene looks back on where that matters.
_WINDOWS = {"kejadian": "24h", "bencana": "24h", "layanan": "24h", "transportasi": "1h"}
#: The department whose silence is shown, and the scene that lives by it.
_SILENT, _SILENT_SCENE = "elapor", "kejadian"
_PATIENCE_MS = 300_000
_DRAWN_MS = 6_000
#: An alarm stays on the glass for as long as an item of a playlist: until its picture is taken.
_DWELL_S = 7200
#: What walls show by themselves, as in the middle of the video wall.
_KEPT = ("kota",)
#: Every tile has an age in figures, nothing fades any more, and the typeface is there.
_READY = """(scene) => {
  const shown = document.querySelector(scene ? `.scene-${scene}` : ".scene");
  const ages = shown ? [...shown.querySelectorAll("[data-live-age], [data-source-age]")] : [];
  return ages.length > 0 && ages.every((age) => /\\d/.test(age.textContent))
    && shown.getAnimations({ subtree: true }).every((each) => each.playState !== "running")
    && document.fonts.status === "loaded";
}"""
_INTERRUPTED = """() =>
  document.getElementById("live-root")?.dataset.interrupted === "1"
    && document.querySelector(".alarm-brief .brief-name")"""
_SILENCE = """() => {
  const root = document.getElementById("live-root");
  const of = (id) => window.lawang.live.panel("sources")?.sources[id];
  return root && ["stale", "down"].includes(window.lawang.live.health(of("%s")));
}"""


@dataclass(frozen=True, slots=True)
class Camera:
    """Takes pictures of one site."""

    browser: Any
    site: Site

    def take(self, name: str, path: str, size: tuple[int, int], ready: str, given: str) -> None:
        """Open a page, wait until `ready(given)`, and write docs/images/scenes/NAME.png."""
        with self._opened(path, size) as page:
            page.wait_for_function(ready, arg=given, timeout=_PATIENCE_MS)
            page.wait_for_timeout(_DRAWN_MS)
            keep(name, page.screenshot())

    def take_scene(self, name: str, scene: str) -> None:
        """One scene, kept by the address, on a screen of 1920x1080."""
        window = f"&window={_WINDOWS[scene]}" if scene in _WINDOWS else ""
        path = f"/wall/{SCREEN}?scene={scene}{window}&thumb=1"
        self.take(name, path, WALL, _READY, scene)

    @contextmanager
    def _opened(self, path: str, size: tuple[int, int]) -> Iterator[Any]:
        width, height = size
        context = self.browser.new_context(viewport={"width": width, "height": height})
        try:
            page = context.new_page()
            page.goto(f"{self.site.url}{path}", timeout=_PATIENCE_MS)
            yield page
        finally:
            context.close()


def main() -> int:
    """Take what is asked for; 1, with what is wrong, where that cannot be."""
    asked = _read_arguments()
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with open_browser() as browser:
            if asked.only != "flood":
                with open_site(_DWELL_S, scenes=_KEPT, scenario="normal", speed=1) as site:
                    _take_calm(Camera(browser, site), asked.scenes, asked.settle)
            if asked.only != "calm":
                with open_site(_DWELL_S, scenes=_KEPT, speed=1, begun_min=FLOOD_MIN) as site:
                    _take_flood(Camera(browser, site), asked.scenes, asked.settle)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _take_calm(camera: Camera, scenes: Sequence[str], settle_s: float) -> None:
    _settle("the calm day", settle_s)
    for scene in scenes or camera.site.city.screens.scenes:
        camera.take_scene(f"{scene}-calm", scene)
    if scenes:
        return
    simulator = f"http://127.0.0.1:{camera.site.port + 1}/{_SILENT}/_fault"
    httpx.post(simulator, json={"kind": "off"}, timeout=30, trust_env=False).raise_for_status()
    path = f"/wall/{SCREEN}?scene={_SILENT_SCENE}&window=24h&thumb=1"
    camera.take("source-silent", path, WALL, _SILENCE % _SILENT, "")


def _take_flood(camera: Camera, scenes: Sequence[str], settle_s: float) -> None:
    _settle("the flood night", 2 * settle_s)
    for scene in scenes or camera.site.city.screens.scenes:
        camera.take_scene(f"{scene}-flood", scene)
    if scenes:
        return
    camera.take("alarm", f"/wall/{SCREEN}?thumb=1", WALL, _INTERRUPTED, "")
    camera.take("video-wall", "/wall/dinding?thumb=1", VIDEO_WALL, _READY, "")
    # A wall that is alive, so that the page about walls has one.
    with camera._opened(f"/wall/{SCREEN}", WALL) as wall:
        wall.wait_for_function(_READY, arg="", timeout=_PATIENCE_MS)
        wall.wait_for_timeout(15_000)
        ready = "() => document.querySelectorAll('iframe, .wall-card, [data-screen]').length > 0"
        camera.take("screens", "/screens", DESK, ready, "")


def _settle(what: str, seconds: float) -> None:
    print(f"{what} is well; waiting {seconds:.0f} s for courses to be drawn", flush=True)
    time.sleep(seconds)


def keep(name: str, picture: bytes) -> None:
    """Write a picture with few colours, small enough for a document."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    if image.width > WALL[0]:
        image = image.resize((WALL[0], round(image.height * WALL[0] / image.width)))
    data = b""
    for colours, scale in _STEPS:
        data = encode(image, colours, scale)
        if len(data) <= _LARGEST_BYTES:
            break
    (FOLDER / f"{name}.png").write_bytes(data)
    print(f"{name}.png  {len(data) / 1000:.0f} kB, {colours} colours", flush=True)


def encode(image: Image.Image, colours: int, scale: float) -> bytes:
    """A PNG with a palette fitted to the picture."""
    if scale < 1:
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    # Without dithering: even areas stay even, and small. The rounds keep the colours of the tokens.
    fitted = image.quantize(
        colours, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE
    )
    out = io.BytesIO()
    fitted.save(out, "PNG", optimize=True)
    return out.getvalue()


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--scenes",
        type=lambda text: [each for each in text.split(",") if each],
        default=[],
        help="only these, by commas, and nothing else",
    )
    parser.add_argument(
        "--settle", type=float, default=300.0, help="seconds before a city is looked at"
    )
    parser.add_argument("--only", choices=("calm", "flood"), help="one of the two cities")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
