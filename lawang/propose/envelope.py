"""Where in an answer the list of records stands, and how the answer speaks of further pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DEEPEST = 5
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FEWEST_OF_A_TABLE = 2

_NEXT_LINKS = ("next", "next_page_url", "nextPageUrl", "@odata.nextLink", "selanjutnya", "berikut")
_CURSORS = (
    "cursor", "next_cursor", "nextCursor", "kursor", "kursor_berikut", "kursor_lanjut",
    "next_token", "nextToken", "lanjut", "berikutnya",
)  # fmt: skip
_PAGES = ("page", "current_page", "currentPage", "halaman", "hal")
_NOW = ("sekarang", "current")
_SIZES = ("per_page", "perPage", "page_size", "pageSize", "limit", "jumlah", "per_halaman", "size")
_OFFSETS = ("offset", "mulai", "start", "skip")


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of an answer, and the JMESPath expression that leads to them."""

    expression: str
    rows: list[dict[str, Any]]


def find_rows(document: Any) -> Found | None:
    """The likeliest list of records: the longest list of objects, nearest to the top.

    An object whose values are all objects of one form counts as a list too (`values(...)`).
    None where there is nothing of the kind.
    """
    best: tuple[tuple[int, int, int], Found] | None = None
    for depth, expression, rows, is_list in _candidates(document, "", 0):
        # A list beats an object of objects, many rows beat few, and the top beats what is below.
        score = (int(is_list), len(rows), -depth)
        if best is None or score > best[0]:
            best = score, Found(expression, rows)
    return best[1] if best else None


def _candidates(
    value: Any, path: str, depth: int
) -> Iterator[tuple[int, str, list[dict[str, Any]], bool]]:
    if isinstance(value, list):
        rows = [each for each in value if isinstance(each, dict)]
        if rows and len(rows) == len(value):
            yield depth, path or "@", rows, True
        return
    if not isinstance(value, dict) or depth > _DEEPEST:
        return
    inner = list(value.values())
    if len(inner) >= _FEWEST_OF_A_TABLE and all(isinstance(each, dict) for each in inner):
        keys = {frozenset(each) for each in inner}
        if len(keys) == 1 and len(next(iter(keys))) > 1:
            yield depth, f"values({path or '@'})", inner, False
            return
    for key, each in value.items():
        yield from _candidates(each, join(path, str(key)), depth + 1)


def join(path: str, key: str) -> str:
    """A path with one more key, quoted where JMESPath wants it."""
    quoted = key if _IDENTIFIER.fullmatch(key) else '"' + key.replace('"', '\\"') + '"'
    return f"{path}.{quoted}" if path else quoted


def guess_paging(document: Any, rows: int) -> dict[str, Any] | None:
    """`paging` of a rest source, from what an answer with `rows` records says of pages.

    None where it says nothing: one answer may be everything.
    """
    stated = dict(_plain(document, "", 0))
    for path, value in stated.items():
        key = _last(path)
        is_link = isinstance(value, str) and value.startswith(("http://", "https://", "/"))
        if key in _NEXT_LINKS and is_link:
            return {"kind": "link", "next": path}
    for path, value in stated.items():
        if _last(path) in _CURSORS and isinstance(value, str | int) and value != "":
            return {"kind": "cursor", "parameter": _parameter(_last(path)), "next": path}
    page = _first(stated, (*_PAGES, *_NOW))
    size = _first(stated, _SIZES)
    if page is not None:
        return {
            "kind": "page",
            # {"halaman": {"sekarang": 1}} says that there are pages, not how to ask for them.
            "parameter": "page" if _last(page) in (*_NOW, "current_page") else _last(page),
            "first": 0 if stated[page] == 0 else 1,
            "size_parameter": _last(size) if size else "per_page",
            "size": _size(stated, size, rows),
        }
    offset = _first(stated, _OFFSETS)
    if offset is not None:
        return {
            "kind": "offset",
            "parameter": _last(offset),
            "size_parameter": _last(size) if size else "limit",
            "size": _size(stated, size, rows),
        }
    return None


def _plain(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Single values beside the records, by path; what lies in a list is a record's own."""
    if isinstance(value, Mapping) and depth <= _DEEPEST:
        for key, each in value.items():
            yield from _plain(each, join(path, str(key)), depth + 1)
    elif path and not isinstance(value, list | Mapping):
        yield path, value


def _first(stated: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        for path, value in stated.items():
            if _last(path) == name and _as_int(value) is not None:
                return path
    return None


def _size(stated: Mapping[str, Any], path: str | None, rows: int) -> int:
    size = _as_int(stated[path]) if path else None
    return max(1, min(size or rows or 100, 10_000))


def _as_int(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 9 else None


def _last(path: str) -> str:
    return path.rpartition(".")[2].strip('"')


def _parameter(key: str) -> str:
    """The parameter that takes a cursor which the answer calls by this name."""
    for word in ("next_", "_berikut", "_lanjut"):
        key = key.removeprefix(word).removesuffix(word)
    return "cursor" if key in ("nextCursor", "nextToken", "lanjut", "berikutnya") else key
