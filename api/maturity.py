"""`/api/v1/maturity`: how far each department is integrated, and by which rules."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.paging import refuse_unknown
from api.quality import Book, QualityBook
from api.services import Services
from api.source_detail import source_out
from lawang.city.pack import Opd
from lawang.domain.maturity import CLOSED_WITHIN_DAYS, SourceFacts, Stage, assess
from lawang.store.outcomes import OutcomeStore
from layouts.maturity import reason_text, rule_text, stage_word
from layouts.words import Words, words


class StageOut(BaseModel):
    """One stage of the ladder; `rule` is made from the thresholds that decide."""

    id: Stage
    name: str
    rule: str
    departments: int


class ReasonOut(BaseModel):
    """Why a department stands where it stands. `value` is a share, seconds or a count."""

    code: str
    source: str = Field(description="Its id; empty: it is about the whole department")
    source_name: str
    value: float | None
    text: str


class DepartmentOut(BaseModel):
    """One department on the ladder."""

    id: str
    name: str
    full_name: str
    stage: Stage
    stage_name: str
    reasons: list[ReasonOut]
    sources: list[str]
    closed: int = Field(description="With a due time, closed in the last 30 days")
    in_time: int = Field(description="Of those, closed by their due time")


class MaturityOut(BaseModel):
    """The ladder, lowest stage first, and every department of the city on it."""

    at: datetime
    stages: list[StageOut]
    departments: list[DepartmentOut]


def add_maturity_routes(router: APIRouter, services: Services, book: QualityBook) -> None:
    """The route of the ladder."""
    outcomes = OutcomeStore(services.history.database)

    @router.get(
        "/api/v1/maturity",
        response_model=MaturityOut,
        tags=["sources"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def maturity(
        lang: Annotated[Literal["id", "en"], Query(description="Language of the texts")] = "id",
    ) -> MaturityOut:
        """The maturity ladder, from what is true now."""
        now = services.clock()
        since = now - timedelta(days=CLOSED_WITHIN_DAYS)
        found, closed = await asyncio.gather(
            asyncio.to_thread(book.read), asyncio.to_thread(outcomes.closed_since, since)
        )
        say = words(lang)
        panel = services.feed.panels.get("sources", {}).get("sources", {})
        facts = {
            source_id: _facts_of(services, source_id, panel.get(source_id), found, now)
            for source_id in services.city.sources
        }
        departments = [
            _department_out(services, opd, facts, closed, say)
            for opd in services.city.opds.values()
        ]
        return MaturityOut(
            at=now,
            stages=[
                StageOut(
                    id=stage,
                    name=stage_word(say, stage),
                    rule=rule_text(say, stage),
                    departments=sum(each.stage is stage for each in departments),
                )
                for stage in Stage
            ],
            departments=departments,
        )


def _department_out(
    services: Services,
    opd: Opd,
    facts: dict[str, SourceFacts],
    closed: Mapping[str, tuple[int, int]],
    say: Words,
) -> DepartmentOut:
    own = [each.id for each in services.city.sources.values() if each.opd == opd.id]
    ended = sum(closed.get(source_id, (0, 0))[0] for source_id in own)
    in_time = sum(closed.get(source_id, (0, 0))[1] for source_id in own)
    assessment = assess([facts[source_id] for source_id in own], ended, in_time)
    return DepartmentOut(
        id=opd.id,
        name=opd.name,
        full_name=opd.full_name,
        stage=assessment.stage,
        stage_name=stage_word(say, assessment.stage),
        reasons=[
            ReasonOut(
                code=each.code.value,
                source=each.source_id,
                value=each.value,
                source_name=_name_of(services, each.source_id),
                text=reason_text(say, each),
            )
            for each in assessment.reasons
        ],
        sources=own,
        closed=ended,
        in_time=in_time,
    )


def _facts_of(
    services: Services, source_id: str, entry: dict[str, Any] | None, book: Book, now: datetime
) -> SourceFacts:
    stated = source_out(services, source_id, entry, now)
    known = stated.model_dump()
    incidents = known.get("incidents") or 0
    unknown = known.get("unknown_category", 0) + known.get("unknown_status", 0)
    return SourceFacts(
        source_id=source_id,
        connector=services.city.sources[source_id].connector,
        health=stated.health,
        age_s=stated.age_s,
        day=book.day[source_id],
        month=book.month[source_id],
        unplaced=known.get("unlocated", 0) / incidents if incidents else None,
        unknown=min(1.0, unknown / incidents) if incidents else None,
    )


def _name_of(services: Services, source_id: str) -> str:
    return services.city.sources[source_id].name if source_id else ""
