"""Keeps the status of the city: by the rules at every turn, and by a person's hand.

Any process may take a turn, and several may at once: a state is written only over the one that it
was worked out from, so that every change is in the log once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError
from lawang.domain.status import (
    CityStatus,
    Override,
    Reason,
    ReasonKind,
    StatusFacts,
    StatusRules,
    call_for,
    decide,
    step,
)
from lawang.store.screens import ScreenStore, StatusChange, StatusRow

_TRIES = 5
_Change = Callable[[StatusRow, CityStatus, datetime], StatusRow]


class StatusKeeper:
    """The status of one city. Methods block on history and raise its StoreError."""

    def __init__(
        self,
        store: ScreenStore,
        rules: Callable[[], StatusRules],
        facts: Callable[[datetime], StatusFacts],
        clock: Clock,
    ) -> None:
        self._store = store
        self._rules = rules
        self._facts = facts
        self._clock = clock

    def turn(self) -> CityStatus:
        """The status now; what changed since the last turn is written down."""
        return self._write("", "", lambda row, _status, _now: row)

    def set_by_hand(self, level: int, by: str, reason: str, until: datetime) -> CityStatus:
        """Raise or lower the status until a moment. Raises ValueError for a level that is none."""
        if level not in [each.number for each in self._rules().levels]:
            raise ValueError(f"the status has no level {level}")

        def change(row: StatusRow, status: CityStatus, now: datetime) -> StatusRow:
            override = Override(
                level=level,
                computed=status.computed.level,
                by=by,
                reason=reason,
                since=now,
                until=until,
            )
            return replace(row, override=override)

        return self._write(by, reason, change)

    def end_by_hand(self, by: str, reason: str) -> CityStatus:
        """Give the status back to the rules, before the end that was set."""
        return self._write(by, reason, lambda row, _status, _now: replace(row, override=None))

    def _write(self, by: str, reason: str, change: _Change) -> CityStatus:
        for _ in range(_TRIES):
            before = self._store.status()
            # Read after the row: a clock that another process is ahead of must not go back.
            now = self._clock()
            rules, facts = self._rules(), self._facts(now)
            call = call_for(rules, facts)
            computed = step(before.computed, call, now, rules)
            override = before.override
            if override is not None and now >= override.until:
                override = None
            row = replace(before, computed=computed, override=override)
            row = change(row, decide(computed, call, override, now), now)
            status = decide(computed, call, row.override, now)
            by_hand = row.override != override
            if row == before and before.number and not by_hand:
                log = self._store.status_log(1)
                if log and log[0].level == status.level:
                    return status
            if self._store.save_status(row, self._changes(row, status, by, reason, by_hand, now)):
                return status
        raise StoreError("store_busy", "others changed the city's status at the same time")

    def _changes(
        self,
        row: StatusRow,
        status: CityStatus,
        by: str,
        reason: str,
        by_hand: bool,
        now: datetime,
    ) -> tuple[StatusChange, ...]:
        """The line for the log, if the level moved or a person spoke."""
        last = self._store.status_log(1)
        before = last[0].level if last else None
        if before == status.level and not by_hand:
            return ()
        if by_hand:
            until = row.override.until if row.override else None
            return (
                StatusChange(
                    at=now, level=status.level, before=before, by=by, reason=reason, until=until
                ),
            )
        why = "; ".join(describe(each) for each in status.call.reasons)
        return (StatusChange(at=now, level=status.level, before=before, reason=why),)


def describe(reason: Reason) -> str:
    """A reason in English, for the log and for programs."""
    match reason.kind:
        case ReasonKind.ALARMS:
            severity = reason.severity.value if reason.severity else ""
            names = (*reason.rules, *reason.categories)
            about = f" ({', '.join(names)})" if names else ""
            return (
                f"{reason.found:g} alarms of at least {severity}{about} (from {reason.needed:g} on)"
            )
        case ReasonKind.SOURCES:
            return f"{reason.found:g} sources down (from {reason.needed:g} on)"
        case ReasonKind.SCORE:
            return f"the city's score is {reason.found:.3f} (below {reason.needed:g})"
