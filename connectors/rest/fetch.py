"""Reads one poll's answers from a JSON API, page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin

import httpx

from connectors import http
from connectors.documents import open_json
from connectors.rest.auth import authorisation, forget_token
from connectors.rest.options import (
    CursorPages,
    Incremental,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    OnePage,
    Place,
    RestOptions,
)
from connectors.rest.parse import find_rows
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from lawang.mapping import search

_SLOT = "page/first"
#: When the last poll was made, for sources whose rows tell no time of change.
_POLLED = "polled"
# Before a time of change in a validator; no ETag begins so, as it begins with a quote.
_SINCE = "since "


@dataclass(frozen=True, slots=True)
class _Question:
    """What one request asks: an address, the parameters laid over it, and the JSON of a POST."""

    url: str
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    def with_parameter(self, place: Place, name: str, value: str | int) -> _Question:
        """The same with one parameter more, in the query or in the body."""
        if place == "query":
            return replace(self, query=self.query | {name: str(value)})
        return replace(self, body=_laid_over(self.body or {}, name.split("."), value))


async def read_answers(
    options: RestOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """Answers page by page; none if the server says that nothing changed.

    Raises what `connectors.http.send` raises, NeedsPerson("too_large") when `max_pages` do not
    suffice, and NeedsPerson("redirected") when the next page leads off TLS; what was yielded
    until then is good.
    """
    base = _since(options, _Question(options.url, dict(options.params), options.body), cursor)
    question: _Question | None = _first_page(options, base)
    seen: set[str] = set()
    for number in range(options.max_pages):
        if question is None:
            return
        validator = _known(cursor, options, question) if number == 0 else None
        reply = await _ask(options, context, question, validator)
        if reply.not_modified:
            return
        rows, following = _look(options, base, question, number, reply)
        fingerprint = _fingerprint(rows, reply.body)
        # The same page again: a server that ignores how it is asked for the next one.
        if fingerprint in seen:
            return
        seen.add(fingerprint)
        now = context.clock()
        yield reply.answer(
            "rows",
            now,
            validators={} if number else _remember(options, question, reply, following, now),
            complete=options.incremental is None,
        )
        question = following
    if question is not None:
        raise NeedsPerson("too_large", f"more than {options.max_pages} pages")


async def _ask(
    options: RestOptions, context: FetchContext, question: _Question, validator: str | None
) -> http.Reply:
    """One request; once more with a new token when the server no longer takes the one held."""
    try:
        return await _send(options, context, question, validator)
    except NeedsPerson as error:
        if error.kind != "refused" or not forget_token(context.client):
            raise
    return await _send(options, context, question, validator)


async def _send(
    options: RestOptions, context: FetchContext, question: _Question, validator: str | None
) -> http.Reply:
    headers = {"Accept": "application/json"}
    # A key is for the address that the source's file names, not for any other an answer gives.
    if _is_same_server(options.url, question.url):
        headers |= options.headers
        headers |= await authorisation(options.auth, context)
    if validator:
        headers |= _condition(validator)
    return await http.ask(
        context,
        question.url,
        method=options.method,
        max_bytes=options.max_bytes,
        params=question.query,
        headers=headers,
        json=question.body,
    )


def _since(options: RestOptions, question: _Question, cursor: Cursor) -> _Question:
    incremental = options.incremental
    if incremental is None:
        return question
    newest = cursor.watermark or _last_poll(options, cursor)
    if newest is None:
        return question
    since = _write_time(newest - timedelta(seconds=incremental.overlap_s), incremental)
    return question.with_parameter(incremental.place, incremental.parameter, since)


def _tells_changes(options: RestOptions) -> bool:
    """Whether rows have a time from which the next poll can go on."""
    return options.fields.updated_at is not None or options.fields.observed_at is not None


def _last_poll(options: RestOptions, cursor: Cursor) -> datetime | None:
    held = cursor.validators.get(_POLLED, "")
    if not held or _tells_changes(options):
        return None
    return datetime.fromisoformat(held)


def _write_time(moment: datetime, incremental: Incremental) -> str | int:
    if incremental.format == "iso":
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    seconds = moment.timestamp()
    return int(seconds * 1000) if incremental.format == "epoch_ms" else int(seconds)


def _first_page(options: RestOptions, base: _Question) -> _Question:
    paging = options.paging
    if isinstance(paging, NumberedPages):
        asked = base.with_parameter(paging.place, paging.parameter, paging.first)
        if not paging.size_parameter:
            return asked
        return asked.with_parameter(paging.place, paging.size_parameter, paging.size)
    if isinstance(paging, OffsetPages):
        asked = base.with_parameter(paging.place, paging.parameter, 0)
        return asked.with_parameter(paging.place, paging.size_parameter, paging.size)
    return base


def _look(
    options: RestOptions, base: _Question, question: _Question, number: int, reply: http.Reply
) -> tuple[list[Any] | None, _Question | None]:
    """The rows of a page and the question for the next one; None each where there is none."""
    if isinstance(options.paging, OnePage):
        return None, None
    try:
        document = open_json(reply.body)
        rows = find_rows(options, document)
    except SourceError:
        return None, None
    if isinstance(options.paging, LinkedPages):
        return rows, _linked(options, options.paging, question, document, reply)
    return rows, _next_page(options, base, question, number, document, rows)


def _fingerprint(rows: list[Any] | None, body: bytes) -> str:
    """What makes two pages the same one: their rows, as envelopes may carry a time or a number."""
    try:
        content = body if rows is None else json.dumps(rows).encode()
    except RecursionError:
        content = body
    return hashlib.sha256(content).hexdigest()


def _next_page(
    options: RestOptions,
    base: _Question,
    question: _Question,
    number: int,
    document: Any,
    rows: list[Any],
) -> _Question | None:
    paging = options.paging
    if isinstance(paging, NumberedPages | OffsetPages):
        if len(rows) < paging.size:
            return None
        at = number + 1
        value = at + paging.first if isinstance(paging, NumberedPages) else at * paging.size
        return question.with_parameter(paging.place, paging.parameter, value)
    if isinstance(paging, CursorPages):
        following: Any = search(paging.next, document)
        stated = isinstance(following, str | int) and not isinstance(following, bool)
        usable = stated and following != "" and rows
        return base.with_parameter(paging.place, paging.parameter, following) if usable else None
    return None


def _linked(
    options: RestOptions,
    paging: LinkedPages,
    question: _Question,
    document: Any,
    reply: http.Reply,
) -> _Question | None:
    """The page to which an answer leads. Whether its host may be asked, the client judges."""
    if paging.next is not None:
        stated: Any = search(paging.next, document)
    else:
        links = httpx.Response(200, headers=reply.headers).links
        stated = links.get("next", {}).get("url")
    if not isinstance(stated, str) or not stated.strip():
        return None
    try:
        url = urljoin(question.url, stated.strip())
        address = httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise RetryLater("garbage", "the next page's address is none") from None
    if httpx.URL(options.url).scheme == "https" and address.scheme != "https":
        raise NeedsPerson("redirected", "the next page leads off TLS")
    # A link that carries a parameter already carries its right value; often only a key is missing.
    missing = {name: text for name, text in options.params.items() if name not in address.params}
    query = missing if _is_same_server(options.url, url) else {}
    return _Question(url, query, question.body)


def _is_same_server(url: str, other: str) -> bool:
    ours, theirs = httpx.URL(url), httpx.URL(other)
    usual = {"http": 80, "https": 443}
    return (ours.scheme, ours.raw_host, ours.port or usual.get(ours.scheme)) == (
        theirs.scheme,
        theirs.raw_host,
        theirs.port or usual.get(theirs.scheme),
    )


def _known(cursor: Cursor, options: RestOptions, question: _Question) -> str | None:
    """What is held for exactly this question. Of a POST nothing is: a server may refuse it."""
    if options.method != "GET":
        return None
    held, _, etag = cursor.validators.get(_SLOT, "").partition(" ")
    return etag if etag and held == _fingerprint_of(options, question) else None


def _remember(
    options: RestOptions,
    question: _Question,
    reply: http.Reply,
    following: _Question | None,
    now: datetime,
) -> dict[str, str]:
    """The ETag, or else the time of the last change, beside the question that they answer.

    Only a poll of one page is wholly described by its first page's; else nothing is held.
    """
    known = reply.etag or (f"{_SINCE}{reply.last_modified}" if reply.last_modified else "")
    if following is not None or not known:
        held = ""
    else:
        held = f"{_fingerprint_of(options, question)} {known}"
    remembered = {_SLOT: held}
    if options.incremental is not None and not _tells_changes(options):
        remembered[_POLLED] = _answered_at(reply, now).isoformat()
    return remembered


def _answered_at(reply: http.Reply, now: datetime) -> datetime:
    """When the first page was answered, by the slower of the server's clock and ours."""
    try:
        stated = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return now
    return min(now, stated if stated.tzinfo else stated.replace(tzinfo=UTC))


def _condition(held: str) -> dict[str, str]:
    if held.startswith(_SINCE):
        return {"If-Modified-Since": held.removeprefix(_SINCE)}
    return {"If-None-Match": held}


def _fingerprint_of(options: RestOptions, question: _Question) -> str:
    parts = [options.method, question.url, question.query, question.body]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _laid_over(body: dict[str, Any], path: list[str], value: str | int) -> dict[str, Any]:
    """`body` with a value at a path of keys; the objects on the way are made where missing."""
    first, *rest = path
    if not rest:
        return body | {first: value}
    inner = body.get(first)
    return body | {first: _laid_over(inner if isinstance(inner, dict) else {}, rest, value)}
