"""When the closing of an incident was verified; an index for the requests that are still open.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lawang.store.schema import Instant

revision = "0005"
down_revision = "0004"

_INDEX = "ix_service_request_open"
_OPEN = sa.text("status NOT IN ('selesai', 'ditolak', 'dibatalkan')")


def upgrade() -> None:
    # Without a batch: SQLite adds a nullable column in place, a batch would copy the table.
    op.add_column(
        "incident",
        sa.Column("verified_at", Instant, comment="when another than who closed it confirmed that"),
    )
    op.create_index(
        _INDEX,
        "service_request",
        ["source_id", "status", "due_at", "requested_at"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="service_request")
    op.drop_column("incident", "verified_at")
