"""Opens the rows of one answer and maps them. Pure: no clock, no database."""

from __future__ import annotations

import json

from connectors.sql.options import SqlOptions
from lawang.connector import Answer, Parsed
from lawang.domain.errors import RetryLater
from lawang.mapping import map_rows


def parse_answer(options: SqlOptions, answer: Answer) -> Parsed:
    """Records and rejects of one answer. RetryLater("garbage") when it is no list of rows."""
    try:
        # Not orjson: identities may be numbers of any length.
        rows = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise RetryLater("garbage", f"not JSON; {len(answer.body)} bytes") from None
    if not isinstance(rows, list):
        raise RetryLater("garbage", "no list of rows")
    return map_rows(rows, options)
