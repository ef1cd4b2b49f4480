"""Since when, and until when, all records of a source are known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection, Table, func, select

from lawang.domain.health import state_from_plain
from lawang.kpi.cells import ONE_DAY, Days, day_of
from lawang.store import schema


def known_days(
    connection: Connection, table: Table, sources: Iterable[str], days: Days
) -> tuple[date, date] | None:
    """First and last of `days` of which every record is known; None where there is no such day.

    A source's records are known from the day of its oldest one to the last day after whose end it
    was heard. Of several sources all must be, but for those never heard of at all.
    """
    first: date | None = None
    last = days.last
    for source_id in sources:
        oldest = connection.execute(
            select(func.min(table.c.requested_at)).where(table.c.source_id == source_id)
        ).scalar()
        if oldest is None:
            continue
        heard = _last_heard(connection, table, source_id)
        if heard is None:
            return None
        begun = day_of(oldest, days.zone)
        first = begun if first is None else max(first, begun)
        last = min(last, day_of(heard, days.zone) - ONE_DAY)
    if first is None or max(first, days.first) > last:
        return None
    return max(first, days.first), last


def _last_heard(connection: Connection, table: Table, source_id: str) -> datetime | None:
    """When the source answered last: by its own state, or by its newest record."""
    plain = connection.execute(
        select(schema.source_state.c.state).where(schema.source_state.c.source_id == source_id)
    ).scalar()
    stated = state_from_plain(plain).last_success if plain else None
    newest = connection.execute(
        select(func.max(table.c.fetched_at)).where(table.c.source_id == source_id)
    ).scalar()
    return max((at for at in (stated, newest) if at is not None), default=None)
