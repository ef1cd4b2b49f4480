"""A poll that brings nothing costs history nothing, and what is remembered is not relied upon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from connectors.open311 import CONNECTOR
from lawang.city import City
from lawang.connector import Answer, Connector, Cursor, FetchContext, Options, Parsed
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind, NewFinding
from lawang.store.history import History
from tests.polling.conftest import Desk, MakeBound
from tests.polling.test_poll import DeskOn


@dataclass
class Unchanging:
    """Open311 behind a server that knows what has been read: the second time it says nothing."""

    inner: Connector = CONNECTOR
    name: str = CONNECTOR.name
    options: type[Options] = CONNECTOR.options
    kinds: frozenset[str] = CONNECTOR.kinds
    streams: bool = False
    asked_from: list[Cursor] = field(default_factory=list)

    async def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]:
        self.asked_from.append(cursor)
        if cursor.watermark is None:
            async for answer in self.inner.fetch(options, cursor, context):
                yield answer

    def parse(self, options: Options, answer: Answer) -> Parsed:
        return self.inner.parse(options, answer)


@contextmanager
def counted(history: History) -> Iterator[list[str]]:
    """The statements that history's database is given meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    engine = history.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def polled_twice(desk: Desk, bind: MakeBound) -> Unchanging:
    connector = Unchanging()
    for _ in range(2):
        desk.poll(bind(connector))
    return connector


def test_a_poll_that_brings_nothing_asks_history_for_nothing(
    desk_on: DeskOn, history: History, bind: MakeBound
) -> None:
    desk = desk_on(history)
    connector = polled_twice(desk, bind)
    with counted(history) as statements:
        desk.poll(bind(connector))
    assert statements == []


def test_a_poll_that_brings_nothing_is_still_told_to_the_wall(
    desk_on: DeskOn, history: History, bind: MakeBound, clock: Any
) -> None:
    desk = desk_on(history)
    polled_twice(desk, bind)
    assert desk.live.source_states()["elapor"].last_success == clock.now


def test_a_poll_goes_on_where_the_one_before_stood(
    desk_on: DeskOn, history: History, bind: MakeBound
) -> None:
    connector = polled_twice(desk_on(history), bind)
    assert connector.asked_from == [Cursor(), history.cursor("elapor")]


def test_after_another_poller_was_at_work_the_cursor_is_read_anew(
    desk_on: DeskOn, history: History, bind: MakeBound
) -> None:
    desk = desk_on(history)
    connector = polled_twice(desk, bind)
    state = history.source_state("elapor")
    assert state is not None
    moved = Cursor(connector.asked_from[1].watermark, {"page": "theirs"})
    history.finish_poll("elapor", moved, state, fence=desk.poller.fence, now=desk.clock.now)
    desk.poller.forget()
    desk.poll(bind(connector))
    assert connector.asked_from[-1] == moved


def test_what_people_decide_elsewhere_is_seen_within_a_minute(
    desk: Desk, bind: MakeBound, city: City
) -> None:
    bound = bind()
    facts = Facts(zone=city.timezone, findings=[NewFinding(kind=FindingKind.SHAPE, detail="x")])
    desk.history.note_findings("elapor", facts, seen_at=desk.clock.now)
    assert desk.poll(bound).findings == 1
    (finding,) = desk.history.findings.list(["elapor"])
    desk.history.readings.decide(finding.id, accept=True, by="Ani", note="", at=desk.clock.now)
    desk.clock.forward(seconds=61)
    assert desk.poll(bound).findings == 0
