"""The one layer in front of every page, call and socket.

Pure ASGI over the http and the websocket scope, because a web framework's middleware does not see
Dash's own socket. It checks whom the browser meant to talk to (Host), who sent it (Origin, on every
write and every socket), asks the guard whether this person may pass, and puts the security headers
on every answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: What this server's own pages may show within a frame: the operator's desk shows each wall small.
_FRAMED_BY_US = "/wall"
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request may not pass: an HTTP status and a sentence for the person at the browser."""

    status: int
    sentence: str


class Guard(Protocol):
    """Decides whether a request may pass; None lets it through."""

    def __call__(self, scope: Scope) -> Refusal | None: ...


def admit_everyone(scope: Scope) -> Refusal | None:
    """The guard of an installation without accounts, bound to its own machine."""
    return None


def content_security_policy(script_hashes: Iterable[str], framed_by: str = "") -> str:
    """The policy under which every page runs: own scripts only, nothing from other hosts."""
    scripts = " ".join(["'self'", *script_hashes])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            # Leaflet and Plotly position by style attributes; scripts cannot hide in those.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            # Players put a stream together in memory and play it from there.
            "media-src 'self' blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {framed_by or chr(39) + 'none' + chr(39)}",
        ]
    )


class Door:
    """Wraps the whole application. `hosts` are names under which browsers may reach it."""

    def __init__(
        self,
        app: App,
        *,
        hosts: Iterable[str] = (),
        policy: str | Callable[[], str],
        guard: Guard = admit_everyone,
        framed_by: str = "",
    ) -> None:
        self._app = app
        self._hosts = _LOCAL_NAMES | {host.strip().casefold() for host in hosts if host.strip()}
        self._policy = policy
        self._guard = guard
        self._fixed = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]
        self._framed_by = framed_by

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._check(scope) or self._guard(scope)
        if scope["type"] == "websocket":
            if refusal is not None:
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.sentence})
                return
            await self._app(scope, receive, send)
            return
        with_headers = self._adding_headers(send, scope["path"])
        if refusal is not None:
            await answer_refusal(refusal, with_headers)
            return
        await self._app(scope, receive, with_headers)

    def _check(self, scope: Scope) -> Refusal | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if _name_of(host) not in self._hosts:
            return Refusal(
                421,
                "This server is not known under that name. Add it to LAWANG_ALLOWED_HOSTS "
                "if browsers shall use it.",
            )
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            # PostgreSQL has no such character in a text and would seem to be broken.
            return Refusal(400, "The address holds a character (NUL) that no text here can have.")
        writes = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        if not writes:
            return None
        origin = headers.get(b"origin")
        if origin is not None and _place_of(origin) != host.casefold():
            return Refusal(403, "This call came from another site and was refused.")
        if origin is None and headers.get(b"sec-fetch-site") in ("cross-site", "same-site"):
            return Refusal(403, "This call came from another site and was refused.")
        return None

    def _adding_headers(self, send: Send, path: str) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": [*message.get("headers", ()), *self._headers(path)],
                }
            await send(message)

        return send_with_headers

    def _headers(self, path: str) -> list[tuple[bytes, bytes]]:
        # Asked for anew each time: Dash makes some of its inline scripts with its first answer.
        policy = self._policy if isinstance(self._policy, str) else self._policy()
        frames = b"DENY"
        if path == _FRAMED_BY_US or path.startswith(f"{_FRAMED_BY_US}/"):
            frames = b"SAMEORIGIN"
            others = self._framed_by or "'none'"
            ours = f"'self' {self._framed_by}".rstrip()
            policy = policy.replace(f"frame-ancestors {others}", f"frame-ancestors {ours}")
        framing = [] if self._framed_by else [(b"x-frame-options", frames)]
        return [(b"content-security-policy", policy.encode("latin-1")), *self._fixed, *framing]


async def answer_refusal(refusal: Refusal, send: Send) -> None:
    """Answer a request with a status and a sentence, as the API does for every error."""
    body = orjson.dumps({"error": {"status": refusal.status, "message": refusal.sentence}})
    await send(
        {
            "type": "http.response.start",
            "status": refusal.status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _name_of(host: str) -> str:
    """The name in a Host header, without the port, brackets and case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return ""


def _place_of(origin: str) -> str:
    """Host and port of an Origin header; "" for one that names none."""
    try:
        return urlsplit(origin).netloc.casefold()
    except ValueError:
        return ""
