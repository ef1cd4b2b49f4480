"""What a source with measures brought: readings that count, some held back, and other records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lawang.city import City
from lawang.domain.alert import Alert, MessageType, Severity
from lawang.domain.drift import Shape
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind, NewFinding
from lawang.domain.incident import Reject
from lawang.domain.measure import Measure, Reading
from lawang.domain.position import Position, PositionStatus
from lawang.domain.quality import Tally, bucket_of
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.store.history import History
from lawang.store.quality import Sample

#: A source of the pack's own that the records are given to, and its measure.
SOURCE = "elapor"
MEASURE = Measure(id="kunjungan", name_id="Kunjungan", name_en="Visits", unit="orang", jump=20)
NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
HOSTILE = "<img src=x onerror=window.__planted=true>"


def with_measure(city: City) -> City:
    """The city whose first source declares the measure."""
    source = replace(city.sources[SOURCE], measures={MEASURE.id: MEASURE})
    return replace(city, sources={**city.sources, SOURCE: source})


def reading(subject: str, hours: int, value: float, **changes: Any) -> Reading:
    at = NOON + timedelta(hours=hours)
    values: dict[str, Any] = {
        "source_id": SOURCE,
        "measure": MEASURE.id,
        "subject": subject,
        "subject_name": f"Puskesmas {subject}",
        "value": value,
        "at": at,
        "observed_at": at,
        "observed_estimated": False,
        "fetched_at": at,
        "kecamatan": "16.71.01" if subject == "a" else None,
        "kelurahan": None,
        "placed_by": "name" if subject == "a" else "",
        "location_problem": "" if subject == "a" else "missing",
        "latitude": None,
        "longitude": None,
        "simulated": True,
    }
    return Reading(**{**values, **changes})


def position(number: int, **changes: Any) -> Position:
    located = number % 3 != 0
    values: dict[str, Any] = {
        "id": f"{SOURCE}:p{number:02}",
        "source_id": SOURCE,
        "external_id": f"p{number:02}",
        "kind": "truk" if number % 2 else "kamera",
        "name": f"Truk {number}",
        "latitude": -2.98 if located else None,
        "longitude": 104.75 if located else None,
        "heading": None,
        "speed_kmh": 12.5,
        "status": PositionStatus.ACTIVE if number % 2 else PositionStatus.OFF,
        "status_raw": "jalan",
        "link": None,
        "owner": None,
        "kecamatan": "16.71.02" if located else None,
        "kelurahan": None,
        "placed_by": "point" if located else "",
        "location_problem": "" if located else "missing",
        "facts": {"rute": "A"},
        "observed_at": NOON,
        "observed_estimated": False,
        "fetched_at": NOON,
        "simulated": True,
    }
    return Position(**{**values, **changes})


def alert(number: int, **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": f"{SOURCE}:w{number}",
        "source_id": SOURCE,
        "external_id": f"w{number}",
        "message_type": MessageType.ALERT,
        "severity": Severity.SEVERE if number % 2 else Severity.MINOR,
        "urgency": None,
        "certainty": None,
        "event": "Hujan lebat",
        "headline": f"Peringatan {number}",
        "description": "",
        "instruction": "",
        "sender": None,
        "areas": ("Ilir Barat I",),
        "areas_not_found": (),
        "regions": ("16.71.01",) if number < 4 else (),
        "touches_city": number < 4,
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[104.7, -3.0], [104.8, -3.0], [104.8, -2.9], [104.7, -3.0]]],
        }
        if number == 0
        else None,
        "references": (),
        "facts": {},
        "link": None,
        "sent_at": NOON + timedelta(minutes=number // 2),
        "effective_at": None,
        "onset_at": None,
        "expires_at": NOON + timedelta(days=3650) if number != 1 else NOON + timedelta(hours=1),
        "observed_at": NOON,
        "fetched_at": NOON,
        "simulated": True,
    }
    return Alert(**{**values, **changes})


def service_request(number: int, **changes: Any) -> ServiceRequest:
    statuses = [each for each in RequestStatus if each is not RequestStatus.UNKNOWN]
    status = statuses[number % len(statuses)]
    requested_at = NOON - timedelta(hours=number // 2)
    values: dict[str, Any] = {
        "id": f"{SOURCE}:s{number:02}",
        "source_id": SOURCE,
        "external_id": f"s{number:02}",
        "service": "domisili" if number % 2 else "usaha",
        "service_raw": None,
        "status": status,
        "status_raw": status.value,
        "stage": None,
        "office": None,
        "kecamatan": "16.71.01" if number % 2 else None,
        "kelurahan": None,
        "placed_by": "name" if number % 2 else "",
        "location_problem": "" if number % 2 else "missing",
        "requested_at": requested_at,
        "due_at": requested_at + timedelta(minutes=30),
        "closed_at": None if status.is_open else requested_at + timedelta(minutes=10),
        "observed_at": requested_at,
        "observed_estimated": False,
        "fetched_at": NOON,
        "simulated": True,
    }
    return ServiceRequest(**{**values, **changes})


READINGS = [reading(subject, hour, 40 + hour) for subject in ("a", "b") for hour in range(12)]
#: What a slip of three orders of magnitude looks like; held back.
SLIP = reading("a", 12, 52_000)
POSITIONS = [position(number) for number in range(10)]
ALERTS = [alert(number) for number in range(6)]
REQUESTS = [service_request(number) for number in range(18)]


def settle_life(history: History, city: City, now: datetime) -> None:
    """Store all of it, with a finding about the shape, rejects, tallies, a sample and an outage."""
    facts = Facts(
        zone=city.timezone,
        measures={MEASURE.id: MEASURE},
        readings=[*READINGS],
        positions=[*POSITIONS],
        alerts=[*ALERTS],
        requests=[*REQUESTS],
        findings=[
            NewFinding(kind=FindingKind.SHAPE, detail=f"{HOSTILE} appeared (text)", sample=HOSTILE)
        ],
    )
    rejects = [
        Reject(reason="bad_time", detail="waktu", external_id=f"x{number}", sample=HOSTILE)
        for number in range(3)
    ]
    history.settle(SOURCE, [], rejects, fetched_at=NOON, fence=1, facts=facts)
    later = Facts(zone=city.timezone, measures={MEASURE.id: MEASURE}, readings=[SLIP])
    history.settle(SOURCE, [], [], fetched_at=NOON, fence=1, facts=later)
    began = bucket_of(now)
    history.quality.add(
        SOURCE,
        {
            began - timedelta(minutes=15): Tally(polls=3, failures=1, records=9, unusable=1),
            began - timedelta(minutes=30): Tally(failures=4),
            began - timedelta(minutes=45): Tally(polls=4, records=11, filled=3, fillable=4),
        },
    )
    shape: Shape = {"id": ("text",)}
    history.quality.keep_sample(
        Sample(
            source_id=SOURCE,
            taken_at=NOON,
            content_type="application/json",
            body=f'[{{"id": "{HOSTILE}"}}]',
            shape=shape,
            learned=5,
        )
    )
    history.record_outage(SOURCE, NOON, "timeout", "10 s")
