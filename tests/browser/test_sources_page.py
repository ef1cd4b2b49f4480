"""The integrator's page in a real browser: find a source, look into it, try it, decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lawang.domain.clock import utc_now
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind, NewFinding
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.quality import Sample
from tests.api.life import MEASURE, reading
from tests.browser.conftest import OpenScreen
from tests.browser.screen import Screen
from tests.browser.test_pages import save
from tests.installation.running import Demo, wait_until

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=window.__planted=true><script>window.__planted=true</script>"
ROW = '#sources-body [data-source="elapor"]'
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def history(demo: Demo) -> Iterator[History]:
    """The demonstration's own history, as another process sees it."""
    path = demo.data_dir / "history.sqlite3"
    with closing(History(open_engine(f"sqlite:///{path}"))) as opened:
        yield opened


def plant(history: History, value: float) -> int:
    """A hostile sample, and a reading that was held back with a hostile finding; its number."""
    facts = Facts(
        zone=ZoneInfo("Asia/Jakarta"),
        measures={MEASURE.id: MEASURE},
        readings=[reading(HOSTILE, 0, value, held="magnitude")],
        findings=[
            NewFinding(
                kind=FindingKind.MAGNITUDE,
                measure=MEASURE.id,
                subject=HOSTILE,
                detail=HOSTILE,
                sample=HOSTILE,
                value=value,
                usual=40,
                at=datetime(2026, 11, 20, tzinfo=UTC),
            )
        ],
    )
    fence = history.highest_fence()
    history.settle("elapor", [], [], fetched_at=utc_now(), fence=fence, facts=facts)
    known = history.quality.sample("elapor")
    history.quality.keep_sample(
        Sample(
            source_id="elapor",
            taken_at=utc_now(),
            content_type="application/json",
            body=HOSTILE,
            shape=known.shape if known else {},
            learned=known.learned if known else 1,
        )
    )
    (found,) = history.findings.list(["elapor"])
    return found.id


@pytest.fixture
def page(demo: Demo, open_screen: OpenScreen) -> Screen:
    screen = open_screen(demo, "/sources", viewport={"width": 1440, "height": 900})
    screen.wait(f"() => document.querySelector('{ROW} svg.beats')")
    return screen


def rows(screen: Screen) -> int:
    return screen.page.locator("#sources-body tr:visible").count()


def test_the_search_narrows_the_table_and_stays_in_the_address(page: Screen) -> None:
    page.page.fill("#source-search", "lapor warga")
    assert rows(page) == 1
    assert "q=lapor+warga" in page.page.url
    page.page.fill("#source-search", "tidak ada yang begini")
    assert rows(page) == 0
    assert "Tidak ada sumber yang cocok" in page.text("#sources-none")
    page.page.reload()
    page.wait("() => document.querySelector('#source-search')")
    assert page.page.input_value("#source-search") == "tidak ada yang begini"
    assert rows(page) == 0


def test_department_and_state_narrow_the_table(page: Screen) -> None:
    page.page.select_option("#source-opd", "Diskominfo")
    assert rows(page) == 1
    page.page.locator('[data-state="refused"]').click()
    assert rows(page) == 0
    assert "state=refused" in page.page.url
    assert "opd=Diskominfo" in page.page.url
    page.page.locator('[data-state="refused"]').click()
    assert rows(page) == 1


def test_the_states_are_counted(page: Screen) -> None:
    counted = page.script(
        "() => [...document.querySelectorAll('.state-count b')]"
        ".reduce((sum, each) => sum + Number(each.textContent), 0)"
    )
    assert counted == 1


def test_heartbeats_have_a_text_of_their_own(page: Screen) -> None:
    label = page.page.locator(f"{ROW} svg.beats").get_attribute("aria-label")
    assert label is not None
    assert label.startswith("Seperempat jam: ")


def test_a_row_is_not_made_anew_by_a_poll(page: Screen, demo: Demo) -> None:
    page.script(f"() => {{ document.querySelector('{ROW} a').__mark = true; }}")
    before = demo.source()["last_success"]
    wait_until(lambda: demo.source()["last_success"] > before, 90, "one more poll")
    page.wait(
        "(before) => lawang.live.panel('sources').sources.elapor.last_success > before",
        90,
        before,
    )
    kept = page.script(f"() => document.querySelector('{ROW} a').__mark === true")
    assert kept is True


def open_detail(screen: Screen) -> None:
    screen.page.locator(f"{ROW} a.source-name").click()
    screen.wait("() => document.querySelector('.detail-facts')")


