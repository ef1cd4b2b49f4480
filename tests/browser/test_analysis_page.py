"""The analysis page: one indicator opened, the address as its state, and the same on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lawang.settings import ROOT
from tests.browser.axe import grave_faults
from tests.browser.conftest import OpenScreen
from tests.browser.mayor import HOSTILE, MayorSite
from tests.browser.screen import Screen
from tests.installation.running import Demo

pytestmark = pytest.mark.browser

OUTPUT = ROOT / "test-output"
KPI = "elapor_tepat_waktu"
QUERY = f"kpi={KPI}&days=92"
DESK = {"width": 1440, "height": 900}
_DRAWN = """(kpi) => document.querySelector(`.analysis-body[data-kpi="${kpi}"]`)
  && [...document.querySelectorAll('.chart')].every((each) => each.querySelector('.main-svg'))"""


def open_analysis(screen: Screen, query: str = QUERY, kpi: str = KPI) -> None:
    """Load the page and wait until the indicator and all its charts are drawn."""
    screen.go(f"/analysis?{query}")
    screen.wait(_DRAWN, argument=kpi)
    screen.wait("() => document.fonts.status === 'loaded'")


@pytest.fixture(scope="module")
def desk(mayor_site: MayorSite, open_shared_screen: OpenScreen) -> Screen:
    """One screen of 1440x900 on known facts, on which nothing is loaded yet."""
    return open_shared_screen(mayor_site, viewport=DESK)


@pytest.fixture(scope="module")
def live_desk(shared_demo: Demo, open_shared_screen: OpenScreen) -> Screen:
    """One screen of 1440x900 on the demonstration, on which nothing is loaded yet."""
    return open_shared_screen(shared_demo, viewport=DESK)


@pytest.fixture
def analysis(desk: Screen) -> Screen:
    """The module's screen with the indicator of these tests; loaded if it shows another one."""
    if not desk.page.url.endswith(f"/analysis?{QUERY}"):
        open_analysis(desk)
    return desk


@pytest.fixture(
    scope="module",
    params=[((1920, 1080), "id"), ((1440, 900), "en"), ((390, 844), "id")],
    ids=["1920", "1440", "390"],
)
def sized(
    request: pytest.FixtureRequest, mayor_site: MayorSite, open_shared_screen: OpenScreen
) -> Screen:
    """The page on screens of three sizes, in both languages."""
    (width, height), lang = request.param
    screen = open_shared_screen(mayor_site, viewport={"width": width, "height": height})
    open_analysis(screen, f"kpi={KPI}&lang={lang}")
    OUTPUT.mkdir(exist_ok=True)
    screen.page.screenshot(path=OUTPUT / f"analysis-{width}-{lang}.png", full_page=True)
    return screen


def test_it_shows_value_target_score_cohort_and_age(analysis: Screen) -> None:
    names = analysis.page.locator(".analysis-tile dt").all_inner_texts()
    assert names == ["Nilai", "Target", "Skor", "Rekaman", "Usia data"]


def test_every_card_of_data_tells_the_date_of_its_data(analysis: Screen) -> None:
    without = analysis.script(
        """() => [...document.querySelectorAll('.card')]
          .filter((card) => card.querySelector('.chart') && !card.querySelector('#analysis-bullets')
            && !card.querySelector('.age')?.textContent.trim())
          .map((card) => card.textContent.slice(0, 40))"""
    )
    assert without == []


def test_it_asks_no_other_host_and_complains_of_nothing(analysis: Screen) -> None:
    assert analysis.foreign == []
    assert analysis.complaints == []


def test_plotly_has_no_logo_and_speaks_indonesian(analysis: Screen) -> None:
    assert analysis.page.locator(".plotlyjsicon, .modebar-btn--logo").count() == 0
    titles = analysis.script(
        "() => [...document.querySelectorAll('.modebar-btn')].map((each) => each.dataset.title)"
    )
    assert set(titles) <= {"Perbesar", "Geser", "Kembali ke awal", "Unduh sebagai PNG"}


def test_a_choice_is_in_the_address_and_back_undoes_it(analysis: Screen) -> None:
    page = analysis.page
    page.locator("#analysis-kpi").select_option("pbb")
    analysis.wait(_DRAWN, argument="pbb")
    page.locator('button[data-asks="span"][data-value="year"]').click()
    analysis.wait("() => location.search.includes('span=year')")
    assert "kpi=pbb" in page.url
    analysis.script("() => { window.sameDocument = true; }")
    page.go_back()
    analysis.wait("() => !location.search.includes('span=year')")
    assert "kpi=pbb" in page.url
    page.go_back()
    analysis.wait(_DRAWN, argument=KPI)
    assert page.locator("#analysis-kpi").input_value() == KPI
    page.go_forward()
    analysis.wait(_DRAWN, argument="pbb")
    assert page.locator("#analysis-kpi").input_value() == "pbb"
    assert analysis.script("() => window.sameDocument")


def test_a_linked_address_shows_the_same_to_a_colleague(desk: Screen) -> None:
    open_analysis(desk, "kpi=pbb&span=year&days=1100&lang=en", "pbb")
    pressed = desk.page.locator('button[aria-pressed="true"]').all_inner_texts()
    assert pressed == ["Year to date", "3 years"]


