"""One indicator opened: its course, its parts, and what is behind it. Blocking; thread-safe."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from lawang.city import City
from lawang.domain.health import SourceState, health
from lawang.domain.kpi import Combine, Daily, Kpi, Span
from lawang.kpi.cells import ONE_DAY, Days
from lawang.kpi.evaluate import TrendPoint
from lawang.kpi.explain import Explainer, Part
from lawang.overview.annotations import annotations_of
from lawang.overview.districts import read_districts
from lawang.overview.facts import day_points
from lawang.overview.finance import read_budget
from lawang.overview.links import records_of, source_names
from lawang.overview.model import Districts, Forecast, Gap, KpiDetail, KpiLine, SourceLine
from lawang.overview.quality import QualityBook
from lawang.store.history import History

#: Small multiples have a point a week; more than so many days is no small one.
_WEEK, _MULTIPLES_DAYS = 7, 400
_OUTAGES = 200
_KEPT = 64
_LOOK_AGAIN_S = 300
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """What depends on the facts alone."""

    trend: tuple[TrendPoint, ...]
    gaps: tuple[Gap, ...]
    course: tuple[TrendPoint, ...]
    is_placed: bool
    district_trends: Mapping[str, tuple[TrendPoint, ...]]
    forecast: Forecast | None


class DetailReader:
    """Opens indicators; keeps the last few courses and parts until their facts change."""

    def __init__(self, city: City, history: History, quality: QualityBook) -> None:
        self._city = city
        self._history = history
        self._quality = quality
        self._explainer = Explainer(city, history)
        self._lock = threading.Lock()
        self._courses: OrderedDict[tuple[str, str, int], _Course] = OrderedDict()
        self._parts: OrderedDict[tuple[str, str, Span], tuple[tuple[Part, ...], int]] = (
            OrderedDict()
        )

    def read(
        self,
        line: KpiLine,
        version: str,
        own: str,
        last: date,
        now: datetime,
        states: Mapping[str, SourceState],
        *,
        span: Span,
        days: int,
    ) -> KpiDetail:
        """The detail of an indicator whose line is at hand. Raises StoreError.

        `version` is that of all facts, `own` of this indicator's alone.
        """
        kpi = line.kpi
        first = last - timedelta(days=days - 1)
        # A reading that is newly held back changes no fact, but what is told about its day.
        key = f"{own}-{int(now.timestamp() // _LOOK_AGAIN_S)}"
        course = self._course(kpi, key, first, last, now, line)
        parts, held = self._behind(kpi, key, span, line, now)
        return KpiDetail(
            at=now,
            version=version,
            span=span,
            line=line,
            trend=course.trend,
            gaps=course.gaps,
            course=course.course,
            annotations=annotations_of(self._city, kpi, first, last),
            districts=self._districts(line, span, now) if course.is_placed else None,
            district_trends=course.district_trends,
            parts=parts,
            records=tuple(records_of(kpi, line.values[span].horizon, self._city)),
            held=held,
            sources=tuple(self._sources(kpi, states, now)),
            outages=tuple(self._outages(kpi, first, last)),
            forecast=course.forecast,
        )

    def _course(
        self, kpi: Kpi, version: str, first: date, last: date, now: datetime, line: KpiLine
    ) -> _Course:
        key = (kpi.id, version, (last - first).days)
        with self._lock:
            known = self._courses.get(key)
        if known is not None:
            return known
        store = self._history.kpis
        year = date(last.year, 1, 1)
        facts = store.days(kpi.id, min(first, year), last)
        trend = tuple(day_points(kpi, (each for each in facts if each.day >= first)))
        is_placed = bool(store.by_kecamatan([kpi.id]))
        forecast: Forecast | None = None
        if kpi.combine is Combine.SUM and kpi.target is not None and kpi.target.curve is not None:
            value = line.values[Span.YEAR]
            forecast = read_budget(self._city, self._history, kpi, now, value).forecast
        found = _Course(
            trend=trend,
            gaps=tuple(_gaps(kpi, [each.day for each in trend], first, last)),
            course=tuple(_running_total(kpi, [each for each in facts if each.day >= year])),
            is_placed=is_placed,
            district_trends=self._multiples(kpi, first, last) if is_placed else {},
            forecast=forecast,
        )
        self._keep(self._courses, key, found)
        return found

    def _behind(
        self, kpi: Kpi, version: str, span: Span, line: KpiLine, now: datetime
    ) -> tuple[tuple[Part, ...], int]:
        """Parts, and how many readings are held back."""
        key = (kpi.id, version, span)
        with self._lock:
            known = self._parts.get(key)
        if known is None:
            horizon = line.values[span].horizon
            parts = self._explainer.parts(kpi, horizon, now)
            known = (parts, self._explainer.count_held(kpi, horizon))
            self._keep(self._parts, key, known)
        return known

    def _keep(self, kept: OrderedDict[_Key, _Kept], key: _Key, value: _Kept) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > _KEPT:
                kept.popitem(last=False)

    def _districts(self, line: KpiLine, span: Span, now: datetime) -> Districts:
        choices = tuple(each for each in self._city.programme.districts if each in self._city.kpis)
        return read_districts(
            self._city, self._history.kpis, line.kpi, line.values[span], choices, now
        )

    def _multiples(self, kpi: Kpi, first: date, last: date) -> dict[str, tuple[TrendPoint, ...]]:
        """A point a week for each kecamatan, at the last day of the week."""
        first = max(first, last - timedelta(days=_MULTIPLES_DAYS - 1))
        codes = [each.code for each in self._city.kecamatan]
        found = {}
        for code, days in self._history.kpis.region_days(kpi.id, codes, first, last).items():
            weeks: dict[date, list[tuple[date, float, float, int]]] = {}
            for each in days:
                back = (last - each[0]).days // _WEEK * _WEEK
                weeks.setdefault(last - timedelta(days=back), []).append(each)
            points = (_week_point(kpi, end, own) for end, own in weeks.items())
            found[code] = tuple(each for each in points if each is not None)
        return found

    def _sources(
        self, kpi: Kpi, states: Mapping[str, SourceState], now: datetime
    ) -> Iterable[SourceLine]:
        book = self._quality.read(now)
        for name in source_names(kpi, self._city):
            state = states.get(name) or SourceState(source_id=name)
            quality = book.sources[name]
            heard = state.last_success
            yield SourceLine(
                source=name,
                health=health(state, self._city.sources[name].cadence, now),
                age_s=(now - heard).total_seconds() if heard else None,
                day=quality.day,
                month=quality.month,
                findings=quality.findings,
            )

    def _outages(
        self, kpi: Kpi, first: date, last: date
    ) -> Iterable[tuple[str, datetime, datetime | None]]:
        """The newest outages of each source that touch the days, those under way included."""
        begin = Days(first, last, self._city.timezone).bounds[0]
        for name in source_names(kpi, self._city):
            for outage in self._history.outages(name, _OUTAGES):
                if outage["ended_at"] is None or outage["ended_at"] >= begin:
                    yield name, outage["began_at"], outage["ended_at"]


def _week_point(
    kpi: Kpi, end: date, days: Sequence[tuple[date, float, float, int]]
) -> TrendPoint | None:
    if kpi.combine is Combine.LAST:
        days = days[-1:]
    num, den = sum(each[1] for each in days), sum(each[2] for each in days)
    n = sum(each[3] for each in days)
    if kpi.combine is Combine.SUM:
        # What a kecamatan is to bring is not known.
        return TrendPoint(end, num, None, n)
    if not den:
        return None
    return TrendPoint(end, num / den, kpi.target.at(end) if kpi.target else None, n)


def _running_total(kpi: Kpi, days: Iterable[Daily]) -> Iterable[TrendPoint]:
    """A sum as it grew since 1 January, beside what was to be reached by each day."""
    if kpi.combine is not Combine.SUM:
        return
    total, n = 0.0, 0
    for each in days:
        total, n = total + each.num, n + each.n
        begin = date(each.day.year, 1, 1)
        target = None if kpi.target is None else kpi.target.amount(begin, each.day)
        yield TrendPoint(each.day, total, target, n)


def _gaps(kpi: Kpi, known: Sequence[date], first: date, last: date) -> Iterable[Gap]:
    """The days of which nothing is known. A state lasts until the next one, as long as it is not
    stale."""
    lasts = kpi.stale_after if kpi.combine is Combine.LAST else timedelta()
    begin = first
    for day in (*known, last + ONE_DAY):
        if begin < day:
            yield Gap(first=begin, last=day - ONE_DAY)
        begin = max(begin, day + timedelta(days=lasts.days) + ONE_DAY)
