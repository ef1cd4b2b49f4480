"""The pack's sources beside a running simulator, to be read and to be changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lawang.city import City, load_city
from lawang.connector import Cursor
from tests.simulator.conftest import NOW, PACK, HeldClock, Simulator, run_simulator
from tests.simulator.reading import Reading, faulty, read_source

#: Faults of a department that speaks JSON, each with the kind of error that tells of it.
FAULTS = (
    ("off", "unreachable"),
    ("500", "bad_status"),
    ("429", "rate_limited"),
    ("auth", "refused"),
    ("garbage", "garbage"),
    ("truncated", "garbage"),
    ("huge", "too_large"),
)


@dataclass
class Reader:
    """A running simulator and the city that reads it."""

    simulator: Simulator
    city: City

    def read(self, source_id: str, cursor: Cursor | None = None) -> Reading:
        """One poll."""
        return read_source(self.simulator, source_id, cursor, self.city)

    def faulty(self, department: str, kind: str) -> AbstractContextManager[None]:
        """A department with a fault for as long as entered."""
        return faulty(self.simulator, department, kind)

    @contextmanager
    def changed(self, source_id: str, **connection: object) -> Iterator[None]:
        """A source with other options for as long as entered."""
        source = self.city.sources[source_id]
        self.city.sources[source_id] = replace(source, connection=source.connection | connection)
        try:
            yield
        finally:
            self.city.sources[source_id] = source


@contextmanager
def run_reader(folder: Path) -> Iterator[Reader]:
    """A simulator at `NOW`, and the pack with its simulated addresses."""
    with run_simulator(folder, HeldClock(NOW)) as simulator:
        env = {
            "LAWANG_SIMULATOR_URL": simulator.url,
            "LAWANG_SIMULATOR_DIR": str(folder),
            "LAWANG_SIMULATOR_MQTT": "127.0.0.1:1883",
        }
        yield Reader(simulator, load_city(PACK, simulated=True, env=env))
