"""The care of the glass: the picture moves and nothing is cut, night is darker, and it waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from api.door import content_security_policy
from layouts.door import history_away_page
from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.browser.wall_site import WallSite

pytestmark = pytest.mark.browser

WIB = ZoneInfo("Asia/Jakarta")
#: What stands out of the window when the picture is moved to [x, y] rem; parts of a pixel do not.
_OUTSIDE = """([x, y]) => {
  const root = document.querySelector('#live-root');
  const before = [root.style.transform, root.style.transition];
  root.style.transition = 'none';
  root.style.transform = `translate(${x}rem, ${y}rem)`;
  const outside = [root, ...root.querySelectorAll('.topbar, .foot, .cell, .tile')]
    .filter((each) => {
      const box = each.getBoundingClientRect();
      return box.width && (box.left < -0.5 || box.top < -0.5
        || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5);
    }).map((each) => each.className);
  [root.style.transform, root.style.transition] = before;
  return outside;
}"""
_SHADE = "() => Number(document.querySelector('.wall-shade').style.opacity)"


@pytest.fixture(scope="module")
def shared_glass(wall_site: WallSite, open_shared_screen: OpenScreen) -> Screen:
    return open_shared_screen(wall_site, "/wall/operator")


@pytest.fixture
def glass(shared_glass: Screen, wall_site: WallSite) -> Iterator[Screen]:
    """The module's wall by the server's time and without alarms."""
    shared_glass.wait("() => lawang.live.config() && document.querySelector('.wall-shade')")
    shared_glass.wait("() => lawang.live.connection().state === 'live'")
    yield shared_glass
    wall_site.clear()
    shared_glass.script("() => { lawang.live.now = window.__now ?? lawang.live.now; }")


def set_hour(wall: Screen, hour: int) -> datetime:
    """Let the wall believe that it is that hour of today in the city."""
    at = datetime.now(WIB).replace(hour=hour, minute=30, second=0, microsecond=0)
    wall.script(
        "(at) => { window.__now ??= lawang.live.now; lawang.live.now = () => at; }", at.timestamp()
    )
    return at


def test_the_picture_walks_over_a_quarter_rem_in_single_steps(glass: Screen) -> None:
    places = glass.script(
        "() => [...Array(120).keys()].map((step) => lawang.wall.care.place(step * 60 + 1))"
    )
    assert {x for x, _ in places} == {y for _, y in places} == {0, 0.0625, 0.125, 0.1875, 0.25}
    moves = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(places)]
    assert set(moves) == {0.0625}
    assert glass.script("() => lawang.wall.care.place(61)") == glass.script(
        "() => lawang.wall.care.place(119)"
    )


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160)], ids=lambda size: f"{size[0]}")
def test_the_moved_picture_is_never_cut(glass: Screen, size: tuple[int, int]) -> None:
    glass.page.set_viewport_size({"width": size[0], "height": size[1]})
    for corner in ([0, 0], [0.25, 0], [0, 0.25], [0.25, 0.25]):
        assert glass.script(_OUTSIDE, corner) == []
    glass.page.set_viewport_size({"width": 1920, "height": 1080})


def test_the_night_is_darker_and_the_day_is_not(glass: Screen) -> None:
    set_hour(glass, 23)
    glass.wait(f"() => ({_SHADE})() === 0.3")
    set_hour(glass, 12)
    glass.wait(f"() => ({_SHADE})() === 0")
    set_hour(glass, 4)
    glass.wait(f"() => ({_SHADE})() === 0.3")


def test_a_new_serious_alarm_lifts_the_dark_until_it_is_acknowledged(
    glass: Screen, wall_site: WallSite
) -> None:
    night = set_hour(glass, 23)
    glass.wait(f"() => ({_SHADE})() === 0.3")
    raised = night - timedelta(minutes=1)
    wall_site.raise_alarm("a", "major", datetime.now(WIB) - raised)
    glass.wait(f"() => ({_SHADE})() === 0")
    wall_site.change_alarm("a", acked=True)
    glass.wait(f"() => ({_SHADE})() === 0.3")


def test_the_cursor_hides_when_it_rests(glass: Screen) -> None:
    glass.page.mouse.move(400, 400)
    glass.wait("() => getComputedStyle(document.body).cursor !== 'none'")
    glass.wait("() => getComputedStyle(document.body).cursor === 'none'")


def test_no_menu_opens_and_nothing_is_selected_or_dragged(glass: Screen) -> None:
    kept = glass.script(
        "() => ['contextmenu', 'selectstart', 'dragstart'].filter((kind) =>"
        " document.body.dispatchEvent(new Event(kind, { bubbles: true, cancelable: true })))"
    )
    assert kept == []
    assert glass.script("() => getComputedStyle(document.body).userSelect") == "none"


def test_the_machine_is_asked_to_stay_awake(glass: Screen) -> None:
    glass.wait("() => document.querySelector('#live-root').dataset.awake === '1'")


def test_reduced_motion_moves_without_gliding(glass: Screen) -> None:
    duration = "() => getComputedStyle(document.querySelector('#live-root')).transitionDuration"
    assert glass.script(duration) == "2s"
    glass.page.emulate_media(reduced_motion="reduce")
    assert glass.script(duration) == "0s"
    glass.page.emulate_media(reduced_motion="no-preference")


@contextmanager
def in_place_of(site: WallSite, headers: dict[str, str]) -> Iterator[None]:
    """Answer 503 at the site's address, with the page that says that the database is away."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = history_away_page().encode()
            self.send_response(503)
            for name, value in {"content-type": "text/html", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    site.stop()
    try:
        with ThreadingHTTPServer(("127.0.0.1", urlsplit(site.url).port or 0), Handler) as http:
            thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield
            finally:
                http.shutdown()
                thread.join()
    finally:
        site.start()


@pytest.mark.parametrize(
    ("headers", "heading"),
    [
        ({}, "Menunggu server"),
        (
            {"content-security-policy": content_security_policy([])},
            "Kunci layar tidak dapat diperiksa",
        ),
    ],
    ids=["a proxy's answer", "our own"],
)
def test_a_wall_that_is_opened_says_what_its_server_says_and_not_what_a_proxy_does(
    glass: Screen, wall_site: WallSite, headers: dict[str, str], heading: str
) -> None:
    glass.wait("() => navigator.serviceWorker.ready.then((found) => Boolean(found.active))")
    try:
        with in_place_of(wall_site, headers):
            glass.page.reload()
            shown = glass.page.locator("h1").first.inner_text()
    finally:
        glass.page.reload()
    assert shown == heading
    glass.wait("() => lawang.live.connection().state === 'live'", 60)


def test_a_wall_that_is_opened_before_its_server_waits_and_comes_by_itself(
    glass: Screen, wall_site: WallSite
) -> None:
    glass.wait("() => navigator.serviceWorker.ready.then((found) => Boolean(found.active))")
    wall_site.stop()
    try:
        glass.page.reload()
        assert glass.text("h1") == "Menunggu server"
    finally:
        wall_site.start()
    glass.wait("() => lawang.live.connection().state === 'live'", 60)
