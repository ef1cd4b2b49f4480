"""What the pages are like when all is well: complete, unclipped, in one language, on their own."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lawang.settings import ROOT
from layouts.words import words
from tests.browser.conftest import OpenScreen
from tests.browser.glass import FAULTS, LEAST_REM
from tests.browser.screen import Screen
from tests.installation.running import Demo

pytestmark = pytest.mark.browser

WIB = ZoneInfo("Asia/Jakarta")
OUTPUT = ROOT / "test-output"
PAGES = ("/wall?scene=kejadian", "/sources", "/")

#: Keeps the page's line where a test can cut it.
_HOLD_STREAM = """(() => {
  const Real = EventSource;
  window.EventSource = class extends Real {
    constructor(address) { super(address); window.__stream = this; }
  };
})()"""


@pytest.fixture(scope="module")
def shared_page(shared_demo: Demo, open_shared_screen: OpenScreen) -> Screen:
    return open_shared_screen(shared_demo)


@pytest.fixture
def page(shared_page: Screen, demo: Demo) -> Screen:
    """The module's screen for one page after the other, with nothing loaded or noted yet."""
    shared_page.page.goto("about:blank")
    shared_page.complaints.clear()
    return shared_page


def wait_complete(wall: Screen, path: str) -> None:
    """Load a wall and wait until every part of it has been drawn."""
    wall.go(path)
    wall.wait_live()
    wall.wait("() => document.querySelectorAll('.event').length === 12")
    wall.wait("() => document.querySelectorAll('.rank-row').length === 20")
    wall.wait("() => document.fonts.status === 'loaded'")


#: What a source that is polled rarely may say; its parts are not broken.
LONGEST_AGE = "terlambat · 22\u00a0Nov\u00a006:17 · 59\u00a0mnt"


def save(screen: Screen, name: str) -> None:
    """Keep a picture, for people."""
    OUTPUT.mkdir(exist_ok=True)
    screen.page.screenshot(path=OUTPUT / f"{name}.png")


def test_nothing_is_cut_when_every_age_is_at_its_longest(
    demo: Demo, open_screen: OpenScreen
) -> None:
    """A wall whose server is gone shows its longest texts: state, date and age in every tile."""
    wall = open_screen(demo)
    wall.page.add_init_script(_HOLD_STREAM)
    wait_complete(wall, "/wall?scene=kejadian")
    # Offline cuts no line that is open already.
    wall.page.context.set_offline(True)
    wall.script("() => window.__stream.close()")
    # A day passes on this screen's own clock.
    wall.script(
        "() => { const real = performance.now.bind(performance);"
        " performance.now = () => real() + 26 * 3600e3; }"
    )
    wall.wait("() => document.querySelector('#live-root').dataset.connection === 'lost'")
    wall.wait("() => document.querySelector('[data-tile=open]').dataset.health === 'down'")
    save(wall, "wall-disconnected")
    assert re.fullmatch(r"terputus sejak \d+ \w+ \d\d:\d\d", wall.connection())
    for longest in (None, LONGEST_AGE):
        # Within one script, as the page writes its own ages again every second.
        found = wall.script(
            """([longest, least]) => {
              for (const age of document.querySelectorAll('.tile .age'))
                if (longest) age.textContent = longest;
              return (FAULTS)(least);
            }""".replace("FAULTS", FAULTS),
            [longest, LEAST_REM],
        )
        assert {kind: texts for kind, texts in found.items() if texts} == {}


def test_every_tile_has_an_age(wall: Screen) -> None:
    without = wall.script(
        """() => [...document.querySelectorAll('.tile')]
          .filter((tile) => !/\\d/.test(tile.querySelector('[data-live-age]')?.textContent ?? ''))
          .map((tile) => tile.dataset.tile)"""
    )
    assert without == []
    assert len(wall.ages()) == 7


def test_the_foot_says_how_the_sources_stand(wall: Screen) -> None:
    assert wall.text("#source-line").split() == ["1", "dari", "1", "sumber", "baik"]


def test_simulated_data_is_marked(wall: Screen) -> None:
    assert wall.text("#simulated-mark") == "DATA SIMULASI"


def test_the_map_says_that_its_boundaries_are_approximate(wall: Screen) -> None:
    assert "batas wilayah perkiraan" in wall.text(".map-credits")


@pytest.mark.parametrize("path", [*PAGES, "/wall?scene=kejadian&lang=en", "/sources?lang=en"])
def test_a_page_asks_no_other_host_and_complains_of_nothing(page: Screen, path: str) -> None:
    page.go(path)
    page.wait("() => document.querySelector('#live-root')?.dataset.connection === 'live'")
    page.wait("() => document.querySelector('[data-health=\"fresh\"]')")
    page.wait("() => document.fonts.status === 'loaded'")
    save(page, f"page-{re.sub(r'[^a-z]+', '-', path).strip('-') or 'home'}")
    assert page.foreign == []
    assert page.complaints == []


