"""History of this installation, read without making, migrating or locking anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
from sqlalchemy import Engine, create_engine, make_url, select
from sqlalchemy.exc import ArgumentError

from lawang.check import Past
from lawang.domain.errors import LawangError, SettingsError
from lawang.settings import Settings
from lawang.store import schema
from lawang.store.engine import open_engine
from lawang.store.history import History

_NO_HISTORY = "there is no history here yet"


@contextmanager
def history_for_reading(settings: Settings) -> Iterator[History]:
    """History as it is. Raises SettingsError where there is none; StoreError while it is away."""
    history = History(_open(settings))
    try:
        yield history
    finally:
        history.close()


def _open(settings: Settings) -> Engine:
    try:
        url = make_url(settings.sql_url)
    except ArgumentError:
        return open_engine(settings.sql_url)
    if url.get_backend_name() != "sqlite":
        return open_engine(settings.sql_url)
    file = Path(url.database or "")
    if not file.is_file():
        raise SettingsError(f"{_NO_HISTORY} ({file} is missing)")
    return create_engine(
        f"sqlite:///file:{file.resolve()}?mode=ro&uri=true",
        hide_parameters=True,
        json_deserializer=orjson.loads,
        connect_args={"timeout": 2},
    )


def read_past(settings: Settings, source_id: str) -> tuple[Past | None, str]:
    """The accepted values of each series, or None and the reason why none are known."""
    table = schema.series
    try:
        with history_for_reading(settings) as history, history.database.reading() as connection:
            rows = connection.execute(
                select(table.c.measure, table.c.subject, table.c.recent).where(
                    table.c.source_id == source_id
                )
            ).all()
    except SettingsError:
        return None, f"{_NO_HISTORY}, so a jump in a series cannot be told"
    except LawangError:
        return None, "history cannot be read, so a jump in a series cannot be told"
    known = {
        (row.measure, row.subject): [
            (datetime.fromisoformat(at).astimezone(UTC), float(value)) for at, value in row.recent
        ]
        for row in rows
    }

    def past(measure: str, subject: str) -> Sequence[tuple[datetime, float]]:
        return known.get((measure, subject), [])

    return past, ""
