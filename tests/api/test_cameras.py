"""What cameras show goes through this host, and only where their source may go."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest

from api import camera_relay
from api.camera_relay import CameraError, CameraRelay
from api.playlist import NotAPlaylist, Rewritten, rewrite
from connectors.http import client_for
from lawang.city import City
from lawang.city.network import Network
from lawang.domain.facts import Facts
from lawang.store.engine import open_engine
from lawang.store.history import History
from tests.api.conftest import (
    NEWEST,
    Hand,
    Web,
    make_installation,
    sentence_of,
    serve_web,
    without_table,
)
from tests.api.life import SOURCE, position

T = TypeVar("T")
SEGMENT = b"\x47" + b"segment" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 10
WHOLE_FILE = bytes(range(256)) * 8
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n"


class CameraServer:
    """A city's media server on a free port: counts what is asked, and plays the fool by path."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.keys: dict[str, str | None] = {}
        self.alive = threading.Event()
        #: How many pieces the playlist of /past told of before those that it has now.
        self.past = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked[self.path] += 1
                server.keys[self.path] = self.headers.get("authorization")
                server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._http.server_port}"
        self.url = f"http://{self.place}"
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()
        self.alive.set()

    def close(self) -> None:
        self.alive.set()
        self._http.shutdown()
        self._thread.join(20)
        self._http.server_close()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        path = to.path.partition("?")[0]
        bodies = {
            "/ok/index.m3u8": PLAYLIST.format("a.ts?key=1"),
            "/key/index.m3u8": PLAYLIST.format("own.ts"),
            "/master/index.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/deep/low.m3u8\n",
            "/deep/low.m3u8": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:2,\nd.ts\n',
            "/away/index.m3u8": PLAYLIST.format("http://127.0.0.2:9/secret.ts"),
            "/range/index.m3u8": PLAYLIST.format("#EXT-X-BYTERANGE:9@0\nwhole.mp4"),
            "/page/index.m3u8": "<html>no playlist</html>",
            "/trap.ts": "<script>alert(1)</script>",
            "/trap/index.m3u8": PLAYLIST.format("/trap.ts"),
            "/wide/index.m3u8": PLAYLIST.format("huge.ts"),
        }
        if path == "/past/index.m3u8":
            pieces = (f"{self.past + number}a.ts" for number in range(100))
            self._send(to, PLAYLIST.format("\n#EXTINF:2,\n".join(pieces)).encode())
        elif path.endswith("/hop.m3u8"):
            self._redirect(to, "/ok/index.m3u8")
        elif path.endswith("/flee.m3u8"):
            self._redirect(to, "http://127.0.0.2:9/secret.m3u8")
        elif path.endswith("slow.m3u8"):
            self.alive.wait(30)
            self._send(to, PLAYLIST.format("a.ts").encode())
        elif path in bodies:
            self._send(to, bodies[path].encode())
        elif path.endswith("huge.ts"):
            self._send(to, b"x" * 17_000_000)
        elif path.endswith("whole.mp4"):
            self._send(to, WHOLE_FILE)
        elif path.endswith(("a.ts", "d.ts", "own.ts", "/k")):
            self._send(to, SEGMENT)
        elif path.endswith("still.jpg"):
            self._send(to, JPEG)
        elif path.endswith("page.jpg"):
            self._send(to, b"<svg onload='alert(1)'/>")
        else:
            to.send_error(404)

    def _redirect(self, to: BaseHTTPRequestHandler, target: str) -> None:
        to.send_response(302)
        to.send_header("Location", target)
        to.send_header("Content-Length", "0")
        to.end_headers()

    def _send(self, to: BaseHTTPRequestHandler, body: bytes) -> None:
        to.send_response(200)
        to.send_header("Content-Type", "text/html")
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body)


@pytest.fixture(scope="module")
def server() -> Iterator[CameraServer]:
    running = CameraServer()
    yield running
    running.close()


