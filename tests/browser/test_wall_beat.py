"""A wall tells how it is, does what it is told, and shows the right time with a wrong clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lawang.domain.clock import utc_now
from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.browser.wall_site import WallSite
from tests.installation.running import wait_until

pytestmark = pytest.mark.browser

WIB = ZoneInfo("Asia/Jakarta")
SCREEN = "utama"
#: A television that stands three hours and two minutes ahead.
_WRONG_CLOCK = """(() => {
  const ahead = (3 * 3600 + 2 * 60 + 20) * 1000;
  const Real = Date;
  window.Date = class extends Real {
    constructor(...given) { if (given.length) super(...given); else super(Real.now() + ahead); }
    static now() { return Real.now() + ahead; }
  };
})()"""
_HELD_HEAP = """(() => {
  window.__heap = 60e6;
  Object.defineProperty(performance, 'memory', { value: {
    get usedJSHeapSize() { return window.__heap; } } });
})()"""
#: Two parts of the page that fail as they start: one of any page, one of a wall.
_BROKEN_STARTS = """(() => {
  let live;
  window.lawang = { get live() { return live; }, set live(made) {
    live = made;
    live.started(() => {
      lawang.wall.care.start = () => { throw new Error('care'); };
      throw new Error('first');
    });
  } };
})()"""
_SHOWN = "(scene) => lawang.wall.items().some((item) => item.scene === scene)"


@pytest.fixture(scope="module")
def shared_beating(wall_site: WallSite, open_shared_screen: OpenScreen) -> Screen:
    return open_shared_screen(wall_site, f"/wall/{SCREEN}")


@pytest.fixture
def beating(shared_beating: Screen, wall_site: WallSite) -> Iterator[Screen]:
    """The module's wall, following its playlist."""
    wait_line(shared_beating)
    yield shared_beating
    wall_site.tell(SCREEN, "resume")


def wait_line(wall: Screen) -> None:
    wall.wait("() => lawang.live.config() && lawang.live.connection().state === 'live'")
    wall.wait("() => lawang.wall.items().length > 0")


def beat_of(site: WallSite, screen: str = SCREEN) -> dict[str, Any]:
    """The last heartbeat as the API tells it; empty while there is none."""
    return site.screen(screen)["beat"] or {}


def another_scene(site: WallSite) -> str:
    """A scene that the screen's playlist does not show now or next."""
    told = site.screen(SCREEN)
    shown = {item["scene"] for item in [*told["now"], *told["next"]]}
    return next(name for name in ("keuangan", "sumber", "kejadian") if name not in shown)


def test_a_beat_tells_build_scene_frames_heap_and_age(beating: Screen, wall_site: WallSite) -> None:
    wait_until(lambda: beat_of(wall_site), 40, "a heartbeat")
    beat = beat_of(wall_site)
    assert wall_site.screen(SCREEN)["state"] == "alive"
    assert beat["build"] == wall_site.get("/healthz")["build"]
    assert beat["scene"] in beating.script("() => lawang.wall.scenes()")
    assert 0 < beat["fps"] <= 250
    assert beat["heap_bytes"] > 1_000_000
    assert 0 <= beat["oldest_panel_s"] < 10
    assert abs(beat["skew_s"]) < 5


def test_a_told_scene_comes_and_goes(beating: Screen, wall_site: WallSite) -> None:
    scene = another_scene(wall_site)
    wall_site.tell(SCREEN, "scene", scene=scene, for_s=300)
    beating.wait(_SHOWN, argument=scene)
    wall_site.tell(SCREEN, "resume")
    beating.wait(f"(scene) => !({_SHOWN})(scene)", argument=scene)


def test_identify_puts_name_and_id_large_on_the_glass(beating: Screen, wall_site: WallSite) -> None:
    wall_site.tell(SCREEN, "identify")
    beating.wait("() => document.querySelector('.wall-identify')")
    assert beating.text(".identify-name") == wall_site.screen(SCREEN)["name"]
    assert beating.text(".identify-id") == SCREEN
    share = beating.script(
        "() => document.querySelector('.wall-identify').offsetWidth / innerWidth"
    )
    assert share == 1
    beating.wait("() => !document.querySelector('.wall-identify')")


def test_reload_loads_the_page_anew(beating: Screen, wall_site: WallSite) -> None:
    beating.script("() => { sessionStorage.clear(); window.__old = true; }")
    wall_site.tell(SCREEN, "reload")
    beating.wait("() => !window.__old")
    wait_line(beating)
    assert beating.script("() => sessionStorage.getItem('lawang-reload-why')") == "command"


