"""Reads one poll's rows from a database, in portions, each an answer of JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from connectors.network import Rules, look_up
from connectors.sql.address import PACKAGES, Place, find_place
from connectors.sql.database import Session, Target, offset_of
from connectors.sql.failures import explain
from connectors.sql.options import SqlOptions
from connectors.sql.statement import LIMIT, SINCE, parameters_of
from connectors.sql.values import UnreadableValue, write_row
from lawang.city.network import Network
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from lawang.mapping.rows import strip

#: The database's own limit comes first, so that it can say what went wrong.
_GRACE = timedelta(seconds=1)
#: What :since is at the first poll: before every time that is taken for one.
_BEGINNING = datetime(1990, 1, 1, tzinfo=UTC)

Result = TypeVar("Result")


async def read_answers(
    options: SqlOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """The query's rows, `batch` of them an answer; one answer without rows when there are none.

    Columns that `[personal]` names are dropped or hidden before anything else sees them. Each
    portion has `context.timeout`. Raises RetryLater: unreachable, timeout, truncated (the
    connection broke among the rows), rate_limited, garbage; NeedsPerson: refused, not_found,
    bad_status (the query is wrong), too_large, not_configured (no driver), host_not_allowed,
    private_address. What was yielded until then is good.
    """
    place = find_place(options.address())
    reader = _Reader(options, await _target(options, place, context), cursor, context)
    worker = ThreadPoolExecutor(1, thread_name_prefix=f"sql-{context.source_id}")
    try:
        while (body := await _within(worker, reader, reader.read, context.timeout)) is not None:
            yield Answer(
                body=body,
                content_type="application/json",
                fetched_at=context.clock(),
                kind="rows",
                complete=not options.is_incremental,
            )
    finally:
        reader.session.abort()
        worker.submit(reader.session.close)
        worker.shutdown(wait=False)


async def _target(options: SqlOptions, place: Place, context: FetchContext) -> Target:
    name = f"[{place.host}]" if ":" in place.host else place.host
    own = (f"{name}:{place.port}",) if place.host else ()
    rules: Rules = context.rules or Rules.of(Network(), own)
    addresses: tuple[str, ...] = ()
    if place.host:
        rules.check_host(place.host, place.port)
        try:
            addresses = await rules.resolve(place.host, place.port, look_up)
        except (OSError, UnicodeError):
            problem = f"{_name(place)}: its name is not known"
            raise RetryLater("unreachable", problem) from None
    elif place.socket and not (rules.private or rules.loopback):
        raise NeedsPerson("private_address", f"{place.socket} is a socket of this machine")
    zone = options.formats.timezone
    return Target(
        url=options.address(),
        place=place,
        addresses=addresses,
        timeout=context.timeout,
        zone=zone,
        offset=offset_of(zone, context.clock()),
    )


async def _within(
    worker: ThreadPoolExecutor, reader: _Reader, read: Callable[[], Result], timeout: timedelta
) -> Result:
    """What the worker's step gives; ends the database's work when it takes too long."""
    step = asyncio.get_running_loop().run_in_executor(worker, read)
    try:
        async with asyncio.timeout((timeout + _GRACE).total_seconds()):
            return await step
    except TimeoutError:
        raise RetryLater("timeout", f"{reader.where}: no answer in time") from None


class _Reader:
    """The worker's part of a poll: opens at the first portion, makes JSON of each."""

    def __init__(
        self, options: SqlOptions, target: Target, cursor: Cursor, context: FetchContext
    ) -> None:
        self.session = Session(target)
        self.where = _name(target.place)
        self._options = options
        self._most = context.max_bytes
        self._parameters = _parameters(options, cursor, context, is_file=bool(target.place.file))
        self._portions: Iterator[bytes] | None = None
        self._is_reading = False

    def read(self) -> bytes | None:
        """The next portion; None when there is no more. Raises SourceError."""
        try:
            if self._portions is None:
                self.session.open()
                self._portions = self._make_portions()
            return next(self._portions, None)
        except SourceError:
            raise
        except ModuleNotFoundError as error:
            raise _missing_driver(error) from None
        except UnreadableValue as error:
            problem = f"{self.where}: {error}; leave it out of the query"
            raise NeedsPerson("too_large", problem) from None
        except (SQLAlchemyError, OSError, UnicodeError, ValueError) as error:
            raise self._explain(error) from None
        except Exception as error:
            # A driver's own errors outside of SQLAlchemy's wrapping, such as while connecting.
            if type(error).__module__.partition(".")[0] in ("sqlite3", *PACKAGES):
                raise self._explain(error) from None
            raise

    def _explain(self, error: Exception) -> SourceError:
        return explain(error, self.where, is_reading=self._is_reading)

    def _make_portions(self) -> Iterator[bytes]:
        options = self._options
        portion = _Portion(self._most, options.batch, whole=options.gathers)
        total = 0
        for names, rows in self.session.rows(options.query, self._parameters, options.batch):
            self._is_reading = True
            if repeated := sorted({name for name in names if names.count(name) > 1}):
                problem = f"two columns are called {repeated[0]!r}; name one of them with AS"
                raise NeedsPerson("bad_status", f"{self.where}: {problem}")
            for row in rows:
                total += 1
                if total > options.max_rows:
                    problem = (
                        f"more than {options.max_rows} rows; narrow the query, or raise max_rows"
                    )
                    raise NeedsPerson("too_large", f"{self.where}: {problem}")
                stripped = strip(dict(zip(names, row, strict=True)), options.personal)
                if (full := portion.add(write_row(stripped))) is not None:
                    yield full
        if portion.count or not total or not portion.given:
            yield portion.take()


