"""The first page as text: its sections, its languages, and what may not get through."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from lawang.city import City
from lawang.domain.health import SourceState
from lawang.domain.kpi import Driver, Grey, Light, Span
from lawang.overview.model import Changes, Overview
from light.look import Look
from light.page import first_page
from light.render import Renderer, ask_of
from tests.light.overviews import AT, LAST, full_overview

#: What a slow phone has in a second and a half, less what the network itself takes.
MOST_BYTES = 45_000
HOSTILE = "<script>alert('x')</script>\"&"


def page(city: City, overview: Overview, look: Look | None = None, **query: str) -> str:
    """The first page of an overview; whitespace as browsers see it."""
    ask = ask_of("/mayor", query, AT)
    shown = first_page(city, overview, {}, look or Look(None, LAST, AT))
    text = Renderer(city, "b1").text("mayor.html", ask, page=shown, ov=overview)
    return re.sub(r"\s+", " ", text)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)


def said(html: str) -> str:
    """What a person reads of a page."""
    parser = _Text()
    parser.feed(html)
    return re.sub(r"\s+", " ", " ".join(parser.said))


@pytest.fixture(scope="module")
def overview(city: City) -> Overview:
    return full_overview(city)


@pytest.fixture(scope="module")
def shown(city: City, overview: Overview) -> str:
    return said(page(city, overview))


@pytest.mark.parametrize(
    "text",
    [
        "data sampai 21 Nov 2026",
        "DATA SIMULASI",
        "23 Okt – 21 Nov 2026",
        "Memburuk dalam 7 hari",
        "dibanding 14 Nov 2026",
        "3 lagi memburuk",
        "38 dari 120 laporan lewat tenggat",
        "Pendapatan daerah Rp4,11 T",
        "Perkiraan 31 Des: Rp4,81 T; empat dari lima kemungkinan: Rp4,64 T s.d. Rp4,97 T",
        "PBB-P2 Rp263,2 M",
        "basi 19 Nov 2026",
        "Rp420 M s.d. 21 Nov 2026",
        "143 diproses 12 tertua 22 Okt 2026",
        "14 kecamatan tidak berbeda nyata",
        "31 rekaman tanpa kecamatan",
        "Tonggak masterplan",
        "0 dari 39 sumber segar",
    ],
)
def test_the_page_says(shown: str, text: str) -> None:
    assert text in shown.replace("\u202f", " ").replace("▲ ", "")


def test_the_city_score_stands_with_its_word_and_shape(city: City, overview: Overview) -> None:
    rolled = replace(overview.city, score=0.82, light=Light.RED)
    scores = {**overview.scores, Span.MONTH: (rolled, *overview.dimensions)}
    text = said(page(city, replace(overview, scores=scores)))
    assert "0,82 ▲ Tertinggal" in text


def test_without_a_score_the_city_is_grey_and_shows_no_nought(
    city: City, overview: Overview
) -> None:
    rolled = replace(
        overview.city,
        score=None,
        change=None,
        before=None,
        drivers=(),
        light=Light.GREY,
        counting=0,
    )
    scores = {**overview.scores, Span.MONTH: (rolled, *overview.dimensions)}
    text = said(page(city, replace(overview, scores=scores)))
    assert "Skor kota – ○ Data kurang" in text
    assert "belum ada pembanding" in text


def test_every_horizon_is_a_link_and_the_chosen_one_is_marked(
    city: City, overview: Overview
) -> None:
    html = page(city, replace(overview, span=Span.YEAR), span="year", lang="en")
    assert 'href="/mayor?lang=en" > <span>30 days</span>' in html.replace("> <span", " > <span")
    assert re.search(r'href="/mayor\?span=year&amp;lang=en" aria-current="true"', html)


def test_links_keep_language_and_horizon(city: City, overview: Overview) -> None:
    html = page(city, overview, span="week", lang="en")
    links = set(re.findall(r'href="(/mayor[^"#]*)', html)) - {"/mayor?lang=en"}
    kept = [link for link in links if "static" not in link and "manifest" not in link]
    lost = [link for link in kept if "lang=" not in link or "span=" not in link]
    assert len(kept) > 60
    assert lost == []


def test_in_english_nothing_is_left_in_indonesian(city: City, overview: Overview) -> None:
    # Names of the pack's own departments, sources and credits are names in every language.
    text = said(page(city, overview, lang="en"))
    words = "dari|dan|sejak|tenggat|hari|sumber|terlambat|serapan|tertua|janji|dinas|nyata|skor"
    found = re.findall(rf"\b(?:{words})\b", text.split("Page made")[0], re.IGNORECASE)
    assert found == []
    assert "Got worse in 7 days" in text
    assert "Rp4.11T" in text


def test_the_page_fits_a_slow_line(city: City, overview: Overview) -> None:
    assert len(gzip.compress(page(city, overview).encode(), 5)) < MOST_BYTES


def test_hostile_names_of_a_pack_are_text(city: City, overview: Overview) -> None:
    opds = {name: replace(each, name=HOSTILE) for name, each in city.opds.items()}
    sources = {name: replace(each, name=HOSTILE) for name, each in city.sources.items()}
    lines = {
        name: replace(line, kpi=replace(line.kpi, name_id=HOSTILE))
        for name, line in overview.lines.items()
    }
    finance = overview.finance
    assert finance is not None
    hostile = replace(
        overview,
        lines=lines,
        finance=replace(
            finance,
            absorption=tuple(replace(each, name=HOSTILE) for each in finance.absorption),
        ),
    )
    html = page(replace(city, opds=opds, sources=sources, name=HOSTILE), hostile)
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;") > 50


def test_sections_without_figures_say_so(city: City, overview: Overview) -> None:
    bare = replace(
        overview, finance=None, services=None, districts=None, ladder=(), milestones=(), overdue=()
    )
    text = said(page(city, bare))
    assert text.count("Kota ini tidak memuat bagian tersebut.") == 2
    assert "Belum ada indikator per kecamatan." in text
    assert "Belum ada dinas yang terdaftar." in text
    assert "Belum ada tonggak masterplan yang dimasukkan." in text


def test_nothing_overdue_says_when_it_was_judged(city: City, overview: Overview) -> None:
    text = said(page(city, replace(overview, overdue=())))
    assert "Tidak ada yang terlambat, dinilai 22 Nov 2026 06.00 WIB." in text


def test_the_page_says_how_many_indicators_count(
    city: City, overview: Overview, shown: str
) -> None:
    counting = overview.city.counting
    assert counting < len(city.kpis)
    assert f"{counting} dari {len(city.kpis)} indikator dihitung" in shown


def _moved(overview: Overview, change: float, contribution: float) -> Overview:
    """The first dimension moved by `change`, one indicator by `contribution`."""
    first = replace(
        overview.dimensions[0],
        change=change,
        drivers=(Driver("surat_10_menit", contribution, 0.9, 0.9 + contribution),),
    )
    scores = (overview.city, first, *overview.dimensions[1:])
    return replace(overview, scores={**overview.scores, Span.MONTH: scores})


@pytest.mark.parametrize(
    ("change", "contribution", "named"),
    [(0.02, 0.02, True), (-0.02, -0.01, True), (0.004, 0.004, False), (0.02, 0.004, False)],
)
def test_a_driver_is_named_only_where_it_and_the_change_show(
    city: City, overview: Overview, change: float, contribution: float, named: bool
) -> None:
    moved = _moved(overview, change, contribution)
    found = first_page(city, moved, {}, Look()).dimensions[0].driver
    assert (found is not None) is named


def test_amounts_by_kecamatan_are_bars_without_standings(city: City, overview: Overview) -> None:
    assert overview.districts is not None
    amounts = replace(overview.districts, kpi="pbb", judged=False)
    text = page(city, replace(overview, districts=amounts))
    assert "Jumlah per kecamatan tidak dinilai karena ukurannya berbeda-beda." in said(text)
    assert "tidak berbeda nyata" not in said(text)
    assert 'class="city-line"' not in text


def test_units_and_credits_are_english_on_the_english_page(city: City, overview: Overview) -> None:
    text = said(page(city, overview, lang="en"))
    assert "Ministry of Home Affairs" in text
    assert "Kode wilayah" not in text


def test_a_second_look_names_the_day_it_is_compared_with(city: City, overview: Overview) -> None:
    text = said(page(city, overview, Look(LAST - timedelta(days=7), LAST, AT)))
    assert "Memburuk sejak Anda terakhir melihat" in text
    assert "Ini pertama kali" not in text


def test_what_cannot_be_compared_is_said(city: City, overview: Overview) -> None:
    none = Changes(since=None, city=None, worse=(), better=())
    text = said(page(city, replace(overview, changes=none)))
    assert "Belum ada hari baru untuk dibandingkan." in text


def test_a_grey_indicator_says_why_in_place_of_its_light(city: City, overview: Overview) -> None:
    name = "surat_10_menit"
    line = overview.lines[name]
    value = replace(
        line.values[Span.MONTH], value=None, target=None, score=None,
        light=Light.GREY, grey=Grey.NO_DATA, observed_at=None,
    )  # fmt: skip
    lines = {**overview.lines, name: replace(line, values={**line.values, Span.MONTH: value})}
    text = said(page(city, replace(overview, lines=lines)))
    assert re.search(r"Surat kelurahan dalam 10 menit – ○ Data kurang tidak ada data", text)


def test_sources_are_fresh_only_as_long_as_they_are_heard(city: City, overview: Overview) -> None:
    states = {
        name: SourceState(source_id=name, last_success=AT - timedelta(seconds=1))
        for name in city.sources
    }
    assert first_page(city, overview, states, Look()).heard == {"fresh": len(city.sources)}
    later = replace(overview, at=AT + timedelta(days=30))
    assert "fresh" not in first_page(city, later, states, Look()).heard


def test_left_out_indicators_are_listed_with_their_reason(city: City, overview: Overview) -> None:
    shown = first_page(city, overview, {}, Look())
    assert [(each.reason, len(each.kpis)) for each in shown.left_out] == [(Grey.FEW, 18)]


def test_a_figure_as_of_midnight_tells_of_the_day_that_ended(city: City) -> None:
    terms = Renderer(city, "b1").terms("id")
    midnight = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    assert terms.last_day(midnight) == "21 Nov 2026"
    assert terms.last_day(midnight + timedelta(seconds=1)) == "22 Nov 2026"


def test_no_department_stands_at_both_ends_of_the_ranking(city: City, overview: Overview) -> None:
    finance = overview.finance
    assert finance is not None
    four = replace(overview, finance=replace(finance, absorption=finance.absorption[:4]))
    shown = first_page(city, four, {}, Look())
    assert (len(shown.lowest), len(shown.highest)) == (3, 1)


@pytest.mark.parametrize(
    ("query", "language", "span"),
    [
        ({}, "id", "month"),
        ({"lang": "en", "span": "day"}, "en", "day"),
        ({"lang": "<b>", "span": "decade"}, "id", "month"),
        ({"lang": "", "span": ""}, "id", "month"),
    ],
)
def test_unknown_wishes_become_the_default(query: dict[str, str], language: str, span: str) -> None:
    ask = ask_of("/mayor", query, AT)
    assert (ask.language, ask.span.value) == (language, span)
