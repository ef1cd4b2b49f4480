"""Chores of the poller: only who holds the clock does them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from connectors.http import client_for
from lawang.city import City
from lawang.polling.service import PollerService
from lawang.store.history import History
from lawang.store.live import LiveStore


class Diary:
    """A chore that notes when it began and ended, and whether it might have written."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self.began = asyncio.Event()
        self.may_write: Callable[[], bool] = lambda: False

    def start(self, may_write: Callable[[], bool]) -> None:
        self.noted.append(f"start, may write: {may_write()}")
        self.may_write = may_write
        self.began.set()

    def stop(self) -> None:
        self.noted.append(f"stop, may write: {self.may_write()}")


def test_a_chore_begins_with_the_clock_and_ends_before_it_is_given_up(
    city: City, sqlite_history: History, live: LiveStore
) -> None:
    async def run() -> list[str]:
        diary = Diary()
        service = PollerService(
            city, [], sqlite_history, live, client_for=client_for, chores=[diary]
        )
        running = asyncio.create_task(service.run())
        await asyncio.wait_for(diary.began.wait(), 60)
        service.stop()
        await asyncio.wait_for(running, 60)
        return diary.noted

    assert asyncio.run(run()) == ["start, may write: True", "stop, may write: True"]


def test_who_stands_by_does_no_chores(city: City, sqlite_history: History, live: LiveStore) -> None:
    async def run() -> list[str]:
        first, second = Diary(), Diary()
        holder, other = (
            PollerService(city, [], sqlite_history, live, client_for=client_for, chores=[each])
            for each in (first, second)
        )
        running = asyncio.create_task(holder.run())
        await asyncio.wait_for(first.began.wait(), 60)
        standing_by = asyncio.create_task(other.run())
        # Long enough for it to have looked at the lease: stopping waits for a look under way.
        await asyncio.to_thread(live.ping)
        other.stop()
        await asyncio.wait_for(standing_by, 60)
        holder.stop()
        await asyncio.wait_for(running, 60)
        return [each for each in second.noted if each.startswith("start")]

    assert asyncio.run(run()) == []
