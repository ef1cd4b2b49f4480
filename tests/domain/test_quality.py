"""The four figures of a source's quality."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lawang.domain.quality import Tally, bucket_of, judge, sum_up

DAY = timedelta(days=1)


def test_nothing_polled_is_nothing_judged_but_late() -> None:
    quality = judge(Tally(), DAY, 60)
    assert (quality.completeness, quality.validity, quality.uniqueness) == (None, None, None)
    assert quality.timeliness == 0


def test_polls_that_never_happened_count_as_missed() -> None:
    assert judge(Tally(polls=720), DAY, 60).timeliness == 0.5


def test_failures_do_not_count_as_on_time() -> None:
    assert judge(Tally(polls=1080, failures=360), DAY, 60).timeliness == 0.75


def test_more_polls_than_needed_are_no_better_than_enough() -> None:
    assert judge(Tally(polls=2000), DAY, 60).timeliness == 1


def test_validity_leaves_out_what_is_unusable_or_unknown() -> None:
    assert judge(Tally(polls=1, records=100, unusable=5, unknown=15), DAY, 60).validity == 0.8


def test_a_record_wrong_in_two_ways_is_not_wrong_twice_below_nothing() -> None:
    assert judge(Tally(polls=1, records=10, unusable=8, unknown=8), DAY, 60).validity == 0


def test_completeness_and_uniqueness_are_shares() -> None:
    quality = judge(Tally(polls=1, records=10, repeated=1, filled=30, fillable=40), DAY, 60)
    assert (quality.completeness, quality.uniqueness) == (0.75, 0.9)


def test_a_source_watched_for_less_than_an_interval_is_not_late_yet() -> None:
    assert judge(Tally(), timedelta(seconds=30), 60).timeliness is None


def test_tallies_add_up() -> None:
    total = sum_up([Tally(polls=1, records=2), Tally(failures=3, records=4)])
    assert total == Tally(polls=1, failures=3, records=6)


@pytest.mark.parametrize(("minute", "start"), [(0, 0), (14, 0), (15, 15), (59, 45)])
def test_a_bucket_is_a_quarter_of_an_hour(minute: int, start: int) -> None:
    moment = datetime(2026, 11, 22, 1, minute, 31, 5, tzinfo=UTC)
    assert bucket_of(moment) == datetime(2026, 11, 22, 1, start, tzinfo=UTC)
