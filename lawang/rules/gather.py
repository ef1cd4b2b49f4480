"""Reads from history what rules are judged by. Raises StoreError where history is away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select

from lawang.domain.health import SourceState
from lawang.domain.rule import CapWarning, Combination, OfSeries, Rule, ScreenFault, Surge
from lawang.domain.screen import Screen
from lawang.rules.facts import (
    Ended,
    Facts,
    Report,
    Reports,
    Sample,
    Series,
    Wall,
    series_wanted,
    windows,
)
from lawang.store import schema
from lawang.store.database import chunked
from lawang.store.history import History

_WARNINGS_MOST = 1000


class Gatherer:
    """Reads facts of an installation; each call is a few short transactions.

    `screens` gives the walls of the programme in force.
    """

    def __init__(
        self, history: History, screens: Callable[[], Mapping[str, Screen]] = dict
    ) -> None:
        self._history = history
        self._screens = screens

    def gather(
        self,
        rules: Sequence[Rule],
        states: Mapping[str, SourceState],
        now: datetime,
        awake_since: datetime | None = None,
    ) -> Facts:
        """The facts of some rules. `states` is what is known of the sources' polls."""
        combinations = [each.condition for each in rules if isinstance(each.condition, Combination)]
        back = max((each.within_s for each in combinations), default=0.0)
        ended = (
            self._history.alarms.ended_since(now - timedelta(seconds=back)) if combinations else []
        )
        warned = any(isinstance(each.condition, CapWarning) for each in rules)
        with self._history.database.reading() as connection:
            series = _read_series(connection, series_wanted(rules), now)
            reports = {
                each.id: _read_reports(connection, each.condition, now)
                for each in rules
                if isinstance(each.condition, Surge)
            }
        return Facts(
            states=states,
            awake_since=awake_since,
            series=series,
            reports=reports,
            warnings=self._history.records.alerts(
                in_force_at=now, touches_city=True, limit=_WARNINGS_MOST
            )
            if warned
            else (),
            ended=[Ended(*each) for each in ended],
            walls=self._read_walls()
            if any(isinstance(each.condition, ScreenFault) for each in rules)
            else (),
        )

    def _read_walls(self) -> list[Wall]:
        beats = self._history.screens.beats()
        return [Wall(each.id, each.name, beats.get(each.id)) for each in self._screens().values()]


def _read_series(
    connection: Connection, wanted: Mapping[OfSeries, timedelta], now: datetime
) -> dict[tuple[str, str], list[Series]]:
    back: dict[tuple[str, str], timedelta] = {}
    for each, length in wanted.items():
        key = (each.source, each.measure)
        back[key] = max(length, back.get(key, timedelta(0)))
    if not back:
        return {}
    about = schema.series
    rows = connection.execute(
        select(
            about.c.id, about.c.source_id, about.c.measure, about.c.subject,
            about.c.subject_name, about.c.kecamatan, about.c.simulated,
            about.c.last_at, about.c.last_value, about.c.last_observed_at,
        )
        .where(or_(*(and_(about.c.source_id == s, about.c.measure == m) for s, m in back)))
        .order_by(about.c.id)
    ).all()  # fmt: skip
    samples: dict[int, list[Sample]] = {}
    for key, length in back.items():
        if length:
            ids = [row.id for row in rows if (row.source_id, row.measure) == key]
            samples |= _read_samples(connection, ids, now - length)
    found: dict[tuple[str, str], list[Series]] = {key: [] for key in back}
    for row in rows:
        own = samples.get(row.id, [])
        if row.last_at is not None and (not own or own[-1].at < row.last_at):
            own = [*own, Sample(row.last_at, row.last_value, row.last_observed_at)]
        found[row.source_id, row.measure].append(
            Series(
                source=row.source_id,
                measure=row.measure,
                subject=row.subject,
                subject_name=row.subject_name or "",
                kecamatan=row.kecamatan or "",
                simulated=row.simulated,
                samples=tuple(own),
            )
        )
    return found


def _read_samples(
    connection: Connection, ids: Sequence[int], since: datetime
) -> dict[int, list[Sample]]:
    """The accepted readings since then, and the one before them, by series and oldest first."""
    table = schema.reading
    columns = (table.c.series_id, table.c.at, table.c.value, table.c.observed_at)
    found: dict[int, list[Sample]] = defaultdict(list)
    for chunk in chunked(ids):
        mine = (table.c.series_id.in_(chunk), table.c.held == "")
        before = (
            select(table.c.series_id, func.max(table.c.at).label("at"))
            .where(*mine, table.c.at < since)
            .group_by(table.c.series_id)
            .subquery()
        )
        earlier = connection.execute(
            select(*columns).join(
                before,
                and_(table.c.series_id == before.c.series_id, table.c.at == before.c.at),
            )
        )
        later = connection.execute(
            select(*columns).where(*mine, table.c.at >= since).order_by(table.c.at)
        )
        for row in (*earlier, *later):
            found[row.series_id].append(Sample(row.at, row.value, row.observed_at))
    return found


def _read_reports(connection: Connection, surge: Surge, now: datetime) -> Reports:
    table = schema.incident
    ours = table.c.source_id.in_(surge.sources)
    spans = [
        and_(table.c.requested_at > start, table.c.requested_at <= end)
        for start, end in windows(surge, now)
    ]
    rows = connection.execute(
        select(table.c.requested_at, table.c.kecamatan, table.c.simulated).where(
            ours, table.c.category.in_(surge.categories), or_(*spans)
        )
    ).all()
    # Of any category: a week without a single fire is a week that is known.
    first = connection.execute(select(func.min(table.c.requested_at)).where(ours)).scalar()
    return Reports(
        items=tuple(Report(row.requested_at, row.kecamatan or "") for row in rows),
        first=first,
        simulated=any(row.simulated for row in rows),
    )