def test_searching_leaves_the_indicators_that_fit(analysis: Screen) -> None:
    analysis.page.locator("#analysis-search").fill("pbb objek")
    shown = analysis.script(
        "() => [...document.querySelectorAll('#analysis-kpi option:not([hidden])')]"
        ".map((each) => each.value)"
    )
    assert shown == ["pbb_objek_lunas"]
    analysis.page.locator("#analysis-search").press("Enter")
    analysis.wait(_DRAWN, argument="pbb_objek_lunas")


def test_an_unknown_indicator_is_told(desk: Screen) -> None:
    desk.go("/analysis?kpi=%3Cimg%20src%3Dx%3E")
    desk.wait("() => document.querySelector('.analysis-sorry')")
    assert desk.text(".analysis-sorry") == "Indikator itu tidak ada. Pilih salah satu di atas."


def test_the_file_has_the_days_as_numbers(desk: Screen) -> None:
    open_analysis(desk, "kpi=pbb&days=92", "pbb")
    with desk.page.expect_download() as downloading:
        desk.page.locator("#analysis-csv").click()
    file = downloading.value
    assert re.fullmatch(r"mayor-\d+-pbb-\d{4}-\d\d-\d\d\.csv", file.suggested_filename)
    text = Path(file.path()).read_text(encoding="utf-8-sig")
    head, *days = text.splitlines()
    assert head.split(";")[:4] == ["Indikator", "Hari", "Nilai", "Target"]
    assert len(days) > 20
    assert all(re.match(r"[^;]+;\d{4}-\d\d-\d\d;\d+,\d+;\d+,\d+;Rp;", each) for each in days)


def test_nothing_is_wider_than_the_screen(sized: Screen) -> None:
    assert sized.script("() => document.scrollingElement.scrollWidth - innerWidth") <= 0
    assert sized.script(
        """() => [...document.querySelectorAll('.chart .main-svg')]
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 1).length"""
    ) == 0  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/wall?scene=kejadian", "/sources"])
def test_a_page_has_no_grave_fault_for_who_cannot_see_or_point(
    live_desk: Screen, demo: Demo, path: str
) -> None:
    live_desk.go(path)
    live_desk.wait_live()
    assert grave_faults(live_desk.page) == []


def test_the_analysis_has_no_grave_fault_for_who_cannot_see_or_point(sized: Screen) -> None:
    assert grave_faults(sized.page) == []


_PALE = """() => {
  const light = (text) => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255; };
  return [...document.querySelectorAll('.page *')]
    .filter((each) => each.checkVisibility({ visibilityProperty: true })
      && [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
    .filter((each) => !each.closest('.map, svg, .day-mark'))
    .map((each) => [light(getComputedStyle(each).color), each.className, each.textContent])
    .filter(([much]) => much > 0.45).map((each) => each.join(' '));
}"""


def print_page(screen: Screen, name: str) -> list[str]:
    """The pale texts of the page as it is printed; it is kept as a PDF, for people."""
    screen.page.emulate_media(media="print")
    try:
        OUTPUT.mkdir(exist_ok=True)
        screen.page.pdf(path=OUTPUT / f"print-{name}.pdf", prefer_css_page_size=True)
        assert screen.page.locator(".simulated-mark").first.is_visible()
        assert screen.page.locator(".age, .source-age").first.is_visible()
        pale = screen.script(_PALE)
        assert isinstance(pale, list)
        return pale
    finally:
        screen.page.emulate_media(media="screen")


@pytest.mark.parametrize("path", ["/", "/wall?scene=kejadian", "/sources"])
def test_on_paper_all_text_is_dark_and_ages_and_simulated_marks_stay(
    live_desk: Screen, demo: Demo, path: str
) -> None:
    live_desk.go(path)
    live_desk.wait_live()
    live_desk.wait("() => document.querySelector('#simulated-mark:not([hidden])')")
    assert print_page(live_desk, path.strip("/").partition("?")[0] or "home") == []


def test_on_paper_the_analysis_is_dark_on_white_with_its_ages_and_marks(analysis: Screen) -> None:
    assert print_page(analysis, "analysis") == []


def test_hostile_words_are_read_and_not_run(desk: Screen, mayor_site: MayorSite) -> None:
    first = next(iter(mayor_site.installation.city.kpis))
    open_analysis(desk, f"kpi={first}", first)
    assert desk.text(".analysis-title h1") == HOSTILE
    assert desk.script("() => document.querySelectorAll('.page img, .page svg a').length") == 0


def test_charts_on_paper_have_the_ink_of_paper_and_get_their_own_back(analysis: Screen) -> None:
    inked = """([ink, widest, least]) => {
      const graph = document.querySelector('#analysis-trend .js-plotly-plot');
      const width = graph.querySelector('.main-svg').clientWidth;
      return graph._fullLayout.font.color === ink && least < width && width <= widest;
    }"""
    analysis.wait(inked, argument=["#e4eef4", 5000, 700])
    analysis.page.emulate_media(media="print")
    analysis.wait(inked, argument=["#10181e", 700, 0])
    analysis.page.emulate_media(media="screen")
    analysis.wait(inked, argument=["#e4eef4", 5000, 700])
