"""Alembic migrations of history, run by `lawang.store.history.migrate`."""
