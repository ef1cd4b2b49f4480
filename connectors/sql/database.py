"""One connection for one poll: read-only where the database can, and within its time.

Everything but `abort` is blocking and belongs to one worker thread.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import OperationalError

from connectors.sql.address import Place
from lawang.domain.errors import RetryLater

#: How many steps of SQLite's machine lie between two looks at the time.
_STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how a database is asked: what does not change during one poll.

    `addresses` are the judged ones of the place's host, best first; `offset` is the department's
    own from UTC at present, for databases that know no names of zones.
    """

    url: URL
    place: Place
    addresses: Sequence[str]
    timeout: timedelta
    zone: ZoneInfo
    offset: timedelta


class Session:
    """A connection, opened by `open` and closed by `close`; `abort` ends what it is doing."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._until = 0.0
        self._raw: Any = None
        self._connection: Connection | None = None
        self._cursor: Any = None
        self._aborted = False

    def open(self) -> None:
        """Connect. Raises what the driver raises, and ModuleNotFoundError without a driver."""
        self._begin_step()
        target = self._target
        if target.place.file:
            if not Path(target.place.file).is_file():
                raise RetryLater("unreachable", f"there is no file {Path(target.place.file).name}")
            engine = create_engine("sqlite://", creator=self._open_file, poolclass=NullPool)
        else:
            engine = self._engine()
            event.listen(engine, "do_connect", self._connect)
        self._connection = engine.connect()
        self._prepare(engine, self._connection)

    def rows(
        self, query: str, parameters: dict[str, Any], batch: int
    ) -> Iterator[tuple[Sequence[str], Sequence[Sequence[Any]]]]:
        """The names of the columns with up to `batch` rows at a time; once without rows if none."""
        if self._connection is None:
            raise RuntimeError("the session is not open")
        self._begin_step()
        streaming = self._connection.execution_options(stream_results=True, max_row_buffer=batch)
        result = streaming.execute(text(query), parameters)
        self._cursor = result.cursor
        names = list(result.keys())
        some = result.fetchmany(batch)
        yield names, some
        while some:
            self._begin_step()
            some = result.fetchmany(batch)
            if some:
                yield names, some

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        # The rest of an unfinished answer is not waited for.
        self.abort()
        # The raw connection first: a cursor of a closed one has nothing more to ask the server.
        for each in (self._raw, self._cursor):
            with contextlib.suppress(Exception):
                if each is not None:
                    each.close()
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.invalidate()
            with contextlib.suppress(Exception):
                connection.close()
        self._raw = self._cursor = None

    def abort(self) -> None:
        """End what the connection is doing; from any thread, never blocking for long."""
        self._aborted = True
        raw = self._raw
        if raw is None:
            return
        with contextlib.suppress(Exception):
            if isinstance(raw, sqlite3.Connection):
                raw.interrupt()
            elif hasattr(raw, "pgconn"):
                _hang_up(raw.fileno())
            elif isinstance(getattr(raw, "_sock", None), socket.socket):
                raw._sock.shutdown(socket.SHUT_RDWR)
            elif hasattr(raw, "cancel"):
                raw.cancel()

    # --- opening -----------------------------------------------------------------------------

    def _begin_step(self) -> None:
        self._until = time.monotonic() + self._target.timeout.total_seconds()

    def _open_file(self) -> sqlite3.Connection:
        # mode=ro neither makes a missing file nor writes one; the locks of others are respected.
        name = quote(str(Path(self._target.place.file).absolute()))
        opened = sqlite3.connect(
            f"file:{name}?mode=ro",
            uri=True,
            timeout=self._target.timeout.total_seconds(),
            check_same_thread=False,
        )
        self._raw = opened
        opened.text_factory = _read_text
        opened.set_progress_handler(self._is_over, _STEPS)
        opened.execute("PRAGMA query_only = ON")
        return opened

    def _is_over(self) -> int:
        return int(self._aborted or time.monotonic() > self._until)

    def _engine(self) -> Engine:
        target = self._target
        url = target.url
        arguments: dict[str, Any] = {}
        seconds = max(1, round(target.timeout.total_seconds()))
        if url.drivername == "postgresql+psycopg":
            arguments |= {"connect_timeout": max(2, seconds), "prepare_threshold": None}
        elif url.drivername in ("mysql+pymysql", "mariadb+pymysql"):
            arguments |= {"connect_timeout": seconds, "read_timeout": seconds + 1}
        elif url.drivername == "oracle+oracledb":
            arguments |= {"tcp_connect_timeout": float(seconds)}
        if url.drivername not in ("postgresql+psycopg", "mysql+pymysql", "mariadb+pymysql"):
            # Drivers that cannot be told both: the judged address stands for the name.
            url = url.set(host=target.addresses[0]) if target.addresses else url
        return create_engine(
            url,
            poolclass=NullPool,
            # Neither values nor what a row holds may stand in an error's text.
            hide_parameters=True,
            connect_args=arguments,
        )

    def _connect(self, dialect: Any, record: Any, positional: list[Any], named: Any) -> Any:
        """Connect to one of the judged addresses, never to where the name leads by now."""
        addresses = self._target.addresses
        name = dialect.driver
        if name == "psycopg" and addresses:
            # libpq verifies the host's certificate by `host` and connects to `hostaddr`.
            named["host"] = ",".join([self._target.place.host] * len(addresses))
            named["hostaddr"] = ",".join(addresses)
        if name == "pymysql" and addresses:
            raw = dialect.dbapi.connect(*positional, **named, defer_connect=True)
            raw.connect(self._reach())
        else:
            raw = dialect.dbapi.connect(*positional, **named)
        if name == "oracledb":
            raw.call_timeout = round(self._target.timeout.total_seconds() * 1000)
        self._raw = raw
        if self._aborted:
            self.abort()
        return raw

    def _reach(self) -> socket.socket:
        error: OSError | None = None
        for address in self._target.addresses:
            try:
                reached = socket.create_connection(
                    (address, self._target.place.port), self._target.timeout.total_seconds()
                )
            except OSError as caught:
                error = caught
                continue
            reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return reached
        raise error or OSError("no address")

    def _prepare(self, engine: Engine, connection: Connection) -> None:
        """Begin a transaction that can only read, with limits that the server itself holds."""
        target = self._target
        limit_ms = max(1, round(target.timeout.total_seconds() * 1000))
        backend = engine.dialect.name
        if backend == "postgresql":
            # For this transaction alone: behind a pooler the session is other people's too.
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit_ms}")
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit_ms}")
            connection.exec_driver_sql(f"SET LOCAL TIME ZONE '{target.zone.key}'")
        elif backend in ("mysql", "mariadb"):
            offset = _write_offset(target.offset)
            connection.exec_driver_sql(f"SET SESSION time_zone = '{offset}'")
            if getattr(engine.dialect, "is_mariadb", False):
                limit = f"SET SESSION max_statement_time = {limit_ms / 1000}"
            else:
                limit = f"SET SESSION max_execution_time = {limit_ms}"
            # A server from before these variables has only our own limit.
            with contextlib.suppress(OperationalError):
                connection.exec_driver_sql(limit)
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.exec_driver_sql("START TRANSACTION READ ONLY")
        elif backend == "oracle":
            offset = _write_offset(target.offset)
            connection.exec_driver_sql(f"ALTER SESSION SET TIME_ZONE = '{offset}'")
            connection.rollback()
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def offset_of(zone: ZoneInfo, at: datetime) -> timedelta:
    """A zone's offset from UTC at an instant."""
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _write_offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _read_text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _hang_up(number: int) -> None:
    """Shut the socket of a file number down, which ends every wait for it."""
    copy = socket.socket(fileno=os.dup(number))
    try:
        copy.shutdown(socket.SHUT_RDWR)
    finally:
        copy.close()
