"""Every scene on every glass: whole, readable from five metres, and each tile with its age."""

from __future__ import annotations

from collections.abc import Iterator
from math import atan, degrees, sqrt
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from lawang.city.screens import SCENES
from lawang.settings import ROOT
from tests.browser.conftest import OpenScreen
from tests.browser.glass import (
    LEAST_REM,
    faults,
    show_interrupt,
    show_scene,
    show_thirds,
    tell_nothing,
    with_longest_ages,
)
from tests.browser.programme import ProgrammeDemo
from tests.browser.screen import Screen

pytestmark = pytest.mark.browser

#: As many as fit beside each other; the last stands alone.
THIRDS = tuple(SCENES[first : first + 3] for first in range(0, len(SCENES), 3))
FULL_HD, ULTRA_HD, VIDEO_WALL = (1920, 1080), (3840, 2160), (5760, 2160)
#: The same picture as the video wall, with a ninth of its pixels to paint.
SMALL_VIDEO_WALL = (1920, 720)

#: The rule of docs/walls.md: capital letters of so many minutes of arc, on this screen, from here.
LEAST_ARC_MINUTES = 7.0
DISTANCE_MM = 5000.0
DIAGONAL_MM = 55 * 25.4
#: A main figure, which a whole scene is looked at for.
LEAST_FIGURE_PX = 64

_FIGURES = """() => [...document.querySelectorAll('.scene .figure:not(.small) .figure-value')]
  .filter((each) => each.checkVisibility())
  .map((each) => parseFloat(getComputedStyle(each).fontSize))"""
#: Reports on the map, open ones with a point, and those about floods, of the last seven days.
_FLOODS = """() => {
  const wall = window.lawang.wall;
  const cell = [...wall.cells.values()].find((each) => each.item?.scene === 'bencana');
  const drawn = cell?.placed?.state().incidents;
  const week = window.lawang.live.now() - 7 * 86400;
  const features = Object.values(window.lawang.live.panel('incidents').features)
    .filter((each) => window.lawang.live.seconds(each.t) >= week);
  const floods = features.filter((each) => ['banjir', 'drainase'].includes(each.c));
  return drawn?.reports && [drawn.reports, features.length, floods.length];
}"""
#: What the foot says beside no alert, of an alarms panel with these fields.
_BESIDES = """(fields) => {
  const panel = window.lawang.live.panel('alarms');
  const kept = { ...panel };
  Object.assign(panel, { alarms: {}, rules: 14 }, fields);
  window.lawang.wall.banner(panel);
  const said = document.getElementById('alarm-line').textContent;
  Object.assign(panel, kept);
  window.lawang.wall.banner(panel);
  return said;
}"""
_CAPITAL = """async () => {
  await document.fonts.load('100px B612');
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = '1000px B612';
  return [document.fonts.check('100px B612'), pen.measureText('H').actualBoundingBoxAscent / 1000];
}"""


def open_wall(opened: OpenScreen, demo: ProgrammeDemo, path: str) -> Screen:
    wall = opened(demo, path)
    wall.wait("() => document.querySelector('#live-root')?.dataset.connection === 'live'")
    wall.wait("() => window.lawang.live.panel('programme') && document.querySelector('.scene')")
    return wall


@pytest.fixture(scope="module")
def glass(wall_demo: ProgrammeDemo, open_shared_screen: OpenScreen) -> Screen:
    """One whole screen, on which the tests put one scene after the other."""
    return open_wall(open_shared_screen, wall_demo, "/wall/tetap?scene=kota")


@pytest.fixture(scope="module")
def video_wall(wall_demo: ProgrammeDemo, open_shared_screen: OpenScreen) -> Screen:
    """Three scenes side by side."""
    wall = open_wall(open_shared_screen, wall_demo, "/wall/dinding")
    resize(wall, SMALL_VIDEO_WALL)
    return wall


@pytest.fixture(autouse=True)
def quiet(glass: Screen, video_wall: Screen) -> Iterator[None]:
    """No screen may complain in its console."""
    yield
    assert glass.complaints == []
    assert video_wall.complaints == []


def resize(wall: Screen, size: tuple[int, int]) -> None:
    if wall.page.viewport_size != {"width": size[0], "height": size[1]}:
        wall.page.set_viewport_size({"width": size[0], "height": size[1]})
        wall.wait("([wide]) => innerWidth === wide", argument=list(size))


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_is_whole_and_readable(glass: Screen, scene: str) -> None:
    resize(glass, FULL_HD)
    show_scene(glass, scene)
    assert faults(glass) == {}
    assert min(glass.script(_FIGURES), default=LEAST_FIGURE_PX) >= LEAST_FIGURE_PX
    assert pale_texts(glass) == []


