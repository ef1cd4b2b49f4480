"""Open311 GeoReport v2: citizens' reports over HTTP, in JSON or XML (wiki.open311.org)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from connectors.open311.fetch import read_answers
from connectors.open311.options import Open311Options
from connectors.open311.parse import parse_answer
from lawang.connector import Answer, Connector, Cursor, FetchContext, Options, Parsed


class Open311:
    """The connector as the kernel knows it."""

    name: str = "open311"
    options: type[Options] = Open311Options

    def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]:
        """See `connectors.open311.fetch.read_answers`."""
        return read_answers(_own(options), cursor, context)

    def parse(self, options: Options, answer: Answer) -> Parsed:
        """See `connectors.open311.parse.parse_answer`."""
        return parse_answer(_own(options), answer)


def _own(options: Options) -> Open311Options:
    if not isinstance(options, Open311Options):
        raise TypeError(f"options of open311 were expected, not {type(options).__name__}")
    return options


CONNECTOR: Connector = Open311()
