"""The pages behind the first one: whole, in both languages, and nothing is trusted."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from lawang.city import City
from lawang.domain.formula import QualityFormula
from lawang.domain.kpi import Horizon, Span
from lawang.overview.behind import newest_behind
from lawang.overview.model import KpiDetail, Overview
from lawang.store.briefs import Brief, Paragraph
from lawang.store.engine import open_engine
from lawang.store.history import History
from light.routes import make_light_router
from tests.api.conftest import PATIENCE_S, until
from tests.conftest import build_incident
from tests.light.conftest import SetClock, browser
from tests.light.details import full_detail
from tests.light.overviews import AT, full_overview

HOSTILE = '<img src=x onerror=alert(1)>"'
PAGES = ("finance", "districts", "ladder", "milestones", "overdue", "brief")
RATE, AMOUNT = "surat_10_menit", "pbb"


class MadeReader:
    """Answers with figures that a test knows."""

    def __init__(self, city: City) -> None:
        self._city = city

    def version(self) -> str:
        return "7"

    def read(
        self, now: datetime, states: Any, *, span: Span, since: Any = None, districts: str = ""
    ) -> Overview:
        return full_overview(self._city, span=span, points=5)

    def detail(
        self, kpi_id: str, now: datetime, states: Any, *, span: Span, days: int
    ) -> KpiDetail:
        return full_detail(self._city, kpi_id, span=span, days=days, hostile=HOSTILE)


@pytest.fixture(scope="module")
def hostile_city(city: City) -> City:
    """A pack whose names are an attack."""
    opds = {name: replace(each, name=each.name + HOSTILE) for name, each in city.opds.items()}
    kpis = {
        name: replace(
            each, definition_id=each.definition_id + HOSTILE, name_id=each.name_id + HOSTILE
        )
        for name, each in city.kpis.items()
    }
    return replace(city, opds=opds, kpis=dict(MappingProxyType(kpis)))


@pytest.fixture(scope="module")
def stored(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    path = tmp_path_factory.mktemp("detail") / "history.sqlite3"
    path.write_bytes(_migrated_sqlite.read_bytes())
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        briefs = [
            Brief(
                day=date(2026, 11, 22), language=language, edition=1, made_at=AT,
                last=date(2026, 11, 21), title=f"Brief {HOSTILE}", notes=("simulated",),
                paragraphs=(Paragraph(title="Kota", sentences=("Skor 0,97.", HOSTILE)),),
                simulated=True, pdf_size=3, pdf_digest="a" * 64, xlsx_size=4, xlsx_digest="b" * 64,
            )
            for language in ("id", "en")
        ]  # fmt: skip
        history.briefs.save(briefs, [(b"pdf", b"xlsx")] * 2)
        yield history


@pytest.fixture(scope="module")
def client(hostile_city: City, stored: History) -> Iterator[httpx.Client]:
    pages = FastAPI()
    reader: Any = MadeReader(hostile_city)
    pages.include_router(make_light_router(hostile_city, reader, dict, SetClock(), "b1", stored))
    server = uvicorn.Server(uvicorn.Config(pages, log_level="warning", access_log=False))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive(), "the pages to be served")
            with browser(f"http://127.0.0.1:{listener.getsockname()[1]}") as visitor:
                yield visitor
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


def _page(client: httpx.Client, path: str, **query: str) -> str:
    answer = client.get(f"/mayor/{path}", params=query)
    assert answer.status_code == 200, (path, answer.text[:500])
    return answer.text


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("path", [*PAGES, f"kpi/{RATE}", f"kpi/{AMOUNT}", "dimension/governance"])
def test_every_page_escapes_what_others_wrote(
    client: httpx.Client, path: str, language: str
) -> None:
    page = _page(client, path, lang=language)
    assert "<img" not in page
    assert f'<html lang="{language}">' in page


@pytest.mark.parametrize("path", ["kpi/nothing", "dimension/nothing", "kpi/", "nothing"])
def test_an_unknown_page_is_lost(client: httpx.Client, path: str) -> None:
    assert client.get(f"/mayor/{path}").status_code == 404


def test_unknown_choices_become_the_default(client: httpx.Client) -> None:
    page = _page(client, f"kpi/{RATE}", span="decade", days="7000000", lang="xx")
    assert re.search(r'aria-current="true">30 hari', page)
    assert re.search(r'aria-current="true">365 hari', page)


def test_links_keep_language_and_horizon(client: httpx.Client) -> None:
    page = _page(client, f"kpi/{RATE}", span="week", lang="en")
    links = re.findall(r'href="(/mayor/[^"]*)"', page)
    ours = [link for link in links if "/static/" not in link and "." not in link]
    assert len(ours) > 10
    # The month is the default and needs no word; any other way out keeps the week.
    assert [link for link in ours if "lang=" not in link] == []
    assert [link for link in ours if "span=" not in link] == [f"/mayor/kpi/{RATE}?lang=en"]


def test_an_indicator_tells_where_its_number_is_from(client: httpx.Client) -> None:
    page = _page(client, f"kpi/{RATE}", lang="en")
    for told in (
        "Definition", "Formula", "simulated", "Thresholds", "green from 1.00, amber from 0.90",
        "Five horizons", "A flood", "A new rule", "3 readings held back", "Week by week",
        "The records behind it", "Freshness and quality", "late", "2 h ago", f"kpi={RATE}",
    ):  # fmt: skip
        assert told in page, told


def test_a_rate_is_shown_by_kecamatan_those_that_stand_out_first(client: httpx.Client) -> None:
    page = _page(client, f"kpi/{RATE}", lang="en")
    assert page.index("Those that stand out") < page.index("No real difference (14)")
    assert "Too few records (1)" in page
    assert page.count("<figcaption>") >= 18


def test_an_amount_has_its_course_and_a_forecast_with_its_interval(client: httpx.Client) -> None:
    page = _page(client, f"kpi/{AMOUNT}", lang="en")
    assert (
        "Forecast for 31 December: Rp1.2T, between Rp1.1T and Rp1.3T with 80% confidence." in page
    )
    assert "By kecamatan" not in page


def test_a_dimension_prints_weights_and_leaves_out_what_is_grey(client: httpx.Client) -> None:
    page = _page(client, "dimension/governance", lang="en")
    counting, grey = page.split("Left out of the score")
    assert "weight " in counting
    assert "too few records" in grey


def test_the_surplus_is_spelled_out(client: httpx.Client) -> None:
    page = _page(client, "finance", lang="en")
    assert "Rp4.11T revenue − Rp3.72T spending + Rp30B net financing = Rp420B" in page
    assert "stale" in page


def test_absorption_says_who_is_behind_the_curve(client: httpx.Client) -> None:
    page = _page(client, "finance", lang="en")
    assert page.count("behind the curve") == 14


def test_the_ladder_says_its_rules(client: httpx.Client) -> None:
    page = _page(client, "ladder", lang="en")
    assert "Nothing of the department has been heard yet." in page


def test_overdue_says_since_when(client: httpx.Client) -> None:
    page = _page(client, "overdue", lang="en")
    assert "<b>38</b> of 120 reports past due" in page
    assert "oldest since 12 Oct 2026 06:00 WIB" in page


def test_the_newest_brief_is_read_in_full_with_its_files(client: httpx.Client) -> None:
    page = _page(client, "brief", lang="en")
    assert "Skor 0,97." in page
    assert "/api/v1/briefs/2026-11-22.pdf?language=en&amp;edition=1" in page


def test_a_page_stays_small(client: httpx.Client) -> None:
    for path in (f"kpi/{RATE}", "finance"):
        sent = client.get(f"/mayor/{path}", params={"days": str(1100)})
        assert len(sent.content) < 220_000, path


def test_behind_a_number_are_its_newest_records_without_a_citizens_word(
    city: City, stored: History
) -> None:
    horizon = Horizon.ending(Span.MONTH, date(2026, 11, 21))
    reports = [
        build_incident(
            external_id=f"2026-{number:06}",
            requested_at=AT - timedelta(days=number + 1),
            description=HOSTILE,
            address=HOSTILE,
            category="banjir",
        )
        for number in range(35)
    ]
    stored.settle("elapor", reports, [], fetched_at=AT, fence=1)
    found = newest_behind(city, stored, city.kpis["elapor_tepat_waktu"], horizon)
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)
    assert (len(found), found[0].id) == (20, "elapor:2026-000000")
    assert HOSTILE not in repr(found)


def test_an_indicator_about_the_sources_has_no_records(city: City, stored: History) -> None:
    kpi = next(each for each in city.kpis.values() if isinstance(each.formula, QualityFormula))
    assert newest_behind(city, stored, kpi, Horizon.ending(Span.MONTH, date(2026, 11, 21))) == ()
