"""How good a source's data is, from what its polls brought. Pure.

Each figure is a share from 0 to 1, or None where nothing was there to judge:

- completeness: of the fields that its file maps, those that held something;
- timeliness: of the polls that its cadence calls for, those that succeeded;
- validity: of the records, those that were usable, believable, and in known words and places;
- uniqueness: of the records, those whose identity no other record of the same answer had.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

#: The span of one tally. A day is 96 of them.
BUCKET = timedelta(minutes=15)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What the polls of one source brought in some time."""

    polls: int = 0
    failures: int = 0
    records: int = 0
    unusable: int = 0
    unknown: int = 0
    repeated: int = 0
    filled: int = 0
    fillable: int = 0

    def add(self, other: Tally) -> None:
        """Add what another brought."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def is_empty(self) -> bool:
        return not (self.polls or self.failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The four figures over some time, with what they were made of."""

    completeness: float | None
    timeliness: float | None
    validity: float | None
    uniqueness: float | None
    polls: int
    failures: int
    records: int


def bucket_of(moment: datetime) -> datetime:
    """The start of the quarter of an hour around an aware instant in UTC."""
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)


def sum_up(tallies: Iterable[Tally]) -> Tally:
    """All that some tallies brought."""
    total = Tally()
    for each in tallies:
        total.add(each)
    return total


def judge(total: Tally, watched: timedelta, every_s: float) -> Quality:
    """The quality over `watched`, the time since which the source was to be polled.

    Polls that never happened (our own poller was down) count as missed: the number on the wall
    was just as old.
    """
    expected = watched.total_seconds() / every_s
    succeeded = total.polls
    wrong = min(total.records, total.unusable + total.unknown)
    return Quality(
        completeness=total.filled / total.fillable if total.fillable else None,
        timeliness=min(1.0, succeeded / expected) if expected >= 1 else None,
        validity=1 - wrong / total.records if total.records else None,
        uniqueness=1 - total.repeated / total.records if total.records else None,
        polls=succeeded,
        failures=total.failures,
        records=total.records,
    )
