"""Keeps the facts of the field in step with live state, reading no more than what changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from lawang.board.field.course import REACH_S, Course
from lawang.board.field.desks import read_desks
from lawang.board.field.facts import FieldFacts, gauge_refs, moment
from lawang.domain.errors import StoreError
from lawang.domain.programme import MeasureRef
from lawang.store import schema
from lawang.store.history import History
from lawang.store.live import KEPT_AFTER_EXPIRY, LiveStore

log = structlog.get_logger(__name__)

KINDS = ("readings", "positions", "alerts")
#: Live state names the newest reading alone: after a longer pause others may have come before it.
_PAUSE = timedelta(minutes=2)


def fill_field(facts: FieldFacts, live: LiveStore, history: History, now: datetime) -> None:
    """Read everything anew: the facts from live state, courses from history, or later where that
    is away. Raises StoreError where live state is away."""
    wanted = facts.feeds.by_measure
    for key, plain in live.facts("readings").items():
        if (plain["source_id"], plain["measure"]) in wanted:
            facts.readings[key] = plain
    facts.positions = live.facts("positions")
    facts.alerts = live.facts("alerts")
    facts.behind.update(gauge_refs(facts.city))
    _catch_up(facts, history, now)


def take_field(
    facts: FieldFacts,
    changed: Mapping[str, Collection[str]],
    live: LiveStore,
    history: History,
    now: datetime,
) -> list[str]:
    """Follow the facts named in `changed`, by kind; the panels they are for. Raises StoreError
    where live state is away."""
    touched: dict[str, None] = {}
    readings = [key for key in changed.get("readings", ()) if _fed_by(facts, key)]
    courses = {(ref.source, ref.measure): ref for ref in gauge_refs(facts.city)}
    for key, plain in live.facts("readings", readings).items():
        facts.readings[key] = plain
        series = (plain["source_id"], plain["measure"])
        touched |= dict.fromkeys(facts.feeds.by_measure[series])
        if series in courses and not _follow(facts, series, plain["subject"], plain):
            facts.behind.add(courses[series])
    for kind, known in (("positions", facts.positions), ("alerts", facts.alerts)):
        ids = list(changed.get(kind, ()))
        found = live.facts(kind, ids)
        for key in ids:
            # Identifiers begin with their source; one that is over has left live state.
            touched |= dict.fromkeys(facts.feeds.by_source.get((kind, key.partition(":")[0]), ()))
            if key in found:
                known[key] = found[key]
            else:
                known.pop(key, None)
    _catch_up(facts, history, now)
    return list(touched)


def _catch_up(facts: FieldFacts, history: History, now: datetime) -> None:
    """Read the courses that lack something; while history is away they wait."""
    for ref in tuple(facts.behind):
        try:
            _read_courses(facts, history, ref, now)
        except StoreError as error:
            log.debug("courses of gauges not read", kind=error.kind)
            return
        facts.behind.discard(ref)


def drop_expired(facts: FieldFacts, now: datetime) -> list[str]:
    """Forget the alerts that expired long ago; their ids."""
    oldest = now - KEPT_AFTER_EXPIRY
    gone = [
        key
        for key, plain in facts.alerts.items()
        if plain["expires_at"] is not None and moment(plain["expires_at"]) < oldest
    ]
    for key in gone:
        del facts.alerts[key]
    return gone


def counts_requests(facts: FieldFacts, polled: Iterable[str]) -> bool:
    """Whether any of these sources is one whose requests are counted."""
    return any(("requests", source) in facts.feeds.by_source for source in polled)


def read_requests(facts: FieldFacts, history: History, day_began: datetime, now: datetime) -> None:
    """Count letters and licences anew. Raises StoreError."""
    found = read_desks(facts.city, history, day_began, now)
    facts.letters, facts.licences = found.letters, found.licences


def _fed_by(facts: FieldFacts, key: str) -> bool:
    source, measure, _subject = key.split("/", 2)
    return (source, measure) in facts.feeds.by_measure


def _follow(
    facts: FieldFacts, series: tuple[str, str], subject: str, plain: Mapping[str, object]
) -> bool:
    """Add a gauge's newest reading to its course; False where readings before it may be missing."""
    course = facts.courses.setdefault(series, {}).setdefault(subject, Course())
    at, value = moment(str(plain["at"])), plain["value"]
    assert isinstance(value, int | float)
    newest = course.newest
    course.add(at, float(value))
    return newest is None or at.timestamp() - newest <= _PAUSE.total_seconds()


def _read_courses(facts: FieldFacts, history: History, ref: MeasureRef, now: datetime) -> None:
    reading, series = schema.reading, schema.series
    since = now - timedelta(seconds=REACH_S)
    # Values and times alone: a gauge that speaks every ten seconds has thousands of them.
    statement = (
        select(series.c.subject, reading.c.at, reading.c.value)
        .join(series, series.c.id == reading.c.series_id)
        .where(
            series.c.source_id == ref.source,
            series.c.measure == ref.measure,
            reading.c.held == "",
            reading.c.at >= since,
        )
    )
    found: dict[str, Course] = {}
    with history.database.reading() as connection:
        for row in connection.execute(statement):
            found.setdefault(row.subject, Course()).add(row.at, row.value)
    facts.courses[ref.source, ref.measure] = found
