"""Maps what was pushed. Pure: no clock, no network, no memory."""

from __future__ import annotations

from typing import Any

from connectors.documents import open_json
from connectors.webhook.options import WebhookOptions
from lawang.connector import Answer, Parsed
from lawang.domain.errors import RetryLater
from lawang.mapping import map_rows, search


def parse_answer(options: WebhookOptions, answer: Answer) -> Parsed:
    """Records and rejects of one pushed message, or of many (`kind` "pushes").

    Raises RetryLater("garbage") for what is not JSON, which the door lets nobody push.
    """
    document = open_json(answer.body)
    bodies = document if answer.kind == "pushes" else [document]
    if not isinstance(bodies, list):
        raise RetryLater("garbage", "no list of messages")
    return map_rows([row for body in bodies for row in find_rows(options, body)], options)


def find_rows(options: WebhookOptions, body: Any) -> list[Any]:
    """The rows of one message: a list of them, or one alone."""
    found = body if options.records == "@" else search(options.records, body)
    return found if isinstance(found, list) else [found]
