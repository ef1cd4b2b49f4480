"""Looks at a statement before any database sees it.

This finds mistakes at the start of the program. What keeps a database safe is that it is opened
read-only, and that the account we are given may only read.
"""

from __future__ import annotations

import re

from sqlalchemy import text

#: Names that the connector gives itself.
SINCE, LIMIT = "since", "limit"

_QUIET = re.compile(
    r"--[^\n]*"
    r"|/\*.*?\*/"
    r"|'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"'
    r"|`[^`]*`"
    r"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$",
    re.DOTALL,
)
_WORD = re.compile(r"(?<![\w.:@])[a-z_]+(?!\w)", re.IGNORECASE)
#: Words that write, as PostgreSQL allows them inside WITH, or that lock or make something.
_WRITING = ("insert", "update", "delete", "merge", "into")


def check_query(query: str) -> str:
    """`query` without a semicolon at its end, if it is one SELECT or WITH; ValueError if not."""
    if "/*!" in query:
        raise ValueError("holds /*! ... */, which MySQL runs; leave it out")
    # Each literal and each comment becomes one space, so that only the statement's words are left.
    bare = _QUIET.sub(" ", query).strip()
    whole = query.strip()
    if bare.endswith(";"):
        bare = bare[:-1].rstrip()
        if not whole.endswith(";"):
            raise ValueError("must end with its semicolon, or better without one")
        whole = whole[:-1].rstrip()
    if ";" in bare:
        raise ValueError("must be one statement; this one goes on behind a semicolon")
    words = [found[0].lower() for found in _WORD.finditer(bare)]
    if (
        not words
        or words[0] not in ("select", "with")
        or not bare.lstrip("( \n\t").lower().startswith(words[0])
    ):
        raise ValueError("must be a query: it must begin with SELECT or WITH")
    for word in words:
        if word in _WRITING:
            raise ValueError(
                f"must only read: it holds {word.upper()}; a column of that name needs its quotes"
            )
    return whole


def parameters_of(query: str) -> frozenset[str]:
    """The names of a query's parameters, written `:name`."""
    return frozenset(text(query).compile().params)
