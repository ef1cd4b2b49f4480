"""Keeps daily facts true: works out again what records that changed have touched, and new days.

One turn a minute in the poller that holds the clock. A turn is safe to repeat and to break off: a
touch is forgotten only after the days it stands for were written.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Table, select

from lawang.background import Background
from lawang.city import City
from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError
from lawang.domain.formula import (
    IncidentFigure,
    IncidentFormula,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFormula,
    sources_of,
)
from lawang.domain.kpi import Kpi
from lawang.domain.measure import MeasureKind, Period, span
from lawang.kpi.cells import ONE_DAY, Days, day_of, day_start, last_complete_day
from lawang.kpi.counted import telling_sources, verify_by
from lawang.kpi.daily import DailyFacts
from lawang.kpi.hearing import known_days
from lawang.kpi.measured import measure_of, neighbours, series_of
from lawang.store import schema
from lawang.store.history import History
from lawang.store.kpis import KpiState
from lawang.store.touches import INCIDENTS, REQUESTS, Touch, forget_touches, read_touches

log = structlog.get_logger(__name__)

EVERY_S = 60.0
#: The first turn waits for the first polls, which bring most of what it works out.
_FIRST_AFTER_S = 15.0
#: Tallies of a day may be written this much after its end.
_TALLIES_LATE = timedelta(hours=1)
#: Most days at once: a fact of a longer stretch is written before the next one is worked out.
_STRETCH = timedelta(days=92)


@dataclass(slots=True)
class Turn:
    """What one turn did: rows changed by indicator, and the indicators worked out from nothing."""

    rows: dict[str, int] = field(default_factory=dict)
    rebuilt: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return sum(self.rows.values())


class Indicators:
    """Works out the daily facts of an installation; no clock of its own."""

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._history = history
        self._facts = DailyFacts(city, history.database)

    def rebuild(self, now: datetime, kpis: Iterable[str] | None = None) -> Turn:
        """Work out every day of some indicators, or all, from their records."""
        turn = Turn()
        for name in self._city.kpis if kpis is None else kpis:
            self._rebuild(self._city.kpis[name], now, turn)
        return turn

    def update(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> Turn:
        """Work out what changed since the last turn. `stop` breaks off between two indicators."""
        turn = Turn()
        kept: list[KpiState] = []
        touches = read_touches(self._history.database)
        states = self._history.kpis.states()
        for gone in states.keys() - self._city.kpis.keys():
            self._history.kpis.forget(gone)
            turn.forgotten.append(gone)
        touched = self._by_source(touches)
        for name, kpi in self._city.kpis.items():
            if stop():
                self._history.kpis.save_states(kept)
                return turn
            state = states.get(name)
            if state is None or state.digest != digest_of(kpi, self._city):
                self._rebuild(kpi, now, turn)
            else:
                kept += self._advance(kpi, state, touched, now, turn)
        self._history.kpis.save_states(kept)
        forget_touches(self._history.database, touches)
        return turn

    # --- the parts of a turn -----------------------------------------------------------------

    def _rebuild(self, kpi: Kpi, now: datetime, turn: Turn) -> None:
        last = last_complete_day(now, self._city.timezone)
        first = self._facts.first_day(kpi, now)
        begin = first if first is not None else last + ONE_DAY
        if not isinstance(kpi.formula, QualityFormula):
            # What was worked out before the first record of now is of records that are gone.
            # (Tallies are dropped by age, so there it is all that is left of them.)
            turn.rows[kpi.id] = self._history.kpis.replace(kpi.id, date.min, begin - ONE_DAY, [])
        turn.rows[kpi.id] = turn.rows.get(kpi.id, 0) + self._work_out(kpi, begin, last, now)
        turn.rebuilt.append(kpi.id)
        self._history.kpis.save_states([self._state(kpi, last, now)])

    def _advance(
        self,
        kpi: Kpi,
        state: KpiState,
        touched: Mapping[tuple[str, str], set[date]],
        now: datetime,
        turn: Turn,
    ) -> list[KpiState]:
        """Work out what changed; the state to be kept, if it is another one."""
        last = last_complete_day(now, self._city.timezone)
        days: set[date] = set()
        with self._history.database.reading() as connection:
            self._add_touched(connection, kpi, touched, days, last)
            self._add_overdue(connection, kpi, state.computed_at, now, days)
            if state.through is None:
                first = self._facts.first_day(kpi, now)
                days |= set(_each(first, last)) if first is not None else set()
            else:
                days |= set(_each(state.through + ONE_DAY, last))
        days = {day for day in days if day <= last}
        rows = 0
        for first, until in _stretches(days):
            rows += self._work_out(kpi, first, until, now)
        if rows:
            turn.rows[kpi.id] = rows
        if days or state.through is None or state.through < last or self._ages(kpi):
            return [self._state(kpi, last, now)]
        return []

    def _ages(self, kpi: Kpi) -> bool:
        """Whether time alone changes its facts, so that the time of each look must be kept."""
        return isinstance(kpi.formula, IncidentFormula | ReachedFormula | RequestFormula)

    def _work_out(self, kpi: Kpi, first: date, last: date, now: datetime) -> int:
        rows = 0
        while first <= last:
            until = min(last, first + _STRETCH)
            facts = self._facts.compute(kpi, first, until, now)
            rows += self._history.kpis.replace(kpi.id, first, until, facts)
            first = until + ONE_DAY
        return rows

    def _state(self, kpi: Kpi, last: date, now: datetime) -> KpiState:
        return KpiState(
            kpi=kpi.id,
            digest=digest_of(kpi, self._city),
            through=self._final(kpi, last, now),
            computed_at=now,
        )

    def _final(self, kpi: Kpi, last: date, now: datetime) -> date | None:
        """The last day that only a correction can change; None before the first."""
        formula = kpi.formula
        if isinstance(formula, QualityFormula):
            fresh = now - day_start(last + ONE_DAY, self._city.timezone) < _TALLIES_LATE
            return last - ONE_DAY if fresh else last
        if isinstance(formula, ReadingFormula | ReadingRatioFormula):
            return last
        table = schema.service_request if isinstance(formula, RequestFormula) else schema.incident
        days = Days(date(1970, 1, 2), last, self._city.timezone)
        with self._history.database.reading() as connection:
            known = known_days(connection, table, sources_of(formula), days)
        return known[1] if known else None

    # --- which days ---------------------------------------------------------------------------

    def _by_source(self, touches: Sequence[Touch]) -> dict[tuple[str, str], set[date]]:
        """The local days that touched ones of UTC overlap."""
        zone = self._city.timezone
        found: dict[tuple[str, str], set[date]] = defaultdict(set)
        for each in touches:
            begin = datetime(each.day.year, each.day.month, each.day.day, tzinfo=UTC)
            end = begin + timedelta(days=1) - timedelta(microseconds=1)
            found[each.source_id, each.what] |= {day_of(begin, zone), day_of(end, zone)}
        return found

    def _add_touched(
        self,
        connection: Connection,
        kpi: Kpi,
        touched: Mapping[tuple[str, str], set[date]],
        days: set[date],
        last: date,
    ) -> None:
        formula = kpi.formula
        if isinstance(formula, ReadingFormula):
            self._add_readings(connection, formula, touched, days, last)
        elif isinstance(formula, ReadingRatioFormula):
            self._add_readings(connection, formula.numerator, touched, days, last)
            self._add_readings(connection, formula.denominator, touched, days, last)
        elif not isinstance(formula, QualityFormula):
            what = REQUESTS if isinstance(formula, RequestFormula) else INCIDENTS
            for source_id in formula.sources:
                days |= touched.get((source_id, what), set())

    def _add_readings(
        self,
        connection: Connection,
        formula: ReadingFormula,
        touched: Mapping[tuple[str, str], set[date]],
        days: set[date],
        last: date,
    ) -> None:
        """The days that readings of the touched ones reach: all of their period, and of a
        cumulative measure from the reading before to the one after."""
        own = touched.get((formula.source, formula.measure), set())
        measure = measure_of(self._city, formula)
        if not own or measure is None:
            return
        zone = self._city.timezone
        spans = {_span(day, measure.period, self._city) for day in own}
        if measure.kind is not MeasureKind.CUMULATIVE:
            for first, until in spans:
                days |= set(_each(first, min(until, last)))
            return
        ids = [each.id for each in series_of(connection, formula)]
        for first, until in spans:
            start, end = Days(first, until, zone).bounds
            earlier = neighbours(connection, ids, start, backwards=True)
            later = neighbours(connection, ids, end, backwards=False)
            begins = [first, *(day_of(each.at, zone) for each in earlier.values())]
            if measure.resets is not None:
                # The first total after a reset is spread over all days since then.
                reset = _span(first, measure.resets, self._city)[0]
                known = [day_of(each.at, zone) for each in earlier.values()]
                if len(known) < len(ids) or min(known, default=reset) < reset:
                    begins.append(reset)
            ends = [until] + [
                _span(day_of(each.at, zone), measure.period, self._city)[1]
                for each in later.values()
            ]
            days |= set(_each(min(begins), min(max(ends), last)))

    def _add_overdue(
        self, connection: Connection, kpi: Kpi, since: datetime, now: datetime, days: set[date]
    ) -> None:
        """The days of records that have become overdue since the last look, by time alone."""
        formula, zone = kpi.formula, self._city.timezone
        found: Iterable[datetime] = ()
        if isinstance(formula, IncidentFormula) and formula.figure is IncidentFigure.VERIFIED:
            sources = telling_sources(formula, self._city)
            found = _verifiable(connection, sources, formula.verify_days, since, now, zone)
        elif isinstance(formula, IncidentFormula):
            found = _due(connection, schema.incident, formula.sources, since, now)
        elif isinstance(formula, RequestFormula):
            found = _due(connection, schema.service_request, formula.sources, since, now)
        elif isinstance(formula, ReachedFormula):
            limit = timedelta(minutes=formula.minutes)
            table = schema.incident
            found = connection.execute(
                select(table.c.requested_at).where(
                    table.c.source_id.in_(formula.sources),
                    table.c.requested_at.between(since - limit, now - limit),
                )
            ).scalars()
        days |= {day_of(at, zone) for at in found}


def _due(
    connection: Connection, table: Table, sources: Sequence[str], since: datetime, now: datetime
) -> Iterable[datetime]:
    """When the open records were made whose due time has gone by since then."""
    return connection.execute(
        select(table.c.requested_at).where(
            table.c.source_id.in_(sources),
            table.c.closed_at.is_(None),
            table.c.due_at >= since,
            table.c.due_at <= now,
        )
    ).scalars()


def _verifiable(
    connection: Connection,
    sources: Sequence[str],
    verify_days: int,
    since: datetime,
    now: datetime,
    zone: ZoneInfo,
) -> Iterable[datetime]:
    """When the closed reports were made whose time to be verified has gone by since then."""
    begun, last = None, None
    day = day_of(now, zone)
    while (end := verify_by(day, verify_days, zone)) >= since:
        if end <= now:
            begun, last = day, last or day
        day -= ONE_DAY
    if begun is None or last is None:
        return ()
    start, end = Days(begun, last, zone).bounds
    table = schema.incident
    return connection.execute(
        select(table.c.requested_at).where(
            table.c.source_id.in_(sources),
            table.c.closed_at >= start,
            table.c.closed_at < end,
        )
    ).scalars()


def _span(day: date, period: Period, city: City) -> tuple[date, date]:
    """First and last local day of the period around a day."""
    if period in (Period.INSTANT, Period.HOUR):
        return day, day
    start, end = span(day_start(day, city.timezone), period, city.timezone)
    return day_of(start, city.timezone), day_of(end, city.timezone) - ONE_DAY


def _each(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _stretches(days: Iterable[date]) -> list[tuple[date, date]]:
    """Days as unbroken stretches; those close to each other are joined, as a query costs more
    than a day."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and (day - found[-1][1]).days <= 3:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def digest_of(kpi: Kpi, city: City) -> str:
    """What the facts of an indicator depend on besides records: formula, way, zone, measures."""
    formula = kpi.formula
    parts = (
        (formula,)
        if isinstance(formula, ReadingFormula)
        else (formula.numerator, formula.denominator)
        if isinstance(formula, ReadingRatioFormula)
        else ()
    )
    measures = [measure_of(city, part) for part in parts]
    told = [
        None if each is None else (each.kind.value, each.period.value, each.resets)
        for each in measures
    ]
    text = repr((kpi.combine.value, formula, str(city.timezone), told))
    if isinstance(formula, IncidentFormula) and formula.figure is IncidentFigure.VERIFIED:
        text += repr(telling_sources(formula, city))
    return hashlib.sha256(text.encode()).hexdigest()


