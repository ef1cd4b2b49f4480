"""The mayor's pages as an app: they keep themselves new, say when they cannot, and work offline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.mayor import MayorSite
from tests.installation.running import wait_until

pytestmark = pytest.mark.browser

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
PATIENCE_MS = 60_000
#: With SKIPPING in the page, SKIP is as long as no living line is silent for.
SKIPPING = "const real = Date.now; window.skipped = 0; Date.now = () => real() + window.skipped;"
SKIP = "window.skipped += 16_000"
BAR = "#live"
#: Whether the worker is at work and has kept this page.
KEPT = """async (path) => {
  await navigator.serviceWorker.ready;
  for (const name of await caches.keys())
    if (await (await caches.open(name)).match(location.origin + path)) return true;
  return false;
}"""
#: The paths of all that is kept.
ALL_KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const each of await (await caches.open(name)).keys())
      found.push(new URL(each.url).pathname);
  return found;
}"""
#: A line that is open and never says anything.
MUTE = """window.EventSource = class extends EventTarget {
  static CLOSED = 2; readyState = 1; close() {}
};"""

OpenPhone = Callable[..., Page]


@pytest.fixture
def phone(browser: Browser, mayor_site: MayorSite) -> Iterator[OpenPhone]:
    """`phone(path)`: a page on a phone of its own, loaded; `script` runs before it."""
    with ExitStack() as opened:

        def open_phone(path: str = "/mayor", script: str = "", **options: object) -> Page:
            context = opened.enter_context(
                browser.new_context(**{**PHONE, **options})  # type: ignore[arg-type]
            )
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            if script:
                page.add_init_script(script)
            page.goto(f"{mayor_site.url}{path}")
            return page

        yield open_phone


def wait_line(page: Page, state: str) -> None:
    page.wait_for_function("(state) => document.documentElement.dataset.line === state", arg=state)


def keep(page: Page, path: str) -> None:
    """Wait until the page can be read offline."""
    wait_until(lambda: page.evaluate(KEPT, path), PATIENCE_MS / 1000, f"{path} to be kept")


def cut(page: Page, is_cut: bool = True) -> BrowserContext:
    page.context.set_offline(is_cut)
    return page.context


def bar_of(page: Page) -> str:
    """What the bar says, "" while it is not shown."""
    bar = page.locator(BAR)
    return " ".join(bar.inner_text().split()) if bar.is_visible() else ""


# --- the line ---------------------------------------------------------------------------------


def test_a_page_that_hears_the_server_shows_no_bar(phone: OpenPhone) -> None:
    page = phone()
    wait_line(page, "live")
    assert bar_of(page) == ""


def test_newer_facts_come_into_the_page_without_loading_it(
    phone: OpenPhone, mayor_site: MayorSite
) -> None:
    page = phone()
    wait_line(page, "live")
    before = page.locator(BAR).get_attribute("data-version")
    page.evaluate("window.isTheSame = true")
    mayor_site.change(0.5)
    page.wait_for_function(
        "(before) => document.getElementById('live').dataset.version !== before", arg=before
    )
    assert page.evaluate("window.isTheSame") is True
    assert re.fullmatch(r"diperbarui \d\d\.\d\d", page.locator("#live-note").inner_text())


def test_newer_facts_leave_the_reader_where_he_was(phone: OpenPhone, mayor_site: MayorSite) -> None:
    page = phone()
    wait_line(page, "live")
    fold = page.locator("main details").first
    fold.locator("summary").click()
    page.evaluate("scrollTo(0, 700)")
    before = page.locator(BAR).get_attribute("data-version")
    mayor_site.change(0.8)
    page.wait_for_function(
        "(before) => document.getElementById('live').dataset.version !== before", arg=before
    )
    assert page.locator("main details").first.get_attribute("open") is not None
    assert abs(page.evaluate("scrollY") - 700) < 40


def test_a_server_that_goes_and_comes_back_is_told_by_the_bar(
    phone: OpenPhone, mayor_site: MayorSite
) -> None:
    page = phone(script=SKIPPING)
    wait_line(page, "live")
    mayor_site.stop()
    try:
        page.evaluate(SKIP)
        wait_line(page, "lost")
        assert re.search(r"Tidak tersambung sejak \d\d\.\d\d Keadaan terakhir: ", bar_of(page))
    finally:
        mayor_site.start()
    wait_line(page, "live")
    assert bar_of(page) == ""


