"""Rows of a database as JSON that loses nothing: money to the last digit, times as they stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

#: Longer bytes in a cell are a picture or a document, which no measure or report needs.
LONGEST_BYTES = 65_536
_DEEPEST = 8
_ORJSON_LEAST, _ORJSON_MOST = -(2**63), 2**64 - 1


class UnreadableValue(ValueError):
    """A cell that cannot be kept; says which column and why, never what is in it."""


def write_row(row: Mapping[str, Any]) -> bytes:
    """One row as a JSON object on one line. Raises UnreadableValue."""
    return orjson.dumps({key: _plain(value, key) for key, value in row.items()})


def _plain(value: Any, column: str, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _plain(value.value, column, depth)
    if isinstance(value, str):
        # Halves of surrogate pairs cannot be written as UTF-8.
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        value = int(value)
        if _ORJSON_LEAST <= value <= _ORJSON_MOST:
            return value
        return orjson.Fragment(str(value)) if value.bit_length() < 4_000 else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else _no_number(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes(bytes(value), column)
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {str(key): _plain(each, column, depth + 1) for key, each in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, column, depth + 1) for each in value]
    return str(value)


def _decimal(value: Decimal) -> Any:
    if not value.is_finite():
        return _no_number(float(value))
    if value.adjusted() > 400:
        return str(value)
    if value == value.to_integral_value():
        return _plain(int(value), "")
    # The digits themselves: a float would round a long amount.
    return orjson.Fragment(format(value, "f"))


def _no_number(value: float) -> str | None:
    """Not a number is no value; infinity is a wrong one, and stays to be seen."""
    return None if math.isnan(value) else str(value)


def _bytes(value: bytes, column: str) -> str:
    if len(value) > LONGEST_BYTES:
        raise UnreadableValue(f"column {column[:100]!r} holds {len(value)} bytes")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
