"""The simulated gauges through their own source files: real broker, real clients, no rejects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop

from connectors import registry
from connectors.mqtt.options import MqttOptions
from lawang.city import load_city
from lawang.connector import Answer, Parsed
from lawang.domain.clock import utc_now
from lawang.domain.errors import SourceError
from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import Fault, Faults
from simulator.gauges import rain, water
from simulator.gauges.broker import Spoilt
from simulator.gauges.network import DIES
from simulator.happenings import Happenings
from simulator.settings import SimulatorSettings
from tests.connectors.broker import Ears, free_port, listening
from tests.simulator.conftest import PACK

SOURCES = ("pengukur_air", "pengukur_hujan")


@dataclass
class Bpbd:
    """Both departments at work."""

    port: int
    departments: dict[str, Department]

    @contextlib.asynccontextmanager
    async def listening(self, source_id: str) -> AsyncIterator[Ears]:
        env = {
            "LAWANG_SIMULATOR_URL": "http://127.0.0.1:9",
            "LAWANG_SIMULATOR_MQTT": f"127.0.0.1:{self.port}",
        }
        source = load_city(PACK, simulated=True, env=env).sources[source_id]
        options = registry.bind(source)
        assert isinstance(options, MqttOptions)
        quick = options.model_copy(update={"batch_s": 0.1})
        async with listening(quick, source_id=source_id) as ears:
            yield ears

    def fault(self, source_id: str, kind: str, amount: float = 0.0) -> None:
        self.departments[source_id].faults.set(Fault(kind, amount))


@contextlib.asynccontextmanager
async def bpbd(town: Town, folder: Path) -> AsyncIterator[Bpbd]:
    port = free_port()
    settings = SimulatorSettings(
        data_dir=folder, pack_dir=PACK, mqtt_port=port, tick_s=0.02, clock=utc_now
    )
    departments = [maker.department(town, settings) for maker in (water, rain)]
    async with contextlib.AsyncExitStack() as running:
        for each in departments:
            assert each.run is not None
            await running.enter_async_context(each.run())
        yield Bpbd(port, {each.id: each for each in departments})


async def _all_heard(ears: Ears, count: int) -> list[tuple[Answer, Parsed]]:
    """Batches until so many things have been heard of."""
    heard: list[tuple[Answer, Parsed]] = []
    things: set[str] = set()
    async with asyncio.timeout(60):
        while len(things) < count:
            heard.append(await ears.heard())
            things |= {fix.external_id for fix in heard[-1][1].fixes if fix.latitude is not None}
    return heard


@pytest.mark.parametrize("source_id", SOURCES)
def test_every_gauge_is_heard_and_nothing_is_rejected(
    town: Town, tmp_path: Path, source_id: str
) -> None:
    async def work() -> list[tuple[Answer, Parsed]]:
        async with bpbd(town, tmp_path) as both, both.listening(source_id) as ears:
            return await _all_heard(ears, 12)

    heard = asyncio.run(work())
    assert [reject for _, parsed in heard for reject in parsed.rejects] == []
    fixes = [fix for _, parsed in heard for fix in parsed.fixes if fix.latitude is not None]
    for fix in fixes:
        assert fix.longitude is not None
        assert town.at(fix.latitude or 0.0, fix.longitude)[1] is not None
        assert "tiruan" in (fix.name or "")
    assert all(abs(each.value) < 900 for _, parsed in heard for each in parsed.measurements)


def test_keepers_are_published_and_never_read(town: Town, tmp_path: Path) -> None:
    async def work() -> tuple[Answer, Parsed]:
        async with bpbd(town, tmp_path) as both, both.listening("pengukur_air") as ears:
            return (await _all_heard(ears, 1))[-1]

    answer, parsed = asyncio.run(work())
    assert b"0812-0000-" in answer.body
    assert "0812-0000-" not in repr(parsed)


def test_a_gauge_that_dies_is_told_dead_and_alive_again(town: Town, tmp_path: Path) -> None:
    async def until(ears: Ears, status: str) -> None:
        async with asyncio.timeout(60):
            while True:
                _, parsed = await ears.heard()
                if any(
                    fix.external_id == "TMA-03" and fix.status == status for fix in parsed.fixes
                ):
                    return

    async def work() -> None:
        async with bpbd(town, tmp_path) as both, both.listening("pengukur_air") as ears:
            await _all_heard(ears, 12)
            both.fault("pengukur_air", DIES, 3)
            await until(ears, "mati")
            both.fault("pengukur_air", "none")
            await until(ears, "aktif")

    asyncio.run(work())


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("garbage", {"bad_record"}),
        ("wrong_types", {"bad_record", "bad_time", "bad_value"}),
        ("huge", {"too_large"}),
    ],
)
def test_spoilt_payloads_are_rejects(
    town: Town, tmp_path: Path, kind: str, reasons: set[str]
) -> None:
    async def work() -> set[str]:
        found: set[str] = set()
        async with bpbd(town, tmp_path) as both, both.listening("pengukur_air") as ears:
            await _all_heard(ears, 12)
            both.fault("pengukur_air", kind)
            async with asyncio.timeout(60):
                while found != reasons:
                    found |= {reject.reason for reject in (await ears.heard())[1].rejects}
        return found

    assert asyncio.run(work()) == reasons


@pytest.mark.parametrize(
    ("kind", "errors"),
    [("off", {"unreachable"}), ("auth", {"refused"}), ("truncated", {"unreachable", "garbage"})],
)
def test_a_fault_of_one_source_is_not_one_of_the_other(
    town: Town, tmp_path: Path, kind: str, errors: set[str]
) -> None:
    async def work() -> str:
        async with bpbd(town, tmp_path) as both:
            both.fault("pengukur_air", kind)
            with pytest.raises(SourceError) as caught:  # noqa: PT012 (which of them fails is the broker's choice)
                async with both.listening("pengukur_air") as ears:
                    while True:
                        await ears.next()
            async with both.listening("pengukur_hujan") as ears:
                await _all_heard(ears, 1)
        return caught.value.kind

    assert asyncio.run(work()) in errors


def test_rain_that_is_made_shows_in_the_gauges_of_its_kecamatan(town: Town, tmp_path: Path) -> None:
    happenings = Happenings()
    wet = replace(town, happenings=happenings)
    happenings.rain("16.71.12", utc_now() - timedelta(minutes=20), mm_h=90, minutes=60)

    async def work() -> dict[str, float]:
        async with bpbd(wet, tmp_path) as both, both.listening("pengukur_hujan") as ears:
            heard = await _all_heard(ears, 12)
        return {
            each.subject: each.value
            for _, parsed in heard
            for each in parsed.measurements
            if each.measure == "curah_hujan"
        }

    assert asyncio.run(work())["CH-01"] > 5


def test_who_has_gone_is_told_in_the_way_that_the_broker_knows() -> None:
    async def write_after_the_end() -> None:
        async def leave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        port = free_port()
        async with await asyncio.start_server(leave, "127.0.0.1", port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            spoilt = Spoilt(writer, Faults())
            spoilt.write(b"heard")
            writer.close()
            with pytest.raises(ConnectionResetError, match="has gone"):
                spoilt.write(b"too late")

    for run in (asyncio.run, uvloop.run):
        run(write_after_the_end())
