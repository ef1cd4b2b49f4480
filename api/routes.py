"""The HTTP API, version 1: sources, incidents, and the checks that other programs make.

Errors are `{"error": {"status", "message"}}` with a sentence that says what to change.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Match

from api.metrics import render
from lawang.board.panels import source_entry
from lawang.city import City
from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError
from lawang.domain.health import Health, SourceState, health, state_from_plain
from lawang.domain.incident import Incident, Status, incident_to_plain
from lawang.push import Feed
from lawang.store.history import History, IncidentFilter

_PAGE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes work on; one a web process."""

    city: City
    history: History
    feed: Feed
    build: str
    clock: Clock


class SourceOut(BaseModel):
    """One source: what it is, how far it can be trusted now, and what its polls brought."""

    model_config = ConfigDict(extra="allow")

    id: str
    name: str
    opd: str
    health: Health
    age_s: float | None = Field(None, description="Seconds since the last successful poll")
    last_attempt: datetime | None = None
    last_success: datetime | None = None
    observed_at: datetime | None = Field(None, description="Newest change the source itself states")
    records: int | None = Field(None, description="Records in the last successful poll")
    simulated: bool


class SourcesOut(BaseModel):
    """All sources, with the time at which this was true."""

    at: datetime
    cache_lost_at: datetime | None = Field(
        None, description="Since when live state cannot be read: everything below is of that time"
    )
    sources: list[SourceOut]


class IncidentsOut(BaseModel):
    """One page of incidents, newest report first. Give `next` as `after` for the next page."""

    at: datetime
    total: int
    unlocated: int = Field(description="Of the total, how many could not be placed in the city")
    simulated: bool
    incidents: list[dict[str, Any]]
    next: str | None = None


def make_router(services: Services) -> APIRouter:
    """All routes of the API, bound to their services."""
    router = APIRouter()
    now = services.clock

    @router.get("/api/v1/sources", response_model=SourcesOut, tags=["sources"])
    async def sources() -> SourcesOut:
        """Every source with its health, ages and counts."""
        at = now()
        panel = services.feed.panels.get("sources", {}).get("sources", {})
        return SourcesOut(
            at=at,
            cache_lost_at=services.feed.cache_lost_at,
            sources=[
                _source_out(services, source_id, panel.get(source_id), at)
                for source_id in services.city.sources
            ],
        )

    @router.get("/api/v1/sources/{source_id}", response_model=SourceOut, tags=["sources"])
    async def one_source(source_id: str) -> SourceOut:
        """One source."""
        if source_id not in services.city.sources:
            known = ", ".join(services.city.sources)
            raise HTTPException(404, f"There is no source {source_id[:60]!r}. Known: {known}.")
        panel = services.feed.panels.get("sources", {}).get("sources", {})
        return _source_out(services, source_id, panel.get(source_id), now())

    @router.get("/api/v1/incidents", response_model=IncidentsOut, tags=["incidents"])
    async def incidents(
        request: Request,
        source: Annotated[list[str] | None, Query(description="Source ids")] = None,
        category: Annotated[list[str] | None, Query(description="Category ids of the pack")] = None,
        status: Annotated[list[Status] | None, Query(description="Statuses")] = None,
        kecamatan: Annotated[list[str] | None, Query(description="Kemendagri codes")] = None,
        kelurahan: Annotated[list[str] | None, Query(description="Kemendagri codes")] = None,
        open: Annotated[bool | None, Query(description="Only open or only closed ones")] = None,
        past_due: Annotated[bool, Query(description="Only open ones past their due time")] = False,
        located: Annotated[bool | None, Query(description="Placed in the city or not")] = None,
        since: Annotated[datetime | None, Query(description="Reported at or after")] = None,
        until: Annotated[datetime | None, Query(description="Reported before")] = None,
        changed_since: Annotated[datetime | None, Query(description="Observed at or after")] = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE_MAX)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
        format: Annotated[Literal["json", "geojson"], Query()] = "json",
    ) -> Any:
        """Incidents by filters, page by page; `format=geojson` gives a FeatureCollection."""
        at = now()
        wanted = IncidentFilter(
            sources=source or (),
            categories=category or (),
            statuses=status or (),
            kecamatan=kecamatan or (),
            kelurahan=kelurahan or (),
            open=open,
            past_due_at=at if past_due else None,
            located=located,
            requested_from=_instant(since, "since"),
            requested_to=_instant(until, "until"),
            updated_from=_instant(changed_since, "changed_since"),
        )
        before = _position(after)
        found, (total, unlocated) = await asyncio.gather(
            asyncio.to_thread(services.history.incidents, wanted, limit=limit + 1, before=before),
            asyncio.to_thread(services.history.count_incidents, wanted),
        )
        page = found[:limit]
        following = _token(page[-1]) if len(found) > limit else None
        simulated = any(item.simulated for item in page)
        if format == "geojson" or "geo+json" in request.headers.get("accept", ""):
            return Response(
                orjson.dumps(_geojson(page, at, total, unlocated, following, simulated)),
                media_type="application/geo+json",
            )
        return IncidentsOut(
            at=at,
            total=total,
            unlocated=unlocated,
            simulated=simulated,
            incidents=[incident_to_plain(item) for item in page],
            next=following,
        )

    @router.get("/api/v1/incidents/{incident_id:path}", tags=["incidents"])
    async def one_incident(incident_id: str) -> dict[str, Any]:
        """One incident with the log of all that happened to it."""
        found = await asyncio.to_thread(services.history.incident, incident_id)
        if found is None:
            raise HTTPException(404, "There is no incident with this id.")
        events = await asyncio.to_thread(services.history.events_of, incident_id)
        return {
            "at": now(),
            "incident": incident_to_plain(found),
            "events": [
                {
                    "kind": event.kind,
                    "at": event.at,
                    "fetched_at": event.fetched_at,
                    "changes": sorted(event.changes),
                    "status": event.changes.get("status"),
                }
                for event in events
            ],
        }

    @router.get("/healthz", tags=["operation"])
    async def healthz() -> dict[str, str]:
        """Whether this web process is alive."""
        return {"status": "ok", "build": services.build}

    @router.get("/readyz", tags=["operation"])
    async def readyz() -> JSONResponse:
        """Whether it can do its work: history and cache answer, and the board is heard."""
        checks = {"history": "ok", "cache": "ok", "board": "ok"}
        try:
            await asyncio.to_thread(services.history.ping)
        except StoreError as error:
            checks["history"] = error.kind
        if services.feed.cache_lost_at is not None:
            checks["cache"] = f"lost since {services.feed.cache_lost_at.isoformat()}"
        heard = services.feed.board_heard_at
        if heard is None or (now() - heard).total_seconds() > 15:
            checks["board"] = f"not heard since {heard.isoformat()}" if heard else "not heard yet"
        ready = all(value == "ok" for value in checks.values())
        return JSONResponse(
            {"status": "ok" if ready else "not ready", "checks": checks}, 200 if ready else 503
        )

    @router.get("/metrics", tags=["operation"])
    async def metrics() -> Response:
        """Figures for Prometheus."""
        body, kind = await asyncio.to_thread(
            render, services.city, services.feed, services.build, now()
        )
        return Response(body, media_type=kind)

    @router.api_route(
        "/api/{path:path}",
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        include_in_schema=False,
    )
    async def nothing_here(request: Request, path: str) -> None:
        # Dash answers every unknown path with a page; a program must be told that it is lost.
        if any(route.matches(request.scope)[0] is Match.PARTIAL for route in router.routes):
            raise HTTPException(405, "This address can only be read (GET).", {"Allow": "GET"})
        raise HTTPException(404, "There is nothing at this address. See /docs.")

    return router


