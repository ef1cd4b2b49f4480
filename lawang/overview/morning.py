"""The panel `morning`: the last complete day in a few figures, and what got worse since the day
before it.

day: that day. figures: [{id, name_id, name_en, unit, unit_en?, value?, sources, simulated,
compare?: {value, name_id, name_en, days, of}, and of an indicator target?, light, higher, cohort?,
why_grey?}] in the order of the pack. A count whose sources were not all heard since the day ended
has no value: what they told of it may be half. `compare` is the median of the same weekday of the
eight weeks before, once half of these days are known.

worse: at most three {id, name_id, name_en, unit, unit_en?, kind (light, score, lost), before?,
after?, light_before, light_after, why_grey?, owner, simulated}, the largest move first; values are
those of the month up to the day before, and up to this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, func, literal, select, union_all

from lawang.city import City
from lawang.domain.incident import Status
from lawang.domain.kpi import Daily, Direction, Grey, Horizon, Light, Span, sum_up, value_of
from lawang.domain.programme import DayCount, MorningFigure
from lawang.domain.service import RequestStatus
from lawang.kpi.cells import Days
from lawang.kpi.hearing import known_days
from lawang.overview.links import source_names
from lawang.overview.model import Change, Overview
from lawang.overview.scenes import Panel, frame, known, named, rounded
from lawang.store import schema
from lawang.store.history import History

#: How many weeks a day is compared with, and how many of their days must be known for that.
WEEKS, _LEAST = 8, 4
#: How many of what got worse.
_WORST = 3
_INCIDENTS = frozenset({DayCount.INCIDENTS_RECEIVED, DayCount.INCIDENTS_DONE})
_FINISHED = {
    DayCount.INCIDENTS_DONE: Status.DONE.value,
    DayCount.REQUESTS_DONE: RequestStatus.DONE.value,
}
_WEEKDAYS_ID = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_WEEKDAYS_EN = (
    "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays",
)  # fmt: skip


class MorningReader:
    """Makes the panel from an overview and history. Blocking; not thread-safe."""

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._history = history
        # Which days are known to the end needs a look at every record: once for a day that is.
        self._told: dict[MorningFigure, tuple[date, date]] = {}

    def read(self, overview: Overview, now: datetime) -> Panel:
        """The panel; `overview` holds the changes since the day before. Raises StoreError."""
        day, city = overview.last, self._city
        days = (day, *(day - timedelta(weeks=n) for n in range(1, WEEKS + 1)))
        figures = city.programme.morning
        facts = self._facts([each.kpi for each in figures if each.kpi in city.kpis], days)
        told = [
            self._count(each, days)
            if each.count is not None
            else self._indicator(each, overview, days, facts.get(each.kpi, {}))
            for each in figures
            if each.count is not None or each.kpi in overview.lines
        ]
        worse = overview.changes.worse[:_WORST]
        sources = {name for figure in told for name in figure["sources"]}
        for change in worse:
            sources.update(source_names(city.kpis[change.kpi], city))
        return {
            **frame(overview, now, sources),
            "day": day.isoformat(),
            "figures": told,
            "worse": [self._worse(each, overview) for each in worse],
        }

    # --- figures -------------------------------------------------------------------------------

    def _facts(
        self, kpis: Sequence[str], days: Sequence[date]
    ) -> Mapping[str, Mapping[date, Daily]]:
        found: dict[str, dict[date, Daily]] = {}
        for fact in self._history.kpis.on_days(kpis, days):
            found.setdefault(fact.kpi, {})[fact.day] = fact
        return found

    def _indicator(
        self,
        figure: MorningFigure,
        overview: Overview,
        days: Sequence[date],
        facts: Mapping[date, Daily],
    ) -> Panel:
        line = overview.lines[figure.kpi]
        kpi, value = line.kpi, line.values[Span.DAY]
        earlier: list[float] = []
        for day in days[1:]:
            alone = [facts[day]] if day in facts else []
            totals = sum_up(kpi, Horizon.ending(Span.DAY, day), alone)
            past = None if totals is None else value_of(kpi, totals)
            if past is not None:
                earlier.append(past)
        return known(
            id=figure.id,
            **named(kpi),
            value=None if value.value is None else rounded(value.value),
            target=None if value.target is None else rounded(value.target),
            light=value.light.value,
            higher=kpi.direction is Direction.UP,
            cohort=line.cohort(Span.DAY),
            why_grey=None if value.grey is None else value.grey.value,
            compare=_compare(earlier, days[0]),
            sources=source_names(kpi, self._city),
            simulated=line.simulated,
        )

    def _count(self, figure: MorningFigure, days: Sequence[date]) -> Panel:
        counts = self._count_days(figure, days)
        own = [name for name in figure.sources if name in self._city.sources]
        value = counts.get(days[0])
        return known(
            id=figure.id,
            name_id=figure.name_id,
            name_en=figure.name_en,
            unit=figure.unit,
            unit_en=figure.unit_en or None,
            value=value,
            # There is nothing that a count is held to; grey is one that nobody can tell.
            light=Light.GREY.value if value is None else None,
            why_grey=Grey.NO_DATA.value if value is None else None,
            compare=_compare([counts[day] for day in days[1:] if day in counts], days[0]),
            sources=own,
            simulated=any(self._city.sources[name].simulated for name in own),
        )

    def _count_days(self, figure: MorningFigure, days: Sequence[date]) -> dict[date, int]:
        """How many records there are of each of the days, of which all are known."""
        with self._history.database.reading() as connection:
            stretch = self._known(connection, figure, days)
            if stretch is None:
                return {}
            wanted = [day for day in days if stretch[0] <= day <= stretch[1]]
            return _read_counts(connection, figure, wanted, self._city) if wanted else {}

    def _known(
        self, connection: Connection, figure: MorningFigure, days: Sequence[date]
    ) -> tuple[date, date] | None:
        """First and last day of which every record is known."""
        kept = self._told.get(figure)
        if kept is not None and kept[1] == days[0]:
            return kept
        wanted = Days(days[-1], days[0], self._city.timezone)
        found = known_days(connection, _table_of(figure), figure.sources, wanted)
        if found is not None and found[1] == days[0]:
            self._told[figure] = found
        return found

    # --- what got worse ------------------------------------------------------------------------

    def _worse(self, change: Change, overview: Overview) -> Panel:
        line = overview.lines[change.kpi]
        kpi, before, after = line.kpi, change.before, change.after
        owner = self._city.opds.get(kpi.owner)
        return known(
            id=kpi.id,
            **named(kpi),
            kind=change.kind.value,
            before=None if before.value is None else rounded(before.value),
            after=None if after.value is None else rounded(after.value),
            light_before=before.light.value,
            light_after=after.light.value,
            why_grey=None if after.grey is None else after.grey.value,
            owner=kpi.owner if owner is None else owner.name,
            simulated=line.simulated,
        )


def _table_of(figure: MorningFigure) -> Any:
    return schema.incident if figure.count in _INCIDENTS else schema.service_request


def _read_counts(
    connection: Connection, figure: MorningFigure, days: Sequence[date], city: City
) -> dict[date, int]:
    """One look at an index for each day."""
    table = _table_of(figure)
    status = None if figure.count is None else _FINISHED.get(figure.count)
    at = table.c.requested_at if status is None else table.c.closed_at
    parts = []
    for place, day in enumerate(days):
        since, until = Days(day, day, city.timezone).bounds
        part = select(literal(place), func.count()).where(
            table.c.source_id.in_(figure.sources), at >= since, at < until
        )
        parts.append(part if status is None else part.where(table.c.status == status))
    return {days[place]: int(count) for place, count in connection.execute(union_all(*parts))}


def _compare(values: Sequence[float], day: date) -> Panel | None:
    """The usual figure of that weekday; None where too few such days are known."""
    if len(values) < _LEAST:
        return None
    weekday, count = day.weekday(), len(values)
    of_id = str(WEEKS) if count == WEEKS else f"{count} dari {WEEKS}"
    of_en = f"the last {WEEKS}" if count == WEEKS else f"{count} of the last {WEEKS}"
    return {
        "value": rounded(float(median(values))),
        "name_id": f"median {of_id} hari {_WEEKDAYS_ID[weekday]} terakhir",
        "name_en": f"median of {of_en} {_WEEKDAYS_EN[weekday]}",
        "days": count,
        "of": WEEKS,
    }
