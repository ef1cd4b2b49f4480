"""The part of the SQL of `where` that the simulated server understands.

`1=1`, and comparisons of one field with a number, a 'text', or TIMESTAMP/DATE '2026-11-21 07:00:00'
(UTC), joined by AND, with brackets around any of them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<time>(?:TIMESTAMP|DATE)\s*'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign><=|>=|<>|=|<|>|\(|\))|(?P<word>[A-Za-z_]\w*))",
    re.IGNORECASE,
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

Test = Callable[[Mapping[str, Any]], bool]


class BadWhereError(ValueError):
    """A `where` that is not understood."""


def read_where(text: str, fields: frozenset[str]) -> Test:
    """A test of attributes; BadWhereError for what is not understood, unknown fields included."""
    tokens = _tokens(text)
    tests = []
    # Without OR and NOT, brackets change nothing; they only have to match.
    depth = 0
    plain = []
    for kind, word in tokens:
        depth += {"(": 1, ")": -1}.get(word, 0) if kind == "sign" else 0
        if depth < 0:
            raise BadWhereError(text)
        if not (kind == "sign" and word in "()"):
            plain.append((kind, word))
    if depth:
        raise BadWhereError(text)
    while plain:
        tests.append(_comparison(plain[:3], fields))
        plain = plain[3:]
        if plain:
            if plain[0][1].upper() != "AND" or len(plain) == 1:
                raise BadWhereError(text)
            plain = plain[1:]
    if not tests:
        raise BadWhereError(text)
    return lambda attributes: all(test(attributes) for test in tests)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadWhereError(text)
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _comparison(tokens: list[tuple[str, str]], fields: frozenset[str]) -> Test:
    if len(tokens) != 3 or tokens[1][0] != "sign" or tokens[1][1] not in _SIGNS:
        raise BadWhereError("no comparison")
    compare = _SIGNS[tokens[1][1]]
    left, right = (_operand(kind, word, fields) for kind, word in (tokens[0], tokens[2]))

    def test(attributes: Mapping[str, Any]) -> bool:
        first, second = left(attributes), right(attributes)
        if first is None or second is None:
            return False
        try:
            return compare(first, second)
        except TypeError:
            return False

    return test


def _operand(kind: str, word: str, fields: frozenset[str]) -> Callable[[Mapping[str, Any]], Any]:
    if kind == "word":
        if word not in fields:
            raise BadWhereError(word)
        return lambda attributes: attributes.get(word)
    value: Any
    if kind == "number":
        value = float(word)
    elif kind == "text":
        value = word[1:-1].replace("''", "'")
    elif kind == "time":
        try:
            at = datetime.fromisoformat(word[word.index("'") :].strip("'")).replace(tzinfo=UTC)
        except ValueError:
            raise BadWhereError(word) from None
        value = int(at.timestamp() * 1000)
    else:
        raise BadWhereError(word)
    return lambda attributes: value
