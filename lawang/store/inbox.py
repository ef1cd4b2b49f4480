"""What departments pushed to us and the poller has not taken yet, in history's database.

A sender is told that we have its message only when it would survive a loss of power; numbers grow
in the order in which messages become visible, so that a reader who remembers one misses none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lawang.connector import Delivery
from lawang.store import schema
from lawang.store.engine import as_store_error

#: How long the body of a message is kept after it was taken, and how long its key is remembered.
BODY_KEPT = timedelta(hours=24)
KEY_KEPT = timedelta(days=7)
#: The key of a source's validators that says up to which number messages were taken.
_TAKEN = "inbox"


class Inbox:
    """The inbox of an installation. Blocking; safe to use from any thread and many processes.

    Every method raises StoreError("store_busy" | "store_down") when the database cannot answer.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._insert: Any = sqlite.insert if self._is_sqlite else postgresql.insert

    def put(
        self,
        source_id: str,
        key: str,
        body: bytes,
        content_type: str,
        received_at: datetime,
        heartbeat: bool = False,
    ) -> tuple[int, bool]:
        """Keep a message; its number, and whether it is a new one.

        When this returns, it is durable. A key that the source has used before keeps the first
        message. A heartbeat only counts as heard: its number is 0.
        """
        with self._durably() as connection:
            # First of all: this row is the lock that puts a source's messages in one order.
            self._hear(connection, source_id, received_at)
            if heartbeat:
                return 0, True
            inbox = schema.inbox
            made = connection.execute(
                self._insert(inbox)
                .values(
                    source_id=source_id,
                    key=key,
                    body=body,
                    content_type=content_type,
                    received_at=received_at,
                )
                .on_conflict_do_nothing(index_elements=["source_id", "key"])
                .returning(inbox.c.number)
            ).scalar_one_or_none()
            if made is not None:
                return int(made), True
            known = select(inbox.c.number).where(inbox.c.source_id == source_id, inbox.c.key == key)
            return int(connection.execute(known).scalar_one()), False

    def waiting(self, source_id: str, after: int, limit: int) -> list[Delivery]:
        """Messages with a number above `after`, oldest first."""
        inbox = schema.inbox
        wanted = (
            select(inbox.c.number, inbox.c.body, inbox.c.content_type, inbox.c.received_at)
            .where(
                inbox.c.source_id == source_id, inbox.c.number > after, inbox.c.body.is_not(None)
            )
            .order_by(inbox.c.number)
            .limit(limit)
        )
        with as_store_error(), self._engine.connect() as connection:
            return [
                Delivery(
                    number=row.number,
                    body=bytes(row.body),
                    content_type=row.content_type,
                    received_at=row.received_at,
                )
                for row in connection.execute(wanted)
            ]

    def last_heard(self, source_id: str) -> datetime | None:
        """When anything of the source came last, heartbeats included."""
        heard = schema.inbox_heard
        wanted = select(heard.c.heard_at).where(heard.c.source_id == source_id)
        with as_store_error(), self._engine.connect() as connection:
            found: datetime | None = connection.execute(wanted).scalar_one_or_none()
        return found

    def prune(self, now: datetime) -> int:
        """Empty what was taken long ago, forget its keys later; how many rows were touched.

        What no poll has taken yet is left alone, however old it is.
        """
        inbox, state = schema.inbox, schema.source_state
        touched = 0
        with (
            as_store_error(),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            for source_id, validators in connection.execute(
                select(state.c.source_id, state.c.validators)
            ).all():
                text = str((validators or {}).get(_TAKEN, ""))
                if not text.isdecimal():
                    continue
                taken = (inbox.c.source_id == source_id) & (inbox.c.number <= int(text))
                old = taken & (inbox.c.received_at < now - KEY_KEPT)
                spent = taken & (inbox.c.received_at < now - BODY_KEPT) & inbox.c.body.is_not(None)
                touched += connection.execute(delete(inbox).where(old)).rowcount
                touched += connection.execute(update(inbox).where(spent).values(body=None)).rowcount
        return touched

    def _hear(self, connection: Connection, source_id: str, at: datetime) -> None:
        heard = schema.inbox_heard
        said = self._insert(heard).values(source_id=source_id, heard_at=at)
        # Clocks of several web processes differ a little: the later one holds. Without a row
        # that is written there would be no lock, so it is written in either case.
        later = func.max if self._is_sqlite else func.greatest
        connection.execute(
            said.on_conflict_do_update(
                index_elements=["source_id"],
                set_={"heard_at": later(heard.c.heard_at, said.excluded.heard_at)},
            )
        )

    @contextmanager
    def _durably(self) -> Iterator[Connection]:
        """A transaction that has reached the disk when it ends.

        SQLite is told to wait for the disk on this one connection, and not after it: elsewhere a
        loss of power may cost the last moment, which polling brings again.
        """
        with (
            as_store_error(),
            self._engine.connect().execution_options(writes=True) as connection,
        ):
            if self._is_sqlite:
                self._set_synchronous(connection, "FULL")
            try:
                with connection.begin():
                    yield connection
            finally:
                if self._is_sqlite:
                    self._set_synchronous(connection, "NORMAL")

    def _set_synchronous(self, connection: Connection, level: str) -> None:
        # Past SQLAlchemy, which would begin the transaction that this has to come before.
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.execute(f"PRAGMA synchronous={level}")
