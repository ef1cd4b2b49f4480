"""What a wall is heard to do: nothing before a person acted, then one pattern for each severity."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.browser.wall_site import WallSite
from tests.installation.running import wait_until

pytestmark = pytest.mark.browser

#: Writes down every tone that is started and every sign that is shown. To look into a page with
#: Playwright counts as a person's act there, so what comes before must be written down.
_LISTEN = """(() => {
  window.__tones = [];
  window.__signs = [];
  const make = BaseAudioContext.prototype.createOscillator;
  BaseAudioContext.prototype.createOscillator = function () {
    const tone = make.call(this);
    const start = tone.start.bind(tone);
    tone.start = (at) => { window.__tones.push(Math.round(tone.frequency.value)); start(at); };
    return tone;
  };
  window.AudioContext = class extends AudioContext {
    constructor() { super(); window.__context = this; }
  };
  new MutationObserver(() => {
    const sign = document.querySelector('#wall-sound')?.innerText.trim();
    if (sign && sign !== window.__signs.at(-1)) window.__signs.push(sign);
  }).observe(document, { childList: true, subtree: true });
})()"""
_BLOCKED = "Suara belum aktif: klik atau tekan tombol"
_ARMED = "suara aktif"
#: Pitches of the patterns, in the order in which they are started.
MINOR, MAJOR, CRITICAL = [392], [440, 523], [523, 523, 523, 659, 659]
TEST = [392, 523, 659]


def open_wall(site: WallSite, open_screen: OpenScreen, query: str = "") -> Screen:
    wall = open_screen(site)
    wall.page.add_init_script(_LISTEN)
    wall.go(f"/wall/operator{query}")
    return wall


def is_armed(site: WallSite) -> object:
    """What the wall last said of its sound, without looking into its page."""
    return (site.screen("operator")["beat"] or {}).get("sound_armed")


def wait_armed(wall: Screen) -> None:
    wall.wait("() => document.querySelector('#wall-sound')?.dataset.sound === 'armed'")
    wall.wait(
        "() => lawang.live.connection().state === 'live' && lawang.live.panel('alarms')?.alarms"
    )


@pytest.fixture(scope="module")
def shared_ear(wall_site: WallSite, open_shared_screen: OpenScreen) -> Screen:
    wall = open_wall(wall_site, open_shared_screen)
    wait_armed(wall)
    return wall


@pytest.fixture
def ear(shared_ear: Screen, wall_site: WallSite) -> Iterator[Screen]:
    """An armed wall without alarms, with nothing heard yet."""
    quiet(shared_ear, wall_site)
    yield shared_ear
    quiet(shared_ear, wall_site)


def quiet(wall: Screen, site: WallSite) -> None:
    site.clear()
    wall.wait("() => Object.keys(lawang.live.panel('alarms')?.alarms ?? {x: 1}).length === 0")
    wall.script("() => { window.__tones = []; }")


def tones(wall: Screen) -> list[int]:
    found: list[int] = wall.script("() => window.__tones")
    return found


def wait_heard(wall: Screen, at_least: int) -> None:
    wall.wait("(least) => window.__tones.length >= least", argument=at_least)


def wait_passed(wall: Screen, seconds: float) -> None:
    """Let the page's own clock go on by that much."""
    until = wall.script("(s) => performance.now() + s * 1000", seconds)
    wall.wait("(until) => performance.now() > until", argument=until)


