"""Working days: Monday to Friday without Indonesia's public holidays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import holidays


def end_of_working_days(after: date, count: int, zone: ZoneInfo) -> datetime:
    """The last second, in UTC, of the `count`th working day after a local day.

    Raises OverflowError or ValueError at the end of the calendar.
    """
    return _end_of(after, count, zone)


@lru_cache(maxsize=4096)
def _end_of(day: date, left: int, zone: ZoneInfo) -> datetime:
    while left > 0:
        day += timedelta(days=1)
        if is_working_day(day):
            left -= 1
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=8192)
def is_working_day(day: date) -> bool:
    """Whether offices work on that day."""
    return day.weekday() < 5 and day not in _holidays()


@lru_cache(maxsize=1)
def _holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("ID")


def holidays_between(first: date, last: date) -> dict[date, tuple[str, str]]:
    """The public holidays from `first` to `last`, oldest first, in Indonesian and English."""
    return {
        day: names
        for year in range(first.year, last.year + 1)
        for day, names in _named(year).items()
        if first <= day <= last
    }


@lru_cache(maxsize=32)
def _named(year: int) -> Mapping[date, tuple[str, str]]:
    local = holidays.country_holidays("ID", years=year, language="id")
    english = holidays.country_holidays("ID", years=year, language="en_US")
    return MappingProxyType(
        {day: (local[day], english.get(day) or local[day]) for day in sorted(local)}
    )
