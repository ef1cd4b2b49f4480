"""JSON over HTTP in a department's own shape: rows by JMESPath, no code a department."""

from __future__ import annotations

from collections.abc import AsyncIterator

from connectors.rest.fetch import read_answers
from connectors.rest.options import RestOptions
from connectors.rest.parse import parse_answer
from lawang.connector import Answer, Connector, Cursor, FetchContext, Options, Parsed


class Rest:
    """The connector as the kernel knows it."""

    name: str = "rest"
    options: type[Options] = RestOptions

    def fetch(
        self, options: Options, cursor: Cursor, context: FetchContext
    ) -> AsyncIterator[Answer]:
        """See `connectors.rest.fetch.read_answers`."""
        return read_answers(_own(options), cursor, context)

    def parse(self, options: Options, answer: Answer) -> Parsed:
        """See `connectors.rest.parse.parse_answer`."""
        return parse_answer(_own(options), answer)


def _own(options: Options) -> RestOptions:
    if not isinstance(options, RestOptions):
        raise TypeError(f"options of rest were expected, not {type(options).__name__}")
    return options


CONNECTOR: Connector = Rest()
