"""Daily facts of indicators, and which days have to be worked out again.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "kpi_day",
        sa.Column("kpi", sa.String(60), primary_key=True),
        sa.Column(
            "region", sa.String(20), primary_key=True, comment="empty: the city; else a kecamatan"
        ),
        sa.Column("day", sa.Date, primary_key=True, comment="a local day of the city"),
        sa.Column("num", sa.Float, nullable=False),
        sa.Column("den", sa.Float, nullable=False),
        sa.Column("n", sa.Integer, nullable=False, comment="records behind it"),
        sa.Column(
            "observed_at", Instant, nullable=False, comment="the newest moment it is true of"
        ),
        comment="What each local day adds to each indicator; made from the records",
    )
    op.create_table(
        "kpi_state",
        sa.Column("kpi", sa.String(60), primary_key=True),
        sa.Column(
            "digest", sa.String(64), nullable=False, comment="of the formula its days were made by"
        ),
        sa.Column("through", sa.Date, comment="the last day that is final but for corrections"),
        sa.Column("computed_at", Instant, nullable=False),
        comment="How far each indicator is worked out, and by which formula",
    )
    op.create_table(
        "kpi_touch",
        sa.Column("source_id", sa.String(60), primary_key=True),
        sa.Column(
            "what", sa.String(60), primary_key=True, comment="a measure, @incident or @request"
        ),
        sa.Column("day", sa.Date, primary_key=True, comment="in UTC"),
        sa.Column("number", sa.Integer, nullable=False, comment="grows with every touch"),
        comment="Days whose records changed since the indicators were worked out",
    )


def downgrade() -> None:
    op.drop_table("kpi_touch")
    op.drop_table("kpi_state")
    op.drop_table("kpi_day")
