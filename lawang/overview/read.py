"""Reads the overview from history. Blocking; safe from any thread.

Cost belongs to changes, not to viewers: sums of daily facts are kept until a fact or the day
changes (`lawang.overview.facts`), and everything that depends on the time is worked out once in
twenty seconds, however many look. Nothing that is shown is older than that.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.errors import StoreError
from lawang.domain.health import Health, SourceState, health
from lawang.domain.kpi import Combine, Horizon, KpiValue, RollUp, Span, evaluate, roll_up
from lawang.domain.workdays import is_working_day
from lawang.kpi.cells import day_of, last_complete_day
from lawang.overview.changes import compare
from lawang.overview.detail import DetailReader
from lawang.overview.districts import read_districts
from lawang.overview.facts import FactBook, KpiFacts
from lawang.overview.finance import read_finance
from lawang.overview.ladder import read_ladder
from lawang.overview.links import is_of_flow, is_simulated
from lawang.overview.milestones import milestone_lines
from lawang.overview.model import Changes, Districts, KpiDetail, KpiLine, Overview
from lawang.overview.overdue import read_overdue
from lawang.overview.quality import QualityBook
from lawang.overview.services import read_services
from lawang.store.history import History

#: How old what depends on the time may be.
KEPT = timedelta(seconds=20)
#: No look is compared with one of before: that is a cookie somebody made up.
_EARLIEST = date(2000, 1, 1)
#: Further versions of one moment that are kept: other horizons, days of a last look, indicators.
_VARIANTS = 64
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


@dataclass(slots=True)
class _Moment:
    """What was worked out at one time, and its variants."""

    overview: Overview
    healths: Mapping[str, Health]
    facts: Mapping[str, KpiFacts]
    changes: OrderedDict[date, Changes] = field(default_factory=OrderedDict)
    districts: OrderedDict[tuple[str, Span], Districts | None] = field(default_factory=OrderedDict)


class OverviewReader:
    """The overview of one city. One a process is enough."""

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._history = history
        self._facts = FactBook(city, history)
        self._quality = QualityBook(city, history)
        self._details = DetailReader(city, history, self._quality)
        self._lock = threading.Lock()
        self._moment: _Moment | None = None
        self._failed: tuple[float, StoreError] | None = None
        self._defined: tuple[tuple[object, ...], str] | None = None
        self._placed: tuple[str, frozenset[str]] | None = None
        # Loading the calendar of holidays takes longer than a read: that is for the start.
        is_working_day(date(2000, 1, 1))

    def version(self, now: datetime | None = None) -> str:
        """Another text whenever a daily fact, a definition or the last complete day is another.

        One small query. Raises StoreError.
        """
        last = last_complete_day(now or utc_now(), self._city.timezone)
        return self._version(self._history.kpis.revisions(), last)

    def read(
        self,
        now: datetime,
        states: Mapping[str, SourceState],
        *,
        span: Span = Span.MONTH,
        since: date | None = None,
        districts: str = "",
    ) -> Overview:
        """The overview, at most `KEPT` old (`at` says). `states` are the sources' of now.

        `since` is the last complete day at the last look; `districts` the indicator to be shown by
        kecamatan, else the pack's first. One that cannot be is taken as not stated. Raises
        StoreError.
        """
        asked = time.monotonic()
        with self._lock:
            # Who waited while a read failed would fail in the same way, one time-out after another.
            if self._failed is not None and self._failed[0] >= asked:
                raise StoreError(self._failed[1].kind, self._failed[1].detail)
            try:
                moment = self._at(now, states)
                whole = moment.overview
                return replace(
                    whole,
                    span=span,
                    changes=self._changes(moment, since),
                    districts=self._by_district(moment, districts, span),
                )
            except StoreError as error:
                self._failed = (time.monotonic(), error)
                raise

    def detail(
        self,
        kpi_id: str,
        now: datetime,
        states: Mapping[str, SourceState],
        *,
        span: Span = Span.MONTH,
        days: int = 400,
    ) -> KpiDetail:
        """One indicator opened, its trend over so many days. KeyError for an unknown one; raises
        StoreError."""
        kpi = self._city.kpis[kpi_id]
        revisions = self._history.kpis.revisions()
        last = last_complete_day(now, self._city.timezone)
        facts = self._facts.read(last, revisions, {kpi_id: kpi})[kpi_id]
        return self._details.read(
            self._line(kpi_id, facts, last, now),
            self._version(revisions, last),
            self._version({kpi_id: revisions.get(kpi_id, 0)}, last),
            last,
            now,
            states,
            span=span,
            days=days,
        )

    def scores(self, now: datetime) -> Mapping[Span, tuple[RollUp, ...]]:
        """The city first and then its dimensions, for each horizon, exactly as of `now`.

        Raises StoreError. Only facts that changed are read.
        """
        last = last_complete_day(now, self._city.timezone)
        facts = self._facts.read(last, self._history.kpis.revisions(), self._city.kpis)
        lines = {name: self._line(name, facts[name], last, now) for name in self._city.kpis}
        return {span: self._roll_up(span, last, lines) for span in Span}

    # --- one moment ----------------------------------------------------------------------------

    def _at(self, now: datetime, states: Mapping[str, SourceState]) -> _Moment:
        city, history = self._city, self._history
        revisions = history.kpis.revisions()
        last = last_complete_day(now, city.timezone)
        version = self._version(revisions, last)
        healths = {
            name: health(states.get(name) or SourceState(source_id=name), source.cadence, now)
            for name, source in city.sources.items()
        }
        known = self._moment
        if (
            known is not None
            and known.overview.version == version
            and known.healths == healths
            # Those who waited for their turn may have come in any order.
            and abs(now - known.overview.at) < KEPT
        ):
            return known
        facts = self._facts.read(last, revisions, city.kpis)
        lines = {name: self._line(name, facts[name], last, now) for name in city.kpis}
        over_year = {name: line.values[Span.YEAR] for name, line in lines.items()}
        milestones = milestone_lines(
            city,
            # A step is to be reached by the amount of a year, or by the newest month of a level.
            {
                name: line.values[Span.YEAR if line.kpi.combine is Combine.SUM else Span.MONTH]
                for name, line in lines.items()
            },
            day_of(now, city.timezone),
        )
        self._moment = _Moment(
            overview=Overview(
                at=now,
                version=version,
                last=last,
                span=Span.MONTH,
                simulated=any(each.simulated for each in city.sources.values()),
                scores={span: self._roll_up(span, last, lines) for span in Span},
                lines=lines,
                changes=_NOTHING,
                overdue=read_overdue(city, history, states, milestones, now),
                finance=read_finance(city, history, now, over_year),
                services=read_services(city, history, now),
                districts=None,
                ladder=read_ladder(city, history, self._quality.read(now), states, now),
                milestones=milestones,
            ),
            healths=healths,
            facts=facts,
        )
        return self._moment

    def _line(self, name: str, facts: KpiFacts, last: date, now: datetime) -> KpiLine:
        kpi = self._city.kpis[name]
        return KpiLine(
            kpi=kpi,
            values={
                span: evaluate(kpi, Horizon.ending(span, last), facts.totals[span], now=now)
                for span in Span
            },
            before=facts.before,
            spark=facts.spark,
            simulated=is_simulated(kpi, self._city),
            of_flow=is_of_flow(kpi, self._city),
        )

    def _roll_up(self, span: Span, last: date, lines: Mapping[str, KpiLine]) -> tuple[RollUp, ...]:
        after = {name: line.values[span] for name, line in lines.items()}
        before = {name: line.before[span] for name, line in lines.items()}
        return self._rolled(Horizon.ending(span, last), after, before)

    def _rolled(
        self,
        horizon: Horizon,
        after: Mapping[str, KpiValue],
        before: Mapping[str, KpiValue],
    ) -> tuple[RollUp, ...]:
        city = self._city
        dimensions, kpis = list(city.dimensions.values()), list(city.kpis.values())
        return tuple(roll_up(dimensions, kpis, horizon, after, before))

    # --- its variants --------------------------------------------------------------------------

    def _changes(self, moment: _Moment, since: date | None) -> Changes:
        whole = moment.overview
        if since is None or not _EARLIEST <= since < whole.last:
            return _NOTHING
        if since not in moment.changes:
            then = self._facts.values_on(since, whole.version, moment.facts, whole.last)
            city = self._rolled(Horizon.ending(Span.MONTH, since), then, {})[0]
            after = {name: line.values[Span.MONTH] for name, line in whole.lines.items()}
            _keep(moment.changes, since, compare(since, city.score, then, after))
        return moment.changes[since]

    def _by_district(self, moment: _Moment, wanted: str, span: Span) -> Districts | None:
        choices = self._choices(moment)
        if not choices:
            return None
        name = wanted if wanted in choices else choices[0]
        if (name, span) not in moment.districts:
            whole = moment.overview
            kpi, value = self._city.kpis[name], whole.lines[name].values[span]
            found = read_districts(self._city, self._history.kpis, kpi, value, choices, whole.at)
            _keep(moment.districts, (name, span), found)
        return moment.districts[name, span]

    def _choices(self, moment: _Moment) -> tuple[str, ...]:
        """The pack's, of those that have facts by kecamatan."""
        names = tuple(each for each in self._city.programme.districts if each in self._city.kpis)
        version = moment.overview.version
        if self._placed is None or self._placed[0] != version:
            self._placed = (version, frozenset(self._history.kpis.by_kecamatan(names)))
        return tuple(each for each in names if each in self._placed[1])

    # --- versions ------------------------------------------------------------------------------

    def _version(self, revisions: Mapping[str, int], last: date) -> str:
        # Numbers of changes only grow, and so does their sum.
        return f"{last:%Y%m%d}-{sum(revisions.values())}-{self._definitions()}"

    def _definitions(self) -> str:
        city = self._city
        parts: tuple[object, ...] = (city.kpis, city.dimensions, city.programme)
        if self._defined is None or any(
            one is not other for one, other in zip(self._defined[0], parts, strict=True)
        ):
            self._defined = (parts, hashlib.sha256(repr(parts).encode()).hexdigest()[:12])
        return self._defined[1]


_NOTHING = Changes(since=None, city=None, worse=(), better=())


def _keep(variants: OrderedDict[_Key, _Kept], key: _Key, value: _Kept) -> None:
    variants[key] = value
    while len(variants) > _VARIANTS:
        variants.popitem(last=False)
