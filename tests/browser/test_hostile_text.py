"""Reports that are attacks: shown as the text they are, on every page, with and without the CSP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import OpenScreen
from tests.browser.hostile import ATTACKS, MARKER, run_hostile_department
from tests.browser.screen import Screen
from tests.installation.running import Demo, copy_pack, run_demo, wait_until

pytestmark = pytest.mark.browser

_SOURCE = """
name = "Dinas <img src=x onerror=window.__planted=true>"
description = "<script>window.__planted=true</script>"
opd = "diskominfo"
connector = "open311"
yields = "incidents"
every_s = 2
timeout_s = 1.9

[connection]
base_url = "{url}"

[simulated]
attribution = "<script>window.__planted=true</script>"
"""


@pytest.fixture(scope="module")
def hostile_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("hostile")
    pack = copy_pack(folder)
    with run_hostile_department() as url:
        (pack / "sources/jahat.toml").write_text(_SOURCE.format(url=url), encoding="utf-8")
        with run_demo(folder, "--factor", "0.05", LAWANG_CITY=str(pack)) as running:
            wait_until(
                lambda: len(running.incidents(source="jahat")) == len(ATTACKS),
                60,
                "every hostile report in our API",
            )
            yield running


@pytest.fixture(scope="module", params=["csp", "no csp"])
def shared_page(
    request: pytest.FixtureRequest, hostile_demo: Demo, open_shared_screen: OpenScreen
) -> Screen:
    """A screen with and one without the policy.

    Without it, nothing but our own escaping stands between a report and the browser.
    """
    return open_shared_screen(hostile_demo, bypass_csp=request.param == "no csp")


@pytest.fixture
def page(shared_page: Screen) -> Screen:
    """A screen on which nothing is loaded."""
    shared_page.page.goto("about:blank")
    return shared_page


def assert_inert(screen: Screen) -> None:
    """Nothing ran, nothing opened, and nothing of an attack became an element of the page."""
    planted = screen.script("() => window.__planted")
    assert planted is None
    assert screen.dialogs == []
    markup = screen.script(
        """() => [...document.querySelectorAll('iframe, [onerror], [onload], img[src="x"]')]
          .map((each) => each.outerHTML)"""
    )
    assert markup == []
    links = screen.script(
        """() => [...document.querySelectorAll('[href], [src]')]
          .map((each) => (each.getAttribute('href') || '') + (each.getAttribute('src') || ''))
          .filter((each) => /javascript:/i.test(each))"""
    )
    assert links == []


def test_the_wall_shows_attacks_as_text(page: Screen) -> None:
    wall = page
    wall.go("/wall?scene=kejadian")
    wall.wait("() => document.querySelectorAll('.event-text').length === 12")
    shown = wall.page.locator(".event-text").all_inner_texts()
    assert [attack for attack in ATTACKS if not any(attack in text for text in shown)] == []
    # On the map they are marks without a text.
    wall.wait(
        "() => Object.keys(lawang.live.panel('incidents').features)"
        ".some((id) => id.startsWith('jahat:'))"
    )
    assert wall.page.locator(".leaflet-popup, .leaflet-tooltip").count() == 0
    assert_inert(wall)


def test_a_source_with_a_hostile_name_is_text_on_the_wall(page: Screen) -> None:
    wall = page
    wall.go("/wall?scene=sumber")
    wall.wait("() => document.querySelector('.scene-sumber')?.textContent.includes('onerror')")
    assert_inert(wall)


def test_a_report_that_arrives_while_the_wall_is_open_is_inert(
    hostile_demo: Demo, page: Screen
) -> None:
    wall = page
    wall.go("/wall?scene=kejadian")
    wall.wait("() => document.querySelectorAll('.event-text').length === 12")
    attack = f"Baru {id(page)} <img src=x onerror='{MARKER}'><script>{MARKER}</script>"
    hostile_demo.file(
        attack,
        address_string=attack,
        media_url=f"javascript:{MARKER}",
        first_name=attack,
        email=attack,
        **{"attribute[A]": attack},
    )
    wall.wait(
        "(text) => [...document.querySelectorAll('.event-text')]"
        ".some((each) => each.textContent.endsWith(` · ${text}`))",
        90,
        attack,
    )
    assert_inert(wall)


@pytest.mark.parametrize("path", ["/sources", "/", "/sources?lang=en"])
def test_other_pages_show_hostile_names_as_text(page: Screen, path: str) -> None:
    page.go(path)
    page.wait("() => document.querySelector('#live-root')?.dataset.connection === 'live'")
    if path.startswith("/sources"):
        page.wait("() => document.querySelector('[data-source=\"jahat\"]')")
        name = page.text('[data-source="jahat"] .source-name')
        assert name == "Dinas <img src=x onerror=window.__planted=true>"
    assert_inert(page)


def test_the_api_documentation_runs_nothing_of_it(page: Screen) -> None:
    docs = page
    docs.go("/docs")
    docs.wait("() => document.querySelectorAll('.opblock').length >= 5")
    assert_inert(docs)


@pytest.mark.parametrize("form", ["json", "geojson"])
def test_the_api_opened_in_a_browser_is_data_and_no_page(page: Screen, form: str) -> None:
    page.go(f"/api/v1/incidents?source=jahat&format={form}")
    assert ATTACKS[0][:7] in (page.script("() => document.body.innerText"))
    assert_inert(page)


@pytest.mark.parametrize(
    "path",
    [
        "/wall?lang=<script>window.__planted=true</script>",
        "/<img src=x onerror=window.__planted=true>",
        "/api/v1/sources/<img src=x onerror=window.__planted=true>",
        "/api/v1/incidents?after=<script>window.__planted=true</script>",
        "/stream?panels=<script>window.__planted=true</script>",
    ],
)
def test_an_attack_in_the_address_is_inert(page: Screen, path: str) -> None:
    page.go(path)
    page.wait("() => document.readyState === 'complete'")
    assert_inert(page)


def test_the_attacks_do_run_where_they_become_markup(
    hostile_demo: Demo, open_screen: OpenScreen
) -> None:
    """The other tests prove something only if these attacks work at all."""
    page = open_screen(hostile_demo, "/sources", bypass_csp=True)
    page.script(
        "() => document.body.insertAdjacentHTML('beforeend',"
        ' \'<img src="x" onerror="window.__planted = true">\')'
    )
    page.wait("() => window.__planted === true")


def test_the_policy_stops_an_attack_that_became_markup(
    hostile_demo: Demo, open_screen: OpenScreen
) -> None:
    page = open_screen(hostile_demo, "/sources")
    page.wait("() => document.querySelector('#live-root')")
    page.script(
        """() => {
          document.addEventListener('securitypolicyviolation', () => { window.__stopped = true; });
          document.body.insertAdjacentHTML('beforeend',
            '<img src="x" onerror="window.__planted = true">');
        }"""
    )
    page.wait("() => window.__stopped === true")
    planted = page.script("() => window.__planted")
    assert planted is None
