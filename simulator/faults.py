"""Faults on demand: the ways in which a department's system fails in real life.

`FaultGate` stands in front of a department's protocol and spoils its answers as the present
`Fault` says. The fault is kept in memory only: a restarted simulator is a healthy one.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lawang.domain.clock import Clock

KINDS = (
    "none",
    "off",
    "slow",
    "500",
    "429",
    "garbage",
    "truncated",
    "wrong_types",
    "clock_skew",
    "auth",
    "huge",
)

#: The ASGI scope key under which `serve.AbortableProtocol` puts the transport's abort.
ABORT = "simulator.abort"

HUGE_BYTES = 200_000_000
_CHUNK_BYTES = 65_536
# Option of each kind: its name, its default, the least and the greatest value.
_OPTIONS = {
    "slow": ("seconds", 30.0, 0.0, 3_600.0),
    "429": ("retry_after", 10.0, 0.0, 86_400.0),
    "clock_skew": ("seconds", 7_200.0, -31_536_000.0, 31_536_000.0),
}

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How the fault wrong_types spoils a department's records.

    Its records are the objects of a list that have the key `identity`; each of `wrong` is laid
    over one of them in turn.
    """

    identity: str
    wrong: tuple[Mapping[str, Any], ...]


#: For a department that has none of its own: every list becomes an object, no record is known.
_ANY_LIST = Confusion("", ())


class FaultError(ValueError):
    """A fault that cannot be set; the message is a sentence for whoever asked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The present fault. `amount` is in seconds and means something for three kinds only.

    For a department's own kinds it is what the department makes of it.
    """

    kind: str = "none"
    amount: float = 0.0

    def to_plain(self) -> dict[str, str | float]:
        """The words by which it was asked for."""
        plain: dict[str, str | float] = {"kind": self.kind}
        if self.kind in _OPTIONS:
            plain[_OPTIONS[self.kind][0]] = self.amount
        elif self.kind not in KINDS:
            plain["amount"] = self.amount
        return plain


def read_fault(asked: object, own_kinds: Sequence[str] = ()) -> Fault:
    """Read `{"kind": K, ...}`. Raises FaultError naming what is wrong and what would do.

    `own_kinds` are those that one department has beside `KINDS`; each takes an `amount`, a number
    whose meaning is the department's (0 when not given).
    """
    if not isinstance(asked, Mapping):
        raise FaultError('Send a JSON object such as {"kind": "off"}.')
    kind = asked.get("kind")
    kinds = (*KINDS, *own_kinds)
    if not isinstance(kind, str) or kind not in kinds:
        raise FaultError(f"Unknown kind of fault. Use one of: {', '.join(kinds)}.")
    usual = ("", 0.0, 0.0, 0.0) if kind in KINDS else ("amount", 0.0, -1e9, 1e9)
    option, default, least, greatest = _OPTIONS.get(kind, usual)
    if unknown := sorted(str(key) for key in asked if key not in ("kind", option)):
        raise FaultError(f"{kind} has no option {', '.join(unknown)}.")
    amount = asked.get(option, default)
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        of_what = "" if option == "amount" else " of seconds"
        raise FaultError(f"{option} must be a number{of_what}.")
    if not math.isfinite(amount) or not least <= amount <= greatest:
        unit = "" if option == "amount" else " seconds"
        raise FaultError(f"{option} must lie between {least:g} and {greatest:g}{unit}.")
    return Fault(kind, float(amount))


