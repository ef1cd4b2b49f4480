"""`/tiles/{z}/{x}/{y}`: the pictures of `LAWANG_TILES`, from our own host whatever they come from.

Where there is no picture, the answer is an empty one: the lines of the pack stand alone. A server
that fails is left in peace for a while and meanwhile answered for from what was got before; the
browser hears 204 and asks again later, without an error in its console.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import httpx
import structlog
from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from lawang.domain.region import Box
from lawang.tiles import TileFacts, Tiles, TileServer, content_type, is_tile

log = structlog.get_logger(__name__)

#: A day: ground does not move, and a wall reloads.
_KEEP_S = 86_400
_LIMIT_S = 5.0
_MAX_BYTES = 2_000_000
#: What is kept of a server's pictures, in bytes and, where it answers, in seconds.
_MEMORY_BYTES = 64_000_000
#: For how long a server that failed is not asked.
_PEACE_S = 30.0
_AT_ONCE = 8
#: So many tiles around the city a wall may show, however wide it is.
_AROUND = 64
#: What servers say where they have no such picture; some call an address of one a mistake.
_NO_PICTURE = (204, 400, 404, 410)
#: One transparent pixel, as PNG.
BLANK = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGNgAAIAAAUAAXpeqz8AAAAASUVORK5CYII="
)
_Key = tuple[int, int, int]


class TilesAway(Exception):
    """The server of the pictures cannot be had now."""


class TileProxy:
    """Asks one tile server, and no other host, for pictures; what it got once is kept in memory."""

    def __init__(
        self,
        server: TileServer,
        *,
        client: httpx.AsyncClient | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._host = urlsplit(server.address(0, 0, 0)).netloc
        self._name = self._host.rpartition("@")[2]
        self._client = client or httpx.AsyncClient(
            timeout=_LIMIT_S, follow_redirects=False, trust_env=False
        )
        self._clock = clock
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._asking: dict[_Key, asyncio.Task[bytes | TilesAway | None]] = {}
        self._kept: OrderedDict[_Key, tuple[float, bytes | None]] = OrderedDict()
        self._bytes = 0
        self._peace_until = 0.0
        self._away = False

    async def get(self, z: int, x: int, y: int) -> bytes | None:
        """A picture, or None where the server has none. Raises TilesAway."""
        key = (z, x, y)
        kept = self._kept.get(key)
        if kept is not None and self._clock() - kept[0] < _KEEP_S:
            self._kept.move_to_end(key)
            return kept[1]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask_and_keep(key))
            self._asking[key] = task
            task.add_done_callback(lambda _done: self._asking.pop(key, None))
        # One who leaves must not take the answer away from the others who wait for it.
        found = await asyncio.shield(task)
        if not isinstance(found, TilesAway):
            return found
        if kept is not None:
            return kept[1]
        raise TilesAway

    async def close(self) -> None:
        """Give connections back."""
        for task in list(self._asking.values()):
            task.cancel()
        await self._client.aclose()

    async def _ask_and_keep(self, key: _Key) -> bytes | TilesAway | None:
        if self._clock() < self._peace_until:
            return TilesAway()
        try:
            async with self._gate, asyncio.timeout(_LIMIT_S):
                found = await self._ask(key)
        except TilesAway as away:
            return away
        except TimeoutError:
            self._give_peace(f"takes more than {_LIMIT_S:g} s a tile")
            return TilesAway()
        if self._away and self._clock() >= self._peace_until:
            self._away = False
            log.info("tiles back", server=self._name)
        self._keep(key, found)
        return found

    async def _ask(self, key: _Key) -> bytes | None:
        # Another may have found it away while this one waited for its turn.
        if self._clock() < self._peace_until:
            raise TilesAway
        address = self._server.address(*key)
        if urlsplit(address).netloc != self._host:
            raise TilesAway
        try:
            async with self._client.stream("GET", address) as answer:
                if answer.status_code in _NO_PICTURE:
                    return None
                if answer.status_code != 200:
                    self._give_peace(f"answers {answer.status_code}")
                    raise TilesAway
                found = bytearray()
                async for piece in answer.aiter_bytes():
                    found += piece
                    if len(found) > _MAX_BYTES:
                        self._give_peace(f"sends more than {_MAX_BYTES} bytes a tile")
                        raise TilesAway
        except httpx.HTTPError as error:
            self._give_peace(f"cannot be had ({type(error).__name__})")
            raise TilesAway from None
        if content_type(bytes(found)) is None:
            self._give_peace("sends no png, jpg or webp")
            raise TilesAway
        return bytes(found)

    def _give_peace(self, why: str) -> None:
        if not self._away:
            self._away = True
            log.warning("tiles away", server=self._name, why=why)
        self._peace_until = self._clock() + _PEACE_S

    def _keep(self, key: _Key, picture: bytes | None) -> None:
        before = self._kept.pop(key, None)
        self._bytes -= len((before and before[1]) or b"")
        self._kept[key] = (self._clock(), picture)
        self._bytes += len(picture or b"")
        while self._bytes > _MEMORY_BYTES or len(self._kept) > 20_000:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._bytes -= len(dropped or b"")


def make_tiles_router(tiles: Tiles | None, box: Box) -> APIRouter:
    """The route; without tiles every address of it is 404. A server is asked for `box` alone."""
    proxy = TileProxy(tiles) if isinstance(tiles, TileServer) else None

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        yield
        if proxy is not None:
            await proxy.close()

    router = APIRouter(include_in_schema=False, lifespan=lifespan)

    @router.get("/tiles/{z}/{x}/{y}")
    async def tile(z: int, x: int, y: int) -> Response:
        if tiles is None or not is_tile(z, x, y):
            raise HTTPException(404, "There is no such tile.")
        if proxy is not None:
            try:
                # What no map of ours shows must not tire the server out for those that do.
                asked = _is_shown(tiles.facts, box, z, x, y)
                found = await proxy.get(z, x, y) if asked else None
            except TilesAway:
                return Response(status_code=204, headers={"cache-control": "no-store"})
        else:
            assert not isinstance(tiles, TileServer)
            found = await asyncio.to_thread(tiles.read, z, x, y)
        picture = found or BLANK
        kind = content_type(picture)
        if kind is None:
            picture, kind = BLANK, "image/png"
        return Response(
            picture, media_type=kind, headers={"cache-control": f"private, max-age={_KEEP_S}"}
        )

    return router


def _is_shown(facts: TileFacts, box: Box, z: int, x: int, y: int) -> bool:
    """Whether a map of the city can come to show this tile."""
    side = 1 << z
    west, east = ((degrees + 180) / 360 * side for degrees in (box.west, box.east))
    north, south = (
        (1 - math.asinh(math.tan(math.radians(degrees))) / math.pi) / 2 * side
        for degrees in (box.north, box.south)
    )
    return (
        facts.min_zoom <= z <= facts.max_zoom
        and west - _AROUND - 1 <= x <= east + _AROUND
        and north - _AROUND - 1 <= y <= south + _AROUND
    )
