"""Distinctive secrets planted in every place that takes one, and looked for wherever data ends up.

One installation runs with sources that succeed and sources whose server fails while it repeats what
it was sent; then everything that was printed, served and stored is searched.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus, unquote_plus, urlsplit

import httpx
import pytest
import redis

from lawang.store.embedded import EmbeddedValkey
from tests.installation.running import copy_pack, free_ports, start, wait_until

_PATIENCE_S = 120

#: Variable -> what it holds. Signs that addresses and headers write in another way are among them.
SECRETS = {
    "UJI_HEADER_KEY": "kunci-kepala-4711",
    "UJI_BEARER": "tanda-pembawa-4712",
    "UJI_PASSWORD": "sandi+dasar/4713",
    "UJI_OAUTH_SECRET": "rahasia-oauth-4714",
    "UJI_PROXY_PASSWORD": "sandi-perantara-4715",
    "UJI_PARAMETER": "kunci param&4716",
    "LAWANG_ELAPOR_API_KEY": "kunci-elapor-4717",
}
TOKEN = "tanda-masuk-4718"
DATABASE_PASSWORD = "sandi-basis-data-4719"

_AUTH = {
    "header": 'auth = { kind = "header", value = "${UJI_HEADER_KEY}" }',
    "bearer": 'auth = { kind = "bearer", token = "${UJI_BEARER}" }',
    "basic": 'auth = { kind = "basic", user = "dinas", password = "${UJI_PASSWORD}" }',
    "oauth": 'auth = { kind = "oauth2", token_url = "${UJI_URL}/token", client_id = "lawang", '
    'client_secret = "${UJI_OAUTH_SECRET}" }',
    "parameter": 'params = { api_key = "${UJI_PARAMETER}" }',
    "proxy": "",
}
#: What the server does with a source's request; every kind of secret meets every one of them.
_FATES = ("baik", "tolak", "galat", "alih", "sampah", "putus")
_SOURCE = """\
name = "Uji {auth} {fate}"
opd = "diskominfo"
connector = "rest"
yields = "incidents"
every_s = 2
timeout_s = 1.9

[connection]
url = "{url}/{fate}"
{line}

[network]
loopback = true
{proxy}

