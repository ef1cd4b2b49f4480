"""Reads a feed whole; refuses one that stands still behind a server that answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from connectors import http
from connectors.gtfs_rt.feed import open_feed, told_at
from connectors.gtfs_rt.options import GtfsRealtimeOptions
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import RetryLater, SourceError


async def read_answers(
    options: GtfsRealtimeOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """The one answer of a poll.

    It is not asked for conditionally: what matters is that the feed's own time goes on. Raises what
    `connectors.http.send` raises, and RetryLater("silent") when that time is too old.
    """
    headers = {"Accept": "application/x-protobuf, application/octet-stream;q=0.9, */*;q=0.5"}
    if options.key is not None:
        headers[options.key.name] = options.key.value.get_secret_value()
    reply = await http.ask(
        context,
        options.url,
        max_bytes=options.max_bytes,
        headers=headers,
    )
    _check_age(options, context, reply.body)
    yield reply.answer(
        "feed",
        context.clock(),
        # No trip is usual at night, and no alert is how things should be; vehicles do not vanish.
        complete=options.yields == ("positions",),
    )


def _check_age(options: GtfsRealtimeOptions, context: FetchContext, body: bytes) -> None:
    try:
        at = told_at(open_feed(body))
    except SourceError:
        return  # `parse` tells it
    if at is None:
        return
    age_s = (context.clock() - at).total_seconds()
    if age_s > options.stale_after_s:
        raise RetryLater("silent", f"the feed answers, but was last written {age_s:.0f} s ago")
