"""Quantiles and intervals against published tables."""

from __future__ import annotations

import random

import pytest

from lawang.domain.kpi import wilson
from lawang.overview.intervals import normal, poisson, ratio, student, tail


@pytest.mark.parametrize(
    ("tail_", "freedom", "published"),
    [
        (0.025, 1, 12.7062),
        (0.025, 2, 4.30265),
        (0.005, 5, 4.03214),
        (0.025, 10, 2.22814),
        (0.0005, 29, 3.6594),
    ],
)
def test_student_is_that_of_the_tables(tail_: float, freedom: int, published: float) -> None:
    assert student(tail_, freedom) == pytest.approx(published, rel=1e-5)


def test_a_single_interval_has_the_family_s_own_level() -> None:
    assert normal(tail(1)) == pytest.approx(1.959964, rel=1e-6)


def test_eighteen_intervals_are_so_wide_that_together_they_hold_as_one() -> None:
    assert (1 - 2 * tail(18)) ** 18 == pytest.approx(0.95)
    low, high = wilson(50, 100, normal(tail(18))) or (0, 0)
    plain_low, plain_high = wilson(50, 100) or (0, 0)
    assert low < plain_low
    assert high > plain_high


def test_the_interval_of_a_count_is_near_the_exact_one() -> None:
    assert poisson(10, 0.025) == pytest.approx((4.7954, 18.3904), rel=0.005)
    assert poisson(0, 0.025)[0] == 0


def test_a_ratio_that_is_the_same_every_week_has_no_width() -> None:
    days = [(n, 6.0, 10.0) for n in range(70)]
    assert ratio(days, 0.025) == pytest.approx((0.6, 0.6))


def test_too_few_days_tell_no_interval() -> None:
    assert ratio([(n, 6.0, 10.0) for n in range(4)], 0.025) is None
    assert ratio([], 0.025) is None


def test_the_interval_of_a_ratio_holds_the_truth_about_as_often_as_it_says() -> None:
    dice = random.Random(4)
    held = 0
    for _ in range(400):
        days = [(n, dice.gauss(6, 2), 1.0) for n in range(84)]
        low, high = ratio(days, 0.025) or (0, 0)
        held += low <= 6 <= high
    assert 0.92 <= held / 400 <= 0.98
