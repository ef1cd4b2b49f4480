"""`/api/v1/briefs`: the morning briefs that were made, their sentences, and their two files."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field

from api.paging import refuse_unknown
from api.services import Services
from lawang.store.briefs import Brief, BriefFile, MailCount

_TYPES = {
    BriefFile.PDF: "application/pdf",
    BriefFile.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_LISTED_MAX = 400


class ParagraphOut(BaseModel):
    """Some sentences under a heading."""

    title: str
    sentences: list[str]


class MailOut(BaseModel):
    """How many letters stand where; to whom they go is not told."""

    waiting: int = Field(description="Not taken yet; they are tried again")
    sent: int
    refused: int = Field(description="Given up")
    errors: list[str] = Field(description="What those not sent met last")


class BriefOut(BaseModel):
    """One edition of a brief in one language."""

    day: date = Field(description="The morning it is for")
    tells_of: date = Field(description="The last complete day then")
    edition: int
    language: str
    made_at: datetime
    title: str
    simulated: bool
    notes: list[str] = Field(description="To be read first: simulated or missing data")
    paragraphs: list[ParagraphOut]
    pdf_bytes: int
    xlsx_bytes: int
    mail: MailOut | None = Field(description="None: it was never to be sent")


class BriefsOut(BaseModel):
    """Briefs, newest first."""

    at: datetime
    briefs: list[BriefOut]


_Language = Annotated[Literal["id", "en"], Query(description="The brief's language")]
_Edition = Annotated[int | None, Query(ge=1, description="An edition; else the newest")]


def add_brief_routes(router: APIRouter, services: Services) -> None:
    """The routes of briefs. They only read: `lawang brief` and the poller make them."""
    store = services.history.briefs

    @router.get(
        "/api/v1/briefs",
        response_model=BriefsOut,
        tags=["briefs"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def briefs(
        language: _Language = "id",
        limit: Annotated[int, Query(ge=1, le=_LISTED_MAX)] = 14,
        before: Annotated[date | None, Query(description="Of days before this one")] = None,
    ) -> BriefsOut:
        """Every edition with its sentences, newest first."""

        def read() -> BriefsOut:
            found = store.recent(language, limit, before)
            counts = store.mail_counts([each.day for each in found])
            return BriefsOut(
                at=services.clock(),
                briefs=[_brief_out(each, counts.get(_key(each))) for each in found],
            )

        return await asyncio.to_thread(read)

    @router.get(
        "/api/v1/briefs/{day}.json",
        response_model=BriefOut,
        tags=["briefs"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def one_brief(
        day: date, language: _Language = "id", edition: _Edition = None
    ) -> BriefOut:
        """One brief in sentences."""

        def read() -> BriefOut:
            found = find(day, language, edition)
            return _brief_out(found, store.mail_counts([day]).get(_key(found)))

        return await asyncio.to_thread(read)

    @router.get(
        "/api/v1/briefs/{day}.{kind}",
        response_class=Response,
        responses={200: {"content": {each: {} for each in _TYPES.values()}}},
        tags=["briefs"],
        dependencies=[Depends(refuse_unknown)],
    )
    async def brief_file(
        request: Request,
        day: date,
        kind: BriefFile,
        language: _Language = "id",
        edition: _Edition = None,
    ) -> Response:
        """The page (PDF) or the workbook (XLSX) of one brief."""
        brief = await asyncio.to_thread(find, day, language, edition)
        digest = brief.pdf_digest if kind is BriefFile.PDF else brief.xlsx_digest
        name = f"lawang-jabo-{day}-{language}-{brief.edition}.{kind}"
        headers = {
            "ETag": f'"{digest[:32]}"',
            # An edition never changes, but this address leads to the newest one.
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f'inline; filename="{name}"',
        }
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = await asyncio.to_thread(store.file, brief, kind)
        return Response(body, media_type=_TYPES[kind], headers=headers)

    def find(day: date, language: str, edition: int | None) -> Brief:
        found = store.find(day, language, edition)
        if found is None:
            raise HTTPException(
                404, "No such brief was made. /api/v1/briefs lists those that were."
            )
        return found


def _key(brief: Brief) -> tuple[date, str, int]:
    return brief.day, brief.language, brief.edition


def _brief_out(brief: Brief, mail: MailCount | None) -> BriefOut:
    return BriefOut(
        day=brief.day,
        tells_of=brief.last,
        edition=brief.edition,
        language=brief.language,
        made_at=brief.made_at,
        title=brief.title,
        simulated=brief.simulated,
        notes=list(brief.notes),
        paragraphs=[
            ParagraphOut(title=each.title, sentences=list(each.sentences))
            for each in brief.paragraphs
        ],
        pdf_bytes=brief.pdf_size,
        xlsx_bytes=brief.xlsx_size,
        mail=None
        if mail is None
        else MailOut(
            waiting=mail.waiting, sent=mail.sent, refused=mail.refused, errors=list(mail.errors)
        ),
    )
