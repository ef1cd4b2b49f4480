"""The shape of rows: which keys they have and what kinds of value, to notice when that changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from lawang.connector import Shape

#: Rows looked at. A key that only later rows have is not known, and so is never missed.
_ROWS = 50
_DEEPEST = 4
_MOST_KEYS = 400


def describe_shape(rows: Sequence[object]) -> Shape:
    """The kinds of value at each path, sorted; "absent" among them where a row lacks the key.

    Of a list only its first element is looked at, as `path[]`. Null is no kind of its own beside
    another: most columns may be empty.
    """
    looked_at = [row for row in islice(rows, _ROWS) if isinstance(row, dict)]
    seen: dict[str, dict[str, int]] = {}
    for row in looked_at:
        _look(row, "", seen, 0)
    return {
        path: tuple(sorted(kinds if sum(kinds.values()) >= len(looked_at) else {*kinds, "absent"}))
        for path, kinds in seen.items()
    }


def _look(value: object, path: str, seen: dict[str, dict[str, int]], depth: int) -> None:
    if path:
        if path not in seen and len(seen) >= _MOST_KEYS:
            return
        kinds = seen.setdefault(path, {})
        kind = _kind(value)
        kinds[kind] = kinds.get(kind, 0) + 1
    if depth >= _DEEPEST:
        return
    if isinstance(value, dict):
        for key, each in value.items():
            _look(each, f"{path}.{key}" if path else str(key), seen, depth + 1)
    elif isinstance(value, list) and value:
        _look(value[0], f"{path}[]", seen, depth + 1)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "object" if isinstance(value, dict) else "list"
