"""What is not HTTP lives beside the rest, and falls alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from simulator.department import Department
from simulator.faults import FaultError, read_fault
from simulator.hosting import Hosting
from tests.simulator.conftest import NOW, Simulator


def bare(name: str, **more: object) -> Department:
    return Department(id=name, name=name, protocol="-", **more)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 (what is waited for knows no event)
            await asyncio.sleep(0.005)


def hosting(*departments: Department, tick_s: float = 0.01) -> Hosting:
    return Hosting(departments, lambda: NOW, tick_s, lambda at: None, retry_s=0.01)


class Broker:
    """Something to enter, which falls the first `falls` times: at the door, or once inside."""

    def __init__(self, falls: int = 0, inside: bool = False) -> None:
        self.falls = falls
        self.inside = inside
        self.entered = self.left = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        if self.entered < self.falls and not self.inside:
            self.entered += 1
            raise OSError("the port is taken")
        async with asyncio.TaskGroup() as inner:
            self.entered += 1
            if self.entered <= self.falls:
                inner.create_task(self._fall())
            try:
                yield
            finally:
                self.left += 1

    async def _fall(self) -> None:
        raise OSError("the socket is gone")


def test_what_runs_is_entered_after_the_past_and_left_at_the_end() -> None:
    broker = Broker()
    advanced: list[int] = []
    department = bare("broker", run=broker, advance=lambda at: advanced.append(broker.entered))

    async def scenario() -> None:
        async with hosting(department)(Starlette()):
            assert broker.entered == 1
        assert broker.left == 1

    asyncio.run(scenario())
    assert advanced[0] == 0


@pytest.mark.parametrize("inside", [False, True])
def test_what_falls_is_entered_again_and_logged_once(inside: bool) -> None:
    broker = Broker(falls=3, inside=inside)
    well = Broker()
    ticks: list[datetime] = []

    async def scenario() -> None:
        departments = (bare("bad", run=broker), bare("good", run=well, advance=ticks.append))
        async with hosting(*departments)(Starlette()):
            await until(lambda: broker.entered == 4)
            so_far = len(ticks)
            await until(lambda: len(ticks) > so_far)
            await until(lambda: logs[-1]["event"].endswith("runs again"))
            assert well.left == 0

    with capture_logs() as logs:
        asyncio.run(scenario())
    levels = [line["log_level"] for line in logs if line.get("id") == "bad"]
    assert levels == ["info", "error", "info"]


def test_a_department_that_cannot_make_its_past_does_not_stop_the_start() -> None:
    def fail(at: datetime) -> None:
        raise RuntimeError("no past")

    ticks: list[datetime] = []

    async def scenario() -> None:
        async with hosting(bare("bad", advance=fail), bare("good", advance=ticks.append))(
            Starlette()
        ):
            await until(lambda: len(ticks) > 3)

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert [line["id"] for line in logs if line["log_level"] == "error"] == ["bad"]


def test_every_department_is_closed_at_the_end() -> None:
    closed: list[str] = []

    def hosted() -> Sequence[Department]:
        return [
            bare("a", close=lambda: closed.append("a")),
            bare("b", close=lambda: closed.append("b"), run=Broker(falls=1_000_000)),
        ]

    async def scenario() -> None:
        async with hosting(*hosted())(Starlette()):
            pass

    asyncio.run(scenario())
    assert closed == ["a", "b"]


def test_time_is_followed_tick_by_tick() -> None:
    seen: list[datetime] = []

    async def scenario() -> None:
        async with Hosting((), lambda: NOW, 0.005, seen.append)(Starlette()):
            await until(lambda: len(seen) > 2)

    asyncio.run(scenario())
    assert set(seen) == {NOW}


def test_a_tick_that_fails_does_not_end_the_following_of_time() -> None:
    seen: list[datetime] = []

    def follow(at: datetime) -> None:
        seen.append(at)
        if len(seen) < 4:
            raise OSError("the disk is full")

    async def scenario() -> None:
        async with Hosting((), lambda: NOW, 0.005, follow)(Starlette()):
            await until(lambda: len(seen) > 5)

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert [line["log_level"] for line in logs] == ["error", "info"]


def test_a_department_may_have_faults_of_its_own() -> None:
    fault = read_fault({"kind": "drift", "amount": 3}, ("drift",))
    assert fault.to_plain() == {"kind": "drift", "amount": 3.0}
    with pytest.raises(FaultError, match="drift has no option seconds"):
        read_fault({"kind": "drift", "seconds": 3}, ("drift",))
    with pytest.raises(FaultError, match="Unknown kind"):
        read_fault({"kind": "drift"})


def test_the_index_tells_every_departments_address(simulator: Simulator) -> None:
    listed = httpx.get(simulator.url, trust_env=False).json()["departments"]
    for department in listed:
        assert department["url"].startswith(f"{simulator.url}/{department['id']}")
