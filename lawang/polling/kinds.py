"""Settles records other than incidents: readings, positions, service requests, alerts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import shapely
from shapely.geometry import shape

from lawang.city import City, Source
from lawang.domain.alert import Alert, Bulletin
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind
from lawang.domain.incident import Reject
from lawang.domain.measure import Measurement, Reading, span
from lawang.domain.position import Fix, Position, PositionStatus
from lawang.domain.privacy import mask
from lawang.domain.sanity import future
from lawang.domain.service import UNKNOWN_SERVICE, Application, RequestStatus, ServiceRequest
from lawang.domain.values import read_word
from lawang.polling.working_days import due_after

#: A source's clock may be ahead of ours by this much before its times are not believed.
CLOCK_TOLERANCE = timedelta(minutes=5)
_LONGEST_ALERT_ID = 220
_UNKNOWN_KIND = "lainnya"
_POSITION_STATUSES = frozenset(PositionStatus)
_REQUEST_STATUSES = frozenset(RequestStatus)


@dataclass(frozen=True, slots=True)
class Setting:
    """What the records of one answer have in common."""

    source: Source
    city: City
    fetched_at: datetime
    simulated: bool

    @property
    def newest_believable(self) -> datetime:
        return self.fetched_at + CLOCK_TOLERANCE


def region_text(source: Source, text: str | None) -> str | None:
    """The source's text for a region, led through its own map of codes where it has one."""
    if not text:
        return text
    return source.region_map.get(text.strip().casefold(), text)


def settle_reading(made: Measurement, setting: Setting, facts: Facts) -> None:
    """Add the reading to `facts`, or the reason why it cannot be one."""
    source, city, fetched_at = setting.source, setting.city, setting.fetched_at
    measure = source.measures.get(made.measure)
    if measure is None:
        detail = f"{made.measure} is not under [measures] of {source.id}.toml"
        facts.rejects.append(Reject(reason="unknown_measure", detail=detail))
        return
    start, end = span(made.at, measure.period, city.timezone)
    stated = made.observed_at
    estimated = stated is not None and stated > setting.newest_believable
    # Of a period that is over the value was true at its end, however late it was published; of one
    # that still runs it is as of when the source changed it, or else as of now.
    observed_at = min(end, fetched_at if stated is None or estimated else stated)
    place = city.gazetteer.place(made.latitude, made.longitude, region_text(source, made.region))
    is_future = start > setting.newest_believable
    reading = Reading(
        source_id=source.id,
        measure=made.measure,
        subject=made.subject,
        subject_name=mask(made.subject_name) if made.subject_name else None,
        value=made.value,
        at=start,
        observed_at=observed_at,
        observed_estimated=estimated,
        fetched_at=fetched_at,
        kecamatan=place.kecamatan,
        kelurahan=place.kelurahan,
        placed_by=place.placed_by,
        location_problem=place.problem,
        latitude=place.latitude,
        longitude=place.longitude,
        simulated=setting.simulated,
        held=FindingKind.FUTURE.value if is_future and not measure.forecast else "",
        delivery=facts.delivery,
    )
    facts.skewed += estimated
    if reading.held:
        facts.findings.append(future(reading))
    facts.readings.append(reading)


def settle_position(made: Fix, setting: Setting, facts: Facts) -> None:
    """Add the position to `facts`."""
    source = setting.source
    stated = made.observed_at
    skewed = stated is not None and stated > setting.newest_believable
    estimated = stated is None or skewed
    place = setting.city.gazetteer.place(
        made.latitude, made.longitude, region_text(source, made.region)
    )
    word = (made.status or "").strip().casefold()
    mapped = source.status_map.get(word, word)
    status = PositionStatus(mapped) if mapped in _POSITION_STATUSES else PositionStatus.UNKNOWN
    kind = (made.kind or "").strip()
    facts.skewed += skewed
    facts.unknown += status is PositionStatus.UNKNOWN and bool(made.status)
    facts.positions.append(
        Position(
            id=f"{source.id}:{made.external_id}",
            source_id=source.id,
            external_id=made.external_id,
            kind=source.kind_map.get(kind.casefold(), kind.casefold())[:60] or _UNKNOWN_KIND,
            name=mask(made.name) if made.name else None,
            latitude=place.latitude,
            longitude=place.longitude,
            heading=made.heading,
            speed_kmh=made.speed_kmh,
            status=status,
            status_raw=made.status,
            link=made.link,
            owner=mask(made.owner) if made.owner else None,
            kecamatan=place.kecamatan,
            kelurahan=place.kelurahan,
            placed_by=place.placed_by,
            location_problem=place.problem,
            facts=made.facts,
            observed_at=setting.fetched_at if estimated or stated is None else stated,
            observed_estimated=estimated,
            fetched_at=setting.fetched_at,
            simulated=setting.simulated,
        )
    )


