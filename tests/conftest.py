"""What many tests stand on: a real Valkey, a real SQLite and PostgreSQL, and the city."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lawang.city import City, load_city
from lawang.domain.incident import Incident, Status, incident_id
from lawang.settings import ROOT
from lawang.store.embedded import EmbeddedValkey
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.simulator.conftest import HeldClock
from tests.store.postgres import PostgresServer

__all__ = ["REQUESTED_AT", "HeldClock", "build_incident"]

#: When the reports of `build_incident` were made: a Saturday, 10:00 WIB.
REQUESTED_AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
_slugs = itertools.count(1)


def build_incident(**changes: Any) -> Incident:
    """A waiting report of e-lapor; keywords replace fields, and what hangs on them follows.

    `id` follows source and external id, `observed_at` the time of the report, `fetched_at` comes
    five seconds after it, and `closed_at` is as settling sets it.
    """
    values: dict[str, Any] = {
        "source_id": "elapor",
        "external_id": "2026-000001",
        "category": "banjir",
        "category_raw": "BJR",
        "status": Status.WAITING,
        "status_raw": "open",
        "status_note": "Menunggu verifikasi",
        "description": "Air setinggi lutut di depan pasar.",
        "address": "Jalan Sudirman",
        "agency": None,
        "media_url": None,
        "latitude": -2.9761,
        "longitude": 104.7754,
        "kecamatan": "16.71.06",
        "kelurahan": "16.71.06.1009",
        "placed_by": "point",
        "location_problem": "",
        "requested_at": REQUESTED_AT,
        "due_at": REQUESTED_AT + timedelta(days=5),
        "observed_estimated": False,
        "reopened": 0,
        "simulated": True,
        **changes,
    }
    values.setdefault("id", incident_id(values["source_id"], values["external_id"]))
    values.setdefault("observed_at", values["requested_at"])
    values.setdefault("fetched_at", values["observed_at"] + timedelta(seconds=5))
    values.setdefault("closed_at", None if values["status"].is_open else values["observed_at"])
    return Incident(**values)


@pytest.fixture(scope="session")
def make_incident() -> Callable[..., Incident]:
    """`make_incident(status=..., observed_at=...)`: see `build_incident`."""
    return build_incident


@pytest.fixture(scope="session")
def city() -> City:
    """Palembang as the demonstration reads it, with a simulator that nobody runs."""
    env = {"LAWANG_SIMULATOR_URL": "http://127.0.0.1:9"}
    return load_city(ROOT / "cities" / "palembang", simulated=True, env=env)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The address of one real Valkey, with its password; give each test a city of its own."""
    with tempfile.TemporaryDirectory(prefix="lawang-") as folder:
        server = EmbeddedValkey(Path(folder))
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


@pytest.fixture
def live(valkey_url: str) -> Iterator[LiveStore]:
    """Empty live state."""
    store = LiveStore(valkey_url, f"kota-{os.getpid()}-{next(_slugs)}")
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One real PostgreSQL server."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with empty tables, to be copied: quicker than migrating for every test."""
    path = tmp_path_factory.mktemp("migrated") / "history.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _migrated_postgresql(postgres: PostgresServer) -> str:
    """The name of a database with empty tables, to be copied."""
    name = postgres.create_database()
    _migrate(postgres.url(name))
    return name


@pytest.fixture
def sqlite_url(_migrated_sqlite: Path, tmp_path: Path) -> str:
    """The address of a SQLite file with empty tables."""
    path = tmp_path / "history.sqlite3"
    shutil.copyfile(_migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres: PostgresServer, _migrated_postgresql: str) -> Iterator[str]:
    """The address of a PostgreSQL database with empty tables."""
    name = postgres.create_database(_migrated_postgresql)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with empty tables, of one kind after the other."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any table, of one kind after the other."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def history(database_url: str) -> Iterator[History]:
    """Empty history, on one database after the other."""
    store = History(open_engine(database_url))
    yield store
    store.close()


@pytest.fixture
def sqlite_history(sqlite_url: str) -> Iterator[History]:
    """Empty history on SQLite."""
    store = History(open_engine(sqlite_url))
    yield store
    store.close()


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
