"""Reads a simulated department through the pack's own source file, without any store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
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

_TIMEOUT = timedelta(seconds=40)


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
        """The answers as they came."""
        return "".join(answer.body.decode() for answer in self.answers)

    @property
    def meaning(self) -> str:
        """The answers as they were understood."""
        return repr(self.parsed)

    @property
    def cursor(self) -> Cursor:
        """Where the next poll would begin."""
        marks = [each.watermark for each in self.parsed if each.watermark]
        validators = {key: value for each in self.answers for key, value in each.validators.items()}
        return Cursor(max(marks, default=None), validators)


def read_source(
    simulator: Simulator, source_id: str, cursor: Cursor | None = None, city: City | None = None
) -> Reading:
    """One poll of a source, as its file says. Raises what the connector raises."""
    if city is None:
        city = load_city(PACK, simulated=True, env={"LAWANG_SIMULATOR_URL": simulator.url})
    source = city.sources[source_id]
    connector, options = registry.get(source.connector), registry.bind(source)
    reading = Reading(source, city)

    async def read() -> None:
        async with client_for(source, options, timeout=_TIMEOUT) as client:
            context = FetchContext(
                client, simulator.clock, _TIMEOUT, 20_000_000, source_id, timedelta(seconds=60)
            )
            async for answer in connector.fetch(options, cursor or Cursor(), context):
                assert answer.simulated or answer.kind == "unread"
                reading.answers.append(answer)
                reading.parsed.append(connector.parse(options, answer))

    asyncio.run(read())
    return reading


@contextmanager
def faulty(simulator: Simulator, department: str, kind: str, **options: float) -> Iterator[None]:
    """A department with a fault for as long as entered."""
    address = f"{simulator.url}/{department}/_fault"

    def put(**asked: object) -> None:
        httpx.post(address, json=asked, timeout=40, trust_env=False).raise_for_status()

    put(kind=kind, **options)
    try:
        yield
    finally:
        put(kind="none")
