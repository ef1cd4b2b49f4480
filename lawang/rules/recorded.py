"""A recording made from history: readings, reports, warnings and outages between two times.

Everything arrives there at the moment it was true (a report when it was made), which may be before
the command centre had it; readings at the next full ten seconds, which is about how often rules are
evaluated. Reports of the weeks before are known from the start, for surges. Of walls history keeps
the last heartbeat only, so rules about them find nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from lawang.city import City
from lawang.domain.rule import CapWarning, Rule, Surge
from lawang.rules.facts import looks_back
from lawang.rules.replay import Entry, Recording
from lawang.store import schema
from lawang.store.history import History


def record(
    city: City, history: History, rules: Sequence[Rule], since: datetime, until: datetime
) -> Recording:
    """What the rules need of history from `since` to `until`. Raises StoreError."""
    entries = [Entry(since, "begin", True), Entry(until, "tick", True)]
    with history.database.reading() as connection:
        back = max((looks_back(rule) for rule in rules), default=timedelta(0))
        entries += _readings(connection, rules, since - back, until)
        entries += _incidents(connection, rules, since, until)
        if any(isinstance(rule.condition, CapWarning) for rule in rules):
            entries += _warnings(connection, since, until)
        entries += _outages(connection, city, since, until)
    entries.sort(key=lambda each: each.at)
    return Recording(entries, tuple(rule.id for rule in rules))


def _readings(
    connection: Connection, rules: Sequence[Rule], since: datetime, until: datetime
) -> list[Entry]:
    wanted = {(rule.series.source, rule.series.measure) for rule in rules if rule.series}
    if not wanted:
        return []
    table, about = schema.reading, schema.series
    rows = connection.execute(
        select(table.c.value, table.c.at, table.c.observed_at, about)
        .join(about, about.c.id == table.c.series_id)
        .where(
            or_(*(and_(about.c.source_id == s, about.c.measure == m) for s, m in wanted)),
            table.c.held == "",
            table.c.observed_at >= since,
            table.c.observed_at < until,
        )
    )
    return [
        Entry(
            _next_look(row.observed_at),
            "reading",
            {
                "about": row.observed_at.isoformat(),
                "source": row.source_id,
                "measure": row.measure,
                "subject": row.subject,
                "name": row.subject_name,
                "kecamatan": row.kecamatan,
                "value": row.value,
                "simulated": row.simulated,
            },
        )
        for row in rows
    ]


def _next_look(at: datetime) -> datetime:
    late = timedelta(seconds=at.second % 10, microseconds=at.microsecond)
    return at if not late else at - late + timedelta(seconds=10)


def _incidents(
    connection: Connection, rules: Sequence[Rule], since: datetime, until: datetime
) -> list[Entry]:
    surges = [rule.condition for rule in rules if isinstance(rule.condition, Surge)]
    if not surges:
        return []
    first = since - timedelta(weeks=max(each.weeks for each in surges) + 1)
    table = schema.incident
    sources = {source for each in surges for source in each.sources}
    rows = connection.execute(
        select(table.c.source_id, table.c.category, table.c.kecamatan, table.c.requested_at).where(
            table.c.source_id.in_(sources),
            table.c.requested_at >= first,
            table.c.requested_at < until,
        )
    )
    return [
        Entry(
            row.requested_at,
            "incident",
            {"source": row.source_id, "category": row.category, "kecamatan": row.kecamatan},
        )
        for row in rows
    ]


def _warnings(connection: Connection, since: datetime, until: datetime) -> list[Entry]:
    table = schema.alert
    rows = connection.execute(
        select(table).where(
            table.c.message_type != "cancel",
            table.c.sent_at < until,
            or_(table.c.ended_at.is_(None), table.c.ended_at >= since),
            or_(table.c.expires_at.is_(None), table.c.expires_at >= since),
        )
    )
    found: list[Entry] = []
    for row in rows:
        ends = min((at for at in (row.expires_at, row.ended_at) if at is not None), default=None)
        content: dict[str, Any] = {
            "source": row.source_id,
            "id": row.id,
            "severity": row.severity,
            "headline": row.headline or row.event,
            "regions": row.regions,
            "touches_city": row.touches_city,
            "simulated": row.simulated,
        }
        if ends is not None:
            content["expires_at"] = ends.isoformat()
        found.append(Entry(row.sent_at, "warning", content))
    return found


def _outages(connection: Connection, city: City, since: datetime, until: datetime) -> list[Entry]:
    table = schema.source_outage
    rows = connection.execute(
        select(table).where(
            table.c.began_at < until,
            or_(table.c.ended_at.is_(None), table.c.ended_at >= since),
        )
    )
    found: list[Entry] = []
    for row in rows:
        if row.source_id not in city.sources:
            continue
        found.append(Entry(row.began_at, "silent", row.source_id))
        if row.ended_at is not None and row.ended_at < until:
            found.append(Entry(row.ended_at, "heard", row.source_id))
    return found
