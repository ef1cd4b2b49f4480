"""The web door: Dash on FastAPI, with the API, the stream and the door in front of all of them.

`create_web(...)` makes the ASGI application; `python app.py` is the same as `lawang up`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import parse_qs

import dash
import fastapi_offline
import httpx
import numpy  # noqa: F401  (imported early: a lazy first import in two threads at once has failed)
import orjson
import structlog
from dash import html
from dash.fingerprint import check_fingerprint
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.gzip import GZipMiddleware

from api.camera_relay import CameraRelay
from api.door import (
    App,
    Door,
    Message,
    Receive,
    Refusal,
    Scope,
    Send,
    answer_refusal,
    content_security_policy,
)
from api.entrance import MAY_SEE, Entrance
from api.ingest import make_ingest_router
from api.operator import check_operator_token
from api.routes import Services, make_router
from api.screen_keys import ScreenKeys
from api.sign_in import make_sign_in_router
from api.stream import Stream
from api.tiles import make_tiles_router
from connectors import registry
from connectors.http import client_for
from connectors.webhook.options import WebhookOptions
from connectors.webhook.receiver import Receiver
from lawang import __version__
from lawang.background import end
from lawang.build import build_id
from lawang.city import City
from lawang.domain.clock import Clock, utc_now
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState, state_from_plain
from lawang.installation import Installation
from lawang.overview.read import OverviewReader
from lawang.push import Feed
from lawang.screens.alarms import alarms_of
from lawang.screens.desk import ScreenDesk, follow_programme
from lawang.settings import ROOT
from lawang.store.live import LiveStore
from lawang.tiles import read_tiles
from layouts.context import PageContext, PageStores, set_page_context
from light.routes import make_light_router
from light.script import page_script_hash

log = structlog.get_logger(__name__)

#: Dash's own calls are small here; a larger body is a mistake or an attack.
_CALL_MAX_BYTES = 1_000_000
#: What the framework says in two words, as a sentence.
_SENTENCES = {
    "Not Found": "There is nothing at this address.",
    "Method Not Allowed": "This address does not take calls of this method.",
}
_DOCS = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Lawang Jabo API</title>
<link rel="icon" href="/assets/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/static/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/static/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></body></html>"""
_DOCS_START = """SwaggerUIBundle({url: "/api/v1/openapi.json", dom_id: "#swagger-ui",
  deepLinking: true, validatorUrl: null, syntaxHighlight: false});"""


def create_web(installation: Installation, *, clock: Clock = utc_now) -> App:
    """The whole web process as one ASGI application. Raises SettingsError with what to do."""
    settings, city = installation.settings, installation.city
    check_operator_token(settings.operator_token)
    build = build_id(settings.pack_dir)
    feed = Feed(installation.redis_url, city.slug, build, clock=clock)
    live = installation.open_live()
    reader = OverviewReader(city, installation.history)
    stores = PageStores(reader, installation.history, lambda: _source_states(feed), clock)
    programme_file = follow_programme(city, settings.pack_dir, clock)
    tiles = read_tiles(settings)
    set_page_context(
        PageContext(
            city,
            build,
            stores,
            screens=lambda: programme_file.current.programme,
            tiles=tiles.facts if tiles is not None else None,
        )
    )

    cameras = CameraRelay(city, installation.history, client_for)
    server = _create_server(feed, live, cameras)
    services = Services(
        city, installation.history, live, feed, build, clock, settings.operator_token, reader
    )
    desk = ScreenDesk(
        programme_file,
        installation.history.screens,
        city.timezone,
        build,
        clock,
        alarms_of(city, installation.history),
    )
    server.include_router(make_router(services, desk, cameras))
    inbox = installation.history.inbox
    server.include_router(make_ingest_router(_find_receivers(city), inbox, clock))
    server.include_router(
        make_light_router(
            city, reader, lambda: _source_states(feed), clock, build, installation.history
        )
    )
    server.include_router(make_sign_in_router(settings.operator_token, clock))
    server.include_router(make_tiles_router(tiles, city.bbox))
    pages = _create_dash(server, city.short_name)

    dash_calls = _CheckedCalls(server, pages)
    routed = _Routes(
        stream=Stream(feed),
        pages=GZipMiddleware(dash_calls, minimum_size=1000, compresslevel=5),
        known=lambda: {page["path"] for page in dash.page_registry.values()},
        parts=pages.registered_paths,
    )
    guarded = Entrance(
        routed,
        keys=ScreenKeys(installation.history.screens, clock),
        needs_key=settings.walls == "token",
        operator_token=settings.operator_token,
        operator_only=_OPERATOR_ONLY,
        open_panels=_OPEN_PANELS,
        first_screen=lambda: next(iter(programme_file.current.programme.screens), None),
    )
    return Door(
        guarded,
        hosts=[settings.host, *settings.allowed_hosts.split(",")],
        policy=lambda: content_security_policy(
            [*pages.csp_hashes(), page_script_hash()], settings.allow_framing_by
        ),
        framed_by=settings.allow_framing_by,
    )


