"""Screens: heartbeats, commands and keys; the city's status and its log.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant, Json, RowId

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "screen_beat",
        sa.Column("screen_id", sa.String(60), primary_key=True),
        sa.Column("build", sa.String(80), nullable=False),
        sa.Column("scene", sa.String(60), nullable=False),
        sa.Column("seen_at", Instant, nullable=False, comment="by the server's clock"),
        sa.Column("oldest_panel_s", sa.Float, comment="age of the oldest panel it shows"),
        sa.Column("fps", sa.Float),
        sa.Column("heap_bytes", sa.BigInteger),
        sa.Column("errors", sa.Integer, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("skew_s", sa.Float, comment="how far its own clock is ahead"),
        sa.Column("sound_armed", sa.Boolean),
        comment="The last heartbeat of each screen",
    )
    op.create_table(
        "screen_command",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("screen_id", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False, comment="nobody takes it any more"),
        sa.Column("scene", sa.String(60), nullable=False),
        sa.Column("filters", Json, nullable=False),
        sa.Column("until", Instant, comment="the end of what lasts: a scene by hand, silence"),
        sa.Column("taken_at", Instant),
        comment="What screens were told to do, by whom, each taken once",
    )
    op.create_index("ix_screen_command_screen_id", "screen_command", ["screen_id", "id"])
    op.create_table(
        "screen_token",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("screen_id", sa.String(60), comment="null: it opens every screen"),
        sa.Column(
            "digest",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the key; the key is not kept",
        ),
        sa.Column("made_by", sa.String(120), nullable=False),
        sa.Column("made_at", Instant, nullable=False),
        sa.Column("revoked_at", Instant),
        sa.Column("last_used", Instant),
        sa.UniqueConstraint("digest", name="uq_screen_token_digest"),
        comment="Keys with which screens read, and nothing else",
    )
    op.create_table(
        "city_status",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, comment="always 1"),
        sa.Column("number", sa.Integer, nullable=False, comment="grows with every write"),
        sa.Column("level", sa.Integer, comment="by the rules"),
        sa.Column("since", Instant),
        sa.Column("lower_since", Instant, comment="since when less was called for"),
        sa.Column("lower_most", sa.Integer, nullable=False, comment="the most called for since"),
        sa.Column("override", Json, comment="what a person set"),
        comment="The city's status: how far the rules are, and a person's word",
    )
    op.create_table(
        "city_status_log",
        sa.Column("id", RowId, primary_key=True, autoincrement=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("before", sa.Integer),
        sa.Column("by", sa.String(120), nullable=False, comment="empty: the rules"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", Instant),
        comment="Every change of the city's status",
    )


def downgrade() -> None:
    for table in (
        "city_status_log", "city_status", "screen_token", "screen_command", "screen_beat"
    ):  # fmt: skip
        op.drop_table(table)
