"""What each source's polls brought, by the quarter of an hour, and its last sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from sqlalchemy import delete, func, select

from lawang.domain.drift import Shape
from lawang.domain.quality import Tally
from lawang.store import schema
from lawang.store.database import Database

_COUNTS = tuple(each.name for each in fields(Tally))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The last raw answer of a source that was kept: shortened, and without personal data."""

    source_id: str
    taken_at: datetime
    content_type: str
    body: str
    shape: Shape
    learned: int


class QualityStore:
    """Adds and reads tallies and samples."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, source_id: str, tallies: dict[datetime, Tally]) -> None:
        """Add what was counted to each bucket."""
        self.add_all({source_id: tallies})

    def add_all(self, counted: Mapping[str, Mapping[datetime, Tally]]) -> None:
        """Add what was counted of several sources, by source and bucket; all of it or nothing."""
        rows = [
            {"source_id": source_id, "bucket": bucket, **asdict(tally)}
            for source_id, tallies in counted.items()
            for bucket, tally in tallies.items()
            if not tally.is_empty
        ]
        if not rows:
            return
        table = schema.source_tally
        insert = self._database.insert(table)
        statement = insert.on_conflict_do_update(
            index_elements=["source_id", "bucket"],
            set_={name: table.c[name] + insert.excluded[name] for name in _COUNTS},
        )
        with self._database.writing() as connection:
            connection.execute(statement, rows)

    def tallies(self, source_id: str, since: datetime) -> dict[datetime, Tally]:
        """The buckets of a source since a moment, oldest first; empty ones are left out."""
        table = schema.source_tally
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.source_id == source_id, table.c.bucket >= since)
                .order_by(table.c.bucket)
            ).all()
        return {row.bucket: Tally(**{name: getattr(row, name) for name in _COUNTS}) for row in rows}

    def totals(self, since: datetime) -> dict[str, tuple[datetime, Tally]]:
        """Each source's first bucket since a moment, and all since then in one."""
        table = schema.source_tally
        sums = [func.sum(table.c[name]).label(name) for name in _COUNTS]
        with self._database.reading() as connection:
            rows = connection.execute(
                select(table.c.source_id, func.min(table.c.bucket).label("first"), *sums)
                .where(table.c.bucket >= since)
                .group_by(table.c.source_id)
            ).all()
        return {
            row.source_id: (
                row.first,
                Tally(**{name: int(getattr(row, name)) for name in _COUNTS}),
            )
            for row in rows
        }

    def buckets(self, since: datetime) -> dict[str, dict[datetime, Tally]]:
        """The buckets of every source since a moment; sources without any are left out."""
        table = schema.source_tally
        found: dict[str, dict[datetime, Tally]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(select(table).where(table.c.bucket >= since)):
                tally = Tally(**{name: getattr(row, name) for name in _COUNTS})
                found.setdefault(row.source_id, {})[row.bucket] = tally
        return found

    def prune(self, before: datetime) -> None:
        """Drop buckets older than anybody asks for."""
        table = schema.source_tally
        with self._database.writing() as connection:
            connection.execute(delete(table).where(table.c.bucket < before))

    def sample(self, source_id: str) -> Sample | None:
        """The sample kept of a source."""
        table = schema.source_sample
        with self._database.reading() as connection:
            row = connection.execute(select(table).where(table.c.source_id == source_id)).first()
        if row is None:
            return None
        values = dict(row._mapping)
        values["shape"] = _shape(values["shape"])
        return Sample(**values)

    def keep_sample(self, sample: Sample) -> None:
        """Replace the sample of a source."""
        row = asdict(sample)
        row["shape"] = {path: list(kinds) for path, kinds in sample.shape.items()}
        with self._database.writing() as connection:
            self._database.upsert(connection, schema.source_sample, [row])


def _shape(stored: dict[str, Sequence[str]]) -> Shape:
    return {path: tuple(kinds) for path, kinds in stored.items()}
