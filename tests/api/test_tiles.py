"""Tiles from our own host: of a file, and of a server that comes and goes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from api import tiles as tiles_module
from api.tiles import BLANK, TileProxy, TilesAway, make_tiles_router
from lawang.domain.region import Box
from lawang.tiles import TileFacts, Tiles, TileServer, content_type
from tests.api.conftest import Hand, Web
from tests.test_tiles import PNG, open_file, write_pmtiles

#: About Palembang's.
BOX = Box(-3.1, 104.6, -2.85, 104.9)


@dataclass
class Origin:
    """A tile server on loopback; `says` is what it answers."""

    port: int = 0
    status: int = 200
    says: bytes = PNG
    location: str = ""
    #: Between one byte and the next, in seconds.
    drips_s: float = 0.0
    answering: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def server(self) -> TileServer:
        return TileServer(
            TileFacts(), lambda z, x, y: f"http://127.0.0.1:{self.port}/{z}/{x}/{y}.png"
        )


@contextmanager
def run_origin() -> Iterator[Origin]:
    origin = Origin()
    origin.answering.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            origin.asked.append(self.path)
            origin.answering.wait(20)
            self.send_response(origin.status)
            if origin.location:
                self.send_header("location", origin.location)
            self.send_header("content-length", str(len(origin.says)))
            self.end_headers()
            with suppress(ConnectionError):
                for byte in origin.says if origin.drips_s else []:
                    self.wfile.write(bytes([byte]))
                    time.sleep(origin.drips_s)
                if not origin.drips_s:
                    self.wfile.write(origin.says)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        origin.port = http.server_address[1]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield origin
        http.shutdown()
        thread.join()


@pytest.fixture
def origin() -> Iterator[Origin]:
    with run_origin() as running:
        yield running


def ask(tiles: Tiles | None, *paths: str) -> list[httpx.Response]:
    """What the route answers, asked one after the other."""
    server = FastAPI()
    server.include_router(make_tiles_router(tiles, BOX))

    async def all_of_them() -> list[httpx.Response]:
        async with (
            server.router.lifespan_context(server),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(server), base_url="http://localhost"
            ) as client,
        ):
            return [await client.get(path) for path in paths]

    return asyncio.run(all_of_them())


def test_a_picture_of_a_file_is_handed_out_for_a_day(tmp_path: Path) -> None:
    file = open_file(write_pmtiles(tmp_path / "kota.pmtiles"))
    (answer,) = ask(file, "/tiles/10/811/520")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, max-age=86400"


def test_outside_of_a_file_the_ground_is_empty_and_no_error(tmp_path: Path) -> None:
    file = open_file(write_pmtiles(tmp_path / "kota.pmtiles"))
    (answer,) = ask(file, "/tiles/10/0/0")
    assert (answer.status_code, answer.content) == (200, BLANK)
    assert content_type(BLANK) == "image/png"


@pytest.mark.parametrize("path", ["/tiles/1/2/0", "/tiles/1/0/-1", "/tiles/23/0/0"])
def test_a_tile_that_cannot_be_is_not_found(tmp_path: Path, path: str) -> None:
    file = open_file(write_pmtiles(tmp_path / "kota.pmtiles"))
    assert [each.status_code for each in ask(file, path)] == [404]


def test_without_tiles_their_addresses_are_not_found(web: Web) -> None:
    answer = web.client.get("/tiles/10/811/520")
    assert answer.status_code == 404
    assert "There is no such tile." in answer.text


def test_a_server_is_asked_once_for_a_picture(origin: Origin) -> None:
    answers = ask(origin.server(), "/tiles/10/811/520", "/tiles/10/811/520")
    assert [each.content for each in answers] == [PNG, PNG]
    assert origin.asked == ["/10/811/520.png"]


@pytest.mark.parametrize("status", [204, 400, 404, 410])
def test_a_missing_picture_of_a_server_leaves_the_ground_empty(origin: Origin, status: int) -> None:
    origin.status, origin.says = status, b""
    answers = ask(origin.server(), "/tiles/10/811/520", "/tiles/10/811/521")
    assert [(each.status_code, each.content) for each in answers] == [(200, BLANK)] * 2
    assert len(origin.asked) == 2


@pytest.mark.parametrize(
    "path", ["/tiles/19/414720/266514", "/tiles/22/3317760/2132112", "/tiles/10/0/0"]
)
def test_a_server_is_not_asked_for_what_no_map_shows(origin: Origin, path: str) -> None:
    (answer,) = ask(origin.server(), path)
    assert (answer.status_code, answer.content) == (200, BLANK)
    assert origin.asked == []


@pytest.mark.parametrize("path", ["/tiles/0/0/0", "/tiles/13/6420/4164", "/tiles/18/207360/133257"])
def test_a_server_is_asked_for_what_a_wide_wall_shows_around_the_city(
    origin: Origin, path: str
) -> None:
    assert [each.content for each in ask(origin.server(), path)] == [PNG]


def test_a_server_that_fails_is_left_in_peace_and_the_browser_told_to_ask_again(
    origin: Origin,
) -> None:
    origin.status = 500
    answers = ask(origin.server(), "/tiles/10/811/520", "/tiles/10/811/521")
    assert [each.status_code for each in answers] == [204, 204]
    assert {each.headers["cache-control"] for each in answers} == {"no-store"}
    assert len(origin.asked) == 1


@pytest.mark.parametrize(
    ("status", "says"),
    [(200, b"<html>maaf</html>"), (200, b"\x89PNG\r\n\x1a\n" + bytes(2_100_000)), (302, b"")],
    ids=["a page", "too much", "another place"],
)
def test_what_is_no_picture_is_not_passed_on(origin: Origin, status: int, says: bytes) -> None:
    origin.status, origin.says = status, says
    origin.location = "http://127.0.0.1:9/x.png" if status == 302 else ""
    assert [each.status_code for each in ask(origin.server(), "/tiles/10/811/520")] == [204]


def test_a_server_that_is_not_there_is_asked_again_after_a_while() -> None:
    clock = Hand()

    async def life() -> bytes | None:
        with run_origin() as origin:
            server = origin.server()
        proxy = TileProxy(server, clock=clock)
        with pytest.raises(TilesAway):
            await proxy.get(10, 811, 520)
        await proxy.close()
        with run_origin() as origin:
            second = TileProxy(origin.server(), clock=clock)
            origin.status = 503
            with pytest.raises(TilesAway):
                await second.get(10, 811, 520)
            origin.status = 200
            with pytest.raises(TilesAway):
                await second.get(10, 811, 520)
            clock.now += 31
            found = await second.get(10, 811, 520)
            await second.close()
            return found

    assert asyncio.run(life()) == PNG


def test_what_was_got_once_is_shown_on_while_the_server_is_away(origin: Origin) -> None:
    clock = Hand()

    async def life() -> bytes | None:
        proxy = TileProxy(origin.server(), clock=clock)
        await proxy.get(10, 811, 520)
        clock.now += 100_000
        origin.status = 500
        found = await proxy.get(10, 811, 520)
        await proxy.close()
        return found

    assert asyncio.run(life()) == PNG
    assert len(origin.asked) == 2


def test_a_server_that_drips_is_away(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles_module, "_LIMIT_S", 0.5)
    origin.says, origin.drips_s = PNG + bytes(100), 0.05
    assert [each.status_code for each in ask(origin.server(), "/tiles/10/811/520")] == [204]


def test_walls_that_ask_at_once_cost_the_server_one_picture(origin: Origin) -> None:
    origin.answering.clear()

    async def life() -> list[bytes | None]:
        proxy = TileProxy(origin.server())
        asking = [asyncio.create_task(proxy.get(10, 811, 520)) for _ in range(12)]
        while not origin.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        asking.pop().cancel()
        await asyncio.sleep(0)
        origin.answering.set()
        found = await asyncio.gather(*asking)
        await proxy.close()
        return found

    assert asyncio.run(life()) == [PNG] * 11
    assert len(origin.asked) == 1


def test_that_a_server_is_away_and_back_is_logged_once_each(origin: Origin) -> None:
    clock = Hand()

    async def life() -> None:
        proxy = TileProxy(origin.server(), clock=clock)
        for number, status in enumerate([500, 500, 503, 200, 200, 500]):
            origin.status = status
            with suppress(TilesAway):
                await proxy.get(10, 811, number)
            clock.now += 31
        await proxy.close()

    with capture_logs() as logs:
        asyncio.run(life())
    assert [each["event"] for each in logs] == ["tiles away", "tiles back", "tiles away"]
