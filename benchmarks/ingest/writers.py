"""The two ways of writing that are compared: the program's own, and the first one thinks of."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import orjson
import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, registry

from benchmarks.ground import Ground
from lawang.connector import Parsed
from lawang.domain.incident import Incident, Report, incident_to_plain, to_plain
from lawang.polling.settle import settle
from lawang.store import schema
from lawang.store.history import History
from lawang.store.live import KEPT_AFTER_CLOSING, LiveStore


class Writer(Protocol):
    """Takes one page of reports to the stores. `fetched_at` is the time of the page."""

    def write(self, reports: Sequence[Report], fetched_at: datetime) -> None: ...


class OwnWriter:
    """As a poll writes: settled, one transaction of history a page, one of live state."""

    def __init__(self, ground: Ground, engine: Engine) -> None:
        self._ground = ground
        self._history = History(engine)
        self._live = LiveStore(ground.redis_url, ground.city.slug)
        self._closed: deque[tuple[datetime, str]] = deque()

    def write(self, reports: Sequence[Report], fetched_at: datetime) -> None:
        source = self._ground.source
        page = settle(
            Parsed(reports=list(reports)),
            source,
            self._ground.city,
            fetched_at=fetched_at,
            simulated=True,
        )
        settled = self._history.settle(
            source.id, page.incidents, page.rejects, fetched_at=fetched_at, fence=1
        )
        oldest = fetched_at - KEPT_AFTER_CLOSING
        stays = [item for item in settled.incidents if _stays(item, oldest)]
        goes = [item.id for item in settled.incidents if not _stays(item, oldest)]
        self._live.put(stays, [*goes, *self._drop_long_closed(stays, oldest)])

    def _drop_long_closed(self, stays: Sequence[Incident], oldest: datetime) -> list[str]:
        """What the board takes out of live state as time goes by."""
        self._closed.extend(
            sorted((item.closed_at, item.id) for item in stays if item.closed_at is not None)
        )
        gone: list[str] = []
        while self._closed and self._closed[0][0] < oldest:
            gone.append(self._closed.popleft()[1])
        return gone

    def close(self) -> None:
        self._live.close()


def _stays(item: Incident, oldest: datetime) -> bool:
    return item.closed_at is None or item.closed_at >= oldest


class _IncidentRow:
    """A row of `incident` as an object."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class _EventRow(_IncidentRow):
    """A row of `incident_event` as an object."""


_mapper = registry()
_mapper.map_imperatively(_IncidentRow, schema.incident)
_mapper.map_imperatively(_EventRow, schema.incident_event)


class NaiveWriter:
    """Record by record: look it up, change it through the ORM, commit, one HSET.

    It writes to the same tables with the same SQLite settings, and leaves out what would take it
    longer still: comparing fields, the fence, and dropping what is closed from live state.
    """

    def __init__(self, ground: Ground, engine: Engine) -> None:
        self._ground = ground
        self._engine = engine
        self._redis = redis.Redis.from_url(ground.redis_url)

    def write(self, reports: Sequence[Report], fetched_at: datetime) -> None:
        source = self._ground.source
        page = settle(
            Parsed(reports=list(reports)),
            source,
            self._ground.city,
            fetched_at=fetched_at,
            simulated=True,
        )
        for item in page.incidents:
            self._store(item)
            self._redis.hset("naive", item.id, orjson.dumps(incident_to_plain(item)))

    def _store(self, item: Incident) -> None:
        values = {name: getattr(item, name) for name in item.__dataclass_fields__}
        with Session(self._engine) as session:
            row = session.get(_IncidentRow, item.id)
            version = 1 if row is None else row.version + 1  # type: ignore[attr-defined]
            if row is None:
                session.add(_IncidentRow(**values, version=version))
            else:
                for name, value in values.items():
                    setattr(row, name, value)
                row.version = version  # type: ignore[attr-defined]
            session.add(
                _EventRow(
                    incident_id=item.id,
                    version=version,
                    kind="reported" if row is None else "status_changed",
                    at=item.observed_at,
                    fetched_at=item.fetched_at,
                    open_delta=0,
                    status=item.status.value,
                    changes=to_plain(values),
                )
            )
            session.commit()

    def close(self) -> None:
        self._redis.close()
