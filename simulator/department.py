"""What the simulator needs to know of a department in order to host it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime

from starlette.routing import BaseRoute

from simulator.faults import Confusion, Faults

#: Tag of what the city reaches over the internet; all others stand in the city's own network.
INTERNET = "internet"


def _stay(at: datetime) -> None:
    """The life of a department whose every state follows from the time alone."""


def _leave() -> None:
    """The end of a department that holds nothing open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One simulated department, mounted under `/<id>`.

    `routes` are its public protocol and stand behind `faults`; `controls` are switches of the
    simulation (such as rain) that no fault reaches. `confusion` is what wrong types mean here.
    `advance` moves its life on to an instant: blocking, idempotent, called from a worker thread.
    `note` is said in the log and on `GET /`; `path` is where its protocol begins.

    What does not speak HTTP (a broker, a folder, a pusher) is what `run` makes: entered on the
    event loop once the past has been made, left at shutdown. When entering fails, or something
    inside (an `asyncio.TaskGroup` ends its body), it is entered again after a while. Such a
    department obeys `faults.present` itself; `fault_kinds` are kinds it has beside `faults.KINDS`.

    `tags` name groups for scenarios, such as `INTERNET`.
    """

    id: str
    name: str
    protocol: str
    path: str = ""
    note: str = ""
    routes: Sequence[BaseRoute] = ()
    controls: Sequence[BaseRoute] = ()
    faults: Faults = field(default_factory=Faults)
    fault_kinds: Sequence[str] = ()
    confusion: Confusion | None = None
    tags: frozenset[str] = frozenset()
    advance: Callable[[datetime], None] = _stay
    close: Callable[[], None] = _leave
    run: Callable[[], AbstractAsyncContextManager[None]] | None = None
