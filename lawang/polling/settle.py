"""From a source's words to the city's: region, category, status and time of each record. Pure."""

from __future__ import annotations

from datetime import datetime

from lawang.city import City, Source
from lawang.connector import Parsed
from lawang.domain.facts import Facts
from lawang.domain.incident import (
    UNKNOWN_CATEGORY,
    Incident,
    Reject,
    Report,
    Status,
    incident_id,
)
from lawang.domain.privacy import mask
from lawang.polling.kinds import (
    CLOCK_TOLERANCE,
    Setting,
    region_text,
    settle_alert,
    settle_position,
    settle_reading,
    settle_request,
)
from lawang.polling.working_days import due_after

_ID_MAX = 120
_STATUSES = frozenset(Status)


def settle(
    parsed: Parsed,
    source: Source,
    city: City,
    *,
    fetched_at: datetime,
    simulated: bool,
    delivery: str | None = None,
) -> Facts:
    """Settle the records of one answer. Never raises for a record: a bad one is quarantined."""
    facts = Facts(
        zone=city.timezone,
        measures=source.measures,
        rejects=list(parsed.rejects),
        delivery=delivery,
    )
    setting = Setting(source, city, fetched_at, simulated)
    for report in parsed.reports:
        if _is_usable(report.external_id, "external_id", source, facts):
            incident, skewed = _incident(report, source, city, fetched_at, simulated)
            facts.incidents.append(incident)
            facts.skewed += skewed
            facts.unknown += (
                incident.kecamatan is None
                or incident.category == UNKNOWN_CATEGORY
                or incident.status is Status.UNKNOWN
            )
    for measurement in parsed.measurements:
        if _is_usable(measurement.subject, "subject", source, facts):
            settle_reading(measurement, setting, facts)
    for fix in parsed.fixes:
        if _is_usable(fix.external_id, "external_id", source, facts):
            settle_position(fix, setting, facts)
    for application in parsed.applications:
        if _is_usable(application.external_id, "external_id", source, facts):
            settle_request(application, setting, facts)
    for bulletin in parsed.bulletins:
        settle_alert(bulletin, setting, facts)
    return facts


def _is_usable(identity: str, name: str, source: Source, facts: Facts) -> bool:
    """Whether an identity can be stored; a reject says why not."""
    if len(identity) > _ID_MAX:
        reason = "bad_id"
        detail = f"the identifier is longer than {_ID_MAX} characters"
    elif not source.keeps_ids and mask(identity) != identity:
        reason = "personal_id"
        detail = (
            f"{name} holds what looks like a person's number; map another field, or set "
            "keep_ids in [personal] if it is none"
        )
    else:
        return True
    facts.rejects.append(Reject(reason=reason, detail=detail, external_id=mask(identity[:_ID_MAX])))
    return False


def _incident(
    report: Report, source: Source, city: City, fetched_at: datetime, simulated: bool
) -> tuple[Incident, bool]:
    newest_believable = fetched_at + CLOCK_TOLERANCE
    stated = report.updated_at
    skewed = any(
        moment is not None and moment > newest_believable
        for moment in (stated, report.requested_at, report.closed_at, report.verified_at)
    )
    estimated = stated is None or stated > newest_believable
    observed_at = fetched_at if estimated or stated is None else stated
    requested_at = report.requested_at or observed_at
    status = _status(report, source)
    region = region_text(source, report.region)
    closed_at, verified_at = _ending(report, status, requested_at, newest_believable)
    place = city.gazetteer.place(report.latitude, report.longitude, region)
    incident = Incident(
        id=incident_id(source.id, report.external_id),
        source_id=source.id,
        external_id=report.external_id,
        category=source.category_map.get(report.category or "", UNKNOWN_CATEGORY),
        category_raw=report.category if report.category else report.category_name,
        status=status,
        status_raw=report.status,
        status_note=mask(report.status_note) if report.status_note else None,
        description=mask(report.description),
        address=mask(report.address) if report.address else None,
        agency=report.agency,
        media_url=report.media_url,
        latitude=place.latitude,
        longitude=place.longitude,
        kecamatan=place.kecamatan,
        kelurahan=place.kelurahan,
        placed_by=place.placed_by,
        location_problem=place.problem,
        requested_at=requested_at,
        due_at=report.due_at or due_after(requested_at, city.timezone, city.sla_working_days),
        closed_at=None if status.is_open else min(closed_at or observed_at, observed_at),
        observed_at=observed_at,
        observed_estimated=estimated,
        fetched_at=fetched_at,
        reopened=0,
        simulated=simulated,
        verified_at=verified_at,
    )
    return incident, skewed


def _ending(
    report: Report, status: Status, requested_at: datetime, newest: datetime
) -> tuple[datetime | None, datetime | None]:
    """When the source says a report was closed, and that closing verified, as far as believable.

    Only what is done can be verified: a rejection is nobody's claim to have done something. What
    was verified had been closed by then, where the source does not tell when.
    """
    closed, verified = (
        at if at is not None and requested_at <= at <= newest else None
        for at in (report.closed_at, report.verified_at)
    )
    if status is not Status.DONE:
        verified = None
    return (None if status.is_open else closed or verified), verified


def _status(report: Report, source: Source) -> Status:
    """The status of a report; the first words of its note say more than open or closed do."""
    note = (report.status_note or "").casefold()
    for words, status in source.note_map.items():
        if note.startswith(words.casefold()):
            return status
    word = source.status_map.get((report.status or "").strip().casefold(), Status.UNKNOWN)
    return Status(word) if word in _STATUSES else Status.UNKNOWN
