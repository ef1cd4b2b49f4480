"""Reads a database through the connector as a poll does, for the tests of sql."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.network import Rules
from connectors.sql import CONNECTOR
from connectors.sql.options import SqlOptions
from lawang.city.network import Network
from lawang.connector import Answer, Cursor, FetchContext

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def options_for(url: str, query: str, **more: Any) -> SqlOptions:
    given = {
        "url": url,
        "query": query,
        "yields": ("readings",),
        "fields": {"observed_at": "at"},
        "measures": {"nilai": {"value": "v"}},
        **more,
    }
    return SqlOptions.model_validate(given)


@contextlib.asynccontextmanager
async def context_for(
    timeout_s: float = 20,
    network: Network | None = None,
    max_bytes: int = 1_000_000,
    allowed: tuple[str, ...] = ("127.0.0.1",),
) -> AsyncIterator[FetchContext]:
    rules = Rules.of(network or Network(loopback=True), allowed)
    async with httpx.AsyncClient() as client:
        yield FetchContext(
            client, lambda: NOW, timedelta(seconds=timeout_s), max_bytes, "uji", rules=rules
        )


async def gather(options: SqlOptions, cursor: Cursor | None = None, **more: Any) -> list[Answer]:
    async with context_for(**more) as context:
        return [each async for each in CONNECTOR.fetch(options, cursor or Cursor(), context)]


def answers(options: SqlOptions, **more: Any) -> list[Answer]:
    return asyncio.run(gather(options, **more))


def rows(options: SqlOptions, **more: Any) -> list[Any]:
    return [row for answer in answers(options, **more) for row in json.loads(answer.body)]
