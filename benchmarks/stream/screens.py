"""The load: one process that plays many screens over raw sockets and notes when news arrive.

It is started as `python -m benchmarks.stream.screens CONFIG` (JSON, see `Load`) and says on its
output, a JSON object a line, when all screens have connected, when each window of measuring begins
and what was received in it. It reads as little as it can, so that it measures the server and not
itself: where a message ends, and the time of publishing inside it.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvloop

from lawang.process import bind_to_parent

#: `"published_us":1790000000000000`, or with the braces that Dash puts around a property.
STAMP = re.compile(rb'published_us"[^0-9]{1,40}(\d{16})')
_CHUNK_END = b"\n\n\r\n"
_CONNECTING_AT_ONCE = 25
_LATE_IN_SECOND_S = 0.93
_SETTLING_S = 1.5
_TEXT, _PING, _PONG = 1, 9, 10


@dataclass(slots=True)
class Tally:
    """What all screens received in the window that runs."""

    latencies_us: list[int] = field(default_factory=list)
    received_bytes: int = 0
    newest_us: int = 0
    sample: bytes = b""

    def note(self, message: bytes) -> bool:
        """Count the news in a message; False if it holds none (a heartbeat, a handshake)."""
        now = time.time_ns() // 1000
        self.received_bytes += len(message)
        stamps = [int(stamp) for stamp in STAMP.findall(message)]
        self.latencies_us.extend(now - stamp for stamp in stamps)
        if stamps:
            self.sample, self.newest_us = message, stamps[-1]
        return bool(stamps)


class Screen(asyncio.Protocol):
    """One connection. Subclasses know where their messages end."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.transport: Any = None
        self.first = asyncio.get_running_loop().create_future()
        self._parts: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.greet()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost += 1
        if not self.first.done():
            self.first.set_exception(ConnectionError(f"the server hung up: {exc}"))

    def greet(self) -> None:
        """Say what this screen wants."""
        self.transport.write(
            b"GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n"
            % (self.load.path.encode(), self.load.host.encode())
        )

    def take(self, message: bytes) -> bool:
        """Hand a whole message on; True if it held news."""
        is_news = self.load.tally.note(message)
        if is_news and not self.first.done():
            self.first.set_result(None)
        return is_news


class StreamScreen(Screen):
    """Server-sent events in HTTP chunks; the bare loop sends the same bytes."""

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        if data.endswith(_CHUNK_END) or (len(data) < 4 and len(self._parts) > 1):
            message = data if len(self._parts) == 1 else b"".join(self._parts)
            if message.endswith(_CHUNK_END):
                self._parts.clear()
                self.take(message)


class SocketScreen(Screen):
    """Dash's own WebSocket: starts the persistent callback as the renderer does."""

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        self._buffer = b""
        self._is_open = False

    def greet(self) -> None:
        host = self.load.host.encode()
        self.transport.write(
            b"GET /_dash-ws-callback HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % (host, host)
        )

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._is_open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise ConnectionError(f"no WebSocket: {head[:80]!r}")
            self._is_open, self._buffer = True, rest
            request = {
                "type": "callback_request",
                "rendererId": f"screen-{id(self)}",
                "requestId": "1",
                "payload": self.load.call,
            }
            self.transport.write(_masked(_TEXT, orjson.dumps(request)))
        while (frame := _first_frame(self._buffer)) is not None:
            kind, start, end = frame
            if kind == _PING:
                self.transport.write(_masked(_PONG, self._buffer[start:end]))
            elif kind == _TEXT:
                self.take(self._buffer[start:end])
            self._buffer = self._buffer[end:]


def _first_frame(data: bytes) -> tuple[int, int, int] | None:
    """(opcode, start, end) of the first whole frame from a server, which masks nothing."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(data) < start:
            return None
        size = int.from_bytes(data[2:start], "big")
    end = start + size
    return (data[0] & 0x0F, start, end) if len(data) >= end else None


def _masked(opcode: int, payload: bytes) -> bytes:
    """A frame as clients have to send it; the mask of zeros leaves the payload as it is."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    else:
        head = bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big")
    return head + bytes(4) + payload


