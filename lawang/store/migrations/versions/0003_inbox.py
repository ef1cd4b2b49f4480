"""What departments push, until it is taken.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant, RowId

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("number", RowId, primary_key=True, autoincrement=True),
        sa.Column("source_id", sa.String(60), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("body", sa.LargeBinary, comment="null once it was taken and a day has gone by"),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.UniqueConstraint("source_id", "key", name="uq_inbox_source_id"),
        comment="What was pushed: verified, without personal data, taken by number",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_waiting", "inbox", ["source_id", "number"])
    op.create_table(
        "inbox_heard",
        sa.Column("source_id", sa.String(60), primary_key=True),
        sa.Column("heard_at", Instant, nullable=False),
        comment="When each pushing source was heard last, heartbeats included",
    )


def downgrade() -> None:
    op.drop_table("inbox_heard")
    op.drop_table("inbox")