def test_a_source_opens_beside_the_table_and_its_address_leads_there(page: Screen) -> None:
    open_detail(page)
    assert "source=elapor" in page.page.url
    save(page, "sources-detail")
    for words in ("open311", "setiap 2 dtk", "Mutu", "Temuan", "Riwayat gangguan"):
        assert words in page.text(".detail")
    page.page.reload()
    page.wait("() => document.querySelector('.detail-facts')")
    page.page.keyboard.press("Escape")
    page.wait("() => !document.querySelector('.detail')")
    assert "source=" not in page.page.url
    assert page.complaints == []


def test_a_source_that_does_not_exist_is_said_to_be_none(
    demo: Demo, open_screen: OpenScreen
) -> None:
    screen = open_screen(demo, "/sources?source=tidak-ada")
    screen.wait("() => document.querySelector('.detail')?.textContent.includes('Tidak ada sumber')")


def test_try_now_polls_a_source_that_is_being_left_alone(page: Screen, demo: Demo) -> None:
    demo.fault("off")
    open_detail(page)
    page.wait("() => document.querySelector('.detail-error')")
    wait_until(lambda: demo.source()["failures"] >= 2, 90, "a second failure")
    demo.fault("none")
    page.page.locator("#try-now").click()
    page.wait("() => document.querySelector('#try-told').textContent === 'dicoba, berhasil'")
    assert demo.source()["failures"] == 0


def test_a_finding_is_accepted_with_a_name_and_a_reason(
    page: Screen, demo: Demo, history: History
) -> None:
    number = plant(history, 52_000)
    open_detail(page)
    box = page.page.locator(f'[data-finding="{number}"]')
    box.locator('[data-act="accept"]').click()
    page.wait(
        "() => document.querySelector('.decision-told').textContent === 'Isi nama dan alasan Anda.'"
    )
    box.locator(".decision-by").fill("Sari <b>Uji</b>")
    box.locator(".decision-note").fill("sudah ditanyakan")
    box.locator('[data-act="accept"]').click()
    assert history.findings.list(["elapor"])[0].id == number
    box.locator('[data-act="yes"]').click()
    page.wait("() => !document.querySelector('#detail-findings > .finding-list')")
    decided = history.findings.get(number)
    assert decided is not None
    assert (decided.state, decided.decided_by) == ("accepted", "Sari <b>Uji</b>")
    page.page.locator('[data-fold="decided"] > summary').click()
    assert "Sari <b>Uji</b>" in page.text('[data-fold="decided"]')


@pytest.mark.parametrize("bypass_csp", [False, True], ids=["csp", "no csp"])
def test_what_is_hostile_in_a_finding_or_a_sample_is_text(
    demo: Demo, open_screen: OpenScreen, history: History, bypass_csp: bool
) -> None:
    number = plant(history, 53_000)
    screen = open_screen(demo, "/sources?source=elapor", bypass_csp=bypass_csp)
    screen.wait("() => document.querySelector('pre.sample')")
    assert screen.text("pre.sample") == HOSTILE
    assert HOSTILE in screen.text(f'[data-finding="{number}"]')
    assert screen.script("() => window.__planted") is None
    found = screen.script("() => document.querySelectorAll('[onerror], .detail script').length")
    assert found == 0
    history.readings.decide(number, accept=False, by="Uji", note="", at=utc_now())


_TOO_WIDE = """() => {
  const wide = [...document.querySelectorAll('.sources-main *')].filter((each) => {
    const box = each.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5)
      && !each.closest('pre, svg, .visually-hidden');
  });
  return wide.map((each) => `${each.tagName}.${each.getAttribute('class')}`);
}"""


@pytest.mark.parametrize("path", ["/sources", "/sources?source=elapor", "/sources?lang=en"])
def test_nothing_is_wider_than_a_phone(demo: Demo, open_screen: OpenScreen, path: str) -> None:
    screen = open_screen(demo, path, viewport=PHONE)
    screen.wait(f"() => document.querySelector('{ROW} svg.beats')")
    screen.wait("() => document.querySelector('.stage-department')")
    if "source=" in path:
        screen.wait("() => document.querySelector('.detail-facts')")
    save(screen, f"sources-phone{path.removeprefix('/sources').replace('?', '-')}")
    found: Any = screen.script(_TOO_WIDE)
    assert found == []
    assert screen.script("() => document.scrollingElement.scrollWidth <= innerWidth") is True


def test_every_department_stands_on_the_ladder(page: Screen) -> None:
    page.wait("() => document.querySelectorAll('#maturity [data-opd]').length > 20")
    on = page.page.locator("#stage-integratif, #stage-smart, #stage-scattered")
    assert "Diskominfo" in " ".join(on.all_inner_texts())
    assert "sedikitnya 90%" in page.text("#maturity")