def with_cameras(city: City, server: CameraServer) -> City:
    """The city whose source may ask the server."""
    source = replace(
        city.sources[SOURCE],
        connection={"url": f"{server.url}/list"},
        network=Network(loopback=True),
        simulated=False,
    )
    return replace(city, sources={**city.sources, SOURCE: source})


@pytest.fixture(scope="module")
def web(
    city: City,
    server: CameraServer,
    full_history: History,
    valkey_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Web]:
    """A web process whose source has one camera for each way of the server."""
    links = {
        **{
            name: f"{server.url}/{name}/index.m3u8"
            for name in (*("ok", "master", "away", "range", "page", "trap", "wide", "dead", "a/b"),)
        },
        **{name: f"{server.url}/ok/{name}.m3u8" for name in ("hop", "flee")},
        "slow": f"{server.url}/slow.m3u8",
        "many": f"{server.url}/ok/index.m3u8?many",
        "still": f"{server.url}/still.jpg",
        "page_still": f"{server.url}/page.jpg",
        "stranger": "http://127.0.0.2:9/index.m3u8",
        "file": "file:///etc/passwd",
        "key": f"http://sari:rahasia@{server.place}/key/index.m3u8",
        "private": None,
    }
    cameras = [
        position(number, id=f"{SOURCE}:{name}", external_id=name, kind="kamera", link=link)
        for number, (name, link) in enumerate(links.items())
    ]
    facts = Facts(zone=city.timezone, positions=cameras)
    full_history.settle(SOURCE, [], fetched_at=NEWEST, fence=1, facts=facts)
    changed = with_cameras(city, server)
    data = tmp_path_factory.mktemp("cameras")
    with serve_web(make_installation(changed, full_history, valkey_url, data)) as running:
        yield running


def ask(web: Web, camera: str, what: str = "stream/index.m3u8", **headers: str) -> httpx.Response:
    camera_id = quote(f"{SOURCE}:{camera}", safe="")
    return web.client.get(f"/api/v1/cameras/{camera_id}/{what}", headers=headers)


def names(playlist: httpx.Response) -> list[str]:
    lines = playlist.raise_for_status().text.splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_list_tells_what_each_camera_shows(web: Web) -> None:
    listed = web.client.get("/api/v1/cameras").raise_for_status().json()
    shows = {each["id"].removeprefix(f"{SOURCE}:"): each["shows"] for each in listed["cameras"]}
    assert listed["total"] == len(shows)
    found = {name: shows[name] for name in ("ok", "still", "private", "file")}
    assert found == {"ok": "stream", "still": "still", "private": "nothing", "file": "nothing"}


def test_no_answer_names_an_address_of_a_camera(web: Web, server: CameraServer) -> None:
    texts = [web.client.get("/api/v1/cameras").text, ask(web, "ok").text, ask(web, "away").text]
    texts += [ask(web, name).text for name in ("stranger", "flee", "dead", "key")]
    told = "".join(texts)
    assert [word for word in (server.place, "127.0.0", "rahasia", "key=") if word in told] == []


def test_a_playlist_and_what_it_names_come_from_here(web: Web) -> None:
    playlist = ask(web, "ok")
    assert playlist.headers["content-type"] == "application/vnd.apple.mpegurl"
    (name,) = names(playlist)
    segment = ask(web, "ok", f"stream/{name}")
    assert segment.content == SEGMENT
    assert segment.headers["content-type"] == "application/octet-stream"
    assert segment.headers["cache-control"] == "no-store"


def test_a_playlist_of_playlists_is_followed_and_so_are_its_keys(web: Web) -> None:
    (nested,) = names(ask(web, "master"))
    inner = ask(web, "master", f"stream/{nested}")
    (name,) = names(inner)
    key = inner.text.split('URI="')[1].split('"')[0]
    for each in (name, key):
        assert ask(web, "master", f"stream/{each}").content == SEGMENT


def test_another_process_finds_a_name_that_it_did_not_give_out(
    web: Web, server: CameraServer
) -> None:
    """Names follow from the addresses alone, so what one process told, another can answer."""
    deep = rewrite(b"#EXTM3U\n#EXTINF:2,\nd.ts\n", httpx.URL(f"{server.url}/deep/low.m3u8"))
    (name,) = deep.parts
    assert ask(web, "master", f"stream/{name}").content == SEGMENT


