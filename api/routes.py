"""The HTTP API, version 1: sources, incidents, and the checks that other programs make.

Errors are `{"error": {"status", "message"}}` with a sentence that says what to change.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.routing import Match

from api.alerts import add_alert_routes
from api.briefs import add_brief_routes
from api.camera_relay import CameraRelay
from api.cameras import add_camera_routes
from api.findings import add_finding_routes
from api.kpis import add_kpi_routes
from api.maturity import add_maturity_routes
from api.metrics import render
from api.paging import PAGE_MAX, in_utc, make_time_token, read_time_token
from api.quality import QualityBook
from api.records import add_record_routes
from api.screens import add_screen_routes
from api.services import Services
from api.source_detail import SourceOut, add_source_routes, source_out
from api.wall_worker import add_wall_worker_route
from lawang.domain.errors import StoreError
from lawang.domain.incident import Incident, Status, incident_to_plain
from lawang.screens.desk import ScreenDesk
from lawang.store.history import IncidentFilter

__all__ = ["Services", "make_router"]


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


def make_router(services: Services, desk: ScreenDesk, cameras: CameraRelay) -> APIRouter:
    """All routes of the API, bound to their services; while they serve, the desk is kept."""
    router = APIRouter()
    now = services.clock
    book = QualityBook(services)

    @router.get("/api/v1/sources", response_model=SourcesOut, tags=["sources"])
    async def sources() -> SourcesOut:
        """Every source with its health, ages and counts."""
        at = now()
        panel = services.feed.panels.get("sources", {}).get("sources", {})
        return SourcesOut(
            at=at,
            cache_lost_at=services.feed.cache_lost_at,
            sources=[
                source_out(services, source_id, panel.get(source_id), at)
                for source_id in services.city.sources
            ],
        )

    add_source_routes(router, services, book)
    add_record_routes(router, services)
    add_finding_routes(router, services, book)
    add_alert_routes(router, services)
    add_maturity_routes(router, services, book)
    add_kpi_routes(router, services, book)
    add_brief_routes(router, services)
    add_screen_routes(router, services, desk)
    add_camera_routes(router, cameras)
    add_wall_worker_route(router)

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
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
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
            requested_from=in_utc(since, "since"),
            requested_to=in_utc(until, "until"),
            updated_from=in_utc(changed_since, "changed_since"),
        )
        before = read_time_token(after)
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
            render,
            services.city,
            services.feed,
            services.build,
            now(),
            book,
            services.history,
            [cameras],
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
            raise HTTPException(405, *_refuse_method(router, request))
        raise HTTPException(404, "There is nothing at this address. See /docs.")

    return router


def _refuse_method(router: APIRouter, request: Request) -> tuple[str, dict[str, str]]:
    """The sentence and the header for a call by a method that its address does not take."""
    allowed = sorted(
        method
        for route in router.routes
        if route.matches(request.scope)[0] is Match.PARTIAL
        for method in getattr(route, "methods", None) or ()
    )
    if allowed == ["GET"]:
        return "This address can only be read (GET).", {"Allow": "GET"}
    methods = ", ".join(allowed)
    return f"This address takes calls of other methods ({methods}).", {"Allow": methods}


def _token(last: Incident) -> str:
    return make_time_token(last.requested_at, last.id)


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
