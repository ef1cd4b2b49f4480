"""`/api/v1/maturity`: how far each department is integrated, and by which rules."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.paging import refuse_unknown
from api.quality import QualityBook
from api.services import Services
from api.source_detail import states_of
from lawang.domain.maturity import Stage
from lawang.overview.ladder import read_ladder
from lawang.overview.model import Rung
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
        states = states_of(services)
        found = await asyncio.to_thread(book.read)
        rungs = await asyncio.to_thread(
            read_ladder, services.city, services.history, found, states, now
        )
        say = words(lang)
        departments = [_department_out(services, each, say) for each in rungs]
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


def _department_out(services: Services, rung: Rung, say: Words) -> DepartmentOut:
    opd, assessment = services.city.opds[rung.opd], rung.assessment
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
        sources=list(rung.sources),
        closed=rung.closed,
        in_time=rung.in_time,
    )


def _name_of(services: Services, source_id: str) -> str:
    return services.city.sources[source_id].name if source_id else ""
