"""Replays every recorded answer of every source through its own file. Adding a source adds data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.source_samples import SAMPLES, Case, cases, city

_CASES = cases()
_GOOD = [path for path in _CASES if path.name == "normal" or path.name.startswith("normal-")]


def _name(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


@pytest.mark.parametrize("source_id", sorted(city().sources))
def test_every_source_has_an_answer_recorded_on_a_normal_day(source_id: str) -> None:
    assert list((SAMPLES / source_id / "normal").glob("input.*"))


def test_samples_belong_to_sources_of_the_pack() -> None:
    assert {path.parent.name for path in _CASES} - set(city().sources) == set()


@pytest.mark.parametrize("folder", _CASES, ids=_name)
def test_a_recorded_answer_means_and_settles_to_what_is_written_beside_it(folder: Path) -> None:
    case = Case.read(folder)
    assert case.describe() == case.expected


@pytest.mark.parametrize("folder", _GOOD, ids=_name)
def test_of_a_normal_answer_no_word_and_no_region_is_unknown(folder: Path) -> None:
    settled = Case.read(folder).describe()["settled"]
    assert settled["unknown_words"] == {}
    assert settled["regions_not_found"] == {}
    assert settled["rejects"] == {}
    assert settled["counts"] or settled["counts"] == Case.read(folder).expected["settled"]["counts"]


@pytest.mark.parametrize("folder", _CASES, ids=_name)
def test_no_person_of_a_recorded_answer_gets_into_a_settled_record(folder: Path) -> None:
    case = Case.read(folder)
    text = case.settled_text()
    assert [value for value in sorted(case.planted()) if value in text] == []