class Faults:
    """The switch of one department. Belongs to the event loop of the server."""

    def __init__(self) -> None:
        self.present = Fault()
        self._changed = asyncio.Event()

    @property
    def skew(self) -> timedelta:
        """How far the department's clock is ahead of the true one."""
        return timedelta(seconds=self.present.amount if self.present.kind == "clock_skew" else 0)

    def set(self, fault: Fault) -> None:
        """Make `fault` the present one; requests held back by the last one go on at once."""
        self.present = fault
        self._changed.set()
        self._changed = asyncio.Event()

    async def hold(self, seconds: float) -> bool:
        """Wait that long, or until the fault is changed; tells whether it was."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return False
        return True


class FaultGate:
    """ASGI layer that spoils what passes as the present fault says."""

    def __init__(
        self, app: ASGIApp, faults: Faults, clock: Clock, confusion: Confusion | None
    ) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock
        self._confusion = confusion or _ANY_LIST

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.present
        match fault.kind:
            case "off":
                await _hang_up(scope, receive)
            case "slow":
                if await self._faults.hold(fault.amount):
                    await self(scope, receive, send)
                else:
                    await self._app(scope, receive, send)
            case "500":
                await _refuse(send, 500, "Terjadi kesalahan pada server.")
            case "429":
                wait = str(math.ceil(fault.amount)).encode()
                await _refuse(send, 429, "Terlalu banyak permintaan.", [(b"retry-after", wait)])
            case "auth":
                await _refuse(send, 403, "api_key tidak berlaku atau sudah dicabut.")
            case "garbage":
                await _reply(send, 200, _JSON, random.randbytes(4_096))
            case "huge":
                await _pour(scope, receive, send)
            case "truncated":
                await _alter(self._app, scope, receive, send, _cut)
            case "wrong_types":
                confuse = partial(_confuse, self._confusion)
                await _alter(self._app, scope, receive, send, confuse)
            case "clock_skew":
                now = self._clock() + self._faults.skew
                await self._app(scope, receive, _dated(send, now))
            case _:
                await self._app(scope, receive, send)


_JSON: Headers = [(b"content-type", b"application/json; charset=utf-8")]


async def _hang_up(scope: Scope, receive: Receive) -> None:
    abort: Callable[[], None] | None = scope.get(ABORT)
    if abort is None:
        raise RuntimeError("This server cannot abort a connection; run it by simulator.serve.")
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reply(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    headers = [*headers, length]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, code: int, sentence: str, headers: Headers | None = None) -> None:
    body = json.dumps([{"code": code, "description": sentence}]).encode()
    await _reply(send, code, [*_JSON, *(headers or [])], body)


async def _pour(scope: Scope, receive: Receive, send: Send) -> None:
    """Stream a well-formed JSON list of HUGE_BYTES, until the client has had enough."""
    await send({"type": "http.response.start", "status": 200, "headers": _JSON})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
        return
    record = b'{"service_request_id": "EL-0", "description": "' + b"x" * _CHUNK_BYTES + b'"}'
    leaving = asyncio.create_task(_disconnection(receive))
    sent = 0
    try:
        while sent < HUGE_BYTES and not leaving.done():
            chunk = (b", " if sent else b"[") + record
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            sent += len(chunk)
            await asyncio.sleep(0)  # others are served meanwhile
        await send({"type": "http.response.body", "body": b"]"})
    finally:
        leaving.cancel()


async def _disconnection(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _alter(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    change: Callable[[bytes], bytes],
) -> None:
    """Let the department answer in full, then send what `change` makes of the body."""
    asked = [(name, value) for name, value in scope["headers"] if name != b"if-none-match"]
    start: Message = {}
    body = bytearray()

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            body.extend(message.get("body", b""))

    await app({**scope, "headers": asked}, receive, collect)
    kept = [pair for pair in start["headers"] if pair[0] not in (b"content-length", b"etag")]
    await _reply(send, start["status"], kept, change(bytes(body)))


def _cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _confuse(confusion: Confusion, body: bytes) -> bytes:
    """Wrong types in every third record of a JSON answer, numbers as text in all of them.

    A list of something else (e-lapor's services) becomes an object. XML has no types to confuse
    and passes unchanged.
    """
    try:
        value: Any = json.loads(body)
    except ValueError:
        return body
    return json.dumps(_spoilt(confusion, value)).encode()


def _spoilt(confusion: Confusion, value: Any) -> Any:
    """The lists in `value`, spoilt where they stand: bare, or in the envelopes around them."""
    if isinstance(value, dict):
        return {key: _spoilt(confusion, inner) for key, inner in value.items()}
    if not isinstance(value, list) or not value:
        return value
    if any(isinstance(record, dict) and confusion.identity in record for record in value):
        return [_confused(confusion.wrong, index, record) for index, record in enumerate(value)]
    return {str(index): record for index, record in enumerate(value)}


def _confused(wrong: Sequence[Mapping[str, Any]], index: int, record: dict[str, Any]) -> Any:
    turn, rest = divmod(index, 3)
    if rest == 1:
        # One turn more than there are ways: then it is not even a record.
        way = turn % (len(wrong) + 1)
        return "not a record" if way == len(wrong) else {**record, **wrong[way]}
    return {
        key: str(value) if isinstance(value, float | int) else value
        for key, value in record.items()
    }


def _dated(send: Send, now: datetime) -> Send:
    async def dated(message: Message) -> None:
        if message["type"] == "http.response.start":
            stamp = format_datetime(now, usegmt=True).encode()
            message = {**message, "headers": [*message.get("headers", []), (b"date", stamp)]}
        await send(message)

    return dated
