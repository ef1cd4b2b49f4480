"""The tables of history, as SQLAlchemy Core sees them. Migrations make them; a test compares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC. SQLite keeps no zone, so it is taken off and put back here.

    For SQLite the text that SQLAlchemy would write is made by the interpreter's own fast routines:
    a row has five instants, and formatting them was a tenth of the cost of a large import.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _to_sqlite if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any] | None:
        if dialect.name == "sqlite":
            return _from_sqlite
        return super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("history takes aware instants only")
    return value.astimezone(UTC)


def _to_sqlite(value: datetime | None) -> str | None:
    # The last six characters are the zone, which is +00:00.
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:-6]


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
#: SQLite numbers rows by itself only in a column of the type INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")

incident = Table(
    "incident",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("source_id", String(60), nullable=False),
    Column("external_id", String(120), nullable=False),
    Column("category", String(60), nullable=False),
    Column("category_raw", Text),
    Column("status", String(30), nullable=False),
    Column("status_raw", Text),
    Column("status_note", Text),
    Column("description", Text, nullable=False),
    Column("address", Text),
    Column("agency", Text),
    Column("media_url", Text),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("kecamatan", String(20)),
    Column("kelurahan", String(20)),
    Column("placed_by", String(20), nullable=False),
    Column("location_problem", String(20), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("closed_at", Instant, comment="null while open"),
    Column("observed_at", Instant, nullable=False),
    Column("observed_estimated", Boolean, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("reopened", Integer, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("version", Integer, nullable=False, comment="how many events led to this state"),
    comment="Current state, derived from incident_event; can be rebuilt from it",
)
Index("ix_incident_requested_at", incident.c.requested_at, incident.c.id)
Index("ix_incident_closed_at", incident.c.closed_at)
Index(
    "ix_incident_open",
    incident.c.kecamatan,
    sqlite_where=text("closed_at IS NULL"),
    postgresql_where=text("closed_at IS NULL"),
)

incident_event = Table(
    "incident_event",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=True),
    Column("incident_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", Instant, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("open_delta", Integer, nullable=False),
    Column("status", String(30), comment="the status it led to, where it changed"),
    Column("changes", Json, nullable=False),
    # Two writers that read the same state cannot both append to it.
    UniqueConstraint("incident_id", "version", name="uq_incident_event_incident_id"),
    comment="Append-only: what happened to each incident",
)
Index("ix_incident_event_at", incident_event.c.at)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("source_id", String(60), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("external_id", Text),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("sample", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    UniqueConstraint("source_id", "digest", name="uq_quarantine_source_id"),
    comment="Records that could not be used, once each, with the reason",
)

source_state = Table(
    "source_state",
    metadata,
    Column("source_id", String(60), primary_key=True),
    Column("fence", BigInteger, nullable=False, comment="number of the clock that wrote last"),
    Column("watermark", Instant),
    Column("validators", Json, nullable=False),
    Column("state", Json, nullable=False),
    Column("updated_at", Instant, nullable=False),
    comment="Where each source's polling stands; moves only with the records it stands for",
)

source_outage = Table(
    "source_outage",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("source_id", String(60), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("error_kind", String(40), nullable=False),
    Column("error_detail", Text, nullable=False),
    comment="From the first failed poll to the next successful one",
)
Index("ix_source_outage_source_id", source_outage.c.source_id, source_outage.c.began_at)
#: Two pollers that hand over to each other cannot both begin an outage.
RUNNING = text("ended_at IS NULL")
Index(
    "ix_source_outage_running",
    source_outage.c.source_id,
    unique=True,
    sqlite_where=RUNNING,
    postgresql_where=RUNNING,
)
