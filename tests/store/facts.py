"""Settled records for store tests; keywords replace fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lawang.domain.alert import Alert, MessageType, Severity
from lawang.domain.facts import Facts
from lawang.domain.measure import Measure, MeasureKind, Period, Reading
from lawang.domain.position import Position, PositionStatus
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.store.history import History, Settled

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SOURCE = "pbb"
MEASURES = {
    "total": Measure(
        id="total",
        name_id="Total",
        name_en="Total",
        unit="Rp",
        kind=MeasureKind.CUMULATIVE,
        resets=Period.YEAR,
        jump=100.0,
    ),
    "flow": Measure(
        id="flow", name_id="A", name_en="F", unit="Rp", kind=MeasureKind.FLOW, jump=100.0
    ),
    "level": Measure(id="level", name_id="T", name_en="L", unit="cm", expected=(0.0, 900.0)),
}


def day(number: int) -> datetime:
    """The `number`-th day of November 2026, at noon in Palembang."""
    return datetime(2026, 11, number, 5, 0, tzinfo=UTC)


def reading(value: float, at: datetime, measure: str = "flow", **changes: Any) -> Reading:
    values: dict[str, Any] = {
        "source_id": SOURCE,
        "subject": "a",
        "subject_name": "A",
        "observed_at": at,
        "observed_estimated": False,
        "fetched_at": NOW,
        "kecamatan": "16.71.06",
        "kelurahan": None,
        "placed_by": "name",
        "location_problem": "missing",
        "latitude": None,
        "longitude": None,
        "simulated": True,
        **changes,
    }
    return Reading(measure=measure, value=value, at=at, **values)


def position(external_id: str = "b1", **changes: Any) -> Position:
    values: dict[str, Any] = {
        "id": f"{SOURCE}:{external_id}",
        "source_id": SOURCE,
        "kind": "bus",
        "name": "Bus 1",
        "latitude": -2.98,
        "longitude": 104.76,
        "heading": 90.0,
        "speed_kmh": 20.0,
        "status": PositionStatus.ACTIVE,
        "status_raw": "on",
        "link": None,
        "owner": None,
        "kecamatan": "16.71.06",
        "kelurahan": None,
        "placed_by": "point",
        "location_problem": "",
        "facts": {"rute": "K1"},
        "observed_at": NOW,
        "observed_estimated": False,
        "fetched_at": NOW,
        "simulated": True,
        **changes,
    }
    return Position(external_id=external_id, **values)


def alert(external_id: str = "w1", **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": f"{SOURCE}:{external_id}",
        "source_id": SOURCE,
        "message_type": MessageType.ALERT,
        "severity": Severity.MODERATE,
        "urgency": None,
        "certainty": None,
        "event": "Hujan lebat",
        "headline": "Hujan lebat di Ilir Timur II",
        "description": "",
        "instruction": "",
        "sender": "BMKG",
        "areas": ("Ilir Timur II",),
        "areas_not_found": (),
        "regions": ("16.71.06",),
        "touches_city": True,
        "geometry": {"type": "Point", "coordinates": [104.76, -2.98]},
        "references": (),
        "facts": {},
        "link": None,
        "sent_at": NOW,
        "effective_at": NOW,
        "onset_at": None,
        "expires_at": NOW + timedelta(hours=2),
        "observed_at": NOW,
        "fetched_at": NOW,
        "simulated": True,
        **changes,
    }
    return Alert(external_id=external_id, **values)


def request(external_id: str = "s1", **changes: Any) -> ServiceRequest:
    values: dict[str, Any] = {
        "id": f"{SOURCE}:{external_id}",
        "source_id": SOURCE,
        "service": "domisili",
        "service_raw": "SKD",
        "status": RequestStatus.SUBMITTED,
        "status_raw": "baru",
        "stage": None,
        "office": None,
        "kecamatan": "16.71.06",
        "kelurahan": None,
        "placed_by": "name",
        "location_problem": "missing",
        "requested_at": NOW,
        "due_at": NOW + timedelta(minutes=10),
        "closed_at": None,
        "observed_at": NOW,
        "observed_estimated": False,
        "fetched_at": NOW,
        "simulated": True,
        **changes,
    }
    return ServiceRequest(external_id=external_id, **values)


def settle(
    history: History,
    *readings: Reading,
    positions: Sequence[Position] = (),
    alerts: Sequence[Alert] = (),
    requests: Sequence[ServiceRequest] = (),
    delivery: str | None = None,
    at: datetime = NOW,
    source: str = SOURCE,
) -> Settled:
    """Write some records as one answer of a source."""
    facts = Facts(
        zone=WIB,
        measures=MEASURES,
        readings=list(readings),
        positions=list(positions),
        alerts=list(alerts),
        requests=list(requests),
        delivery=delivery,
    )
    return history.settle(source, [], [], fetched_at=at, fence=1, facts=facts)