def test_what_no_playlist_names_cannot_be_asked_for(web: Web) -> None:
    for name in ("a.ts", "x" * 20, quote("http://127.0.0.2:9/", safe="")):
        answer = ask(web, "ok", f"stream/{name}")
        assert answer.status_code == 404
        assert sentence_of(answer)


def test_ten_walls_at_once_cost_the_camera_one_viewer(web: Web, server: CameraServer) -> None:
    deadline = time.monotonic() + 60
    while True:
        before = server.asked["/ok/index.m3u8?many"]
        began = time.monotonic()
        with ThreadPoolExecutor(10) as walls:
            answers = list(walls.map(lambda _: ask(web, "many"), range(10)))
        # A playlist is kept for a second.
        if time.monotonic() - began < 0.9:
            break
        assert time.monotonic() < deadline, "this machine is too slow to tell"
    assert {len(names(answer)) for answer in answers} == {1}
    assert server.asked["/ok/index.m3u8?many"] - before <= 1


def test_a_viewer_who_leaves_takes_the_picture_from_nobody(web: Web, server: CameraServer) -> None:
    server.alive.clear()
    with ThreadPoolExecutor(1) as other:
        impatient = httpx.Client(base_url=web.url, timeout=0.5, trust_env=False)
        with impatient, pytest.raises(httpx.ReadTimeout):
            impatient.get(f"/api/v1/cameras/{SOURCE}:slow/stream/index.m3u8")
        waiting = other.submit(ask, web, "slow")
        server.alive.set()
        assert names(waiting.result(30))
    assert server.asked["/slow.m3u8"] == 1


def test_a_redirect_within_the_list_is_followed(web: Web) -> None:
    (name,) = names(ask(web, "hop"))
    assert ask(web, "hop", f"stream/{name}").content == SEGMENT


@pytest.mark.parametrize("camera", ["flee", "stranger"])
def test_hosts_that_the_source_may_not_ask_are_not_asked(web: Web, camera: str) -> None:
    answer = ask(web, camera)
    assert answer.status_code == 502
    assert "[network]" in sentence_of(answer)


def test_a_segment_on_another_host_is_not_fetched(web: Web) -> None:
    (name,) = names(ask(web, "away"))
    answer = ask(web, "away", f"stream/{name}")
    assert (answer.status_code, "[network]" in sentence_of(answer)) == (502, True)


def test_a_part_of_a_file_is_cut_where_the_server_knows_no_ranges(web: Web) -> None:
    (name,) = names(ask(web, "range"))
    answer = ask(web, "range", f"stream/{name}", range="bytes=256-261")
    assert (answer.status_code, answer.content) == (206, WHOLE_FILE[256:262])
    assert answer.headers["content-range"] == f"bytes 256-261/{len(WHOLE_FILE)}"


def test_what_is_too_large_is_not_handed_on(web: Web) -> None:
    (name,) = names(ask(web, "wide"))
    answer = ask(web, "wide", f"stream/{name}")
    assert (answer.status_code, "more than" in sentence_of(answer)) == (502, True)


@pytest.mark.parametrize("camera", ["page", "dead", "a/b"])
def test_what_is_no_playlist_is_a_failure_with_a_sentence(web: Web, camera: str) -> None:
    answer = ask(web, camera)
    assert answer.status_code == 502
    assert sentence_of(answer)


