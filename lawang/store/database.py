"""One transaction at a time on history's database, and what both its dialects have in common."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite

from lawang.domain.errors import StoreError
from lawang.store.engine import as_store_error

#: A large first import takes seconds; a database that another program holds is told of sooner.
_LONGEST_QUEUE_S = 5.0
#: Most ids in one IN list: SQLite takes 32,766 parameters, but long lists are slow to compile.
CHUNK = 500

Item = TypeVar("Item")


class Database:
    """An engine of `lawang.store.engine.open_engine`; safe to share by threads.

    Both kinds of transaction raise StoreError("store_busy" | "store_down") when the database
    cannot answer, and nothing of a writing one is kept then.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queue = threading.Lock() if engine.dialect.name == "sqlite" else None
        self.insert: Any = (
            postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with as_store_error(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it waits for the one writer before it begins.

        Writers of one process queue here: SQLite lets them poll for its lock, where the one that
        waited longest is as likely as any to go away empty-handed.
        """
        with (
            self._turn(),
            as_store_error(),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._queue is None:
            yield
            return
        if not self._queue.acquire(timeout=_LONGEST_QUEUE_S):
            raise StoreError("store_busy", "other writers of this process are before it")
        try:
            yield
        finally:
            self._queue.release()

    def upsert(self, connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, or replace those with the same primary key."""
        if not rows:
            return
        insert = self.insert(table)
        keys = [column.name for column in table.primary_key.columns]
        changed = {
            column.name: insert.excluded[column.name]
            for column in table.columns
            if column.name not in keys
        }
        connection.execute(
            insert.on_conflict_do_update(index_elements=keys, set_=changed), list(rows)
        )


def chunked(items: Iterable[Item]) -> Iterator[list[Item]]:
    """`items` in lists short enough for an IN."""
    chunk: list[Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
