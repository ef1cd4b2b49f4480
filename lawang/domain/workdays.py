"""Working days: Monday to Friday without Indonesia's public holidays."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays


@lru_cache(maxsize=8192)
def is_working_day(day: date) -> bool:
    """Whether offices work on that day."""
    return day.weekday() < 5 and day not in _holidays()


@lru_cache(maxsize=1)
def _holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("ID")
