"""What became of incidents and requests: how many closed, by their due time, and how many wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from lawang.store import schema
from lawang.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCount:
    """Open records of one source and, as it says, one agency: all, and those past their due time.

    `oldest` is when the first of the late ones was due, None without any.
    """

    source_id: str
    agency: str | None
    open: int
    past_due: int
    oldest: datetime | None


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

    def open_incidents(self, now: datetime) -> list[OpenCount]:
        """Incidents that somebody still has to act on, by source and agency."""
        table = schema.incident
        late = table.c.due_at < now
        wanted = (
            select(
                table.c.source_id,
                table.c.agency,
                func.count().label("open"),
                func.count().filter(late).label("past_due"),
                func.min(table.c.due_at).filter(late).label("oldest"),
            )
            .where(table.c.closed_at.is_(None))
            .group_by(table.c.source_id, table.c.agency)
        )
        with self._database.reading() as connection:
            return [OpenCount(**row._mapping) for row in connection.execute(wanted)]

    def open_requests(self, now: datetime, sources: Sequence[str]) -> list[OpenCount]:
        """Requests of some sources that an office still owes an outcome, by source."""
        table = schema.service_request
        late = table.c.due_at < now
        wanted = (
            select(
                table.c.source_id,
                func.count().label("open"),
                func.count().filter(late).label("past_due"),
                func.min(table.c.due_at).filter(late).label("oldest"),
            )
            # As the partial index says it, so that the database sees that the index is enough.
            .where(table.c.source_id.in_(sources), schema.OPEN_REQUEST)
            .group_by(table.c.source_id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [OpenCount(agency=None, **row._mapping) for row in rows]
