"""A small real proxy on loopback: forwards plain requests, tunnels by CONNECT, asks for a user."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """What was asked of it, and the port it listens on."""

    port: int = 0
    lines: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    with contextlib.suppress(ConnectionError, RuntimeError, OSError):
        writer.close()


@contextlib.asynccontextmanager
async def run_proxy(user: str = "", password: str = "") -> AsyncIterator[Proxy]:
    """A proxy that leads every name to this machine, as a resolver of its own would."""
    proxy = Proxy()
    word = base64.b64encode(f"{user}:{password}".encode()).decode()
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, _, rest = head.partition("\r\n")
        proxy.lines.append(line)
        proxy.heads.append(head)
        if user and f"Proxy-Authorization: Basic {word}" not in head:
            writer.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b'Proxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n'
                b"Connection: close\r\n\r\n"
            )
            await writer.drain()
            return
        method, target, version = line.split()
        if method == "CONNECT":
            port = int(target.rpartition(":")[2])
            back, forth = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            place = urlsplit(target)
            back, forth = await asyncio.open_connection("127.0.0.1", place.port or 80)
            path = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
            forth.write(f"{method} {path} {version}\r\n{rest}".encode("latin-1"))
        try:
            await asyncio.gather(_pipe(reader, forth), _pipe(back, writer))
        finally:
            forth.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
