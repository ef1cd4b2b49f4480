"""`poll(source)`: one attempt to hear a source, from its answer to the stored, announced facts."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog

from lawang.city import City, Source
from lawang.connector import Answer, Connector, Cursor, FetchContext, Options, Parsed
from lawang.domain.clock import Clock
from lawang.domain.errors import Fenced, NeedsPerson, RetryLater, SourceError, StoreError
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind, NewFinding
from lawang.domain.health import SourceState
from lawang.domain.incident import UNKNOWN_CATEGORY, Incident, Status
from lawang.domain.quality import Tally
from lawang.polling.kinds import CLOCK_TOLERANCE
from lawang.polling.settle import settle
from lawang.polling.watch import QualityWatch
from lawang.store.history import History, Settled
from lawang.store.live import KEPT_AFTER_CLOSING, LiveStore

log = structlog.get_logger(__name__)

#: The state of a source is written to history at least this often, and at every change.
_PERSIST_EVERY = timedelta(seconds=60)
_BACKOFF_FACTOR_MAX = 6
_BACKOFF_CAP_S = 900.0
_RETRY_AFTER_CAP_S = 3600.0

#: A streaming source that says nothing for this many intervals has lost its connection.
_SILENT_INTERVALS = 4

ClientFactory = Callable[[Source, Options], httpx.AsyncClient]
#: The source's network and its rules, see `connectors.network.reach_of`.
ReachFactory = Callable[[Source, Options], tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Bound:
    """A source with its connector and its validated options."""

    source: Source
    connector: Connector
    options: Options
    max_bytes: int


@dataclass(slots=True)
class _Tally:
    records: int = 0
    changed: int = 0
    skewed: int = 0
    outdated: int = 0
    answers: int = 0
    unusable: int = 0
    unknown: int = 0
    repeated: int = 0
    filled: int = 0
    fillable: int = 0
    #: Whether all answers together were the whole list, and the alerts on it.
    complete: bool = True
    alerts: list[str] = field(default_factory=list)
    #: None until an answer has told.
    simulated: bool | None = None

    def quality(self) -> Tally:
        """What it means for the source's quality: one poll that succeeded."""
        return Tally(
            polls=1,
            records=self.records,
            unusable=self.unusable,
            unknown=self.unknown,
            repeated=self.repeated,
            filled=self.filled,
            fillable=self.fillable,
        )


@dataclass(frozen=True, slots=True)
class _Heard:
    """A poll, or one answer of a stream, that is through: all that remains is to write it down.

    `state` has what was stored counted in; `cursor` is where it began, `following` where it ended.
    """

    bound: Bound
    started: datetime
    cursor: Cursor
    following: Cursor
    state: SourceState
    tally: _Tally


