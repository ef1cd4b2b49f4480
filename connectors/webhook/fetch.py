"""Takes what was pushed from the inbox. The door has verified, stripped and stored it already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import orjson

from connectors.webhook.options import WebhookOptions
from connectors.webhook.parse import find_rows
from lawang.connector import Answer, Cursor, Delivery, FetchContext, Inbox
from lawang.domain.errors import NeedsPerson, RetryLater
from lawang.mapping import search

#: Most messages taken at once.
BATCH = 200
_TAKEN = "inbox"


async def read_answers(
    options: WebhookOptions, cursor: Cursor, context: FetchContext
) -> AsyncIterator[Answer]:
    """What came since the cursor, in batches; nothing when nothing did.

    Raises RetryLater("silent") after `silent_after_s` without a message or a heartbeat,
    NeedsPerson("not_configured") where there is no inbox, StoreError when it does not answer.
    """
    inbox = context.inbox
    if inbox is None:
        raise NeedsPerson("not_configured", "a source that pushes has nothing to be asked")
    after = _taken(cursor)
    while waiting := await asyncio.to_thread(inbox.waiting, context.source_id, after, BATCH):
        after = waiting[-1].number
        for batch in _split(waiting, options):
            yield _answer(batch)
    if options.silent_after_s is not None:
        await _check_heard(inbox, timedelta(seconds=options.silent_after_s), context)


def _taken(cursor: Cursor) -> int:
    text = cursor.validators.get(_TAKEN, "")
    return int(text) if text.isdecimal() else 0


def _split(waiting: list[Delivery], options: WebhookOptions) -> Iterator[list[Delivery]]:
    """Batches in which nothing is told of twice: of one record an answer keeps the newest state.

    A call that was taken, driven to and reached while nobody polled has all its turns in its log.
    """
    batch: list[Delivery] = []
    seen: set[str] = set()
    for delivery in waiting:
        told = _identities(delivery, options)
        if batch and told & seen:
            yield batch
            batch, seen = [], set()
        batch.append(delivery)
        seen |= told
    yield batch


def _identities(delivery: Delivery, options: WebhookOptions) -> set[str]:
    key = options.fields.external_id
    if key is None:
        return set()
    return {str(search(key, row)) for row in find_rows(options, orjson.loads(delivery.body))}


def _answer(waiting: list[Delivery]) -> Answer:
    return Answer(
        body=b"[" + b",".join(each.body for each in waiting) + b"]",
        content_type="application/json",
        fetched_at=waiting[-1].received_at,
        kind="pushes",
        validators={_TAKEN: str(waiting[-1].number)},
    )


async def _check_heard(inbox: Inbox, longest: timedelta, context: FetchContext) -> None:
    heard = await asyncio.to_thread(inbox.last_heard, context.source_id)
    if heard is None:
        raise RetryLater("silent", "nothing was ever pushed")
    if context.clock() - heard > longest:
        raise RetryLater("silent", f"nothing was pushed for {longest.total_seconds():g} s")
