"""Readings, positions, alerts, service requests, findings, and the quality of each source.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant, Json, RowId

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "series",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("measure", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False, comment="empty: the whole city"),
        sa.Column("subject_name", sa.Text),
        sa.Column("kecamatan", sa.String(20)),
        sa.Column("kelurahan", sa.String(20)),
        sa.Column("placed_by", sa.String(20), nullable=False),
        sa.Column("location_problem", sa.String(20), nullable=False),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("last_at", Instant, comment="of the newest reading that is not held back"),
        sa.Column("last_value", sa.Float),
        sa.Column("last_observed_at", Instant),
        sa.Column("last_estimated", sa.Boolean),
        sa.Column("last_fetched_at", Instant),
        sa.Column(
            "recent", Json, nullable=False, comment="[at, value] accepted lately, oldest first"
        ),
        sa.UniqueConstraint("source_id", "measure", "subject", name="uq_series_source_id"),
        comment="One measure of one source at one subject, with its newest reading",
    )
    op.create_table(
        "reading",
        sa.Column("series_id", RowId, primary_key=True, autoincrement=False),
        sa.Column(
            "at", Instant, primary_key=True, comment="the moment, or the start of the period"
        ),
        sa.Column("value", sa.Float, nullable=False, comment="in the base unit of the measure"),
        sa.Column("observed_at", Instant, nullable=False),
        sa.Column("observed_estimated", sa.Boolean, nullable=False),
        sa.Column("fetched_at", Instant, nullable=False),
        sa.Column("held", sa.String(30), nullable=False, comment="kind of the finding, or empty"),
        sa.Column("delivery", sa.String(200), comment="the file or batch that brought it"),
        comment="Values over time; a held one counts nowhere until a person accepts it",
    )
    op.create_table(
        "reading_correction",
        sa.Column("seq", RowId, primary_key=True, autoincrement=True),
        sa.Column("series_id", RowId, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("before", sa.Float, nullable=False),
        sa.Column("after", sa.Float, comment="null: withdrawn by a later delivery"),
        sa.Column("delivery", sa.String(200)),
        sa.Column("corrected_at", Instant, nullable=False),
        comment="Append-only: what a reading was before its source said otherwise",
    )
    op.create_table(
        "position",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("external_id", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("latitude", sa.Float),
        sa.Column("longitude", sa.Float),
        sa.Column("heading", sa.Float),
        sa.Column("speed_kmh", sa.Float),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("status_raw", sa.Text),
        sa.Column("link", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("kecamatan", sa.String(20)),
        sa.Column("kelurahan", sa.String(20)),
        sa.Column("placed_by", sa.String(20), nullable=False),
        sa.Column("location_problem", sa.String(20), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("observed_at", Instant, nullable=False),
        sa.Column("observed_estimated", sa.Boolean, nullable=False),
        sa.Column("fetched_at", Instant, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        comment="The last known position of each thing",
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.String(300), primary_key=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("external_id", sa.String(220), nullable=False),
        sa.Column("message_type", sa.String(20), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("urgency", sa.String(60)),
        sa.Column("certainty", sa.String(60)),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("instruction", sa.Text, nullable=False),
        sa.Column("sender", sa.Text),
        sa.Column("areas", Json, nullable=False),
        sa.Column("areas_not_found", Json, nullable=False),
        sa.Column("regions", Json, nullable=False),
        sa.Column("touches_city", sa.Boolean, nullable=False),
        sa.Column("geometry", Json),
        sa.Column("references", Json, nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("link", sa.Text),
        sa.Column("sent_at", Instant, nullable=False),
        sa.Column("effective_at", Instant),
        sa.Column("onset_at", Instant),
        sa.Column("expires_at", Instant),
        sa.Column("observed_at", Instant, nullable=False),
        sa.Column("fetched_at", Instant, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("ended_at", Instant, comment="when a later message updated or cancelled it"),
        sa.Column("ended_by", sa.String(220)),
        comment="Messages of warning as they came, and what ended them",
    )
    op.create_table(
        "service_request",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("external_id", sa.String(120), nullable=False),
        sa.Column("service", sa.String(60), nullable=False),
        sa.Column("service_raw", sa.Text),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("status_raw", sa.Text),
        sa.Column("stage", sa.Text),
        sa.Column("office", sa.Text),
        sa.Column("kecamatan", sa.String(20)),
        sa.Column("kelurahan", sa.String(20)),
        sa.Column("placed_by", sa.String(20), nullable=False),
        sa.Column("location_problem", sa.String(20), nullable=False),
        sa.Column("requested_at", Instant, nullable=False),
        sa.Column("due_at", Instant),
        sa.Column("closed_at", Instant),
        sa.Column("observed_at", Instant, nullable=False),
        sa.Column("observed_estimated", sa.Boolean, nullable=False),
        sa.Column("fetched_at", Instant, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        comment="Letters, licences and cards that were asked for",
    )
    op.create_table(
        "finding",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("measure", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("sample", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False, comment="records held back, or times seen"),
        sa.Column("at", Instant, comment="what the newest of them is about"),
        sa.Column("value", sa.Float),
        sa.Column("usual", sa.Float, comment="what the series usually holds"),
        sa.Column("first_seen", Instant, nullable=False),
        sa.Column("last_seen", Instant, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("decided_at", Instant),
        sa.Column("decided_by", sa.String(120)),
        sa.Column("note", sa.Text),
        comment="What looks wrong in a source's data, and what a person decided about it",
    )
    op.create_table(
        "source_tally",
        sa.Column("source_id", sa.String(60), primary_key=True),
        sa.Column("bucket", Instant, primary_key=True, comment="the start of a quarter of an hour"),
        sa.Column("polls", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("unusable", sa.Integer, nullable=False, comment="rejected or held back"),
        sa.Column(
            "unknown",
            sa.Integer,
            nullable=False,
            comment="without a known region, category, status",
        ),
        sa.Column("repeated", sa.Integer, nullable=False),
        sa.Column("filled", sa.Integer, nullable=False),
        sa.Column("fillable", sa.Integer, nullable=False),
        comment="What the polls of each quarter of an hour brought, for quality and heartbeat bars",
    )
    op.create_table(
        "source_sample",
        sa.Column("source_id", sa.String(60), primary_key=True),
        sa.Column("taken_at", Instant, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column(
            "body", sa.Text, nullable=False, comment="shortened; personal data dropped or masked"
        ),
        sa.Column("shape", Json, nullable=False),
        sa.Column(
            "learned", sa.Integer, nullable=False, comment="answers that the shape was learned from"
        ),
        comment="The last raw answer of each source, masked, and the shape its records have",
    )
    op.create_index("ix_series_measure", "series", ["measure", "kecamatan"])
    op.create_index(
        "ix_reading_delivery",
        "reading",
        ["delivery", "series_id"],
        sqlite_where=sa.text("delivery IS NOT NULL"),
        postgresql_where=sa.text("delivery IS NOT NULL"),
    )
    op.create_index(
        "ix_reading_held",
        "reading",
        ["series_id", "held"],
        sqlite_where=sa.text("held <> ''"),
        postgresql_where=sa.text("held <> ''"),
    )
    op.create_index("ix_reading_correction_series_id", "reading_correction", ["series_id", "at"])
    op.create_index("ix_position_source_id", "position", ["source_id"])
    op.create_index("ix_alert_source_id", "alert", ["source_id", "sent_at"])
    op.create_index("ix_alert_sent_at", "alert", ["sent_at"])
    op.create_index("ix_service_request_requested_at", "service_request", ["requested_at", "id"])
    op.create_index("ix_service_request_source_id", "service_request", ["source_id", "closed_at"])
    op.create_index(
        "ix_finding_open",
        "finding",
        ["source_id", "kind", "measure", "subject"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_finding_last_seen", "finding", ["last_seen"])


def downgrade() -> None:
    for table in (
        "source_sample",
        "source_tally",
        "finding",
        "service_request",
        "alert",
        "position",
        "reading_correction",
        "reading",
        "series",
    ):
        op.drop_table(table)
