"""What a connector's fetch yields, whole or up to its error."""

from __future__ import annotations

from lawang.connector import Answer, Connector, Cursor, FetchContext, Options
from lawang.domain.errors import SourceError


async def read_answers(
    connector: Connector, options: Options, context: FetchContext, cursor: Cursor | None = None
) -> list[Answer]:
    """All answers of one poll."""
    return [each async for each in connector.fetch(options, cursor or Cursor(), context)]


async def read_until_error(
    connector: Connector, options: Options, context: FetchContext
) -> tuple[int, str]:
    """How many answers come before the poll fails, and the kind of its error."""
    got = 0
    try:
        async for _ in connector.fetch(options, Cursor(), context):
            got += 1
    except SourceError as error:
        return got, error.kind
    raise AssertionError(f"no error after {got} answers")
