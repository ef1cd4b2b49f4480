"""`GET /stream?panels=a,b`: the live line to every screen, as server-sent events.

An ASGI application of its own: per frame and client it does one `send` and nothing else. A watcher
waits for the client to leave, so that a closed screen costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import parse_qs

from api.door import Receive, Refusal, Scope, Send, answer_refusal
from lawang.board.panels import PANELS
from lawang.push import Feed

_PIECE_BYTES = 64 * 1024
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # A proxy that collects answers before it sends them on would make a live wall a late one.
    (b"x-accel-buffering", b"no"),
]


class Stream:
    """Serves frames of the feed; `known` are the panels that may be asked for."""

    def __init__(self, feed: Feed, known: frozenset[str] = frozenset(PANELS)) -> None:
        self._feed = feed
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await answer_refusal(Refusal(405, "The stream can only be read (GET)."), send)
            return
        names = wanted_panels(scope) or self._known
        if unknown := sorted(names - self._known):
            sentence = (
                f"There is no panel {', '.join(unknown)[:100]}. "
                f"Known: {', '.join(sorted(self._known))}."
            )
            await answer_refusal(Refusal(400, sentence), send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await self._serve(names, scope, receive, send)

    async def _serve(
        self, names: frozenset[str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        last_id = next(
            (
                value.decode("latin-1")
                for name, value in scope["headers"]
                if name == b"last-event-id"
            ),
            None,
        )
        serving = asyncio.current_task()
        leaving = asyncio.create_task(_wait_until_left(receive))
        left = False

        def end(_task: asyncio.Task[None]) -> None:
            nonlocal left
            left = True
            if serving is not None:
                serving.cancel()

        leaving.add_done_callback(end)
        try:
            async with contextlib.aclosing(self._feed.stream(names, last_id)) as frames:
                async for frame in frames:
                    await _send_in_pieces(send, frame)
        except asyncio.CancelledError:
            if not left:
                raise
        finally:
            leaving.remove_done_callback(end)
            leaving.cancel()


def wanted_panels(scope: Scope) -> frozenset[str]:
    """What a stream is asked for; nothing means all that there is."""
    wanted = parse_qs(scope["query_string"].decode("latin-1")).get("panels", [""])[0]
    return frozenset(name for name in wanted.split(",") if name)


async def _send_in_pieces(send: Send, frame: bytes) -> None:
    """Send a frame so that one piece waits for a slow client, and not a whole snapshot.

    The server takes a piece only when those before it have nearly gone.
    """
    for start in range(0, len(frame), _PIECE_BYTES):
        # A frame that is no longer than a piece is not copied for each of its many screens.
        body = frame[start : start + _PIECE_BYTES]
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _wait_until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
