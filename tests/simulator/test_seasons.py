from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulator import seasons
from simulator.seasons import TAXES

JAKARTA = ZoneInfo("Asia/Jakarta")
YEARS = (2024, 2025, 2026, 2027)


def days_between(since: date, until: date) -> list[date]:
    return [since + timedelta(days=step) for step in range((until - since).days + 1)]


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (seasons.pbb_share(date(2025, 2, 21)), 0.0086),
        (seasons.tax_share("hotel", date(2025, 2, 21)), 0.1922),
        (seasons.spending_share(date(2025, 11, 19)), 0.6454),
    ],
)
def test_the_figures_that_were_published_are_met(share: float, expected: float) -> None:
    assert share == pytest.approx(expected)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("tax", TAXES)
def test_what_came_in_never_falls_and_ends_whole(tax: str, year: int) -> None:
    shares = [
        seasons.tax_share(tax, day) for day in days_between(date(year, 1, 1), date(year, 12, 31))
    ]
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1


def test_most_of_pbb_is_paid_before_it_falls_due() -> None:
    assert seasons.pbb_share(date(2026, 9, 30)) > 0.9
    september = seasons.pbb_share(date(2026, 9, 30)) - seasons.pbb_share(date(2026, 8, 31))
    assert september > 0.4


def test_december_spends_most_and_leaves_something() -> None:
    months = [
        seasons.spending_share(date(2026, month + 1, 1))
        - seasons.spending_share(date(2026, month, 1))
        for month in range(1, 12)
    ]
    december = seasons.spending_share(date(2026, 12, 31)) - seasons.spending_share(
        date(2026, 11, 30)
    )
    assert december > 2 * max(months)
    assert seasons.spending_share(date(2026, 12, 31)) == 0.94


def test_payday_runs_from_the_25th_to_the_2nd() -> None:
    rich = [day.day for day in days_between(date(2026, 3, 1), date(2026, 3, 31))
            if seasons.payday_factor(day) > 1]  # fmt: skip
    assert rich == [1, 2, *range(25, 32)]
    year = [
        seasons.payday_factor(day) for day in days_between(date(2026, 1, 1), date(2026, 12, 31))
    ]
    assert sum(year) / len(year) == pytest.approx(1, abs=0.03)


def test_eid_is_that_of_the_calendar() -> None:
    assert seasons.eid(2025) == date(2025, 3, 31)
    assert seasons.eid(2026) == date(2026, 3, 21)
    assert seasons.days_from_eid(date(2026, 3, 19)) == -2
    assert seasons.days_from_eid(date(2025, 4, 2)) == 2


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 11, 21),  # a Saturday
        date(2026, 8, 17),  # Independence Day
        date(2026, 3, 20),  # the day before Eid
        date(2026, 3, 25),  # the joint leave after it
    ],
)
def test_offices_are_closed(day: date) -> None:
    assert not seasons.is_working_day(day)
    noon = datetime(day.year, day.month, day.day, 10, tzinfo=JAKARTA)
    assert seasons.office_factor(noon, JAKARTA) == 0


def test_offices_are_open_from_eight_to_four() -> None:
    busy = [
        hour
        for hour in range(24)
        if seasons.office_factor(datetime(2026, 11, 17, hour, 30, tzinfo=JAKARTA), JAKARTA) > 0
    ]
    assert busy == list(range(8, 16))


def test_counters_are_busy_by_their_local_hour() -> None:
    # 02:30 UTC is 09:30 in Palembang.
    morning = datetime.fromisoformat("2026-11-17T02:30:00+00:00")
    assert seasons.office_factor(morning, JAKARTA) > 1.3


def test_an_ordinary_week_is_about_one() -> None:
    factors = [
        seasons.office_factor(datetime(2026, 11, day, hour, tzinfo=JAKARTA), JAKARTA)
        for day in range(16, 21)
        for hour in range(8, 16)
    ]
    assert sum(factors) / len(factors) == pytest.approx(1, abs=0.03)


def test_nobody_comes_at_lebaran_and_many_after_it() -> None:
    assert seasons.lebaran_factor(date(2026, 3, 21)) == 0
    assert seasons.lebaran_factor(date(2026, 3, 30)) > 1.5
    assert seasons.lebaran_factor(date(2026, 4, 30)) == 1
    assert seasons.lebaran_factor(date(2026, 3, 10)) < 1


@pytest.mark.parametrize(
    ("day", "taught"),
    [
        (date(2026, 11, 17), True),
        (date(2026, 11, 22), False),  # a Sunday
        (date(2026, 7, 1), False),  # between school years
        (date(2026, 12, 28), False),  # between terms
        (date(2026, 3, 17), False),  # before Eid
    ],
)
def test_schools_teach_in_their_terms(day: date, taught: bool) -> None:
    assert seasons.is_school_day(day) is taught
