"""Reads what a client asks of a department, and refuses what cannot be in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request

_MAX_BODY_BYTES = 64 * 1024
_MAX_WHOLE = 1_000_000
# Beyond these a time is a slip of the pen, and sums with it overflow.
_FIRST_YEAR, _LAST_YEAR = 1971, 2999


class Refusal(Exception):
    """An answer other than what was asked for: an HTTP status and a sentence."""

    def __init__(self, code: int, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


def read_whole(asked: Mapping[str, str], name: str, default: int) -> int:
    """A whole number from 1 on; Refusal for anything else."""
    text = asked.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or len(text) > 7 or not 1 <= int(text) <= _MAX_WHOLE:
        raise Refusal(400, f"{name} harus berupa bilangan bulat mulai dari 1.")
    return int(text)


def read_instant(asked: Mapping[str, str], name: str, timezone: ZoneInfo) -> datetime | None:
    """A time in ISO 8601, in `timezone` unless it says otherwise; Refusal for anything else."""
    text = asked.get(name, "").strip()
    if not text:
        return None
    try:
        # An unescaped "+" of a zone arrives as a space.
        at = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            raise ValueError(text)
    except ValueError:
        raise Refusal(
            400, f"{name} bukan waktu ISO 8601, contoh: 2026-11-21T07:00:00+07:00."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=timezone)


async def read_body(request: Request) -> bytes:
    """The body, up to 64 KiB; Refusal for a longer one."""
    body = bytearray()
    async for chunk in request.stream():
        body.extend(chunk)
        if len(body) > _MAX_BODY_BYTES:
            raise Refusal(413, "Laporan terlalu besar: paling banyak 64 KiB.")
    return bytes(body)
