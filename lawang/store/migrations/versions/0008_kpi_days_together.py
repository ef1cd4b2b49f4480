"""SQLite keeps the days of each indicator and region together, in the order of their key.

A table with a rowid lies in the order in which days were written: the year of one indicator is then
spread over as many pages as it has days. PostgreSQL has no such table and is left as it is.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    _write_anew(with_rowid=False)


def downgrade() -> None:
    _write_anew(with_rowid=True)


def _write_anew(*, with_rowid: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.create_table(
        "kpi_day_new",
        sa.Column("kpi", sa.String(60), nullable=False),
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("num", sa.Float, nullable=False),
        sa.Column("den", sa.Float, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("observed_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("kpi", "region", "day", name="pk_kpi_day"),
        sqlite_with_rowid=with_rowid,
    )
    op.execute(
        "INSERT INTO kpi_day_new (kpi, region, day, num, den, n, observed_at)"
        " SELECT kpi, region, day, num, den, n, observed_at FROM kpi_day ORDER BY kpi, region, day"
    )
    op.drop_table("kpi_day")
    op.rename_table("kpi_day_new", "kpi_day")