def test_the_api_documentation_asks_no_other_host(page: Screen) -> None:
    page.go("/docs")
    page.wait("() => document.querySelectorAll('.opblock').length >= 5")
    assert page.foreign == []
    assert page.complaints == []


def fixed_words(screen: Screen) -> str:
    """All the page says but for the citizens' own words and names of places and departments."""
    text = screen.script(
        """() => {
          const page = document.querySelector('#live-root').cloneNode(true);
          for (const part of page.querySelectorAll(
            '.event-text, .event-place, .map-holder, .city-name, .rank-name, .chip-name,'
            + '.source-name, .source-about, .opd-name, .languages')) part.remove();
          return [...page.querySelectorAll('*')].filter((each) => !each.children.length)
            .map((each) => each.textContent.trim()).join('\\n');
        }"""
    )
    assert isinstance(text, str)
    return text


def only_in(one: str, other: str) -> set[str]:
    """Words of one language's catalogue that the other language does not use, as whole words."""

    def parts(language: str) -> set[str]:
        texts = " ".join(words(language).catalogue.values())
        return set(re.findall(r"[a-z]{3,}", re.sub(r"\{\w+\}", " ", texts.lower())))

    return parts(one) - parts(other)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("lang", "other"), [("id", "en"), ("en", "id")])
def test_a_page_speaks_one_language(page: Screen, path: str, lang: str, other: str) -> None:
    page.go(path if lang == "id" else f"{path}{'&' if '?' in path else '?'}lang={lang}")
    page.wait("() => document.querySelector('#live-root')?.dataset.connection === 'live'")
    page.wait(
        "() => document.querySelector("
        "'[data-source=\"elapor\"], [data-counter=open], #counter-open').textContent.match(/\\d/)"
    )
    said = set(re.findall(r"[a-z]{3,}", fixed_words(page).lower()))
    assert said & only_in(lang, other)
    assert said & only_in(other, lang) == set()
    assert page.script("() => document.documentElement.lang") == lang


# Nine hours behind, and in a zone of its own: a screen as it comes out of the box.
_WRONG_CLOCK = """(() => {
  const Real = Date;
  window.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(Real.now() - 9 * 3600e3); }
    static now() { return Real.now() - 9 * 3600e3; }
  };
})()"""


def test_a_screen_with_a_wrong_clock_shows_wib_and_right_ages(
    demo: Demo, open_screen: OpenScreen
) -> None:
    wall = open_screen(demo, timezone_id="America/New_York")
    wall.page.add_init_script(_WRONG_CLOCK)
    wall.go("/wall?scene=kejadian")
    ages: list[str] = wall.catch(
        """() => {
          const ages = [...document.querySelectorAll('.tile [data-live-age]')];
          return lawang.live?.config() && ages.every((each) => each.dataset.health === 'fresh')
            && ages.map((each) => each.innerText.replaceAll('\u00a0', ' '));
        }"""
    )
    shown = datetime.strptime(wall.text("#clock-time"), "%H:%M:%S")
    now = datetime.now(WIB)
    off = (now.hour - shown.hour) * 3600 + (now.minute - shown.minute) * 60
    off += now.second - shown.second
    assert abs((off + 43_200) % 86_400 - 43_200) < 5
    assert "WIB" in wall.text("#clock-date")
    assert str(now.day) in wall.text("#clock-date")
    assert ages
    assert all(re.fullmatch(r"\d dtk", age) for age in ages), ages


def test_nothing_on_the_wall_wants_to_be_touched(wall: Screen) -> None:
    wall.wait("() => getComputedStyle(document.querySelector('.tile')).cursor === 'none'")
    # Sound has to be armed by hand, once; the map's windows and shades are for who opens a
    # wall at a desk.
    clickable = wall.script(
        """() => [...document.querySelectorAll('.wall a, .wall button')]
          .filter((each) => !each.closest('.wall-sound, .map-chips, .map-measure')).length"""
    )
    assert clickable == 0


def test_the_landing_page_leads_to_the_wall_and_the_sources(page: Screen) -> None:
    home = page
    home.go("/")
    home.page.locator('a[href^="/wall"]').click()
    home.wait("() => document.querySelector('.wall')")
    home.go("/")
    home.page.locator('a[href^="/sources"]').click()
    home.wait("() => document.querySelector('.sources-table')")
    home.wait("() => document.querySelectorAll('#sources-body tr').length === 1")


def test_an_unknown_address_is_a_404_that_leads_back(page: Screen) -> None:
    lost = page
    lost.go("/tidak-ada")
    assert "Tidak ada halaman di alamat ini." in lost.text("main")
    assert lost.page.locator('a[href="/"]').count() == 1
