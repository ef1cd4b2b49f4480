"""Alarms of the city's own rules, their log, and how what they watch stands.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant, RowId

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column(
            "key", sa.String(330), nullable=False, comment="what the rule watches; empty: the city"
        ),
        sa.Column(
            "region", sa.String(20), nullable=False, comment="empty: the city; else a kecamatan"
        ),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("subject_name", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("severity", sa.String(20), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("observed_at", Instant, comment="when the value was true"),
        sa.Column("why", sa.String(30), nullable=False, comment="of an unknown one, the reason"),
        sa.Column(
            "mark", sa.String(80), nullable=False, comment="another one whenever its facts are"
        ),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("began_at", Instant, nullable=False, comment="when the condition began to hold"),
        sa.Column("active_at", Instant, nullable=False, comment="when it was raised"),
        sa.Column("ended_at", Instant, comment="null while open"),
        sa.Column("acked_at", Instant),
        sa.Column("acked_by", sa.String(120)),
        sa.Column("shelved_until", Instant),
        sa.Column("shelved_by", sa.String(120)),
        sa.Column("shelved_reason", sa.Text),
        sa.Column("version", sa.Integer, nullable=False, comment="grows with each change"),
        comment="Alarms of the city's own rules, from raising to end",
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_alarm_open",
        "alarm",
        ["rule", "key"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_alarm_active_at", "alarm", ["active_at", "id"])
    op.create_index("ix_alarm_ended_at", "alarm", ["ended_at"])
    op.create_table(
        "alarm_event",
        sa.Column("seq", RowId, primary_key=True, autoincrement=True),
        sa.Column("alarm_id", RowId, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("by", sa.String(120), nullable=False, comment="empty: the rule itself"),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("value", sa.Float),
        comment="Append-only: what happened to each alarm, and who did it",
    )
    op.create_index("ix_alarm_event_alarm_id", "alarm_event", ["alarm_id", "seq"])
    op.create_table(
        "alarm_watch",
        sa.Column("rule", sa.String(60), primary_key=True),
        sa.Column("key", sa.String(330), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("since", Instant, nullable=False),
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("began_at", Instant),
        sa.Column("raised_at", Instant, comment="of the open alarm"),
        sa.Column(
            "quieted",
            sa.String(80),
            nullable=False,
            comment="the mark at which a person resolved it",
        ),
        sa.Column("why", sa.String(30), nullable=False),
        comment="What rules watch that is not simply normal; evaluation goes on from here",
    )


def downgrade() -> None:
    op.drop_table("alarm_watch")
    op.drop_table("alarm_event")
    op.drop_table("alarm")
