"""The scene of cameras on the demonstration: pictures that move, and what is wrong told as such.

Which camera does what follows from the simulator's seed and the time, so that it is known here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from lawang.domain.clock import utc_now
from simulator.cctv.cameras import Camera, Condition, find_condition, list_cameras
from simulator.settings import DEFAULT_SEED
from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.installation.running import PALEMBANG, Demo, copy_pack, run_demo

pytestmark = pytest.mark.browser

PATIENCE_S = 120
_BOARD = '[cameras]\nsources = ["cctv"]\n'
_SCREENS = """
[scenes.kamera]
name_id = "Kamera"
name_en = "Cameras"
panels = ["cameras"]

[screens.utama]
name = "Utama"
size = [1920, 1080]
playlist = "siang"

[[playlists.siang.items]]
scene = "kamera"
dwell_s = 30
"""
_CAPACITY = "document.querySelectorAll('.cam-one').length"
_LIVE = "document.querySelectorAll('.cam-one[data-state=live], .cam-one[data-state=still]').length"


@pytest.fixture(scope="module")
def camera_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demonstration that has the city's cameras beside e-lapor: the shared one has none."""
    folder = tmp_path_factory.mktemp("cameras")
    pack = copy_pack(folder)
    shutil.copy(PALEMBANG / "sources" / "cctv.toml", pack / "sources")
    (pack / "board.toml").write_text(_BOARD, encoding="utf-8")
    (pack / "screens.toml").write_text(_SCREENS, encoding="utf-8")
    with run_demo(folder, LAWANG_CITY=str(pack)) as running:
        yield running


@pytest.fixture(scope="module")
def cameras(camera_demo: Demo, open_shared_screen: OpenScreen) -> Screen:
    """One wall on which only cameras are shown."""
    return open_shared_screen(camera_demo, "/wall?scene=kamera")


#: Answers the list of cameras late and by an error; writes down when it was asked for, in seconds,
#: and how many other answers were still awaited then.
_NO_LIST = """(() => {
  const real = window.fetch;
  let awaited = 0;
  window.__lists = [];
  window.fetch = (address, ...rest) => {
    if (address !== '/api/v1/cameras') return real(address, ...rest);
    window.__lists.push([performance.now() / 1000, awaited]);
    awaited += 1;
    return new Promise((done) => setTimeout(() => {
      awaited -= 1;
      done(new Response('', { status: 503 }));
    }, 2500));
  };
})()"""


def wait(screen: Screen, condition: str) -> None:
    screen.wait(f"() => !!({condition})", PATIENCE_S)


def of_condition(*conditions: Condition) -> list[Camera]:
    now = utc_now()
    public = [each for each in list_cameras(DEFAULT_SEED) if each.is_public]
    return [each for each in public if find_condition(DEFAULT_SEED, each, now) in conditions]


def test_pictures_of_cameras_move(cameras: Screen) -> None:
    wait(cameras, "document.querySelector('.cam-one[data-state=live] video')?.currentTime > 0")


def test_twelve_cameras_fit_a_wall_and_no_more_are_played(cameras: Screen) -> None:
    wait(cameras, f"{_CAPACITY} > 0 && {_LIVE} > 0")
    assert cameras.page.evaluate(_CAPACITY) <= 12
    assert cameras.page.evaluate("document.querySelectorAll('video').length") <= 12


def test_the_wall_counts_cameras_without_a_stream(cameras: Screen) -> None:
    wait(cameras, "document.querySelector('.cam-counts')?.textContent.includes('11 tanpa siaran')")


def test_pages_turn_to_other_cameras(cameras: Screen) -> None:
    first = "document.querySelector('.cam-one').dataset.camera"
    wait(cameras, f"{_CAPACITY} > 0")
    before = cameras.page.evaluate(first)
    wait(cameras, f"{first} !== '{before}'")


def test_a_dead_camera_is_told_as_dead(cameras: Screen) -> None:
    """Whether its list says so or its server answers nothing."""
    dead = of_condition(Condition.DEAD, Condition.UNTOLD)
    if not dead:
        pytest.skip("through this watch of six hours no camera is dead")
    place = f"document.querySelector('[data-camera=\"cctv:{dead[0].id}\"]')"
    wait(cameras, f"{place}?.dataset.state === 'dead'")
    # Said by a word and a shape, too.
    wait(cameras, f"{place}?.querySelector('.cam-state').textContent.includes('mati')")


def test_nothing_of_a_camera_comes_from_another_host(cameras: Screen) -> None:
    wait(cameras, f"{_LIVE} > 0")
    assert cameras.foreign == []


def test_a_frozen_camera_is_told_as_frozen(cameras: Screen) -> None:
    frozen = [each for each in of_condition(Condition.FROZEN) if each.has_stream]
    if not frozen:
        pytest.skip("through this watch of six hours no camera is frozen")
    place = f"document.querySelector('[data-camera=\"cctv:{frozen[0].id}\"]')"
    wait(cameras, f"{place}?.dataset.state === 'frozen'")


def test_a_list_that_fails_is_asked_for_once_at_a_time_and_again_in_a_while(
    camera_demo: Demo, open_screen: OpenScreen
) -> None:
    wall = open_screen(camera_demo)
    wall.page.add_init_script(_NO_LIST)
    wall.go("/wall?scene=kamera")
    wait(wall, "window.__lists?.length >= 2")
    (first, _), (second, awaited) = wall.page.evaluate("window.__lists")[:2]
    assert awaited == 0
    assert second - first > 8