def test_two_pages_of_one_tab_are_loaded_anew_one_after_the_other(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    """As the pictures of walls on the operator's desk are."""
    tab = open_screen(wall_site)
    for screen in (SCREEN, "operator"):
        tab.go(f"/wall/{screen}?thumb=1")
        wait_line(tab)
        tab.script("() => { window.__old = true; window.lawang.live.reload('uji'); }")
        tab.wait("() => !window.__old && document.readyState === 'complete'")


def test_a_part_that_cannot_start_leaves_line_programme_and_beat(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    wall = open_screen(wall_site)
    wall.page.add_init_script(_BROKEN_STARTS)
    wall.go("/wall/operator")
    wait_line(wall)
    wall.wait("() => /\\d/.test(document.querySelector('.scene [data-live-age]').textContent)")
    wait_until(lambda: beat_of(wall_site, "operator"), 40, "a heartbeat")
    assert sorted(text.split("\n")[0] for text in wall.complaints) == [
        "care Error: care",
        "start Error: first",
    ]


def test_errors_are_counted_and_told_without_what_they_were_about(
    beating: Screen, wall_site: WallSite
) -> None:
    before = beat_of(wall_site).get("errors", 0)
    beating.script(
        "() => { setTimeout(() => JSON.parse('{\"nama\": Budi}'));"
        " console.error('Siti, 0812', new TypeError('cannot read \"Rahasia\" of it')); }"
    )
    wait_until(lambda: beat_of(wall_site).get("errors", 0) >= before + 2, 60, "the two errors")
    told = beat_of(wall_site)["last_error"]
    assert "SyntaxError" in told or "TypeError" in told
    assert not re.search("Budi|nama|Siti|0812|Rahasia", told)


def test_a_line_that_is_lost_is_replaced_by_the_beats(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    wall = open_screen(wall_site, service_workers="block")
    wall.page.route("**/stream**", lambda route: route.abort())
    wall.go(f"/wall/{SCREEN}")
    scene = another_scene(wall_site)
    wall_site.tell(SCREEN, "scene", scene=scene, for_s=300)
    wall.wait(_SHOWN, argument=scene)
    assert wall.script("() => lawang.live.connection().state") != "live"
    wall_site.tell(SCREEN, "resume")


def test_a_revoked_key_is_said_and_the_picture_stays(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    keys = wall_site.installation.history.screens
    token, key = keys.make_token("Uji", "Uji", utc_now(), SCREEN)
    headers = {"Authorization": f"Bearer {key}"}
    wall = open_screen(wall_site, f"/wall/{SCREEN}", extra_http_headers=headers)
    wait_line(wall)
    assert wall.text("#wall-notice") == ""
    keys.revoke_token(token.id, utc_now())
    wall.wait("() => !document.querySelector('#wall-notice').hidden")
    assert "Kunci layar dicabut" in wall.text("#wall-notice")
    assert wall.script("() => document.querySelectorAll('.scene').length") >= 1


def test_a_picture_of_a_wall_does_not_beat(wall_site: WallSite, open_screen: OpenScreen) -> None:
    wall = open_screen(wall_site)
    asked: list[str] = []
    wall.page.on("request", lambda request: asked.append(request.url))
    wall.go("/wall/dinding?thumb=1")
    wall.wait("() => lawang.live.config()")
    until = wall.script("() => performance.now() + 6000")
    wall.wait("(until) => performance.now() > until", argument=until)
    assert [url for url in asked if "heartbeat" in url] == []
    assert wall_site.screen("dinding")["state"] == "never"


def test_a_heap_that_grew_loads_the_page_anew_at_the_next_turn(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    wall = open_screen(wall_site)
    wall.page.add_init_script(_HELD_HEAP)
    wall.go(f"/wall/{SCREEN}")
    wait_line(wall)
    wall.script("() => { window.__old = true; window.__heap = 300e6; }")
    until = wall.script("() => performance.now() + 3000")
    wall.wait("(until) => performance.now() > until && window.__old", argument=until)
    wall_site.tell(SCREEN, "scene", scene=another_scene(wall_site), for_s=300)
    wall.wait("() => !window.__old")
    assert wall.script("() => sessionStorage.getItem('lawang-reload-why')") == "heap"
    wall_site.tell(SCREEN, "resume")


def test_a_television_with_a_wrong_clock_and_zone_shows_the_citys_time_and_says_so(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    wall = open_screen(wall_site, timezone_id="America/New_York")
    wall.page.add_init_script(_WRONG_CLOCK)
    wall.go("/wall/operator")
    wait_line(wall)
    wall.wait("() => !document.querySelector('#clock-skew').hidden")
    assert "jam TV meleset 3 jam 02 mnt" in wall.text("#clock-skew")
    shown = datetime.strptime(wall.text("#clock-time").replace(".", ":"), "%H:%M:%S").time()
    now = datetime.now(WIB)
    apart = now - datetime.combine(now.date(), shown, WIB)
    # Around midnight the two may be on different days.
    assert min(apart.total_seconds() % 86_400, -apart.total_seconds() % 86_400) < 60
    assert str(now.year) in wall.text("#clock-date")
    wait_until(lambda: beat_of(wall_site, "operator").get("clock_wrong"), 60, "a wrong clock")
    assert 10_900 < beat_of(wall_site, "operator")["skew_s"] < 10_980
