"""Reads one poll's answers from a JSON API, page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import http
from connectors.rest.auth import authorisation
from connectors.rest.options import (
    CursorPages,
    Incremental,
    NumberedPages,
    OffsetPages,
    RestOptions,
)
from connectors.rest.parse import find_rows, open_json
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, SourceError
from lawang.mapping import search

_SLOT = "page/first"


async def read_answers(
    options: RestOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """Answers page by page; none if the server says that nothing changed.

    Raises what `connectors.http.send` raises, and NeedsPerson("too_large") when `max_pages` do
    not suffice; what was yielded until then is good.
    """
    asked = dict(options.params) | _since(options.incremental, cursor)
    page = _first_page(options)
    seen: set[str] = set()
    for number in range(options.max_pages):
        query = asked | page
        validator = _known(cursor, options, query) if number == 0 else None
        reply = await _ask(options, context, query, validator)
        if reply.not_modified:
            return
        fingerprint = hashlib.sha256(reply.body).hexdigest()
        # The same page again: a server that ignores how it is asked for the next one.
        if fingerprint in seen:
            return
        seen.add(fingerprint)
        following = _next_page(options, page, reply.body)
        yield Answer(
            body=reply.body,
            content_type=reply.content_type,
            fetched_at=context.clock(),
            kind="rows",
            simulated=reply.is_simulated,
            # Only a poll of one page is wholly described by the first page's validator.
            validators=_remember(options, query, reply)
            if number == 0 and following is None
            else {},
        )
        if following is None:
            return
        page = following
    raise NeedsPerson("too_large", f"more than {options.max_pages} pages")


async def _ask(
    options: RestOptions, context: FetchContext, query: dict[str, str], validator: str | None
) -> http.Reply:
    headers = {"Accept": "application/json", **options.headers}
    headers |= await authorisation(options.auth, context)
    if validator:
        headers["If-None-Match"] = validator
    return await http.send(
        context.client,
        options.method,
        options.url,
        clock=context.clock,
        timeout=context.timeout,
        max_bytes=min(options.max_bytes, context.max_bytes),
        params=query,
        headers=headers,
        json=options.body,
    )


def _since(incremental: Incremental | None, cursor: Cursor) -> dict[str, str]:
    if incremental is None or cursor.watermark is None:
        return {}
    since = cursor.watermark - timedelta(seconds=incremental.overlap_s)
    return {incremental.parameter: _write_time(since, incremental.format)}


def _write_time(moment: datetime, form: str) -> str:
    if form == "iso":
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    seconds = moment.timestamp()
    return str(int(seconds * 1000) if form == "epoch_ms" else int(seconds))


def _first_page(options: RestOptions) -> dict[str, str]:
    paging = options.paging
    if isinstance(paging, NumberedPages):
        size = {paging.size_parameter: str(paging.size)} if paging.size_parameter else {}
        return {paging.parameter: str(paging.first), **size}
    if isinstance(paging, OffsetPages):
        return {paging.parameter: "0", paging.size_parameter: str(paging.size)}
    return {}


def _next_page(options: RestOptions, page: dict[str, str], body: bytes) -> dict[str, str] | None:
    """The parameters of the next page; None after the last one, or after one that is no answer."""
    paging = options.paging
    try:
        document = open_json(body)
        rows = find_rows(options, document)
    except SourceError:
        return None
    if isinstance(paging, NumberedPages | OffsetPages):
        if len(rows) < paging.size:
            return None
        step = 1 if isinstance(paging, NumberedPages) else paging.size
        return page | {paging.parameter: str(int(page[paging.parameter]) + step)}
    if isinstance(paging, CursorPages):
        following: Any = search(paging.next, document)
        usable = isinstance(following, str | int) and following != "" and rows
        return {paging.parameter: str(following)} if usable else None
    return None


def _known(cursor: Cursor, options: RestOptions, query: dict[str, str]) -> str | None:
    """The ETag held for exactly this question."""
    question, _, etag = cursor.validators.get(_SLOT, "").partition(" ")
    return etag if etag and question == _question(options, query) else None


def _remember(options: RestOptions, query: dict[str, str], reply: http.Reply) -> dict[str, str]:
    return {_SLOT: f"{_question(options, query)} {reply.etag}" if reply.etag else ""}


def _question(options: RestOptions, query: dict[str, str]) -> str:
    asked = json.dumps([options.method, options.url, query, options.body], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
