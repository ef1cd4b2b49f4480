"""The same wall as an ordinary Dash application would push it: the peers of the stream.

Twelve tiles, a map, a list and three charts, kept up to date by Dash's own means: a persistent
callback over its WebSocket (`set_props`, Patch for the map and the charts), and a dcc.Interval
whose callback returns what changed since the screen's last answer. Both are as good as Dash lets
them be: what changed is worked out once for everyone, from the very deltas the real stream sends;
callbacks are async; nothing is compressed.

Started as `python -m benchmarks.stream.dash_peer PORT` with the address of Valkey and the city's
name in the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import orjson
import uvicorn
from dash import Dash, Input, Output, Patch, State, ctx, dcc, html, no_update, set_props
from fastapi import FastAPI

from lawang.board.panels import PANELS
from lawang.process import bind_to_parent
from lawang.push import Feed

REDIS_URL = "BENCH_REDIS_URL"
CITY = "BENCH_CITY"

FIGURES = ("new_today", "open", "past_due", "done_today")
TILES = tuple(
    [f"{name}-{part}" for name in FIGURES for part in ("value", "last_week")]
    + ["unlocated", "unknown_category", "unknown_status", "without_due"]
)
#: Component and property of everything on the wall.
PROPERTIES = (
    *((tile, "children") for tile in TILES),
    ("map", "data"),
    ("latest", "data"),
    ("hours", "figure"),
    ("regions", "figure"),
    ("ranking", "figure"),
    ("published_us", "children"),
)
Updates = dict[tuple[str, str], Any]


class News:
    """What changed in the last second, as properties; computed once for all viewers."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._stamp = 0
        self._updates: Updates = {}
        self._changed = asyncio.Event()

    async def follow(self) -> None:
        """Read the feed for ever."""
        async for frames in self._feed.stream(frozenset(PANELS)):
            for line in frames.split(b"\n"):
                if line.startswith(b"data: ") and b'"patches"' in line:
                    patches = dict(orjson.loads(line[6:])["patches"])
                    self._add(patches["city"]["published_us"], _updates(patches))

    def _add(self, stamp: int, updates: Updates) -> None:
        self._stamp, self._updates = stamp, updates
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def next(self) -> Updates:
        """Wait for the next change."""
        await self._changed.wait()
        return self._updates

    def since(self, stamp: int) -> Updates:
        """The newest change, if the viewer has not got it: one a second is all that happens."""
        return self._updates if self._stamp > stamp else {}


def _updates(patches: dict[str, Any]) -> Updates:
    updates: Updates = {("published_us", "children"): patches["city"]["published_us"]}
    counters = patches.get("counters", {})
    for tile in TILES:
        name, _, part = tile.partition("-")
        value = counters.get(name)
        if value is not None:
            updates[tile, "children"] = value.get(part) if part else value
    points = Patch()
    for incident, feature in patches.get("incidents", {}).get("features", {}).items():
        if feature is None:
            del points["features"][incident]
        elif "p" in feature:
            points["features"][incident] = feature
        else:
            points["features"][incident]["s"] = feature["s"]
    updates["map", "data"] = points
    updates["latest", "data"] = patches["latest"]["events"]
    updates["hours", "figure"] = Patch()
    updates["hours", "figure"]["data"][0]["y"] = patches["hours"]["new"]
    for chart, key in (("regions", "open"), ("ranking", "rows")):
        figure = Patch()
        for code, value in patches[chart][key].items():
            figure["data"][0][code] = value
        updates[chart, "figure"] = figure
    return updates


def create_peer(feed: Feed) -> FastAPI:
    """The application. Its one news source is made when the server starts."""
    news = News(feed)

    @contextlib.asynccontextmanager
    async def lifespan(_server: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(feed.run()), asyncio.create_task(news.follow())]
        yield
        for task in tasks:
            task.cancel()

    server = FastAPI(lifespan=lifespan)
    pages = Dash(
        __name__,
        server=server,
        backend="fastapi",
        assets_folder="",
        suppress_callback_exceptions=True,
        add_log_handler=False,
    )
    parts: list[Any] = [html.Div(id=name) for name, _ in PROPERTIES]
    pages.layout = html.Div([dcc.Interval(id="tick", interval=1000), *parts])

    @pages.callback(persistent=True, websocket=True)  # type: ignore[untyped-decorator]
    async def push() -> None:
        socket = ctx.websocket
        while not socket.is_shutdown:
            for (component, name), value in (await news.next()).items():
                set_props(component, {name: value})

    @pages.callback(  # type: ignore[untyped-decorator]
        [Output(component, name) for component, name in PROPERTIES],
        Input("tick", "n_intervals"),
        State("published_us", "children"),
    )
    async def poll(_turn: int, seen: int) -> list[Any]:
        updates = news.since(seen)
        return [updates.get(key, no_update) for key in PROPERTIES]

    return server


if __name__ == "__main__":
    bind_to_parent()
    uvicorn.run(
        create_peer(Feed(os.environ[REDIS_URL], os.environ[CITY], "bench")),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
        backlog=4096,
    )
