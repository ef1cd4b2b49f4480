"""The page: one A4, text that can be read out, the figures of the morning, the same bytes."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from pypdf import PdfReader

from brief.compose import SPAN
from brief.pdf import _Page, draw_pdf
from brief.prose import Prose
from lawang.city import City
from lawang.domain.kpi import Light, Span
from layouts import formats
from tests.brief.morning import make_morning

A4_MM = (210, 297)


def _read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def _words(content: bytes) -> str:
    """The text of the page in one line; what is broken over lines is joined again."""
    text = _read(content).pages[0].extract_text()
    return re.sub(r"\s+", " ", text.replace("\xa0", " "))


def test_it_is_one_page_of_a4_whatever_the_morning_brings(city: City) -> None:
    for seed in range(8):
        for language in ("id", "en"):
            content = draw_pdf(make_morning(city, seed, bare=seed == 7), city, language, 1)
            pages = _read(content).pages
            assert len(pages) == 1
            size = tuple(round(float(each) / 72 * 25.4) for each in pages[0].mediabox[2:])
            assert size == A4_MM


def test_amber_and_red_have_the_shapes_that_the_pages_give_them(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    page = _Page(make_morning(city, 1), city, "id", 1)
    monkeypatch.setattr(page.pdf, "polygon", lambda points, **_: drawn.append(len(points)))
    for light in (Light.AMBER, Light.RED):
        page.mark(0, 0, light)
    diamond, triangle = drawn
    page.draw()  # which closes its fonts
    assert (diamond, triangle) == (4, 3)


def test_the_same_morning_gives_the_same_bytes(city: City) -> None:
    morning = make_morning(city, 2)
    assert draw_pdf(morning, city, "id", 1) == draw_pdf(morning, city, "id", 1)


def test_every_sentence_of_the_brief_stands_on_the_page(city: City) -> None:
    for seed in (1, 2, 4):
        morning = make_morning(city, seed)
        text = _words(draw_pdf(morning, city, "id", 1))
        prose = Prose(morning, city, "id")
        for each in (*prose.notes(), *(s for p in prose.paragraphs() for s in p.sentences)):
            plain = re.sub(r"\s+", " ", each.replace("\u202f", " ").replace("\xa0", " "))
            assert plain in text, plain


def test_the_scores_of_all_horizons_are_those_of_the_overview(city: City) -> None:
    morning = make_morning(city, 4)
    text = _words(draw_pdf(morning, city, "id", 1))
    for span in Span:
        for roll in morning.overview.scores[span]:
            assert formats.score(roll.score, "id") in text


def test_it_says_its_title_language_and_time(city: City) -> None:
    morning = make_morning(city, 2)
    reader = _read(draw_pdf(morning, city, "en", 3))
    assert reader.metadata is not None
    assert reader.metadata.title == "Morning brief of Kota Palembang, Saturday, 21 November 2026"
    assert reader.metadata.creation_date == morning.made_at
    assert reader.trailer["/Root"]["/Lang"] == "en"  # type: ignore[index]
    assert "edition 3" in _words(draw_pdf(morning, city, "en", 3))


def test_its_fonts_travel_with_it_and_nothing_is_a_picture(city: City) -> None:
    page = _read(draw_pdf(make_morning(city, 2), city, "id", 1)).pages[0]
    fonts = page["/Resources"]["/Font"]  # type: ignore[index]
    names = {str(each.get_object()["/BaseFont"]) for each in fonts.values()}
    assert len(names) == 2
    assert all("B612" in name for name in names)
    assert len(page.images) == 0


def test_a_letter_that_the_font_lacks_does_not_stop_it(city: City) -> None:
    morning = make_morning(city, 2)
    finance = morning.overview.finance
    assert finance is not None
    odd = replace(finance.absorption[0], name="Dinas 水 " + "x" * 300, budget=1.0)
    overview = replace(
        morning.overview, finance=replace(finance, absorption=(odd, *finance.absorption))
    )
    text = _words(draw_pdf(replace(morning, overview=overview), city, "id", 1))
    assert "Dinas ? xxx" in text


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_light_has_its_word_beside_its_colour(city: City, language: str) -> None:
    morning = make_morning(city, 2)
    word = Prose(morning, city, language).light(morning.overview.scores[SPAN][0].light)
    assert word in _words(draw_pdf(morning, city, language, 1))
