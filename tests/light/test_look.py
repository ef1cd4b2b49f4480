"""When a person last looked: what the cookie says, and what the next call makes of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from light.look import FIRST_LOOK_DAYS, LOOK_ENDS, Look, compared_with

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
LAST = date(2026, 11, 21)


def test_a_first_look_is_compared_with_a_week_ago() -> None:
    look = Look.read("").next(LAST, NOW)
    assert (look.before, look.day) == (None, LAST)
    assert compared_with(look, LAST) == LAST - timedelta(days=FIRST_LOOK_DAYS)


def test_a_call_within_half_an_hour_belongs_to_the_same_look() -> None:
    look = Look(date(2026, 11, 18), LAST, NOW)
    later = look.next(LAST, NOW + LOOK_ENDS)
    assert later.before == date(2026, 11, 18)


def test_a_new_look_is_compared_with_the_day_of_the_look_before() -> None:
    look = Look(date(2026, 11, 10), date(2026, 11, 18), NOW - timedelta(days=3))
    assert compared_with(look.next(LAST, NOW), LAST) == date(2026, 11, 18)


def test_a_look_that_lasts_is_never_ended_by_its_length() -> None:
    look, now = Look(date(2026, 11, 18), LAST, NOW), NOW
    for _ in range(10):
        now += timedelta(minutes=20)
        look = look.next(LAST, now)
    assert look.before == date(2026, 11, 18)


def test_a_new_look_on_the_same_day_keeps_what_it_is_compared_with() -> None:
    look = Look(date(2026, 11, 18), LAST, NOW - timedelta(hours=3))
    assert look.next(LAST, NOW).before == date(2026, 11, 18)


def test_midnight_within_a_look_moves_its_day_alone() -> None:
    look = Look(date(2026, 11, 18), date(2026, 11, 20), NOW - timedelta(minutes=5))
    assert look.next(LAST, NOW) == Look(date(2026, 11, 18), LAST, NOW)


@pytest.mark.parametrize(
    "cookie",
    [
        "", "x", "~~", "~2026-11-20~", "2026-11-20~2026-11-21~x", "~2026-13-40~1", "~~~~",
        "~2026-11-20~99999999999999999999", "~2026-11-20~-99999999999999", "<script>~2026-11-20~1",
        "~2999-01-01~1795000000", "~2026-11-20~4000000000",
    ],
)  # fmt: skip
def test_a_cookie_that_makes_no_sense_is_a_first_look(cookie: str) -> None:
    assert Look.read(cookie).next(LAST, NOW).before is None


def test_a_look_is_read_as_it_was_written() -> None:
    look = Look(date(2026, 11, 18), LAST, NOW)
    assert Look.read(look.written()) == look
    assert Look.read(Look(None, LAST, NOW).written()) == Look(None, LAST, NOW)


def test_a_day_that_is_not_over_is_compared_with_a_week_ago() -> None:
    assert compared_with(Look(LAST, LAST, NOW), LAST) == LAST - timedelta(days=7)
