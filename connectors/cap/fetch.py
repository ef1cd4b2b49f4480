"""Reads an index and those of its documents that were not read before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

from connectors import budget, http
from connectors.cap.index import Entry, is_within, read_entries
from connectors.cap.options import CapOptions
from connectors.cap.xml import open_xml
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_ETAG, _SEEN = "etag", "seen"
#: What a person must mend before the document can be read, and may: it is tried again until then.
_MENDABLE = frozenset({"host_not_allowed", "private_address", "redirected", "refused"})


async def read_answers(
    options: CapOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """New documents first, then the index itself, which says what to remember.

    A document that is gone, too large, or stands on a host that may not be asked comes as an
    answer of kind "unread" and does not keep the others. Raises what `connectors.http.send` raises
    otherwise, and RetryLater("rate_limited") when the provider's minute is used up already.
    """
    budget.take(options.url, options.per_minute)
    index = await _get(options, context, options.url, cursor.validators.get(_ETAG, ""))
    if index.not_modified:
        return
    entries = _look(options, context, index.body)
    known = cursor.validators.get(_SEEN, "").split()
    seen = [entry.key for entry in entries if entry.key in known]
    whole = True
    for entry in entries:
        if entry.key in seen:
            continue
        answer, is_settled = await _read(options, context, entry)
        if answer is None:
            whole = False
            break
        yield answer
        if is_settled:
            seen.append(entry.key)
        else:
            whole = False
    yield index.answer(
        "index",
        context.clock(),
        # Of an index that is not read to its end, the next poll must see the rest.
        validators={_SEEN: " ".join(seen), _ETAG: index.etag if whole else ""},
    )


def _look(options: CapOptions, context: FetchContext, body: bytes) -> list[Entry]:
    """The entries to read. What is no index is told by `parse`, from the same bytes."""
    try:
        entries = read_entries(open_xml(body), options.url)
    except SourceError:
        return []
    age = timedelta(hours=options.max_age_h)
    young = [each for each in entries if is_within(each, context.clock(), age)]
    return list({each.key: each for each in young[: options.max_items]}.values())


async def _read(
    options: CapOptions, context: FetchContext, entry: Entry
) -> tuple[Answer | None, bool]:
    """One document, and whether it need not be read again; None where the minute is used up."""
    try:
        # The index's provider: a link's own host may be no address at all.
        budget.take(options.url, options.per_minute)
    except RetryLater:
        return None, False
    try:
        reply = await _get(options, context, entry.link)
    except NeedsPerson as error:
        return _unread(context, error), error.kind not in _MENDABLE
    except RetryLater as error:
        if error.kind != "garbage":
            raise
        return _unread(context, error), True
    return reply.answer("alert", context.clock()), True


def _unread(context: FetchContext, error: SourceError) -> Answer:
    return Answer(
        body=f"{error.kind}\n{error.detail}".encode(),
        content_type="text/plain",
        fetched_at=context.clock(),
        kind="unread",
    )


async def _get(options: CapOptions, context: FetchContext, url: str, etag: str = "") -> http.Reply:
    accept = "application/cap+xml, application/rss+xml, application/atom+xml, text/xml, */*;q=0.5"
    headers = {"Accept": accept}
    if etag:
        headers["If-None-Match"] = etag
    return await http.ask(
        context,
        url,
        max_bytes=options.max_bytes,
        headers=headers,
    )
