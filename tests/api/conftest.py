"""The real web application on a free port, before real stores that hold a small city's life."""

from __future__ import annotations

import gc
import itertools
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from app import create_web
from lawang.board.panels import PANELS
from lawang.board.worker import BoardWorker
from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.health import SourceState
from lawang.domain.incident import Incident, Status
from lawang.installation import Installation
from lawang.settings import Settings
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.conftest import build_incident

PATIENCE_S = 60.0
#: When the newest report of the small city was made; all others before it.
NEWEST = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass
class Web:
    """A running web process; `client` speaks to it as a program, `browser` as a browser."""

    url: str
    client: httpx.Client
    browser: httpx.Client

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def ask(self, text: bytes) -> bytes:
        """Send bytes that no client library would, and return the whole answer."""
        with socket.create_connection(self.address, timeout=PATIENCE_S) as connection:
            connection.sendall(text)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
            return answer


@contextmanager
def serve_web(installation: Installation) -> Iterator[Web]:
    """Serve as `lawang web` does, in a thread."""
    thresholds = gc.get_threshold()
    server = uvicorn.Server(
        uvicorn.Config(
            create_web(installation),  # type: ignore[arg-type]
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive(), "the web process to start")
            with (
                httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False) as client,
                httpx.Client(
                    base_url=url,
                    timeout=PATIENCE_S,
                    trust_env=False,
                    headers={"accept": "text/html,*/*;q=0.8"},
                ) as browser,
            ):
                yield Web(url, client, browser)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            gc.unfreeze()
            gc.set_threshold(*thresholds)
    assert not thread.is_alive()


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.01)


def small_life() -> list[Incident]:
    """A hundred and twenty reports of all kinds; some share the very second of their making."""
    statuses = list(Status)
    regions = ["16.71.01", "16.71.02", None]
    made = []
    for number in range(120):
        status = statuses[number % len(statuses)]
        requested_at = NEWEST - timedelta(hours=number // 3)
        kecamatan = regions[number % 3]
        made.append(
            build_incident(
                external_id=f"r{number:03}",
                status=status,
                status_raw="open" if status.is_open else "closed",
                category=["banjir", "jalan", "tidak_diketahui", "lampu"][number % 4],
                kecamatan=kecamatan,
                kelurahan=f"{kecamatan}.1001" if kecamatan and number % 2 else None,
                latitude=-2.98 if kecamatan else None,
                longitude=104.75 if kecamatan else None,
                requested_at=requested_at,
                observed_at=requested_at + timedelta(minutes=30),
                due_at=requested_at + timedelta(days=1) if number % 5 else None,
                description=f"Laporan {number} <b>tebal</b>",
            )
        )
    return made


def make_installation(
    city: City, history: History, redis_url: str, data_dir: Path, **given: object
) -> Installation:
    """An installation whose live state is nobody else's."""
    slug = f"web-{os.getpid()}-{next(_numbers)}"
    settings = Settings(data_dir=data_dir, simulator_url="http://127.0.0.1:9", **given)  # type: ignore[arg-type]
    return Installation(settings, replace(city, slug=slug), history, redis_url)


@contextmanager
def board_of(installation: Installation) -> Iterator[LiveStore]:
    """A board at work, as the poller beside the web process has it."""
    with closing(installation.open_live()) as live:
        live.put(state=SourceState(source_id="elapor", last_success=utc_now(), records=120))
        board = BoardWorker(installation.city, installation.history, live, clock=utc_now)
        board.start()
        try:
            yield live
        finally:
            board.stop()


@pytest.fixture(scope="module", params=["sqlite"])
def full_history(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[History]:
    """History with the small life; a module asks for other databases by `indirect`."""
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres")
        url = postgres.url(
            postgres.create_database(request.getfixturevalue("_migrated_postgresql"))
        )
    else:
        empty: Path = request.getfixturevalue("_migrated_sqlite")
        path = tmp_path_factory.mktemp("web") / "history.sqlite3"
        path.write_bytes(empty.read_bytes())
        url = f"sqlite:///{path}"
    with closing(History(open_engine(url))) as history:
        history.settle("elapor", small_life(), fetched_at=NEWEST, fence=1)
        yield history


@pytest.fixture(scope="module")
def web(
    city: City,
    full_history: History,
    valkey_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Web]:
    """A web process with a board behind it; `/readyz` says that it is ready."""
    installation = make_installation(
        city, full_history, valkey_url, tmp_path_factory.mktemp("data")
    )
    with board_of(installation) as live, serve_web(installation) as running:
        until(lambda: live.panels().keys() == PANELS.keys(), "all panels")
        until(lambda: running.client.get("/readyz").status_code == 200, "a ready web process")
        yield running


@contextmanager
def without_table(sqlite_url: str, table: str) -> Iterator[None]:
    """History of which one table cannot be read: every question to it ends in an error."""

    def rename(before: str, after: str) -> None:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
            connection.execute(f"ALTER TABLE {before} RENAME TO {after}")

    rename(table, "away")
    try:
        yield
    finally:
        rename("away", table)


class Hand:
    """A monotonic clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sentence_of(answer: httpx.Response) -> str:
    """The sentence of a refusal; fails unless it has the form that all refusals have."""
    error = answer.json()["error"]
    assert error["status"] == answer.status_code
    sentence: str = error["message"]
    assert sentence.endswith(".") or answer.status_code == 422
    assert len(sentence.split()) >= 3
    return sentence
