"""The maturity ladder: every department of the city, judged by its sources and its closings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from lawang.city import City, Source
from lawang.domain.health import SourceState, health
from lawang.domain.maturity import CLOSED_WITHIN_DAYS, SourceFacts, assess
from lawang.overview.model import Rung
from lawang.overview.quality import Book, SourceQuality
from lawang.store.history import History
from lawang.store.outcomes import OutcomeStore


def read_ladder(
    city: City, history: History, book: Book, states: Mapping[str, SourceState], now: datetime
) -> tuple[Rung, ...]:
    """Every department of the pack, in its order, by what is true at `now`. Blocking."""
    since = now - timedelta(days=CLOSED_WITHIN_DAYS)
    return build_ladder(city, book, states, OutcomeStore(history.database).closed_since(since), now)


def build_ladder(
    city: City,
    book: Book,
    states: Mapping[str, SourceState],
    closed: Mapping[str, tuple[int, int]],
    now: datetime,
) -> tuple[Rung, ...]:
    """The same from what was read. `closed` are, by source, those with a due time that closed in
    the last 30 days, and how many of them by then."""
    facts = {
        name: _facts_of(source, states.get(name), book.sources[name], now)
        for name, source in city.sources.items()
    }
    rungs = []
    for opd in city.opds:
        own = tuple(each.id for each in city.sources.values() if each.opd == opd)
        ended = sum(closed.get(name, (0, 0))[0] for name in own)
        in_time = sum(closed.get(name, (0, 0))[1] for name in own)
        assessment = assess([facts[name] for name in own], ended, in_time)
        rungs.append(
            Rung(opd=opd, assessment=assessment, sources=own, closed=ended, in_time=in_time)
        )
    return tuple(rungs)


def _facts_of(
    source: Source, state: SourceState | None, quality: SourceQuality, now: datetime
) -> SourceFacts:
    state = state or SourceState(source_id=source.id)
    unknown = state.unknown_category + state.unknown_status
    return SourceFacts(
        source_id=source.id,
        connector=source.connector,
        health=health(state, source.cadence, now),
        age_s=(now - state.last_success).total_seconds() if state.last_success else None,
        day=quality.day,
        month=quality.month,
        unplaced=state.unlocated / state.incidents if state.incidents else None,
        unknown=min(1.0, unknown / state.incidents) if state.incidents else None,
    )
