"""Opens one answer and maps its rows. Pure: no clock, no network, no memory."""

from __future__ import annotations

import re
from typing import Any

from connectors.documents import open_json
from connectors.http import error_for
from connectors.rest.options import Envelope, RestOptions
from lawang.connector import Answer, Parsed
from lawang.domain.errors import RetryLater
from lawang.mapping import map_rows, search

_CODE = re.compile(r"[\w.:-]{1,40}", re.ASCII)


def parse_answer(options: RestOptions, answer: Answer) -> Parsed:
    """Reports and rejects of one answer.

    Raises RetryLater("garbage") when it is not JSON or holds no list where `records` points, and
    the error that an envelope means.
    """
    return map_rows(find_rows(options, open_json(answer.body)), options)


def find_rows(options: RestOptions, document: Any) -> list[Any]:
    """The rows of a document, after its envelope was looked at."""
    if options.envelope is not None:
        _check_envelope(options.envelope, document)
    rows = search(options.records, document)
    if rows is None and options.envelope is not None:
        # A server with an envelope that answered well has nothing to tell when the list is null.
        return []
    if not isinstance(rows, list):
        raise RetryLater("garbage", f"no list of rows at {options.records!r}")
    return rows


def _check_envelope(envelope: Envelope, document: Any) -> None:
    code = search(envelope.code, document)
    if code in envelope.ok:
        return
    # Only a code is shown: messages of such servers have been seen to hold a person's data.
    word = str(code) if isinstance(code, str | int) and _CODE.fullmatch(str(code)) else ""
    if word.isascii() and word.isdigit() and 100 <= int(word) < 600:
        raise error_for(int(word), "in the answer")
    raise RetryLater("bad_status", f"in the answer: {word or 'no code'}")
