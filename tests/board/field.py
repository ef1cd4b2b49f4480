"""Facts of the field as live state keeps them, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from lawang.board.field.facts import FieldFacts, Plain
from lawang.domain.alert import Alert, MessageType, Severity
from lawang.domain.measure import Reading
from lawang.domain.position import Position, PositionStatus

#: 10:00 WIB on a Saturday; the day began at 17:00 UTC of the day before.
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def build_position(source: str, name: str, **changes: Any) -> Position:
    """A thing at work beside the Ampera bridge."""
    values: dict[str, Any] = {
        "kind": source,
        "name": name,
        "latitude": -2.99,
        "longitude": 104.76,
        "heading": 90.0,
        "speed_kmh": 20.4,
        "status": PositionStatus.ACTIVE,
        "status_raw": "jalan",
        "link": None,
        "owner": None,
        "kecamatan": "16.71.11",
        "kelurahan": None,
        "placed_by": "point",
        "location_problem": "",
        "facts": {},
        "observed_at": NOW,
        "observed_estimated": False,
        "fetched_at": NOW,
        "simulated": True,
        **changes,
    }
    return Position(id=f"{source}:{name}", source_id=source, external_id=name, **values)


def build_reading(source: str, measure: str, subject: str, value: float, **changes: Any) -> Reading:
    """A value of now, in Bukit Kecil."""
    values: dict[str, Any] = {
        "subject_name": f"Pos {subject}",
        "at": NOW,
        "observed_estimated": False,
        "fetched_at": NOW,
        "kecamatan": "16.71.11",
        "kelurahan": None,
        "placed_by": "point",
        "location_problem": "",
        "latitude": -2.99,
        "longitude": 104.76,
        "simulated": True,
        **changes,
    }
    values.setdefault("observed_at", values["at"])
    return Reading(source_id=source, measure=measure, subject=subject, value=value, **values)


def build_alert(name: str, source: str = "bmkg_peringatan", **changes: Any) -> Alert:
    """A warning of heavy rain over the city that has no end."""
    values: dict[str, Any] = {
        "message_type": MessageType.ALERT,
        "severity": Severity.SEVERE,
        "urgency": None,
        "certainty": None,
        "event": "Hujan Lebat",
        "headline": "Hujan lebat di Sako",
        "description": "",
        "instruction": "",
        "sender": None,
        "areas": ("Sako",),
        "areas_not_found": (),
        "regions": ("16.71.08",),
        "touches_city": True,
        "geometry": None,
        "references": (),
        "facts": {},
        "link": None,
        "sent_at": NOW,
        "effective_at": None,
        "onset_at": None,
        "expires_at": None,
        "observed_at": NOW,
        "fetched_at": NOW,
        "simulated": True,
        **changes,
    }
    return Alert(id=f"{source}:{name}", source_id=source, external_id=name, **values)


def plain(record: Any) -> Plain:
    """A record as live state gives it back."""
    found: Plain = orjson.loads(orjson.dumps(record))
    return found


def put(facts: FieldFacts, *records: Position | Reading | Alert) -> FieldFacts:
    """Make records known, as if live state had told of them."""
    for record in records:
        if isinstance(record, Reading):
            facts.readings["/".join(record.series)] = plain(record)
        elif isinstance(record, Position):
            facts.positions[record.id] = plain(record)
        else:
            facts.alerts[record.id] = plain(record)
    return facts