@pytest.mark.parametrize("size", [ULTRA_HD, VIDEO_WALL], ids=lambda size: f"{size[0]}x{size[1]}")
def test_scenes_are_whole_on_larger_glass(glass: Screen, size: tuple[int, int]) -> None:
    resize(glass, size)
    found = {}
    for scene in SCENES:
        show_scene(glass, scene)
        found[scene] = faults(glass)
    assert found == {scene: {} for scene in SCENES}


@pytest.mark.parametrize("scenes", THIRDS, ids="+".join)
def test_scenes_are_whole_in_a_third_of_a_video_wall(
    video_wall: Screen, scenes: tuple[str, ...]
) -> None:
    show_thirds(video_wall, scenes)
    assert faults(video_wall) == {}


def test_scenes_are_whole_beside_an_alarm(glass: Screen) -> None:
    resize(glass, FULL_HD)
    found = {}
    for scene in SCENES:
        show_interrupt(glass, scene)
        found[scene] = faults(glass)
    assert found == {scene: {} for scene in SCENES}


def test_scenes_are_whole_in_english(wall_demo: ProgrammeDemo, open_screen: OpenScreen) -> None:
    """Whole, in a third of a video wall, and beside an alarm: words have other lengths."""
    wall = open_wall(open_screen, wall_demo, "/wall/dinding?lang=en")
    found = {}
    for scene in SCENES:
        show_scene(wall, scene)
        found[scene] = faults(wall)
        show_interrupt(wall, scene)
        found[f"{scene} beside an alarm"] = faults(wall)
    resize(wall, SMALL_VIDEO_WALL)
    for scenes in THIRDS:
        show_thirds(wall, scenes)
        found["+".join(scenes)] = faults(wall)
    assert {where: what for where, what in found.items() if what} == {}
    assert wall.complaints == []


def test_the_flood_scene_shows_floods_where_its_item_names_no_category(glass: Screen) -> None:
    """An item of a playlist without a category has an empty list of them."""
    resize(glass, FULL_HD)
    show_scene(glass, "bencana", category=[], window="7d")
    on_map, of_week, floods = glass.catch(_FLOODS)
    assert on_map == floods < of_week


def test_the_foot_says_what_nobody_watches(glass: Screen) -> None:
    resize(glass, FULL_HD)
    show_scene(glass, "kota")
    said = glass.script(_BESIDES, {"shelved": 2, "blind": {"air": 3, "sunyi": 1}})
    assert "2 dikesampingkan" in said
    assert "◐ 4 tak terpantau" in said


def test_a_narrowed_scene_says_by_what_and_is_whole(glass: Screen) -> None:
    resize(glass, FULL_HD)
    show_scene(glass, "kejadian", window="24h", category=["banjir", "kebakaran"])
    chips = glass.page.locator(".kej-map .chip").all_inner_texts()
    assert chips[0] == "24 jam terakhir"
    assert len(chips) == 3
    assert faults(glass) == {}


def test_nothing_is_cut_when_every_age_is_at_its_longest(glass: Screen) -> None:
    resize(glass, FULL_HD)
    found = {}
    for scene in SCENES:
        show_scene(glass, scene)
        found[scene] = with_longest_ages(glass)
    assert found == {scene: {} for scene in SCENES}


def test_a_tile_that_has_nothing_to_show_says_so(
    wall_demo: ProgrammeDemo, open_screen: OpenScreen
) -> None:
    wall = open_wall(open_screen, wall_demo, "/wall/tetap?scene=kota")
    found = {}
    for scene in SCENES:
        show_scene(wall, scene)
    tell_nothing(wall)
    for scene in SCENES:
        show_scene(wall, scene)
        found[scene] = faults(wall)
    assert wall.complaints == []
    assert found == {scene: {} for scene in SCENES}


def test_the_smallest_text_is_read_at_five_metres(glass: Screen) -> None:
    """Text is never smaller than LEAST_REM, which every test above measures."""
    is_there, capital = glass.script(_CAPITAL)
    assert is_there
    mm_per_px = DIAGONAL_MM * 16 / sqrt(16**2 + 9**2) / FULL_HD[0]
    height_mm = LEAST_REM * 16 * capital * mm_per_px
    assert degrees(atan(height_mm / DISTANCE_MM)) * 60 >= LEAST_ARC_MINUTES


def test_the_type_scale_begins_at_the_smallest_text() -> None:
    tokens = (ROOT / "assets" / "tokens.css").read_text(encoding="utf-8")
    assert f"--fs-1: {LEAST_REM}rem;" in tokens


def pale_texts(screen: Screen) -> list[str]:
    """Texts of too little contrast, as axe-core measures it; what is drawn in a map has none."""
    options: dict[str, Any] = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
    context = {"include": [[".wall"]], "exclude": [[".leaflet-container"], [".map-slot"]]}
    found = Axe().run(screen.page, context=context, options=options).response["violations"]
    return [
        f"{' '.join(map(str, node['target']))}: {node['any'][0]['message']}"
        for each in found
        for node in each["nodes"]
    ]
