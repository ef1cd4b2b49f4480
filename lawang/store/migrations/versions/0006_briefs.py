"""Morning briefs, and to whom they are to be sent.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant, Json

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "brief",
        sa.Column("day", sa.Date, primary_key=True, comment="the local day it was made for"),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column(
            "edition", sa.Integer, primary_key=True, comment="from 1; making it again adds one"
        ),
        sa.Column("made_at", Instant, nullable=False, comment="what it is as of"),
        sa.Column("last", sa.Date, nullable=False, comment="the local day it tells of"),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("notes", Json, nullable=False),
        sa.Column("paragraphs", Json, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("pdf_size", sa.Integer, nullable=False),
        sa.Column("pdf_digest", sa.String(64), nullable=False),
        sa.Column("xlsx_size", sa.Integer, nullable=False),
        sa.Column("xlsx_digest", sa.String(64), nullable=False),
        sa.Column("pdf", sa.LargeBinary, nullable=False),
        sa.Column("xlsx", sa.LargeBinary, nullable=False),
        comment="Morning briefs as they were made; never changed",
    )
    op.create_table(
        "brief_mail",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("edition", sa.Integer, primary_key=True),
        sa.Column("recipient", sa.String(254), primary_key=True),
        sa.Column("message_id", sa.String(250), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried_at", Instant),
        sa.Column("next_at", Instant, nullable=False, comment="not before then"),
        sa.Column("error", sa.Text, nullable=False, comment="what went wrong last; no secret"),
        comment="To whom each brief is to be sent, and how far that is",
    )
    op.create_index("ix_brief_mail_next_at", "brief_mail", ["state", "next_at"])


def downgrade() -> None:
    op.drop_table("brief_mail")
    op.drop_table("brief")