def test_a_page_in_place_of_a_segment_is_never_a_page_here(web: Web) -> None:
    (name,) = names(ask(web, "trap"))
    answer = ask(web, "trap", f"stream/{name}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_still_picture_is_handed_on_by_what_it_is(web: Web) -> None:
    answer = ask(web, "still", "still")
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")


def test_what_is_no_picture_is_no_still(web: Web) -> None:
    answer = ask(web, "page_still", "still")
    assert answer.status_code == 502
    assert "picture" in sentence_of(answer)


@pytest.mark.parametrize(
    ("camera", "what"),
    [("private", "stream/index.m3u8"), ("private", "still"), ("file", "stream/index.m3u8"),
     ("nobody", "still"), ("ok", "still"), ("still", "stream/index.m3u8")],
)  # fmt: skip
def test_what_a_camera_does_not_give_is_not_found(web: Web, camera: str, what: str) -> None:
    answer = ask(web, camera, what)
    assert answer.status_code == 404
    assert sentence_of(answer)


def test_a_key_in_the_link_goes_along_to_its_own_server(web: Web, server: CameraServer) -> None:
    (name,) = names(ask(web, "key"))
    ask(web, "key", f"stream/{name}").raise_for_status()
    assert server.keys["/key/own.ts"] == "Basic c2FyaTpyYWhhc2lh"


@pytest.mark.parametrize("form", ["json", "geojson"])
def test_the_list_of_positions_shows_no_key_of_a_camera(web: Web, form: str) -> None:
    answer = web.client.get("/api/v1/positions", params={"source": SOURCE, "format": form})
    assert answer.status_code == 200
    assert "/key/index.m3u8" in answer.text
    assert "rahasia" not in answer.text
    assert "sari" not in answer.text
    assert "?many" not in answer.text


def test_a_dead_camera_is_not_asked_again_at_once(web: Web, server: CameraServer) -> None:
    deadline = time.monotonic() + 60
    while True:
        before = server.asked["/dead/index.m3u8"]
        began = time.monotonic()
        answers = [ask(web, "dead").status_code for _ in range(5)]
        if time.monotonic() - began < 2:
            break
        assert time.monotonic() < deadline, "this machine is too slow to tell"
    assert answers == [502] * 5
    assert server.asked["/dead/index.m3u8"] - before <= 1


@dataclass
class Lone:
    """A relay without a web process, whose one camera tells of ever new pieces."""

    relay: CameraRelay
    hand: Hand
    camera: str = f"{SOURCE}:past"

    def run(self, life: Coroutine[Any, Any, T]) -> T:
        """Live through it, and close what was opened within its loop."""

        async def whole() -> T:
            try:
                return await life
            finally:
                await self.relay.close()

        return asyncio.run(whole())


@pytest.fixture
def lone(city: City, server: CameraServer, sqlite_history: History) -> Lone:
    link = f"{server.url}/past/index.m3u8"
    told = [position(1, id=f"{SOURCE}:past", external_id="past", kind="kamera", link=link)]
    facts = Facts(zone=city.timezone, positions=told)
    sqlite_history.settle(SOURCE, [], fetched_at=NEWEST, fence=1, facts=facts)
    hand = Hand()
    relay = CameraRelay(with_cameras(city, server), sqlite_history, client_for, clock=hand)
    return Lone(relay, hand)


def test_a_playlist_is_rewritten_once_for_all_who_are_given_it(
    lone: Lone, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[bytes] = []

    def counting(body: bytes, url: httpx.URL) -> Rewritten:
        done.append(body)
        return rewrite(body, url)

    async def life() -> set[bytes]:
        shown = {(await lone.relay.playlist(lone.camera)).body for _ in range(5)}
        lone.hand.now += 2
        return shown | {(await lone.relay.playlist(lone.camera)).body}

    monkeypatch.setattr(camera_relay, "rewrite", counting)
    assert len(lone.run(life())) == 1
    assert len(done) == 2


def test_pieces_that_a_camera_told_of_long_ago_are_forgotten(
    lone: Lone, server: CameraServer
) -> None:
    async def life() -> list[bytes]:
        names: list[str] = []
        for past in range(0, 600, 100):
            server.past = past
            lone.hand.now += 2
            playlist = (await lone.relay.playlist(lone.camera)).body.decode()
            names += [line for line in playlist.splitlines() if not line.startswith("#")]
        newest = await lone.relay.part(lone.camera, names[-1])
        with pytest.raises(CameraError, match="no longer"):
            await lone.relay.part(lone.camera, names[0])
        return [newest.body]

    assert lone.run(life()) == [SEGMENT]


def test_while_history_is_away_the_list_is_asked_for_now_and_then(
    city: City, sqlite_url: str
) -> None:
    hand = Hand()

    def settle(history: History, name: str) -> None:
        told = [position(1, kind="kamera", name=name)]
        facts = Facts(zone=city.timezone, positions=told)
        history.settle(SOURCE, [], fetched_at=NEWEST, fence=1, facts=facts)

    async def life() -> list[str]:
        heard: list[str] = []

        async def hear_later(seconds: float) -> None:
            hand.now += seconds
            (camera,) = await relay.cameras()
            heard.append(camera.name)

        with closing(History(open_engine(sqlite_url))) as history:
            relay = CameraRelay(city, history, client_for, clock=hand)
            settle(history, "Ampera")
            await hear_later(0)
            with without_table(sqlite_url, "position"):
                await hear_later(6)
            settle(history, "Jembatan Ampera")
            await hear_later(3)
            await hear_later(3)
        return heard

    assert asyncio.run(life()) == ["Ampera", "Ampera", "Ampera", "Jembatan Ampera"]


def test_figures_of_cameras_are_among_the_metrics(web: Web) -> None:
    ask(web, "ok")
    text = web.client.get("/metrics").text
    assert 'lawang_camera_answers_total{by="camera"}' in text
    assert "lawang_camera_read_bytes_total" in text


URL = httpx.URL("https://user:key@media.example/live/a/index.m3u8")


def test_a_user_in_the_address_goes_to_its_own_server_only() -> None:
    body = b"#EXTM3U\n#EXTINF:1,\nb.ts\n#EXTINF:1,\nhttps://other.example/c.ts\n"
    urls = [str(part.url) for part in rewrite(body, URL).parts.values()]
    assert urls == ["https://user:key@media.example/live/a/b.ts", "https://other.example/c.ts"]


def test_tags_with_addresses_of_others_are_left_out() -> None:
    body = (
        b'#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI="https://x.example/s"\n'
        b'#EXT-X-PART:DURATION=0.3,URI="p.ts"\n#EXT-X-NEW:URI="n"\n# a note\n#EXTINF:1,\nb.ts\n'
    )
    lines = rewrite(body, URL).text.splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == ["#EXTM3U", "#EXTINF"]
    assert len(lines) == 3


@pytest.mark.parametrize("between", [",", ", ", ",\t"])
def test_the_address_of_a_key_is_found_after_a_blank_too(between: str) -> None:
    body = f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128{between}URI="https://other.example/k"\n'
    rewritten = rewrite(body.encode(), URL)
    (part,) = rewritten.parts.values()
    assert str(part.url) == "https://other.example/k"
    assert "other.example" not in rewritten.text
    assert rewritten.text.splitlines()[1].startswith(f'#EXT-X-KEY:METHOD=AES-128{between}URI="')


def test_a_word_in_quotes_that_only_looks_like_an_address_stays() -> None:
    body = b'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="URI",URI="au.m3u8"\n'
    rewritten = rewrite(body, URL)
    (part,) = rewritten.parts.values()
    assert part.is_playlist
    assert 'NAME="URI"' in rewritten.text


@pytest.mark.parametrize(
    ("stated", "given"), [("149611533", "1533"), ("7", "7"), ("9" * 9000, "9999"), ("x", "0")]
)
def test_no_camera_counts_its_discontinuities_into_the_millions(stated: str, given: str) -> None:
    body = f"#EXTM3U\n#EXT-X-DISCONTINUITY-SEQUENCE:{stated}\n#EXTINF:1,\nb.ts\n"
    assert f"-SEQUENCE:{given}\n" in rewrite(body.encode(), URL).text


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe\x00", b"#EXTM3U8\n", b"#EXTM3U\n" * 4_001]
)
def test_what_is_no_playlist_is_told_apart(body: bytes) -> None:
    with pytest.raises(NotAPlaylist):
        rewrite(body, URL)
