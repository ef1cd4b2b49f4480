"""Indicators as pure rules: horizons, curves, targets, scores, intervals, roll-ups."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawang.domain.formula import IncidentFigure, IncidentFormula
from lawang.domain.kpi import (
    SCORE_MAX,
    Combine,
    Curve,
    Daily,
    Dimension,
    Direction,
    Grey,
    Horizon,
    Kpi,
    KpiValue,
    Light,
    Span,
    Target,
    Totals,
    evaluate,
    light_of,
    roll_up,
    score_of,
    sum_up,
    wilson,
)

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
LAST = date(2026, 11, 20)
FORMULA = IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=("elapor",))
MONTHS = Curve("m", tuple(((month, 0), month / 12) for month in range(1, 13)), "uji")
PBB = Curve("pbb", (((2, 21), 0.0086), ((9, 30), 0.9), ((12, 31), 1.0)), "uji")


def kpi(name: str = "k", **changes: object) -> Kpi:
    values: dict[str, object] = {
        "id": name,
        "name_id": name,
        "name_en": name,
        "definition_id": name,
        "definition_en": name,
        "dimension": "d",
        "owner": "bapenda",
        "unit": "%",
        "direction": Direction.UP,
        "combine": Combine.RATIO,
        "formula": FORMULA,
        "target": Target(level=0.8),
        **changes,
    }
    return Kpi(**values)  # type: ignore[arg-type]


def daily(day: date, num: float, den: float = 1.0, n: int = 1, seen: datetime = NOW) -> Daily:
    return Daily(kpi="k", region="", day=day, num=num, den=den, n=n, observed_at=seen)


# --- horizons ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "first"),
    [
        (Span.DAY, date(2026, 11, 20)),
        (Span.WEEK, date(2026, 11, 14)),
        (Span.MONTH, date(2026, 10, 22)),
        (Span.QUARTER, date(2026, 8, 22)),
        (Span.YEAR, date(2026, 1, 1)),
    ],
)
def test_a_horizon_ends_with_the_last_complete_day(span: Span, first: date) -> None:
    horizon = Horizon.ending(span, LAST)
    assert (horizon.first, horizon.last) == (first, LAST)


def test_the_week_before_ends_where_this_one_begins() -> None:
    before = Horizon.ending(Span.WEEK, LAST).previous()
    assert (before.first, before.last) == (date(2026, 11, 7), date(2026, 11, 13))


def test_the_year_before_ends_on_the_same_date() -> None:
    before = Horizon.ending(Span.YEAR, LAST).previous()
    assert (before.first, before.last) == (date(2025, 1, 1), date(2025, 11, 20))


def test_a_leap_day_is_compared_with_the_end_of_february() -> None:
    before = Horizon.ending(Span.YEAR, date(2028, 2, 29)).previous()
    assert before.last == date(2027, 2, 28)


def test_a_week_over_new_year_is_seven_days() -> None:
    assert Horizon.ending(Span.WEEK, date(2027, 1, 3)).days == 7


def test_on_new_years_day_the_year_is_one_day() -> None:
    assert Horizon.ending(Span.YEAR, date(2027, 1, 1)).days == 1


# --- curves and targets --------------------------------------------------------------------------


def test_a_curve_goes_through_its_points() -> None:
    assert PBB.share(date(2026, 2, 21)) == 0.0086
    assert PBB.share(date(2026, 12, 31)) == 1.0


def test_between_two_points_a_curve_grows_evenly_by_days() -> None:
    # 30 days of November from 10/12 to 11/12: a third after ten days.
    assert MONTHS.share(date(2026, 11, 10)) == pytest.approx(10 / 12 + 1 / 36)


@pytest.mark.parametrize(("year", "days"), [(2027, 28), (2028, 29)])
def test_february_ends_with_its_own_last_day(year: int, days: int) -> None:
    assert MONTHS.share(date(year, 2, days)) == pytest.approx(2 / 12)
    assert MONTHS.share(date(year, 2, 14)) == pytest.approx(1 / 12 + 14 / days / 12)


@pytest.mark.parametrize("year", [2026, 2027, 2028])
@pytest.mark.parametrize("curve", [MONTHS, PBB, Curve("w", MONTHS.points, "uji", True)])
def test_the_days_of_a_year_add_up_to_its_amount(curve: Curve, year: int) -> None:
    target = Target(year=279e9, curve=curve)
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365 + (year == 2028))]
    parts = [target.amount(day, day) or 0.0 for day in days]
    assert math.fsum(parts) == pytest.approx(279e9)
    assert min(parts) >= 0


def test_by_working_days_nothing_is_due_on_a_sunday_or_a_holiday() -> None:
    curve = Curve("w", MONTHS.points, "uji", working_days=True)
    sunday, christmas = date(2026, 11, 22), date(2026, 12, 25)
    assert curve.between(sunday, sunday) == 0
    assert curve.between(christmas, christmas) == 0
    assert curve.between(date(2026, 11, 20), date(2026, 11, 20)) > 1 / 12 / 30


def test_an_amount_over_new_year_takes_what_belongs_to_each_year() -> None:
    target = Target(years={2026: 365.0, 2027: 730.0})
    assert target.amount(date(2026, 12, 29), date(2027, 1, 4)) == pytest.approx(3 * 1 + 4 * 2)


def test_a_leap_year_without_a_curve_has_366_equal_days() -> None:
    target = Target(year=366.0)
    assert target.amount(date(2028, 2, 29), date(2028, 2, 29)) == pytest.approx(1.0)
    assert target.amount(date(2028, 1, 1), date(2028, 12, 31)) == pytest.approx(366.0)


def test_a_year_that_is_not_named_has_no_target() -> None:
    assert Target(years={2025: 1.0}).amount(date(2025, 12, 31), date(2026, 1, 1)) is None
    assert Target(years={2025: 1.0}).at(LAST) is None


def test_levels_step_with_the_month() -> None:
    target = Target(levels=tuple(float(month) for month in range(1, 13)))
    assert (target.at(date(2026, 10, 31)), target.at(date(2026, 11, 1))) == (10.0, 11.0)


def test_the_target_of_a_sum_covers_the_days_that_are_known() -> None:
    held = kpi(combine=Combine.SUM, target=Target(per_day=10.0))
    horizon = Horizon.ending(Span.WEEK, LAST)
    facts = [daily(LAST, 9.0), daily(LAST - timedelta(days=3), 11.0)]
    value = evaluate(held, horizon, sum_up(held, horizon, facts), now=NOW)
    assert (value.value, value.target, value.score, value.days) == (20.0, 20.0, 1.0, 2)


# --- scores --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "value", "target", "score"),
    [
        (Direction.UP, 0.72, 0.9, 0.8),
        (Direction.UP, 0.0, 0.9, 0.0),
        (Direction.UP, -5.0, 0.9, 0.0),
        (Direction.UP, 9.0, 0.9, SCORE_MAX),
        (Direction.UP, 0.0, 0.0, 1.0),
        (Direction.UP, 1.0, 0.0, SCORE_MAX),
        (Direction.UP, -1.0, 0.0, 0.0),
        (Direction.DOWN, 20.0, 10.0, 0.5),
        (Direction.DOWN, 10.0, 10.0, 1.0),
        (Direction.DOWN, 1.0, 10.0, SCORE_MAX),
        (Direction.DOWN, 0.0, 10.0, SCORE_MAX),
        (Direction.DOWN, 0.0, 0.0, 1.0),
        (Direction.DOWN, 3.0, 0.0, 0.0),
    ],
)
def test_a_score_is_value_by_target_or_the_other_way_round(
    direction: Direction, value: float, target: float, score: float
) -> None:
    assert score_of(direction, value, target) == pytest.approx(score)


@pytest.mark.parametrize(
    ("score", "light"),
    [
        (1.0, Light.GREEN),
        (1.0 - 1e-12, Light.GREEN),
        (0.999, Light.AMBER),
        (0.9, Light.AMBER),
        (0.899, Light.RED),
    ],
)
def test_a_threshold_is_met_by_reaching_it(score: float, light: Light) -> None:
    assert light_of(score, green=1.0, amber=0.9) is light


def test_nothing_known_is_grey_and_not_nought() -> None:
    value = evaluate(kpi(), Horizon.ending(Span.DAY, LAST), None, now=NOW)
    assert (value.value, value.score, value.grey) == (None, None, Grey.NO_DATA)


def test_nought_is_a_value() -> None:
    horizon = Horizon.ending(Span.DAY, LAST)
    value = evaluate(kpi(), horizon, sum_up(kpi(), horizon, [daily(LAST, 0.0, 5.0)]), now=NOW)
    assert (value.value, value.score, value.light) == (0.0, 0.0, Light.RED)


def test_an_empty_cohort_has_no_value() -> None:
    horizon = Horizon.ending(Span.DAY, LAST)
    value = evaluate(kpi(), horizon, sum_up(kpi(), horizon, [daily(LAST, 0.0, 0.0, 0)]), now=NOW)
    assert (value.value, value.grey) == (None, Grey.NO_DATA)


@pytest.mark.parametrize(
    ("changes", "grey"),
    [
        ({"stale_after": timedelta(hours=1)}, Grey.STALE),
        ({"minimum": 6}, Grey.FEW),
        ({"target": None}, Grey.NO_TARGET),
        ({"minimum": 5}, None),
    ],
)
def test_old_few_or_unheld_values_are_grey(changes: dict[str, object], grey: Grey | None) -> None:
    about, horizon = kpi(**changes), Horizon.ending(Span.DAY, LAST)
    seen = NOW - timedelta(hours=2)
    totals = sum_up(about, horizon, [daily(LAST, 4.0, 5.0, 5, seen)])
    value = evaluate(about, horizon, totals, now=NOW)
    assert (value.grey, value.value) == (grey, 0.8)
    assert value.counts == (grey is None)


def test_a_state_lasts_until_the_next_one() -> None:
    about = kpi(combine=Combine.LAST, stale_after=timedelta(days=45))
    horizon = Horizon.ending(Span.DAY, LAST)
    facts = [daily(date(2026, 10, 31), 8.0, 10.0), daily(date(2026, 9, 30), 1.0, 10.0)]
    totals = sum_up(about, horizon, facts)
    assert evaluate(about, horizon, totals, now=NOW).value == 0.8


def test_a_state_is_held_to_the_level_of_its_own_day() -> None:
    target = Target(level=1.0, curve=MONTHS)
    about = kpi(combine=Combine.LAST, target=target)
    horizon = Horizon.ending(Span.DAY, LAST)
    totals = sum_up(about, horizon, [daily(date(2026, 10, 31), 8.0, 10.0)])
    assert evaluate(about, horizon, totals, now=NOW).target == pytest.approx(10 / 12)


def test_the_order_of_days_changes_nothing() -> None:
    facts = [daily(LAST - timedelta(days=n), 0.1 * n, 0.3) for n in range(7)]
    horizon = Horizon.ending(Span.WEEK, LAST)
    assert sum_up(kpi(), horizon, facts) == sum_up(kpi(), horizon, facts[::-1])


def test_a_kecamatan_has_no_target_for_a_sum() -> None:
    about = kpi(combine=Combine.SUM, target=Target(per_day=1.0))
    horizon = Horizon.ending(Span.DAY, LAST)
    totals = sum_up(about, horizon, [daily(LAST, 4.0)])
    assert evaluate(about, horizon, totals, now=NOW, region="16.71.01").target is None


# --- intervals -----------------------------------------------------------------------------------


def test_the_interval_of_nine_in_ten_is_that_of_wilson() -> None:
    # (0.9 + z²/20 ± z √(0.09/10 + z²/400)) / (1 + z²/10) with z = 1.95996
    assert wilson(9, 10) == pytest.approx((0.59585, 0.98212), abs=1e-5)


def test_without_a_cohort_there_is_no_interval() -> None:
    assert wilson(0, 0) is None


@given(st.integers(1, 5000).flatmap(lambda den: st.tuples(st.integers(0, den), st.just(den))))
def test_an_interval_holds_its_share(counts: tuple[int, int]) -> None:
    num, den = counts
    interval = wilson(num, den)
    assert interval is not None
    assert 0 <= interval[0] <= num / den + 1e-12
    assert num / den - 1e-12 <= interval[1] <= 1


# --- roll-up -------------------------------------------------------------------------------------

HORIZON = Horizon.ending(Span.WEEK, LAST)
DIMENSIONS = [
    Dimension(id="d", name_id="D", name_en="D", weight=3.0),
    Dimension(id="e", name_id="E", name_en="E", weight=1.0),
]


def scored(name: str, score: float | None) -> KpiValue:
    grey = Grey.FEW if score is None else None
    return KpiValue(
        kpi=name, region="", horizon=HORIZON, value=score, target=1.0, score=score,
        light=Light.GREY if grey else Light.GREEN, grey=grey,
    )  # fmt: skip


def values(**scores: float | None) -> dict[str, KpiValue]:
    return {name: scored(name, score) for name, score in scores.items()}


KPIS = [kpi("a", weight=1.0), kpi("b", weight=3.0), kpi("c", dimension="e")]


def test_a_dimension_is_the_weighted_mean_of_its_indicators() -> None:
    _city, first, _second = roll_up(
        DIMENSIONS, KPIS, HORIZON, values(a=1.0, b=0.6, c=0.2), values()
    )
    assert first.score == pytest.approx(0.7)


def test_the_city_is_the_weighted_mean_of_its_dimensions() -> None:
    city, *_rest = roll_up(DIMENSIONS, KPIS, HORIZON, values(a=1.0, b=0.6, c=0.2), values())
    assert city.score == pytest.approx((3 * 0.7 + 0.2) / 4)
    assert (city.counting, city.total) == (3, 3)


def test_a_grey_indicator_leaves_the_roll_up_and_the_roll_up_says_so() -> None:
    city, first, second = roll_up(
        DIMENSIONS, KPIS, HORIZON, values(a=1.0, b=None, c=None), values()
    )
    assert (first.score, first.counting, first.total) == (1.0, 1, 2)
    assert (second.score, second.light, second.counting) == (None, Light.GREY, 0)
    assert (city.score, city.counting, city.total) == (1.0, 1, 3)


def test_without_a_score_before_nothing_is_said_to_have_moved() -> None:
    city, *_rest = roll_up(DIMENSIONS, KPIS, HORIZON, values(a=1.0), values())
    assert (city.change, city.drivers) == (None, ())


def test_who_stays_brings_the_part_of_its_weight_times_its_move() -> None:
    _city, first, _ = roll_up(DIMENSIONS, KPIS, HORIZON, values(a=1.0, b=0.6), values(a=1.0, b=1.0))
    assert [(each.kpi, round(each.contribution, 9)) for each in first.drivers] == [
        ("b", -0.3),
        ("a", 0.0),
    ]


maybe_score = st.none() | st.floats(0, SCORE_MAX)


@given(st.lists(maybe_score, min_size=6, max_size=6))
def test_drivers_add_up_to_the_change(scores: list[float | None]) -> None:
    after = values(a=scores[0], b=scores[1], c=scores[2])
    before = values(a=scores[3], b=scores[4], c=scores[5])
    for each in roll_up(DIMENSIONS, KPIS, HORIZON, after, before):
        if each.change is not None:
            moved = math.fsum(driver.contribution for driver in each.drivers)
            assert moved == pytest.approx(each.change, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=11, max_size=11).map(sorted))
def test_a_curve_never_falls(shares: list[float]) -> None:
    points = tuple(((month, 0), share) for month, share in enumerate([*shares, 1.0], 1))
    curve = Curve("c", points, "uji")
    days = [date(2028, 1, 1) + timedelta(days=3 * n) for n in range(122)]
    assert all(curve.share(b) >= curve.share(a) - 1e-12 for a, b in pairwise(days))


def test_totals_of_a_whole_horizon_need_no_list_of_days() -> None:
    facts = [daily(LAST - timedelta(days=n), 1.0) for n in range(7)]
    totals = sum_up(kpi(combine=Combine.SUM), HORIZON, facts)
    assert totals == Totals(num=7.0, den=7.0, n=7, days=7, newest=LAST, observed_at=NOW, known=None)
