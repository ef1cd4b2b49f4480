"""Findings: what looks wrong in a source's data although it could be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FindingKind(StrEnum):
    """What looks wrong. Those `HOLDING_BACK` hold readings back until a person accepts them.

    magnitude: many times more or less than the series usually holds (juta printed as miliar).
    falling: a cumulative value below its predecessor. future: about a time that has not come.
    out_of_range: outside what the source's file says can be true. empty_feed: a list that was
    never empty is. shape: a field appeared, vanished or changed its type.
    """

    MAGNITUDE = "magnitude"
    FALLING = "falling"
    FUTURE = "future"
    OUT_OF_RANGE = "out_of_range"
    EMPTY_FEED = "empty_feed"
    SHAPE = "shape"


HOLDING_BACK = frozenset(
    {
        FindingKind.MAGNITUDE,
        FindingKind.FALLING,
        FindingKind.FUTURE,
        FindingKind.OUT_OF_RANGE,
    }
)


class FindingState(StrEnum):
    """What became of it: accepted and counted, dismissed and left out for good, or over by itself
    (a correction came, the feed is whole again)."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFinding:
    """One thing found at settle. Findings of one kind and series are one, with a count.

    `value` and `usual` are in the measure's base unit; `detail` is a sentence in English without
    personal data, `sample` a masked excerpt or "".
    """

    kind: FindingKind
    measure: str = ""
    subject: str = ""
    detail: str = ""
    sample: str = ""
    at: datetime | None = None
    value: float | None = None
    usual: float | None = None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A stored finding. `count` is how many records it holds back, or how often it was seen."""

    id: int
    source_id: str
    kind: FindingKind
    measure: str
    subject: str
    detail: str
    sample: str
    count: int
    at: datetime | None
    value: float | None
    usual: float | None
    first_seen: datetime
    last_seen: datetime
    state: FindingState
    decided_at: datetime | None
    decided_by: str | None
    note: str | None
