"""Turns one GeoReport v2 answer into reports. Pure: no clock, no network, no memory.

Personal fields of the standard (first_name, last_name, phone, email, account_id, device_id) are
not read, so they can reach neither a store nor the quarantine.
"""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.open311.envelope import open_answer
from connectors.open311.options import Open311Options
from lawang.connector import Answer, Parsed
from lawang.domain.incident import Reject, Report
from lawang.domain.privacy import mask
from lawang.domain.values import (
    read_degrees,
    read_identity,
    read_link,
    read_text,
    read_time,
    read_word,
)

_LONGEST_SAMPLE = 200
_LONGEST_ADDRESS = 500
# What a sample may show of a record: enough to find and mend it, nothing a citizen wrote.
_SHOWN = (
    "service_request_id",
    "status",
    "service_code",
    "requested_datetime",
    "updated_datetime",
    "lat",
    "long",
)


def parse_answer(options: Open311Options, answer: Answer) -> Parsed:
    """Reports and rejects of one answer; of an id that occurs twice the newest state is kept.

    Raises RetryLater("garbage") when the bytes are no list, and the error an error body means.
    The list of services holds no reports; it is only checked to be one.
    """
    records = open_answer(answer.body, answer.content_type)
    if answer.kind == "services":
        return Parsed()
    reports: dict[str, Report] = {}
    rejects: list[Reject] = []
    newest: datetime | None = None
    for record in records:
        changed = read_change(record, options)
        newest = changed if newest is None else max(newest, changed or newest)
        made = _make(record, changed, options)
        if isinstance(made, Reject):
            rejects.append(made)
        elif _is_newest(made, reports.get(made.external_id)):
            reports.pop(made.external_id, None)
            reports[made.external_id] = made
    return Parsed(list(reports.values()), rejects, newest)


def read_change(record: object, options: Open311Options) -> datetime | None:
    """When a raw record last changed, by its source; None if it does not say."""
    if not isinstance(record, dict):
        return None
    return read_time(record.get("updated_datetime"), options.timezone)


def _is_newest(report: Report, known: Report | None) -> bool:
    return known is None or _stand(report) >= _stand(known)


def _stand(report: Report) -> datetime:
    return report.updated_at or report.requested_at or datetime.min.replace(tzinfo=UTC)


def _make(record: object, changed: datetime | None, options: Open311Options) -> Report | Reject:
    if not isinstance(record, dict):
        return _reject("bad_record", f"an object was expected, not {_kind(record)}", record)
    external_id = read_identity(record.get("service_request_id"))
    if external_id is None:
        return _reject(
            "no_id",
            "service_request_id is missing, or no text or number of a usable length",
            record,
        )
    requested = read_time(record.get("requested_datetime"), options.timezone)
    if requested is None:
        detail = "requested_datetime is missing or unusable"
        return _reject("bad_time", detail, record, external_id)
    return Report(
        external_id=external_id,
        status=read_word(record.get("status")),
        status_note=read_text(record.get("status_notes")),
        category=read_word(record.get("service_code")),
        category_name=read_word(record.get("service_name")),
        description=read_text(record.get("description")) or "",
        address=read_text(record.get("address"), _LONGEST_ADDRESS),
        agency=read_word(record.get("agency_responsible")),
        media_url=read_link(record.get("media_url")),
        latitude=read_degrees(record.get("lat")),
        longitude=read_degrees(record.get("long")),
        requested_at=requested,
        updated_at=changed,
        due_at=read_time(record.get("expected_datetime"), options.timezone),
        closed_at=_read_extended(record, options.fields.closed_at, options),
        verified_at=_read_extended(record, options.fields.verified_at, options),
    )


def _read_extended(
    record: dict[str, object], name: str, options: Open311Options
) -> datetime | None:
    """A time of the server's own, which the standard keeps room for in `extended_attributes`."""
    own = record.get("extended_attributes")
    if not name or not isinstance(own, dict):
        return None
    return read_time(own.get(name), options.timezone)


def _reject(reason: str, detail: str, record: object, external_id: str | None = None) -> Reject:
    return Reject(reason=reason, detail=detail, external_id=external_id, sample=_sample(record))


def _sample(record: object) -> str:
    if isinstance(record, dict):
        shown = (
            f"{name}: {read_word(record[name]) or 'empty'}" for name in _SHOWN if name in record
        )
        text = "; ".join(shown) or "none of the standard's fields"
    else:
        text = read_text(record) or "null"
    # Masked before it is cut, so that no half of a number stays.
    return mask(text)[:_LONGEST_SAMPLE]


def _kind(value: object) -> str:
    """JSON's word for what a value is."""
    if value is None:
        return "null"
    words = {bool: "a truth value", int: "a number", float: "a number", str: "a text"}
    return words.get(type(value), "a list")
