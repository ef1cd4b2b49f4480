"""Damkar and PSC 119: what they push, to a real server, until it is taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors import registry
from connectors.webhook.fetch import read_answers
from connectors.webhook.options import WebhookOptions
from connectors.webhook.receiver import Receiver
from lawang.city import load_city
from lawang.connector import Cursor, FetchContext
from lawang.domain.clock import utc_now
from lawang.domain.errors import RetryLater
from lawang.store.engine import migrate, open_engine
from lawang.store.inbox import Inbox
from simulator.city_life import Town
from simulator.faults import Fault
from simulator.rescue import damkar, psc119
from simulator.settings import SimulatorSettings
from tests.conftest import HeldClock
from tests.connectors.broker import free_port
from tests.simulator.conftest import NOW, PACK

MAKERS = {"damkar": damkar, "psc119": psc119}


@cache
def _receiver(source_id: str) -> Receiver:
    source = load_city(PACK, simulated=True, env={}).sources[source_id]
    options = registry.bind(source)
    assert isinstance(options, WebhookOptions)
    return Receiver(source, options)


@dataclass
class Door:
    """Stands for the centre's door, with the receiver and the inbox that it has."""

    inbox: Inbox
    clock: HeldClock
    codes: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    answer: int = 202

    async def take(self, request: Request) -> Response:
        receiver = _receiver(request.path_params["source"])
        body, code = await request.body(), self.answer
        if not receiver.is_signed(request.headers, body, self.clock()):
            code = 401
        try:
            cleaned = receiver.clean(body)
        except ValueError:
            code, cleaned = 400, b""
        if code == 202:
            key = request.headers["idempotency-key"]
            heartbeat = receiver.is_heartbeat(body)
            self.inbox.put(
                receiver.source_id, key, cleaned, "application/json", self.clock(), heartbeat
            )
            self.keys.append(key)
        self.codes.append(code)
        return Response(status_code=code)

    async def until(self, code: int, count: int = 1) -> None:
        async with asyncio.timeout(60):
            while self.codes.count(code) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Door, SimulatorSettings]]:
    engine = open_engine(f"sqlite:///{folder / 'history.sqlite3'}")
    migrate(engine)
    clock = HeldClock(NOW)
    door = Door(Inbox(engine), clock)
    port = free_port()
    app = Starlette(routes=[Route("/ingest/{source}", door.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)
    try:
        yield (
            door,
            SimulatorSettings(
                data_dir=folder,
                pack_dir=PACK,
                clock=clock,
                tick_s=0.01,
                push_url=f"http://127.0.0.1:{port}",
            ),
        )
    finally:
        server.should_exit = True
        await task
        engine.dispose()


async def _heartbeat(door: Door) -> None:
    """The whole past was told once the first heartbeat comes."""
    async with asyncio.timeout(120):
        while not any(key.startswith("heartbeat") for key in door.keys):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("source_id", MAKERS)
def test_the_past_comes_through_the_source_file_whole_and_without_persons(
    town: Town, tmp_path: Path, source_id: str
) -> None:
    async def work() -> tuple[list[Any], str, int]:
        async with serving(tmp_path) as (door, settings):
            department = MAKERS[source_id].department(town, settings)
            assert department.run is not None
            async with department.run():
                await _heartbeat(door)
            source = load_city(PACK, simulated=True, env={}).sources[source_id]
            options = registry.bind(source)
            connector = registry.get("webhook")
            async with httpx.AsyncClient() as client:
                context = FetchContext(
                    client,
                    door.clock,
                    timedelta(seconds=5),
                    10**7,
                    source_id=source_id,
                    inbox=door.inbox,
                )
                answers = [each async for each in connector.fetch(options, Cursor(), context)]
            parsed = [connector.parse(options, answer) for answer in answers]
            kept = " ".join(answer.body.decode() for answer in answers)
            assert [reject for each in parsed for reject in each.rejects] == []
            for each in parsed:
                for report in each.reports:
                    assert (report.status or "").casefold() in source.status_map
                    assert report.category in source.category_map
            return [report for each in parsed for report in each.reports], kept, len(door.keys)

    reports, kept, pushed = asyncio.run(work())
    assert len({report.external_id for report in reports}) > 20
    # Every turn of a call arrives as one, not only its last.
    assert len(reports) == pushed - 1
    for planted in ("0812-0000", "9916710101", "pasien", "keluhan", "pelapor"):
        assert planted not in kept


def test_a_restarted_pusher_tells_nothing_twice_and_leaves_nothing_out(
    town: Town, tmp_path: Path
) -> None:
    async def work() -> list[str]:
        async with serving(tmp_path) as (door, settings):
            first = damkar.department(town, settings)
            assert first.run is not None
            async with first.run():
                await door.until(202, 30)
            second = damkar.department(town, settings)
            assert second.run is not None
            async with second.run():
                await _heartbeat(door)
            return [key for key in door.keys if not key.startswith("heartbeat")]

    keys = asyncio.run(work())
    told = damkar.Calls(town, SimulatorSettings(data_dir=tmp_path, pack_dir=PACK).seed, 1.0)
    expected = [each.id for each in told.between(NOW - timedelta(days=14), NOW)]
    assert list(dict.fromkeys(keys)) == expected
    assert len(keys) - len(set(keys)) <= 1  # the one that was taken as the process ended


def test_a_fire_is_pushed_at_each_of_its_turns(town: Town, tmp_path: Path) -> None:
    async def work() -> list[str]:
        async with serving(tmp_path) as (door, settings):
            department = damkar.department(town, settings)
            assert department.run is not None
            async with department.run():
                await _heartbeat(door)
                blaze = town.happenings.blaze("16.71.06", door.clock(), "kecil")
                statuses: list[str] = []
                async with asyncio.timeout(60):
                    while "SELESAI" not in statuses:
                        door.clock.forward(minutes=1)
                        await asyncio.sleep(0.03)
                        bodies = [each.body for each in door.inbox.waiting("damkar", 0, 10_000)]
                        told = [json.loads(body) for body in bodies]
                        name = f"-B{blaze.number}"
                        statuses = [each["status"] for each in told if each["nomor"].endswith(name)]
            return statuses

    assert asyncio.run(work()) == ["DITERIMA", "MELUNCUR", "TIBA", "PADAM", "SELESAI"]


@pytest.mark.parametrize(
    ("kind", "amount", "code"),
    [("auth", 0, 401), ("garbage", 0, 400), ("clock_skew", 7200, 401)],
)
def test_after_a_fault_the_very_same_messages_get_through(
    town: Town, tmp_path: Path, kind: str, amount: float, code: int
) -> None:
    async def work() -> None:
        async with serving(tmp_path) as (door, settings):
            department = psc119.department(town, settings)
            department.faults.set(Fault(kind, amount))
            assert department.run is not None
            async with department.run():
                await door.until(code, 2)
                assert door.keys == []
                department.faults.set(Fault())
                await door.until(202, 3)

    asyncio.run(work())


def test_what_the_centre_cannot_take_now_is_pushed_again(town: Town, tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as (door, settings):
            door.answer = 503
            department = damkar.department(town, settings)
            assert department.run is not None
            async with department.run():
                await door.until(503, 2)
                door.answer = 202
                await door.until(202, 3)

    asyncio.run(work())


def test_a_department_that_is_off_falls_silent(town: Town, tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as (door, settings):
            department = damkar.department(town, settings)
            assert department.run is not None
            async with department.run():
                await _heartbeat(door)
                department.faults.set(Fault("off"))
                door.clock.forward(seconds=200)
                options = registry.bind(load_city(PACK, simulated=True, env={}).sources["damkar"])
                assert isinstance(options, WebhookOptions)
                async with httpx.AsyncClient() as client:
                    context = FetchContext(
                        client,
                        door.clock,
                        timedelta(seconds=5),
                        10**7,
                        source_id="damkar",
                        inbox=door.inbox,
                    )
                    with pytest.raises(RetryLater, match="silent"):
                        async for _ in read_answers(options, Cursor(), context):
                            pass

    asyncio.run(work())


def test_any_two_runs_of_one_seed_agree(town: Town) -> None:
    since = NOW - timedelta(days=3)
    first, second = (psc119.Calls(town, 7, 1.0).between(since, utc_now()) for _ in range(2))
    assert first == second
    halves = psc119.Calls(town, 7, 1.0)
    middle = NOW - timedelta(days=1)
    assert halves.between(since, middle) + halves.between(middle, NOW) == halves.between(since, NOW)
