"""What scenes say of figures that are not whole: silent clinics and counters, targets of nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.glass import FAULTS, LEAST_REM, show_interrupt, show_scene, show_thirds
from tests.browser.programme import ProgrammeDemo
from tests.browser.screen import Screen

pytestmark = pytest.mark.browser

FULL_HD = {"width": 1920, "height": 1080}
SMALL_VIDEO_WALL = {"width": 1920, "height": 720}

#: Give a scene a panel with some values changed, and say what is in its tiles and what is wrong.
_CHANGE = f"""async ([scene, name, changes, least]) => {{
  const cell = [...lawang.wall.cells.values()]
    .find((each) => each.handle && each.item.scene === scene);
  const merge = (one, other) => Object.fromEntries(
    [...new Set([...Object.keys(one), ...Object.keys(other)])]
      .map((key) => [key, !(key in other) ? one[key]
        : one[key] && other[key] && other[key].constructor === Object
          ? merge(one[key], other[key]) : other[key]])
      .filter(([, value]) => value !== null));
  cell.handle.update(name, merge(lawang.live.panel(name) || {{}}, changes), undefined, null);
  for (let frame = 0; frame < 2; frame += 1)
    await new Promise((done) => requestAnimationFrame(done));
  const tiles = {{}};
  for (const tile of cell.holder.querySelectorAll('[data-tile]')) {{
    const said = tile.innerText.replace(/[\\s\\u00a0\\u202f]+/g, ' ').trim();
    tiles[tile.dataset.tile] = said;
  }}
  const found = ({FAULTS})(least);
  return [tiles, Object.fromEntries(Object.entries(found).filter(([, texts]) => texts.length))];
}}"""


@pytest.fixture(scope="module")
def shared(wall_demo: ProgrammeDemo, open_shared_screen: OpenScreen) -> Screen:
    wall = open_shared_screen(wall_demo, "/wall/dinding")
    wall.wait("() => document.querySelector('#live-root')?.dataset.connection === 'live'")
    wall.wait("() => window.lawang.live.panel('programme') && document.querySelector('.scene')")
    return wall


@pytest.fixture
def wall(shared: Screen) -> Iterator[Screen]:
    yield shared
    assert shared.complaints == []


def change(wall: Screen, scene: str, panel: str, **changes: Any) -> tuple[dict[str, str], Any]:
    tiles, faults = wall.script(_CHANGE, [scene, panel, changes, LEAST_REM])
    return tiles, faults


def resize(wall: Screen, size: dict[str, int]) -> None:
    wall.page.set_viewport_size({"width": size["width"], "height": size["height"]})
    wall.wait(
        "([wide, high]) => innerWidth === wide && innerHeight === high", argument=[*size.values()]
    )


def test_ambulances_not_heard_of_are_not_ready(wall: Screen) -> None:
    resize(wall, FULL_HD)
    show_scene(wall, "kesehatan")
    counts = {"active": 1, "standby": 2, "off": 3, "unknown": 0, "old": 4, "total": 10}
    tiles, faults = change(wall, "kesehatan", "clinics", ambulances=counts)
    assert "2 1 bertugas · 3 tidak jalan · dari 10 · ◐ 4 tidak terdengar" in tiles["ambulances"]
    assert faults == {}
    tiles, _ = change(wall, "kesehatan", "clinics", ambulances=None)
    assert tiles["ambulances"].endswith("–")


def test_silent_clinics_are_in_no_figure_and_bear_no_light(wall: Screen) -> None:
    resize(wall, FULL_HD)
    show_scene(wall, "kesehatan")
    told = wall.script("() => Object.keys(lawang.live.panel('clinics').clinics)")
    silent = {name: {"old": True, "waiting": 5, "minutes": 99} for name in told}
    changes = {"clinics": silent, "waiting": None, "median_minutes": None, "missing": len(told)}
    tiles, faults = change(wall, "kesehatan", "clinics", **changes)
    assert f"– di 0 dari {len(told)} puskesmas" in tiles["waiting"]
    assert f"– mnt ◐ {len(told)} puskesmas tidak memberi kabar" in tiles["minutes"]
    assert "○" in tiles["queues"]
    assert not any(sign in tiles["queues"] for sign in "●◆▲")
    assert faults == {}


def test_a_medicine_counted_long_ago_is_neither_low_nor_enough(wall: Screen) -> None:
    resize(wall, FULL_HD)
    show_scene(wall, "kesehatan")
    kept = {"name_id": "Stok uji", "unit": "tablet"}
    stock = {"a": {**kept, "clinics": 20, "low": 3, "missing": 19}}
    stock["b"] = {**kept, "clinics": 0, "missing": 39}
    measures = wall.script("() => Object.keys(lawang.live.panel('clinics').stock)")
    gone = dict.fromkeys(measures)
    tiles, faults = change(wall, "kesehatan", "clinics", stock=gone | stock)
    assert "▲ Stok uji 3 dari 20 · ◐ 19 usang ○ Stok uji 0 puskesmas · ◐ 39 usang" in tiles["stock"]
    assert faults == {}


def test_counters_that_are_silent_are_counted_wherever_the_scene_is(wall: Screen) -> None:
    silent = {"ektp": {"missing": 12}, "paten": {"missing": 17, "rejected": 12}}

    def look() -> None:
        tiles, faults = change(wall, "layanan", "desks", **silent)
        assert tiles["ektp"].endswith("◐ 12 kecamatan diam")
        assert tiles["paten"].endswith("◐ 17 kecamatan diam")
        assert faults == {}

    resize(wall, FULL_HD)
    show_scene(wall, "layanan")
    look()
    show_interrupt(wall, "layanan")
    look()
    resize(wall, SMALL_VIDEO_WALL)
    show_thirds(wall, ["kota", "kejadian", "layanan"])
    look()


def test_tiles_say_that_their_targets_are_simulated(wall: Screen) -> None:
    resize(wall, FULL_HD)
    titles = {}
    for scene in ("layanan", "kesehatan", "keuangan"):
        show_scene(wall, scene)
        titles[scene] = wall.script(
            "() => [...document.querySelectorAll('.tile-title')].map((each) => each.textContent)"
        )
    assert "Janji layanan yang ditepati · target simulasi" in titles["layanan"]
    assert "Indikator kesehatan · target simulasi" in titles["kesehatan"]
    assert "Belanja · target simulasi" in titles["keuangan"]
    assert "Pendapatan" in titles["keuangan"]
