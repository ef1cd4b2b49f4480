"""Values, targets and scores worked out by hand, by the whole way from records to the answer.

The comments are the arithmetic. Targets of a year follow `CURVE`: a tenth of it belongs to
January, a tenth to February, three tenths to March. Days are local ones; 1 January begins at
17:00 UTC of 31 December.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.formula import (
    Across,
    IncidentFigure,
    IncidentFormula,
    QualityFigure,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFigure,
    RequestFormula,
    Within,
)
from lawang.domain.incident import Incident, Status
from lawang.domain.kpi import Combine, Dimension, Direction, Grey, Span, Target
from lawang.domain.quality import Tally
from lawang.domain.service import RequestStatus
from lawang.kpi.evaluate import Evaluator
from lawang.store.history import History
from lawang.store.kpis import KpiStore
from tests.kpi.desk import (
    SOURCE,
    WIB,
    Desk,
    after,
    days,
    indicator,
    letter,
    moved,
    report,
    wib,
    yearly,
)

NEAR: Any = pytest.approx


@pytest.fixture
def desk(city: City, history: History) -> Desk:
    """An empty desk, on one database after the other."""
    return Desk.of(city, history)


def reading(measure: str, **changes: Any) -> ReadingFormula:
    return ReadingFormula(source=SOURCE, measure=measure, **changes)


def ratio(numerator: str, denominator: str) -> ReadingRatioFormula:
    return ReadingRatioFormula(numerator=reading(numerator), denominator=reading(denominator))


def incidents(figure: IncidentFigure, *categories: str) -> IncidentFormula:
    return IncidentFormula(figure=figure, sources=(SOURCE,), categories=categories)


def requests(figure: RequestFigure, *services: str) -> RequestFormula:
    return RequestFormula(figure=figure, sources=(SOURCE,), services=services)


# --- amounts: sums against a curve ---------------------------------------------------------------


def test_a_flow_over_all_five_horizons(desk: Desk) -> None:
    # 5 on each of the 90 days from 1 January to 31 March 2026; 1,000 a year.
    desk.read("flow", dict.fromkeys(days(date(2026, 1, 1), 90), 5.0))
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=yearly(1000))
    found = desk.values(kpi, after(date(2026, 3, 31)), since=date(2025, 12, 1))
    a_day = 300 / 31  # of March
    expected = {
        Span.DAY: (5.0, a_day, 5 / a_day),
        Span.WEEK: (35.0, 7 * a_day, 5 / a_day),
        Span.MONTH: (150.0, 30 * a_day, 5 / a_day),
        # 91 days begin on 31 December, which is missing: it adds nothing to the target either.
        Span.QUARTER: (450.0, 100 + 100 + 300, 0.9),
        Span.YEAR: (450.0, 500.0, 0.9),
    }
    for span, (value, target, score) in expected.items():
        assert found[span].value == NEAR(value), span
        assert found[span].target == NEAR(target), span
        assert found[span].score == NEAR(score), span


def test_a_score_is_capped_at_one_and_a_half(desk: Desk) -> None:
    desk.read("flow", {date(2026, 3, 31): 50.0})  # 50 / 9.68 = 5.17
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=yearly(1000))
    assert desk.value(kpi, Span.DAY, after(date(2026, 3, 31)), date(2026, 3, 1)).score == 1.5


def test_nought_is_a_value(desk: Desk) -> None:
    desk.read("flow", {date(2026, 3, 30): 10.0, date(2026, 3, 31): 0.0})
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=yearly(1000))
    found = desk.values(kpi, after(date(2026, 3, 31)), since=date(2026, 3, 1))
    assert (found[Span.DAY].value, found[Span.DAY].score) == (0.0, 0.0)
    # Two days are known: 10 of 2 x 300/31.
    assert found[Span.WEEK].score == NEAR(10 / (600 / 31))


def test_what_is_missing_is_not_nought(desk: Desk) -> None:
    desk.read("flow", {date(2026, 3, 29): 10.0, date(2026, 3, 31): 10.0})
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=yearly(1000))
    found = desk.value(kpi, Span.WEEK, after(date(2026, 3, 31)), date(2026, 3, 1))
    # 30 March is missing: 20 against the 2 days that are known, not 3, not 7.
    assert (found.value, found.days) == (20.0, 2)
    assert found.target == NEAR(2 * 300 / 31)


def test_a_day_without_anything_is_grey(desk: Desk) -> None:
    desk.read("flow", {date(2026, 3, 29): 10.0})
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=yearly(1000))
    found = desk.value(kpi, Span.DAY, after(date(2026, 3, 31)), date(2026, 3, 1))
    assert (found.value, found.score, found.grey) == (None, None, Grey.NO_DATA)


def test_the_leap_day_has_its_own_part_of_the_target(desk: Desk) -> None:
    # February 2028 has 29 days for a tenth of 1,000: 100/29 each. 4 a day.
    desk.read("flow", dict.fromkeys(days(date(2028, 2, 1), 29), 4.0))
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=yearly(1000))
    found = desk.values(kpi, after(date(2028, 2, 29)), since=date(2028, 1, 1))
    assert found[Span.DAY].target == NEAR(100 / 29)
    assert found[Span.DAY].score == NEAR(4 * 29 / 100)
    # January is missing, February is whole: 116 against 100.
    assert (found[Span.YEAR].value, found[Span.YEAR].target) == (NEAR(116), NEAR(100))


def test_a_common_year_reaches_the_same_share_by_the_end_of_february(desk: Desk) -> None:
    desk.read("flow", dict.fromkeys(days(date(2027, 2, 1), 28), 4.0))
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=yearly(1000))
    found = desk.value(kpi, Span.YEAR, after(date(2027, 2, 28)), date(2027, 1, 1))
    assert (found.value, found.target) == (112.0, NEAR(100))


def test_a_week_over_new_year_takes_of_each_year_what_belongs_to_its_days(desk: Desk) -> None:
    # 29 December 2025 to 4 January 2026: three days of December (2% of the year in 31 days) and
    # four of January (10% in 31 days), of 1,000 in 2025 and 2,000 in 2026.
    desk.read("flow", dict.fromkeys(days(date(2025, 12, 29), 7), 2.0))
    target = replace(yearly(0), year=None, years={2025: 1000.0, 2026: 2000.0})
    kpi = indicator(reading("flow"), combine=Combine.SUM, target=target)
    found = desk.value(kpi, Span.WEEK, after(date(2026, 1, 4)), date(2025, 12, 1))
    assert found.target == NEAR(3 * 20 / 31 + 4 * 200 / 31)
    assert found.score == NEAR(14 / (860 / 31))


def test_a_year_without_a_target_is_grey(desk: Desk) -> None:
    desk.read("flow", {date(2027, 1, 4): 10.0})
    kpi = indicator(
        reading("flow"), combine=Combine.SUM, target=Target(years={2026: 10.0}, curve=None)
    )
    found = desk.value(kpi, Span.DAY, after(date(2027, 1, 4)), date(2027, 1, 1))
    assert (found.value, found.target, found.grey) == (10.0, None, Grey.NO_TARGET)


def test_a_week_and_a_month_are_spread_over_their_days(desk: Desk) -> None:
    desk.read("week", {date(2026, 3, 2): 70.0})  # Monday to Sunday: 10 a day
    desk.read("month", {date(2026, 3, 1): 310.0})  # 31 days: 10 a day
    weekly = desk.by_day(indicator(reading("week")), date(2026, 3, 1), date(2026, 3, 31))
    monthly = desk.by_day(indicator(reading("month")), date(2026, 3, 1), date(2026, 3, 31))
    assert list(weekly) == list(days(date(2026, 3, 2), 7))
    assert {num for num, _, _ in weekly.values()} == {10.0}
    assert list(monthly) == list(days(date(2026, 3, 1), 31))
    assert {num for num, _, _ in monthly.values()} == {10.0}


# --- running totals ------------------------------------------------------------------------------

_JANUARY = date(2026, 1, 1)


def increases(desk: Desk, count: int = 5, measure: str = "total") -> dict[int, float]:
    """The increase of each of the first days of January 2026, by day of the month."""
    kpi = indicator(reading(measure), combine=Combine.SUM)
    found = desk.by_day(kpi, _JANUARY, _JANUARY + timedelta(days=count - 1))
    return {day.day: num for day, (num, _, _) in found.items()}


def test_a_running_total_counts_by_its_increase(desk: Desk) -> None:
    desk.read("total", {date(2026, 1, 1): 100.0, date(2026, 1, 2): 150.0, date(2026, 1, 3): 150.0})
    # The first of the year is itself the increase since New Year; a day of no increase is nought.
    assert increases(desk) == {1: 100.0, 2: 50.0, 3: 0.0}


def test_a_gap_in_a_running_total_is_spread_over_its_days(desk: Desk) -> None:
    desk.read("total", {date(2026, 1, 1): 100.0, date(2026, 1, 2): 150.0, date(2026, 1, 4): 210.0})
    # 60 in the two days from the 3rd to the 4th.
    assert increases(desk) == {1: 100.0, 2: 50.0, 3: 30.0, 4: 30.0}


def test_a_late_total_divides_the_gap_anew(desk: Desk) -> None:
    desk.read("total", {date(2026, 1, 1): 100.0, date(2026, 1, 2): 150.0, date(2026, 1, 4): 210.0})
    desk.read("total", {date(2026, 1, 3): 190.0}, fetched_at=wib(2026, 1, 6))
    assert increases(desk) == {1: 100.0, 2: 50.0, 3: 40.0, 4: 20.0}


def test_a_corrected_total_moves_the_days_on_both_of_its_sides(desk: Desk) -> None:
    desk.read("total", {date(2026, 1, 1): 100.0, date(2026, 1, 2): 150.0, date(2026, 1, 3): 190.0})
    desk.read("total", {date(2026, 1, 2): 160.0}, fetched_at=wib(2026, 1, 6))
    assert increases(desk) == {1: 100.0, 2: 60.0, 3: 30.0}


def test_totals_may_arrive_in_any_order(desk: Desk) -> None:
    for day, value in ((4, 210.0), (2, 150.0), (1, 100.0), (3, 190.0)):
        desk.read("total", {date(2026, 1, day): value}, fetched_at=wib(2026, 1, 6))
    assert increases(desk) == {1: 100.0, 2: 50.0, 3: 40.0, 4: 20.0}


def test_a_running_total_begins_anew_at_the_local_new_year(desk: Desk) -> None:
    desk.read("total", {date(2025, 12, 31): 900.0, date(2026, 1, 1): 100.0})
    # Not 100 - 900. The only total of 2025 is what came in over its 365 days.
    kpi = indicator(reading("total"), combine=Combine.SUM)
    found = desk.by_day(kpi, date(2025, 12, 30), date(2026, 1, 1))
    assert found[date(2026, 1, 1)][0] == 100.0
    assert found[date(2025, 12, 31)][0] == NEAR(900 / 365)


def test_juta_printed_as_miliar_is_held_back_and_its_day_shared_out(desk: Desk) -> None:
    good = {1: 100e9, 2: 101e9, 3: 102e9, 5: 104e9}
    desk.read("total", {date(2026, 1, day): value for day, value in good.items() if day < 4})
    desk.read("total", {date(2026, 1, 4): 103e12})  # a thousand times too much
    desk.read("total", {date(2026, 1, 5): good[5]})
    # The 4th never enters; 2 billion of the 4th and 5th are one each.
    assert increases(desk) == {1: 100e9, 2: 1e9, 3: 1e9, 4: 1e9, 5: 1e9}


def test_a_flow_that_slips_is_missing_not_counted(desk: Desk) -> None:
    for day in range(1, 5):
        desk.read("flow", {date(2026, 1, day): 5.0})
    desk.read("flow", {date(2026, 1, 5): 5000.0})
    assert increases(desk, measure="flow") == {1: 5.0, 2: 5.0, 3: 5.0, 4: 5.0}


def test_a_monthly_total_reaches_as_far_as_it_was_read(desk: Desk) -> None:
    # 310 in January; 450 when February was read at the end of its 14th: 140 in 14 days.
    desk.read("month_total", {date(2026, 1, 1): 310.0})
    desk.read("month_total", {date(2026, 2, 1): 450.0}, fetched_at=wib(2026, 2, 15, 0))
    kpi = indicator(reading("month_total"), combine=Combine.SUM, target=yearly(5000))
    found = desk.by_day(kpi, _JANUARY, date(2026, 2, 20))
    assert list(found) == list(days(_JANUARY, 31 + 14))
    assert {round(num, 9) for num, _, _ in found.values()} == {10.0}
    # The year so far: 450 against a tenth of 5,000 and 14/28 of the next tenth.
    value = desk.value(kpi, Span.YEAR, after(date(2026, 2, 20)), _JANUARY)
    assert (value.value, value.target) == (NEAR(450), NEAR(500 + 250))
    assert value.score == NEAR(0.6)


def test_the_running_total_itself_is_held_to_the_share_of_the_year(desk: Desk) -> None:
    # 60 of a budget of 300 by the end of February: 20% of it, and 20% of the year's course.
    desk.read("total", {date(2026, 2, 28): 60.0})
    desk.read("all_of", {date(2026, 2, 28): 300.0})
    formula = ReadingRatioFormula(
        numerator=reading("total", within=Within.LAST), denominator=reading("all_of")
    )
    target = Target(level=1.0, curve=yearly(1).curve)
    kpi = indicator(formula, combine=Combine.LAST, target=target)
    found = desk.value(kpi, Span.MONTH, after(date(2026, 2, 28)), date(2026, 2, 1))
    assert (found.value, found.target, found.score) == (NEAR(0.2), NEAR(0.2), NEAR(1.0))


# --- means, levels and extremes ------------------------------------------------------------------


def test_a_mean_weighs_days_by_their_subjects(desk: Desk) -> None:
    # Tuesday: a reads 20 and 40 (30 on the day), b reads 60. Wednesday: a alone, 10.
    desk.read("level", {wib(2026, 3, 10, 8): 20.0, wib(2026, 3, 10, 20): 40.0}, "a")
    desk.read("level", {wib(2026, 3, 10, 9): 60.0}, "b", kecamatan="16.71.01")
    desk.read("level", {wib(2026, 3, 11, 9): 10.0}, "a")
    kpi = indicator(
        reading("level", across=Across.MEAN), direction=Direction.DOWN, target=Target(level=25)
    )
    found = desk.by_day(kpi, date(2026, 3, 10), date(2026, 3, 11))
    assert found == {date(2026, 3, 10): (90.0, 2.0, 3), date(2026, 3, 11): (10.0, 1.0, 1)}
    # (30 + 60 + 10) / 3 = 33.3; 25 / 33.3 = 0.75.
    value = desk.value(kpi, Span.WEEK, after(date(2026, 3, 11)), date(2026, 3, 1))
    assert (value.value, value.score) == (NEAR(100 / 3), NEAR(0.75))


def test_a_kecamatan_has_its_own_subjects_alone(desk: Desk) -> None:
    desk.read("level", {wib(2026, 3, 10, 9): 30.0}, "a", kecamatan="16.71.06")
    desk.read("level", {wib(2026, 3, 10, 9): 60.0}, "b", kecamatan="16.71.01")
    kpi = indicator(reading("level", across=Across.MEAN), target=Target(level=60))
    now = after(date(2026, 3, 10))
    city = desk.value(kpi, Span.DAY, now, date(2026, 3, 1))
    own = desk.value(kpi, Span.DAY, now, date(2026, 3, 1), kecamatan="16.71.01")
    assert (city.value, own.value, own.score) == (45.0, 60.0, 1.0)


@pytest.mark.parametrize(("across", "value"), [(Across.MAX, 60.0), (Across.MIN, 30.0)])
def test_the_extreme_subject_of_a_day(desk: Desk, across: Across, value: float) -> None:
    desk.read("level", {wib(2026, 3, 10, 9): 30.0}, "a")
    desk.read("level", {wib(2026, 3, 10, 9): 60.0}, "b")
    kpi = indicator(reading("level", across=across))
    assert desk.by_day(kpi, date(2026, 3, 10), date(2026, 3, 10))[date(2026, 3, 10)][0] == value


def test_the_newest_stock_holds_until_a_newer_one_comes(desk: Desk) -> None:
    desk.read("stock", {date(2026, 3, 8): 500.0, date(2026, 3, 9): 400.0})
    kpi = indicator(
        reading("stock"), combine=Combine.LAST, target=Target(level=500),
        stale_after=timedelta(days=5),
    )  # fmt: skip
    found = desk.value(kpi, Span.DAY, after(date(2026, 3, 11)), date(2026, 3, 1))
    assert (found.value, found.score, found.grey) == (400.0, 0.8, None)


def test_a_stock_too_old_is_grey_but_keeps_its_value(desk: Desk) -> None:
    desk.read("stock", {date(2026, 3, 9): 400.0})
    kpi = indicator(
        reading("stock"), combine=Combine.LAST, target=Target(level=500),
        stale_after=timedelta(days=2),
    )  # fmt: skip
    # True at the end of the 9th; at nine on the 12th that is 2 days and 9 hours ago.
    found = desk.value(kpi, Span.DAY, after(date(2026, 3, 11)), date(2026, 3, 1))
    assert (found.value, found.grey) == (400.0, Grey.STALE)
    desk.read("stock", {date(2026, 3, 11): 450.0})
    found = desk.value(kpi, Span.DAY, after(date(2026, 3, 11)), date(2026, 3, 1))
    assert (found.value, found.grey, found.score) == (450.0, None, 0.9)


def test_a_reading_at_five_in_the_evening_utc_belongs_to_the_next_local_day(desk: Desk) -> None:
    before = datetime(2025, 12, 31, 16, 59, 59, tzinfo=UTC)  # 23:59:59 WIB
    desk.read("level", {before: 1.0, before + timedelta(seconds=1): 3.0})
    found = desk.by_day(indicator(reading("level")), date(2025, 12, 31), date(2026, 1, 1))
    assert {day: num for day, (num, _, _) in found.items()} == {
        date(2025, 12, 31): 1.0,
        date(2026, 1, 1): 3.0,
    }


def test_a_stock_is_as_old_in_a_kecamatan_as_its_own_newest_day(desk: Desk) -> None:
    desk.read("stock", {date(2026, 3, 2): 300.0}, "silent", kecamatan="16.71.01")
    desk.read("stock", {date(2026, 3, 10): 450.0}, "told", kecamatan="16.71.06")
    kpi = indicator(
        reading("stock"), combine=Combine.LAST, target=Target(level=500),
        stale_after=timedelta(days=2),
    )  # fmt: skip
    now, since = after(date(2026, 3, 10)), date(2026, 3, 1)
    told, silent, city = (
        desk.value(kpi, Span.DAY, now, since, kecamatan=code)
        for code in ("16.71.06", "16.71.01", "")
    )
    assert (told.value, told.grey, city.grey) == (450.0, None, None)
    # The 2nd ended eight days and nine hours ago, whatever the rest of the city has told since.
    assert (silent.value, silent.grey) == (300.0, Grey.STALE)
    assert silent.age == timedelta(days=8, hours=9)


def test_a_quiet_kecamatan_is_not_older_than_the_city(desk: Desk) -> None:
    kpi = indicator(incidents(IncidentFigure.WITHIN_DUE), stale_after=timedelta(days=2))
    one = report("1", wib(2026, 3, 2), kecamatan="16.71.01")
    desk.tell(one, moved(one, Status.DONE, wib(2026, 3, 2, 14)), report("2", wib(2026, 3, 11)))
    now = after(date(2026, 3, 10))
    found = desk.value(kpi, Span.MONTH, now, date(2026, 2, 1), kecamatan="16.71.01")
    assert (found.value, found.grey) == (1.0, Grey.NO_TARGET)


# --- one measure by another ----------------------------------------------------------------------


def test_a_ratio_over_days_weighs_them_by_their_denominator(desk: Desk) -> None:
    desk.read("done", {date(2026, 3, 10): 8.0, date(2026, 3, 11): 1.0})
    desk.read("asked", {date(2026, 3, 10): 10.0, date(2026, 3, 11): 40.0})
    kpi = indicator(ratio("done", "asked"), target=Target(level=0.9))
    found = desk.value(kpi, Span.WEEK, after(date(2026, 3, 11)), date(2026, 3, 1))
    # 9 of 50, not the mean of 80% and 2.5%.
    assert (found.value, found.score) == (NEAR(0.18), NEAR(0.2))


def test_a_subject_whose_other_half_is_missing_stays_out_of_a_ratio(desk: Desk) -> None:
    desk.read("some_of", {date(2026, 3, 10): 90.0}, "a")
    desk.read("all_of", {date(2026, 3, 10): 100.0}, "a")
    desk.read("all_of", {date(2026, 3, 10): 200.0}, "b")
    kpi = indicator(ratio("some_of", "all_of"), combine=Combine.LAST, target=Target(level=0.9))
    found = desk.value(kpi, Span.DAY, after(date(2026, 3, 10)), date(2026, 3, 1))
    assert (found.value, found.score) == (NEAR(0.9), NEAR(1.0))  # 90/100, not 90/300


def test_nothing_asked_for_is_no_share_at_all(desk: Desk) -> None:
    desk.read("done", {date(2026, 3, 10): 0.0})
    desk.read("asked", {date(2026, 3, 10): 0.0})
    kpi = indicator(ratio("done", "asked"), target=Target(level=0.9))
    found = desk.value(kpi, Span.DAY, after(date(2026, 3, 10)), date(2026, 3, 1))
    assert (found.value, found.grey) == (None, Grey.NO_DATA)


# --- incidents -----------------------------------------------------------------------------------

_TENTH = date(2026, 3, 10)
_NINE = wib(2026, 3, 10, 9)


def a_day_of_reports(desk: Desk) -> None:
    """Reports of 10 March at nine, due a day later: what the next tests count."""
    due = _NINE + timedelta(days=1)
    in_time, on_time, late, left, undue, free = (
        report(name, _NINE) for name in ("in-time", "on-time", "late", "left", "undue", "free")
    )
    undue = replace(undue, due_at=_NINE + timedelta(days=9))
    free = replace(free, due_at=None)
    desk.tell(in_time, on_time, late, left, undue, free)
    desk.tell(
        moved(in_time, Status.DONE, _NINE + timedelta(hours=2)),
        moved(free, Status.DONE, _NINE + timedelta(hours=3)),
        moved(on_time, Status.DONE, due),
        moved(late, Status.DONE, due + timedelta(hours=1)),
    )


def test_the_share_within_due_has_the_decidable_ones_as_cohort(desk: Desk) -> None:
    a_day_of_reports(desk)
    kpi = indicator(incidents(IncidentFigure.WITHIN_DUE), target=Target(level=0.8))
    # Decidable: in time, at the very moment, late, and open past due. Not: open before its due
    # time, and the one without a due time. Two of four.
    found = desk.value(kpi, Span.WEEK, after(date(2026, 3, 12)), date(2026, 3, 1))
    assert (found.num, found.den, found.n) == (2.0, 4.0, 4)
    assert (found.value, found.score) == (0.5, NEAR(0.625))


def test_a_report_becomes_decidable_when_its_due_time_goes_by(desk: Desk) -> None:
    a_day_of_reports(desk)
    kpi = indicator(incidents(IncidentFigure.WITHIN_DUE))
    before = desk.facts(kpi, _TENTH, _TENTH, now=_NINE + timedelta(days=9))
    past = desk.facts(kpi, _TENTH, _TENTH, now=_NINE + timedelta(days=9, seconds=1))
    assert [each.den for each in (before[0], past[0])] == [4.0, 5.0]


def test_the_share_closed_counts_late_ones_too(desk: Desk) -> None:
    a_day_of_reports(desk)
    kpi = indicator(incidents(IncidentFigure.CLOSED))
    assert desk.value(kpi, Span.WEEK, after(date(2026, 3, 12)), date(2026, 3, 1)).value == 0.75


def test_hours_are_told_by_the_day_of_the_closing(desk: Desk) -> None:
    a_day_of_reports(desk)
    kpi = indicator(
        incidents(IncidentFigure.HOURS), direction=Direction.DOWN, target=Target(level=10)
    )
    # On the 10th 2 and 3 hours; on the 11th 24 and 25.
    found = desk.by_day(kpi, _TENTH, date(2026, 3, 12))
    assert {day.day: values for day, values in found.items() if values[2]} == {
        10: (5.0, 2.0, 2),
        11: (49.0, 2.0, 2),
    }
    value = desk.value(kpi, Span.WEEK, after(date(2026, 3, 12)), date(2026, 3, 1))
    assert (value.value, value.score) == (13.5, NEAR(10 / 13.5))


def test_the_share_reopened_has_those_once_closed_as_cohort(desk: Desk) -> None:
    one, two, three, waiting = (report(name, _NINE) for name in "1234")
    desk.tell(one, two, three, waiting)
    for each in (one, two, three):
        desk.tell(moved(each, Status.DONE, _NINE + timedelta(hours=1)))
    desk.tell(moved(one, Status.WAITING, _NINE + timedelta(hours=5)))  # and stays open
    desk.tell(moved(two, Status.WAITING, _NINE + timedelta(hours=5)))
    desk.tell(moved(two, Status.DONE, _NINE + timedelta(hours=9)))
    kpi = indicator(
        incidents(IncidentFigure.REOPENED), direction=Direction.DOWN, target=Target(level=0.5)
    )
    found = desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1))
    assert (found.num, found.den, found.score) == (2.0, 3.0, NEAR(0.75))  # 0.5 / (2/3)


def verified(incident: Incident, closed: datetime, at: datetime) -> Incident:
    """The same report, closed and then confirmed by somebody else."""
    return replace(moved(incident, Status.DONE, at), closed_at=closed, verified_at=at)


def a_day_of_closings(desk: Desk) -> None:
    """Reports of Tuesday 10 March 2026 at nine: what is claimed, and what somebody confirmed."""
    desk.tell_verifications()
    names = ("sure", "unsure", "late", "disputed", "mended", "refused", "open")
    sure, unsure, late, disputed, mended, refused, left = (report(name, _NINE) for name in names)
    desk.tell(sure, unsure, late, disputed, mended, refused, left)
    ten, soon = _NINE + timedelta(hours=1), _NINE + timedelta(hours=5)
    desk.tell(
        verified(sure, ten, soon),
        moved(unsure, Status.DONE, ten),
        moved(late, Status.DONE, wib(2026, 3, 12, 9)),
        moved(disputed, Status.DONE, ten),
        moved(disputed, Status.WAITING, soon),
        verified(mended, ten, soon),
        moved(mended, Status.WAITING, soon + timedelta(hours=1)),
        verified(mended, soon + timedelta(hours=3), soon + timedelta(hours=9)),
        moved(refused, Status.REJECTED, ten),
    )


def verified_share(desk: Desk, now: datetime) -> tuple[float, float]:
    formula = replace(incidents(IncidentFigure.VERIFIED), verify_days=10)
    (found,) = (
        each for each in desk.facts(indicator(formula), _TENTH, _TENTH, now=now) if not each.region
    )
    return found.num, found.den


def test_the_share_verified_waits_for_those_that_may_still_be(desk: Desk) -> None:
    a_day_of_closings(desk)
    # Decided at once: what was opened again, mended (verified since) and disputed (still open). The
    # rejected one claims nothing, the open one neither; sure, unsure and late have time.
    assert verified_share(desk, after(date(2026, 3, 13))) == (1.0, 2.0)


def test_what_is_verified_early_waits_like_the_rest(desk: Desk) -> None:
    # Four closed on the 10th, three of them verified the next day: 100% of what somebody has
    # looked at by the 13th, and three quarters of what was claimed.
    desk.tell_verifications()
    for name in "1234":
        told = report(name, _NINE)
        ten, next_day = _NINE + timedelta(hours=1), wib(2026, 3, 11)
        closed = moved(told, Status.DONE, ten)
        desk.tell(told, closed if name == "4" else verified(told, ten, next_day))
    kpi = indicator(replace(incidents(IncidentFigure.VERIFIED), verify_days=10))
    early = desk.facts(kpi, _TENTH, _TENTH, now=after(date(2026, 3, 13)))
    assert sum(each.den for each in early) == 0.0
    assert verified_share(desk, wib(2026, 3, 26, 0)) == (3.0, 4.0)


def test_after_ten_working_days_an_unverified_closing_counts_as_such(desk: Desk) -> None:
    # Ten working days after Tuesday 10 March 2026: 11, 12, 13, 16, 17, 18, 20 (the 19th is Nyepi),
    # 23, 24 and 25. After Thursday the 12th two more, 26 and 27.
    a_day_of_closings(desk)
    assert verified_share(desk, wib(2026, 3, 25, 23)) == (1.0, 2.0)
    assert verified_share(desk, wib(2026, 3, 26, 0)) == (2.0, 4.0)  # sure and unsure
    assert verified_share(desk, wib(2026, 3, 27, 23)) == (2.0, 4.0)
    assert verified_share(desk, wib(2026, 3, 28, 0)) == (2.0, 5.0)  # late


def test_a_source_that_never_tells_verifications_is_in_no_cohort(desk: Desk) -> None:
    told = report("1", _NINE)
    desk.tell(told, moved(told, Status.DONE, _NINE + timedelta(hours=1)))
    formula = replace(incidents(IncidentFigure.VERIFIED), verify_days=1)
    found = desk.value(indicator(formula), Span.DAY, after(_TENTH), date(2026, 3, 1))
    assert (found.value, found.grey) == (None, Grey.NO_DATA)


def test_a_verification_that_comes_late_counts_from_then_on(desk: Desk) -> None:
    a_day_of_closings(desk)
    closed = moved(report("late", _NINE), Status.DONE, wib(2026, 3, 12, 9))
    now = wib(2026, 3, 28, 0)
    assert verified_share(desk, now) == (2.0, 5.0)  # sure, mended of those, unsure and disputed
    confirmed = replace(
        closed, observed_at=wib(2026, 3, 28), fetched_at=wib(2026, 3, 28),
        verified_at=wib(2026, 3, 13),
    )  # fmt: skip
    desk.tell(confirmed)
    assert verified_share(desk, now) == (3.0, 5.0)


def test_a_verification_that_is_taken_back_counts_no_more(desk: Desk) -> None:
    a_day_of_closings(desk)
    ten = _NINE + timedelta(hours=1)
    desk.tell(moved(report("sure", _NINE), Status.DONE, ten))  # out of order: the state before
    then = wib(2026, 3, 26, 0)
    assert verified_share(desk, then) == (2.0, 4.0)
    corrected = replace(
        moved(report("sure", _NINE), Status.DONE, ten), observed_at=wib(2026, 3, 11),
        fetched_at=wib(2026, 3, 11),
    )  # fmt: skip
    desk.tell(corrected)
    # Mended alone of those, sure, unsure and disputed.
    assert verified_share(desk, then) == (1.0, 4.0)


def test_without_a_closing_neither_share_is_nought(desk: Desk) -> None:
    desk.tell_verifications()
    desk.tell(report("1", _NINE), report("2", wib(2026, 3, 12)))
    now = _NINE + timedelta(hours=20)
    for figure in (IncidentFigure.CLAIMED, IncidentFigure.VERIFIED):
        kpi = indicator(replace(incidents(figure), verify_days=10))
        found = desk.value(kpi, Span.WEEK, now, date(2026, 3, 1))
        assert (found.value, found.grey) == (None, Grey.NO_DATA)


def test_nothing_verified_of_what_was_closed_is_nought(desk: Desk) -> None:
    desk.tell_verifications()
    one = report("1", _NINE)
    desk.tell(one, moved(one, Status.DONE, _NINE + timedelta(hours=1)))
    kpi = indicator(
        replace(incidents(IncidentFigure.VERIFIED), verify_days=1), target=Target(level=0.8)
    )
    found = desk.value(kpi, Span.WEEK, after(date(2026, 3, 12)), date(2026, 3, 1))
    assert (found.value, found.score, found.grey) == (0.0, 0.0, None)


def test_working_days_to_verify_go_over_the_leap_day_and_new_year(desk: Desk) -> None:
    # Tuesday 29 February 2028 is a working day: the second after Monday the 28th is 1 March.
    # Of 31 December 2027, a Friday, they are Monday 3 and Tuesday 4 January 2028.
    desk.tell_verifications()
    kpi = indicator(replace(incidents(IncidentFigure.VERIFIED), verify_days=2))
    for closed, first, last in (
        (wib(2028, 2, 28, 23), wib(2028, 3, 1, 23, 59), wib(2028, 3, 2, 0)),
        (wib(2027, 12, 31, 23), wib(2028, 1, 4, 23, 59), wib(2028, 1, 5, 0)),
    ):
        told = report(f"{closed:%m%d}", closed - timedelta(hours=1))
        desk.tell(told, moved(told, Status.DONE, closed))
        day = closed.astimezone(WIB).date()
        dens = [
            sum(each.den for each in desk.facts(kpi, day, day, now=now) if not each.region)
            for now in (first, last)
        ]
        assert dens == [0.0, 1.0]


def test_the_share_claimed_leaves_rejected_ones_out(desk: Desk) -> None:
    a_day_of_closings(desk)
    kpi = indicator(incidents(IncidentFigure.CLAIMED))
    found = desk.value(kpi, Span.WEEK, after(date(2026, 3, 13)), date(2026, 3, 1))
    # Done by their own word: sure, unsure, late, mended; past due and open: disputed, open.
    assert (found.num, found.den) == (4.0, 6.0)


def test_a_state_that_arrives_late_changes_nothing_that_is_newer(desk: Desk) -> None:
    told = report("1", _NINE)
    desk.tell(told, moved(told, Status.DONE, _NINE + timedelta(hours=2)))
    desk.tell(moved(told, Status.IN_PROGRESS, _NINE + timedelta(hours=1)))  # out of order
    kpi = indicator(incidents(IncidentFigure.CLOSED))
    assert desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1)).value == 1.0


def test_a_count_is_nought_on_a_quiet_day_once_the_source_was_heard_since(desk: Desk) -> None:
    desk.tell(report("1", wib(2026, 3, 8)), report("2", wib(2026, 3, 8)), report("3", _NINE))
    kpi = indicator(incidents(IncidentFigure.COUNT), combine=Combine.SUM)
    found = desk.by_day(kpi, date(2026, 3, 7), date(2026, 3, 12))
    # Nothing is known before the first report, nor of the 10th, which was still running.
    assert {day.day: num for day, (num, _, _) in found.items()} == {8: 2.0, 9: 0.0}


@pytest.mark.parametrize(
    ("count", "a_day", "score"),
    [
        (2, 1.0, 0.5),
        (1, 1.0, 1.0),
        (0, 1.0, 1.5),  # as good as it gets
        (0, 0.0, 1.0),  # none was wanted, none came
        (1, 0.0, 0.0),
    ],
)
def test_fewer_fires_score_better(desk: Desk, count: int, a_day: float, score: float) -> None:
    desk.tell(report("before", wib(2026, 3, 9)))
    desk.tell(*(report(str(number), _NINE) for number in range(count)))
    desk.tell(report("since", wib(2026, 3, 11)))
    kpi = indicator(
        incidents(IncidentFigure.COUNT), combine=Combine.SUM, direction=Direction.DOWN,
        target=Target(per_day=a_day), minimum=0,
    )  # fmt: skip
    found = desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1))
    assert (found.value, found.score) == (float(count), score)


def test_a_report_of_half_past_midnight_belongs_to_the_new_year(desk: Desk) -> None:
    half_past_five = datetime(2025, 12, 31, 17, 30, tzinfo=UTC)  # 1 January, 00:30 WIB
    desk.tell(report("old", half_past_five - timedelta(hours=1)), report("new", half_past_five))
    desk.tell(report("since", wib(2026, 1, 2)))
    kpi = indicator(incidents(IncidentFigure.COUNT), combine=Combine.SUM, target=Target(year=365))
    now = after(date(2026, 1, 1))
    assert desk.value(kpi, Span.YEAR, now, date(2025, 12, 1)).value == 1.0
    assert desk.value(kpi, Span.WEEK, now, date(2025, 12, 1)).value == 2.0


def test_a_report_without_a_place_counts_in_the_city_alone(desk: Desk) -> None:
    desk.tell(report("1", _NINE), report("2", _NINE, kecamatan=None))
    desk.tell(report("3", wib(2026, 3, 11)))
    kpi = indicator(incidents(IncidentFigure.COUNT), combine=Combine.SUM)
    found = {each.region: each.num for each in desk.facts(kpi, _TENTH, _TENTH)}
    assert (found[""], found["16.71.06"], sum(found.values())) == (2.0, 1.0, 3.0)


def test_only_the_categories_asked_for_are_counted(desk: Desk) -> None:
    desk.tell(report("1", _NINE), report("2", _NINE, category="sampah"))
    desk.tell(report("3", wib(2026, 3, 11)))
    kpi = indicator(incidents(IncidentFigure.COUNT, "sampah"), combine=Combine.SUM)
    assert desk.by_day(kpi, _TENTH, _TENTH)[_TENTH] == (1.0, 1.0, 1)


def test_a_cohort_below_the_minimum_is_grey(desk: Desk) -> None:
    a_day_of_reports(desk)
    kpi = indicator(incidents(IncidentFigure.WITHIN_DUE), target=Target(level=0.8), minimum=5)
    found = desk.value(kpi, Span.WEEK, after(date(2026, 3, 12)), date(2026, 3, 1))
    assert (found.value, found.n, found.grey) == (0.5, 4, Grey.FEW)


# --- there within so many minutes ----------------------------------------------------------------


def test_the_share_there_within_fifteen_minutes(desk: Desk) -> None:
    def call(name: str, *steps: tuple[float, Status]) -> None:
        told = report(name, _NINE)
        desk.tell(told, *(moved(told, to, _NINE + timedelta(minutes=at)) for at, to in steps))

    call("quick", (3, Status.DISPOSITION), (8, Status.IN_PROGRESS), (50, Status.DONE))
    call("just", (15, Status.IN_PROGRESS))  # the fifteenth minute is within
    call("slow", (15.1, Status.IN_PROGRESS))
    call("straight", (12, Status.DONE))  # nobody noted the arrival; it was over by then
    call("nobody")
    call("false-alarm", (5, Status.REJECTED))
    formula = ReachedFormula(minutes=15, status=Status.IN_PROGRESS, sources=(SOURCE,))
    kpi = indicator(formula, target=Target(level=0.9))
    # quick, just and straight of those and slow and nobody: 3 of 5.
    found = desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1))
    assert (found.num, found.den) == (3.0, 5.0)
    assert (found.value, found.score) == (NEAR(0.6), NEAR(0.6 / 0.9))


def test_a_call_within_its_minutes_is_not_yet_decided(desk: Desk) -> None:
    desk.tell(report("1", _NINE))
    formula = ReachedFormula(minutes=15, status=Status.IN_PROGRESS, sources=(SOURCE,))
    kpi = indicator(formula)
    early = desk.facts(kpi, _TENTH, _TENTH, now=_NINE + timedelta(minutes=15))
    late = desk.facts(kpi, _TENTH, _TENTH, now=_NINE + timedelta(minutes=15, seconds=1))
    assert [each.den for each in early if not each.region] == []
    assert [(each.num, each.den) for each in late if not each.region] == [(0.0, 1.0)]


# --- letters and licences ------------------------------------------------------------------------


def a_day_of_letters(desk: Desk) -> None:
    """Letters of 10 March at nine, promised within ten minutes."""
    desk.ask(
        letter("quick", _NINE, 4),
        letter("just", _NINE, 10),
        letter("slow", _NINE, 16),
        letter("refused", _NINE, 6, RequestStatus.REJECTED),
        letter("overdue", _NINE, None),
        letter("taken-back", _NINE, 2, RequestStatus.CANCELLED),
        letter("no-promise", _NINE, 14, promise=None),
        letter("no-time", _NINE, 5, closed_at=None),
        letter("other", _NINE, 100, service="usaha"),
    )


@pytest.mark.parametrize(
    ("figure", "num", "den"),
    [
        # quick, just and refused; not slow, not overdue. Taken back, without a promise, and
        # without a time of the outcome: nothing to judge.
        (RequestFigure.WITHIN_PROMISE, 3.0, 5.0),
        # quick, just, slow, no-promise, no-time; not refused, not overdue.
        (RequestFigure.DONE, 5.0, 7.0),
        # Of the six with an outcome one was refused.
        (RequestFigure.REJECTED, 1.0, 6.0),
        # 4 + 10 + 16 + 6 + 14 minutes.
        (RequestFigure.MINUTES, 50.0, 5.0),
    ],
)
def test_letters_by_hand(desk: Desk, figure: RequestFigure, num: float, den: float) -> None:
    a_day_of_letters(desk)
    kpi = indicator(requests(figure, "domisili"))
    found = desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1))
    assert (found.num, found.den, found.n) == (NEAR(num), den, int(den))


def test_the_mean_minutes_of_letters_score_downwards(desk: Desk) -> None:
    a_day_of_letters(desk)
    kpi = indicator(
        requests(RequestFigure.MINUTES, "domisili"), direction=Direction.DOWN,
        target=Target(level=8),
    )  # fmt: skip
    found = desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1))
    assert (found.value, found.score) == (NEAR(10.0), NEAR(0.8))


def test_letters_are_counted_by_the_day_they_were_asked_for(desk: Desk) -> None:
    a_day_of_letters(desk)
    desk.ask(letter("next", wib(2026, 3, 11), 5), letter("last", wib(2026, 3, 12), 5))
    kpi = indicator(requests(RequestFigure.COUNT), combine=Combine.SUM)
    found = desk.by_day(kpi, _TENTH, date(2026, 3, 12))
    assert {day.day: num for day, (num, _, _) in found.items()} == {10: 9.0, 11: 1.0}


def test_a_letter_that_is_finished_later_is_recomputed(desk: Desk) -> None:
    desk.ask(letter("1", _NINE, None), letter("2", _NINE, 5))
    kpi = indicator(requests(RequestFigure.DONE))
    assert desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1)).value == 0.5
    desk.ask(letter("1", _NINE, 200))
    assert desk.value(kpi, Span.DAY, after(_TENTH), date(2026, 3, 1)).value == 1.0


# --- sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "num", "den", "score"),
    [
        # Asked for every minute: 1,440 polls a day. 720 on the 10th, none on the 11th.
        (QualityFigure.TIMELINESS, 720.0, 2880.0, 0.5),
        (QualityFigure.VALIDITY, 90.0, 100.0, 1.5),
        (QualityFigure.COMPLETENESS, 30.0, 40.0, 1.5),
    ],
)
def test_the_quality_of_a_source(
    desk: Desk, figure: QualityFigure, num: float, den: float, score: float
) -> None:
    assert desk.city.sources[SOURCE].every_s == 60
    midnight = wib(2026, 3, 10, 0)
    tally = Tally(polls=700, records=100, unusable=6, unknown=4, filled=30, fillable=40)
    desk.history.quality.add(
        SOURCE, {midnight: tally, midnight + timedelta(hours=20): Tally(polls=20)}
    )
    kpi = indicator(QualityFormula(figure=figure, sources=(SOURCE,)), target=Target(level=0.5))
    found = desk.value(kpi, Span.WEEK, after(date(2026, 3, 11)), date(2026, 3, 1))
    assert (found.num, found.den, found.score) == (num, den, NEAR(score))


# --- roll-up -------------------------------------------------------------------------------------


def test_a_roll_up_leaves_grey_ones_out_and_says_so(desk: Desk) -> None:
    desk.read("flow", {_TENTH: 12.0}, "a")
    desk.read("stock", {_TENTH: 6.0}, "a")
    kpis = {
        "good": indicator(reading("flow"), id="good", weight=2.0, target=Target(level=10)),
        "bad": indicator(reading("stock"), id="bad", weight=1.0, target=Target(level=10)),
        "grey": indicator(reading("week"), id="grey", weight=5.0, target=Target(level=10)),
        "other": indicator(
            reading("flow"), id="other", dimension="living", target=Target(level=24)
        ),
    }
    dimensions = {
        name: Dimension(id=name, name_id=name, name_en=name, weight=weight)
        for name, weight in (("services", 3.0), ("living", 1.0))
    }
    city = replace(desk.city, kpis=kpis, dimensions=dimensions)
    store = KpiStore(desk.history.database)
    for name, kpi in kpis.items():
        store.replace(name, _TENTH, _TENTH, desk.facts(kpi, _TENTH, _TENTH))
    rolled = Evaluator(city, store).scores(Span.DAY, after(_TENTH))
    scores = {each.id: (each.score, each.counting, each.total) for each in rolled}
    # services: (2 x 12/10 + 1 x 6/10) / 3 = 1.0. living: 12/24. City: (3 x 1.0 + 0.5) / 4.
    assert scores == {
        "": (NEAR(0.875), 3, 4),
        "services": (NEAR(1.0), 2, 3),
        "living": (NEAR(0.5), 1, 1),
    }


def test_the_drivers_of_a_change_add_up_to_it(desk: Desk) -> None:
    ninth = date(2026, 3, 9)
    desk.read("flow", {ninth: 5.0, _TENTH: 10.0})
    desk.read("asked", {ninth: 8.0, _TENTH: 6.0})
    kpis = {
        "up": indicator(reading("flow"), id="up", target=Target(level=10)),
        "down": indicator(reading("asked"), id="down", weight=3.0, target=Target(level=10)),
    }
    city = replace(
        desk.city,
        kpis=kpis,
        dimensions={"services": Dimension(id="services", name_id="", name_en="", weight=1.0)},
    )
    store = KpiStore(desk.history.database)
    for name, kpi in kpis.items():
        store.replace(name, ninth, _TENTH, desk.facts(kpi, ninth, _TENTH))
    rolled = Evaluator(city, store).scores(Span.DAY, after(_TENTH))[0]
    # The 9th: (1 x 0.5 + 3 x 0.8) / 4 = 0.725. The 10th: (1 x 1.0 + 3 x 0.6) / 4 = 0.7.
    assert (rolled.before, rolled.score) == (NEAR(0.725), NEAR(0.7))
    # A quarter of + 0.5, and three quarters of - 0.2.
    moves = {each.kpi: each.contribution for each in rolled.drivers}
    assert moves == {"up": NEAR(0.125), "down": NEAR(-0.15)}
