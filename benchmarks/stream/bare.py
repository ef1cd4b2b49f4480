"""The least that sending can cost: an event loop that writes ready bytes to every socket.

It does nothing but that: no HTTP beyond a fixed greeting, no subscription, no state, no slow
clients. The bytes are a frame that the real stream sent, with the time put in anew each second.

Started as `python -m benchmarks.stream.bare PORT FILE`, the file holding that frame.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.stream.screens import STAMP
from lawang.process import bind_to_parent

_GREETING = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


class BareLoop:
    """Writes `frame`, stamped with the present time, to all who are connected."""

    def __init__(self, frame: bytes) -> None:
        found = STAMP.search(frame)
        if found is None:
            raise ValueError("the frame holds no time of publishing")
        self._before, self._after = frame[: found.start(1)], frame[found.end(1) :]
        self._open: set[asyncio.Transport] = set()

    def make_connection(self) -> asyncio.Protocol:
        """The protocol of one client."""
        return _Connection(self._open, self._frame)

    async def run(self, port: int) -> None:
        """Serve for ever."""
        loop = asyncio.get_running_loop()
        await loop.create_server(self.make_connection, "127.0.0.1", port, backlog=4096)
        while True:
            await asyncio.sleep(1.0)
            frame = self._frame()
            for transport in self._open:
                transport.write(frame)

    def _frame(self) -> bytes:
        return b"%s%d%s" % (self._before, time.time_ns() // 1000, self._after)


class _Connection(asyncio.Protocol):
    def __init__(self, everyone: set[asyncio.Transport], make_frame: Callable[[], bytes]) -> None:
        self._everyone = everyone
        self._make_frame = make_frame
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(_GREETING + self._make_frame())
        self._everyone.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._everyone.discard(self._transport)


if __name__ == "__main__":
    bind_to_parent()
    uvloop.run(BareLoop(Path(sys.argv[2]).read_bytes()).run(int(sys.argv[1])))
