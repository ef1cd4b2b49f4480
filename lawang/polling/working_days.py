"""Due times in working days: Monday to Friday without Indonesia's public holidays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays


def due_after(requested_at: datetime, zone: ZoneInfo, working_days: int) -> datetime | None:
    """The end of the last working day allowed, for a source that does not state a due time.

    None at the end of the calendar: a placeholder such as the year 9999 has no day after it.
    """
    try:
        return _end_of(requested_at.astimezone(zone).date().toordinal(), zone, working_days)
    except (OverflowError, ValueError):
        return None


@lru_cache(maxsize=4096)
def _end_of(ordinal: int, zone: ZoneInfo, working_days: int) -> datetime:
    day = datetime.fromordinal(ordinal).date()
    calendar = _holidays()
    left = working_days
    while left > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in calendar:
            left -= 1
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=1)
def _holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("ID")
