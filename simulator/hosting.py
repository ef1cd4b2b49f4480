"""Lets the departments live while the server runs; none of them can end another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import structlog
from starlette.types import ASGIApp

from lawang.domain.clock import Clock
from simulator.department import Department

_log = structlog.get_logger(__name__)

#: Waits before something that fell is entered again: the first, doubled each time up to the last.
RETRY_MIN_S, RETRY_MAX_S = 0.5, 30.0
#: So many first waits long must something stay up to count as recovered.
_WELL_AFTER = 10
#: How long start-up waits for what is entered, and shutdown for what is left.
_ENTER_S, _LEAVE_S = 15.0, 8.0


class Hosting:
    """A Starlette lifespan.

    Start-up brings every department's past up to the present, then enters what they run.
    `follow` is called on the event loop with the present instant, tick by tick.
    """

    def __init__(
        self,
        departments: Sequence[Department],
        clock: Clock,
        tick_s: float,
        follow: Callable[[datetime], None],
        retry_s: float = RETRY_MIN_S,
    ) -> None:
        self._departments = departments
        self._clock = clock
        self._tick_s = tick_s
        self._follow = follow
        self._retry_s = retry_s

    @contextlib.asynccontextmanager
    async def __call__(self, app: ASGIApp) -> AsyncIterator[None]:
        tasks: list[asyncio.Task[None]] = []
        try:
            lives = [await self._begun(each) for each in self._departments]
            tasks += [asyncio.create_task(life.go_on(self._tick_s)) for life in lives]
            tries = []
            for each in self._departments:
                if each.run is not None:
                    tries.append(tried := asyncio.Event())
                    tasks.append(asyncio.create_task(self._run(each, each.run, tried)))
            await _within(_ENTER_S, *(asyncio.create_task(tried.wait()) for tried in tries))
            tasks.append(asyncio.create_task(self._follow_time()))
            yield
        finally:
            for task in tasks:
                task.cancel()
            await _within(_LEAVE_S, *tasks)
            for department in self._departments:
                department.close()

    async def _begun(self, department: Department) -> _Life:
        life = _Life(department, self._clock)
        await life.move_on()
        _log.info("simulated department", id=department.id, note=department.note)
        return life

    async def _follow_time(self) -> None:
        """Follow tick by tick; one that fails is logged, the first of several, and not the end."""
        failing = False
        while True:
            try:
                self._follow(self._clock())
            except Exception:
                if not failing:
                    _log.exception("the scenario does not go on")
                failing = True
            else:
                if failing:
                    _log.info("the scenario goes on")
                failing = False
            await asyncio.sleep(self._tick_s)

    async def _run(
        self,
        department: Department,
        run: Callable[[], AbstractAsyncContextManager[None]],
        tried: asyncio.Event,
    ) -> None:
        """Keep entered what a department runs; logs once when it falls and once on recovery."""
        wait, falls = self._retry_s, 0
        while True:
            try:
                async with run():
                    tried.set()
                    # What falls again at once has not recovered.
                    await asyncio.sleep(_WELL_AFTER * self._retry_s if falls else 0)
                    if falls:
                        _log.info("simulated department runs again", id=department.id, falls=falls)
                    wait, falls = self._retry_s, 0
                    await asyncio.Event().wait()
            except Exception:
                if not falls:
                    _log.exception("simulated department does not run", id=department.id)
                falls += 1
                tried.set()
            await asyncio.sleep(wait)
            wait = min(wait * 2, RETRY_MAX_S)


class _Life:
    """One department moved on tick by tick; logs once when it stands still, once on recovery."""

    def __init__(self, department: Department, clock: Clock) -> None:
        self._department = department
        self._clock = clock
        self._failing = False

    async def go_on(self, tick_s: float) -> None:
        while True:
            await asyncio.sleep(tick_s)
            await self.move_on()

    async def move_on(self) -> None:
        department = self._department
        try:
            await asyncio.to_thread(department.advance, self._clock())
        except Exception:
            if not self._failing:
                _log.exception("simulated department stands still", id=department.id)
            self._failing = True
        else:
            if self._failing:
                _log.info("simulated department goes on", id=department.id)
            self._failing = False


async def _within(seconds: float, *tasks: asyncio.Task[object]) -> None:
    """Wait for all, but no longer than that; what is late is cancelled and left behind."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
