"""The letters of the kelurahan: how they come, and how the centre reads them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import httpx
import pytest

from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, RetryLater
from simulator.city_life import Town
from simulator.ekelurahan.letters import LETTERS, LONGEST, Counters
from simulator.register import Register, Standing, in_office, working_time
from tests.simulator.conftest import NOW, Simulator
from tests.simulator.reading import faulty, read_source

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def letters(town: Town) -> list[Standing]:
    """Those that changed in the last sixty days."""
    counters = Counters(town, 1671, 1.0)
    return Register(counters.letters_on, town.timezone, LONGEST).changed(
        NOW - timedelta(days=60), NOW
    )


def test_one_seed_gives_one_life_however_it_is_asked(town: Town, letters: list[Standing]) -> None:
    again = Register(Counters(town, 1671, 1.0).letters_on, town.timezone, LONGEST)
    assert again.changed(NOW - WEEK, NOW) == [
        each for each in letters if each.changed_at >= NOW - WEEK
    ]
    other = Register(Counters(town, 7, 1.0).letters_on, town.timezone, LONGEST)
    assert other.changed(NOW - WEEK, NOW) != again.changed(NOW - WEEK, NOW)


def test_letters_are_asked_for_in_office_hours(town: Town, letters: list[Standing]) -> None:
    for each in letters:
        for step in each.steps:
            local = step.at.astimezone(town.timezone)
            assert local.weekday() < 5
            assert 8 <= local.hour <= 16


def test_most_are_done_within_the_promise_and_some_are_not(letters: list[Standing]) -> None:
    spans = [each.changed_at - each.filed_at for each in letters if each.stage == "selesai"]
    kept = sum(span <= timedelta(minutes=10) for span in spans) / len(spans)
    assert 0.6 < kept < 0.95
    assert max(spans) < LONGEST


def test_every_letter_and_every_end_occurs(letters: list[Standing]) -> None:
    assert {each.filing.code for each in letters} == {each.code for each in LETTERS}
    ends = Counter(each.stage for each in letters)
    assert {"selesai", "ditolak", "dibatalkan", "dikembalikan"} <= ends.keys()


def test_all_kelurahan_write_letters(letters: list[Standing]) -> None:
    assert len({each.filing.place.code for each in letters}) == 107


def test_an_office_that_is_closed_opens_the_next_working_day(town: Town) -> None:
    saturday = datetime(2026, 11, 21, 10, 30, tzinfo=town.timezone)
    assert in_office(saturday, town.timezone) == datetime(2026, 11, 23, 8, 30, tzinfo=town.timezone)
    friday = datetime(2026, 11, 20, 15, 0, tzinfo=town.timezone)
    assert working_time(friday, 9, town.timezone).astimezone(town.timezone).day == 24


# --- through the source file --------------------------------------------------------------------


def test_a_week_of_letters_comes_without_rejects(simulator: Simulator) -> None:
    found = read_source(simulator, "ekelurahan")
    requests = found.all("applications")
    assert found.all("rejects") == []
    assert len({each.external_id for each in requests}) == len(requests) > 1_000
    assert len(found.answers) > 3
    known = {word for each in found.source.services.values() for word in each.words}
    for each in requests:
        assert each.service.casefold() in known
        assert each.status.casefold() in found.source.status_map


def test_only_what_ended_has_an_end(simulator: Simulator) -> None:
    found = read_source(simulator, "ekelurahan")
    for each in found.all("applications"):
        ended = each.status in ("SELESAI", "DITOLAK", "BATAL")
        assert (each.closed_at is not None) is ended


def test_applicants_are_in_the_answers_and_never_read(simulator: Simulator) -> None:
    found = read_source(simulator, "ekelurahan")
    assert "9916710101" in found.text
    assert "9916710101" not in found.meaning
    assert "0812" not in found.meaning
    assert "Alamsyah" in found.text
    assert "Alamsyah" not in found.meaning


def test_the_next_poll_brings_what_changed(simulator: Simulator) -> None:
    whole = read_source(simulator, "ekelurahan")
    newest = whole.parsed[-1].watermark
    after = read_source(simulator, "ekelurahan", Cursor(newest))
    assert 0 < len(after.all("applications")) < 0.1 * len(whole.all("applications"))
    assert not after.answers[0].complete


@pytest.mark.parametrize("query", ["limit=0", "diubahSetelah=kemarin", "cursor=x"])
def test_what_cannot_be_is_refused(simulator: Simulator, query: str) -> None:
    url = f"{simulator.url}/ekelurahan/api/v1/surat?{query}"
    headers = {"Authorization": "Bearer demo"}
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 400


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        ("off", RetryLater, "unreachable"),
        ("500", RetryLater, "bad_status"),
        ("auth", NeedsPerson, "refused"),
        ("garbage", RetryLater, "garbage"),
        ("truncated", RetryLater, "garbage"),
    ],
)
def test_a_fault_is_told(
    simulator: Simulator, fault: str, error: type[Exception], kind: str
) -> None:
    with faulty(simulator, "ekelurahan", fault), pytest.raises(error, match=kind):
        read_source(simulator, "ekelurahan")


def test_wrong_types_cost_some_and_not_the_others(simulator: Simulator) -> None:
    with faulty(simulator, "ekelurahan", "wrong_types"):
        found = read_source(simulator, "ekelurahan")
    assert {each.reason for each in found.all("rejects")} >= {"no_id", "bad_time"}
    assert len(found.all("applications")) > 3 * len(found.all("rejects"))
