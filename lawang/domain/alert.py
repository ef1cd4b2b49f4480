"""Alerts that others issue: weather warnings, earthquakes, service alerts, as CAP 1.2 words them.

Each message is kept as it came. Whether it is in force is worked out from what came after it: an
Update or a Cancel ends the messages that it refers to, whichever arrives first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class MessageType(StrEnum):
    """What a message does to those it refers to."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"


class Severity(StrEnum):
    """CAP's words, in their order."""

    EXTREME = "extreme"
    SEVERE = "severe"
    MODERATE = "moderate"
    MINOR = "minor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """One message as a connector's `parse` states it.

    `areas` are names or codes of places; `geometry` is GeoJSON (degrees WGS84), circles made into
    polygons. `references` are identifiers of earlier messages. `everywhere` tells that it means
    the whole city whatever its area says. Instants are aware.
    """

    external_id: str
    sent_at: datetime
    event: str
    headline: str = ""
    message_type: MessageType = MessageType.ALERT
    severity: Severity = Severity.UNKNOWN
    urgency: str | None = None
    certainty: str | None = None
    description: str = ""
    instruction: str = ""
    sender: str | None = None
    areas: tuple[str, ...] = ()
    geometry: dict[str, Any] | None = None
    references: tuple[str, ...] = ()
    everywhere: bool = False
    onset_at: datetime | None = None
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    link: str | None = None
    facts: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One settled message. `id` is `<source>:<external id>`.

    `regions` are codes of the kecamatan it touches, `areas_not_found` the names that lead to no
    region of the city. `touches_city`: a national feed also tells of other provinces.
    `ended_at` and `ended_by`: when a later message updated or cancelled it, and which.
    """

    id: str
    source_id: str
    external_id: str
    message_type: MessageType
    severity: Severity
    urgency: str | None
    certainty: str | None
    event: str
    headline: str
    description: str
    instruction: str
    sender: str | None
    areas: tuple[str, ...]
    areas_not_found: tuple[str, ...]
    regions: tuple[str, ...]
    touches_city: bool
    geometry: dict[str, Any] | None
    references: tuple[str, ...]
    facts: dict[str, str | float]
    link: str | None
    sent_at: datetime
    effective_at: datetime | None
    onset_at: datetime | None
    expires_at: datetime | None
    observed_at: datetime
    fetched_at: datetime
    simulated: bool
    ended_at: datetime | None = None
    ended_by: str | None = None

    def is_in_force(self, now: datetime) -> bool:
        """Issued, not cancelled or replaced, and not expired. A Cancel is never in force itself.

        Before its `effective_at` a warning is already worth showing, so that does not count.
        """
        if self.message_type is MessageType.CANCEL or self.ended_at is not None:
            return False
        return self.expires_at is None or now < self.expires_at
