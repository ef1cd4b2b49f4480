"""One source in full, the standing of all of them, and "try now"."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.findings import FindingOut, finding_out
from api.operator import is_operator, require_operator
from api.paging import refuse_unknown
from api.quality import QualityBook, Standing, standing_out
from api.services import Services
from lawang.board.panels import source_entry
from lawang.city import Source
from lawang.domain.finding import FindingState
from lawang.domain.health import Health, SourceState, health, state_from_plain

#: One source is not asked for again before this.
_TRY_GAP = timedelta(seconds=5)
_OUTAGES = 30
_QUARANTINED = 20
_CORRECTIONS = 30
_FINDINGS = 50


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


class ConnectionOut(BaseModel):
    """How the source is reached, without addresses, keys or what else may be secret."""

    connector: str
    every_s: float
    timeout_s: float
    unset: list[str] = Field(description="Environment variables that still have to be set")
    further_hosts: list[str] = Field(description="Hosts allowed beside its own")
    private_network: bool
    own_authorities: bool = Field(description="Whether it has its own CA file")
    client_certificate: bool
    proxy: bool


class MeasureOut(BaseModel):
    """One measure that the source's file declares. Values are in `unit`."""

    id: str
    name_id: str
    name_en: str
    unit: str
    kind: str
    period: str


class OutageOut(BaseModel):
    """One outage; `ended_at` is null while it lasts."""

    began_at: datetime
    ended_at: datetime | None
    error_kind: str
    error_detail: str


class ReasonOut(BaseModel):
    """How many different records lie in quarantine for a reason."""

    reason: str
    count: int
    last_seen: datetime


class QuarantinedOut(BaseModel):
    """One record in quarantine, without what a citizen wrote."""

    reason: str
    detail: str
    external_id: str | None
    sample: str
    first_seen: datetime
    last_seen: datetime


class CorrectionOut(BaseModel):
    """A reading that its source changed later; `after` is null where it was withdrawn."""

    measure: str
    subject: str
    at: datetime
    before: float
    after: float | None
    delivery: str | None
    corrected_at: datetime


class SampleOut(BaseModel):
    """The last raw answer that was kept, shortened and masked. Text, never markup."""

    taken_at: datetime
    content_type: str
    body: str


class SourceDetailOut(SourceOut):
    """All that is known of one source. Lists are the newest; totals stand beside them."""

    at: datetime
    may_act: bool = Field(description="Whether this caller may poll it now and decide findings")
    takes_key: bool = Field(description="Whether an operator's key would allow it")
    connection: ConnectionOut
    opd_id: str
    yields: list[str]
    attribution: str
    licence: str
    contact: str
    measures: list[MeasureOut]
    quality: Standing
    outages: list[OutageOut]
    open_findings: list[FindingOut]
    decided_findings: list[FindingOut]
    quarantine_reasons: list[ReasonOut]
    quarantine: list[QuarantinedOut]
    corrections: list[CorrectionOut]
    sample: SampleOut | None


class StandingsOut(BaseModel):
    """How well every source has been heard, by its id."""

    at: datetime
    sources: dict[str, Standing]


class AskedOut(BaseModel):
    """That the poller was asked. Whether it succeeded is seen in the source's `last_attempt`."""

    at: datetime
    source: str


