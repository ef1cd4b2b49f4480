"""The ground beneath the map: tiles that come, tiles that stay away, roads, rain and heat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from lawang.city import City
from tests.api.test_tiles import Origin, run_origin
from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.browser.wall_site import WallSite, open_wall_site

pytestmark = pytest.mark.browser

#: A road across the city, as `regions/roads.geojson` of a pack may have it.
_ROADS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "Jalan uji"},
            "geometry": {"type": "LineString", "coordinates": [[104.62, -2.93], [104.86, -3.04]]},
        }
    ],
}
_OPEN = """() => {
  lawang.wall.scene("peta", {
    panels: [],
    mount(root, context) {
      const slot = document.createElement("div");
      slot.style.cssText = "position:absolute;inset:0";
      root.append(slot);
      window.peta = context.map({ slot, layers: ["regions", "heat", "rain"], window: "6h" });
      return {};
    },
  });
  lawang.wall.settings().scene = "peta";
  lawang.wall.resume();
}"""
_FEED = """() => {
  const ago = (s) => new Date((lawang.live.now() - s) * 1000).toISOString();
  const features = {};
  for (let n = 0; n < 40; n += 1)
    features[`elapor:${n}`] = {
      p: [104.74 + (n % 8) * 0.002, -2.97], c: "jalan", s: "proses", d: 0, t: ago(600),
    };
  peta.update("incidents", { sources: [], features, total: 40, unlocated: 0 });
  peta.update("rain", {
    sources: [], measure: { name_id: "Hujan", name_en: "Rain", unit: "mm/jam" }, unlocated: 2,
    marks: [{ rule: "lebat", severity: "minor", over: 10 }],
    gauges: { a: { n: "A", p: [104.74, -3.0], v: 12, at: ago(60), mark: "lebat" } },
  });
}"""
_LOADED = """() => [...document.querySelectorAll('.leaflet-tile-loaded')]
  .filter((each) => each.naturalWidth > 1).length"""
#: Painted points of a pane's canvases, at about a colour of the map's own.
_PAINTED = """([pane, tone]) => {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${tone}`).trim();
  const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  let found = 0;
  for (const canvas of document.querySelectorAll(`.leaflet-${pane}-pane canvas`)) {
    if (!canvas.width) continue;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] > 100 && wanted.every((each, n) => Math.abs(data[at + n] - each) < 6))
        found += 1;
  }
  return found;
}"""


def _picture() -> bytes:
    kept = BytesIO()
    Image.new("RGB", (256, 256), "#8899aa").save(kept, "PNG")
    return kept.getvalue()


@pytest.fixture(scope="module")
def ground() -> Iterator[Origin]:
    """A tile server on loopback, with a picture for every place."""
    with run_origin() as running:
        running.says = _picture()
        yield running


@pytest.fixture(scope="module")
def site(
    ground: Origin,
    city: City,
    valkey_url: str,
    _migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[WallSite]:
    own = replace(city, roads_geojson=_ROADS)
    tiles = f"http://127.0.0.1:{ground.port}/{{z}}/{{x}}/{{y}}.png"
    folder = tmp_path_factory.mktemp("ground")
    with open_wall_site(own, valkey_url, _migrated_sqlite, folder, tiles) as running:
        yield running


def open_map(site: WallSite, open_screen: OpenScreen) -> Screen:
    screen = open_screen(site, "/wall/operator?thumb=1")
    screen.wait("() => lawang.live.config() && lawang.wall.cells.size")
    screen.wait("() => document.querySelector('.wall-map .leaflet-pane')")
    screen.script(_OPEN)
    screen.wait("() => window.peta && peta.state().labels?.regions.length")
    screen.script(_FEED)
    screen.wait("() => peta.state().heat.warm === 40")
    return screen


def test_tiles_lie_beneath_the_packs_own_lines(
    site: WallSite, ground: Origin, open_screen: OpenScreen
) -> None:
    screen = open_map(site, open_screen)
    screen.wait(f"() => ({_LOADED})() > 3")
    assert ground.asked
    assert screen.foreign == [], "the browser asks our own host alone"
    screen.wait(f"() => ({_PAINTED})(['lines', 'map-road']) > 50")
    drawn = screen.script("() => peta.state()")
    assert (drawn["rain"]["marks"], drawn["rain"]["values"]) == (1, 1)
    assert "2 alat ukur tanpa lokasi" in screen.text(".map-left-out")


def test_without_the_tile_server_the_city_is_still_there(
    site: WallSite, ground: Origin, open_screen: OpenScreen
) -> None:
    ground.status = 503
    ground.says = b"gone"
    site.stop()
    site.start()
    screen = open_map(site, open_screen)
    screen.wait(f"() => ({_PAINTED})(['lines', 'map-road']) > 50")
    screen.wait(f"() => ({_PAINTED})(['regions', 'map-edge']) > 500")
    assert screen.script(_LOADED) == 0
    shown = screen.script(
        """() => [...document.querySelectorAll('.leaflet-tile')]
          .filter((each) => each.checkVisibility({ opacityProperty: true,
            visibilityProperty: true }) && !each.naturalWidth).length"""
    )
    assert shown == 0, "no sign of a broken picture"
    screen.complaints.clear()
