"""When a person last looked, kept in a cookie of theirs: no account, nothing on the server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

COOKIE = "look"
COOKIE_AGE = timedelta(days=400)
#: A look ends after so long without a call; the next call begins another one.
LOOK_ENDS = timedelta(minutes=30)
#: What a first look is compared with.
FIRST_LOOK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Look:
    """`day` is the last complete day of this look, `before` that of the look before it.

    `before` is None at a first look. `at` is this look's newest call.
    """

    before: date | None = None
    day: date | None = None
    at: datetime | None = None

    @classmethod
    def read(cls, cookie: str) -> Look:
        """A look as the cookie tells it; a first one where it tells none that makes sense."""
        try:
            before, day, seconds = cookie.split("~")
            return cls(
                before=date.fromisoformat(before) if before else None,
                day=date.fromisoformat(day),
                at=datetime.fromtimestamp(int(seconds), UTC),
            )
        except (ValueError, OverflowError, OSError):
            return cls()

    def written(self) -> str:
        """The cookie's value."""
        before = self.before.isoformat() if self.before else ""
        day = self.day.isoformat() if self.day else ""
        return f"{before}~{day}~{int(self.at.timestamp()) if self.at else 0}"

    def next(self, last: date, now: datetime) -> Look:
        """The look that a call now belongs to; `last` is the last complete day.

        A new look on the same day has no newer figures: what it is compared with stays.
        """
        if self.at is None or self.day is None or self.day > last or self.at > now + LOOK_ENDS:
            return Look(None, last, now)
        begins = now - self.at > LOOK_ENDS
        before = self.day if begins and self.day < last else self.before
        return Look(before, last, now)


def compared_with(look: Look, last: date) -> date:
    """The day whose standing this look is compared with."""
    if look.before is None or look.before >= last:
        return last - timedelta(days=FIRST_LOOK_DAYS)
    return look.before
