"""Reads a simulated department through the pack's own source file, without any store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from connectors import registry
from connectors.http import client_for
from lawang.city import City, load_city
from lawang.city.source import Source
from lawang.connector import Answer, Cursor, FetchContext, Parsed
from tests.simulator.conftest import PACK, Simulator


@dataclass
class Reading:
    """What one poll brought."""

    source: Source
    city: City
    answers: list[Answer] = field(default_factory=list)
    parsed: list[Parsed] = field(default_factory=list)

    def all(self, kind: str) -> list[Any]:
        """The records of one kind, of all pages."""
        return [each for parsed in self.parsed for each in getattr(parsed, kind)]

    @property
    def text(self) -> str:
        """The answers as they came, and as they were understood."""
        return "".join(answer.body.decode() for answer in self.answers)

    @property
    def meaning(self) -> str:
        return repr(self.parsed)


def read_source(simulator: Simulator, source_id: str, cursor: Cursor | None = None) -> Reading:
    """One poll of a source, as its file says. Raises what the connector raises."""
    env = {"LAWANG_SIMULATOR_URL": simulator.url}
    city = load_city(PACK, simulated=True, env=env)
    source = city.sources[source_id]
    connector, options = registry.get(source.connector), registry.bind(source)
    reading = Reading(source, city)

    async def read() -> None:
        timeout = timedelta(seconds=40)
        async with client_for(source, options, timeout=timeout) as client:
            context = FetchContext(
                client, simulator.clock, timeout, 20_000_000, source_id, timedelta(seconds=60)
            )
            async for answer in connector.fetch(options, cursor or Cursor(), context):
                reading.answers.append(answer)
                reading.parsed.append(connector.parse(options, answer))

    asyncio.run(read())
    return reading


def set_fault(simulator: Simulator, department: str, kind: str, **options: float) -> None:
    """Put a department's fault; "none" mends it."""
    address = f"{simulator.url}/{department}/_fault"
    asked = {"kind": kind, **options}
    httpx.post(address, json=asked, timeout=40, trust_env=False).raise_for_status()
