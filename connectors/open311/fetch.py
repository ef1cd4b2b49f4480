"""Reads one poll's answers from a GeoReport v2 server, page by page.

Two ways of asking. **Incremental**, when the server has a parameter for "changed at or after" and
a poll has succeeded before: from the newest known change minus an overlap. Where the pages turn
out to be sorted by change, the next one is asked for by the last change seen, not by number:
numbered pages move under a reader when records change between two requests, and records would be
skipped. **Window**, otherwise: the standard's `start_date`, by numbered pages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from connectors import http
from connectors.open311.envelope import open_answer
from connectors.open311.options import Open311Options
from connectors.open311.parse import read_change
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, SourceError

_SERVICES_BODY = "services/body"


@dataclass(frozen=True, slots=True)
class _Step:
    """What is asked next: changes since `after`, or else requests since `start`; and the page."""

    start: datetime
    after: datetime | None
    page: int = 1


@dataclass(frozen=True, slots=True)
class _Known:
    """An ETag we hold for exactly this request, and whether its page was a full one."""

    etag: str
    was_full: bool


async def read_answers(
    options: Open311Options, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """Answers of kind "services" (if wanted and changed) and "requests"; none if nothing changed.

    Each request may take `context.timeout`. Raises what `connectors.http.send` raises, and
    NeedsPerson("too_large") when `max_pages` do not suffice and what was left unread would not
    be read by the next poll either; what was yielded until then is good.
    """
    if options.services and (services := await _read_services(options, cursor, context)):
        yield services
    seen: set[bytes] = set()
    step = _first_step(options, cursor, context)
    for slot in range(1, options.max_pages + 1):
        name = f"requests/{slot}"
        query = _query(options, step)
        known = _recall(cursor, name, query)
        reply = await _get(options, context, "requests", query, known)
        if known and reply.not_modified:
            if not known.was_full:
                return
            step = replace(step, page=step.page + 1)
            continue
        records = _peek(reply)
        is_full = len(records) >= options.page_size
        has_news = _add_unseen(records, seen) if is_full or slot > 1 else True
        if has_news or not records:
            # A full page of changes is followed by one that depends on what it held, so "not
            # modified" would leave us without the way on: its ETag is not kept.
            is_kept = step.after is None or not is_full
            validators = _remember(name, query, reply.etag, is_full) if is_kept else {}
            yield reply.answer("requests", context.clock(), validators=validators)
        # A page that begins at the last change seen repeats the records of that moment, maybe
        # only these; one asked for by number that repeats comes from a server that ignores it.
        if not is_full or (not has_news and step.page > 1):
            return
        step = _next_step(step, records, options)
    if not _has_advanced(step, cursor):
        limit = f"more than {options.max_pages} pages of {options.page_size}"
        raise NeedsPerson("too_large", limit)


def _first_step(options: Open311Options, cursor: Cursor, context: FetchContext) -> _Step:
    # The window begins at a midnight, so that the question stays the same all day and an ETag
    # can answer it; at the midnight after, because the standard allows at most 90 days.
    zone = options.timezone
    begin = context.clock().astimezone(zone) - timedelta(days=options.window_days)
    start = datetime.combine(begin.date() + timedelta(days=1), time.min, zone)
    after = None
    if options.updated_parameter and cursor.watermark:
        after = cursor.watermark - timedelta(seconds=options.overlap_s)
    return _Step(start, after)


def _next_step(step: _Step, records: list[object], options: Open311Options) -> _Step:
    if step.after is not None:
        changes = [change for record in records if (change := read_change(record, options))]
        is_sorted = all(one <= other for one, other in pairwise(changes))
        if changes and is_sorted and _stamp(changes[-1]) > _stamp(step.after):
            return _Step(step.start, changes[-1])
    return replace(step, page=step.page + 1)


def _has_advanced(step: _Step, cursor: Cursor) -> bool:
    """Whether the next poll will begin later than this one did, and so read on."""
    if step.after is None or cursor.watermark is None:
        return False
    return step.after > cursor.watermark


def _query(options: Open311Options, step: _Step) -> dict[str, str]:
    """The parameters of one request, without the key."""
    query = {"page": str(step.page), "page_size": str(options.page_size)}
    if options.jurisdiction_id:
        query["jurisdiction_id"] = options.jurisdiction_id
    if options.fields.closed_at or options.fields.verified_at:
        query["extensions"] = "true"
    if step.after is not None and options.updated_parameter:
        query[options.updated_parameter] = _stamp(step.after)
    else:
        query["start_date"] = _stamp(step.start)
    return query


def _stamp(moment: datetime) -> str:
    """The standard's form of a time, in UTC; fractions are cut off, which only asks for more."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _get(
    options: Open311Options,
    context: FetchContext,
    what: str,
    query: dict[str, str],
    known: _Known | None,
) -> http.Reply:
    params = dict(query)
    if key := options.api_key.get_secret_value():
        params["api_key"] = key
    headers = {"Accept": f"application/{options.format}, */*;q=0.5"}
    if known:
        headers["If-None-Match"] = known.etag
    return await http.ask(
        context,
        f"{options.base_url}{what}.{options.format}",
        max_bytes=options.max_bytes,
        params=params,
        headers=headers,
    )


async def _read_services(
    options: Open311Options, cursor: Cursor, context: FetchContext
) -> Answer | None:
    """The list of services, if it is another one than last time."""
    query = {"jurisdiction_id": options.jurisdiction_id} if options.jurisdiction_id else {}
    known = _recall(cursor, "services", query)
    reply = await _get(options, context, "services", query, known)
    fingerprint = hashlib.sha256(reply.body).hexdigest()
    if reply.not_modified or cursor.validators.get(_SERVICES_BODY) == fingerprint:
        return None
    remembered = _remember("services", query, reply.etag, is_full=False)
    remembered[_SERVICES_BODY] = fingerprint
    return reply.answer("services", context.clock(), validators=remembered)


def _peek(reply: http.Reply) -> list[object]:
    """The records of a page, to see where paging ends. Judging an answer is for `parse`."""
    try:
        return open_answer(reply.body, reply.content_type)
    except SourceError:
        return []


def _add_unseen(records: list[object], seen: set[bytes]) -> bool:
    """Remember the records; False if every one had been seen, so the server repeats itself."""
    before = len(seen)
    seen.update(_fingerprint(record) for record in records)
    return len(seen) > before


def _fingerprint(record: object) -> bytes:
    try:
        text = json.dumps(record, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        text = ""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _recall(cursor: Cursor, name: str, query: dict[str, str]) -> _Known | None:
    """The ETag held under `name`, if it is for this very query. See `_remember`."""
    digest, _, rest = cursor.validators.get(name, "").partition(" ")
    full, _, etag = rest.partition(" ")
    return _Known(etag, full == "full") if etag and digest == _digest(query) else None


def _remember(name: str, query: dict[str, str], etag: str, is_full: bool) -> dict[str, str]:
    """What goes into the cursor. Names are places in a poll, so that they do not grow in number."""
    if not etag:
        return {}
    return {name: f"{_digest(query)} {'full' if is_full else 'last'} {etag}"}


def _digest(query: dict[str, str]) -> str:
    text = json.dumps(query, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
