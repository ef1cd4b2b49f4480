"""What a sum will come to: by hand, and on years that are made up but whose end is known."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from lawang.domain.forecast import (
    Part,
    PastYear,
    backtest,
    estimate,
    foresee,
    look_ahead,
    student,
)
from lawang.domain.kpi import Curve, Target

#: Half of the year's money comes in September.
SEASON = (0.005, 0.006, 0.019, 0.04, 0.06, 0.08, 0.11, 0.17, 0.42, 0.04, 0.025, 0.025)
#: Bills come in December.
RUSH = (0.012, 0.033, 0.05, 0.06, 0.065, 0.07, 0.065, 0.065, 0.07, 0.095, 0.11, 0.305)
EVEN = (1 / 12,) * 12
CURVE = Curve("uji", (((6, 0), 0.25), ((12, 0), 1.0)), "uji")
TARGET = Target(year=1_000.0, curve=CURVE)


def days(year: int, first_half: float, second_half: float) -> dict[date, float]:
    """A year whose halves are spread evenly over their days."""
    found = {}
    day = date(year, 1, 1)
    while day.year == year:
        is_early = day.month <= 6
        length = (date(year, 7, 1) - date(year, 1, 1)).days if is_early else 184
        found[day] = (first_half if is_early else second_half) / length
        day += timedelta(days=1)
    return found


# --- by hand -------------------------------------------------------------------------------------


def test_the_rest_comes_by_the_curve_at_the_pace_believed() -> None:
    # Twice the pace at a tenth of the year is believed by half: 1.5 x the 900 still to come.
    assert estimate(Part(200.0, 100.0), 1_000.0) == pytest.approx(200 + 1.5 * 900)


def test_early_in_the_year_the_target_speaks_for_the_rest() -> None:
    reckoned = estimate(Part(0.0, 1.0), 1_000.0)
    assert reckoned == pytest.approx(999 * (1 - 0.001 / 0.101))


@pytest.mark.parametrize(("due", "target"), [(0.0, 1_000.0), (10.0, 0.0)])
def test_nothing_due_or_no_target_is_no_forecast(due: float, target: float) -> None:
    assert look_ahead(target, [Part(5.0, due)], [100.0]) is None


def test_no_data_is_no_forecast() -> None:
    assert look_ahead(1_000.0, [], [1_000.0]) is None
    assert foresee(TARGET, {}, date(2026, 6, 30)) is None


def test_without_a_curve_there_is_no_forecast() -> None:
    assert foresee(Target(year=1_000.0), days(2026, 1, 1), date(2026, 6, 30)) is None


def test_a_year_without_an_amount_is_no_forecast() -> None:
    target = Target(years={2025: 1_000.0}, curve=CURVE)
    assert foresee(target, days(2026, 1, 1), date(2026, 6, 30)) is None


def test_on_31_december_all_is_known() -> None:
    found = foresee(TARGET, days(2026, 200.0, 700.0), date(2026, 12, 31))
    assert found is not None
    assert found.low == found.value == found.high == pytest.approx(900.0)


def test_a_day_that_is_missing_is_still_to_come() -> None:
    amounts = days(2026, 250.0, 750.0)
    whole = foresee(TARGET, amounts, date(2026, 9, 30))
    del amounts[date(2026, 3, 5)]
    with_gap = foresee(TARGET, amounts, date(2026, 9, 30))
    assert whole is not None
    assert with_gap is not None
    assert with_gap.value == pytest.approx(whole.value)


def test_the_interval_does_not_reach_below_what_came() -> None:
    found = look_ahead(100.0, [Part(500.0, 90.0)], [10.0], rounding=0.01)
    assert found is not None
    assert found.low >= 500.0


def test_data_on_the_curve_to_the_last_digit_are_no_surer_than_their_rounding() -> None:
    past = [PastYear(Part(50.0, 50.0), 100.0, 100.0)] * 3
    found = look_ahead(100.0, [Part(50.0, 50.0)], [50.0], past, rounding=0.5)
    assert found is not None
    assert (found.low, found.value, found.high) == (99.5, 100.0, 100.5)


def test_three_earlier_years_are_what_the_interval_is_of() -> None:
    past = [PastYear(Part(50.0, 50.0), 100.0, total) for total in (90.0, 100.0, 110.0)]
    found = look_ahead(100.0, [Part(50.0, 50.0)], [50.0], past, rounding=0.0)
    assert found is not None
    assert (found.method, found.years) == ("past_years", 3)
    assert found.high - found.value == pytest.approx(student(3) * math.sqrt(0.02 / 3) * 100)


def test_one_earlier_year_keeps_the_months_from_being_surer_than_it_was() -> None:
    months = [Part(10.0, 10.0)] * 9
    alone = look_ahead(100.0, months, [10.0])
    beside = look_ahead(100.0, months, [10.0], [PastYear(Part(90.0, 90.0), 100.0, 80.0)])
    assert alone is not None
    assert beside is not None
    assert (beside.method, beside.years) == ("months", 0)
    assert beside.high - beside.value == pytest.approx(20.0)
    assert alone.high - alone.value < 10.0


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 3.0777), (3, 1.6377), (5, 1.4759), (6, 1.4398), (10, 1.3722), (30, 1.3104)],
)
def test_quantiles_are_those_of_the_tables(freedom: float, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=2e-3)


def test_leap_days_are_in_the_year_they_are_in() -> None:
    amounts = days(2024, 250.0, 750.0)
    found = foresee(TARGET, amounts, date(2024, 2, 29))
    assert found is not None
    assert found.value == pytest.approx(1_000.0)


# --- years made up -------------------------------------------------------------------------------


@dataclass
class Trial:
    """How one setting did over its years: coverage, mean absolute errors, mean width."""

    covered: float
    width: float
    error: float
    straight: float
    target: float


def _made_up(rng: random.Random, shares: Sequence[float]) -> list[float]:
    """Months of a year: a pace of its own, which drifts, and lognormal noise on each."""
    pace, months = math.log(rng.gauss(1.0, 0.08)), []
    for share in shares:
        pace += rng.gauss(0.0, 0.02)
        months.append(100.0 * share * math.exp(pace + rng.gauss(-(0.15**2) / 2, 0.15)))
    return months


def _try(shares: Sequence[float], known: int, past: int, seed: int, years: int = 400) -> Trial:
    rng = random.Random(seed)
    due = [100.0 * share for share in shares]
    sums = [0.0] * 5
    for _ in range(years):
        earlier = [_made_up(rng, shares) for _ in range(past)]
        months = _made_up(rng, shares)
        actual, came = math.fsum(months), math.fsum(months[:known])
        found = look_ahead(
            100.0,
            [Part(*each) for each in zip(months[:known], due, strict=False)],
            due[known:],
            [PastYear(Part(sum(e[:known]), sum(due[:known])), 100.0, sum(e)) for e in earlier],
        )
        assert found is not None
        results = (
            float(found.low <= actual <= found.high),
            found.high - found.low,
            abs(found.value - actual),
            abs(came * 12 / known - actual),
            abs(100.0 - actual),
        )
        sums = [total + each for total, each in zip(sums, results, strict=True)]
    return Trial(*(total / years for total in sums))


@pytest.mark.parametrize("shares", [SEASON, RUSH, EVEN], ids=["season", "rush", "even"])
@pytest.mark.parametrize(("known", "past"), [(2, 5), (6, 5), (8, 3), (6, 0), (8, 0)])
def test_four_of_five_years_end_within_the_interval(
    shares: Sequence[float], known: int, past: int
) -> None:
    assert 0.7 <= _try(shares, known, past, seed=1671).covered <= 0.9


@pytest.mark.parametrize("shares", [SEASON, RUSH], ids=["season", "rush"])
@pytest.mark.parametrize("known", [3, 6, 9])
def test_the_forecast_beats_the_straight_line_and_the_target(
    shares: Sequence[float], known: int
) -> None:
    found = _try(shares, known, past=0, seed=2027)
    assert found.error < found.straight
    assert found.error < found.target


@pytest.mark.parametrize("past", [0, 5])
def test_the_interval_is_wider_the_earlier_in_the_year(past: int) -> None:
    widths = [_try(RUSH, known, past, seed=7, years=100).width for known in (1, 3, 6, 9, 11)]
    assert widths == sorted(widths, reverse=True)


def test_a_backtest_knows_nothing_of_what_came_later() -> None:
    amounts = days(2024, 250.0, 750.0) | days(2025, 250.0, 1_500.0)
    found = backtest(TARGET, amounts, [(6, 30)])
    assert [(each.year, each.hit) for each in found] == [(2024, True), (2025, False)]
    assert found[1].outlook.value == pytest.approx(1_000.0)
    assert found[1].actual == pytest.approx(1_750.0)


def test_a_backtest_leaves_out_years_with_gaps() -> None:
    amounts = days(2024, 250.0, 750.0)
    del amounts[date(2024, 5, 5)]
    assert backtest(TARGET, amounts, [(6, 30)]) == []
