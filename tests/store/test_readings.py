"""Readings on SQLite and PostgreSQL: written once, corrected in the open, held back when odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lawang.domain.errors import LawangError
from lawang.domain.finding import FindingKind, FindingState
from lawang.domain.measure import Reading
from lawang.store.history import History
from lawang.store.readings import ReadingFilter
from tests.store.facts import NOW, SOURCE, day, reading, settle

EVERYTHING = ReadingFilter(held=None)
HELD = ReadingFilter(held=True)


def values(history: History, wanted: ReadingFilter | None = None) -> list[float]:
    """Values that count, oldest first."""
    found = history.readings.readings(wanted or ReadingFilter(), limit=1000)
    return [each.value for _, each in reversed(found)]


def last(history: History, subject: str = "a") -> float | None:
    found = history.readings.latest(ReadingFilter(subjects=[subject]))
    return found[0].value if found else None


def habit(history: History, value: float = 100.0) -> None:
    settle(history, *(reading(value, day(n)) for n in range(1, 6)))


def decide(history: History, finding_id: int, accept: bool, by: str = "Ani") -> list[Reading]:
    _, newest = history.readings.decide(finding_id, accept=accept, by=by, note="ok", at=NOW)
    return newest


def only_finding(history: History, **given: Any) -> Any:
    (found,) = history.findings.list([SOURCE], **given)
    return found


# --- writing --------------------------------------------------------------------------------


def test_a_reading_comes_back_as_it_was_written(history: History) -> None:
    written = reading(12.5, day(1), latitude=-2.98, longitude=104.76, delivery="a.csv")
    settle(history, written, delivery="a.csv")
    ((_, found),) = history.readings.readings(EVERYTHING, limit=10)
    assert found == written


def test_zero_is_a_reading(history: History) -> None:
    settle(history, reading(0.0, day(1)))
    assert values(history) == [0.0]


def test_writing_twice_changes_nothing(history: History) -> None:
    settle(history, reading(1.0, day(1)), reading(2.0, day(2)))
    again = settle(history, reading(1.0, day(1)), reading(2.0, day(2)))
    assert (again.changed, again.readings.newest) == (0, [])
    assert values(history) == [1.0, 2.0]


def test_the_newest_reading_of_each_series_is_known(history: History) -> None:
    settle(history, reading(2.0, day(2)), reading(1.0, day(1)), reading(9.0, day(1), subject="b"))
    assert (last(history, "a"), last(history, "b")) == (2.0, 9.0)


def test_a_reading_of_an_earlier_time_does_not_replace_the_newest(history: History) -> None:
    settle(history, reading(2.0, day(2)))
    late = settle(history, reading(1.0, day(1)))
    assert late.readings.newest == []
    assert last(history) == 2.0


def test_a_series_counts_once_as_new(history: History) -> None:
    first = settle(history, reading(1.0, day(1)), reading(1.0, day(1), subject="b"))
    assert first.new["series"] == 2
    assert settle(history, reading(2.0, day(2))).new["series"] == 0


def test_a_page_of_more_series_than_one_list_of_ids_holds(history: History) -> None:
    many = [reading(float(n), day(1), subject=f"s{n}") for n in range(1100)]
    settle(history, *many)
    settle(history, *(replace(each, value=each.value + 1) for each in many))
    assert len(history.readings.latest(ReadingFilter())) == 1100
    assert history.readings.counts(EVERYTHING) == (1100, 0)


def test_nothing_is_kept_of_a_page_that_cannot_be_written_whole(history: History) -> None:
    settle(history, reading(1.0, day(1)))
    with pytest.raises(KeyError):
        settle(history, reading(2.0, day(2)), reading(1.0, day(2), measure="not declared"))
    assert values(history) == [1.0]


# --- corrections ----------------------------------------------------------------------------


def test_a_corrected_value_replaces_the_old_one_and_the_old_one_is_remembered(
    history: History,
) -> None:
    settle(history, reading(1.0, day(1)))
    result = settle(history, reading(1.5, day(1)))
    assert (result.readings.corrected, values(history), last(history)) == (1, [1.5], 1.5)
    (correction,) = history.readings.corrections(SOURCE)
    assert (correction["before"], correction["after"]) == (1.0, 1.5)


def test_a_later_delivery_takes_back_what_it_does_not_bring_any_more(history: History) -> None:
    first = [reading(1.0, day(1), delivery="d"), reading(5.0, day(1), subject="b", delivery="d")]
    settle(history, *first, delivery="d")
    result = settle(history, reading(1.0, day(1), delivery="d"), delivery="d")
    assert (result.readings.withdrawn, values(history), last(history, "b")) == (1, [1.0], None)
    (correction,) = history.readings.corrections(SOURCE)
    assert (correction["subject"], correction["before"], correction["after"]) == ("b", 5.0, None)


def test_a_delivery_that_brings_nothing_takes_everything_of_it_back(history: History) -> None:
    settle(history, reading(1.0, day(1), delivery="d"), delivery="d")
    settle(history, delivery="d")
    assert values(history) == []


def test_after_a_withdrawal_the_reading_before_is_the_newest(history: History) -> None:
    settle(history, reading(1.0, day(1), delivery="one"), delivery="one")
    settle(history, reading(2.0, day(2), delivery="two"), delivery="two")
    result = settle(history, delivery="two")
    assert last(history) == 1.0
    assert [each.value for each in result.readings.newest] == [1.0]


def test_another_delivery_is_left_alone(history: History) -> None:
    settle(history, reading(1.0, day(1), delivery="one"), delivery="one")
    settle(history, reading(2.0, day(2), delivery="two"), delivery="two")
    assert values(history) == [1.0, 2.0]


def test_a_delivery_of_another_source_is_left_alone(history: History) -> None:
    settle(history, reading(1.0, day(1), delivery="d"), delivery="d")
    settle(history, delivery="d", source="apbd")
    assert values(history) == [1.0]


# --- held back ------------------------------------------------------------------------------


def test_a_thousandfold_value_is_stored_but_does_not_count(history: History) -> None:
    habit(history)
    result = settle(history, reading(100_000.0, day(6)))
    assert (result.readings.held, result.findings) == (1, 1)
    assert last(history) == 100.0
    assert values(history) == [100.0] * 5
    assert values(history, HELD) == [100_000.0]
    assert history.readings.counts(EVERYTHING) == (5, 1)


def test_a_held_value_does_not_become_a_habit(history: History) -> None:
    habit(history)
    for number in range(6, 12):
        settle(history, reading(100_000.0, day(number)))
    finding = only_finding(history)
    assert (finding.kind, finding.count, finding.usual) == (FindingKind.MAGNITUDE, 6, 100.0)


def test_the_same_held_value_again_adds_nothing(history: History) -> None:
    habit(history)
    settle(history, reading(100_000.0, day(6)))
    again = settle(history, reading(100_000.0, day(6)))
    assert (again.changed, again.findings) == (0, 0)
    assert only_finding(history).count == 1


def test_a_correction_of_a_held_value_ends_the_finding(history: History) -> None:
    habit(history)
    settle(history, reading(100_000.0, day(6)))
    settle(history, reading(101.0, day(6)))
    assert last(history) == 101.0
    assert history.findings.list([SOURCE]) == []
    assert only_finding(history, states=[FindingState.OVER]).kind is FindingKind.MAGNITUDE


def test_an_accepted_finding_lets_its_readings_count(history: History) -> None:
    habit(history)
    settle(history, reading(100_000.0, day(6)))
    newest = decide(history, only_finding(history).id, accept=True)
    assert [each.value for each in newest] == [100_000.0]
    assert (last(history), values(history, HELD)) == (100_000.0, [])
    finding = only_finding(history, states=[FindingState.ACCEPTED])
    assert (finding.decided_by, finding.note, finding.decided_at) == ("Ani", "ok", NOW)


def test_after_accepting_a_level_the_next_value_at_it_is_believed(history: History) -> None:
    habit(history)
    settle(history, reading(100_000.0, day(6)))
    decide(history, only_finding(history).id, accept=True)
    assert settle(history, reading(110_000.0, day(7))).findings == 0


def test_a_dismissed_finding_keeps_its_readings_out_for_good(history: History) -> None:
    habit(history)
    settle(history, reading(100_000.0, day(6)))
    assert decide(history, only_finding(history).id, accept=False) == []
    settle(history, reading(100_000.0, day(6)))
    assert (last(history), history.findings.list([SOURCE])) == (100.0, [])


def test_a_finding_is_decided_once_by_somebody(history: History) -> None:
    habit(history)
    settle(history, reading(100_000.0, day(6)))
    number = only_finding(history).id
    with pytest.raises(LawangError, match="name"):
        decide(history, number, accept=True, by=" ")
    decide(history, number, accept=True)
    with pytest.raises(LawangError, match="decided already"):
        decide(history, number, accept=False)
    with pytest.raises(LawangError, match="no finding"):
        decide(history, 999, accept=True)


def test_a_falling_total_is_held_and_the_next_good_one_counts(history: History) -> None:
    total = [reading(float(n), day(n), measure="total") for n in range(1, 4)]
    settle(history, *total)
    settle(history, reading(2.0, day(4), measure="total"))
    assert only_finding(history).kind is FindingKind.FALLING
    settle(history, reading(4.0, day(5), measure="total"))
    assert last(history) == 4.0


def test_what_is_out_of_range_is_held_from_the_first_value_on(history: History) -> None:
    settle(history, reading(2_000.0, day(1), measure="level"))
    assert only_finding(history).kind is FindingKind.OUT_OF_RANGE
    assert last(history) is None


def test_a_time_in_the_future_stays_held(history: History) -> None:
    settle(history, reading(1.0, NOW + timedelta(days=30), held=FindingKind.FUTURE.value))
    assert (last(history), values(history, HELD)) == (None, [1.0])


def test_a_correction_into_nonsense_gives_the_last_good_value_back(history: History) -> None:
    habit(history)
    settle(history, reading(99.0, day(6)))
    settle(history, reading(99_000.0, day(6)))
    assert (last(history), values(history)) == (100.0, [100.0] * 5)


# --- reading --------------------------------------------------------------------------------


def test_pages_of_readings_leave_nothing_out_and_repeat_nothing(history: History) -> None:
    written = [reading(float(n), day(1 + n % 5), subject=f"s{n}") for n in range(23)]
    settle(history, *written)
    found: list[float] = []
    before = None
    while page := history.readings.readings(ReadingFilter(), limit=4, before=before):
        found += [each.value for _, each in page]
        number, oldest = page[-1]
        before = (oldest.at, number)
    assert sorted(found) == [float(n) for n in range(23)]


def test_readings_are_narrowed_by_time_and_place(history: History) -> None:
    settle(
        history,
        reading(1.0, day(1)),
        reading(2.0, day(2)),
        reading(3.0, day(2), subject="b", kecamatan="16.71.01"),
    )
    assert values(history, ReadingFilter(since=day(2), kecamatan=["16.71.06"])) == [2.0]
    assert values(history, ReadingFilter(until=day(2))) == [1.0]