[fields]
external_id = "id"
requested_at = "waktu"
"""


class _Department(BaseHTTPRequestHandler):
    """Answers as the last part of its path says, and repeats all it was sent when it fails.

    It is a proxy too: whole addresses in a request's first line are answered likewise.
    """

    heard: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        fate = urlsplit(self.path).path.rpartition("/")[2]
        echo = f"{self.path} {dict(self.headers.items())} {self._decoded()}".encode()
        self.heard.append(unquote_plus(echo.decode()))
        if fate == "baik":
            row = {"id": "a1", "waktu": "2026-11-20T08:00:00+07:00"}
            self._answer(200, json.dumps([row]).encode())
        elif fate == "alih":
            self._answer(302, echo, f"http://lain.example/{quote(self.path)}")
        elif fate == "sampah":
            self._answer(200, b"<html>" + echo)
        elif fate == "putus":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + echo)
            self.close_connection = True
        else:
            self._answer(403 if fate == "tolak" else 500, echo)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.heard.append(self._decoded())
        self._answer(200, json.dumps({"access_token": TOKEN, "expires_in": 600}).encode())

    def _decoded(self) -> str:
        words = []
        for name in ("authorization", "proxy-authorization"):
            word = self.headers.get(name, "").removeprefix("Basic ")
            with contextlib.suppress(ValueError):
                words.append(base64.b64decode(word, validate=True).decode())
        return " ".join(words)

    def _answer(self, status: int, body: bytes, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclass
class Seen:
    """Where data ended up, by place; `states` are those of the sources."""

    places: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, list[bytes]] = field(default_factory=dict)


def _spellings(secret: str) -> list[bytes]:
    forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    forms.add(json.dumps(secret)[1:-1])
    # Inside of base64 a secret is shifted by what stands before it: two users, three places each.
    for user in ("dinas", "lawang"):
        forms.add(base64.b64encode(f"{user}:{secret}".encode()).decode().rstrip("="))
    return [form.encode() for form in forms]


def _write_sources(pack: Path) -> list[str]:
    written = []
    for auth, line in _AUTH.items():
        for fate in _FATES:
            proxy = 'proxy = "http://lawang:${UJI_PROXY_PASSWORD}@${UJI_PROXY}"'
            source = f"{auth}_{fate}"
            text = _SOURCE.format(
                auth=auth,
                fate=fate,
                line=line,
                url="http://dinas.example" if auth == "proxy" else "${UJI_URL}",
                proxy=proxy if auth == "proxy" else "",
            )
            (pack / "sources" / f"{source}.toml").write_text(text, encoding="utf-8")
            written.append(source)
    return written


def _all_values(url: str) -> bytes:
    """Every key and value of a Valkey, whatever its type."""
    client = redis.Redis.from_url(url)
    found: list[Any] = []
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        value: Any = {
            b"string": lambda key: client.get(key),
            b"hash": lambda key: client.hgetall(key),
            b"list": lambda key: client.lrange(key, 0, -1),
            b"set": lambda key: client.smembers(key),
            b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
            b"stream": lambda key: client.xrange(key),
        }[kind](key)
        found.append((key, value))
    client.close()
    assert found
    return repr(found).encode()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("secrets")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Department)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    valkey = EmbeddedValkey(folder)
    valkey.start()
    try:
        yield _run(folder, f"127.0.0.1:{server.server_address[1]}", valkey)
    finally:
        valkey.stop()
        server.shutdown()
        server.server_close()


def _run(folder: Path, place: str, valkey: EmbeddedValkey) -> Seen:
    seen = Seen(secrets={name: _spellings(value) for name, value in SECRETS.items()})
    seen.secrets["the token"] = _spellings(TOKEN)
    seen.secrets["Valkey's"] = [(urlsplit(valkey.url).password or "").encode()]
    pack = copy_pack(folder, elapor=lambda text: text + "\n[network]\nloopback = true\n")
    ids = ["elapor", *_write_sources(pack)]
    port = free_ports()
    settings = {
        "LAWANG_CITY": str(pack),
        "LAWANG_REDIS_URL": valkey.url,
        "LAWANG_DATA_DIR": str(folder / "data"),
        "LAWANG_ELAPOR_URL": f"http://{place}/galat/",
        "UJI_URL": f"http://{place}",
        "UJI_PROXY": place,
    }
    for name, value in SECRETS.items():
        file = folder / f"{name}.secret"
        file.write_text(f"{value}\n", encoding="utf-8")
        settings[f"{name}_FILE"] = str(file)
    running = start(folder / "output.txt", "up", "--port", str(port), **settings)
    try:
        running.says("is open at", _PATIENCE_S)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as web:

            def heard() -> bool:
                sources = web.get("/api/v1/sources").raise_for_status().json()["sources"]
                seen.states = {each["id"]: each for each in sources}
                return all(
                    seen.states[each]["last_success"] or seen.states[each]["error_kind"]
                    for each in ids
                )

            wait_until(heard, _PATIENCE_S, f"a poll of every source:\n{running.output()[-3000:]}")
            for page in ("/metrics", "/api/v1/sources", "/api/v1/incidents", "/sources", "/wall"):
                seen.places[page] = web.get(page).raise_for_status().content
            for page in ("/_dash-layout", "/_dash-dependencies", "/readyz"):
                seen.places[page] = web.get(page).content
            for source in ids:
                seen.places[source] = web.get(f"/api/v1/sources/{source}").content
        seen.places["Valkey"] = _all_values(valkey.url)
        for words in _commands():
            log = folder / f"{'-'.join(words)}.txt"
            start(log, *words, **settings).wait(_PATIENCE_S)
            seen.places[" ".join(words)] = log.read_bytes()
    finally:
        running.end()
    seen.places["output"] = (folder / "output.txt").read_bytes()
    for file in (folder / "data").rglob("*"):
        if file.is_file():
            seen.places[file.name] = file.read_bytes()
    return seen


def _commands() -> Iterator[tuple[str, ...]]:
    yield from [("sources", "list"), ("sources", "list", "--json")]
    for source in ("header_baik", "basic_tolak", "oauth_galat", "parameter_alih", "proxy_sampah"):
        yield "sources", "check", source
    yield "sources", "check", "parameter_putus", "--json"
    yield "sources", "check", "bearer_sampah", "--json"


def test_what_was_planted_was_used(seen: Seen) -> None:
    """Else nothing could leak: every secret was sent, and each failure happened."""
    heard = " ".join(_Department.heard)
    missing = {name for name, value in SECRETS.items() if unquote_plus(value) not in heard}
    assert missing == set()
    assert f"Bearer {TOKEN}" in heard
    assert len(seen.secrets["Valkey's"][0]) > 8
    for auth in _AUTH:
        assert seen.states[f"{auth}_baik"]["last_success"], auth
        kinds = [seen.states[f"{auth}_{fate}"]["error_kind"] for fate in _FATES[1:]]
        assert kinds == ["refused", "bad_status", "redirected", "garbage", "unreachable"], auth
    assert seen.states["elapor"]["error_kind"] == "bad_status"


def test_every_place_was_looked_at(seen: Seen) -> None:
    empty = [place for place, content in seen.places.items() if not content]
    assert set(empty) <= {"history.sqlite3-wal"}
    assert {"output", "Valkey", "history.sqlite3", "/metrics", "/sources"} <= set(seen.places)
    assert b"redirected" in seen.places["output"]


@pytest.mark.parametrize("name", [*SECRETS, "the token", "Valkey's"])
def test_a_secret_is_nowhere(seen: Seen, name: str) -> None:
    found = [
        place
        for place, content in seen.places.items()
        if any(form in content for form in seen.secrets[name])
    ]
    assert found == []


@pytest.mark.parametrize("words", [("sources", "list"), ("poll",), ("web",)])
def test_the_databases_password_is_in_no_error(tmp_path: Path, words: tuple[str, ...]) -> None:
    address = f"postgresql+psycopg://lawang:{DATABASE_PASSWORD}@127.0.0.1:1/kota"
    log = tmp_path / "output.txt"
    running = start(
        log,
        *words,
        LAWANG_CITY=str(copy_pack(tmp_path)),
        LAWANG_DATA_DIR=str(tmp_path / "data"),
        LAWANG_DATABASE_URL=address,
        LAWANG_REDIS_URL=f"redis://:{DATABASE_PASSWORD}@127.0.0.1:1/0",
    )
    try:
        wait_until(
            lambda: running.process.poll() is not None or len(running.output()) > 100,
            _PATIENCE_S,
            "an end, or words about the failure",
        )
    finally:
        running.end()
    assert running.output()
    assert DATABASE_PASSWORD not in running.output()
