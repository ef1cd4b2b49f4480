"""The contract between the kernel and a protocol.

A connector is one folder in `connectors/` whose package exposes `CONNECTOR`, an object of the
`Connector` protocol. `fetch` talks to the source and yields raw answers; `parse` is pure and turns
one answer into records. Connectors never write: polling does. Everything that differs between two
departments with the same protocol is in the source's TOML file, read into `Options`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import httpx
from pydantic import BaseModel, ConfigDict

from lawang.domain.clock import Clock
from lawang.domain.incident import Reject, Report


class Options(BaseModel):
    """Base of every connector's options: what `[connection]` of a source file may hold.

    Unknown keys are mistakes and are refused, so that a misspelt setting never passes silently.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the last committed poll stood.

    `watermark` is the newest change time of the source seen so far, by the source's own clock, but
    never later than our own at fetch. `validators` are ETags by request, in the connector's keys.
    """

    watermark: datetime | None = None
    validators: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the source as it arrived.

    `kind` tells `parse` what the bytes are (the connector's own word, such as "requests").
    `simulated` is set when the server marked its answer with `X-Simulated`.
    `validators` are to be remembered once everything of this poll is committed.
    """

    body: bytes
    content_type: str
    fetched_at: datetime
    kind: str = ""
    simulated: bool = False
    validators: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one answer holds. `watermark` is the newest change time stated in it, if any."""

    reports: list[Report] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    watermark: datetime | None = None


@dataclass(frozen=True, slots=True)
class FetchContext:
    """What a connector gets for one poll: a client bound to the source's policy, and the time."""

    client: httpx.AsyncClient
    clock: Clock
    timeout: timedelta
    max_bytes: int


class Connector(Protocol):
    """One protocol that departments speak.

    `fetch` is an async generator of answers, page by page; it raises `RetryLater` or `NeedsPerson`
    (see `lawang.domain.errors`) and yields nothing when the source says that nothing changed.
    `parse` never raises for bad data: what it cannot use becomes a `Reject`; an answer that is no
    answer at all raises `RetryLater("garbage", ...)`.
    """

    name: str
    options: type[Options]

    def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]: ...

    def parse(self, options: Options, answer: Answer) -> Parsed: ...
