"""A real HTTP server on loopback whose every byte a test decides, and what a fetch needs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from connectors.http import open_client
from connectors.open311.options import Open311Options
from lawang.city.network import Network
from lawang.connector import FetchContext

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_LOOPBACK = Network(loopback=True)


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass
class Site:
    """A running server: its address, what it was asked, and how many bytes it got rid of."""

    port: int
    requests: list[Request] = field(default_factory=list)
    sent: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/open311/v2/"


class Reply:
    """What a handler answers with: ready bytes, or an async generator of pieces."""

    def __init__(
        self,
        body: bytes | str | list[Any] = b"",
        status: int = 200,
        headers: dict[str, str] | None = None,
        pieces: AsyncIterator[bytes] | None = None,
    ) -> None:
        if isinstance(body, list):
            body = json.dumps(body)
        self.body = body.encode() if isinstance(body, str) else body
        self.status = status
        self.headers = headers or {}
        self.pieces = pieces

    def head(self) -> bytes:
        lines = {"Content-Type": "application/json", "Connection": "close", **self.headers}
        if self.pieces is None and "Transfer-Encoding" not in lines:
            lines.setdefault("Content-Length", str(len(self.body)))
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        return f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n{text}\r\n".encode()


Handler = Callable[[Request], Reply | Awaitable[Reply]]


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split()
    address = urlsplit(target)
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(address.path, dict(parse_qsl(address.query)), headers, method, body)


@contextlib.asynccontextmanager
async def _serve(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read_request(reader)
        site.requests.append(request)
        reply = handler(request)
        if not isinstance(reply, Reply):
            reply = await reply
        writer.write(reply.head() + reply.body)
        await writer.drain()
        if reply.pieces is not None:
            async for piece in reply.pieces:
                writer.write(piece)
                await writer.drain()
                site.sent += len(piece)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, TimeoutError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    site = Site(server.sockets[0].getsockname()[1])
    try:
        yield site
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractAsyncContextManager[Site]]:
    """`async with serve(handler) as site`: a handler maps a Request to a Reply."""
    return _serve


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def context() -> Callable[..., contextlib.AbstractAsyncContextManager[FetchContext]]:
    """`async with context(timeout_s=..., max_bytes=...) as context`, under the real policy.

    Servers of this machine may be asked, at any port; `network`, `allowed` and `resolve` change it.
    """

    @contextlib.asynccontextmanager
    async def make(
        timeout_s: float = 10,
        max_bytes: int = 20_000_000,
        network: Network = _LOOPBACK,
        allowed: Iterable[str] = ("127.0.0.1",),
        **given: Any,
    ) -> AsyncIterator[FetchContext]:
        timeout = timedelta(seconds=timeout_s)
        client: httpx.AsyncClient = open_client(network, allowed, timeout, **given)
        async with client:
            yield FetchContext(client, lambda: NOW, timeout, max_bytes)

    return make


@pytest.fixture
def options() -> Callable[..., Open311Options]:
    def make(site: Site, **given: Any) -> Open311Options:
        return Open311Options.model_validate({"base_url": site.url, **given})

    return make


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """One good GeoReport record; keywords change its fields."""

    def make(number: int, **changes: Any) -> dict[str, Any]:
        moment = (NOW - timedelta(hours=50) + timedelta(minutes=number)).isoformat()
        return {
            "service_request_id": f"r{number}",
            "status": "open",
            "service_code": "JLN",
            "description": "Jalan berlubang.",
            "requested_datetime": moment,
            "updated_datetime": moment,
            "lat": -2.99,
            "long": 104.75,
            **changes,
        }

    return make