def settle_request(made: Application, setting: Setting, facts: Facts) -> None:
    """Add the service request to `facts`."""
    source, city = setting.source, setting.city
    newest = setting.newest_believable
    stated = made.updated_at
    skewed = any(
        moment is not None and moment > newest
        for moment in (stated, made.requested_at, made.closed_at)
    )
    estimated = stated is None or stated > newest
    observed_at = setting.fetched_at if estimated or stated is None else stated
    requested_at = made.requested_at or observed_at
    word = (made.status or "").strip().casefold()
    mapped = source.status_map.get(word, word)
    status = RequestStatus(mapped) if mapped in _REQUEST_STATUSES else RequestStatus.UNKNOWN
    service = _find_service(source, made)
    place = city.gazetteer.place(made.latitude, made.longitude, region_text(source, made.region))
    closed_at = made.closed_at if made.closed_at and made.closed_at <= newest else None
    if not status.is_open and closed_at is None and not estimated:
        closed_at = observed_at
    facts.skewed += skewed
    facts.unknown += (
        place.kecamatan is None or service == UNKNOWN_SERVICE or status is RequestStatus.UNKNOWN
    )
    facts.requests.append(
        ServiceRequest(
            id=f"{source.id}:{made.external_id}",
            source_id=source.id,
            external_id=made.external_id,
            service=service,
            service_raw=made.service or made.service_name,
            status=status,
            status_raw=made.status,
            stage=mask(made.stage) if made.stage else None,
            office=mask(made.office) if made.office else None,
            kecamatan=place.kecamatan,
            kelurahan=place.kelurahan,
            placed_by=place.placed_by,
            location_problem=place.problem,
            requested_at=requested_at,
            due_at=made.due_at or _promise(source, service, requested_at, city),
            closed_at=None if status.is_open else closed_at,
            observed_at=observed_at,
            observed_estimated=estimated,
            fetched_at=setting.fetched_at,
            simulated=setting.simulated,
        )
    )


def _find_service(source: Source, made: Application) -> str:
    words = {(text or "").strip().casefold() for text in (made.service, made.service_name)} - {""}
    for service in source.services.values():
        if not words.isdisjoint(service.words):
            return service.id
    return UNKNOWN_SERVICE


def _promise(
    source: Source, service_id: str, requested_at: datetime, city: City
) -> datetime | None:
    service = source.services.get(service_id)
    if service is None:
        return None
    if service.promise is not None:
        return requested_at + service.promise
    if service.promise_days is not None:
        return due_after(requested_at, city.timezone, service.promise_days)
    return None


def settle_alert(made: Bulletin, setting: Setting, facts: Facts) -> None:
    """Add the message to `facts`, with the regions of the city that it touches."""
    source, city = setting.source, setting.city
    if len(made.external_id) > _LONGEST_ALERT_ID:
        detail = f"the identifier is longer than {_LONGEST_ALERT_ID} characters"
        facts.rejects.append(Reject(reason="bad_id", detail=detail))
        return
    named, not_found, whole = _named_regions(made.areas, setting)
    touched = set(named)
    if made.geometry is not None:
        touched |= _touched(made.geometry, city)
    if made.everywhere or whole:
        touched = {region.code for region in city.kecamatan}
    skewed = made.sent_at > setting.newest_believable
    facts.skewed += skewed
    facts.alerts.append(
        Alert(
            id=f"{source.id}:{made.external_id}",
            source_id=source.id,
            external_id=made.external_id,
            message_type=made.message_type,
            severity=made.severity,
            urgency=made.urgency,
            certainty=made.certainty,
            event=mask(made.event),
            headline=mask(made.headline),
            description=mask(made.description),
            instruction=mask(made.instruction),
            sender=read_word(made.sender),
            areas=made.areas,
            areas_not_found=tuple(not_found),
            regions=tuple(sorted(touched)),
            touches_city=bool(touched),
            geometry=made.geometry,
            references=made.references,
            facts=made.facts,
            link=made.link,
            sent_at=min(made.sent_at, setting.fetched_at) if skewed else made.sent_at,
            effective_at=made.effective_at,
            onset_at=made.onset_at,
            expires_at=made.expires_at,
            observed_at=min(made.sent_at, setting.fetched_at),
            fetched_at=setting.fetched_at,
            simulated=setting.simulated,
        )
    )


def _named_regions(areas: Iterable[str], setting: Setting) -> tuple[set[str], list[str], bool]:
    """Kecamatan codes that the areas name, those that name none, and whether the city is meant."""
    city = setting.city
    whole = {
        word.casefold()
        for word in (city.name, city.short_name, city.code, city.code.replace(".", ""))
    }
    found: set[str] = set()
    missing: list[str] = []
    all_of_it = False
    for text in areas:
        word = region_text(setting.source, text) or ""
        if word.strip().casefold() in whole:
            all_of_it = True
            continue
        region = city.gazetteer.resolve(word)
        if region is None:
            missing.append(text)
        else:
            found.add(region.code if region.level == "kecamatan" else region.parent or region.code)
    return found, missing, all_of_it


def _touched(geometry: dict[str, object], city: City) -> set[str]:
    """Codes of the kecamatan that a GeoJSON geometry (degrees WGS84) touches."""
    try:
        area = shapely.make_valid(shape(geometry))
    except (
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        IndexError,
        shapely.errors.ShapelyError,
    ):
        return set()
    return city.gazetteer.touching(area)
