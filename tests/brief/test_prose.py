"""Sentences: each has its figure, and no figure is made up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from enum import Enum

import pytest

from brief.compose import SPAN, Morning
from brief.prose import Prose, clean
from lawang.city import City
from lawang.domain.kpi import Light
from lawang.overview.model import MilestoneState, OverdueKind
from layouts import formats
from tests.brief.morning import LAST, make_morning

SEEDS = range(8)
#: Parts of a morning that no sentence is about; formatting their thousands of figures takes long.
_UNSAID = ("kpi", "milestone", "spark", "drivers", "before", "districts", "num", "den", "weight")
_NUMBER = re.compile(r"\d(?:[\d.,]*\d)?")


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(text))


def _walk(value: object) -> Iterator[object]:
    """Every number, day and instant in a value made of dataclasses."""
    if isinstance(value, Enum | str | bool) or value is None:
        return
    if isinstance(value, int | float | date):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            if each.name not in _UNSAID or (
                each.name == "before" and not isinstance(getattr(value, each.name), Mapping)
            ):
                yield from _walk(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _walk(each)


def _derived(morning: Morning) -> Iterator[object]:
    """The sums and shares that sentences may give, worked out here once more."""
    overview = morning.overview
    yield from (len(overview.changes.worse), len(overview.changes.better))
    yield from (len(morning.week.worse), len(morning.week.better))
    yield from (overview.scores[SPAN][0].horizon.days, len(overview.scores[SPAN]) - 1)
    yield sum(each.light is Light.GREEN for each in overview.scores[SPAN][1:])
    for kind in OverdueKind:
        own = [each.count for each in overview.overdue if each.kind is kind]
        yield from (sum(own), len(own))
    yield from (len(morning.sources), len(morning.failed), len(morning.pending))
    yield from (len(morning.pending) - 3, len(overview.lines))
    yield from (each.down_s / 3600 for each in morning.sources)
    states = [each.state for each in overview.milestones]
    yield from (len(states), *(states.count(each) for each in MilestoneState))
    yield from (each.milestone.due for each in overview.milestones)
    if (services := overview.services) is not None:
        values = [overview.lines[name].values[SPAN] for name in services.promises]
        yield from (len(values), sum(not each.counts for each in values))
        yield sum(each.light is Light.GREEN for each in values)
    if (finance := overview.finance) is None:
        return
    yield sum(each.share is not None for each in finance.absorption)
    yield from (each.share for each in finance.absorption)
    yield date(LAST.year, 12, 31)
    yield None if finance.silpa is None else finance.silpa.value
    for each in (finance.revenue, finance.spending, finance.own_revenue):
        if each.value.value is not None and each.value.target:
            yield each.value.value / each.value.target
        if each.forecast is not None and each.target_year:
            yield each.forecast.value / each.target_year


def _known(morning: Morning, city: City, language: str) -> set[str]:
    found: set[str] = set()
    for value in {*_walk(morning), *_derived(morning)}:
        told: list[str] = []
        if isinstance(value, datetime):
            told = [formats.moment(value, language, city.timezone)]
        elif isinstance(value, date):
            told = [formats.day(value, language)]
        elif isinstance(value, int | float):
            told = [
                formats.number(value, language), formats.number(value, language, 1),
                formats.plain(value, language), formats.score(value, language),
                formats.percent(value, language), formats.rupiah(value, language),
                formats.rupiah_whole(round(value), language), formats.compact(value, language),
            ]  # fmt: skip
        found.update(*map(_numbers, told))
    return found


def _without_names(text: str, city: City, morning: Morning) -> str:
    """A sentence without the names in it, which may hold numbers that are no figures."""
    names = {
        *(name for each in city.kpis.values() for name in (each.name_id, each.name_en)),
        *(each.name for each in city.opds.values()),
        *(each.name for each in city.sources.values()),
        *(
            name
            for each in morning.overview.milestones
            for name in (each.milestone.name_id, each.milestone.name_en)
        ),
        "µg/m³",
    }
    for name in sorted(map(clean, names), key=len, reverse=True):
        text = text.replace(name, "~")
    return text


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_sentence_has_a_figure_and_none_is_foreign_to_the_morning(
    city: City, language: str
) -> None:
    for seed in SEEDS:
        morning = make_morning(city, seed, bare=seed % 7 == 6)
        prose = Prose(morning, city, language)
        known = _known(morning, city, language)
        for each in (*prose.notes(), *(s for p in prose.paragraphs() for s in p.sentences)):
            figures = _numbers(_without_names(each, city, morning))
            assert figures, f"seed {seed}: no figure in {each!r}"
            assert figures <= known, f"seed {seed}: {figures - known} in {each!r}"


def test_a_number_that_is_nowhere_in_the_morning_would_be_found(city: City) -> None:
    morning = make_morning(city, 1)
    assert not _numbers("Skor kota adalah 0,123456") <= _known(morning, city, "id")


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_missing_figure_is_never_told_as_one(city: City, language: str) -> None:
    for seed in SEEDS:
        prose = Prose(make_morning(city, seed), city, language)
        for paragraph in prose.paragraphs():
            for each in paragraph.sentences:
                assert "None" not in each
                assert "nan" not in each.split()
                assert formats.MISSING not in each, each


def test_simulated_data_is_said_before_anything_else(city: City) -> None:
    notes = Prose(make_morning(city, 3), city, "id").notes()
    count = len(city.sources)
    assert notes[0].startswith(f"Data simulasi: {count} dari {count} sumber")


def test_what_was_not_worked_out_yet_is_named_and_counted(city: City) -> None:
    names = tuple(sorted(city.kpis))[:5]
    morning = replace(make_morning(city, 3), pending=names)
    note = Prose(morning, city, "id").notes()[1]
    assert note.startswith(f"Belum lengkap: 5 dari {len(city.kpis)} indikator")
    assert "dan 2 lainnya" in note


def test_the_score_of_the_city_is_told_as_the_overview_has_it(city: City) -> None:
    morning = make_morning(city, 5)
    roll = morning.overview.scores[SPAN][0]
    first = Prose(morning, city, "id").paragraphs()[0].sentences[0]
    score = formats.score(roll.score, "id")
    assert first.startswith(f"Skor kota selama 30 hari adalah {score} (")
    assert f"{roll.counting} dari {roll.total} indikator" in first


def test_a_brief_made_afterwards_does_not_pretend_to_know_what_was_overdue(city: City) -> None:
    morning = replace(make_morning(city, 5), afterwards=True)
    prose = Prose(morning, city, "id")
    told = {each.title: each.sentences for each in prose.paragraphs()}
    assert told["Lewat tenggat"] == (
        "Yang lewat tenggat pada 20 Nov 2026 tidak dapat disusun lagi.",
    )
    assert any("Disusun kemudian" in note for note in prose.notes())


def test_a_name_of_a_department_cannot_break_the_line() -> None:
    assert clean("Dinas\r\nBcc: x@y.id\u2028\x00 <b>") == "Dinas Bcc: x@y.id <b>"
    assert len(clean("a" * 500)) == 60
