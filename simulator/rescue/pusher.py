"""Pushes events to the centre: signed, in order, again and again until they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from simulator.department import Department
from simulator.faults import Faults
from simulator.settings import SimulatorSettings

#: The secret of the demonstration; it guards nothing.
SECRET = "demo"  # noqa: S105
HEARTBEAT = timedelta(seconds=30)
#: What is looked back at for events that were made to happen a moment ago.
_OVERLAP = timedelta(minutes=2)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 15.0
_TIMEOUT_S = 10.0
_LONGEST_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be told, at the moment it happens. `id` names it for ever."""

    at: datetime
    id: str
    payload: dict[str, Any]


#: The events after the first instant and up to the second, oldest first.
Told = Callable[[datetime, datetime], list[Event]]


class Pusher:
    """One department's pushing. What was taken is remembered in a file.

    `past` is how far back a first start tells.
    """

    def __init__(
        self, department_id: str, told: Told, settings: SimulatorSettings, past: timedelta
    ) -> None:
        self.faults = Faults()
        self._told = told
        self._clock = settings.clock
        self._address = f"{settings.push_url}/ingest/{department_id}"
        self._pause_s = min(settings.tick_s, _LONGEST_PAUSE_S)
        self._ledger = _Ledger(settings.data_dir / f"{department_id}.json", settings.clock() - past)
        self._said_at: datetime | None = None
        self._spoilt = 0

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Push while entered."""
        async with (
            httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client,
            asyncio.TaskGroup() as tasks,
        ):
            task = tasks.create_task(self._go_on(client))
            try:
                yield
            finally:
                task.cancel()

    async def _go_on(self, client: httpx.AsyncClient) -> None:
        while True:
            if self.faults.present.kind == "off":
                await self.faults.hold(3_600)
                continue
            now = self._clock()
            for event in self._due(now):
                await self._insist(client, event.payload, event.id)
                self._ledger.note(event.id, event.at)
            if self._said_at is None or abs(now - self._said_at) >= HEARTBEAT:
                await self._insist(client, {"type": "heartbeat"}, f"heartbeat-{now.isoformat()}")
                self._said_at = now
            await self.faults.hold(self._pause_s)

    def _due(self, now: datetime) -> list[Event]:
        events = self._told(self._ledger.until - _OVERLAP, now)
        return [event for event in events if self._ledger.is_due(event.id, event.at)]

    async def _insist(self, client: httpx.AsyncClient, payload: dict[str, Any], key: str) -> None:
        """Send one message until it is taken."""
        wait_s = _FIRST_WAIT_S
        while True:
            fault = self.faults.present.kind
            if fault == "slow":
                await self.faults.hold(self.faults.present.amount)
            if fault != "off":
                asked_s = await self._send(client, payload, key)
                if asked_s is None:
                    return
                wait_s = max(wait_s, asked_s)
            await self.faults.hold(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _send(
        self, client: httpx.AsyncClient, payload: dict[str, Any], key: str
    ) -> float | None:
        """None once it is taken; else how many seconds the centre asked to wait."""
        fault = self.faults.present.kind
        if fault == "wrong_types" and "nomor" in payload:
            # Beside the sound message, which a department must not lose.
            self._spoilt += 1
            broken = {**payload, "nomor": {"tahun": 2026}, "waktu_lapor": ["kemarin"]}
            await self._post(client, json.dumps(broken).encode(), f"{key}-rusak-{self._spoilt}")
        body = json.dumps(payload, ensure_ascii=False).encode()
        if fault == "garbage":
            body = b"\x00\xff<html>" + body[:40]
        elif fault == "truncated":
            body = body[: len(body) // 2]
        return await self._post(client, body, key)

    async def _post(self, client: httpx.AsyncClient, body: bytes, key: str) -> float | None:
        secret = "dicabut" if self.faults.present.kind == "auth" else SECRET
        timestamp = str(int((self._clock() + self.faults.skew).timestamp()))
        signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "idempotency-key": key,
            "x-lawang-timestamp": timestamp,
            "x-lawang-signature": f"sha256={signed.hexdigest()}",
        }
        try:
            reply = await client.post(self._address, content=body, headers=headers)
        except httpx.HTTPError:
            return 0.0
        if reply.is_success:
            return None
        stated = reply.headers.get("retry-after", "")
        return float(stated) if stated.isdecimal() else 0.0


def make_push_department(
    department_id: str, name: str, told: Told, settings: SimulatorSettings, past: timedelta
) -> Department:
    """A department that pushes what it is `told`, if `settings.push_url` says where to."""
    pusher = Pusher(department_id, told, settings, past)
    return Department(
        id=department_id,
        name=name,
        protocol="webhook",
        note=f"POST {settings.push_url}/ingest/{department_id} ({SECRET})"
        if settings.push_url
        else "tidak dijalankan: tanpa tujuan",
        faults=pusher.faults,
        run=pusher.run if settings.push_url else None,
    )


class _Ledger:
    """Which events were taken: all up to `until` but for its last minutes, which are listed."""

    def __init__(self, file: Path, start: datetime) -> None:
        self._file = file
        self.until = start
        self._start = start
        self._sent: dict[str, datetime] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            plain = json.loads(file.read_text(encoding="utf-8"))
            self.until = datetime.fromisoformat(plain["until"])
            self._start = datetime.fromisoformat(plain["start"])
            self._sent = {key: datetime.fromisoformat(at) for key, at in plain["sent"].items()}

    def is_due(self, key: str, at: datetime) -> bool:
        """Whether an event is still to be told."""
        return at > self._start and key not in self._sent

    def note(self, key: str, at: datetime) -> None:
        """An event was taken."""
        self.until = max(self.until, at)
        self._sent[key] = at
        oldest = self.until - 2 * _OVERLAP
        self._sent = {each: moment for each, moment in self._sent.items() if moment > oldest}
        plain = {
            "until": self.until.astimezone(UTC).isoformat(),
            "start": self._start.astimezone(UTC).isoformat(),
            "sent": {
                each: moment.astimezone(UTC).isoformat() for each, moment in self._sent.items()
            },
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".tmp")
        fresh.write_text(json.dumps(plain), encoding="utf-8")
        fresh.replace(self._file)
