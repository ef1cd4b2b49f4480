"""What a morning brief is made from: the overview of a morning, and what happened in its night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from lawang.city import City
from lawang.domain.health import Health, SourceState, health
from lawang.domain.kpi import Span
from lawang.kpi.cells import day_start, last_complete_day
from lawang.overview.model import Changes, Overview
from lawang.overview.read import OverviewReader
from lawang.store.history import Counts, History

#: When a night begins, in the city's own time.
NIGHT_BEGINS = time(18, 0)
#: The horizon whose figures the brief gives.
SPAN = Span.MONTH
_ONE_DAY = timedelta(days=1)
_SILENT = (Health.DOWN, Health.REFUSED, Health.NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNight:
    """One source: its health (None: of another day), and how long it could not be read at night.

    `down_s` are seconds of the night within an outage. `failed` tells that it lasted longer than
    the age at which the source counts as stale, or that it cannot be read now.
    """

    source: str
    health: Health | None
    last_success: datetime | None
    down_s: float
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """All that a brief tells.

    `day` is the local day it is for, `at` what it is as of, `made_at` when it was made. `week` are
    the changes since a week before. `incidents` are those of the day before, as of its end.
    `night` is [began, ended]. `pending` are the indicators that were not worked out since the day
    ended. `afterwards`: it is made on a later day, from what is known then.
    """

    day: date
    at: datetime
    made_at: datetime
    overview: Overview
    week: Changes
    incidents: Counts
    night: tuple[datetime, datetime]
    sources: tuple[SourceNight, ...]
    pending: tuple[str, ...]
    afterwards: bool = False

    @property
    def failed(self) -> tuple[SourceNight, ...]:
        """The sources that failed in the night, the longest outage first."""
        found = [each for each in self.sources if each.failed]
        return tuple(sorted(found, key=lambda each: (-each.down_s, each.source)))


class Composer:
    """Puts mornings together. Reads only; raises StoreError where history does not answer."""

    def __init__(self, city: City, history: History, at: time) -> None:
        self._city = city
        self._history = history
        self._at = at
        self._overviews = OverviewReader(city, history)

    def due_at(self, day: date) -> datetime:
        """When the brief of a local day is due, in UTC."""
        local = datetime.combine(day, self._at, self._city.timezone)
        return local.astimezone(day_start(day, self._city.timezone).tzinfo)

    def today(self, now: datetime) -> date:
        """The local day of an instant."""
        return now.astimezone(self._city.timezone).date()

    def pending(self, now: datetime) -> tuple[str, ...]:
        """The indicators whose facts were not looked at since the last complete day ended."""
        last = last_complete_day(now, self._city.timezone)
        ended = day_start(last + _ONE_DAY, self._city.timezone)
        states = self._history.kpis.states()
        return tuple(
            name
            for name in self._city.kpis
            if (state := states.get(name)) is None
            or (state.computed_at < ended and (state.through is None or state.through < last))
        )

    def compose(self, now: datetime, day: date | None = None) -> Morning:
        """The morning of today, or of an earlier day as far as it can be told still."""
        today = self.today(now)
        day = day or today
        afterwards = day < today
        at = self.due_at(day) if afterwards else now
        last = last_complete_day(at, self._city.timezone)
        states = self._states()
        overview = self._overviews.read(at, states, span=SPAN, since=last - _ONE_DAY)
        week = self._overviews.read(at, states, span=SPAN, since=last - timedelta(days=7)).changes
        if afterwards:
            # What was open, and which source was heard, is known of today only.
            overview = replace(overview, overdue=())
        zone = self._city.timezone
        began = datetime.combine(day - _ONE_DAY, NIGHT_BEGINS, zone).astimezone(at.tzinfo)
        night = (began, min(at, self.due_at(day)))
        return Morning(
            day=day,
            at=at,
            made_at=now,
            overview=overview,
            week=week,
            incidents=self._history.counts_at(
                day_start(last + _ONE_DAY, zone) - timedelta(microseconds=1), day_start(last, zone)
            ),
            night=night,
            sources=tuple(
                self._night_of(name, states.get(name), night, None if afterwards else at)
                for name, source in self._city.sources.items()
                if not source.unset
            ),
            pending=self.pending(at) if not afterwards else (),
            afterwards=afterwards,
        )

    def _states(self) -> Mapping[str, SourceState]:
        found = {name: self._history.source_state(name) for name in self._city.sources}
        return {name: state for name, state in found.items() if state is not None}

    def _night_of(
        self,
        source_id: str,
        state: SourceState | None,
        night: tuple[datetime, datetime],
        now: datetime | None,
    ) -> SourceNight:
        """`now` is None where nobody knows any more how the source was then."""
        cadence = self._city.sources[source_id].cadence
        began, ended = night
        down_s = 0.0
        for outage in self._history.outages(source_id):
            first = max(outage["began_at"], began)
            last = min(outage["ended_at"] or ended, ended)
            down_s += max(0.0, (last - first).total_seconds())
        known = state or SourceState(source_id=source_id)
        found = None if now is None else health(known, cadence, now)
        return SourceNight(
            source=source_id,
            health=found,
            last_success=known.last_success,
            down_s=down_s,
            failed=found in _SILENT or down_s > cadence.stale_after_s,
        )
