"""One poll of a simulated department through the city's own source file, nothing stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from connectors import registry
from connectors.http import client_for
from lawang.city import load_city
from lawang.connector import Cursor, FetchContext, Parsed
from tests.simulator.conftest import PACK, Simulator


def read_source(simulator: Simulator, source_id: str) -> list[Parsed]:
    """What each answer of one poll holds; raises SourceError as the connector does."""
    env = {"LAWANG_SIMULATOR_URL": simulator.url}
    source = load_city(PACK, simulated=True, env=env).sources[source_id]
    connector, options = registry.get(source.connector), registry.bind(source)

    async def run() -> list[Parsed]:
        async with client_for(source, options, timeout=timedelta(seconds=40)) as client:
            context = FetchContext(
                client, simulator.clock, timedelta(seconds=40), 20_000_000, source_id=source_id
            )
            found = []
            async for answer in connector.fetch(options, Cursor(), context):
                assert answer.simulated or answer.kind == "unread"
                found.append(connector.parse(options, answer))
            return found

    return asyncio.run(run())
