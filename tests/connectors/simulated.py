"""Reads a source of the pack from its simulated department, as polling does up to the records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from connectors import registry
from connectors.http import client_for
from lawang.city import City, load_city
from lawang.connector import Answer, Cursor, FetchContext, Parsed
from tests.simulator.conftest import NOW, PACK, HeldClock, Simulator, run_simulator


@dataclass
class Reading:
    """A running simulator and the city that reads it."""

    simulator: Simulator
    city: City
    cursors: dict[str, Cursor] = field(default_factory=dict)

    async def read(self, source_id: str, cursor: Cursor | None = None) -> list[Parsed]:
        """The parsed answers of one poll."""
        source = self.city.sources[source_id]
        connector, options = registry.get(source.connector), registry.bind(source)
        timeout = timedelta(seconds=4 * source.timeout_s)
        async with client_for(source, options, timeout=timeout) as client:
            context = FetchContext(
                client, self.simulator.clock, timeout, 20_000_000, source_id, timedelta(seconds=60)
            )
            answers: list[Answer] = [
                each async for each in connector.fetch(options, cursor or Cursor(), context)
            ]
        validators = {name: value for each in answers for name, value in each.validators.items()}
        parsed = [connector.parse(options, each) for each in answers]
        marks = [each.watermark for each in parsed if each.watermark]
        self.cursors[source_id] = Cursor(max(marks, default=None), validators)
        assert all(each.simulated for each in answers)
        return parsed

    def fault(self, department: str, kind: str, **options: float) -> None:
        """Spoil a department, or mend it ("none")."""
        address = f"{self.simulator.url}/{department}/_fault"
        httpx.post(address, json={"kind": kind, **options}, trust_env=False).raise_for_status()


@contextmanager
def run_reading(folder: Path) -> Iterator[Reading]:
    """A simulator at `NOW`, and the pack with its simulated addresses."""
    with run_simulator(folder, HeldClock(NOW)) as simulator:
        env = {
            "LAWANG_SIMULATOR_URL": simulator.url,
            "LAWANG_SIMULATOR_DIR": str(folder),
            "LAWANG_SIMULATOR_MQTT": "127.0.0.1:1883",
        }
        yield Reading(simulator, load_city(PACK, simulated=True, env=env))
