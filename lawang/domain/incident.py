"""Incidents: what a source reported, the append-only events, and the state derived from them.

A report's words are those of Jakarta's CRM, which the city uses too: Menunggu, Koordinasi,
Disposisi, Proses, Selesai, with Dikembalikan (incomplete address or wrong agency) and Ditolak.
A finished report can be reopened. All instants are aware and in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any


class Status(StrEnum):
    """Where a report stands. UNKNOWN is a word of the source that its map does not know."""

    WAITING = "menunggu"
    COORDINATION = "koordinasi"
    DISPOSITION = "disposisi"
    IN_PROGRESS = "proses"
    DONE = "selesai"
    RETURNED = "dikembalikan"
    REJECTED = "ditolak"
    UNKNOWN = "tidak_diketahui"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act. An unknown status is not known to be finished."""
        return self not in (Status.DONE, Status.REJECTED)


UNKNOWN_CATEGORY = "tidak_diketahui"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One record as a connector's `parse` states it: the source's own words, nothing resolved.

    Latitude and longitude are degrees WGS84 as the source gave them, not yet checked against
    the city. `updated_at` is None where the source does not say when the record last changed.
    `closed_at` is when it was last closed, `verified_at` when somebody other than who closed it
    (the reporter, a supervisor) confirmed that; None where the source does not say.
    """

    external_id: str
    status: str | None = None
    status_note: str | None = None
    category: str | None = None
    category_name: str | None = None
    description: str = ""
    address: str | None = None
    agency: str | None = None
    media_url: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    region: str | None = None
    requested_at: datetime | None = None
    updated_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A record that cannot be used, kept in quarantine.

    `reason` is a stable code (bad_record, no_id, bad_time, ...), `detail` says which field and why;
    `sample` is a short excerpt with personal data masked.
    """

    reason: str
    detail: str
    external_id: str | None = None
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """The current state of one report.

    `observed_at` is when this state was true at the source, `fetched_at` when we got it.
    `observed_estimated` tells that the source gave no usable time, so fetched_at stands in.
    `closed_at` is None while open; for one already closed when first seen, at a source that gives
    no times, it is the time of the report, the earliest possible.
    `verified_at` is when somebody other than who closed it confirmed that it is done; None while
    nobody has said so, and again once it is reopened.
    `placed_by` is how the region was found: point, code, bps_code, name, or "" when it was not;
    `location_problem` is "", missing, outside or swapped (swapped was mended and is on the map).
    """

    id: str
    source_id: str
    external_id: str
    category: str
    category_raw: str | None
    status: Status
    status_raw: str | None
    status_note: str | None
    description: str
    address: str | None
    agency: str | None
    media_url: str | None
    latitude: float | None
    longitude: float | None
    kecamatan: str | None
    kelurahan: str | None
    placed_by: str
    location_problem: str
    requested_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    observed_at: datetime
    observed_estimated: bool
    fetched_at: datetime
    reopened: int
    simulated: bool
    verified_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.status.is_open

    def is_past_due(self, now: datetime) -> bool:
        """Open, and its due time has gone by."""
        return self.is_open and self.due_at is not None and self.due_at < now


class EventKind(StrEnum):
    """What happened to an incident."""

    REPORTED = "reported"
    STATUS_CHANGED = "status_changed"
    REOPENED = "reopened"
    AMENDED = "amended"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent:
    """One entry of the append-only log.

    `at` is when it happened at the source, `fetched_at` when we learned of it. `changes` maps
    field names of Incident to their new values; REPORTED carries all of them.
    `open_delta` is +1 when the incident became open, -1 when it ceased to be, else 0: summed up
    to any moment it gives the number of open incidents of that moment.
    """

    incident_id: str
    kind: EventKind
    at: datetime
    fetched_at: datetime
    changes: dict[str, Any]
    open_delta: int = 0