def _source_out(
    services: Services, source_id: str, entry: dict[str, Any] | None, at: datetime
) -> SourceOut:
    entry = entry or source_entry(services.city, source_id, None)
    state: SourceState = state_from_plain({"source_id": source_id, **entry})
    source = services.city.sources[source_id]
    age_s = (at - state.last_success).total_seconds() if state.last_success else None
    return SourceOut(id=source_id, health=health(state, source.cadence, at), age_s=age_s, **entry)


def _instant(moment: datetime | None, name: str) -> datetime | None:
    """A time of the query in UTC; one without a zone is taken as UTC, as all that the API gives."""
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise HTTPException(422, f"`{name}` lies outside the years 1 to 9999 in UTC.") from None


def _token(last: Incident) -> str:
    text = f"{last.requested_at.isoformat()} {last.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _position(token: str | None) -> tuple[datetime, str] | None:
    if not token:
        return None
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        moment, incident_id = text.split(" ", 1)
        requested_at = datetime.fromisoformat(moment)
        if requested_at.tzinfo is None or "\x00" in incident_id:
            raise ValueError("no position")
        return requested_at.astimezone(UTC), incident_id
    except (ValueError, OverflowError, binascii.Error):
        raise HTTPException(400, "`after` is not a value that `next` gave.") from None


def _geojson(
    page: list[Incident],
    at: datetime,
    total: int,
    unlocated: int,
    following: str | None,
    simulated: bool,
) -> dict[str, Any]:
    """A FeatureCollection (RFC 7946); an incident without a place has a null geometry."""
    features = []
    for item in page:
        properties = incident_to_plain(item)
        longitude, latitude = properties.pop("longitude"), properties.pop("latitude")
        located = longitude is not None and latitude is not None
        features.append(
            {
                "type": "Feature",
                "id": item.id,
                "geometry": {"type": "Point", "coordinates": [longitude, latitude]}
                if located
                else None,
                "properties": properties,
            }
        )
    return {
        "type": "FeatureCollection",
        "features": features,
        "at": at.isoformat(),
        "total": total,
        "unlocated": unlocated,
        "simulated": simulated,
        "next": following,
    }
