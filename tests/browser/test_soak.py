"""A wall that turns through a flood night for a while: its heap, its heartbeats, its complaints.

The long soak is `lawang bench soak`; this one is as long as a test may be, with room for noise.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser

from benchmarks import soak
from benchmarks.figures import Figures
from benchmarks.wall.glass import WALL_READY, Heap, open_page
from benchmarks.wall.site import SCREEN, Site, open_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]

#: The scenes with a map or with most of the panels.
_SCENES = ("kota", "kejadian", "bencana", "transportasi")
_SECONDS = 45
_ROUNDS = 8
#: What the last scene of a round fades in with is over, and the one before it dropped.
_REST_MS = 1500
_SHOW = """async (scene) => {
  const wall = window.lawang.wall;
  wall.settings().scene = scene;
  wall.resume();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with open_site(5, scenes=_SCENES) as opened:
        yield opened


@pytest.fixture(scope="module")
def soaked(browser: Browser, site: Site) -> Figures:
    return soak.watch_wall(browser, site, _SECONDS)


@pytest.fixture(scope="module")
def turned(browser: Browser, site: Site) -> list[Heap]:
    """The heap after each round through all scenes of the pack, shown one after the other."""
    address = f"{site.url}/wall/{SCREEN}?scene=kota&thumb=1"
    heaps = []
    with open_page(browser, address, WALL_READY) as page:
        page.first_tile_ms()
        for _ in range(_ROUNDS):
            _turn(page.page, site)
            page.page.wait_for_timeout(_REST_MS)
            heaps.append(page.heap())
    # Scripts are compiled and pictures drawn for the first time in the first rounds.
    return heaps[2:]


def _each_round(counts: Iterable[int]) -> float:
    """What a round adds: of all rounds the middle one, as a first alarm comes in one of them."""
    return statistics.median(after - before for before, after in pairwise(counts))


def _turn(page: Any, site: Site) -> None:
    for scene in (*site.city.screens.scenes, "kota"):
        page.evaluate(_SHOW, scene)
        page.wait_for_function("(id) => !!document.querySelector(`.scene-${id}`)", arg=scene)


def test_the_heap_of_a_turning_wall_stays_as_it_is(soaked: Figures) -> None:
    assert soaked["heap_growth_percent"] < 15


def test_a_wall_in_a_flood_night_misses_no_heartbeat(soaked: Figures) -> None:
    assert (soaked["missed_beats"], soaked["beats"] >= 3) == (0, True)


def test_a_wall_in_a_flood_night_has_nothing_to_complain_of(soaked: Figures) -> None:
    assert (soaked["errors"], soaked["loads"]) == (0, 1)


def test_a_wall_shows_every_scene_of_its_programme(soaked: Figures) -> None:
    assert soaked["scenes"] == len(_SCENES)


def test_scenes_that_have_gone_leave_no_elements(turned: list[Heap]) -> None:
    assert _each_round(each.nodes for each in turned) < 0.04 * turned[0].nodes


def test_scenes_that_have_gone_leave_no_listeners(turned: list[Heap]) -> None:
    assert _each_round(each.listeners for each in turned) < 0.03 * turned[0].listeners


def test_scenes_that_have_gone_leave_nothing_in_the_heap(turned: list[Heap]) -> None:
    assert _each_round(each.used_bytes for each in turned) < 0.04 * turned[0].used_bytes
