"""Rows of any depth as columns by path, and the words in the names of their keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lawang.propose.envelope import join
from lawang.propose.values import Column, column

_DEEPEST = 4
_MOST = 300
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def list_columns(rows: Sequence[dict[str, Any]]) -> list[Column]:
    """Every path that leads to single values, in the order in which rows have them.

    Of lists of objects the first element is looked at, of lists of two numbers both.
    """
    found: dict[str, list[Any]] = {}
    for row in rows:
        for path, value in _walk(row, "", 0):
            if path in found or len(found) < _MOST:
                found.setdefault(path, []).append(value)
    return [column(path, values, len(rows)) for path, values in found.items()]


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if depth <= _DEEPEST:
            for key, each in value.items():
                yield from _walk(each, join(path, str(key)), depth + 1)
    elif isinstance(value, list):
        if len(value) == 2 and all(_is_number(each) for each in value):
            yield f"{path}[0]", value[0]
            yield f"{path}[1]", value[1]
        elif value and isinstance(value[0], dict):
            yield from _walk(value[0], f"{path}[0]", depth + 1)
    else:
        yield path, value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def key_of(path: str) -> str:
    """The last key of a path."""
    return re.sub(r"\[\d+\]$", "", re.split(r"\.(?=[^\"]*(?:\"[^\"]*\"[^\"]*)*$)", path)[-1]).strip(
        '"'
    )


def tokens(path: str) -> list[str]:
    """The words of the last key, in small letters: "tglLapor" and "TGL_LAPOR" are tgl, lapor."""
    return [word.lower() for word in _TOKEN.findall(key_of(path))]
