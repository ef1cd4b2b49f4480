"""Opening history: SQLite in WAL mode or PostgreSQL, and bringing its tables up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from lawang.domain.errors import SettingsError, StoreError

#: How long a statement waits for SQLite's single writer before the poll gives up until its next
#: turn. Shorter than any cadence, so that a locked database shows on the wall within one.
BUSY_TIMEOUT_S = 2.0
#: What PostgreSQL says by number, whatever its language, when others are in the way: statement
#: cancelled by its time-out, lock not available, could not serialise, deadlock.
_BUSY_STATES = {"57014", "55P03", "40001", "40P01"}
#: Number of the PostgreSQL advisory lock under which migrations run.
_MIGRATION_LOCK = 16_71


def open_engine(url: str) -> Engine:
    """An engine for `url`. Raises SettingsError for an address that SQLAlchemy cannot use."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(url, parsed.database)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed,
            # Parameters are citizens' words: no error's text may carry them into a log.
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=4,
            json_serializer=_to_json,
            json_deserializer=orjson.loads,
            connect_args={"connect_timeout": 3, "options": "-c statement_timeout=20000"},
        )
    except (ArgumentError, ModuleNotFoundError) as error:
        raise SettingsError(
            "LAWANG_DATABASE_URL cannot be used: give an address such as "
            "postgresql://user:password@host/name (with the extra 'postgresql' installed) "
            "or sqlite:////path/history.sqlite3"
        ) from error


def _open_sqlite(url: str, database: str | None) -> Engine:
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        connect_args={"timeout": BUSY_TIMEOUT_S},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # Python's own implicit BEGIN is switched off; `begin` below says which one is meant.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("PRAGMA temp_store=MEMORY")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A reader that turns writer half-way can be refused at once; writers say so first.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _to_json(value: Any) -> str:
    """JSON text; instants in it become ISO 8601, as `incident.to_plain` writes them."""
    return orjson.dumps(value).decode()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(engine: Engine) -> None:
    """Bring the tables to the newest revision; safe when several processes start at once.

    Raises StoreError if the database does not answer.
    """
    config = _config()
    with (
        as_store_error(),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK}
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Whether the tables are at the newest revision."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


@contextmanager
def as_store_error() -> Iterator[None]:
    """Turn what the database cannot do into StoreError("store_busy" or "store_down").

    The driver's own words stay out of it: they may hold an address or a citizen's data.
    """
    try:
        yield
    except IntegrityError as error:
        raise StoreError("store_busy", "another writer came first") from error
    except DBAPIError as error:
        kind = "store_busy" if _is_busy(error.orig) else "store_down"
        raise StoreError(kind, type(error.orig).__name__) from error


def _is_busy(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        # The low byte is the error, the rest its shade.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error, "sqlstate", None) in _BUSY_STATES
