"""`poll(source)`: one attempt to hear a source, from its answer to the stored, announced facts."""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog

from lawang.city import City, Source
from lawang.connector import Answer, Connector, Cursor, FetchContext, Options
from lawang.domain.clock import Clock
from lawang.domain.errors import Fenced, NeedsPerson, RetryLater, SourceError, StoreError
from lawang.domain.health import SourceState
from lawang.domain.incident import UNKNOWN_CATEGORY, Incident, Status
from lawang.polling.settle import CLOCK_TOLERANCE, settle
from lawang.store.history import History, Settled
from lawang.store.live import KEPT_AFTER_CLOSING, LiveStore

log = structlog.get_logger(__name__)

#: The state of a source is written to history at least this often, and at every change.
_PERSIST_EVERY = timedelta(seconds=60)
_BACKOFF_FACTOR_MAX = 6
_BACKOFF_CAP_S = 900.0
_RETRY_AFTER_CAP_S = 3600.0

ClientFactory = Callable[[Source, Options], httpx.AsyncClient]


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
    rejected: int = 0
    changed: int = 0
    skewed: int = 0
    outdated: int = 0
    #: None until an answer has told.
    simulated: bool | None = None


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
        on_live_lost: Callable[[], None] = lambda: None,
        may_write: Callable[[], bool] = lambda: True,
        random_source: Callable[[], float] = random.random,
    ) -> None:
        self._city = city
        self._history = history
        self._live = live
        self._clock = clock
        self._client_for = client_for
        self._on_live_lost = on_live_lost
        self._may_write = may_write
        self._random = random_source
        self._states: dict[str, SourceState] = {}
        # Failures of sources whose state could not be read yet, as history is away.
        self._unread: dict[str, SourceState] = {}
        self._persisted: dict[str, datetime] = {}
        self._not_before: dict[str, datetime] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
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
        self._not_before.clear()

    def is_due(self, source_id: str, now: datetime) -> bool:
        """False while a failing source is being left alone (back-off, or its own Retry-After)."""
        not_before = self._not_before.get(source_id)
        return not_before is None or now >= not_before

    async def poll(self, bound: Bound) -> SourceState:
        """Attempt one poll and return the state it leads to. Never raises for the source's faults.

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
        cursor = await asyncio.to_thread(self._history.cursor, source.id)
        context = FetchContext(
            client=self._client(bound),
            clock=self._clock,
            timeout=timedelta(seconds=source.timeout_s),
            max_bytes=bound.max_bytes,
        )
        tally = _Tally()
        validators = dict(cursor.validators)
        watermark = cursor.watermark
        state = before
        async for answer in bound.connector.fetch(bound.options, cursor, context):
            state, newest = await asyncio.to_thread(self._take, bound, answer, state, tally)
            # Kept at once: a later page may fail, and these records are stored all the same.
            self._states[source.id] = state
            validators |= answer.validators
            watermark = _move(watermark, newest, answer.fetched_at)
        now = self._clock()
        done = replace(
            state,
            last_attempt=started,
            last_success=now,
            observed_at=_newest(state.observed_at, watermark),
            failing_since=None,
            failures=0,
            error_kind="",
            error_detail="",
            refused=False,
            duration_ms=round((now - started).total_seconds() * 1000, 1),
            records=tally.records,
            skewed=state.skewed + tally.skewed,
            outdated=state.outdated + tally.outdated,
            simulated=before.simulated if tally.simulated is None else tally.simulated,
        )
        next_cursor = Cursor(watermark, validators)
        await asyncio.to_thread(self._finish, source, cursor, next_cursor, done, tally)
        if before.failures:
            log.info(
                "source recovered",
                source=source.id,
                failures=before.failures,
                since=before.failing_since.isoformat() if before.failing_since else None,
            )
        self._not_before.pop(source.id, None)
        self._states[source.id] = done
        await asyncio.to_thread(self._announce, done)
        return done

    def _take(
        self, bound: Bound, answer: Answer, state: SourceState, tally: _Tally
    ) -> tuple[SourceState, datetime | None]:
        """Parse, settle and store one answer; the cursor does not move here."""
        parsed = bound.connector.parse(bound.options, answer)
        simulated = answer.simulated or bound.source.simulated
        page = settle(
            parsed.reports,
            bound.source,
            self._city,
            fetched_at=answer.fetched_at,
            simulated=simulated,
        )
        settled = self._history.settle(
            bound.source.id,
            page.incidents,
            [*parsed.rejects, *page.rejects],
            fetched_at=answer.fetched_at,
            fence=self.fence,
        )
        tally.records += len(parsed.reports) + len(parsed.rejects)
        tally.rejected += len(parsed.rejects) + len(page.rejects)
        tally.changed += len(settled.incidents) + settled.quarantined
        tally.skewed += page.skewed
        tally.outdated += settled.outdated
        tally.simulated = simulated or bool(tally.simulated)
        if settled.incidents:
            self._show(settled.incidents)
        return _count(state, settled), parsed.watermark

    def _show(self, incidents: list[Incident]) -> None:
        oldest = self._clock() - KEPT_AFTER_CLOSING
        stays = [item for item in incidents if item.closed_at is None or item.closed_at >= oldest]
        goes = [item.id for item in incidents if item.closed_at and item.closed_at < oldest]
        try:
            self._live.put(stays, goes)
        except StoreError:
            # History has it; the wall gets it when live state is filled again.
            self._on_live_lost()

    def _finish(
        self,
        source: Source,
        before: Cursor,
        after: Cursor,
        state: SourceState,
        tally: _Tally,
    ) -> None:
        now = state.last_success or self._clock()
        persisted = self._persisted.get(source.id)
        quiet = before == after and not tally.changed and self._states[source.id].failures == 0
        if quiet and persisted is not None and now - persisted < _PERSIST_EVERY:
            return
        self._history.finish_poll(source.id, after, state, fence=self.fence, now=now)
        self._persisted[source.id] = now

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
        # A state that lacks what history knows must not replace the one that is shown.
        if loaded:
            await asyncio.to_thread(self._announce, failed)
        # After the wall was told: a history that is busy takes its time to say so.
        if failures == 1:
            await asyncio.to_thread(self._record_outage, failed)
        return failed

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


def _count(state: SourceState, settled: Settled) -> SourceState:
    """Carry the totals on by what changed, so that no poll has to count the whole history."""
    totals: dict[str, Any] = {
        "incidents": state.incidents + len(settled.incidents) - len(settled.before),
        "quarantined": state.quarantined + settled.quarantined,
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
