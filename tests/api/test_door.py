"""The one layer in front of everything: Host, Origin, headers, sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from api.door import Door, Refusal, content_security_policy
from lawang.city import City
from lawang.store.history import History
from tests.api.conftest import Web, make_installation, sentence_of, serve_web

CALL = "/_dash-update-component"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "x-frame-options": "DENY",
}
#: One of each kind of answer: pages, files, API, refusals of every layer.
ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/wall", 200),
    ("GET", "/nothing", 404),
    ("GET", "/assets/live.js", 200),
    ("GET", "/assets/nothing.js", 404),
    ("GET", "/_dash-layout", 200),
    ("GET", "/_dash-component-suites/nothing/x.js", 404),
    ("POST", CALL, 400),
    ("GET", CALL, 405),
    ("GET", "/docs", 200),
    ("GET", "/api/v1/openapi.json", 200),
    ("GET", "/api/v1/incidents", 200),
    ("GET", "/api/v1/incidents?limit=0", 422),
    ("GET", "/api/v1/incidents?after=x", 400),
    ("GET", "/api/v1/incidents?source=%00", 400),
    ("POST", "/api/v1/incidents", 405),
    ("GET", "/healthz", 200),
    ("GET", "/metrics", 200),
    ("POST", "/stream", 405),
    ("GET", "/stream?panels=nothing", 400),
    ("HEAD", "/stream", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_kind_of_answer_has_the_security_headers(
    web: Web, method: str, path: str, status: int
) -> None:
    answer = web.client.request(method, path)
    assert answer.status_code == status
    wanted = HEADERS | ({"x-frame-options": "SAMEORIGIN"} if path == "/wall" else {})
    assert {name: answer.headers.get(name) for name in HEADERS} == wanted
    policy = answer.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "default-src 'self'" in policy[0]


def test_the_policy_allows_own_scripts_and_nothing_inline_but_by_its_hash(web: Web) -> None:
    policy = web.browser.get("/sources").headers["content-security-policy"]
    rules = dict(part.split(" ", 1) for part in policy.split("; "))
    scripts = rules["script-src"].split()
    assert scripts[0] == "'self'"
    assert all(source.startswith("'sha256-") for source in scripts[1:])
    assert (rules["object-src"], rules["base-uri"], rules["frame-ancestors"]) == (("'none'",) * 3)


@pytest.mark.parametrize("path", ["/wall", "/wall/utama"])
def test_a_wall_may_be_framed_by_our_own_pages_and_no_others(web: Web, path: str) -> None:
    headers = web.browser.get(path).headers
    assert headers["content-security-policy"].endswith("frame-ancestors 'self'")
    assert headers["x-frame-options"] == "SAMEORIGIN"


def test_no_rule_of_the_policy_names_another_host(web: Web) -> None:
    policy = web.browser.get("/wall").headers["content-security-policy"]
    assert "http" not in policy
    assert "*" not in policy


def test_answers_do_not_tell_what_they_were_made_with(web: Web) -> None:
    answer = web.client.get("/healthz")
    assert {"server", "x-powered-by"}.isdisjoint(answer.headers)


# --- Host -----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8050", "127.0.0.1", "[::1]:8050"])
def test_the_machines_own_names_are_known(web: Web, host: str) -> None:
    assert web.client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:8050", "", "[::1", "@localhost x"],
)
@pytest.mark.parametrize("path", ["/healthz", "/wall", "/stream", CALL])
def test_another_name_is_refused_everywhere(web: Web, host: str, path: str) -> None:
    answer = web.client.get(path, headers={"host": host})
    assert answer.status_code == 421
    assert "LAWANG_ALLOWED_HOSTS" in sentence_of(answer)


@pytest.fixture
def named(city: City, sqlite_history: History, valkey_url: str, tmp_path: Path) -> Iterator[Web]:
    installation = make_installation(
        city,
        sqlite_history,
        valkey_url,
        tmp_path,
        allowed_hosts="pusat.palembang.go.id, Dinding.local",
        allow_framing_by="https://portal.palembang.go.id",
    )
    with serve_web(installation) as running:
        yield running


@pytest.mark.parametrize("host", ["pusat.palembang.go.id", "dinding.local:80", "127.0.0.1"])
def test_names_of_the_settings_are_known(named: Web, host: str) -> None:
    assert named.client.get("/healthz", headers={"host": host}).status_code == 200


def test_only_the_origin_of_the_settings_may_frame_the_pages(named: Web) -> None:
    page = named.browser.get("/sources")
    assert (
        "frame-ancestors https://portal.palembang.go.id" in page.headers["content-security-policy"]
    )
    assert "x-frame-options" not in page.headers


def test_a_wall_may_be_framed_by_that_origin_too(named: Web) -> None:
    policy = named.browser.get("/wall").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://portal.palembang.go.id")


# --- Origin ---------------------------------------------------------------------------------

FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://[::1"},
    {"origin": ""},
    {"origin": "http://127.0.0.1:1"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", [CALL, "/api/v1/incidents", "/sources", "/stream", "/nothing"])
def test_a_write_from_another_site_is_refused(
    web: Web, headers: dict[str, str], method: str, path: str
) -> None:
    answer = web.client.request(method, path, headers=headers, content=b"{}")
    assert (answer.status_code, sentence_of(answer)) == (
        403,
        "This call came from another site and was refused.",
    )


@pytest.mark.parametrize("headers", FOREIGN)
def test_reading_from_another_site_is_the_browsers_to_refuse(
    web: Web, headers: dict[str, str]
) -> None:
    answer = web.client.get("/api/v1/sources", headers=headers)
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_a_write_of_our_own_pages_is_let_through(web: Web) -> None:
    headers = {"origin": web.url, "sec-fetch-site": "same-origin"}
    answer = web.client.post(CALL, headers=headers, content=b"no json")
    assert (answer.status_code, sentence_of(answer)) == (400, "The call is not JSON.")


def test_a_program_that_sends_no_origin_is_let_through(web: Web) -> None:
    assert web.client.post(CALL, content=b"no json").status_code == 400


# --- sockets --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/_dash-ws-callback", "/stream", "/wall", "/nothing"])
@pytest.mark.parametrize("origin", ["own", "http://evil.example", None])
def test_no_socket_is_ever_opened(web: Web, path: str, origin: str | None) -> None:
    address = web.url.replace("http://", "ws://") + path
    asked = web.url if origin == "own" else origin
    with pytest.raises(InvalidStatus) as refused, connect(address, origin=asked, proxy=None):
        pass
    assert refused.value.response.status_code in (403, 404)


# --- the layer by itself --------------------------------------------------------------------


class _Seen:
    """What an application behind the door was called with, and what the door sent."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.sent: list[Any] = []

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls.append(scope["type"])

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def receive(self) -> Any:
        return {"type": "http.disconnect"}


