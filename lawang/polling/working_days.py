"""Due times in working days: Monday to Friday without Indonesia's public holidays."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from lawang.domain.workdays import end_of_working_days


def due_after(requested_at: datetime, zone: ZoneInfo, working_days: int) -> datetime | None:
    """The end of the last working day allowed, for a source that does not state a due time.

    None at the end of the calendar: a placeholder such as the year 9999 has no day after it.
    """
    try:
        return end_of_working_days(requested_at.astimezone(zone).date(), working_days, zone)
    except (OverflowError, ValueError):
        return None