class Poller:
    """Polls sources. One for the whole installation writes at a time: `fence` proves it.

    `may_write` tells whether that is still this one.
    `on_live_lost` is called when something was committed to history but not to live state, which
    then has to be filled anew.
    """

    def __init__(
        self,
        city: City,
        history: History,
        live: LiveStore,
        *,
        clock: Clock,
        client_for: ClientFactory,
        reach_for: ReachFactory = lambda _source, _options: (None, None),
        on_live_lost: Callable[[], None] = lambda: None,
        may_write: Callable[[], bool] = lambda: True,
        random_source: Callable[[], float] = random.random,
    ) -> None:
        self._city = city
        self._history = history
        self._live = live
        self._clock = clock
        self._client_for = client_for
        self._reach_for = reach_for
        self._watch = QualityWatch(history)
        self._on_live_lost = on_live_lost
        self._may_write = may_write
        self._random = random_source
        self._states: dict[str, SourceState] = {}
        # Failures of sources whose state could not be read yet, as history is away.
        self._unread: dict[str, SourceState] = {}
        self._persisted: dict[str, datetime] = {}
        # Where polls stand that this poller itself has finished.
        self._cursors: dict[str, Cursor] = {}
        self._recounted: dict[str, datetime] = {}
        self._not_before: dict[str, datetime] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        # Like a client, bound to the source's file, which does not change while we run.
        self._reach: dict[str, tuple[Any, Any]] = {}
        self.fence = 0

    async def close(self) -> None:
        """Close the connections to all sources."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    def forget(self) -> None:
        """Drop what is remembered of the sources, as another process may have polled them."""
        self._states.clear()
        self._unread.clear()
        self._persisted.clear()
        self._cursors.clear()
        self._recounted.clear()
        self._not_before.clear()
        self._watch.forget()

    def hurry(self, source_id: str) -> None:
        """Let a source be polled at its next tick although it is being left alone."""
        self._not_before.pop(source_id, None)

    def is_due(self, source_id: str, now: datetime) -> bool:
        """False while a failing source is being left alone (back-off, or its own Retry-After)."""
        not_before = self._not_before.get(source_id)
        return not_before is None or now >= not_before

    async def poll(self, bound: Bound) -> SourceState:
        """Attempt one poll and return the state it leads to. Never raises for the source's faults.

        Of a source that streams, a poll is one connection: it lasts until that ends.
        Raises Fenced when another clock has taken over, and StoreError only if neither store
        could be reached to write down what happened.
        """
        source = bound.source
        started = self._clock()
        error: SourceError
        try:
            if source.id not in self._states:
                self._states[source.id] = await asyncio.to_thread(self._load_state, source.id)
            if source.unset:
                raise NeedsPerson("not_configured", ", ".join(source.unset))
            return await self._succeed(bound, started)
        except Fenced:
            raise
        except SourceError as caught:
            error = caught
        except StoreError as caught:
            error = RetryLater(caught.kind, caught.detail)
        except Exception as caught:
            # A fault of ours in one source must not stop the others. Of the error only its type
            # and its place are kept, as the message may hold a citizen's words.
            log.error(
                "poll crashed",
                source=source.id,
                error=type(caught).__name__,
                trace="".join(traceback.format_tb(caught.__traceback__)),
            )
            error = RetryLater("crash", type(caught).__name__)
        return await self._fail(source, started, error)

    async def _succeed(self, bound: Bound, started: datetime) -> SourceState:
        source = bound.source
        before = self._states[source.id]
        cursor = self._cursors.get(source.id)
        if cursor is None:
            cursor = await asyncio.to_thread(self._history.cursor, source.id)
        tally = _Tally()
        validators = dict(cursor.validators)
        watermark = cursor.watermark
        state = before
        answers = bound.connector.fetch(bound.options, cursor, self._context(bound))
        async for answer in _answers(answers, bound):
            if bound.connector.streams:
                # What an answer took, not how long the department had nothing to say.
                started = self._clock()
            if answer.body or not bound.connector.streams:
                state, newest = await asyncio.to_thread(self._take, bound, answer, state, tally)
                watermark = _move(watermark, newest, answer.fetched_at)
            # Kept at once: a later page may fail, and these records are stored all the same.
            self._states[source.id] = state
            validators |= answer.validators
            if bound.connector.streams:
                # Asking for the next answer acknowledges this one, so everything of it is written
                # down before that.
                following = Cursor(watermark, _without_empty(validators))
                heard = _Heard(bound, started, cursor, following, state, tally)
                state = await self._conclude(heard)
                cursor, tally = following, _Tally()
        if bound.connector.streams:
            raise RetryLater("unreachable", "the connection ended")
        following = Cursor(watermark, _without_empty(validators))
        return await self._conclude(_Heard(bound, started, cursor, following, state, tally))

    def _context(self, bound: Bound) -> FetchContext:
        source = bound.source
        reach = self._reach.get(source.id)
        if reach is None:
            reach = self._reach[source.id] = self._reach_for(source, bound.options)
        network, rules = reach
        return FetchContext(
            client=self._client(bound),
            clock=self._clock,
            timeout=timedelta(seconds=source.timeout_s),
            max_bytes=bound.max_bytes,
            source_id=source.id,
            every=timedelta(seconds=source.every_s),
            inbox=self._history.inbox,
            network=network,
            rules=rules,
        )

    async def _conclude(self, heard: _Heard) -> SourceState:
        """Write down what was heard, and tell everybody."""
        source = heard.bound.source
        before = self._states[source.id]
        done = await asyncio.to_thread(self._write_down, heard)
        if before.failures:
            log.info(
                "source recovered",
                source=source.id,
                failures=before.failures,
                since=before.failing_since.isoformat() if before.failing_since else None,
            )
        self._not_before.pop(source.id, None)
        return done

    def _write_down(self, heard: _Heard) -> SourceState:
        """The blocking part of `_conclude`, in one visit to a thread."""
        source, tally = heard.bound.source, heard.tally
        before = self._states[source.id]
        now = self._clock()
        state = self._look_at_whole(source, heard.state, tally, now)
        if now - self._recounted.get(source.id, now - _PERSIST_EVERY) >= _PERSIST_EVERY:
            # People decide about findings in other processes.
            state = replace(state, findings=self._history.findings.count_open(source.id))
            self._recounted[source.id] = now
        done = replace(
            state,
            last_attempt=heard.started,
            last_success=now,
            observed_at=_newest(state.observed_at, heard.following.watermark),
            failing_since=None,
            failures=0,
            error_kind="",
            error_detail="",
            refused=False,
            duration_ms=round((now - heard.started).total_seconds() * 1000, 1),
            records=tally.records,
            skewed=state.skewed + tally.skewed,
            outdated=state.outdated + tally.outdated,
            simulated=before.simulated if tally.simulated is None else tally.simulated,
        )
        self._finish(heard, done)
        self._cursors[source.id] = heard.following
        self._states[source.id] = done
        self._announce(done)
        return done

    def _take(
        self, bound: Bound, answer: Answer, state: SourceState, tally: _Tally
    ) -> tuple[SourceState, datetime | None]:
        """Parse, settle and store one answer; the cursor does not move here."""
        source = bound.source
        parsed = bound.connector.parse(bound.options, answer)
        simulated = answer.simulated or source.simulated
        facts = settle(
            parsed,
            source,
            self._city,
            fetched_at=answer.fetched_at,
            simulated=simulated,
            delivery=answer.delivery,
        )
        facts.findings += self._watch.look(source, answer, parsed)
        settled = self._history.settle(
            source.id,
            facts.incidents,
            facts.rejects,
            fetched_at=answer.fetched_at,
            fence=self.fence,
            facts=facts,
        )
        self._watch.note(source.id)
        self._add_up(tally, answer, parsed, facts, settled)
        tally.simulated = simulated or bool(tally.simulated)
        if settled.changed:
            self._show(settled)
        return _count(state, settled), parsed.watermark

    @staticmethod
    def _add_up(
        tally: _Tally, answer: Answer, parsed: Parsed, facts: Facts, settled: Settled
    ) -> None:
        tally.answers += 1
        tally.complete = tally.complete and answer.complete
        tally.alerts += [alert.id for alert in facts.alerts]
        tally.records += parsed.records
        tally.unusable += len(facts.rejects) + settled.readings.held
        tally.unknown += facts.unknown
        tally.repeated += parsed.repeated
        tally.filled += parsed.filled
        tally.fillable += parsed.fillable
        tally.changed += settled.changed
        tally.skewed += facts.skewed
        tally.outdated += settled.outdated

    def _look_at_whole(
        self, source: Source, state: SourceState, tally: _Tally, now: datetime
    ) -> SourceState:
        """What only the whole of a poll can tell: an empty list, and alerts that are over."""
        self._watch.count(source.id, tally.quality(), now)
        if not (tally.answers and tally.complete):
            return state
        if "alerts" in source.yields:
            ended = self._history.end_missing_alerts(source.id, tally.alerts, now)
            if ended:
                self._show(Settled(alerts=ended))
        # No warning is good news; every other list that empties itself is a fault until looked at.
        held = state.incidents + state.series + state.positions + state.requests
        is_empty = tally.records == 0 and held > 0 and source.yields != ("alerts",)
        if is_empty == state.empty:
            return state
        if not is_empty:
            ended_n = self._history.end_finding(source.id, FindingKind.EMPTY_FEED, now)
            return replace(state, empty=False, findings=max(0, state.findings - ended_n))
        found = Facts(zone=self._city.timezone)
        detail = f"the list is empty; {held} records are known from before"
        found.findings.append(NewFinding(kind=FindingKind.EMPTY_FEED, detail=detail, at=now))
        opened = self._history.note_findings(source.id, found, seen_at=now)
        log.warning("a list that was never empty is", source=source.id)
        return replace(state, empty=True, findings=state.findings + opened)

    def _show(self, settled: Settled) -> None:
        incidents = settled.incidents
        oldest = self._clock() - KEPT_AFTER_CLOSING
        stays = [item for item in incidents if item.closed_at is None or item.closed_at >= oldest]
        goes = [item.id for item in incidents if item.closed_at and item.closed_at < oldest]
        try:
            self._live.put(
                stays,
                goes,
                readings=settled.readings.newest,
                positions=settled.positions,
                alerts=settled.alerts,
            )
        except StoreError:
            # History has it; the wall gets it when live state is filled again.
            self._on_live_lost()

    def _finish(self, heard: _Heard, done: SourceState) -> None:
        source_id = heard.bound.source.id
        now = done.last_success or self._clock()
        persisted = self._persisted.get(source_id)
        is_quiet = heard.cursor == heard.following and not heard.tally.changed
        is_well = self._states[source_id].failures == 0
        if is_quiet and is_well and persisted is not None and now - persisted < _PERSIST_EVERY:
            return
        self._history.finish_poll(source_id, heard.following, done, fence=self.fence, now=now)
        self._persisted[source_id] = now

    async def _fail(self, source: Source, started: datetime, error: SourceError) -> SourceState:
        loaded = source.id in self._states
        known = self._states if loaded else self._unread
        state = known.get(source.id) or SourceState(source_id=source.id)
        failures = state.failures + 1
        failed = replace(
            state,
            last_attempt=started,
            failing_since=state.failing_since or started,
            failures=failures,
            error_kind=error.kind,
            error_detail=error.detail,
            refused=isinstance(error, NeedsPerson) and error.kind != "not_configured",
            duration_ms=round((self._clock() - started).total_seconds() * 1000, 1),
            simulated=source.simulated or state.simulated,
        )
        if failures == 1:
            log.warning("source fails", source=source.id, kind=error.kind, detail=error.detail)
        self._not_before[source.id] = started + timedelta(
            seconds=self.delay_s(source.every_s, failures, error)
        )
        known[source.id] = failed
        await asyncio.to_thread(self._write_down_failure, failed, loaded)
        return failed

    def _write_down_failure(self, failed: SourceState, loaded: bool) -> None:
        # A state that lacks what history knows must not replace the one that is shown.
        if loaded:
            self._announce(failed)
        # After the wall was told: a history that is busy takes its time to say so.
        if failed.failures == 1:
            self._record_outage(failed)
        self._watch.count(failed.source_id, Tally(failures=1), self._clock())

    def delay_s(self, every_s: float, failures: int, error: SourceError) -> float:
        """How long to leave a failing source alone after its `failures`-th failure, in seconds.

        Doubles from one interval up to six (a quarter of an hour at most), less up to a tenth so
        that many sources do not come back in one second; a longer Retry-After is honoured.
        """
        cap = max(every_s, min(every_s * _BACKOFF_FACTOR_MAX, _BACKOFF_CAP_S))
        delay = min(every_s * 2.0 ** min(failures - 1, 10), cap)
        # Just under whole intervals: the clock's tick decides, jitter only spreads the ticks.
        delay -= delay * 0.1 * (0.5 + self._random() / 2)
        wish = error.retry_after_s if isinstance(error, RetryLater) else None
        return max(delay, min(wish, _RETRY_AFTER_CAP_S)) if wish else delay

    def _record_outage(self, state: SourceState) -> None:
        if not self._may_write():
            return
        try:
            self._history.record_outage(
                state.source_id,
                state.failing_since or self._clock(),
                state.error_kind,
                state.error_detail,
            )
        except StoreError as error:
            log.warning("outage not recorded", source=state.source_id, kind=error.kind)

    def _announce(self, state: SourceState) -> None:
        # A poll that ends after its poller lost the clock: the new holder's word counts.
        if not self._may_write():
            return
        try:
            self._live.put(state=state)
        except StoreError:
            self._on_live_lost()

    def _load_state(self, source_id: str) -> SourceState:
        state = self._history.source_state(source_id) or SourceState(source_id=source_id)
        counts: dict[str, Any] = self._history.source_counts(source_id)
        counts |= self._history.records.counts(source_id)
        counts["findings"] = self._history.findings.count_open(source_id)
        state = replace(state, **counts, quarantined=self._history.quarantine_count(source_id))
        failing = self._unread.pop(source_id, None) or self._load_outage(source_id)
        if failing is None:
            return state
        return replace(
            state,
            failing_since=failing.failing_since,
            failures=failing.failures,
            error_kind=failing.error_kind,
            error_detail=failing.error_detail,
        )

    def _load_outage(self, source_id: str) -> SourceState | None:
        """The failure that another process, or this one before its restart, saw begin."""
        outage = next(iter(self._history.outages(source_id, limit=1)), None)
        if outage is None or outage["ended_at"] is not None:
            return None
        return SourceState(
            source_id=source_id,
            failing_since=outage["began_at"],
            failures=1,
            error_kind=outage["error_kind"],
            error_detail=outage["error_detail"],
        )

    def _client(self, bound: Bound) -> httpx.AsyncClient:
        client = self._clients.get(bound.source.id)
        if client is None:
            client = self._client_for(bound.source, bound.options)
            self._clients[bound.source.id] = client
        return client


async def _answers(answers: AsyncIterator[Answer], bound: Bound) -> AsyncIterator[Answer]:
    """The answers of a fetch; a stream that falls silent is a lost connection."""
    if not bound.connector.streams:
        async for answer in answers:
            yield answer
        return
    limit_s = _SILENT_INTERVALS * bound.source.every_s + bound.source.timeout_s
    try:
        while True:
            try:
                async with asyncio.timeout(limit_s):
                    answer = await anext(answers)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise RetryLater("timeout", f"nothing within {limit_s:g} s") from None
            yield answer
    finally:
        await answers.aclose()  # type: ignore[attr-defined]


def _without_empty(validators: dict[str, str]) -> dict[str, str]:
    """An empty text forgets its key."""
    return {key: value for key, value in validators.items() if value}


def _count(state: SourceState, settled: Settled) -> SourceState:
    """Carry the totals on by what changed, so that no poll has to count the whole history."""
    totals: dict[str, Any] = {
        "incidents": state.incidents + len(settled.incidents) - len(settled.before),
        "quarantined": state.quarantined + settled.quarantined,
        "findings": state.findings + settled.findings,
        **{name: getattr(state, name) + number for name, number in settled.new.items()},
    }
    tests: dict[str, Callable[[Incident], bool]] = {
        "unlocated": lambda item: item.kecamatan is None,
        "unknown_category": lambda item: item.category == UNKNOWN_CATEGORY,
        "unknown_status": lambda item: item.status is Status.UNKNOWN,
    }
    for name, test in tests.items():
        totals[name] = (
            getattr(state, name)
            + sum(map(test, settled.incidents))
            - sum(map(test, settled.before))
        )
    return replace(state, **totals)


def _move(
    watermark: datetime | None, newest: datetime | None, fetched_at: datetime
) -> datetime | None:
    """Where the cursor may go: never past our own clock, whatever the source claims.

    While its clock is further ahead than can be believed the cursor stays, so that all it said in
    that time is read again, with the right times, once the clock is right.
    """
    if newest is None or newest > fetched_at + CLOCK_TOLERANCE:
        return watermark
    return _newest(watermark, min(newest, fetched_at))


def _newest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
