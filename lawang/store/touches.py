"""Which days of which source changed, noted in the transaction that changed them.

A day here is one of UTC: who writes need not know the city's zone. The indicators are worked out
again for the local days that a noted day overlaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, bindparam, delete, select

from lawang.store import schema
from lawang.store.database import Database

#: What the records other than readings are called in place of a measure.
INCIDENTS = "@incident"
REQUESTS = "@request"


@dataclass(frozen=True, slots=True)
class Touch:
    """One noted day; `number` tells whether it was touched again since it was read."""

    source_id: str
    what: str
    day: date
    number: int


def touch(
    database: Database,
    connection: Connection,
    source_id: str,
    changed: Iterable[tuple[str, datetime | None]],
) -> None:
    """Note the days of (what, moment) pairs; moments that are not known are passed over."""
    days = sorted({(what, at.astimezone(UTC).date()) for what, at in changed if at is not None})
    if not days:
        return
    table = schema.kpi_touch
    insert = database.insert(table)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["source_id", "what", "day"],
            set_={"number": table.c.number + 1},
        ),
        [{"source_id": source_id, "what": what, "day": day, "number": 1} for what, day in days],
    )


def read_touches(database: Database) -> list[Touch]:
    """All noted days."""
    table = schema.kpi_touch
    with database.reading() as connection:
        return [Touch(*row) for row in connection.execute(select(table))]


def forget_touches(database: Database, done: Sequence[Touch]) -> None:
    """Forget those that were not touched again since they were read."""
    if not done:
        return
    table = schema.kpi_touch
    names = ("source_id", "what", "day", "number")
    statement = delete(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in names))
    with database.writing() as connection:
        connection.execute(
            statement,
            [{f"of_{name}": getattr(each, name) for name in names} for each in done],
        )