# What makes two observations the same one; times of observation and derived fields stand outside.
_COMPARED = (
    "category",
    "category_raw",
    "status",
    "status_raw",
    "status_note",
    "description",
    "address",
    "agency",
    "media_url",
    "latitude",
    "longitude",
    "kecamatan",
    "kelurahan",
    "placed_by",
    "location_problem",
    "requested_at",
    "due_at",
)
_STATE_FIELDS = tuple(f.name for f in fields(Incident))
# Read in one call each: comparing and copying states is most of what a large import costs.
_compared_values = attrgetter(*_COMPARED)
_state_values = attrgetter(*_STATE_FIELDS)
_INSTANTS = ("requested_at", "due_at", "closed_at", "verified_at", "observed_at", "fetched_at")


def incident_id(source_id: str, external_id: str) -> str:
    """The identity of a report in the whole installation; repeated deliveries share it."""
    return f"{source_id}:{external_id}"


def is_outdated(current: Incident, incoming: Incident) -> bool:
    """Whether `incoming` tells of an older moment than what is already known.

    Only a time that the source itself gave can be older than another one that it gave.
    """
    return (
        not incoming.observed_estimated
        and not current.observed_estimated
        and incoming.observed_at < current.observed_at
    )


def compare(current: Incident | None, incoming: Incident) -> list[IncidentEvent]:
    """The events that lead from `current` to what the source says now; none when nothing is new.

    A first sight makes REPORTED at the time of the report, as every report begins in Menunggu,
    and, if it has moved on since, a second event for the move. A closing and its verification are
    two events, each at its own time, also when both are learned at once.
    """
    if current is None:
        return _first_sight(incoming)
    if is_outdated(current, incoming):
        return []
    changed: dict[str, Any] = {
        name: new
        for name, old, new in zip(
            _COMPARED, _compared_values(current), _compared_values(incoming), strict=True
        )
        if new != old
    }
    verified_at = _confirmed_at(current, incoming)
    is_confirmed = current.verified_at is None and verified_at is not None
    if verified_at != current.verified_at and not is_confirmed:
        changed["verified_at"] = verified_at
    if not changed and not is_confirmed:
        return []
    # A source that changes a record without moving its time: we only know when we saw it.
    estimated = incoming.observed_estimated or incoming.observed_at == current.observed_at
    observed_at = incoming.fetched_at if estimated else incoming.observed_at
    # The log of one incident never runs backwards: a time before one that was only estimated (the
    # source's clock may be slow) gives way to it, and counts as estimated too.
    at = max(observed_at, current.observed_at)
    seen = {
        "observed_at": at,
        "observed_estimated": estimated or at != observed_at,
        "fetched_at": incoming.fetched_at,
    }
    events: list[IncidentEvent] = []
    if "status" in changed or (changed and not is_confirmed):
        events.append(_change(current, incoming, changed | seen, at))
        changed = {}
    if is_confirmed:
        since = events[-1].at if events else current.observed_at
        events.append(_confirmation(incoming, verified_at, changed | seen, since, at))
    return events


def _change(
    current: Incident, incoming: Incident, changes: dict[str, Any], at: datetime
) -> IncidentEvent:
    """What became of an incident, but for a verification."""
    kind = EventKind.AMENDED
    open_delta = 0
    if "status" in changes:
        kind = EventKind.STATUS_CHANGED
        if current.is_open and not incoming.is_open:
            if _states_closing(incoming) and not _is_of_before(current, incoming):
                at = max(current.observed_at, min(incoming.closed_at or at, at))
            changes["closed_at"] = at
            open_delta = -1
        elif not current.is_open and incoming.is_open:
            kind = EventKind.REOPENED
            changes["closed_at"] = None
            changes["reopened"] = current.reopened + 1
            open_delta = 1
    return IncidentEvent(
        incident_id=current.id,
        kind=kind,
        at=at,
        fetched_at=incoming.fetched_at,
        changes=changes,
        open_delta=open_delta,
    )


def _confirmation(
    incoming: Incident,
    verified_at: datetime | None,
    changes: dict[str, Any],
    since: datetime,
    until: datetime,
) -> IncidentEvent:
    """The event of a verification, at its own time as far as the log allows."""
    return IncidentEvent(
        incident_id=incoming.id,
        kind=EventKind.VERIFIED,
        at=max(since, min(verified_at or until, until)),
        fetched_at=incoming.fetched_at,
        changes=changes | {"verified_at": verified_at},
    )


