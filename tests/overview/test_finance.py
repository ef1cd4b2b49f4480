"""The finance section against books whose every figure is worked out by hand."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lawang.city import City
from lawang.domain.kpi import Daily
from lawang.domain.programme import Programme
from lawang.overview.finance import read_budget, read_finance
from lawang.store.history import History
from tests.kpi.desk import wib
from tests.overview.books import Books

#: The books of June came; the last complete day is 9 July.
NOW = wib(2026, 7, 10, 9)


@pytest.fixture
def books(city: City, history: History) -> Books:
    """Half a year on the curve: 10% above the target, spending 20% below, on either database."""
    books = Books.of(city, history)
    books.write_year("came", "pajak", 2026, 660.0, months=6)
    books.write_year("came", "transfer", 2026, 660.0, months=6)
    books.write_year("spent", "dinkes", 2026, 300.0, months=6)
    books.write_year("spent", "pupr", 2026, 500.0, months=6)
    for opd, budget in (("dinkes", 400.0), ("pupr", 600.0)):
        books.write("budget", opd, {date(2026, month, 1): budget for month in range(1, 7)})
    books.write("financing", "6.1", {date(2026, month, 1): 90.0 for month in range(1, 7)})
    books.write("financing", "6.2", {date(2026, month, 1): 5.0 * month for month in range(1, 7)})
    books.write("cash", "RKUD", {date(2026, 7, day): 311.0 + day for day in range(1, 10)})
    books.work_out(NOW)
    return books


def test_a_city_without_a_finance_section_has_none(city: City, sqlite_history: History) -> None:
    bare = replace(city, programme=Programme())
    assert read_finance(bare, sqlite_history, NOW) is None


def test_sums_stand_beside_their_curve_and_their_year(books: Books) -> None:
    found = read_finance(books.city, books.history, NOW)
    assert found is not None
    assert found.revenue.value.value == pytest.approx(660.0)  # half of 1320
    assert found.revenue.target_year == 1200.0
    last = found.revenue.course[-1]
    assert last.day == date(2026, 6, 30)
    assert last.value == pytest.approx(660.0)
    assert last.target == pytest.approx(600.0)
    assert len(found.revenue.course) <= 60


def test_the_year_end_is_what_came_and_the_rest_at_the_pace_believed(books: Books) -> None:
    found = read_finance(books.city, books.history, NOW)
    assert found is not None
    ahead = found.revenue.forecast
    assert ahead is not None
    # Pace 660 / 600 = 1.1, believed by 0.5 / 0.6; of the target 600 are still to come.
    assert ahead.value == pytest.approx(660 + 600 * (1.1 * 5 / 6 + 1 / 6))
    assert ahead.low < ahead.value < ahead.high
    assert (ahead.method, ahead.until, ahead.level) == ("months", date(2026, 6, 30), 0.8)
    assert ahead.reached == pytest.approx(660.0)


def test_departments_are_ranked_by_what_part_of_their_budget_they_spent(books: Books) -> None:
    found = read_finance(books.city, books.history, NOW)
    assert found is not None
    assert [each.opd for each in found.absorption] == ["dinkes", "pupr"]
    assert [each.share for each in found.absorption] == pytest.approx([150 / 400, 250 / 600])
    assert [each.due for each in found.absorption] == [0.5, 0.5]


def test_a_department_of_last_year_only_is_not_ranked_behind_the_others(books: Books) -> None:
    books.write("spent", "bubar", {date(2025, 12, 1): 10.0})
    books.write("budget", "bubar", {date(2025, 12, 1): 100.0})
    found = read_finance(books.city, books.history, NOW)
    assert found is not None
    assert {each.key for each in found.absorption} == {"dinkes", "pupr"}


def test_cash_is_the_newest_balance_and_is_stale_once_it_is_old(books: Books) -> None:
    found = read_finance(books.city, books.history, NOW)
    assert found is not None
    assert found.cash is not None
    assert (found.cash.value, found.cash.stale) == (320.0, False)
    later = read_finance(books.city, books.history, NOW + timedelta(days=6))
    assert later is not None
    assert later.cash is not None
    assert (later.cash.value, later.cash.stale) == (320.0, True)


def test_the_surplus_is_of_the_last_day_of_which_all_is_known(books: Books) -> None:
    books.write("came", "pajak", {date(2026, 7, 1): 400.0})
    books.write("came", "transfer", {date(2026, 7, 1): 400.0})
    now = wib(2026, 8, 10, 9)
    books.work_out(now)
    found = read_finance(books.city, books.history, now)
    assert found is not None
    assert found.silpa is not None
    assert found.revenue.course[-1].day == date(2026, 7, 31)
    assert found.silpa.until == date(2026, 6, 30)
    assert found.silpa.revenue == pytest.approx(660.0)
    assert found.silpa.spending == pytest.approx(400.0)
    assert found.silpa.financing == pytest.approx(90.0 - 30.0)
    assert found.silpa.value == pytest.approx(320.0)


def test_the_surplus_of_a_year_in_the_red_is_below_nought(books: Books) -> None:
    # Nothing financed, more spent than came: 660 - (150 + 800).
    books.write_year("spent", "pupr", 2026, 1600.0, months=6)
    books.write("financing", "6.1", {date(2026, month, 1): 0.0 for month in range(1, 7)})
    books.write("financing", "6.2", {date(2026, month, 1): 0.0 for month in range(1, 7)})
    books.work_out(NOW)
    found = read_finance(books.city, books.history, NOW)
    assert found is not None
    assert found.silpa is not None
    assert found.silpa.financing == 0.0
    assert found.silpa.value == pytest.approx(-290.0)


def test_the_surplus_is_the_same_in_whatever_order_its_figures_came(
    city: City, sqlite_history: History
) -> None:
    books = Books.of(city, sqlite_history)
    for month in (3, 1, 2):
        books.write("financing", "6.1", {date(2028, month, 1): 90.0})
        books.write("spent", "pupr", {date(2028, month, 1): 30.0 * month})
        books.write("came", "pajak", {date(2028, month, 1): 50.0 * month})
    now = wib(2028, 4, 10, 9)
    books.work_out(now)
    found = read_finance(books.city, books.history, now)
    assert found is not None
    assert found.silpa is not None
    assert found.silpa.until == date(2028, 3, 31)
    assert found.silpa.value == pytest.approx(150 - 90 + 90)
    # February is corrected afterwards: the running total of March is what it was.
    books.write("came", "pajak", {date(2028, 2, 1): 120.0})
    books.work_out(now)
    again = read_finance(books.city, books.history, now)
    assert again is not None
    assert again.silpa is not None
    assert again.silpa.value == pytest.approx(150 - 90 + 90)


def test_a_forecast_of_a_leap_year_takes_its_29_days_of_february(
    city: City, sqlite_history: History
) -> None:
    # A fifth of 1200 is due by 31 March 2028: 240 evenly over 31 + 29 + 31 days. By the end of
    # February 60/91 of it, and 300 came: known share w = (240 x 60/91) / 1200.
    books = Books.of(city, sqlite_history)
    books.write("came", "pajak", {date(2028, 2, 1): 300.0})
    books.write("came", "pajak", {date(2028, 1, 1): 100.0})  # out of order
    now = wib(2028, 3, 10, 9)
    books.work_out(now)
    ahead = read_budget(books.city, books.history, books.city.kpis["masuk"], now).forecast
    assert ahead is not None
    due = 240 * 60 / 91
    believed = (due / 1200) / (due / 1200 + 0.1)
    pace = believed * 300 / due + 1 - believed
    assert ahead.until == date(2028, 2, 29)
    assert ahead.reached == pytest.approx(300.0)
    assert ahead.value == pytest.approx(300 + pace * (1200 - due))


def test_a_new_year_begins_with_nothing_known(books: Books) -> None:
    now = wib(2027, 1, 20, 9)
    books.work_out(now, years=1)
    found = read_finance(books.city, books.history, now)
    assert found is not None
    assert (found.revenue.value.value, found.revenue.course) == (None, ())
    assert (found.revenue.forecast, found.silpa) == (None, None)


def test_juta_among_miliar_enters_neither_sum_nor_forecast_nor_surplus(books: Books) -> None:
    before = read_finance(books.city, books.history, NOW)
    now = wib(2026, 8, 10, 9)
    books.write("came", "pajak", {date(2026, 7, 1): 390_000.0})
    books.write("came", "transfer", {date(2026, 7, 1): 390.0})
    books.write_year("spent", "dinkes", 2026, 300.0, months=7)
    books.write("spent", "pupr", {date(2026, 7, 1): 300_000.0})
    books.write("cash", "RKUD", {date(2026, 8, 9): 320_000.0})
    books.work_out(now)
    found = read_finance(books.city, books.history, now)
    assert before is not None
    assert found is not None
    assert found.revenue.forecast == before.revenue.forecast
    assert found.revenue.course == before.revenue.course
    assert found.silpa == before.silpa
    assert found.cash is not None
    assert found.cash.value == 320.0
    due = 0.5 + 0.3 * 31 / 92
    spent = {each.opd: each for each in found.absorption}
    assert spent["pupr"].spent == pytest.approx(250.0)
    assert spent["pupr"].due == 0.5
    assert spent["dinkes"].spent == pytest.approx(300 * due)
    assert spent["dinkes"].due == pytest.approx(due)


def test_what_came_after_a_held_back_reading_counts_again(books: Books) -> None:
    books.write("came", "pajak", {date(2026, 7, 1): 390_000.0})
    books.write("came", "transfer", {date(2026, 7, 1): 390.0})
    for account in ("pajak", "transfer"):
        books.write("came", account, {date(2026, 8, 1): 460.0})
    now = wib(2026, 9, 10, 9)
    books.work_out(now)
    budget = read_budget(books.city, books.history, books.city.kpis["masuk"], now)
    assert budget.forecast is not None
    assert budget.forecast.until == date(2026, 8, 31)
    assert budget.forecast.reached == pytest.approx(920.0)


def test_three_whole_earlier_years_give_the_interval(city: City, sqlite_history: History) -> None:
    books = Books.of(city, sqlite_history)
    for year, total in ((2023, 1100.0), (2024, 1200.0), (2025, 1300.0)):
        books.write_year("came", "pajak", year, total)
    books.write_year("came", "pajak", 2026, 1200.0, months=6)
    books.work_out(NOW, years=3)
    budget = read_budget(books.city, books.history, books.city.kpis["masuk"], NOW)
    ahead = budget.forecast
    assert ahead is not None
    assert (ahead.method, ahead.years) == ("past_years", 3)
    assert ahead.value == pytest.approx(1200.0)
    # Each was reckoned from its own half year: total 1200 (1 + f), pace 1 + f believed by 5/6.
    misses = [(1 + f) / (1 + f * 11 / 12) - 1 for f in (-1 / 12, 0.0, 1 / 12)]
    reach = 1.6377443536962102 * (sum(each**2 for each in misses) / 3) ** 0.5 * 1200
    assert ahead.high - ahead.value == pytest.approx(reach, rel=1e-6)


def test_ten_years_of_the_pack_are_read_within_its_time(
    city: City, sqlite_history: History
) -> None:
    """Twelve indicators a day. The limit is generous: alone it takes about a tenth of it."""
    programme = city.programme.finance
    assert programme is not None
    first, last = date(2017, 1, 1), date(2026, 11, 21)
    count = (last - first).days + 1
    for name in (programme.revenue, programme.spending, programme.own_revenue, *programme.items):
        days = [
            Daily(
                kpi=name, region="", day=first + timedelta(days=n), num=1e9, den=1.0, n=1,
                observed_at=datetime(2026, 11, 21, tzinfo=UTC),
            )
            for n in range(count)
        ]  # fmt: skip
        sqlite_history.kpis.replace(name, first, last, days)
    now = wib(2026, 11, 22, 9)
    read_finance(city, sqlite_history, now)
    began = time.process_time()
    assert read_finance(city, sqlite_history, now) is not None
    assert time.process_time() - began < 0.3
