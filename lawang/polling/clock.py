"""The clock: APScheduler calls `poll(source)` for every source, each at its own offset."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from lawang.domain.clock import Clock
from lawang.polling.poll import Bound

log = structlog.get_logger(__name__)

#: Intervals are counted from here, so that offsets stay the same over restarts.
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def offset_s(source_id: str, every_s: float) -> float:
    """Where in its interval a source is polled: spread by hash, the same on every machine."""
    number = int.from_bytes(hashlib.sha256(source_id.encode()).digest()[:8], "big")
    return every_s * (number / 2**64)


def first_tick(source_id: str, every_s: float, now: datetime) -> datetime:
    """The next moment at which a source is due."""
    anchor = _EPOCH + timedelta(seconds=offset_s(source_id, every_s))
    passed = (now - anchor).total_seconds() // every_s
    return anchor + timedelta(seconds=(passed + 1) * every_s)


class SourceClock:
    """Runs the polls while this process holds the lease."""

    def __init__(
        self,
        sources: Sequence[Bound],
        poll: Callable[[Bound], Awaitable[object]],
        *,
        clock: Clock,
    ) -> None:
        self._sources = sources
        self._poll = poll
        self._clock = clock
        self._scheduler: AsyncIOScheduler | None = None

    @property
    def is_running(self) -> bool:
        return self._scheduler is not None

    def start(self) -> None:
        """Begin; each source is heard once at once (within two seconds), then by its offset."""
        scheduler = AsyncIOScheduler(timezone=UTC)
        now = self._clock()
        for bound in self._sources:
            source = bound.source
            scheduler.add_job(
                self._poll,
                IntervalTrigger(
                    seconds=source.every_s,
                    start_date=first_tick(source.id, source.every_s, now),
                    timezone=UTC,
                ),
                args=[bound],
                id=source.id,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=max(1, int(source.every_s)),
            )
            scheduler.add_job(
                self._poll,
                "date",
                run_date=now + timedelta(seconds=offset_s(source.id, min(source.every_s, 2.0))),
                args=[bound],
                id=f"{source.id}:first",
                misfire_grace_time=60,
            )
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """Call no more polls; those under way finish by themselves."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
