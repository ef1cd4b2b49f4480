"""Incidents with their event log, quarantine, and where each source stands.

Revision ID: 0001
Revises: none
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant, Json, RowId

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("external_id", sa.String(120), nullable=False),
        sa.Column("category", sa.String(60), nullable=False),
        sa.Column("category_raw", sa.Text),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("status_raw", sa.Text),
        sa.Column("status_note", sa.Text),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("agency", sa.Text),
        sa.Column("media_url", sa.Text),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("kecamatan", sa.String(20)),
        sa.Column("kelurahan", sa.String(20)),
        sa.Column("placed_by", sa.String(20), nullable=False),
        sa.Column("location_problem", sa.String(20), nullable=False),
        sa.Column("requested_at", Instant, nullable=False),
        sa.Column("due_at", Instant),
        sa.Column("closed_at", Instant, comment="null while open"),
        sa.Column("observed_at", Instant, nullable=False),
        sa.Column("observed_estimated", sa.Boolean, nullable=False),
        sa.Column("fetched_at", Instant, nullable=False),
        sa.Column("reopened", sa.Integer, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column(
            "version", sa.Integer, nullable=False, comment="how many events led to this state"
        ),
        comment="Current state, derived from incident_event; can be rebuilt from it",
    )
    op.create_index("ix_incident_requested_at", "incident", ["requested_at", "id"])
    op.create_index("ix_incident_closed_at", "incident", ["closed_at"])
    op.create_index(
        "ix_incident_open",
        "incident",
        ["kecamatan"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "incident_event",
        sa.Column("seq", RowId, primary_key=True, autoincrement=True),
        sa.Column("incident_id", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("fetched_at", Instant, nullable=False),
        sa.Column("open_delta", sa.Integer, nullable=False),
        sa.Column("status", sa.String(30), comment="the status it led to, where it changed"),
        sa.Column("changes", Json, nullable=False),
        sa.UniqueConstraint("incident_id", "version", name="uq_incident_event_incident_id"),
        comment="Append-only: what happened to each incident",
    )
    op.create_index("ix_incident_event_at", "incident_event", ["at"])
    op.create_table(
        "quarantine",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("sample", sa.Text, nullable=False),
        sa.Column("first_seen", Instant, nullable=False),
        sa.Column("last_seen", Instant, nullable=False),
        sa.UniqueConstraint("source_id", "digest", name="uq_quarantine_source_id"),
        comment="Records that could not be used, once each, with the reason",
    )
    op.create_table(
        "source_state",
        sa.Column("source_id", sa.String(60), primary_key=True),
        sa.Column(
            "fence", sa.BigInteger, nullable=False, comment="number of the clock that wrote last"
        ),
        sa.Column("watermark", Instant),
        sa.Column("validators", Json, nullable=False),
        sa.Column("state", Json, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        comment="Where each source's polling stands; moves only with the records it stands for",
    )
    op.create_table(
        "source_outage",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("began_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("error_kind", sa.String(40), nullable=False),
        sa.Column("error_detail", sa.Text, nullable=False),
        comment="From the first failed poll to the next successful one",
    )
    op.create_index("ix_source_outage_source_id", "source_outage", ["source_id", "began_at"])
    op.create_index(
        "ix_source_outage_running",
        "source_outage",
        ["source_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("source_outage", "source_state", "quarantine", "incident_event", "incident"):
        op.drop_table(table)
