"""How often the daily facts of each indicator have changed, so that readers keep what they read.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "kpi_revision",
        sa.Column("kpi", sa.String(60), primary_key=True),
        sa.Column(
            "number", sa.BigInteger, nullable=False, comment="grows with every change of its days"
        ),
        comment="How often the daily facts of each indicator have changed",
    )


def downgrade() -> None:
    op.drop_table("kpi_revision")