def _confirmed_at(current: Incident, incoming: Incident) -> datetime | None:
    """When the present closing was verified; None while it is not.

    A source may go on naming the verification of an earlier closing after a reopening: that one
    was disputed, and confirms nothing of what was done since.
    """
    stated = incoming.verified_at
    if stated is None or incoming.is_open or stated == current.verified_at:
        return None if incoming.is_open else stated
    if current.reopened and stated < (current.closed_at or current.observed_at):
        return None
    return stated


def _is_of_before(current: Incident, incoming: Incident) -> bool:
    """Whether the closing that is stated is one from before the reopening."""
    stated = incoming.closed_at
    return current.reopened > 0 and stated is not None and stated < current.observed_at


def _states_closing(incident: Incident) -> bool:
    """Whether its source told when it was closed, apart from when the record last changed."""
    return incident.closed_at is not None and incident.closed_at != incident.observed_at


def _first_sight(incoming: Incident) -> list[IncidentEvent]:
    at = min(incoming.requested_at, incoming.observed_at)
    moved = incoming.status is not Status.WAITING
    changes = field_values(incoming) | {
        "status": Status.WAITING,
        "closed_at": None,
        "verified_at": None,
        "reopened": 0,
        "observed_at": at if moved else incoming.observed_at,
    }
    events = [
        IncidentEvent(
            incident_id=incoming.id,
            kind=EventKind.REPORTED,
            at=at,
            fetched_at=incoming.fetched_at,
            changes=changes,
            open_delta=1,
        )
    ]
    if moved:
        closes = not incoming.is_open
        # A source that never says when: it moved some time after the report, not when we first saw
        # it. The earliest possible time keeps old cases out of today's numbers.
        moved_at = at if incoming.observed_estimated else incoming.observed_at
        if closes and _states_closing(incoming):
            moved_at = max(at, min(incoming.closed_at or moved_at, incoming.observed_at))
        moved_to: dict[str, Any] = {"status": incoming.status, "observed_at": incoming.observed_at}
        if closes:
            moved_to["closed_at"] = moved_at
        events.append(
            IncidentEvent(
                incident_id=incoming.id,
                kind=EventKind.STATUS_CHANGED,
                at=moved_at,
                fetched_at=incoming.fetched_at,
                changes=moved_to,
                open_delta=-1 if closes else 0,
            )
        )
        if closes and incoming.verified_at is not None:
            events.append(
                _confirmation(incoming, incoming.verified_at, {}, moved_at, incoming.observed_at)
            )
    return events


def apply(state: Incident | None, event: IncidentEvent) -> Incident:
    """The state after `event`. Raises ValueError if the log does not begin with REPORTED."""
    if state is None:
        if event.kind is not EventKind.REPORTED:
            raise ValueError(f"{event.incident_id}: the log begins with {event.kind}")
        return Incident(**event.changes)
    return Incident(**(field_values(state) | event.changes))


def derive(events: Iterable[IncidentEvent]) -> Incident | None:
    """Fold a log, oldest first, into the state it leads to; None for an empty log."""
    state: Incident | None = None
    for event in events:
        state = apply(state, event)
    return state


def field_values(incident: Incident) -> dict[str, Any]:
    """All fields by name; the values themselves, not copies."""
    return dict(zip(_STATE_FIELDS, _state_values(incident), strict=True))


def to_plain(values: dict[str, Any]) -> dict[str, Any]:
    """Field values as JSON-ready ones: instants as ISO 8601 UTC text, statuses as their word."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def from_plain(values: dict[str, Any]) -> dict[str, Any]:
    """The inverse of `to_plain`."""
    out = dict(values)
    for name in _INSTANTS:
        if isinstance(text := out.get(name), str):
            out[name] = datetime.fromisoformat(text).astimezone(UTC)
    if "status" in out:
        out["status"] = Status(out["status"])
    return out


def incident_to_plain(incident: Incident) -> dict[str, Any]:
    """An incident as a JSON-ready mapping."""
    return to_plain(field_values(incident))


def incident_from_plain(values: dict[str, Any]) -> Incident:
    """An incident from what `incident_to_plain` made."""
    return Incident(**from_plain(values))