def add_source_routes(router: APIRouter, services: Services, book: QualityBook) -> None:
    """The routes about sources."""

    @router.get(
        "/api/v1/quality",
        response_model=StandingsOut,
        tags=["sources"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def standings() -> StandingsOut:
        """Quality, heartbeats and open findings of every source, at most ten seconds old."""
        found = await asyncio.to_thread(book.read)
        return StandingsOut(
            at=found.at,
            sources={name: standing_out(each) for name, each in found.sources.items()},
        )

    @router.get(
        "/api/v1/sources/{source_id}",
        response_model=SourceDetailOut,
        tags=["sources"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def one_source(source_id: str, request: Request) -> SourceDetailOut:
        """One source in full: state, quality, outages, findings, quarantine and a sample."""
        source = find_source(services, source_id)
        found = await asyncio.to_thread(_read_detail, services, source, book)
        panel = services.feed.panels.get("sources", {}).get("sources", {})
        now = services.clock()
        stated = source_out(services, source_id, panel.get(source_id), now)
        token = services.operator_token
        return SourceDetailOut.model_validate(
            {
                **stated.model_dump(),
                **_describe(source),
                **found,
                "at": now,
                "may_act": is_operator(request, token),
                "takes_key": bool(token.get_secret_value()),
            }
        )

    @router.post(
        "/api/v1/sources/{source_id}/poll",
        response_model=AskedOut,
        status_code=202,
        tags=["sources"],
        responses={401: {}, 403: {}, 404: {}, 409: {}, 415: {}, 429: {}},
        dependencies=[Depends(refuse_unknown)],
    )
    async def try_now(source_id: str, request: Request) -> Any:
        """Ask the poller to poll the source at once, however long it is being left alone."""
        _check_type(request)
        require_operator(request, services.operator_token)
        source = find_source(services, source_id)
        if source.unset:
            names = ", ".join(source.unset)
            raise HTTPException(409, f"It is not connected yet: set {names} and start again.")
        gap_ms = int(_TRY_GAP.total_seconds() * 1000)
        if not await asyncio.to_thread(services.live.want, source_id, gap_ms):
            raise HTTPException(
                429,
                f"It was asked for within the last {_TRY_GAP.total_seconds():g} seconds.",
                {"Retry-After": str(int(_TRY_GAP.total_seconds()))},
            )
        asked = AskedOut(at=services.clock(), source=source_id)
        return JSONResponse(asked.model_dump(mode="json"), 202)


def find_source(services: Services, source_id: str) -> Source:
    """The source of that id; HTTPException 404 with the known ones."""
    source = services.city.sources.get(source_id)
    if source is None:
        known = ", ".join(services.city.sources)
        raise HTTPException(404, f"There is no source {source_id[:60]!r}. Known: {known}.")
    return source


def source_out(
    services: Services, source_id: str, entry: dict[str, Any] | None, at: datetime
) -> SourceOut:
    """A source as the board's panel states it, judged at `at`."""
    entry = entry or source_entry(services.city, source_id, None)
    state: SourceState = state_from_plain({"source_id": source_id, **entry})
    source = services.city.sources[source_id]
    age_s = (at - state.last_success).total_seconds() if state.last_success else None
    return SourceOut(id=source_id, health=health(state, source.cadence, at), age_s=age_s, **entry)


def states_of(services: Services) -> dict[str, SourceState]:
    """What is known of each source's polls, as the board's panel states it."""
    panel = services.feed.panels.get("sources", {}).get("sources", {})
    return {
        name: state_from_plain({"source_id": name, **entry})
        for name, entry in panel.items()
        if name in services.city.sources
    }


def _check_type(request: Request) -> None:
    # A form of another site can send no JSON without asking first.
    stated = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if stated != "application/json":
        raise HTTPException(415, "Send JSON (an empty object will do), with its content type.")


def _describe(source: Source) -> dict[str, Any]:
    """What its file says, without what may be secret."""
    network = source.network
    return {
        "opd_id": source.opd,
        "yields": list(source.yields),
        "attribution": source.attribution,
        "licence": source.licence,
        "contact": source.contact,
        "measures": [
            {
                "id": each.id,
                "name_id": each.name_id,
                "name_en": each.name_en,
                "unit": each.unit,
                "kind": each.kind.value,
                "period": each.period.value,
            }
            for each in source.measures.values()
        ],
        "connection": {
            "connector": source.connector,
            "every_s": source.every_s,
            "timeout_s": source.timeout_s,
            "unset": list(source.unset),
            "further_hosts": [str(each) for each in network.hosts],
            "private_network": network.private,
            "own_authorities": network.ca_file is not None,
            "client_certificate": network.client_cert is not None,
            "proxy": network.proxy is not None,
        },
    }


def _read_detail(services: Services, source: Source, book: QualityBook) -> dict[str, Any]:
    """What history knows of a source; StoreError where it is away."""
    history = services.history
    sample = history.quality.sample(source.id)
    decided = (FindingState.ACCEPTED, FindingState.DISMISSED, FindingState.OVER)
    open_findings = history.findings.list([source.id], limit=_FINDINGS)
    decided_findings = history.findings.list([source.id], decided, limit=_FINDINGS)
    return {
        "quality": standing_out(book.read().sources[source.id]),
        "outages": history.outages(source.id, _OUTAGES),
        "open_findings": [finding_out(each) for each in open_findings],
        "decided_findings": [finding_out(each) for each in decided_findings],
        "quarantine_reasons": [
            {"reason": reason, "count": count, "last_seen": last_seen}
            for reason, (count, last_seen) in history.quarantine_reasons(source.id).items()
        ],
        "quarantine": history.quarantined(source.id, _QUARANTINED),
        "corrections": history.readings.corrections(source.id, _CORRECTIONS),
        "sample": None
        if sample is None
        else {
            "taken_at": sample.taken_at,
            "content_type": sample.content_type,
            "body": sample.body,
        },
    }
