"""Periods of readings, in the city's own time."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from lawang.domain.measure import Period, span

WIB = ZoneInfo("Asia/Jakarta")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


#: Half past midnight on a Sunday in Palembang, which is still Saturday in UTC.
AT = moment("2026-11-22T00:30:00+07:00")


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (Period.INSTANT, "2026-11-22T00:30:00+07:00", "2026-11-22T00:30:00+07:00"),
        (Period.HOUR, "2026-11-22T00:00:00+07:00", "2026-11-22T01:00:00+07:00"),
        (Period.DAY, "2026-11-22T00:00:00+07:00", "2026-11-23T00:00:00+07:00"),
        (Period.WEEK, "2026-11-16T00:00:00+07:00", "2026-11-23T00:00:00+07:00"),
        (Period.MONTH, "2026-11-01T00:00:00+07:00", "2026-12-01T00:00:00+07:00"),
        (Period.YEAR, "2026-01-01T00:00:00+07:00", "2027-01-01T00:00:00+07:00"),
    ],
)
def test_a_period_is_one_of_local_time(period: Period, start: str, end: str) -> None:
    assert span(AT, period, WIB) == (moment(start), moment(end))


def test_the_last_moment_of_a_year_belongs_to_it() -> None:
    last = moment("2026-12-31T23:59:59+07:00")
    assert span(last, Period.MONTH, WIB)[1] == moment("2027-01-01T00:00:00+07:00")


def test_a_leap_day_is_a_day_of_february() -> None:
    leap = moment("2028-02-29T12:00:00+07:00")
    assert span(leap, Period.MONTH, WIB) == (
        moment("2028-02-01T00:00:00+07:00"),
        moment("2028-03-01T00:00:00+07:00"),
    )
