"""`POST /ingest/{source}`: where a department pushes, signed, and is told 202 when it is durable.

Programs come here, not browsers: nothing is answered to a request with an Origin, and no cookie is
looked at. Whether a source exists is told only after the same work as for one that does.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError

#: The largest message taken for a source that does not exist, before it is told so.
_STRANGERS_BYTES = 262_144
_MOST_KEY = 200
_RETRY_AFTER_S = 5


class Receiver(Protocol):
    """The rules of one source for what is pushed to it."""

    source_id: str
    max_bytes: int
    rate_per_s: float
    burst: int

    def is_signed(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether the source itself sent this, a short while ago."""
        ...

    def is_heartbeat(self, body: bytes) -> bool:
        """Whether it only says that the source is there."""
        ...

    def clean(self, body: bytes) -> bytes:
        """The message as it may be stored; ValueError, with a sentence, for what is no message."""
        ...


class Store(Protocol):
    """Where messages are kept."""

    def put(
        self,
        source_id: str,
        key: str,
        body: bytes,
        content_type: str,
        received_at: datetime,
        heartbeat: bool = False,
    ) -> tuple[int, bool]:
        """The message's number, and whether it is a new one. Raises StoreError."""
        ...


class Accepted(BaseModel):
    """What became of a message."""

    number: int = Field(description="Of the message in this installation; 0 for a heartbeat")
    repeated: bool = Field(description="Whether it had been accepted before")


class Bucket:
    """A token bucket: `burst` at once, `rate_per_s` in the long run."""

    def __init__(self, rate_per_s: float, burst: int, now: datetime) -> None:
        self._rate = rate_per_s
        self._most = float(burst)
        self._left = float(burst)
        self._at = now

    def take(self, now: datetime) -> float:
        """0 if one may pass; else the seconds after which one may."""
        gone_by = max(0.0, (now - self._at).total_seconds())
        self._at = max(now, self._at)
        self._left = min(self._most, self._left + gone_by * self._rate)
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._rate


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Accepted, "description": "It had been accepted before; nothing was changed"},
    202: {"model": Accepted, "description": "It is stored durably"},
    400: {"description": "It is no JSON message, or its Idempotency-Key cannot be used"},
    401: {"description": "The signature or its time is missing or wrong"},
    403: {"description": "It came from a web page"},
    404: {"description": "There is no such source that pushes"},
    413: {"description": "It is larger than this source may send"},
    415: {"description": "Its content type is not application/json"},
    429: {"description": "Too many; `Retry-After` says when to go on"},
    503: {"description": "It could not be stored; send it again after `Retry-After`"},
}


def make_ingest_router(receivers: Iterable[Receiver], inbox: Store, clock: Clock) -> APIRouter:
    """The route, for the sources that push."""
    router = APIRouter()
    known = {receiver.source_id: receiver for receiver in receivers}
    buckets = {
        source_id: Bucket(receiver.rate_per_s, receiver.burst, clock())
        for source_id, receiver in known.items()
    }
    nobody = _Nobody()

    @router.post("/ingest/{source_id}", status_code=202, responses=_ANSWERS, tags=["ingest"])
    async def ingest(source_id: str, request: Request) -> JSONResponse:
        """Push one message (JSON), signed with the source's secret.

        `X-Lawang-Timestamp` is the time in whole seconds since 1970, `X-Lawang-Signature` is
        `sha256=` and the HMAC-SHA256 over that time, a point and the body. The same
        `Idempotency-Key`, or without one the same body, is accepted once.
        """
        if "origin" in request.headers or "sec-fetch-site" in request.headers:
            raise HTTPException(403, "Programs push here; a web page may not.")
        receiver: Receiver = known.get(source_id, nobody)
        body = await _read(request, receiver.max_bytes)
        now = clock()
        believed = receiver.is_signed(request.headers, body, now)
        if receiver is nobody:
            raise HTTPException(404, "There is no source under this name that pushes.")
        if not believed:
            raise HTTPException(
                401,
                "The signature does not fit this message, or its time is too far off. Check the "
                "secret and the sender's clock.",
            )
        if (wait_s := buckets[source_id].take(now)) > 0:
            raise HTTPException(
                429,
                "This source sends more than was agreed. Go on after Retry-After.",
                {"Retry-After": str(max(1, math.ceil(wait_s)))},
            )
        _check_type(request)
        key = _key_of(request, body)
        try:
            # Of many megabytes this takes a while, and other streams must not wait for it.
            cleaned = await asyncio.to_thread(receiver.clean, body)
            heartbeat = receiver.is_heartbeat(body)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        try:
            number, is_new = await asyncio.to_thread(
                inbox.put, source_id, key, cleaned, "application/json", now, heartbeat
            )
        except StoreError as error:
            raise HTTPException(
                503,
                f"The message could not be stored right now ({error.kind}). Send it again.",
                {"Retry-After": str(_RETRY_AFTER_S)},
            ) from None
        accepted = Accepted(number=number, repeated=not is_new)
        return JSONResponse(accepted.model_dump(), 202 if is_new else 200)

    @router.api_route(
        "/ingest/{path:path}",
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        include_in_schema=False,
    )
    async def nothing_here(request: Request, path: str) -> None:
        if request.method != "POST" and path and "/" not in path:
            raise HTTPException(405, "Messages are pushed here (POST).", {"Allow": "POST"})
        raise HTTPException(404, "There is nothing at this address. See /docs.")

    return router


class _Nobody:
    """Stands for a source that does not exist: as much work, and never believed."""

    source_id = ""
    max_bytes = _STRANGERS_BYTES
    rate_per_s = 1.0
    burst = 1

    def is_signed(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        hashlib.sha256(body).digest()
        return False

    def is_heartbeat(self, body: bytes) -> bool:
        return False

    def clean(self, body: bytes) -> bytes:
        return body


async def _read(request: Request, most: int) -> bytes:
    """The body, no further than it may be long."""
    stated = request.headers.get("content-length", "")
    body = bytearray()
    if not (stated.isdecimal() and int(stated) > most):
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                break
        else:
            return bytes(body)
    raise HTTPException(413, f"The message is larger than {most} bytes. Send it in parts.")


def _check_type(request: Request) -> None:
    stated = request.headers.get("content-type", "").split(";")[0].strip().lower()
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed != "identity":
        raise HTTPException(415, "The message must not be compressed.")
    if stated != "application/json" and not stated.endswith("+json"):
        raise HTTPException(415, "The message must be JSON, as content type application/json.")


def _key_of(request: Request, body: bytes) -> str:
    """What the message is known by. Hashed: a sender's key may hold a person's number."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return f"body:{hashlib.sha256(body).hexdigest()}"
    if not 1 <= len(given.strip()) <= _MOST_KEY:
        raise HTTPException(400, f"The Idempotency-Key must have 1 to {_MOST_KEY} characters.")
    return f"key:{hashlib.sha256(given.strip().encode()).hexdigest()}"
