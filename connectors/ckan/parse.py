"""Opens one page of a resource and maps its rows. Pure: no clock, no network, no memory."""

from __future__ import annotations

from typing import Any

from connectors.ckan.answers import list_records, open_result
from connectors.ckan.options import CkanOptions
from lawang.connector import Answer, Parsed
from lawang.mapping import map_rows


def parse_answer(options: CkanOptions, answer: Answer) -> Parsed:
    """Records and rejects of one page; every row has `_resource` beside its columns.

    Raises RetryLater("garbage") for what holds no list of records, and what a refusal in the
    answer means.
    """
    document = open_result(answer.body)
    resource = document.get("resource")
    rows = [_row(record, resource) for record in list_records(document)]
    return map_rows(rows, options)


def _row(record: object, resource: object) -> Any:
    if not isinstance(record, dict) or not isinstance(resource, dict):
        return record
    return {**record, "_resource": resource}
