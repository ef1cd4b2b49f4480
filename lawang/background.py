"""Work that goes on beside everything else: in one thread that can be started and stopped again, or
as a task of an event loop."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod

#: How long stopping waits for the thread; one that is stuck in a store ends later, by itself.
_PATIENCE_S = 10.0


#: How long a task may take to hear that it is cancelled before it is told again.
_HEARS_S = 1.0


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended.

    Once is not enough: where a library's own time limit runs out at the same moment, it takes the
    cancelling for that, and the task goes on.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_HEARS_S)


class Background(ABC):
    """One thread of a poller that holds the clock; `name` is the thread's.

    What is left to subclasses is `_run`, which ends soon after the event it is given is set.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; nothing happens where it has begun already."""
        if self._thread is not None:
            return
        # One of its own: a thread that could not be waited for must not go on with the next one.
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._stop,), name=self._name, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way, and wait for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=_PATIENCE_S)
            self._thread = None

    @abstractmethod
    def _run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what it raises ends the work for good."""