def _source_states(feed: Feed) -> dict[str, SourceState]:
    """What is known of each source's polls, as the board told it last."""
    entries = feed.panels.get("sources", {}).get("sources", {})
    return {name: state_from_plain({"source_id": name, **each}) for name, each in entries.items()}


def _find_receivers(city: City) -> list[Receiver]:
    """What takes the messages of each source that pushes, as far as its secret is set."""
    bound = [
        (source, registry.bind(source))
        for source in city.sources.values()
        if source.connector == "webhook"
    ]
    return [
        Receiver(source, options)
        for source, options in bound
        if isinstance(options, WebhookOptions) and not source.unset
    ]


def _create_server(feed: Feed, live: LiveStore, cameras: CameraRelay) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(server: FastAPI) -> AsyncIterator[None]:
        await _ask_once(server)
        following = asyncio.create_task(feed.run())
        # What is loaded now stays: the collector need not look at it again for every frame.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 1000)
        yield
        await end(following)
        await cameras.close()
        live.close()

    server = FastAPI(
        title="Lawang Jabo",
        version=__version__,
        description="The command centre's facts for other programs.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=lifespan,
    )

    @server.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_DOCS)

    @server.get("/docs/start.js", include_in_schema=False)
    async def docs_start() -> HTMLResponse:
        return HTMLResponse(_DOCS_START, media_type="text/javascript")

    server.mount(
        "/docs/static", StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static")
    )

    @server.exception_handler(StarletteHTTPException)
    async def refused(_request: Request, error: StarletteHTTPException) -> JSONResponse:
        sentence = _SENTENCES.get(str(error.detail), str(error.detail))
        answer = _error(error.status_code, sentence)
        answer.headers.update(error.headers or {})
        return answer

    @server.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        sentences = "; ".join(
            f"{'.'.join(str(part) for part in found['loc'][1:]) or 'body'}: {found['msg']}"
            for found in error.errors()
        )
        return _error(422, f"The call cannot be understood: {sentences}")

    @server.exception_handler(StoreError)
    async def store_away(_request: Request, error: StoreError) -> JSONResponse:
        return _error(503, f"The stores cannot answer right now ({error.kind}). Try again shortly.")

    return server


async def _ask_once(server: FastAPI) -> None:
    """Have Dash finish its set-up, which it puts off to the first call of "/".

    Without this a browser that opens /wall first would get a page without scripts and styles.
    """
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(server), base_url="http://localhost"
    ) as client:
        await client.get("/")


