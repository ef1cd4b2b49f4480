"""Lists of what is no incident: series and readings, positions, warnings, service requests.

Each says when it was true, how many there are, and how many of them are left out or not placed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from api.paging import (
    PAGE_MAX,
    in_utc,
    make_time_token,
    make_token,
    read_number_token,
    read_numbered_time_token,
    read_time_token,
    read_token,
    refuse_unknown,
)
from api.services import Services
from lawang.city import City
from lawang.domain.alert import Alert, Severity
from lawang.domain.measure import Reading
from lawang.domain.position import Position, PositionStatus
from lawang.domain.service import RequestStatus, ServiceRequest
from lawang.store.readings import KnownSeries, ReadingFilter
from lawang.store.records import RequestFilter

_After = Annotated[str | None, Query(description="`next` of the page before")]
_Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
_Names = list[str] | None
_Sources = Annotated[_Names, Query(description="Source ids")]
_Kecamatan = Annotated[_Names, Query(description="Kemendagri codes")]
_Form = Annotated[Literal["json", "geojson"], Query()]
_GEOJSON = "application/geo+json"
_CONTENT: dict[int | str, dict[str, Any]] = {200: {"content": {_GEOJSON: {}}}}


class LastOut(BaseModel):
    """The newest reading of a series that counts."""

    value: float
    at: datetime = Field(description="The moment it is about, or the start of its period")
    observed_at: datetime
    observed_estimated: bool
    fetched_at: datetime


class SeriesOut(BaseModel):
    """One measure of one source at one subject. Values are in `unit`, None if not declared now."""

    number: int
    source_id: str
    measure: str
    name_id: str | None
    name_en: str | None
    unit: str | None
    kind: str | None
    period: str | None
    subject: str = Field(description="Empty: the whole city")
    subject_name: str | None
    kecamatan: str | None
    kelurahan: str | None
    placed_by: str
    location_problem: str
    latitude: float | None
    longitude: float | None
    simulated: bool
    last: LastOut | None = Field(description="null while all of it is held back")


class SeriesListOut(BaseModel):
    """One page of series. Give `next` as `after` for the next page."""

    at: datetime
    total: int
    without_reading: int = Field(description="Of the total, those all of whose readings are held")
    series: list[SeriesOut]
    next: str | None = None


class ReadingOut(BaseModel):
    """One value, in `unit`. `held` names the finding for which it counts nowhere, or is empty."""

    series: int
    source_id: str
    measure: str
    unit: str | None
    subject: str
    subject_name: str | None
    value: float
    at: datetime
    observed_at: datetime
    observed_estimated: bool
    fetched_at: datetime
    kecamatan: str | None
    kelurahan: str | None
    latitude: float | None
    longitude: float | None
    simulated: bool
    held: str
    delivery: str | None


class ReadingsOut(BaseModel):
    """One page of readings, newest first. Give `next` as `after` for the next page."""

    at: datetime
    total: int = Field(description="Readings that count, by the same filters")
    held: int = Field(description="Readings held back, by the same filters; `held=true` lists them")
    readings: list[ReadingOut]
    next: str | None = None


class PositionsOut(BaseModel):
    """One page of last known positions, by id. Give `next` as `after` for the next page."""

    at: datetime
    total: int
    unlocated: int = Field(description="Of the total, those without usable coordinates")
    simulated: bool
    positions: list[dict[str, Any]]
    next: str | None = None


class WarningsOut(BaseModel):
    """One page of messages, newest first. Give `next` as `after` for the next page."""

    at: datetime
    total: int
    elsewhere: int = Field(description="Of the total, those that do not touch the city")
    simulated: bool
    warnings: list[dict[str, Any]]
    next: str | None = None


class RequestsOut(BaseModel):
    """One page of requests, newest first. Give `next` as `after` for the next page."""

    at: datetime
    total: int
    unlocated: int = Field(description="Of the total, those that could not be placed")
    simulated: bool
    requests: list[dict[str, Any]]
    next: str | None = None


def add_record_routes(router: APIRouter, services: Services) -> None:
    """The routes of all lists."""
    _add_reading_routes(router, services)
    _add_position_routes(router, services)
    _add_warning_routes(router, services)
    _add_request_routes(router, services)


def _add_reading_routes(router: APIRouter, services: Services) -> None:
    store = services.history.readings

    @router.get(
        "/api/v1/series",
        response_model=SeriesListOut,
        tags=["readings"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def series(
        source: _Sources = None,
        measure: Annotated[_Names, Query(description="Measure ids")] = None,
        subject: Annotated[_Names, Query(description="Subjects; empty: the whole city")] = None,
        kecamatan: _Kecamatan = None,
        limit: _Limit = 100,
        after: _After = None,
    ) -> SeriesListOut:
        """What is measured where, each with its newest value."""
        wanted = ReadingFilter(
            sources=source or (),
            measures=measure or (),
            subjects=subject or (),
            kecamatan=kecamatan or (),
        )
        number = read_number_token(after)
        found, (total, without) = await asyncio.gather(
            asyncio.to_thread(store.series, wanted, limit + 1, number),
            asyncio.to_thread(store.count_series, wanted),
        )
        page = found[:limit]
        return SeriesListOut(
            at=services.clock(),
            total=total,
            without_reading=without,
            series=[_series_out(each, services.city) for each in page],
            next=make_token(str(page[-1].number)) if len(found) > limit else None,
        )

    @router.get(
        "/api/v1/readings",
        response_model=ReadingsOut,
        tags=["readings"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def readings(
        source: _Sources = None,
        measure: Annotated[_Names, Query(description="Measure ids")] = None,
        subject: Annotated[_Names, Query(description="Subjects; empty: the whole city")] = None,
        kecamatan: _Kecamatan = None,
        since: Annotated[datetime | None, Query(description="About a time at or after")] = None,
        until: Annotated[datetime | None, Query(description="About a time before")] = None,
        held: Annotated[bool, Query(description="Those held back instead of those that count")] = (
            False
        ),
        limit: _Limit = 100,
        after: _After = None,
    ) -> ReadingsOut:
        """Values over time."""
        wanted = ReadingFilter(
            sources=source or (),
            measures=measure or (),
            subjects=subject or (),
            kecamatan=kecamatan or (),
            since=in_utc(since, "since"),
            until=in_utc(until, "until"),
            held=held,
        )
        before = read_numbered_time_token(after)
        found, (counted, held_back) = await asyncio.gather(
            asyncio.to_thread(store.readings, wanted, limit + 1, before),
            asyncio.to_thread(store.counts, wanted),
        )
        page = found[:limit]
        more = len(found) > limit
        return ReadingsOut(
            at=services.clock(),
            total=counted,
            held=held_back,
            readings=[_reading_out(number, each, services.city) for number, each in page],
            next=make_time_token(page[-1][1].at, str(page[-1][0])) if more else None,
        )


def _add_position_routes(router: APIRouter, services: Services) -> None:
    store = services.history.records

    @router.get(
        "/api/v1/positions",
        response_model=PositionsOut,
        responses=_CONTENT,
        tags=["positions"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def positions(
        request: Request,
        source: _Sources = None,
        kind: Annotated[_Names, Query(description="Kinds of thing")] = None,
        status: Annotated[list[PositionStatus] | None, Query(description="Statuses")] = None,
        kecamatan: _Kecamatan = None,
        limit: _Limit = 100,
        after: _After = None,
        format: _Form = "json",
    ) -> Any:
        """Where things are: vehicles, cameras, gauges. `format=geojson` gives features."""
        filters = (source or (), kind or (), status or (), kecamatan or ())
        found, (total, unlocated) = await asyncio.gather(
            asyncio.to_thread(
                store.positions,
                filters[0],
                filters[1],
                limit + 1,
                statuses=filters[2],
                kecamatan=filters[3],
                after=read_token(after) or "",
            ),
            asyncio.to_thread(store.count_positions, *filters),
        )
        page = found[:limit]
        head = {
            "at": services.clock(),
            "total": total,
            "unlocated": unlocated,
            "simulated": any(each.simulated for each in page),
            "next": make_token(page[-1].id) if len(found) > limit else None,
        }
        if _wants_geojson(request, format):
            return _collection(head, [_position_feature(each) for each in page])
        return PositionsOut(positions=[_plain(each) for each in page], **head)


def _add_warning_routes(router: APIRouter, services: Services) -> None:
    store = services.history.records

    @router.get(
        "/api/v1/warnings",
        response_model=WarningsOut,
        responses=_CONTENT,
        tags=["warnings"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def warnings(
        request: Request,
        source: _Sources = None,
        severity: Annotated[list[Severity] | None, Query(description="CAP's severities")] = None,
        in_force: Annotated[
            bool, Query(description="Only those in force now; false: all that ever came")
        ] = True,
        touches_city: Annotated[bool | None, Query(description="Touching the city or not")] = None,
        limit: _Limit = 100,
        after: _After = None,
        format: _Form = "json",
    ) -> Any:
        """Warnings that others issue. `format=geojson` gives features with the areas drawn."""
        at = services.clock()
        moment = at if in_force else None
        sources, severities = source or (), severity or ()
        before = read_time_token(after)
        found, (total, elsewhere) = await asyncio.gather(
            asyncio.to_thread(
                store.alerts,
                sources,
                moment,
                touches_city,
                limit + 1,
                severities=severities,
                before=before,
            ),
            asyncio.to_thread(store.count_alerts, sources, moment, touches_city, severities),
        )
        page = found[:limit]
        head = {
            "at": at,
            "total": total,
            "elsewhere": elsewhere,
            "simulated": any(each.simulated for each in page),
            "next": make_time_token(page[-1].sent_at, page[-1].id) if len(found) > limit else None,
        }
        plain = [_plain(each) | {"in_force": each.is_in_force(at)} for each in page]
        if _wants_geojson(request, format):
            return _collection(head, [_warning_feature(each) for each in plain])
        return WarningsOut(warnings=plain, **head)


def _add_request_routes(router: APIRouter, services: Services) -> None:
    store = services.history.records

    @router.get(
        "/api/v1/service-requests",
        response_model=RequestsOut,
        tags=["service requests"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def requests(
        source: _Sources = None,
        service: Annotated[_Names, Query(description="Service ids of the source")] = None,
        status: Annotated[list[RequestStatus] | None, Query(description="Statuses")] = None,
        kecamatan: _Kecamatan = None,
        kelurahan: Annotated[_Names, Query(description="Kemendagri codes")] = None,
        open: Annotated[bool | None, Query(description="Only open or only closed ones")] = None,
        past_due: Annotated[bool, Query(description="Only open ones past their promise")] = False,
        since: Annotated[datetime | None, Query(description="Asked for at or after")] = None,
        until: Annotated[datetime | None, Query(description="Asked for before")] = None,
        limit: _Limit = 100,
        after: _After = None,
    ) -> RequestsOut:
        """Letters, licences and cards that were asked for; never by whom."""
        at = services.clock()
        wanted = RequestFilter(
            sources=source or (),
            services=service or (),
            statuses=status or (),
            kecamatan=kecamatan or (),
            kelurahan=kelurahan or (),
            open=open,
            past_due_at=at if past_due else None,
            requested_from=in_utc(since, "since"),
            requested_to=in_utc(until, "until"),
        )
        before = read_time_token(after)
        found, (total, unlocated) = await asyncio.gather(
            asyncio.to_thread(store.requests, wanted, limit + 1, before),
            asyncio.to_thread(store.count_requests, wanted),
        )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return RequestsOut(
            at=at,
            total=total,
            unlocated=unlocated,
            simulated=any(each.simulated for each in page),
            requests=[_request_out(each) for each in page],
            next=make_time_token(last.requested_at, last.id) if last else None,
        )


def _series_out(series: KnownSeries, city: City) -> SeriesOut:
    source = city.sources.get(series.source_id)
    measure = source.measures.get(series.measure) if source else None
    values = {each.name: getattr(series, each.name) for each in fields(series)}
    last = series.last
    values["last"] = last and LastOut(
        value=last.value,
        at=last.at,
        observed_at=last.observed_at,
        observed_estimated=last.observed_estimated,
        fetched_at=last.fetched_at,
    )
    return SeriesOut(
        name_id=measure.name_id if measure else None,
        name_en=measure.name_en if measure else None,
        unit=measure.unit if measure else None,
        kind=measure.kind.value if measure else None,
        period=measure.period.value if measure else None,
        **values,
    )


def _reading_out(number: int, reading: Reading, city: City) -> ReadingOut:
    source = city.sources.get(reading.source_id)
    measure = source.measures.get(reading.measure) if source else None
    return ReadingOut(
        series=number,
        unit=measure.unit if measure else None,
        **{
            name: getattr(reading, name)
            for name in ReadingOut.model_fields
            if name not in ("series", "unit")
        },
    )


def _request_out(request: ServiceRequest) -> dict[str, Any]:
    duration = request.duration
    return _plain(request) | {
        "is_open": request.is_open,
        "duration_s": duration.total_seconds() if duration is not None else None,
    }


def _plain(record: Position | Alert | ServiceRequest) -> dict[str, Any]:
    """All fields of a record, JSON-ready; a thing's link without what may be a key in it."""
    plain = {each.name: getattr(record, each.name) for each in fields(record)}
    if isinstance(record, Position) and record.link:
        plain["link"] = _without_keys(record.link)
    return plain


def _without_keys(link: str) -> str:
    """An address without user, password, query and fragment: cameras have their keys there."""
    try:
        parts = urlsplit(link)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _wants_geojson(request: Request, form: str) -> bool:
    return form == "geojson" or "geo+json" in request.headers.get("accept", "")


def _position_feature(position: Position) -> dict[str, Any]:
    properties = _plain(position)
    longitude, latitude = properties.pop("longitude"), properties.pop("latitude")
    located = longitude is not None and latitude is not None
    geometry = {"type": "Point", "coordinates": [longitude, latitude]} if located else None
    return _feature(position.id, geometry, properties)


def _warning_feature(warning: dict[str, Any]) -> dict[str, Any]:
    geometry = warning.pop("geometry")
    return _feature(warning["id"], geometry, warning)


def _feature(identity: str, geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": identity, "geometry": geometry, "properties": properties}


def _collection(head: dict[str, Any], features: Sequence[dict[str, Any]]) -> Response:
    """A FeatureCollection (RFC 7946) with the list's own figures beside the features."""
    body = {"type": "FeatureCollection", "features": features, **head}
    return Response(orjson.dumps(body), media_type=_GEOJSON)