def _pass(door_scope: dict[str, Any], **given: Any) -> _Seen:
    seen = _Seen()
    door = Door(seen.app, policy="default-src 'self'", **given)
    scope = {"path": "/", "query_string": b"", "method": "GET", **door_scope}
    asyncio.run(door(scope, seen.receive, seen.send))
    return seen


def test_the_guard_is_asked_for_sockets_as_well_as_for_calls() -> None:
    def refuse(scope: Any) -> Refusal:
        return Refusal(401, "Who are you, please?")

    for kind in ("http", "websocket"):
        seen = _pass({"type": kind, "headers": [(b"host", b"localhost")]}, guard=refuse)
        assert seen.calls == []
    assert seen.sent == [
        {"type": "websocket.close", "code": 1008, "reason": "Who are you, please?"}
    ]


def test_a_socket_from_another_site_is_closed_before_the_application_hears_of_it() -> None:
    headers = [(b"host", b"localhost"), (b"origin", b"http://evil.example")]
    seen = _pass({"type": "websocket", "headers": headers})
    assert (seen.calls, seen.sent[0]["type"]) == ([], "websocket.close")


def test_start_and_stop_pass_through_the_door() -> None:
    assert _pass({"type": "lifespan"}).calls == ["lifespan"]


def test_the_policy_names_the_hashes_it_is_given() -> None:
    policy = content_security_policy(["'sha256-abc'"], "https://portal.example")
    assert "script-src 'self' 'sha256-abc'" in policy
    assert "frame-ancestors https://portal.example" in policy
