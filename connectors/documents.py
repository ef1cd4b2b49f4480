"""JSON as other people's servers write it: read leniently, written back as it came."""

from __future__ import annotations

import codecs
import json
from typing import Any

import orjson

from lawang.domain.errors import RetryLater


def open_json(body: bytes) -> Any:
    """The document of an answer; RetryLater("garbage") if it is none."""
    bare = body.removeprefix(codecs.BOM_UTF8).strip(b" \t\r\n")
    if not bare:
        raise RetryLater("garbage", "an empty answer")
    if bare.startswith(b"<"):
        raise RetryLater("garbage", f"a web page of {len(body)} bytes")
    try:
        return orjson.loads(bare)
    except orjson.JSONDecodeError:
        pass
    # The lenient reader takes NaN, raw control characters and a broken byte in one text.
    try:
        return json.loads(bare.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise RetryLater("garbage", f"not JSON, or cut off; {len(body)} bytes") from None


def write_json(document: dict[str, Any], otherwise: bytes) -> bytes:
    """A document with what was added to it; `otherwise` where it cannot be written.

    What a server may write and JSON strictly may not hold (halves of surrogate pairs, numbers
    beyond 64 bits) is written as it came.
    """
    try:
        return orjson.dumps(document)
    except TypeError:
        pass
    try:
        return json.dumps(document).encode()
    except (ValueError, RecursionError):
        return otherwise
