"""Due times in working days: Monday to Friday without Indonesia's public holidays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from lawang.domain.workdays import is_working_day


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
    left = working_days
    while left > 0:
        day += timedelta(days=1)
        if is_working_day(day):
            left -= 1
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone).astimezone(UTC)