def _error(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": {"status": status, "message": sentence}}, status)


def _create_dash(server: FastAPI, name: str) -> dash.Dash:
    pages = dash.Dash(
        __name__,
        server=server,
        backend="fastapi",
        use_pages=True,
        pages_folder=str(ROOT / "dashboards"),
        assets_folder=str(ROOT / "assets"),
        # Of vendor/ a page loads by itself what it needs, when it needs it.
        assets_ignore=r".*\.txt$",
        assets_path_ignore=["^vendor$"],
        title=f"Lawang Jabo · {name}",
        update_title="",
        add_log_handler=False,
        on_error=_log_fault,
        suppress_callback_exceptions=True,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "color-scheme", "content": "dark"},
        ],
    )
    # No page uses Dash's socket; switched off, it is neither opened by browsers nor unguarded.
    pages.backend.websocket_capability = False
    pages.index_string = pages.index_string.replace("<html>", '<html lang="id">')
    pages.layout = html.Div([dash.page_container], id="frame")
    return pages


def _log_fault(error: Exception) -> None:
    """Dash would answer 500 and keep the reason to itself."""
    log.error("a page failed", exc_info=error)
    raise error


#: Pages that open at this machine, or with the operator's key.
_OPERATOR_ONLY = frozenset({"/screens"})
#: What the pages hear that are neither walls nor for operators.
_OPEN_PANELS = frozenset({"city", "counters", "sources"})
_COMPONENT_SUITES = "/_dash-component-suites/"
_WALL = re.compile(r"/wall/[A-Za-z0-9_-]{1,64}")
_FIXED = frozenset(
    {
        *("/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/_favicon.ico"),
        *("/docs", "/docs/start.js", "/healthz", "/readyz", "/metrics", "/mayor"),
        "/operator",
    }
)


class _Routes:
    """Sends the stream past compression, and answers 404 where Dash would answer 200.

    No page uses a socket, so none is opened: the browser is sent everything by the stream.
    """

    def __init__(
        self,
        stream: App,
        pages: App,
        known: Callable[[], Collection[str]],
        parts: Mapping[str, Collection[str]],
    ) -> None:
        self._stream = stream
        self._pages = pages
        self._known = known
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # Dash keeps its own socket open for calls even where its use is switched off.
            await send({"type": "websocket.close", "code": 1008, "reason": "No sockets here."})
            return
        if scope["type"] == "http":
            path = scope["path"]
            if path == "/stream":
                await self._stream(scope, receive, send)
                return
            if not self._exists(path):
                await self._not_found(scope, receive, send)
                return
        await self._pages(scope, receive, send)

    def _exists(self, path: str) -> bool:
        if path.startswith(_COMPONENT_SUITES):
            return self._is_part(path.removeprefix(_COMPONENT_SUITES))
        if path.startswith(
            ("/assets/", "/api/", "/docs/static/", "/ingest/", "/mayor/", "/tiles/")
        ):
            return True
        # A screen may have been added to the file a moment ago; the wall itself tells of none.
        if _WALL.fullmatch(path):
            return True
        return path in _FIXED or (path.rstrip("/") or "/") in self._known()

    def _is_part(self, name: str) -> bool:
        """Whether a component library really has this file; Dash would answer 500 if not."""
        package, _, file = name.partition("/")
        return package in self._parts and check_fingerprint(file)[0] in self._parts[package]

    async def _not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = dict(scope["headers"]).get(b"accept", b"")
        if b"text/html" not in accept:
            await answer_refusal(Refusal(404, "There is nothing at this address."), send)
            return
        page = HTMLResponse(
            "<!DOCTYPE html><html lang=id><meta charset=utf-8><title>404 · Lawang Jabo</title>"
            "<link rel=stylesheet href=/assets/tokens.css>"
            '<link rel=stylesheet href="/assets/lawang.css"><main class="lost"><h1>404</h1>'
            "<p>Tidak ada halaman di alamat ini. <span lang=en>There is no page here.</span></p>"
            '<p><a href="/">Lawang Jabo</a></p></main>',
            404,
        )
        await page(scope, receive, send)


