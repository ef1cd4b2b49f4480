"""A real MQTT broker on a loopback port, and a hand that publishes to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from connectors import registry
from connectors.mqtt.options import MqttOptions
from connectors.network import Rules
from lawang.city.network import Network
from lawang.connector import Answer, Cursor, FetchContext, Parsed
from lawang.domain.clock import Clock, utc_now
from simulator.gauges.broker import PASSWORD, Station

PATIENCE_S = 30.0
CONNECTOR = registry.get("mqtt")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Hand:
    """A gauge's client; blocking calls return once the broker has the message."""

    def __init__(self, port: int, client_id: str = "tangan", will: str = "") -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self.client.username_pw_set("alat", PASSWORD)
        if will:
            self.client.will_set(will, "offline", qos=1, retain=True)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def say(self, topic: str, payload: object, retain: bool = False) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.client.publish(topic, body, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def die(self) -> None:
        line = self.client.socket()
        self.client.loop_stop()
        if line is not None:
            line.close()


@dataclass
class Ears:
    """One poll of the connector; `next` asks for an answer, which acknowledges the last one."""

    answers: AsyncIterator[Answer]
    options: MqttOptions

    async def next(self) -> Answer:
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self.answers)

    async def heard(self) -> tuple[Answer, Parsed]:
        """The next answer that holds messages."""
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self.next()).kind == "alive":
                pass
        return answer, CONNECTOR.parse(self.options, answer)

    async def values(self, count: int) -> list[float]:
        """The values of so many readings, in the order of their coming."""
        found: list[float] = []
        while len(found) < count:
            _, parsed = await self.heard()
            found += [each.value for each in parsed.measurements]
        return found


def options_for(port: int, **given: Any) -> MqttOptions:
    return MqttOptions.model_validate(
        {
            "url": f"mqtt://127.0.0.1:{port}",
            "user": "pusat",
            "password": PASSWORD,
            "topics": ["tma/+/data"],
            "batch_s": 0.05,
            "yields": ("readings",),
            "fields": {"observed_at": "waktu", "subject": "_levels[1]"},
            "measures": {"tinggi": {"value": "cm"}},
            **given,
        }
    )


@contextlib.asynccontextmanager
async def listening(
    options: MqttOptions,
    *,
    cursor: Cursor | None = None,
    clock: Clock = utc_now,
    every_s: float = 0.2,
    timeout_s: float = 10.0,
    source_id: str = "pengukur",
    network: Network | None = None,
) -> AsyncIterator[Ears]:
    host, port = options.place
    rules = Rules.of(network or Network(loopback=True), [f"{host}:{port}"])
    async with httpx.AsyncClient() as client:
        context = FetchContext(
            client,
            clock,
            timedelta(seconds=timeout_s),
            10_000_000,
            source_id=source_id,
            every=timedelta(seconds=every_s),
            rules=rules,
        )
        answers = CONNECTOR.fetch(options, cursor or Cursor(), context)
        async with contextlib.aclosing(answers):  # type: ignore[type-var]
            yield Ears(answers, options)


@contextlib.asynccontextmanager
async def running_station() -> AsyncIterator[Station]:
    station = Station(free_port())
    async with station.run():
        yield station


def reading(cm: float, at: str = "2026-11-21T19:00:00+07:00") -> dict[str, Any]:
    return {"waktu": at, "cm": cm}


def moment(number: int) -> str:
    return f"2026-11-21T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}+07:00"
