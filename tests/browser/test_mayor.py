"""What the mayor's pages are like at every size: whole, uncut, dated, and open to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.mayor.phone import load_once
from lawang.settings import ROOT
from tests.browser.axe import grave_faults
from tests.browser.mayor import HOSTILE, MayorSite

pytestmark = pytest.mark.browser

OUTPUT = ROOT / "test-output"
PHONE = (390, 844)
SIZES = {
    "phone": PHONE,
    "desk": (1440, 900),
    "room": (1920, 1080),
    "wall": (3840, 2160),
}
AT_EACH_SIZE = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
#: Before the first paint on a slow phone.
EARLY_MAX_BYTES = 50_000
EARLY_MAX_REQUESTS = 2

#: Elements that hold more than they show; folded ones show nothing.
_CUT = """() => {
  const cut = [];
  for (const each of document.querySelectorAll('header *, main *, footer *')) {
    if (!each.clientWidth || each.closest('svg, details:not([open]), .vh')) continue;
    const style = getComputedStyle(each);
    if (style.display === 'inline' || style.textOverflow === 'ellipsis') continue;
    if (style.overflowX === 'visible' && style.overflowY === 'visible') continue;
    const wide = each.scrollWidth - each.clientWidth;
    const high = each.scrollHeight - each.clientHeight;
    const slack = Math.max(1, parseFloat(style.fontSize) / 6);
    const scrolls = (value) => value === 'auto' || value === 'scroll';
    if ((wide > 1 && !scrolls(style.overflowX)) || (high > slack && !scrolls(style.overflowY)))
      cut.push(`${each.tagName}.${each.className}: ${wide} wide, ${high} high`);
  }
  return cut;
}"""
#: Texts that lie over each other, or beyond the page's edges.
_COLLIDING = """() => {
  const found = [];
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const parent = node.parentElement;
    const apart = 'svg, script, style, #live, #live-note, .skip, .vh';
    if (!node.data.trim() || parent.closest(apart)) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 2 || box.height < 2) continue;
      if (box.left < -1 || box.right > document.documentElement.clientWidth + 1)
        found.push(`outside: ${node.data.trim().slice(0, 40)}`);
      // Lines may stand close; half of a line's height may not be shared.
      const inset = box.height * 0.3;
      boxes.push({ l: box.left + 1, r: box.right - 1, t: box.top + inset, b: box.bottom - inset,
                   text: node.data.trim().slice(0, 40), node });
    }
  }
  boxes.sort((a, b) => a.t - b.t);
  for (let i = 0; i < boxes.length; i++)
    for (let j = i + 1; j < boxes.length && boxes[j].t < boxes[i].b; j++)
      if (boxes[i].node !== boxes[j].node && boxes[i].l < boxes[j].r && boxes[j].l < boxes[i].r)
        found.push(`${boxes[i].text} / ${boxes[j].text}`);
  return found;
}"""
#: Marks of a state (by the class that colours them) beside which nothing says the same.
_COLOUR_ALONE = """() => {
  const said = (each) => {
    const text = (each.textContent || '') + (each.getAttribute('aria-label') || '')
      + (each.getAttribute('title') || '');
    return /[●◆▲○◐▼■]|\\p{L}{3,}/u.test(text);
  };
  const near = (each) => said(each) || (each.parentElement && said(each.parentElement));
  return [...document.querySelectorAll('.green, .amber, .red, .grey')]
    .filter((each) => !each.closest('svg') && !near(each))
    .map((each) => each.outerHTML.slice(0, 100));
}"""
_SCROLLS = """() => {
  const page = document.scrollingElement;
  return [page.scrollWidth > innerWidth, page.scrollHeight > innerHeight];
}"""


@pytest.fixture(scope="module")
def contexts(browser: Browser) -> Iterator[dict[tuple[int, int], BrowserContext]]:
    """One window for each size."""
    made = {
        size: browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            is_mobile=size == PHONE,
            has_touch=size == PHONE,
            reduced_motion="reduce",
        )
        for size in SIZES.values()
    }
    yield made
    for context in made.values():
        context.close()


def opened(context: BrowserContext, site: MayorSite, path: str = "/mayor") -> Page:
    """The page when it is complete, its typeface included; other tabs are closed."""
    for page in context.pages:
        page.close()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{site.url}{path}")
    page.evaluate("document.fonts.ready.then(() => true)")
    return page


@pytest.fixture(scope="module", params=SIZES, ids=str)
def first(
    request: pytest.FixtureRequest,
    contexts: dict[tuple[int, int], BrowserContext],
    mayor_site: MayorSite,
) -> Page:
    """The first page at one size; its picture is kept."""
    page = opened(contexts[SIZES[request.param]], mayor_site)
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"mayor-{request.param}.png", full_page=True)
    return page


def test_the_first_page_never_scrolls_sideways(first: Page) -> None:
    assert first.evaluate(_SCROLLS)[0] is False


def test_nothing_on_the_first_page_is_cut(first: Page) -> None:
    assert first.evaluate(_CUT) == []


def test_no_text_of_the_first_page_lies_over_another(first: Page) -> None:
    assert first.evaluate(_COLLIDING) == []


def test_no_state_of_the_first_page_is_said_by_colour_alone(first: Page) -> None:
    assert first.evaluate(_COLOUR_ALONE) == []


def test_every_section_of_the_first_page_says_of_when_it_is(first: Page) -> None:
    page_says = first.locator("header").inner_text()
    assert "data sampai" in page_says
    assert first.locator("main section, main article").count() > 5


@pytest.mark.parametrize("size", ["room", "wall"])
def test_in_the_meeting_room_the_first_page_needs_no_scrolling(
    contexts: dict[tuple[int, int], BrowserContext], mayor_site: MayorSite, size: str
) -> None:
    page = opened(contexts[SIZES[size]], mayor_site)
    assert page.evaluate(_SCROLLS) == [False, False]


BEHIND = ("/mayor/kpi/{kpi}", "/mayor/finance", "/mayor/districts")


@pytest.mark.parametrize("path", ["/mayor", *BEHIND])
@pytest.mark.parametrize("size", ["phone", "desk"])
def test_a_machine_finds_no_grave_barrier(
    contexts: dict[tuple[int, int], BrowserContext], mayor_site: MayorSite, size: str, path: str
) -> None:
    page = opened(contexts[SIZES[size]], mayor_site, filled(path, mayor_site))
    assert grave_faults(page) == []


@pytest.mark.parametrize("path", BEHIND)
def test_a_page_behind_never_scrolls_sideways_on_a_phone(
    contexts: dict[tuple[int, int], BrowserContext], mayor_site: MayorSite, path: str
) -> None:
    page = opened(contexts[PHONE], mayor_site, filled(path, mayor_site))
    assert page.evaluate(_SCROLLS)[0] is False


def test_words_of_a_department_are_never_markup(
    contexts: dict[tuple[int, int], BrowserContext], mayor_site: MayorSite
) -> None:
    page = opened(contexts[PHONE], mayor_site, filled(BEHIND[0], mayor_site))
    assert HOSTILE in page.locator("h1").inner_text()
    assert page.locator("img[src=x]").count() == 0


def test_every_link_of_the_first_page_leads_somewhere(
    contexts: dict[tuple[int, int], BrowserContext], mayor_site: MayorSite
) -> None:
    page = opened(contexts[PHONE], mayor_site)
    links: list[str] = page.evaluate("[...document.links].map((each) => each.href)")
    own = {link.partition("#")[0] for link in links if urlsplit(link).port == mayor_site.port}
    # One indicator's page stands for them all: each is asked for once, whatever its horizon.
    with httpx.Client(
        timeout=60, trust_env=False, headers={"accept": "text/html"}, follow_redirects=True
    ) as client:
        lost = {link: code for link in sorted(own) if (code := client.get(link).status_code) != 200}
    assert lost == {}


def test_a_slow_phone_asks_for_little_before_it_paints(
    browser: Browser, mayor_site: MayorSite
) -> None:
    # What a page needs it asks for early each time; a busy machine paints late in one of them.
    loads: list[Any] = [load_once(browser, f"{mayor_site.url}/mayor") for _ in range(3)]
    load = min(loads, key=lambda each: len(each.early))
    assert len(load.early) <= EARLY_MAX_REQUESTS, load.early
    assert load.early_bytes <= EARLY_MAX_BYTES


def filled(path: str, site: MayorSite) -> str:
    """The path with an indicator's id where it wants one: the one whose words are hostile."""
    return path.format(kpi=next(iter(site.installation.city.kpis)))
