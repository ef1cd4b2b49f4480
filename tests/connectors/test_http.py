"""The HTTP policy against a real server: limits hold, failures have names, secrets stay in."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import ssl
import time
import tracemalloc
import zlib
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import http
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

KEY = "kunci-rahasia-77"
BIG = 200_000_000


@pytest.fixture
def send(serve: Any, context: Any) -> Any:
    """Ask a server with this handler once; returns (reply or error, the site, seconds)."""

    def run(handler: Any, **limits: Any) -> tuple[Any, Any, float]:
        async def ask() -> tuple[Any, Any, float]:
            headers = limits.pop("headers", None)
            tls = limits.pop("tls", None)
            method = limits.pop("method", "GET")
            body = {name: limits.pop(name) for name in ("json", "form") if name in limits}
            async with serve(handler, tls) as site, context(**limits) as given:
                url = site.url.replace("http", "https" if tls else "http") + "requests.json"
                began = time.monotonic()
                try:
                    outcome = await http.send(
                        given.client,
                        method,
                        url,
                        clock=given.clock,
                        timeout=given.timeout,
                        max_bytes=given.max_bytes,
                        params={"api_key": KEY},
                        headers=headers,
                        **body,
                    )
                except SourceError as error:
                    outcome = error
                return outcome, site, time.monotonic() - began

        return asyncio.run(ask())

    return run


@pytest.fixture
def get(send: Any) -> Any:
    return send


def test_a_reply_is_read_whole(get: Any, reply: Any) -> None:
    outcome, site, _ = get(lambda _: reply("[]", headers={"ETag": '"a"', "X-Simulated": "true"}))
    assert (outcome.body, outcome.etag, outcome.is_simulated) == (b"[]", '"a"', True)
    assert site.requests[0].query == {"api_key": KEY}


def test_a_packed_reply_is_unpacked(get: Any, reply: Any) -> None:
    packed = gzip.compress(b"[1]")
    outcome, site, _ = get(lambda _: reply(packed, headers={"Content-Encoding": "gzip"}))
    assert outcome.body == b"[1]"
    assert site.requests[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (401, "refused", NeedsPerson),
        (403, "refused", NeedsPerson),
        (404, "not_found", NeedsPerson),
        (410, "not_found", NeedsPerson),
        (429, "rate_limited", RetryLater),
        (400, "bad_status", RetryLater),
        (500, "bad_status", RetryLater),
        (503, "bad_status", RetryLater),
    ],
)
def test_a_refusing_status_has_its_kind(
    get: Any, reply: Any, status: int, kind: str, error: type[SourceError]
) -> None:
    outcome, site, _ = get(lambda _: reply(f"secret {KEY}", status=status))
    assert type(outcome) is error
    assert outcome.kind == kind
    assert outcome.detail == f"127.0.0.1:{site.port}: {status}"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "12"}, 12),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:30 GMT"}, 90),
        # Measured on the server's own clock, which is an hour behind ours.
        (
            {
                "Retry-After": "Sat, 21 Nov 2026 11:00:20 GMT",
                "Date": "Sat, 21 Nov 2026 11:00:00 GMT",
            },
            20,
        ),
        ({"Retry-After": "Sat, 21 Nov 2026 10:00:00 GMT"}, 0),
        ({"Retry-After": "99999999999999999999"}, 86_400),
    ],
)
def test_the_wish_of_a_busy_server_is_passed_on(
    get: Any, reply: Any, status: int, headers: dict[str, str], seconds: float
) -> None:
    outcome, _, _ = get(lambda _: reply(status=status, headers=headers))
    assert (outcome.kind, outcome.retry_after_s) == ("rate_limited", seconds)


@pytest.mark.parametrize("wish", ["", "nanti", "-5", "²", "Sat, 99 Nov"])
def test_an_unreadable_wish_is_none(get: Any, reply: Any, wish: str) -> None:
    headers = {"Retry-After": wish.encode().decode("latin-1")}
    outcome, _, _ = get(lambda _: reply(status=429, headers=headers))
    assert (outcome.kind, outcome.retry_after_s) == ("rate_limited", None)


async def _pour(total: int, chunked: bool) -> Any:
    piece = b" " * 65_536
    for _ in range(0, total, len(piece)):
        yield b"10000\r\n" + piece + b"\r\n" if chunked else piece


@pytest.mark.parametrize(
    "headers", [{"Content-Length": str(BIG)}, {"Transfer-Encoding": "chunked"}]
)
def test_a_reply_of_200_megabytes_is_refused_and_not_read(
    get: Any, reply: Any, headers: dict[str, str]
) -> None:
    chunked = "Transfer-Encoding" in headers
    outcome, site, _ = get(
        lambda _: reply(headers=headers, pieces=_pour(BIG, chunked)), max_bytes=1_000_000
    )
    assert type(outcome) is NeedsPerson
    assert outcome.kind == "too_large"
    # What the kernel's buffers took in is all that went out.
    assert site.sent < 20_000_000


def test_a_bomb_is_refused_without_being_unpacked(get: Any, reply: Any) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()
    tracemalloc.start()
    outcome, _, _ = get(
        lambda _: reply(bomb, headers={"Content-Encoding": "gzip"}), max_bytes=1_000_000
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.kind == "too_large"
    assert peak < 8_000_000


def test_a_reply_of_exactly_the_limit_is_taken(get: Any, reply: Any) -> None:
    outcome, _, _ = get(lambda _: reply(b" " * 5_000), max_bytes=5_000)
    assert len(outcome.body) == 5_000


@pytest.mark.parametrize("packed", [False, True])
def test_one_byte_above_the_limit_is_refused(get: Any, reply: Any, packed: bool) -> None:
    body = gzip.compress(b" " * 5_001) if packed else b" " * 5_001
    headers = {"Content-Encoding": "gzip"} if packed else {}
    outcome, _, _ = get(lambda _: reply(body, headers=headers), max_bytes=5_000)
    assert outcome.kind == "too_large"


@pytest.mark.parametrize(
    ("body", "encoding", "kind"),
    [
        (b"no gzip", "gzip", "garbage"),
        (b"[]", "br", "garbage"),
        (gzip.compress(b"[]" * 500, mtime=0)[:-9], "gzip", "unreachable"),
    ],
    ids=["no gzip", "unknown", "cut off"],
)
def test_a_packing_that_cannot_be_undone_is_told(
    get: Any, reply: Any, body: bytes, encoding: str, kind: str
) -> None:
    outcome, _, _ = get(lambda _: reply(body, headers={"Content-Encoding": encoding}))
    assert (type(outcome), outcome.kind) == (RetryLater, kind)


async def _never() -> Any:
    await asyncio.Event().wait()


def test_a_silent_server_ends_at_the_deadline(get: Any) -> None:
    outcome, site, took_s = get(lambda _: _never(), timeout_s=0.3)
    assert (type(outcome), outcome.kind) == (RetryLater, "timeout")
    assert outcome.detail == f"127.0.0.1:{site.port}: no whole answer within 0.3 s"
    assert 0.25 < took_s < 5


def test_a_dripping_server_ends_at_the_deadline(get: Any, reply: Any) -> None:
    async def drip() -> Any:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    headers = {"Content-Length": "1000000"}
    outcome, _, took_s = get(lambda _: reply(headers=headers, pieces=drip()), timeout_s=0.5)
    assert outcome.kind == "timeout"
    assert took_s < 5


def test_nobody_listening_is_unreachable(context: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        port = taken.getsockname()[1]

        async def ask() -> None:
            async with context() as given:
                url = f"http://127.0.0.1:{port}/?api_key={KEY}"
                await http.ask(given, url, max_bytes=1_000)

        with pytest.raises(RetryLater, match=f"^unreachable: 127.0.0.1:{port}: no connection$"):
            asyncio.run(ask())


def test_a_connection_lost_in_the_middle_is_unreachable(get: Any, reply: Any) -> None:
    outcome, _, _ = get(lambda _: reply(b"[1, 2", headers={"Content-Length": "500"}))
    assert (type(outcome), outcome.kind) == (RetryLater, "unreachable")


def test_a_connection_closed_without_an_answer_is_unreachable(get: Any) -> None:
    def hang_up(_: Any) -> Any:
        raise ConnectionResetError

    outcome, _, _ = get(hang_up)
    assert (type(outcome), outcome.kind) == (RetryLater, "unreachable")


def test_a_redirect_on_the_same_host_is_followed(get: Any, reply: Any) -> None:
    def move(request: Any) -> Any:
        if request.path == "/new":
            return reply("[]")
        return reply(status=302, headers={"Location": "/new"})

    outcome, site, _ = get(move)
    assert outcome.body == b"[]"
    assert [request.path for request in site.requests] == ["/open311/v2/requests.json", "/new"]


@pytest.mark.parametrize(
    "location",
    ["http://localhost:{port}/x", "http://127.1:{port}/x", "ftp://127.0.0.1/", "http://["],
)
def test_a_redirect_off_the_host_is_refused(get: Any, reply: Any, location: str) -> None:
    def move(request: Any) -> Any:
        port = request.headers["host"].partition(":")[2]
        return reply(status=302, headers={"Location": location.format(port=port)})

    outcome, site, _ = get(move)
    assert (type(outcome), outcome.kind) == (NeedsPerson, "redirected")
    assert len(site.requests) == 1


def test_going_round_in_circles_ends(get: Any, reply: Any) -> None:
    outcome, site, _ = get(lambda _: reply(status=302, headers={"Location": "/again"}))
    assert (type(outcome), outcome.kind) == (NeedsPerson, "redirected")
    assert len(site.requests) < 10


def test_not_modified_is_an_answer_only_to_who_asked(get: Any, reply: Any) -> None:
    asked, _, _ = get(lambda _: reply(status=304), headers={"If-None-Match": '"a"'})
    unasked, _, _ = get(lambda _: reply(status=304))
    assert asked.not_modified
    assert unasked.kind == "bad_status"


def test_a_certificate_nobody_vouches_for_is_refused(get: Any, reply: Any) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).with_name("untrusted.pem"))
    outcome, site, _ = get(lambda _: reply("[]"), tls=tls)
    assert (type(outcome), outcome.kind) == (RetryLater, "unreachable")
    assert "certificate is not trusted" in outcome.detail
    assert site.requests == []


@pytest.mark.parametrize("fault", ["status", "reset", "timeout", "too_large", "redirected"])
def test_no_error_and_no_log_holds_the_key(
    get: Any, reply: Any, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    away = {"Location": f"http://other.example/?api_key={KEY}"}
    handlers: dict[str, Any] = {
        "status": lambda _: reply(f"bad key {KEY}", status=403),
        "reset": lambda _: reply(b"[", headers={"Content-Length": "9"}),
        "timeout": lambda _: _never(),
        "too_large": lambda _: reply(b" " * 9_000),
        "redirected": lambda _: reply(status=301, headers=away),
    }
    with caplog.at_level(logging.DEBUG):
        outcome, _, _ = get(handlers[fault], timeout_s=0.3, max_bytes=5_000)
    assert isinstance(outcome, SourceError)
    assert KEY not in f"{outcome!r} {outcome} {outcome.detail}"
    assert outcome.__suppress_context__ or outcome.__context__ is None
    assert KEY not in caplog.text


def test_addresses_of_this_machine_are_asked_directly(
    get: Any, reply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    outcome, _, _ = get(lambda _: reply("[]"))
    assert outcome.body == b"[]"


def test_a_wish_is_measured_from_now_without_a_date(now: Any) -> None:
    headers = httpx.Headers({"Retry-After": format_datetime(now + timedelta(minutes=2))})
    assert http.read_retry_after(headers, now) == 120


def test_a_query_may_be_a_body_of_json(send: Any, reply: Any) -> None:
    outcome, site, _ = send(lambda _: reply("[]"), method="POST", json={"sejak": "2026", "n": 1})
    (request,) = site.requests
    assert outcome.body == b"[]"
    assert (request.method, json.loads(request.body)) == ("POST", {"sejak": "2026", "n": 1})
    assert request.headers["content-type"] == "application/json"
    assert request.query == {"api_key": KEY}


def test_a_query_may_be_a_form(send: Any, reply: Any) -> None:
    _, site, _ = send(lambda _: reply("[]"), method="POST", form={"a": "b & c"})
    (request,) = site.requests
    assert (request.method, request.body) == ("POST", b"a=b+%26+c")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/new", "http://localhost:1/"])
def test_a_post_is_never_sent_on(send: Any, reply: Any, status: int, location: str) -> None:
    outcome, site, _ = send(
        lambda _: reply(status=status, headers={"Location": location}), method="POST", json={}
    )
    assert (type(outcome), outcome.kind) == (NeedsPerson, "redirected")
    assert len(site.requests) == 1


def test_no_error_of_a_post_holds_its_body(
    send: Any, reply: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        outcome, _, _ = send(
            lambda request: reply(request.body, status=403), method="POST", form={"secret": KEY}
        )
    assert outcome.kind == "refused"
    assert KEY not in f"{outcome!r} {outcome}" + caplog.text


def test_parameters_are_added_to_those_of_the_address(context: Any, serve: Any, reply: Any) -> None:
    async def ask() -> dict[str, str]:
        async with serve(lambda _: reply("[]")) as site, context() as given:
            await http.send(
                given.client,
                "GET",
                f"{site.url}?a=1&b=2",
                clock=given.clock,
                timeout=given.timeout,
                max_bytes=1_000,
                params={"b": "3"},
            )
            return dict(site.requests[0].query)

    assert asyncio.run(ask()) == {"a": "1", "b": "3"}
