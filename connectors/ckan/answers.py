"""What both reading and parsing need to know of CKAN's JSON (docs.ckan.org, the action API)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from connectors.documents import open_json
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from lawang.domain.values import read_time

_TYPE = re.compile(r"[A-Za-z ]{1,40}")


def open_result(body: bytes) -> dict[str, Any]:
    """The whole document of an action that succeeded; its `result` is an object.

    Raises RetryLater("garbage") for what is no answer of an action, and what the refusal means
    where `success` is false.
    """
    document = open_json(body)
    if not isinstance(document, dict) or "success" not in document:
        raise RetryLater("garbage", "no answer of CKAN's API")
    if document["success"] is not True:
        raise _refusal(document.get("error"))
    if not isinstance(document.get("result"), dict):
        raise RetryLater("garbage", "no result in the answer")
    return document


def list_records(document: dict[str, Any]) -> list[Any]:
    """The rows of a page; RetryLater("garbage") without a list of them."""
    records = document["result"].get("records")
    if not isinstance(records, list):
        raise RetryLater("garbage", "no list of records in the answer")
    return records


def read_total(document: dict[str, Any]) -> int | None:
    """How many rows there are on all pages, where the portal has counted them."""
    total = document["result"].get("total")
    estimated = document["result"].get("total_was_estimated") is True
    if estimated or isinstance(total, bool) or not isinstance(total, int):
        return None
    return total


def read_utc(value: object) -> datetime | None:
    """A time of CKAN's own: in UTC, and written without saying so."""
    return read_time(value, UTC)


def _refusal(error: object) -> SourceError:
    """What an error's type means. Its message is not repeated: it may quote the question."""
    stated = error.get("__type") if isinstance(error, dict) else None
    kind = stated if isinstance(stated, str) and _TYPE.fullmatch(stated) else "no type"
    where = f"in the answer: {kind}"
    if kind == "Authorization Error":
        return NeedsPerson("refused", where)
    if kind == "Not Found Error":
        return not_in_datastore(where)
    if kind == "Validation Error":
        return NeedsPerson("bad_status", f"{where}, see resource_id, filters, columns and sort")
    return RetryLater("bad_status", where)


def not_in_datastore(where: str) -> NeedsPerson:
    """A resource that has no rows to be asked for."""
    return NeedsPerson(
        "not_found",
        f"{where}; there is no such resource, or only its file is kept and not its rows "
        "(DataStore): ask the portal to load it, or read the file by tabular",
    )
