"""How far a source can be trusted right now.

The state of a source is what is known of its polls; its health is a pure function of that state
and the time, so nothing has to be running for a dead source to look dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Health(StrEnum):
    """never: no success yet. refused: the source wants a person (a key, an address, a format)."""

    NEVER = "never"
    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    DOWN = "down"
    REFUSED = "refused"


#: Worst first: the health of a number fed by several sources is the worst of theirs.
WORST_FIRST = (
    Health.DOWN,
    Health.REFUSED,
    Health.NEVER,
    Health.STALE,
    Health.LATE,
    Health.FRESH,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often a source is polled and when its silence counts; all in seconds.

    Defaults follow the cadence: late after 2 intervals, stale after 4, down after 12.
    """

    every_s: float
    late_after_s: float
    stale_after_s: float
    down_after_s: float

    @classmethod
    def of(cls, every_s: float) -> Cadence:
        return cls(
            every_s=every_s,
            late_after_s=2 * every_s,
            stale_after_s=4 * every_s,
            down_after_s=12 * every_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is known of one source's polls. Counts are totals since the source was connected,
    except `records` and `duration_ms`, which are of the last successful poll.

    `observed_at` is the newest time at which the source itself says something changed. `series`,
    `positions`, `alerts` and `requests` are how many of each are known, `findings` how many are
    open; `empty` tells that a list which was never empty is.
    """

    source_id: str
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    observed_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    error_kind: str = ""
    error_detail: str = ""
    refused: bool = False
    duration_ms: float | None = None
    records: int | None = None
    incidents: int = 0
    quarantined: int = 0
    unlocated: int = 0
    unknown_category: int = 0
    unknown_status: int = 0
    outdated: int = 0
    skewed: int = 0
    simulated: bool = False
    series: int = 0
    positions: int = 0
    alerts: int = 0
    requests: int = 0
    findings: int = 0
    empty: bool = False


_INSTANTS = ("last_attempt", "last_success", "observed_at", "failing_since")


def health(state: SourceState, cadence: Cadence, now: datetime) -> Health:
    """Judge a source. A failed last attempt is at least LATE, however young the last success."""
    if state.refused:
        return Health.REFUSED
    if state.last_success is None:
        return Health.NEVER
    age_s = (now - state.last_success).total_seconds()
    if age_s > cadence.down_after_s:
        return Health.DOWN
    if age_s > cadence.stale_after_s:
        return Health.STALE
    if age_s > cadence.late_after_s or state.failures > 0:
        return Health.LATE
    return Health.FRESH


def worst(healths: list[Health]) -> Health:
    """The worst of several; NEVER when there is none, as nothing was ever heard."""
    return min(healths, key=WORST_FIRST.index, default=Health.NEVER)


def state_to_plain(state: SourceState) -> dict[str, Any]:
    """A JSON-ready mapping; instants as ISO 8601 text."""
    # Not `asdict`, which copies every value: this is done for each source at each of its polls.
    plain = {name: getattr(state, name) for name in SourceState.__dataclass_fields__}
    for name in _INSTANTS:
        if plain[name] is not None:
            plain[name] = plain[name].isoformat()
    return plain


def state_from_plain(values: dict[str, Any]) -> SourceState:
    """The inverse of `state_to_plain`; keys of another version are left out."""
    known = {name: values[name] for name in SourceState.__dataclass_fields__ if name in values}
    for name in _INSTANTS:
        if isinstance(text := known.get(name), str):
            known[name] = datetime.fromisoformat(text).astimezone(UTC)
    return SourceState(**known)
