"""Findings as JSON-ready mappings; instants as ISO 8601 text in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from lawang.check.findings import Findings
from lawang.domain.alert import Alert
from lawang.domain.incident import Incident, incident_to_plain
from lawang.domain.measure import Reading
from lawang.domain.position import Position
from lawang.domain.service import ServiceRequest

_KIND_OF = {
    Incident: "incidents",
    Reading: "readings",
    Position: "positions",
    ServiceRequest: "service_requests",
    Alert: "alerts",
}


def findings_to_plain(findings: Findings) -> dict[str, Any]:
    """A JSON-ready mapping of everything found."""
    plain: dict[str, Any] = {"is_good": findings.is_good}
    for each in fields(Findings):
        value = getattr(findings, each.name)
        if each.name == "error":
            plain["error"] = value and {"kind": value.kind, "detail": value.detail}
        elif each.name == "first":
            plain["first"] = [record_to_plain(record) for record in value]
        else:
            plain[each.name] = to_plain(value)
    return plain


def record_to_plain(record: Any) -> dict[str, Any]:
    """A settled record with its `kind_of_record`."""
    plain = incident_to_plain(record) if isinstance(record, Incident) else to_plain(record)
    return {"kind_of_record": _KIND_OF[type(record)], **plain}


def to_plain(value: Any) -> Any:
    """Any value made of dataclasses, mappings, lists, enums and instants."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: to_plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    return value
