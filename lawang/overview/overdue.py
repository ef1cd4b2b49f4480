"""What is overdue, and with whom: reports, applications, data and steps of the masterplan.

The list is by weight, the heaviest first: how many are late times the days since the first of them
was due, so that one that nobody has touched for a month weighs as much as thirty of yesterday. For
data these days are counted from the last time its source was heard; a source that never was has no
date and comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from lawang.city import City
from lawang.domain.health import Health, SourceState, health
from lawang.kpi.cells import ONE_DAY, day_start
from lawang.overview.model import MilestoneLine, MilestoneState, Overdue, OverdueKind
from lawang.store.history import History
from lawang.store.outcomes import OpenCount, OutcomeStore


def read_overdue(
    city: City,
    history: History,
    states: Mapping[str, SourceState],
    milestones: Iterable[MilestoneLine],
    now: datetime,
) -> tuple[Overdue, ...]:
    """All that is late at `now`, the heaviest first. Blocking."""
    store = OutcomeStore(history.database)
    found = [
        *_by_owner(city, OverdueKind.INCIDENTS, store.open_incidents(now)),
        *_by_owner(city, OverdueKind.REQUESTS, store.open_requests(now, tuple(city.sources))),
        *late_data(city, states, now),
        *_late_steps(city, milestones),
    ]
    found.sort(key=lambda each: (-_weight(each, now), each.owner, each.kind, each.subject))
    return tuple(found)


def late_data(city: City, states: Mapping[str, SourceState], now: datetime) -> Iterable[Overdue]:
    """Each source that is not fresh, as its department's debt."""
    for source in city.sources.values():
        state = states.get(source.id) or SourceState(source_id=source.id)
        if health(state, source.cadence, now) is not Health.FRESH:
            yield Overdue(
                kind=OverdueKind.DATA,
                owner=source.opd,
                count=1,
                of=None,
                oldest=state.last_success,
                sources=(source.id,),
                subject=source.id,
            )


def _late_steps(city: City, milestones: Iterable[MilestoneLine]) -> Iterable[Overdue]:
    for line in milestones:
        step = line.milestone
        if line.state is MilestoneState.LATE and step.due is not None:
            yield Overdue(
                kind=OverdueKind.MILESTONE,
                owner=step.owner,
                count=1,
                of=None,
                oldest=day_start(step.due + ONE_DAY, city.timezone),
                subject=step.id,
            )


def _by_owner(city: City, kind: OverdueKind, counts: Iterable[OpenCount]) -> Iterable[Overdue]:
    """Open records by the department that has to act; those with nothing overdue are left out.

    A report is the department's that its source names, where that is one of the pack (by id, short
    or full name); else, as for a bureau of it, of the department whose source it is.
    """
    names = {
        name.casefold(): opd.id
        for opd in city.opds.values()
        for name in (opd.id, opd.name, opd.full_name)
        if name
    }
    groups: dict[str, list[OpenCount]] = {}
    for each in counts:
        source = city.sources.get(each.source_id)
        owner = names.get((each.agency or "").strip().casefold(), source.opd if source else "")
        if owner:
            groups.setdefault(owner, []).append(each)
    for owner, own in groups.items():
        late = [each for each in own if each.past_due]
        if late:
            yield Overdue(
                kind=kind,
                owner=owner,
                count=sum(each.past_due for each in late),
                of=sum(each.open for each in own),
                oldest=min(each.oldest for each in late if each.oldest is not None),
                sources=tuple(sorted({each.source_id for each in late})),
            )


def _weight(each: Overdue, now: datetime) -> float:
    if each.oldest is None:
        return -1.0
    return each.count * max(0.0, (now - each.oldest) / timedelta(days=1))
