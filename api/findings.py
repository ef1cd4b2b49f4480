"""`/api/v1/findings`: what looks wrong in the data, and what a person decides about it."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.operator import body_of, read_json, require_operator
from api.paging import PAGE_MAX, make_time_token, read_numbered_time_token, refuse_unknown
from api.quality import QualityBook
from api.services import Services
from lawang.domain.errors import LawangError, StoreError
from lawang.domain.finding import HOLDING_BACK, Finding, FindingKind, FindingState
from lawang.domain.measure import Reading

_NUMBER_MAX = 2**63 - 1


class FindingOut(BaseModel):
    """One finding. `value` and `usual` are in the base unit of the measure, `detail` in English."""

    id: int
    source_id: str
    kind: FindingKind
    measure: str
    subject: str
    detail: str
    sample: str
    count: int = Field(description="How many records it holds back, or how often it was seen")
    holds_back: bool = Field(description="Whether readings wait for the decision")
    at: datetime | None
    value: float | None
    usual: float | None
    first_seen: datetime
    last_seen: datetime
    state: FindingState
    decided_at: datetime | None
    decided_by: str | None
    note: str | None


class FindingsOut(BaseModel):
    """One page of findings, the last seen first. Give `next` as `after` for the next page."""

    at: datetime
    total: int
    findings: list[FindingOut]
    next: str | None = None


class Decision(BaseModel):
    """What a person decides. Accepted readings count from now on; dismissed ones never will."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    decision: Literal["accept", "dismiss"]
    by: Annotated[str, Field(min_length=2, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


class DecidedOut(BaseModel):
    """The finding as it stands now, and how many series got a newer reading by it."""

    at: datetime
    finding: FindingOut
    series_updated: int
    shown: bool = Field(
        description="Whether live state got it; if not, the wall follows once it is filled again"
    )


def finding_out(finding: Finding) -> FindingOut:
    """A finding for the outside; numbers that JSON has no word for are left out."""

    def finite(value: float | None) -> float | None:
        return value if value is not None and math.isfinite(value) else None

    return FindingOut(
        id=finding.id,
        source_id=finding.source_id,
        kind=finding.kind,
        measure=finding.measure,
        subject=finding.subject,
        detail=finding.detail,
        sample=finding.sample,
        count=finding.count,
        holds_back=finding.kind in HOLDING_BACK,
        at=finding.at,
        value=finite(finding.value),
        usual=finite(finding.usual),
        first_seen=finding.first_seen,
        last_seen=finding.last_seen,
        state=finding.state,
        decided_at=finding.decided_at,
        decided_by=finding.decided_by,
        note=finding.note,
    )


def add_finding_routes(router: APIRouter, services: Services, book: QualityBook) -> None:
    """The routes about findings."""

    @router.get(
        "/api/v1/findings",
        response_model=FindingsOut,
        tags=["findings"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def findings(
        source: Annotated[list[str] | None, Query(description="Source ids")] = None,
        state: Annotated[
            list[FindingState] | None, Query(description="Open ones if not said")
        ] = None,
        kind: Annotated[list[FindingKind] | None, Query(description="Kinds of finding")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> FindingsOut:
        """Findings by source, state and kind."""
        states, kinds = state or [FindingState.OPEN], kind or []
        store = services.history.findings
        before = read_numbered_time_token(after)
        found, total = await asyncio.gather(
            asyncio.to_thread(
                store.list, source or (), states, limit + 1, kinds=kinds, before=before
            ),
            asyncio.to_thread(store.count, source or (), states, kinds),
        )
        page = found[:limit]
        more = len(found) > limit
        return FindingsOut(
            at=services.clock(),
            total=total,
            findings=[finding_out(each) for each in page],
            next=make_time_token(page[-1].last_seen, str(page[-1].id)) if more else None,
        )

    @router.post(
        "/api/v1/findings/{finding_id}",
        response_model=DecidedOut,
        tags=["findings"],
        responses={401: {}, 403: {}, 404: {}, 409: {}, 413: {}, 415: {}},
        dependencies=[Depends(refuse_unknown)],
        openapi_extra=body_of(Decision),
    )
    async def decide(finding_id: int, request: Request) -> DecidedOut:
        """Accept a finding or dismiss it, once and for all, with a name."""
        require_operator(request, services.operator_token)
        decision = await read_json(request, Decision)
        if not 0 < finding_id <= _NUMBER_MAX:
            raise HTTPException(404, "There is no finding with this number.")
        finding, newest = await asyncio.to_thread(_decide, services, finding_id, decision)
        book.forget()
        shown = await asyncio.to_thread(_show, services, finding.source_id, newest)
        return DecidedOut(
            at=services.clock(),
            finding=finding_out(finding),
            series_updated=len(newest),
            shown=shown,
        )


def _decide(
    services: Services, finding_id: int, decision: Decision
) -> tuple[Finding, list[Reading]]:
    history = services.history
    known = history.findings.get(finding_id)
    if known is None:
        raise HTTPException(404, "There is no finding with this number.")
    try:
        _before, newest = history.readings.decide(
            finding_id,
            accept=decision.decision == "accept",
            by=decision.by,
            note=decision.note,
            at=services.clock(),
        )
    except StoreError:
        raise
    except LawangError:
        raise HTTPException(
            409, "It is decided already, or over by itself. Load the list again."
        ) from None
    return history.findings.get(finding_id) or known, newest


def _show(services: Services, source_id: str, newest: list[Reading]) -> bool:
    """Tell live state, so that the board follows; history has it in either case."""
    try:
        if newest:
            services.live.put(readings=newest)
        still_open = services.history.findings.open_counts().get(source_id, 0)
        services.live.note_findings(source_id, still_open)
    except StoreError:
        return False
    return True
