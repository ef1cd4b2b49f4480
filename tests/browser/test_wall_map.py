"""The map of a wall: everything on canvas, nothing left out silently, the same for every screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.browser.wall_site import WallSite

pytestmark = pytest.mark.browser

#: A wall whose one map fills the glass, and panels that a test gives it.
_OPEN = """() => {
  lawang.wall.scene("peta", {
    panels: [],
    mount(root, context) {
      const slot = document.createElement("div");
      slot.id = "slot";
      slot.style.cssText = "position:absolute;inset:0";
      root.append(slot);
      const layers = ["regions", "incidents", "vehicles", "gauges", "cameras", "warnings"];
      window.peta = context.map({ slot, layers, window: "6h" });
      return {};
    },
  });
  lawang.wall.settings().scene = "peta";
  lawang.wall.resume();
}"""
_FEED = """() => {
  const ago = (s) => new Date((lawang.live.now() - s) * 1000).toISOString();
  const features = {};
  for (let n = 0; n < 300; n += 1)
    features[`elapor:${n}`] = {
      p: [104.70 + (n % 20) * 0.006, -2.93 - Math.floor(n / 20) * 0.005],
      c: "<img src=x onerror=alert(1)>", s: "proses", d: n % 2, t: ago(600), k: "16.71.06",
    };
  features["elapor:tua"] = { p: [104.76, -2.98], c: "jalan", s: "proses", d: 0, t: ago(30000) };
  peta.update("incidents", { sources: [], features, total: 310, unlocated: 9 });
  peta.update("regions", { sources: [], open: { "16.71.06": 12 }, unlocated: 4 });
  const things = {};
  for (let n = 0; n < 40; n += 1)
    things[`bus:${n}`] = {
      k: "bus", n: "<b>", p: [104.7 + n * 0.002, -2.97], s: "aktif", t: ago(5),
    };
  things["bus:tua"] = { k: "bus", n: "x", p: [104.75, -2.99], s: "aktif", t: ago(4000) };
  peta.update("vehicles", { sources: [], things, kinds: { bus: { total: 41 } }, old_after_s: 300,
    unlocated: 2 });
  peta.update("water", {
    sources: [], measure: { name_id: "Muka air", name_en: "Level", unit: "cm" }, unlocated: 1,
    marks: [{ rule: "siaga", severity: "major", over: 100 }],
    gauges: {
      a: { n: "A", p: [104.74, -3.0], v: 120, at: ago(60), mark: "siaga" },
      b: { n: "B", p: [104.80, -2.95], v: 20, at: ago(60) },
    },
  });
  peta.update("cameras", {
    sources: [], cameras: { c: { n: "C", p: [104.76, -2.99], s: "mati" } },
  });
  peta.update("warnings", {
    sources: [], warnings: { w: { severity: "severe", regions: ["16.71.06"] },
      x: { severity: "minor", regions: [] } },
  });
}"""


@pytest.fixture(scope="module")
def shared_map(wall_site: WallSite, open_shared_screen: OpenScreen) -> Screen:
    screen = open_shared_screen(wall_site, "/wall/operator?thumb=1")
    screen.wait("() => lawang.live.config() && lawang.wall.cells.size")
    screen.wait("() => document.querySelector('.wall-map .leaflet-pane')")
    screen.script(_OPEN)
    screen.wait("() => peta.state().labels?.regions.length")
    screen.script(_FEED)
    screen.wait("() => peta.state().incidents.reports === 300")
    screen.wait("() => document.querySelector('.map-left-out')?.textContent.includes('300')")
    return screen


@pytest.fixture
def wall_map(shared_map: Screen) -> Iterator[Screen]:
    """The module's map, with nothing chosen and six hours in force."""
    yield shared_map
    shared_map.script(
        "() => { lawang.wall.select({}); if (document.querySelector('.map-chip')) chip('6 jam'); }"
    )


@pytest.fixture(scope="module", autouse=True)
def _chip(shared_map: Screen) -> None:
    shared_map.script(
        "() => { window.chip = (word) => [...document.querySelectorAll('.map-chip')]"
        ".find((each) => each.textContent === word).click(); }"
    )


def state(screen: Screen) -> dict[str, Any]:
    found: dict[str, Any] = screen.script("() => peta.state()")
    return found


def test_no_mark_is_an_element_of_the_document(wall_map: Screen) -> None:
    drawn = state(wall_map)
    assert drawn["incidents"]["clusters"] > 3
    assert drawn["vehicles"]["things"] == 41
    marks = ".leaflet-marker-icon, .leaflet-popup, .leaflet-tooltip, .wall-map img"
    assert wall_map.page.locator(marks).count() == 0
    elements = wall_map.page.locator(".wall-map .leaflet-map-pane *").count()
    assert elements < 40, "fewer than there are vehicles"