class _CheckedCalls:
    """Looks at the body of Dash's callback calls: what Dash cannot read is 400, never 500."""

    def __init__(self, app: App, pages: dash.Dash) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/_dash-update-component":
            await self._app(scope, receive, send)
            return
        if scope["method"] != "POST":
            await answer_refusal(Refusal(405, "Callbacks are called by POST."), send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > _CALL_MAX_BYTES:
                await answer_refusal(Refusal(413, "The call is too large."), send)
                return
        if (sentence := self._find_fault(body)) is not None:
            await answer_refusal(Refusal(400, sentence), send)
            return
        may_see = scope.get(MAY_SEE)
        if may_see is not None and not all(may_see(path) for path in _pages_of(body)):
            await answer_refusal(Refusal(403, "This page is not open to you."), send)
            return
        given = False

        async def receive_again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_again, send)

    def _find_fault(self, body: bytes) -> str | None:
        try:
            call = orjson.loads(body)
        except orjson.JSONDecodeError:
            return "The call is not JSON."
        if not isinstance(call, dict) or not isinstance(call.get("output"), str):
            return "The call lacks `output`, the callback it is for."
        # Dash takes the callbacks of pages over when the process starts; see `_ask_once`.
        callback = self._pages.callback_map.get(call["output"])
        if callback is None or "callback" not in callback:
            return "There is no such callback. Load the page again."
        if not _fits(call, callback):
            return "The call is not what its callback takes. Load the page again."
        # Dash lets the query win over what stands in the path, which is what a key was checked for.
        if any(
            "screen" in parse_qs(each, keep_blank_values=True) for each in _asked(call, "search")
        ):
            return "Which screen is meant is said by the path alone: /wall/<screen>."
        return None


def _pages_of(body: bytes) -> list[str]:
    """The paths of the pages that a sound call asks Dash for."""
    return [path or "/" for path in _asked(orjson.loads(body), "pathname")]


def _asked(call: dict[str, Any], name: str) -> list[str]:
    """The paths ("pathname") or queries ("search") of the pages that a sound call is about."""
    return [
        str(value.get("value") or "").removeprefix("?")
        for value in (*call["inputs"], *call.get("state", ()))
        if isinstance(value, dict)
        and (value.get("id"), value.get("property")) == ("_pages_location", name)
    ]


def _fits(call: dict[str, Any], callback: dict[str, Any]) -> bool:
    """Whether inputs, state and outputs of a call have the shape that its callback declares."""
    changed = call.get("changedPropIds", [])
    return (
        _are_values(call.get("inputs"), callback["inputs"])
        and _are_values(call.get("state", []), callback["state"])
        and isinstance(changed, list)
        and all(isinstance(name, str) for name in changed)
        and (bool(callback.get("no_output")) or _are_outputs(call.get("outputs"), call["output"]))
    )


def _are_outputs(given: object, name: str) -> bool:
    """Whether there are as many as the callback's name holds; it joins several by three dots."""
    items = _flat(given)
    return len(items) == len(name.split("...")) and all(
        _is_property(part) for item in items for part in _flat(item)
    )


def _are_values(given: object, declared: list[dict[str, Any]]) -> bool:
    return (
        isinstance(given, list)
        and len(given) == len(declared)
        and all(_is_value(value, each) for value, each in zip(given, declared, strict=True))
    )


def _is_value(given: object, declared: dict[str, Any]) -> bool:
    # The id of a pattern is written as JSON; such an input is a list of all that match.
    if declared["id"].startswith("{"):
        return all(_is_property(item) for item in _flat(given))
    if not _is_property(given) or given["property"] != declared["property"]:
        return False
    if declared["id"] != "_pages_location":
        return True
    # An address is text, and a path begins at the root: Dash takes anything else amiss.
    value = given.get("value")
    if declared["property"] == "pathname":
        return isinstance(value, str) and value.startswith("/")
    return value is None or isinstance(value, str)


def _flat(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _is_property(given: object) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(given, dict)
        and isinstance(given.get("id"), str | dict)
        and isinstance(given.get("property"), str)
    )


if __name__ == "__main__":
    from cli import main

    sys.argv[1:1] = ["up"]
    main()
