"""What every list of the API has in common: instants, page tokens, and strict parameters."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from fastapi import HTTPException, Request

PAGE_MAX = 1000


def in_utc(moment: datetime | None, name: str) -> datetime | None:
    """A time of the query in UTC; one without a zone is taken as UTC, as all that the API gives."""
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise HTTPException(422, f"`{name}` lies outside the years 1 to 9999 in UTC.") from None


def make_token(text: str) -> str:
    """A place in a list, as `next` gives it."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def make_time_token(moment: datetime, identity: str) -> str:
    """A place in a list that is ordered by time and identity."""
    return make_token(f"{moment.isoformat()} {identity}")


def read_token(token: str | None) -> str | None:
    """The inverse of `make_token`; HTTPException 400 for what it did not make."""
    if not token:
        return None
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (ValueError, binascii.Error):
        raise _no_token() from None
    if "\x00" in text:
        raise _no_token()
    return text


def read_time_token(token: str | None) -> tuple[datetime, str] | None:
    """The inverse of `make_time_token`; HTTPException 400 for what it did not make."""
    text = read_token(token)
    if text is None:
        return None
    try:
        moment, identity = text.split(" ", 1)
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("no zone")
        return at.astimezone(UTC), identity
    except (ValueError, OverflowError):
        raise _no_token() from None


def read_number_token(token: str | None) -> int:
    """The number that a token holds; 0 without one."""
    return _number(text) if (text := read_token(token)) is not None else 0


def read_numbered_time_token(token: str | None) -> tuple[datetime, int] | None:
    """A token of time whose identity is a number."""
    found = read_time_token(token)
    return None if found is None else (found[0], _number(found[1]))


def _number(text: str) -> int:
    # A row's number is one of 64 bits.
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise _no_token()
    return int(text)


def _no_token() -> HTTPException:
    return HTTPException(400, "`after` is not a value that `next` gave.")


async def refuse_unknown(request: Request) -> None:
    """A dependency: a parameter that does not exist is a mistake, not to be passed over."""
    route: Any = request.scope["route"]
    known = [field.alias for field in route.dependant.query_params]
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        names = ", ".join(unknown)[:100]
        raise HTTPException(
            422, f"There is no parameter {names!r}. Known: {', '.join(known) or 'none'}."
        )
