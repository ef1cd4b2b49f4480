"""What the simulator needs to know of a department in order to host it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.routing import BaseRoute

from simulator.faults import Confusion, Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One simulated department, mounted under `/<id>`.

    `routes` are its public protocol and stand behind `faults`; `controls` are switches of the
    simulation (such as rain) that no fault reaches. `confusion` is what wrong types mean here.
    `advance` moves its life on to an instant: blocking, idempotent, called from a worker thread.
    `note` is said in the log and on `GET /`.
    """

    id: str
    name: str
    protocol: str
    path: str
    note: str
    routes: Sequence[BaseRoute]
    controls: Sequence[BaseRoute]
    faults: Faults
    confusion: Confusion
    advance: Callable[[datetime], None]
    close: Callable[[], None]