def test_a_silent_line_is_told_although_it_is_open(phone: OpenPhone) -> None:
    page = phone(script=MUTE + SKIPPING)
    wait_line(page, "connecting")
    page.evaluate(SKIP)
    wait_line(page, "lost")
    assert bar_of(page).startswith("Tidak tersambung sejak ")


def test_a_page_nobody_looks_at_has_no_line(phone: OpenPhone) -> None:
    script = """const Real = EventSource; window.lines = [];
      window.EventSource = class extends Real {
        constructor(address) { super(address); window.lines.push(this); }
      };"""
    page = phone(script=script)
    wait_line(page, "live")
    page.evaluate(
        """() => {
          Object.defineProperty(document, 'hidden', { value: true, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    assert page.evaluate("window.lines.map((each) => each.readyState)") == [2]


def test_an_age_grows_stale_by_itself(phone: OpenPhone) -> None:
    page = phone()
    page.evaluate(
        """() => {
          const age = document.createElement('span');
          age.id = 'age';
          age.dataset.observed = new Date(Date.now() - 7000).toISOString();
          age.dataset.staleAfter = '9';
          // Not in <main>: newer facts would take its place.
          document.body.prepend(age);
        }"""
    )
    age = page.locator("#age")
    page.wait_for_function("() => /^[78]\\sd/.test(document.getElementById('age').textContent)")
    assert "is-stale" not in (age.get_attribute("class") or "")
    page.wait_for_function("() => document.getElementById('age').matches('.is-stale')")
    assert age.inner_text().endswith("· basi")


# --- offline ------------------------------------------------------------------------------------


def test_the_last_state_can_be_read_offline_with_its_date(phone: OpenPhone) -> None:
    page = phone()
    keep(page, "/mayor")
    headings = page.locator("main h2").all_inner_texts()
    cut(page)
    page.reload()
    assert page.locator("main h2").all_inner_texts() == headings
    assert re.search(r"Keadaan terakhir: \d+ \w+ \d{4} \d\d\.\d\d WIB", bar_of(page))


def test_a_page_behind_that_was_opened_can_be_read_offline(phone: OpenPhone) -> None:
    page = phone()
    keep(page, "/mayor")
    page.goto(page.url + "/finance")
    keep(page, "/mayor/finance")
    heading = page.locator("h1").inner_text()
    page.goto(page.url.removesuffix("/finance"))
    cut(page)
    page.goto(page.url + "/finance")
    assert page.locator("h1").inner_text() == heading
    assert "Keadaan terakhir" in bar_of(page)


def test_a_page_that_was_never_opened_says_so_in_both_languages(phone: OpenPhone) -> None:
    page = phone()
    keep(page, "/mayor")
    cut(page)
    page.goto(page.url + "/ladder")
    text = page.locator("main").inner_text()
    assert "belum pernah dibuka" in text
    assert "never opened" in text
    page.get_by_role("link", name="Ke halaman wali kota").click()
    page.wait_for_selector(BAR)
    assert "Keadaan terakhir" in bar_of(page)


def test_back_online_the_page_is_new_again(phone: OpenPhone) -> None:
    page = phone()
    keep(page, "/mayor")
    cut(page)
    page.reload()
    assert bar_of(page)
    cut(page, False)
    page.wait_for_function("() => !document.documentElement.dataset.stored")
    wait_line(page, "live")
    assert bar_of(page) == ""


def test_while_records_cannot_be_read_the_last_state_is_shown_as_such(
    phone: OpenPhone, mayor_site: MayorSite
) -> None:
    page = phone()
    keep(page, "/mayor")
    headings = page.locator("main h2").all_inner_texts()
    with mayor_site.records_away():
        page.reload()
        assert page.locator("main h2").all_inner_texts() == headings
        assert re.match(r"Server sedang tidak dapat .* Keadaan terakhir: \d", bar_of(page))


def test_the_api_is_never_kept(phone: OpenPhone) -> None:
    page = phone()
    keep(page, "/mayor")
    page.evaluate("() => fetch('/api/v1/kpis').then((answer) => answer.text())")
    kept = page.evaluate(ALL_KEPT)
    assert "/mayor" in kept
    assert [path for path in kept if path.startswith(("/api", "/stream"))] == []


def test_a_browser_finds_nothing_that_keeps_it_from_being_installed(phone: OpenPhone) -> None:
    page = phone()
    keep(page, "/mayor")
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    faults = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # The contexts of a test are private windows, in which nothing can be installed.
    assert [each["errorId"] for each in faults if each["errorId"] != "in-incognito"] == []
