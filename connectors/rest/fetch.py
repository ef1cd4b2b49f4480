"""Reads one poll's answers from a JSON API, page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import http
from connectors.rest.auth import authorisation, forget_token
from connectors.rest.options import (
    CursorPages,
    Incremental,
    NumberedPages,
    OffsetPages,
    OnePage,
    RestOptions,
)
from connectors.rest.parse import find_rows, open_json
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, SourceError
from lawang.mapping import search

_SLOT = "page/first"
# Before a time of change in a validator; no ETag begins so, as it begins with a quote.
_SINCE = "since "


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
        rows, following = _look(options, page, reply.body)
        fingerprint = _fingerprint(rows, reply.body)
        # The same page again: a server that ignores how it is asked for the next one.
        if fingerprint in seen:
            return
        seen.add(fingerprint)
        yield Answer(
            body=reply.body,
            content_type=reply.content_type,
            fetched_at=context.clock(),
            kind="rows",
            simulated=reply.is_simulated,
            validators=_remember(options, query, reply, following) if number == 0 else {},
        )
        if following is None:
            return
        page = following
    raise NeedsPerson("too_large", f"more than {options.max_pages} pages")


async def _ask(
    options: RestOptions, context: FetchContext, query: dict[str, str], validator: str | None
) -> http.Reply:
    """One request; once more with a new token when the server no longer takes the one held."""
    try:
        return await _send(options, context, query, validator)
    except NeedsPerson as error:
        if error.kind != "refused" or not forget_token(context.client):
            raise
    return await _send(options, context, query, validator)


async def _send(
    options: RestOptions, context: FetchContext, query: dict[str, str], validator: str | None
) -> http.Reply:
    headers = {"Accept": "application/json", **options.headers}
    headers |= await authorisation(options.auth, context)
    if validator:
        headers |= _condition(validator)
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


def _look(
    options: RestOptions, page: dict[str, str], body: bytes
) -> tuple[list[Any] | None, dict[str, str] | None]:
    """The rows of a page and the parameters of the next one; None each where there is none."""
    if isinstance(options.paging, OnePage):
        return None, None
    try:
        document = open_json(body)
        rows = find_rows(options, document)
    except SourceError:
        return None, None
    return rows, _next_page(options, page, document, rows)


def _fingerprint(rows: list[Any] | None, body: bytes) -> str:
    """What makes two pages the same one: their rows, as envelopes may carry a time or a number."""
    try:
        content = body if rows is None else json.dumps(rows).encode()
    except RecursionError:
        content = body
    return hashlib.sha256(content).hexdigest()


def _next_page(
    options: RestOptions, page: dict[str, str], document: Any, rows: list[Any]
) -> dict[str, str] | None:
    paging = options.paging
    if isinstance(paging, NumberedPages | OffsetPages):
        if len(rows) < paging.size:
            return None
        step = 1 if isinstance(paging, NumberedPages) else paging.size
        return page | {paging.parameter: str(int(page[paging.parameter]) + step)}
    if isinstance(paging, CursorPages):
        following: Any = search(paging.next, document)
        stated = isinstance(following, str | int) and not isinstance(following, bool)
        usable = stated and following != "" and rows
        return {paging.parameter: str(following)} if usable else None
    return None


def _known(cursor: Cursor, options: RestOptions, query: dict[str, str]) -> str | None:
    """What is held for exactly this question. Of a POST nothing is: a server may refuse it."""
    if options.method != "GET":
        return None
    question, _, etag = cursor.validators.get(_SLOT, "").partition(" ")
    return etag if etag and question == _question(options, query) else None


def _remember(
    options: RestOptions,
    query: dict[str, str],
    reply: http.Reply,
    following: dict[str, str] | None,
) -> dict[str, str]:
    """The ETag, or else the time of the last change, beside the question that they answer.

    Only a poll of one page is wholly described by its first page's; else nothing is held.
    """
    known = reply.etag or (f"{_SINCE}{reply.last_modified}" if reply.last_modified else "")
    if following is not None or not known:
        return {_SLOT: ""}
    return {_SLOT: f"{_question(options, query)} {known}"}


def _condition(held: str) -> dict[str, str]:
    if held.startswith(_SINCE):
        return {"If-Modified-Since": held.removeprefix(_SINCE)}
    return {"If-None-Match": held}


def _question(options: RestOptions, query: dict[str, str]) -> str:
    asked = json.dumps([options.method, options.url, query, options.body], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
