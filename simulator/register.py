"""What people filed with an office, as it stands at an instant.

Nothing is stored: the filings of a day are scripted from the seed, with all their later steps, when
somebody first asks about that day. So any restart agrees, and a start costs nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from simulator.city_life import Neighbourhood
from simulator.people import Person
from simulator.seasons import is_working_day

OPENS, CLOSES = time(8), time(16)
_KEPT_DAYS = 240


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on it is in this `stage`."""

    at: datetime
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """Something filed: its number, its kind's code, by whom and where, and all of its steps.

    The first step is the filing itself; they come in order of time.
    """

    key: str
    code: str
    place: Neighbourhood
    person: Person
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A filing with the steps taken by the instant that was asked about."""

    filing: Filing
    steps: tuple[Step, ...]

    @property
    def filed_at(self) -> datetime:
        return self.steps[0].at

    @property
    def changed_at(self) -> datetime:
        return self.steps[-1].at

    @property
    def stage(self) -> str:
        return self.steps[-1].stage


class Register:
    """The filings of an office. `longest` is the time in which each of them comes to an end."""

    def __init__(
        self,
        scripted: Callable[[date], Sequence[Filing]],
        timezone: ZoneInfo,
        longest: timedelta,
    ) -> None:
        self._scripted = lru_cache(maxsize=_KEPT_DAYS)(scripted)
        self._lock = threading.Lock()
        self._timezone = timezone
        self._longest = longest

    def changed(self, since: datetime, until: datetime) -> list[Standing]:
        """Filings whose last step by `until` was taken at `since` or later, oldest first."""
        day = (since - self._longest).astimezone(self._timezone).date()
        last = until.astimezone(self._timezone).date()
        found = []
        while day <= last:
            with self._lock:
                filings = self._scripted(day)
            for filing in filings:
                steps = tuple(step for step in filing.steps if step.at <= until)
                if steps and steps[-1].at >= since:
                    found.append(Standing(filing, steps))
            day += timedelta(days=1)
        return sorted(found, key=lambda each: (each.changed_at, each.filing.key))


def in_office(at: datetime, timezone: ZoneInfo) -> datetime:
    """The instant itself (whole seconds, UTC) if the office is open, else when it opens next."""
    local = at.astimezone(timezone).replace(microsecond=0)
    day = local.date()
    if local.time() >= CLOSES:
        day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    if day == local.date():
        return max(local, datetime.combine(day, OPENS, timezone)).astimezone(UTC)
    # As many minutes after opening as it would have been after the hour: not all at once.
    opening = datetime.combine(day, OPENS, timezone) + timedelta(minutes=local.minute)
    return opening.astimezone(UTC)


def working_time(at: datetime, hours: float, timezone: ZoneInfo) -> datetime:
    """`at` plus so many opening hours of the office."""
    now, left = in_office(at, timezone), timedelta(hours=hours)
    while True:
        closing = datetime.combine(now.astimezone(timezone).date(), CLOSES, timezone)
        if now + left < closing:
            return (now + left).replace(microsecond=0)
        left -= closing - now
        now = in_office(closing.astimezone(UTC), timezone)
