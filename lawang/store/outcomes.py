"""What became of incidents and requests: how many closed, and how many by their due time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from lawang.store import schema
from lawang.store.database import Database


class OutcomeStore:
    """Counts outcomes by source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def closed_since(self, since: datetime) -> dict[str, tuple[int, int]]:
        """By source: what had a due time and closed at or after `since`, and by then of these.

        Those without a due time cannot be judged and are in neither.
        """
        found: dict[str, tuple[int, int]] = {}
        with self._database.reading() as connection:
            for table in (schema.incident, schema.service_request):
                rows = connection.execute(
                    select(
                        table.c.source_id,
                        func.count(),
                        func.count().filter(table.c.closed_at <= table.c.due_at),
                    )
                    .where(table.c.closed_at >= since, table.c.due_at.is_not(None))
                    .group_by(table.c.source_id)
                )
                for source_id, closed, in_time in rows:
                    before = found.get(source_id, (0, 0))
                    found[source_id] = (before[0] + int(closed), before[1] + int(in_time))
        return found
