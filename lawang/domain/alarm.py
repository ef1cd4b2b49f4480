"""Alarms: what the city's own rules find. The interface and the API call them alerts.

`lawang.domain.alert` holds the warnings that others issue (CAP); the two never share a name here.

A rule watches one or many things at once: each is known by its `key` (a series, a kecamatan, a
source, or "" for the city). What is watched is normal, pending (the condition holds, not yet for
long enough), active, or unknown: a thing that nobody hears of is never called normal. An alarm
begins when a watch becomes active, and ends when its condition is over, or by a person's hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlarmSeverity(StrEnum):
    """How bad it is, in the city's own words; those of CAP are others'."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


#: Worst first.
SEVERITIES_WORST_FIRST = (
    AlarmSeverity.CRITICAL,
    AlarmSeverity.MAJOR,
    AlarmSeverity.MINOR,
    AlarmSeverity.INFO,
)


class WatchState(StrEnum):
    """How one watched thing stands."""

    NORMAL = "normal"
    PENDING = "pending"
    ACTIVE = "active"
    UNKNOWN = "unknown"


class AlarmState(StrEnum):
    """Active and unknown ones are open. Retired: its rule is not in the pack any more."""

    ACTIVE = "active"
    UNKNOWN = "unknown"
    CLEARED = "cleared"
    RESOLVED = "resolved"
    RETIRED = "retired"

    @property
    def is_open(self) -> bool:
        return self in (AlarmState.ACTIVE, AlarmState.UNKNOWN)


OPEN_STATES = (AlarmState.ACTIVE, AlarmState.UNKNOWN)


class AlarmEventKind(StrEnum):
    """What happened to an alarm. The first group is the rule's doing, the second a person's."""

    RAISED = "raised"
    UNKNOWN = "unknown"
    KNOWN = "known"
    CLEARED = "cleared"
    RETIRED = "retired"
    SHELF_ENDED = "shelf_ended"

    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    RESOLVED = "resolved"


class TransitionKind(StrEnum):
    """What one evaluation changed. Pending, lapsed, blind and seen concern no alarm.

    lapsed: over before it held for long enough. blind: an untroubled watch cannot be told any
    more; seen: it can again. unknown, known: the same of an alarm that is open.
    """

    PENDING = "pending"
    LAPSED = "lapsed"
    BLIND = "blind"
    SEEN = "seen"
    RAISED = "raised"
    UNKNOWN = "unknown"
    KNOWN = "known"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the facts of now say of one watched thing.

    `holds` is None where nobody can tell, and `why` names the reason: not_heard (the source is not
    fresh), vanished (the series is silent), too_little (not enough to compare with). `clears`:
    whether it is far enough on the good side to end an alarm. `since` is when the unbroken run
    began that the facts show, `broken` that they also show it was otherwise before. `mark` is
    another one whenever the facts behind it are.
    """

    key: str
    holds: bool | None
    clears: bool = False
    value: float | None = None
    at: datetime | None = None
    since: datetime | None = None
    broken: bool = False
    mark: str = ""
    region: str = ""
    subject: str = ""
    subject_name: str = ""
    simulated: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How one watched thing stands, kept between evaluations and restarts.

    `began_at` is when the condition began to hold, `raised_at` when the open alarm was raised.
    `quieted` is the mark at which a person resolved it: with those very facts it stays quiet.
    """

    rule: str
    key: str
    state: WatchState
    since: datetime
    region: str = ""
    began_at: datetime | None = None
    raised_at: datetime | None = None
    quieted: str = ""
    why: str = ""

    @property
    def is_trivial(self) -> bool:
        """Normal, and nothing to remember of it."""
        return self.state is WatchState.NORMAL and not self.quieted


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of one watch, at the time of the evaluation that found it."""

    rule: str
    key: str
    kind: TransitionKind
    at: datetime
    value: float | None = None
    region: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm from its raising to its end.

    `region` is a kecamatan's code, or "" for the city; `subject` what it is about at the source.
    `began_at` is when the condition began, `active_at` when it was raised, `observed_at` when
    `value` was true. `shelved_until` counts only while it lies ahead. `version` grows with each
    change.
    """

    id: int
    rule: str
    key: str
    region: str
    subject: str
    subject_name: str
    state: AlarmState
    severity: AlarmSeverity
    value: float | None
    observed_at: datetime | None
    why: str
    mark: str
    simulated: bool
    began_at: datetime
    active_at: datetime
    ended_at: datetime | None
    acked_at: datetime | None
    acked_by: str | None
    shelved_until: datetime | None
    shelved_by: str | None
    shelved_reason: str | None
    version: int

    def is_shelved(self, now: datetime) -> bool:
        """Put aside by a person, for a time that is not over."""
        return self.shelved_until is not None and now < self.shelved_until


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmEvent:
    """One entry of an alarm's append-only log; `by` is "" where the rule did it itself."""

    alarm_id: int
    kind: AlarmEventKind
    at: datetime
    by: str
    note: str
    value: float | None
