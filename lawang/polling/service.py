"""The poller process: lease, clock, board and indicators together, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from lawang.board.worker import BoardWorker
from lawang.city import City
from lawang.domain.clock import Clock, utc_now
from lawang.domain.errors import Fenced, StoreError
from lawang.domain.health import SourceState
from lawang.domain.kpi import Span
from lawang.kpi.evaluate import Evaluator
from lawang.kpi.worker import KpiWorker
from lawang.overview.panel import OverviewPanels
from lawang.polling.clock import SourceClock
from lawang.polling.lease import RENEW_S, ClockLease
from lawang.polling.poll import Bound, ClientFactory, Poller, ReachFactory
from lawang.rules.panel import AlarmsPanel
from lawang.rules.watch import RuleWatch
from lawang.screens.alarms import alarms_of
from lawang.screens.desk import ScreenDesk, still_programme
from lawang.screens.panel import ScreenPanels
from lawang.screens.reload import ProgrammeFile
from lawang.store.history import History
from lawang.store.live import LiveStore

log = structlog.get_logger(__name__)


class Chore(Protocol):
    """Something else that only the holder of the clock does, in threads of its own."""

    def start(self, may_write: Callable[[], bool]) -> None:
        """Begin, at once; `may_write` tells whether the clock is still held."""

    def stop(self) -> None:
        """End, and wait for what is under way; may block for seconds. Safe to repeat."""


class PollerService:
    """Holds the lease; while it has it, polls the sources and computes the board.

    The board runs in this process, as only the holder of the lease may announce panels: one
    writer, no two truths.
    """

    def __init__(
        self,
        city: City,
        sources: Sequence[Bound],
        history: History,
        live: LiveStore,
        *,
        client_for: ClientFactory,
        reach_for: ReachFactory = lambda _source, _options: (None, None),
        chores: Sequence[Chore] = (),
        programme: ProgrammeFile | None = None,
        build: str = "",
        clock: Clock = utc_now,
    ) -> None:
        """`programme` is the followed file of the walls' programme; without it, what the pack had
        at the start. `build` is that of the pages; "": any wall's is taken as the present one."""
        self._live = live
        self._chores = chores
        self._lease = ClockLease(live, history)
        self._evaluator = Evaluator(city, history.kpis)
        desk = ScreenDesk(
            programme or still_programme(city, clock),
            history.screens,
            city.timezone,
            build,
            clock,
            alarms_of(city, history),
        )
        self._board = BoardWorker(
            city,
            history,
            live,
            clock=clock,
            may_write=self._holds_clock,
            overview=OverviewPanels(city, history),
            alarms=AlarmsPanel(city, history),
            screens=ScreenPanels(city, desk, self._source_states, self._score),
        )
        self._rules = RuleWatch(
            city,
            history,
            live,
            clock=clock,
            may_write=self._holds_clock,
            screens=lambda: desk.in_force.programme.screens,
        )
        self._indicators = KpiWorker(
            city,
            history,
            clock=clock,
            may_write=self._holds_clock,
            on_change=self._board.reread_indicators,
        )
        self._poller = Poller(
            city,
            history,
            live,
            clock=clock,
            client_for=client_for,
            reach_for=reach_for,
            on_live_lost=self._board.refill,
            may_write=self._holds_clock,
        )
        self._now = clock
        self._sources = sources
        self._clock = SourceClock(sources, self._poll, clock=clock)
        self._busy: set[str] = set()
        self._under_way: set[asyncio.Task[object]] = set()
        # Connections that last; they do not end by themselves when the clock is given up.
        self._streams: set[asyncio.Task[object]] = set()
        self._wanted: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._standing_by = False
        self._leading = False

    def stop(self) -> None:
        """End `run` after the polls under way; safe from a signal handler of the loop."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until `stop`."""
        try:
            while not self._stopping.is_set():
                fence = await asyncio.to_thread(self._lease.tick)
                await self._follow(fence)
                await self._poll_wanted()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RENEW_S)
        finally:
            await self._step_down()
            await asyncio.to_thread(self._lease.give_up)
            await self._poller.close()

    def _source_states(self) -> dict[str, SourceState] | None:
        try:
            return self._live.source_states()
        except StoreError:
            return None

    def _score(self, at: datetime) -> float | None:
        """The city's score of the last 30 days."""
        return self._evaluator.scores(Span.MONTH, at)[0].score

    def _holds_clock(self) -> bool:
        return self._lease.fence is not None

    async def _follow(self, fence: int | None) -> None:
        if fence is None and self._leading:
            log.warning("the clock is not ours any more; polling pauses")
            await self._step_down()
        elif fence is None and not self._standing_by:
            self._standing_by = True
            log.info("standing by: another poller holds the clock, or the cache is away")
        elif fence is not None and not self._leading:
            log.info("this poller holds the clock", fence=fence, sources=len(self._sources))
            self._leading = True
            self._standing_by = False
            self._poller.fence = fence
            self._poller.forget()
            self._board.start()
            self._indicators.start()
            self._rules.start()
            self._clock.start()
            for chore in self._chores:
                chore.start(self._holds_clock)
        elif fence is not None:
            self._poller.fence = fence

    async def _step_down(self) -> None:
        self._leading = False
        self._clock.stop()
        for stream in self._streams:
            stream.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=5)
        await asyncio.to_thread(self._board.stop)
        await asyncio.to_thread(self._indicators.stop)
        await asyncio.to_thread(self._rules.stop)
        for chore in self._chores:
            await asyncio.to_thread(chore.stop)

    async def _poll(self, bound: Bound) -> None:
        """One tick of one source: not while it is still busy, or being left alone.

        Returns at once, as the clock would call a slow poll a fault of its own.
        """
        name = bound.source.id
        if name in self._busy or self._lease.fence is None:
            return
        if not self._poller.is_due(name, self._now()):
            return
        self._busy.add(name)
        task = asyncio.create_task(self._poll_now(bound), name=f"poll {name}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        if bound.connector.streams:
            self._streams.add(task)
            task.add_done_callback(self._streams.discard)

    async def _poll_now(self, bound: Bound) -> None:
        name = bound.source.id
        try:
            await self._poller.poll(bound)
        except Fenced:
            # The lease is gone as well; the next look at it ends board and clock together.
            log.warning("a newer clock has written; this poller steps back", source=name)
            self._lease.lose()
        except StoreError as error:
            log.warning("poll not recorded", source=name, kind=error.kind)
        finally:
            self._busy.discard(name)

    async def _poll_wanted(self) -> None:
        """Poll at once what a person asked for; a source that is being left alone, too."""
        if not self._leading:
            return
        with contextlib.suppress(StoreError):
            for name in await asyncio.to_thread(self._live.take_wanted):
                for bound in self._sources:
                    if bound.source.id == name:
                        self._poller.hurry(name)
                        self._wanted.add(asyncio.create_task(self._poll(bound)))
        self._wanted = {task for task in self._wanted if not task.done()}