def test_a_wall_says_that_it_is_silent_until_a_person_acts_and_proves_it_by_a_tone(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    wall = open_wall(wall_site, open_screen)
    wait_until(lambda: is_armed(wall_site) is False, 60, "a beat of a silent wall")
    wall.page.mouse.click(900, 500)
    wait_until(lambda: is_armed(wall_site) is True, 60, "a beat of an armed wall")
    assert wall.script("() => window.__signs") == [_BLOCKED, _ARMED]
    assert tones(wall) == TEST


@pytest.mark.parametrize(
    ("severity", "pattern"), [("minor", MINOR), ("major", MAJOR), ("critical", CRITICAL)]
)
def test_each_severity_has_its_own_pattern(
    ear: Screen, wall_site: WallSite, severity: str, pattern: list[int]
) -> None:
    wall_site.raise_alarm("a", severity)
    wait_heard(ear, len(pattern))
    assert tones(ear)[: len(pattern)] == pattern


def test_a_notice_is_not_heard_and_of_many_the_worst_is(ear: Screen, wall_site: WallSite) -> None:
    wall_site.raise_alarm("notice", "info")
    ear.wait("() => lawang.live.panel('alarms').alarms.notice")
    assert tones(ear) == []
    at = wall_site.alarms["notice"]["active_at"]
    wall_site.alarms = {
        name: {**wall_site.alarms["notice"], "severity": severity, "active_at": at}
        for name, severity in (("one", "minor"), ("two", "major"), ("three", "minor"))
    }
    wall_site.live.note_alarms()
    wait_heard(ear, 2)
    wait_passed(ear, 2)
    assert tones(ear) == MAJOR


def test_a_critical_alarm_goes_on_until_it_is_acknowledged(
    ear: Screen, wall_site: WallSite
) -> None:
    wall_site.raise_alarm("a", "critical")
    wait_heard(ear, 2 * len(CRITICAL))
    wall_site.change_alarm("a", acked=True)
    ear.wait("() => lawang.live.panel('alarms').alarms.a.acked")
    heard = tones(ear)
    wait_passed(ear, 7)
    assert tones(ear) == heard


def test_after_a_reload_only_an_unacknowledged_critical_alarm_sounds(
    ear: Screen, wall_site: WallSite
) -> None:
    wall_site.raise_alarm("major", "major", timedelta(minutes=9))
    wall_site.raise_alarm("minor", "minor", timedelta(minutes=8))
    wait_heard(ear, 1)
    wait_passed(ear, 2)
    ear.page.reload()
    wait_armed(ear)
    wait_passed(ear, 3)
    assert tones(ear) == []
    wall_site.raise_alarm("critical", "critical", timedelta(minutes=7))
    wait_heard(ear, len(CRITICAL))
    ear.page.reload()
    wait_heard(ear, len(CRITICAL))
    assert tones(ear)[: len(CRITICAL)] == CRITICAL


def test_a_muted_wall_says_until_when_and_is_silent(ear: Screen, wall_site: WallSite) -> None:
    wall_site.tell("operator", "mute", for_s=600)
    ear.wait("() => document.querySelector('#wall-sound').dataset.sound === 'muted'")
    assert ear.text("#wall-sound").startswith("suara dimatikan sampai ")
    wall_site.raise_alarm("a", "major")
    ear.wait("() => lawang.live.panel('alarms').alarms.a")
    wait_passed(ear, 2)
    assert tones(ear) == []
    wall_site.tell("operator", "unmute")
    ear.wait("() => document.querySelector('#wall-sound').dataset.sound === 'armed'")


def test_the_key_t_gives_the_test_tone(ear: Screen) -> None:
    ear.page.keyboard.press("t")
    wait_heard(ear, len(TEST))
    assert tones(ear) == TEST


def test_sound_that_was_taken_away_is_said_and_asked_for_again(ear: Screen) -> None:
    ear.script("() => { window.__signs = []; window.__context.suspend(); }")
    ear.wait("(words) => window.__signs.includes(words)", argument=_BLOCKED)
    wait_armed(ear)


def test_sound_that_no_person_had_to_allow_is_asked_for_again_too(
    wall_site: WallSite, open_screen: OpenScreen
) -> None:
    wall = open_wall(wall_site, open_screen)
    wait_armed(wall)
    wall.script(
        """() => {
          Object.defineProperty(navigator, 'userActivation', { value: { hasBeenActive: false } });
          window.__signs = [];
          window.__context.suspend();
        }"""
    )
    wall.wait("(words) => window.__signs.includes(words)", argument=_BLOCKED)
    wait_armed(wall)


def test_a_wall_without_loudspeakers_says_so(wall_site: WallSite, open_screen: OpenScreen) -> None:
    wall = open_wall(wall_site, open_screen, "?sound=off")
    wall.wait("() => document.querySelector('#wall-sound')?.dataset.sound === 'off'")
    assert wall.text("#wall-sound").strip() == "tanpa suara"
    wall.page.mouse.click(900, 500)
    assert tones(wall) == []
