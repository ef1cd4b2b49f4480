"""Asks BMKG no more often than it allows, and only for what has changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from connectors import budget, http
from connectors.bmkg.options import BmkgOptions
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import RetryLater

_NEXT = "next"


async def read_answers(
    options: BmkgOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """An answer a feed, or a kelurahan, that changed since it was last read.

    Raises what `connectors.http.send` raises, and RetryLater("rate_limited") when the minute's
    requests of all sources of BMKG together are used up before the first of this poll.
    """
    if options.product == "gempa":
        for feed in options.feeds:
            url = f"{options.url.rstrip('/')}/{feed}"
            budget.take(options.url, options.per_minute)
            reply = await _get(options, cursor, context, url, {}, feed)
            if not reply.not_modified:
                etag = {f"etag/{feed}": reply.etag}
                yield reply.answer("gempa", context.clock(), validators=etag)
        return
    async for answer in _read_forecasts(options, cursor, context):
        yield answer


async def _read_forecasts(
    options: BmkgOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """Those whose turn it is. What is left when the minute is used up is the next poll's first."""
    codes = options.asked
    first = codes.index(at) if (at := cursor.validators.get(_NEXT, "")) in codes else 0
    count = min(options.per_poll, len(codes))
    for step in range(count):
        code = codes[(first + step) % len(codes)]
        following = codes[(first + step + 1) % len(codes)]
        try:
            budget.take(options.url, options.per_minute)
        except RetryLater:
            if step == 0:
                raise
            return
        reply = await _get(options, cursor, context, options.url, {"adm4": code}, code)
        validators = {_NEXT: following}
        if not reply.not_modified:
            validators[f"etag/{code}"] = reply.etag
        # With nothing to read, whose turn is next must be remembered all the same.
        kind = "unchanged" if reply.not_modified else "prakiraan"
        yield reply.answer(kind, context.clock(), validators=validators)


async def _get(
    options: BmkgOptions,
    cursor: Cursor,
    context: FetchContext,
    url: str,
    params: dict[str, str],
    name: str,
) -> http.Reply:
    headers = {"Accept": "application/json"}
    if etag := cursor.validators.get(f"etag/{name}"):
        headers["If-None-Match"] = etag
    return await http.ask(
        context,
        url,
        max_bytes=options.max_bytes,
        params=params,
        headers=headers,
    )