def test_what_is_not_on_the_map_is_said_beside_it(wall_map: Screen) -> None:
    said = wall_map.text(".map-left-out")
    assert "300 dari 310 laporan di peta" in said
    assert "9 tanpa titik" in said
    assert "2 kendaraan tanpa lokasi" in said
    assert "1 alat ukur tanpa lokasi" in said
    assert "1 peringatan tanpa wilayah" in said


def test_the_window_in_force_is_marked_and_another_can_be_chosen(wall_map: Screen) -> None:
    pressed = wall_map.page.locator('.map-chip[aria-pressed="true"]')
    assert pressed.all_inner_texts() == ["6 jam"]
    wall_map.script("() => chip('24 jam')")
    wall_map.wait("() => peta.state().incidents.reports === 301")
    assert pressed.all_inner_texts() == ["24 jam"]


def test_a_vehicle_not_heard_for_long_is_told_from_the_others(wall_map: Screen) -> None:
    assert state(wall_map)["vehicles"]["old"] == 1


def test_a_gauge_shows_its_value_and_a_dead_camera_is_struck(wall_map: Screen) -> None:
    drawn = state(wall_map)
    assert (drawn["gauges"]["marks"], drawn["gauges"]["values"]) == (2, 2)
    assert drawn["cameras"] == {"marks": 1, "dead": 1}
    assert drawn["warnings"] == {"areas": 1, "placeless": 1}


def test_inhabitants_that_nobody_knows_give_no_rate(wall_map: Screen) -> None:
    assert state(wall_map)["regions"]["measures"] == ["open", "density"]


def test_the_shades_say_something_else_when_their_name_is_touched(wall_map: Screen) -> None:
    assert wall_map.text(".map-measure") == "Laporan terbuka · 6 jam"
    before = state(wall_map)["regions"]["values"]["16.71.06"]
    wall_map.page.locator(".map-measure").click()
    wall_map.wait("() => peta.state().regions.measure === 'density'")
    wall_map.wait("() => document.querySelector('.map-measure').textContent.includes('per km²')")
    assert 0 < state(wall_map)["regions"]["values"]["16.71.06"] != before
    wall_map.page.locator(".map-measure").click()
    wall_map.wait("() => peta.state().regions.measure === 'open'")


def test_a_region_that_is_touched_is_chosen_for_every_panel(wall_map: Screen) -> None:
    wall_map.script(
        "() => document.addEventListener('wall:select', (e) => (window.chosen = e.detail))"
    )
    box = wall_map.page.locator(".wall-map .map").bounding_box()
    assert box is not None
    wall_map.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2.6)
    wall_map.wait("() => window.chosen && window.chosen.kecamatan")


def test_names_on_the_map_are_large_enough_and_do_not_cover_each_other(wall_map: Screen) -> None:
    names = state(wall_map)["labels"]
    rem = wall_map.script("() => parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert names["size"] >= 1.375 * rem
    assert 5 < len(names["regions"]) <= 18


def test_a_vehicle_glides_to_its_last_place_and_never_beyond(wall_map: Screen) -> None:
    wall_map.script(
        """() => {
          const panel = (s, lon) => ({ sources: [], kinds: {}, unlocated: 0, things: { v: {
            k: "bus", n: "v", p: [lon, -2.97], s: "aktif",
            t: new Date((lawang.live.now() - s) * 1000).toISOString() } } });
          peta.update("vehicles", panel(2, 104.75));
          peta.update("vehicles", panel(1, 104.7502));
        }"""
    )
    where = "() => lawang.wall.cells.get('').placed.at('v') * 360 - 180"
    first = wall_map.script(where)
    assert 104.75 <= first < 104.7502
    wall_map.wait("() => lawang.wall.cells.get('').placed.at('v') * 360 - 180 >= 104.75019999")
    assert wall_map.script(where) == pytest.approx(104.7502, abs=1e-9)


def test_a_released_map_keeps_no_picture(wall_map: Screen) -> None:
    """Last of this module: the map is gone afterwards."""
    wall_map.script("() => { lawang.wall.settings().scene = 'sumber'; lawang.wall.resume(); }")
    left = "[...document.querySelectorAll('.map-sheet')].every((each) => each.width === 0)"
    wall_map.wait(f"() => {left}")
    wall_map.wait(
        "() => getComputedStyle(document.querySelector('.map-holder')).visibility === 'hidden'"
    )
