"""One fetch of a source, or some time of listening to one that streams; nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from lawang.connector import Answer, Connector, Cursor, FetchContext, Options
from lawang.domain.errors import SourceError


@dataclass(frozen=True, slots=True)
class Heard:
    """The answers of one fetch; `error` is what ended it early, if anything did.

    `waits_s` is how long each answer was waited for, in seconds, in their order. `listened` tells
    that a stream was left after a while, so that nothing at all is no proof of anything.
    """

    answers: tuple[Answer, ...]
    error: SourceError | None
    elapsed_s: float
    waits_s: tuple[float, ...] = ()
    listened: bool = False


async def hear(
    connector: Connector,
    options: Options,
    context: FetchContext,
    *,
    listen_for: timedelta | None = None,
) -> Heard:
    """Fetch once as a first poll would, without a cursor. Errors of the source are in the answer.

    A source that streams is listened to for `listen_for` and then left. What came before an error
    is kept: it tells as much as the error does. Raises StoreError where what was pushed lies in a
    store that does not answer.
    """
    began = context.clock()
    answers: list[Answer] = []
    waits: list[float] = []
    error: SourceError | None = None
    limit_s = listen_for.total_seconds() if listen_for and connector.streams else None
    # Every fetch is a generator, whose connection ends when it is closed.
    fetched = cast("AsyncGenerator[Answer, None]", connector.fetch(options, Cursor(), context))
    time_up = asyncio.timeout(limit_s)
    try:
        async with aclosing(fetched), time_up:
            asked = context.clock()
            async for answer in fetched:
                # A stream says without a body that its connection lives.
                if answer.body or not connector.streams:
                    answers.append(answer)
                    waits.append((context.clock() - asked).total_seconds())
                asked = context.clock()
    except SourceError as caught:
        error = caught
    except TimeoutError:
        if not time_up.expired():
            raise
    elapsed_s = (context.clock() - began).total_seconds()
    return Heard(tuple(answers), error, elapsed_s, tuple(waits), limit_s is not None)
