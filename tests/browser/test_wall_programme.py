"""Walls follow the programme: they turn together, are taken over by alarms, and go on after."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.glass import faults
from tests.browser.programme import BESIDE, DWELL_S, ROUND, ProgrammeDemo
from tests.browser.screen import Screen
from tests.installation.running import wait_until

pytestmark = pytest.mark.browser

#: Writes down which scene came on the glass when, by the server's clock.
_WATCH = """() => {
  const seen = window.__seen = [];
  const note = () => {
    const scene = document.querySelector('.cell:not([hidden]) .scene')?.dataset.scene;
    if (scene && seen.at(-1)?.[0] !== scene) seen.push([scene, window.lawang.live.now()]);
  };
  note();
  new MutationObserver(note).observe(document.getElementById('stage'),
    { subtree: true, childList: true, attributes: true, attributeFilter: ['hidden'] });
}"""
_SHOWN = "() => document.querySelector('.cell:not([hidden]) .scene')?.dataset.scene"
_SHOWS = "(scene) => document.querySelector('.cell:not([hidden]) .scene')?.dataset.scene === scene"
_INTERRUPTED = "() => document.querySelector('#live-root').dataset.interrupted === '1'"
_QUIET = "() => document.querySelector('#live-root').dataset.interrupted === '0'"
_OPEN = '.kota-figure[data-tile="open"] .figure-value'


def opened(open_screen: OpenScreen, demo: ProgrammeDemo, path: str, **options: Any) -> Screen:
    """A wall that shows something and is heard."""
    wall = open_screen(demo, path, **options)
    wall.wait("() => lawang.live.config() && lawang.live.connection().state === 'live'")
    wall.wait("() => lawang.wall.items().length > 0 && document.querySelector('.scene .tile')")
    return wall


@pytest.fixture(scope="module")
def pair(wall_demo: ProgrammeDemo, open_shared_screen: OpenScreen) -> tuple[Screen, Screen]:
    """Two screens with one playlist."""
    one, other = (
        opened(open_shared_screen, wall_demo, f"/wall/{name}") for name in ("satu", "dua")
    )
    for wall in (one, other):
        wall.script(_WATCH)
    return one, other


@pytest.fixture
def short_round(wall_demo: ProgrammeDemo) -> Iterator[ProgrammeDemo]:
    """The demonstration, with its own programme again after the test."""
    yield wall_demo
    wall_demo.write_round(*ROUND)
    wait_until(lambda: wall_demo.programme()["problem"] is None, 30, "a sound file again")
    wait_until(lambda: wall_demo.coming() <= set(ROUND), 30, "the own programme again")


def turns(wall: Screen, least: int) -> list[tuple[str, float]]:
    """The scenes that came on the glass with their times, once there are so many."""
    wall.wait("(least) => window.__seen.length >= least", 20 * DWELL_S, least)
    return [(scene, at) for scene, at in wall.script("() => window.__seen")]


def test_scenes_turn_by_themselves_in_the_order_of_the_playlist(
    pair: tuple[Screen, Screen],
) -> None:
    seen = [scene for scene, _ in turns(pair[0], 4)]
    begin = ROUND.index(seen[0])
    assert seen[:4] == [ROUND[(begin + step) % 3] for step in range(4)]


def test_two_screens_with_one_playlist_turn_together(pair: tuple[Screen, Screen]) -> None:
    one, other = (dict(reversed(turns(wall, 4)[-3:])) for wall in pair)
    shared = set(one) & set(other)
    assert shared
    # Within a turn: an own clock in either browser would let them drift apart.
    assert all(abs(one[scene] - other[scene]) < DWELL_S / 2 for scene in shared)


def test_two_screens_show_the_same_value(
    pair: tuple[Screen, Screen], wall_demo: ProgrammeDemo
) -> None:
    known = "() => lawang.live.panel('counters').new_today.value"
    before = pair[0].script(known)
    wall_demo.demo.file("Lampu jalan padam di depan pasar")
    for wall in pair:
        wall.wait("(before) => lawang.live.panel('counters').new_today.value > before", 60, before)

    def same() -> bool:
        if any(wall.script(_SHOWN) != "kota" for wall in pair):
            return False
        texts = [wall.text(_OPEN) for wall in pair]
        values = [wall.script("() => lawang.live.panel('counters').open.value") for wall in pair]
        return texts[0] == texts[1] == f"{values[0]:,}".replace(",", ".") and values[0] == values[1]

    wait_until(same, 60, "the same number of open reports on both screens")


def test_a_scene_in_the_address_stays(wall_demo: ProgrammeDemo, open_screen: OpenScreen) -> None:
    wall = opened(open_screen, wall_demo, "/wall/satu?scene=keuangan")
    wall.script(_WATCH)
    turn = "() => JSON.stringify(lawang.live.panel('programme').screens.satu.items)"
    for _ in range(2):
        wall.wait(f"(before) => ({turn})() !== before", 60, wall.script(turn))
    assert [scene for scene, _ in wall.script("() => window.__seen")] == ["keuangan"]


def test_a_video_wall_shows_three_scenes_side_by_side(
    wall_demo: ProgrammeDemo, open_screen: OpenScreen
) -> None:
    size = {"width": 1920, "height": 720}
    wall = opened(open_screen, wall_demo, "/wall/dinding", viewport=size)
    wall.wait("() => document.querySelectorAll('.cell:not([hidden]) .scene .tile').length > 9")
    cells = wall.script(
        """() => [...document.querySelectorAll('.cell')].filter((each) => each.clientWidth)
          .map((each) => [each.querySelector('.scene').dataset.scene,
            each.getBoundingClientRect().left, each.getBoundingClientRect().right])"""
    )
    assert [scene for scene, *_ in cells] == list(BESIDE)
    for (_, _, right), (_, left, _) in pairwise(cells):
        assert right <= left
    assert all(right - left == pytest.approx(640, abs=12) for _, left, right in cells)


def test_an_unknown_screen_says_so_and_lists_those_there_are(
    wall_demo: ProgrammeDemo, open_screen: OpenScreen
) -> None:
    wall = open_screen(wall_demo, "/wall/tidak-ada")
    wall.wait("() => document.querySelector('#live-root')?.dataset.unknownScreen === '1'")
    note = wall.text("#unknown-screen")
    assert "tidak-ada" in note
    assert "satu: Layar satu" in note
    links = wall.script(
        "() => [...document.querySelectorAll('#unknown-screen a')].map((a) => a.pathname)"
    )
    assert links == ["/wall/satu", "/wall/dua", "/wall/tetap", "/wall/dinding"]


def test_a_saved_change_is_on_the_glass_within_seconds(
    pair: tuple[Screen, Screen], short_round: ProgrammeDemo
) -> None:
    short_round.write_round("keuangan", dwell_s=600)
    for wall in pair:
        wall.wait(_SHOWS, 30, "keuangan")
    assert short_round.programme()["problem"] is None


def test_a_broken_file_changes_nothing_and_says_where(
    pair: tuple[Screen, Screen], short_round: ProgrammeDemo
) -> None:
    # What is in force on the glass, which another process reads than the one that is asked below.
    own = "(round) => lawang.wall.items().every((each) => round.includes(each.scene))"
    pair[0].wait(own, 30, list(ROUND))
    short_round.write_round("keuangan", dwell_s='"sebentar"')
    wait_until(lambda: short_round.programme()["problem"], 30, "the mistake in the file")
    problem = short_round.programme()["problem"]
    text = (short_round.pack / "screens.toml").read_text(encoding="utf-8")
    assert problem["file"].endswith("screens.toml")
    assert "dwell_s" in problem["key"]
    assert "sebentar" in text.splitlines()[problem["line"] - 1]
    # The rotation goes on as it was.
    pair[0].script("() => { window.__seen.length = 0; }")
    assert {scene for scene, _ in turns(pair[0], 3)} <= set(ROUND)


def test_an_alarm_takes_the_screens_and_gives_them_back(
    pair: tuple[Screen, Screen], wall_demo: ProgrammeDemo
) -> None:
    wall = pair[0]
    for each in pair:
        each.script("() => { window.__seen.length = 0; }")
    try:
        wall_demo.silence_buses()
        for each in pair:
            each.wait(_INTERRUPTED, 120)
            each.wait(_SHOWS, 10, "transportasi")
        brief = wall.text(".cell.interrupted .alarm-brief")
        assert "Trans Musi diam" in brief
        assert "Hubungi pengendali koridor" in brief
        assert "Yang bertindak: " in brief
        # What its source fed says so by sign and word; what has other sources too keeps its number.
        wall.wait(
            "() => document.querySelector('.tile[data-tile=\"delays\"]').dataset.health === 'down'"
        )
        assert {tile["name"]: tile for tile in wall.script(_TILES)} == {
            "delays": tile_of("delays", dead=True),
            "routes": tile_of("routes", dead=True),
            "notices": tile_of("notices", dead=True),
            "map": tile_of("map", dead=False),
            "buses": tile_of("buses", dead=False),
        }
        assert faults(wall) == {}
    finally:
        wall_demo.silence_buses("none")
    for each in pair:
        each.wait(_QUIET, 120)
    for each in pair:
        each.wait(
            "() => window.__seen.findIndex(([scene]) => scene === 'transportasi')"
            " < window.__seen.length - 1",
            60,
        )
        seen = [scene for scene, _ in turns(each, 3)]
        at = seen.index("transportasi")
        cut_short = seen[at - 1]
        # Where the alarm came just as a scene ended, the next one has its turn.
        assert seen[at + 1] in (cut_short, ROUND[(ROUND.index(cut_short) + 1) % len(ROUND)])


#: How each tile says how far it can be trusted: word and sign of its age, the colour of its number.
_TILES = """() => [...document.querySelectorAll('.scene .tile')]
  .filter((tile) => tile.checkVisibility())
  .map((tile) => {
    const age = tile.querySelector('.age');
    const value = tile.querySelector('.figure-value');
    const colour = (name) => {
      const probe = document.createElement('i');
      probe.style.color = `var(--${name})`;
      tile.append(probe);
      const found = getComputedStyle(probe).color;
      probe.remove();
      return found;
    };
    return { name: tile.dataset.tile, partly: tile.dataset.partly === '1',
      sign: getComputedStyle(age, '::before').content.replaceAll(/["\\s]/g, ''),
      word: /mati/.test(age.textContent),
      faded: Boolean(value) && getComputedStyle(value).color === colour('text-3') };
  })"""


def tile_of(name: str, *, dead: bool) -> dict[str, Any]:
    """A tile of the scene while the buses' department is silent."""
    return {
        "name": name, "partly": not dead, "sign": "✕", "word": True,
        "faded": dead and name == "delays",
    }  # fmt: skip
