"""The course over seven days, worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from lawang.domain.kpi import Combine, Daily, Target
from lawang.kpi.rolling import roll
from tests.layouts.values import kpi

FIRST = date(2026, 2, 25)


def daily(at: int, num: float, den: float) -> Daily:
    day = FIRST + timedelta(days=at)
    return Daily(
        kpi="tepat", region="", day=day, num=num, den=den, n=int(den),
        observed_at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
    )  # fmt: skip


def test_a_share_is_the_sum_of_numerators_by_the_sum_of_denominators() -> None:
    days = [daily(at, num, den) for at, (num, den) in enumerate([(1, 1)] * 6 + [(2, 14)])]
    last = roll(kpi(), days)[-1]
    assert (last.day, last.value, last.n) == (date(2026, 3, 3), 8 / 20, 20)


def test_a_day_that_is_eight_days_old_has_left() -> None:
    days = [daily(0, 0, 100), *[daily(at, 1, 1) for at in range(1, 8)]]
    assert roll(kpi(), days)[-1].value == 1.0


def test_a_sum_and_its_target_are_told_per_known_day() -> None:
    indicator = kpi(combine=Combine.SUM, target=Target(per_day=10))
    days = [daily(at, 6.0 + at, 1) for at in (0, 1, 3, 6)]
    last = roll(indicator, days)[-1]
    assert (last.value, last.target) == ((6 + 7 + 9 + 12) / 4, 10)


def test_less_than_half_of_the_days_is_no_course() -> None:
    assert roll(kpi(), [daily(at, 1, 1) for at in (0, 1, 2)]) == []


def test_days_without_a_record_do_not_turn_into_nought() -> None:
    assert [each.value for each in roll(kpi(), [daily(at, 0, 0) for at in range(5)])] == [None] * 2


def test_a_state_has_no_course() -> None:
    assert roll(kpi(combine=Combine.LAST), [daily(at, 1, 1) for at in range(9)]) == []
