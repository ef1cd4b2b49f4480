"""Who may see what, behind the door: screens' keys, and pages for operators alone.

A wall opened once with `?token=...` has its key in a cookie from then on. Where walls need keys
(`LAWANG_WALLS=token`), a wall, its stream and its heartbeat are for good keys, for operators and
for this machine; a key opens nothing else. The other pages stay open, and so does a stream of what
they show (`open_panels`) and no more. When a key is revoked its running stream ends with the
event `revoked`, and the next one is refused (403): the wall says so by itself, and no login is ever
laid over it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from urllib.parse import parse_qsl, urlencode

from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.door import App, Message, Receive, Refusal, Scope, Send, answer_refusal
from api.operator import is_operator
from api.screen_keys import COOKIE, COOKIE_S, ScreenKeys, key_of
from api.stream import wanted_panels
from lawang.domain.errors import StoreError
from lawang.store.screens import ScreenToken
from layouts.door import (
    history_away_page,
    key_needed_page,
    key_revoked_page,
    operator_needed_page,
    other_screen_page,
)

#: In the scope: which of Dash's pages this call may be given, as a function of their path.
MAY_SEE = "lawang.may_see"
#: What a page on a wall loads; all else is closed to a screen's key.
_FOR_WALLS = (
    *("/assets/", "/_dash-component-suites/", "/tiles/"),
    *("/api/v1/wall/", "/api/v1/cameras"),
)
_FOR_WALLS_EXACT = frozenset(
    {
        *("/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/_favicon.ico"),
        "/healthz",
    }
)
_REVOKED_EVENT = b"event: revoked\ndata: {}\n\n"
_NEEDED = "This needs a screen's key. Make one at the server with `lawang screens token new`."
_REVOKED = (
    "This screen's key was revoked or is not known. Make one at the server with "
    "`lawang screens token new`."
)
_OTHER = "A screen's key opens its own wall and nothing else."
_AWAY = "The screen's key cannot be checked while the database is away. Try again shortly."
_OPERATORS = "This page is for operators: enter the key at /operator, or open it at the server."


class Entrance:
    """Wraps pages, API and stream. `first_screen` is the wall that `/wall` alone means."""

    def __init__(
        self,
        app: App,
        *,
        keys: ScreenKeys,
        needs_key: bool,
        operator_token: SecretStr,
        operator_only: Collection[str] = (),
        open_panels: Collection[str] = (),
        first_screen: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._app = app
        self._keys = keys
        self._needs_key = needs_key
        self._operator_token = operator_token
        self._operator_only = frozenset(operator_only)
        self._open_panels = frozenset(open_panels)
        self._first_screen = first_screen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = HTTPConnection(scope)
        path = scope["path"]
        if _is_wall(path) and "token" in call.query_params and scope["method"] in ("GET", "HEAD"):
            await self._take_key(call, scope, receive, send)
            return
        operator = is_operator(call, self._operator_token)
        if _plain(path) in self._operator_only and not operator:
            await self._refuse_page(path, scope, receive, send)
            return
        if operator or not self._needs_key:
            scope[MAY_SEE] = lambda page: operator or _plain(page) not in self._operator_only
            await self._app(scope, receive, send)
            return
        try:
            await self._pass(call, scope, receive, send)
        except StoreError:
            await _answer(503, _AWAY, history_away_page, scope, receive, send)

    # --- a key in the address -----------------------------------------------------------------

    async def _take_key(
        self, call: HTTPConnection, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Put the key where no script and nobody who stands before the wall can read it."""
        key = call.query_params["token"]
        try:
            token = await self._keys.find(key)
        except StoreError:
            await _answer(503, _AWAY, history_away_page, scope, receive, send)
            return
        if self._needs_key and not is_operator(call, self._operator_token):
            if token is None:
                await _answer(403, _REVOKED, key_revoked_page, scope, receive, send)
                return
            if not self._opens(token, call.url.path):
                await _answer(403, _OTHER, other_screen_page, scope, receive, send)
                return
        query = parse_qsl(call.url.query, keep_blank_values=True)
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # Two slashes in front would be another host.
        answer = RedirectResponse(_plain(call.url.path) + (f"?{rest}" if rest else ""), 303)
        answer.headers["cache-control"] = "no-store"
        answer.headers["referrer-policy"] = "no-referrer"
        if token is not None:
            _set_key(answer, key, call)
        await answer(scope, receive, send)

    # --- where a key is needed ----------------------------------------------------------------

    async def _pass(self, call: HTTPConnection, scope: Scope, receive: Receive, send: Send) -> None:
        path, key = scope["path"], key_of(call)
        token = await self._keys.find(key) if key else None
        screen = _beating(path)
        if path != "/stream" and not _is_wall(path) and screen is None:
            await self._pass_elsewhere(token, scope, receive, send)
            return
        if path == "/stream" and not key and self._is_open_stream(scope):
            await self._app(scope, receive, send)
            return
        if token is None:
            page = key_revoked_page if key else key_needed_page
            sentence = _REVOKED if key else _NEEDED
            await _answer(403, sentence, page, scope, receive, send)
        elif path == "/stream":
            await self._serve_while_good(token, scope, receive, send)
        elif not self._opens(token, path):
            await _answer(403, _OTHER, other_screen_page, scope, receive, send)
        elif screen is not None:
            await self._app(scope, receive, send)
        else:
            scope[MAY_SEE] = lambda page: _is_wall(page) and self._opens(token, page)
            await self._app(scope, receive, _renewing(key, call, send))

    async def _pass_elsewhere(
        self, token: ScreenToken | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """What is no wall: open as it is without keys, but closed to a wall's browser."""
        path = scope["path"]
        if token is None:
            scope[MAY_SEE] = lambda page: (
                not _is_wall(page) and _plain(page) not in self._operator_only
            )
        elif path in _FOR_WALLS_EXACT or path.startswith(_FOR_WALLS):
            scope[MAY_SEE] = lambda page: _is_wall(page) and self._opens(token, page)
        else:
            await _answer(403, _OTHER, other_screen_page, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_open_stream(self, scope: Scope) -> bool:
        """Whether it is of what pages show that need no key, and of nothing else."""
        wanted = wanted_panels(scope)
        return bool(wanted) and wanted <= self._open_panels

    def _opens(self, token: ScreenToken, path: str) -> bool:
        """Whether a key is for this wall or its heartbeat."""
        screen = _beating(path) or _plain(path).removeprefix("/wall").lstrip("/")
        return token.screen_id in (None, screen or self._first_screen())

    async def _serve_while_good(
        self, token: ScreenToken, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """A stream that ends when its key is revoked; the wall is told by an event of its own."""
        revoked = asyncio.Event()
        ended = False

        async def watch() -> None:
            while await self._keys.is_good(token):  # noqa: ASYNC110
                # Another process revokes, and history has nothing to wait for.
                await asyncio.sleep(self._keys.check_every_s)
            revoked.set()

        async def receive_or_end() -> Message:
            heard = asyncio.ensure_future(receive())
            over = asyncio.ensure_future(revoked.wait())
            try:
                await asyncio.wait({heard, over}, return_when=asyncio.FIRST_COMPLETED)
                return heard.result() if heard.done() else {"type": "http.disconnect"}
            finally:
                heard.cancel()
                over.cancel()

        async def send_and_see(message: Message) -> None:
            nonlocal ended
            ended = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        watching = asyncio.create_task(watch())
        try:
            await self._app(scope, receive_or_end, send_and_see)
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        if revoked.is_set() and not ended:
            await send({"type": "http.response.body", "body": _REVOKED_EVENT})

    # --- pages for operators ------------------------------------------------------------------

    async def _refuse_page(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        has_token = bool(self._operator_token.get_secret_value())
        await _answer(
            403,
            _OPERATORS,
            lambda: operator_needed_page(path, has_token),
            scope,
            receive,
            send,
        )


def _plain(path: str) -> str:
    """As Dash reads a path: slashes at its ends do not count, however many."""
    return "/" + path.strip("/")


def _is_wall(path: str) -> bool:
    return f"{_plain(path)}/".startswith("/wall/")


def _beating(path: str) -> str | None:
    """The screen whose heartbeat is sent to this path."""
    parts = path.split("/")
    if len(parts) == 6 and parts[:4] == ["", "api", "v1", "screens"] and parts[5] == "heartbeat":
        return parts[4]
    return None


def _renewing(key: str, call: HTTPConnection, send: Send) -> Send:
    """Begin the cookie's time anew with every load: walls run for longer than browsers keep one."""

    async def send_with_key(message: Message) -> None:
        if message["type"] == "http.response.start" and call.cookies.get(COOKIE) == key:
            answer = Response()
            _set_key(answer, key, call)
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            headers.append("set-cookie", answer.headers["set-cookie"])
            message = {**message, "headers": headers.raw}
        await send(message)

    return send_with_key


def _set_key(answer: Response, key: str, call: HTTPConnection) -> None:
    answer.set_cookie(
        COOKIE, key, max_age=COOKIE_S, httponly=True, samesite="strict", secure=is_secure(call)
    )


def is_secure(call: HTTPConnection) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy before us."""
    return "https" in (call.url.scheme, call.headers.get("x-forwarded-proto", ""))


async def _answer(
    status: int,
    sentence: str,
    page: Callable[[], str],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """A page for who asks for one, else the sentence as the API says it."""
    accepts = HTTPConnection(scope).headers.get("accept", "")
    if "text/html" not in accepts:
        await answer_refusal(Refusal(status, sentence), send)
        return
    await HTMLResponse(page(), status, {"cache-control": "no-store"})(scope, receive, send)