class _Portion:
    """Rows on their way into one answer."""

    def __init__(self, most_bytes: int, most_rows: int, *, whole: bool) -> None:
        self._most_bytes = most_bytes
        self._most_rows = most_rows
        self._whole = whole
        self._rows: list[bytes] = []
        self._size = 4
        self.given = 0

    @property
    def count(self) -> int:
        return len(self._rows)

    def add(self, row: bytes) -> bytes | None:
        """Take a row in; gives the answer before it, if with it that would be too much."""
        full = None
        if self._size + len(row) + 2 > self._most_bytes or (
            not self._whole and len(self._rows) >= self._most_rows
        ):
            if self._whole or not self._rows or len(row) + 6 > self._most_bytes:
                raise NeedsPerson("too_large", f"rows of more than {self._most_bytes} bytes")
            full = self.take()
        self._rows.append(row)
        self._size += len(row) + 2
        return full

    def take(self) -> bytes:
        """The rows so far as a JSON list, one row a line."""
        body = b"[\n" + b",\n".join(self._rows) + b"\n]" if self._rows else b"[]"
        self._rows, self._size = [], 4
        self.given += 1
        return body


def _parameters(
    options: SqlOptions, cursor: Cursor, context: FetchContext, *, is_file: bool
) -> dict[str, Any]:
    asked = parameters_of(options.query)
    given: dict[str, Any] = dict(options.parameters)
    if LIMIT in asked:
        given[LIMIT] = options.max_rows + 1
    if SINCE in asked:
        given[SINCE] = _since(options, cursor, context, is_file=is_file)
    return given


def _since(
    options: SqlOptions, cursor: Cursor, context: FetchContext, *, is_file: bool
) -> datetime | str | int | Any:
    if cursor.watermark is not None:
        since = cursor.watermark - timedelta(seconds=options.overlap_s)
    elif options.first_days is not None:
        since = context.clock() - timedelta(days=options.first_days)
    else:
        since = _BEGINNING
    if options.since_form == "epoch":
        return int(since.timestamp())
    if options.since_form == "epoch_ms":
        return int(since.timestamp() * 1000)
    local = since.astimezone(options.formats.timezone).replace(microsecond=0, tzinfo=None)
    if options.since_form == "date":
        return local.date().isoformat() if is_file else local.date()
    # SQLite has no times, only texts that are written as it writes them itself.
    return local.isoformat(sep=" ") if is_file else local


def _name(place: Place) -> str:
    if place.file:
        return Path(place.file).name
    return place.socket or f"{place.host}:{place.port}"


def _missing_driver(error: ModuleNotFoundError) -> NeedsPerson:
    module = (error.name or "").partition(".")[0]
    package = PACKAGES.get(module, module)
    return NeedsPerson("not_configured", f"the driver {module} is missing: pip install '{package}'")