class KpiWorker(Background):
    """One thread that takes a turn a minute; only the holder of the clock starts it.

    `on_change` is called after a turn that changed facts.
    """

    def __init__(
        self,
        city: City,
        history: History,
        *,
        clock: Clock,
        may_write: Callable[[], bool] = lambda: True,
        on_change: Callable[[], None] = lambda: None,
        every_s: float = EVERY_S,
        first_after_s: float = _FIRST_AFTER_S,
    ) -> None:
        super().__init__("indicators")
        self._indicators = Indicators(city, history)
        self._is_idle = not city.kpis
        self._clock = clock
        self._may_write = may_write
        self._on_change = on_change
        self._every_s = every_s
        self._first_after_s = first_after_s
        self._is_failing = False

    def start(self) -> None:
        """Begin; nothing to do in a city without indicators."""
        if not self._is_idle:
            super().start()

    def _run(self, stop: threading.Event) -> None:
        wait_s = self._first_after_s
        while not stop.wait(wait_s):
            wait_s = self._every_s
            if self._may_write():
                self._take_turn(stop)

    def _take_turn(self, stop: threading.Event) -> None:
        try:
            turn = self._indicators.update(
                self._clock(), lambda: stop.is_set() or not self._may_write()
            )
        except StoreError as error:
            # Said once; what is shown stays, dated.
            if not self._is_failing:
                log.warning("indicators wait for history", kind=error.kind)
            self._is_failing = True
        except Exception:
            log.exception("the indicators stumbled; the next turn tries again")
        else:
            if self._is_failing:
                log.info("indicators are kept again")
            self._is_failing = False
            if turn.rebuilt or turn.forgotten or turn.changed:
                self._on_change()
            if turn.rebuilt or turn.forgotten:
                log.info(
                    "indicators worked out anew",
                    rebuilt=len(turn.rebuilt),
                    forgotten=len(turn.forgotten),
                    rows=turn.changed,
                )
