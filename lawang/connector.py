"""The contract between the kernel and a protocol.

A connector is one folder in `connectors/` whose package exposes `CONNECTOR`, an object of the
`Connector` protocol. `fetch` talks to the source and yields raw answers; `parse` is pure and turns
one answer into records. Connectors never write: polling does. Everything that differs between two
departments with the same protocol is in the source's TOML file, read into `Options`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from lawang.domain.alert import Bulletin
from lawang.domain.clock import Clock
from lawang.domain.incident import Reject, Report
from lawang.domain.kinds import KINDS
from lawang.domain.measure import Measurement
from lawang.domain.position import Fix
from lawang.domain.service import Application

#: The keys and kinds that a record has where it stands in an answer: "lokasi.lat" -> ("number",).
Shape = dict[str, tuple[str, ...]]


class Options(BaseModel):
    """Base of every connector's options: what `[connection]` of a source file may hold.

    Unknown keys are mistakes and are refused, so that a misspelt setting never passes silently.
    `yields` is the source file's own, not a key of `[connection]`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    yields: tuple[str, ...] = ("incidents",)

    def problems(self) -> Iterable[tuple[tuple[str, ...], str]]:
        """Further mistakes, as the path in the source's file and a sentence about each."""
        return ()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the last committed poll stood.

    `watermark` is the newest change time of the source seen so far, by the source's own clock, but
    never later than our own at fetch. `validators` are what the connector asked to be remembered
    with its answers (ETags, hashes of files read, the number of the last message), in its own keys.
    """

    watermark: datetime | None = None
    validators: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the source as it arrived.

    `kind` tells `parse` what the bytes are (the connector's own word, such as "requests").
    `simulated` is set when the server marked its answer with `X-Simulated`.
    `validators` are to be remembered once everything of this poll is committed; an empty text
    forgets its key.
    `complete` tells that this poll's answers together are the whole of what the source has now, so
    that none at all is a finding; it is False for "what changed since".
    `delivery` names a file or batch whose readings a later one of the same name replaces.
    """

    body: bytes
    content_type: str
    fetched_at: datetime
    kind: str = ""
    simulated: bool = False
    validators: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    delivery: str | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one answer holds. `watermark` is the newest change time stated in it, if any.

    `repeated` counts records whose identity another record of the same answer has; `filled` and
    `fillable` are how many of the mapped fields had a value, and how many could have had one.
    `shape` is that of its records, where they are rows; None where the protocol fixes it.
    """

    reports: list[Report] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    watermark: datetime | None = None
    measurements: list[Measurement] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)
    bulletins: list[Bulletin] = field(default_factory=list)
    repeated: int = 0
    filled: int = 0
    fillable: int = 0
    shape: Shape | None = None

    @property
    def records(self) -> int:
        """How many records arrived, the unusable ones included."""
        return (
            len(self.reports)
            + len(self.measurements)
            + len(self.applications)
            + len(self.fixes)
            + len(self.bulletins)
            + len(self.rejects)
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that a department pushed to us: already verified, stripped and durable.

    `number` grows with every message of the installation.
    """

    number: int
    body: bytes
    content_type: str
    received_at: datetime
    heartbeat: bool = False


class Inbox(Protocol):
    """What was pushed and not yet taken, for connectors whose department speaks first."""

    def waiting(self, source_id: str, after: int, limit: int) -> list[Delivery]:
        """Messages with a number above `after`, oldest first. Blocking; raises StoreError."""
        ...

    def last_heard(self, source_id: str) -> datetime | None:
        """When anything of the source came last, heartbeats included. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class FetchContext:
    """What a connector gets for one poll: a client bound to the source's policy, and the time.

    `source_id` names it in what others keep by source. `inbox` is None where nothing can be pushed
    (`lawang sources check` from a sample). `network` and `rules` are what the client was made with,
    for connectors that open connections of their own (see `connectors.network.reach_of`).
    """

    client: httpx.AsyncClient
    clock: Clock
    timeout: timedelta
    max_bytes: int
    source_id: str = ""
    every: timedelta = timedelta(0)
    inbox: Inbox | None = None
    network: Any = None
    rules: Any = None


class Connector(Protocol):
    """One protocol that departments speak.

    `fetch` is an async generator of answers, page by page; it raises `RetryLater` or `NeedsPerson`
    (see `lawang.domain.errors`) and yields nothing when the source says that nothing changed.
    Whoever asks it for the next answer has stored the last one: that is the moment to acknowledge.
    Where `streams` is true one fetch goes on for as long as the connection lives, and yields an
    answer without a body (`kind` "alive") at least every `context.every` to say that it does.
    `kinds` are those of `KINDS` that it can yield.
    `parse` never raises for bad data: what it cannot use becomes a `Reject`; an answer that is no
    answer at all raises `RetryLater("garbage", ...)`.
    """

    name: str
    options: type[Options]
    kinds: frozenset[str]
    streams: bool

    def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]: ...

    def parse(self, options: Options, answer: Answer) -> Parsed: ...


__all__ = [
    "KINDS",
    "Answer",
    "BaseConnector",
    "Connector",
    "Cursor",
    "Delivery",
    "FetchContext",
    "Inbox",
    "Options",
    "Parsed",
    "Shape",
]

OptionsOf = TypeVar("OptionsOf", bound=Options)


class BaseConnector(Generic[OptionsOf]):
    """A connector from three parts: its options, a fetch and a parse over exactly those."""

    streams: bool = False

    def __init__(
        self,
        name: str,
        options: type[OptionsOf],
        kinds: Iterable[str],
        read: Callable[[OptionsOf, Cursor, FetchContext], AsyncIterator[Answer]],
        parse: Callable[[OptionsOf, Answer], Parsed],
        *,
        streams: bool = False,
    ) -> None:
        self.name = name
        self.options: type[Options] = options
        self.kinds = frozenset(kinds)
        self.streams = streams
        self._own = options
        self._read = read
        self._parse = parse

    def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]:
        """Read the source's answers from `cursor` on."""
        return self._read(self._mine(options), cursor, context)

    def parse(self, options: Options, answer: Answer) -> Parsed:
        """Turn one answer into records."""
        return self._parse(self._mine(options), answer)

    def _mine(self, options: Options) -> OptionsOf:
        if not isinstance(options, self._own):
            expected = self._own.__name__
            raise TypeError(f"{expected} were expected, not {type(options).__name__}")
        return options
