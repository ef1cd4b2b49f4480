"""How messages lie in an answer: a JSON list, each with its topic and its payload as a value.

`{"topic", "retained", "received_at", "payload"}`; in place of `payload` there is `text` where it is
not JSON, `too_large` (its size) where it is not kept, and nothing where it was empty. Payloads are
values, not text in text, so that personal keys in them can be told and taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

_LONGEST_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came; `packed` is its entry in an answer."""

    mid: int
    qos: int
    packed: bytes


def pack_message(
    topic: str, payload: bytes, retained: bool, received_at: datetime, max_bytes: int
) -> bytes:
    """The entry of one message. A payload above `max_bytes` is left out, and its size told."""
    entry: dict[str, Any] = {
        "topic": topic,
        "retained": retained,
        "received_at": received_at.isoformat(),
    }
    if len(payload) > max_bytes:
        return orjson.dumps({**entry, "too_large": len(payload)})
    if not payload:
        return orjson.dumps(entry)
    try:
        return orjson.dumps({**entry, "payload": orjson.loads(payload)})
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        text = payload[: 4 * _LONGEST_TEXT].decode("utf-8", "replace")[:_LONGEST_TEXT]
        return orjson.dumps({**entry, "text": text})


def pack(messages: list[Message]) -> bytes:
    """The body of an answer."""
    return b"[" + b",".join(each.packed for each in messages) + b"]"
