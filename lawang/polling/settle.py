"""From a source's words to the city's: region, category, status and time of each report. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from lawang.city import City, Source
from lawang.domain.incident import (
    UNKNOWN_CATEGORY,
    Incident,
    Reject,
    Report,
    Status,
    incident_id,
)
from lawang.domain.privacy import mask

#: A source's clock may be ahead of ours by this much before its times are not believed.
CLOCK_TOLERANCE = timedelta(minutes=5)
_ID_MAX = 120


@dataclass(slots=True)
class Page:
    """One answer, settled: what can be stored, what goes into quarantine, what stood out."""

    incidents: list[Incident] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    skewed: int = 0


def settle(
    reports: Sequence[Report],
    source: Source,
    city: City,
    *,
    fetched_at: datetime,
    simulated: bool,
) -> Page:
    """Settle the reports of one answer. Never raises for a report: a bad one is quarantined."""
    page = Page()
    for report in reports:
        if len(report.external_id) > _ID_MAX:
            page.rejects.append(
                Reject(
                    reason="bad_id",
                    detail=f"the identifier is longer than {_ID_MAX} characters",
                    external_id=mask(report.external_id[:_ID_MAX]),
                )
            )
            continue
        incident, skewed = _incident(report, source, city, fetched_at, simulated)
        page.incidents.append(incident)
        page.skewed += skewed
    return page


def _incident(
    report: Report, source: Source, city: City, fetched_at: datetime, simulated: bool
) -> tuple[Incident, bool]:
    newest_believable = fetched_at + CLOCK_TOLERANCE
    stated = report.updated_at
    skewed = any(
        moment is not None and moment > newest_believable
        for moment in (stated, report.requested_at)
    )
    estimated = stated is None or stated > newest_believable
    observed_at = fetched_at if estimated or stated is None else stated
    requested_at = report.requested_at or observed_at
    status = _status(report, source)
    place = city.gazetteer.place(report.latitude, report.longitude, report.region)
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
        due_at=report.due_at or _due(requested_at, city.timezone, city.sla_working_days),
        closed_at=None if status.is_open else observed_at,
        observed_at=observed_at,
        observed_estimated=estimated,
        fetched_at=fetched_at,
        reopened=0,
        simulated=simulated,
    )
    return incident, skewed


def _status(report: Report, source: Source) -> Status:
    """The status of a report; the first words of its note say more than open or closed do."""
    note = (report.status_note or "").casefold()
    for words, status in source.note_map.items():
        if note.startswith(words.casefold()):
            return status
    return source.status_map.get((report.status or "").strip().casefold(), Status.UNKNOWN)


def _due(requested_at: datetime, zone: ZoneInfo, working_days: int) -> datetime | None:
    """The end of the last working day allowed, for a source that does not state a due time.

    None at the end of the calendar: a placeholder such as the year 9999 has no day after it.
    """
    try:
        return _due_after(requested_at.astimezone(zone).date().toordinal(), zone, working_days)
    except (OverflowError, ValueError):
        return None


@lru_cache(maxsize=4096)
def _due_after(ordinal: int, zone: ZoneInfo, working_days: int) -> datetime:
    day = datetime.fromordinal(ordinal).date()
    calendar = _holidays()
    left = working_days
    while left > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in calendar:
            left -= 1
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=1)
def _holidays() -> holidays.HolidayBase:
    return holidays.country_holidays("ID")
