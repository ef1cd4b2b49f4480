"""A real simulator on a free loopback port, with a clock that the test holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from lawang.city import load_city
from simulator.app import create_app
from simulator.city_life import Town
from simulator.serve import address_of, build_server, listen
from simulator.settings import SimulatorSettings

PACK = Path(__file__).resolve().parents[2] / "cities" / "palembang"
#: A Saturday, 22:03 WIB.
NOW = datetime(2026, 11, 21, 15, 3, 7, tzinfo=UTC)


class HeldClock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@dataclass
class Simulator:
    """A running simulator; `elapor` and `api` are clients of its department and its protocol."""

    url: str
    clock: HeldClock
    data_dir: Path
    startup_s: float
    elapor: httpx.Client
    api: httpx.Client

    def fault(self, kind: str, **options: float) -> None:
        self.elapor.post("_fault", json={"kind": kind, **options}).raise_for_status()


@contextmanager
def run_simulator(
    data_dir: Path,
    clock: HeldClock,
    tick_s: float = 3600.0,
    seed: int = 1671,
    scenario: str = "",
    scenario_speed: float = 1.0,
    scenario_begun_min: float = 0.0,
) -> Iterator[Simulator]:
    begun = time.monotonic()
    with listen("127.0.0.1", 0) as listener:
        settings = SimulatorSettings(
            data_dir=data_dir,
            pack_dir=PACK,
            clock=clock,
            tick_s=tick_s,
            seed=seed,
            base_url=address_of(listener),
            scenario=scenario,
            scenario_speed=scenario_speed,
            scenario_begun_min=scenario_begun_min,
        )
        server = build_server(create_app(settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with (
                httpx.Client(base_url=f"{url}/elapor/", timeout=10, trust_env=False) as elapor,
                httpx.Client(
                    base_url=f"{url}/elapor/open311/v2/", timeout=10, trust_env=False
                ) as api,
            ):
                startup_s = time.monotonic() - begun
                yield Simulator(url, clock, data_dir, startup_s, elapor, api)
        finally:
            server.should_exit = True
            thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def town() -> Town:
    return Town.of(load_city(PACK, simulated=True))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with run_simulator(tmp_path_factory.mktemp("simulator"), HeldClock(NOW)) as running:
        yield running


@pytest.fixture
def simulator(shared: Simulator) -> Iterator[Simulator]:
    """The simulator of this module, mended after each test."""
    yield shared
    shared.fault("none")