class PollingScreen(Screen):
    """dcc.Interval: one callback call a second, never one before the last was answered."""

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        self._seen = 0
        self._turn = 0
        self._waits = False
        self._buffer = b""

    def greet(self) -> None:
        loop = asyncio.get_running_loop()
        # Browsers were not switched on in the same instant.
        loop.call_later(random.random(), self._ask)

    def _ask(self) -> None:
        if self.transport.is_closing():
            return
        asyncio.get_running_loop().call_later(1.0, self._ask)
        if self._waits:
            return
        self._waits = True
        self._turn += 1
        call = dict(self.load.call)
        call["inputs"] = [{**call["inputs"][0], "value": self._turn}]
        call["state"] = [{**call["state"][0], "value": self._seen}]
        body = orjson.dumps(call)
        self.transport.write(
            b"POST /_dash-update-component HTTP/1.1\r\nHost: %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (self.load.host.encode(), len(body), body)
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"content-length: (\d+)", head, re.I)
        size = int(length[1]) if length else 0
        if len(body) < size:
            return
        self._buffer, self._waits = body[size:], False
        status = int(head.split(b" ", 2)[1])
        if status not in (200, 204):
            raise ConnectionError(f"the callback answered {status}: {body[:200]!r}")
        if self.take(body[:size]) and (stamps := STAMP.findall(body)):
            self._seen = int(stamps[-1])


_KINDS = {"stream": StreamScreen, "socket": SocketScreen, "polling": PollingScreen}


class Load:
    """All screens of one run.

    `kind` is stream, socket or polling; `call` the callback request of the last two; `windows` the
    lengths, in seconds, of the measurements that follow each other.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.kind: str = config["kind"]
        self.address: str = config["address"]
        self.port: int = config["port"]
        self.path: str = config.get("path", "/")
        self.call: dict[str, Any] = config.get("call", {})
        self.screens: int = config["screens"]
        self.windows: list[float] = config["windows"]
        self.tally = Tally()
        self.lost = 0
        self._open: list[Screen] = []

    @property
    def host(self) -> str:
        return f"{self.address}:{self.port}"

    async def run(self) -> None:
        """Connect everything, measure, report."""
        began = time.monotonic()
        gate = asyncio.Semaphore(_CONNECTING_AT_ONCE)
        await asyncio.gather(*(self._connect(gate) for _ in range(self.screens)))
        # What connecting has cost the server is not to be in what follows.
        await asyncio.sleep(_SETTLING_S)
        _say(state="connected", seconds=time.monotonic() - began)
        for seconds in self.windows:
            await self._measure(seconds)

    async def _connect(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            loop = asyncio.get_running_loop()
            screen_type = _KINDS[self.kind]
            _transport, screen = await loop.create_connection(
                lambda: screen_type(self), self.address, self.port
            )
            self._open.append(screen)
            if self.kind == "stream":
                await screen.first
        await screen.first

    async def _measure(self, seconds: float) -> None:
        # Begun just before the next change is published, a window of whole seconds holds each of
        # its changes whole: what the server does for it, and its arrival even if it takes long.
        newest_s = self.tally.newest_us / 1e6
        await asyncio.sleep((newest_s + _LATE_IN_SECOND_S - time.time()) % 1.0)
        self.tally = Tally(sample=self.tally.sample, newest_us=self.tally.newest_us)
        lost_before = self.lost
        _say(state="begin")
        began = time.monotonic()
        await asyncio.sleep(seconds)
        tally, took = self.tally, time.monotonic() - began
        _say(
            state="end",
            seconds=took,
            received=len(tally.latencies_us),
            received_bytes=tally.received_bytes,
            lost=self.lost - lost_before,
            sample=b64encode(tally.sample).decode(),
            **_spread(tally.latencies_us),
        )


def _spread(latencies_us: list[int]) -> dict[str, float]:
    if not latencies_us:
        return {}
    ordered = sorted(latencies_us)
    at = {"p50_ms": 0.50, "p99_ms": 0.99, "max_ms": 1.0}
    last = len(ordered) - 1
    return {name: ordered[min(last, int(part * len(ordered)))] / 1000 for name, part in at.items()}


def _say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    bind_to_parent()
    uvloop.run(Load(json.loads(sys.argv[1])).run())
