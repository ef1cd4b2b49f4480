"""The mayor's pages alone on a free port, with a clock that a test sets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import uvicorn
from fastapi import FastAPI

from lawang.city import City
from lawang.overview.read import OverviewReader
from lawang.store.history import History
from light.routes import make_light_router
from tests.api.conftest import PATIENCE_S, until

#: Sunday, 22 November 2026, 08:00 WIB.
MORNING = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


class SetClock:
    """Tells what it was set to."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def serve_pages(city: City, history: History, clock: SetClock) -> Iterator[str]:
    """Serve the pages of a history in a thread; yields their address."""
    pages = FastAPI()
    reader = OverviewReader(city, history)
    pages.include_router(make_light_router(city, reader, dict, clock, "b1", history))
    server = uvicorn.Server(uvicorn.Config(pages, log_level="warning", access_log=False))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive(), "the pages to be served")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
    assert not thread.is_alive()


def browser(url: str) -> httpx.Client:
    """A visitor with cookies of their own."""
    return httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False)
