"""Reads one poll's rows of a resource, page by page, unless it has not changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors import http
from connectors.ckan.answers import (
    list_records,
    not_in_datastore,
    open_result,
    read_total,
    read_utc,
)
from connectors.ckan.options import CkanOptions
from connectors.documents import write_json
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_SLOT = "resource/read"


@dataclass(frozen=True, slots=True)
class _Resource:
    """What the portal says of a resource."""

    modified: datetime | None
    package_id: str

    def describe(self, licence: str) -> dict[str, str]:
        """What goes along with every row as `_resource`."""
        modified = self.modified.isoformat() if self.modified else ""
        stated = {"last_modified": modified, "licence": licence}
        return {name: value for name, value in stated.items() if value}


async def read_answers(
    options: CkanOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """Pages of rows; none if the resource has not changed since it was last read.

    Raises what `connectors.http.send` raises; what a refusal inside an answer means;
    NeedsPerson("not_found") for a resource without rows in the DataStore,
    NeedsPerson("too_large") when `max_pages` do not suffice, and RetryLater("truncated") when
    the pages hold fewer rows than the portal counts.
    """
    resource = await _describe(options, context) if options.metadata else None
    mark = await _mark(options, context, resource)
    if mark and _is_unchanged(options, cursor, mark, context.clock()):
        return
    licence = await _licence(options, context, resource) if resource else ""
    about = resource.describe(licence) if resource else {}
    offset = 0
    for _ in range(options.max_pages):
        reply = await _search(options, context, offset, options.page_size)
        records, total, body = _look(reply.body, about)
        if records is not None and not records and offset:
            if total is not None and total > offset:
                raise RetryLater("truncated", f"{offset} of {total} rows")
            return
        now = context.clock()
        yield reply.answer(
            "records",
            now,
            body=body,
            validators={} if offset else _remember(mark, now),
            complete=True,
        )
        if not records:
            return
        offset += len(records)
        # A portal may give fewer at once than asked for, so its count is believed first.
        if (total is not None and offset >= total) or (
            total is None and len(records) < options.page_size
        ):
            return
    raise NeedsPerson("too_large", f"more than {options.max_pages} pages")


async def _describe(options: CkanOptions, context: FetchContext) -> _Resource:
    reply = await _act(options, context, "resource_show", {"id": options.resource_id})
    stated = open_result(reply.body)["result"]
    if stated.get("datastore_active") is False:
        raise not_in_datastore("datastore_active is false")
    times = (stated.get(name) for name in ("last_modified", "metadata_modified", "created"))
    known = [moment for moment in map(read_utc, times) if moment is not None]
    package_id = stated.get("package_id")
    return _Resource(
        modified=known[0] if known else None,
        package_id=package_id if isinstance(package_id, str) else "",
    )


async def _licence(options: CkanOptions, context: FetchContext, resource: _Resource) -> str:
    """The licence's name; "" where the package is not ours to read: its rows are what counts."""
    if not resource.package_id:
        return ""
    try:
        reply = await _act(options, context, "package_show", {"id": resource.package_id})
        stated = open_result(reply.body)["result"]
    except NeedsPerson:
        return ""
    named = stated.get("license_title") or stated.get("license_id")
    return named[:200] if isinstance(named, str) else ""


async def _mark(options: CkanOptions, context: FetchContext, resource: _Resource | None) -> str:
    """What tells one state of the resource from another; "" where nothing does.

    The time of change alone would not do: rows that are added to the DataStore need not move it.
    """
    if resource is None or resource.modified is None or not options.skip_unchanged:
        return ""
    reply = await _search(options, context, 0, 0)
    total = read_total(open_result(reply.body))
    if total is None:
        return ""
    question = json.dumps([options.url, _question(options)], sort_keys=True)
    asked = hashlib.sha256(question.encode()).hexdigest()[:16]
    return f"{asked} {resource.modified.isoformat()} {total}"


def _is_unchanged(options: CkanOptions, cursor: Cursor, mark: str, now: datetime) -> bool:
    held, _, stated = cursor.validators.get(_SLOT, "").rpartition(" ")
    read_at = read_utc(stated)
    if held != mark or read_at is None:
        return False
    age = now - read_at
    return timedelta(0) <= age < timedelta(seconds=options.reread_after_s)


def _remember(mark: str, now: datetime) -> dict[str, str]:
    return {_SLOT: f"{mark} {now.isoformat()}" if mark else ""}


def _question(options: CkanOptions) -> dict[str, str]:
    asked = {"resource_id": options.resource_id, "sort": options.sort}
    if options.filters:
        asked["filters"] = json.dumps(options.filters, ensure_ascii=False)
    if options.q:
        asked["q"] = options.q
    if options.columns:
        asked["fields"] = ",".join(options.columns)
    return {name: value for name, value in asked.items() if value}


async def _search(
    options: CkanOptions, context: FetchContext, offset: int, limit: int
) -> http.Reply:
    page = {"offset": str(offset), "limit": str(limit)}
    try:
        return await _act(options, context, "datastore_search", _question(options) | page)
    except NeedsPerson as error:
        if error.kind == "not_found":
            raise not_in_datastore(error.detail) from None
        raise


async def _act(
    options: CkanOptions, context: FetchContext, action: str, asked: dict[str, str]
) -> http.Reply:
    headers = {"Accept": "application/json"}
    if key := options.api_key.get_secret_value():
        headers[options.api_key_header] = key
    return await http.ask(
        context,
        f"{options.url}api/3/action/{action}",
        max_bytes=options.max_bytes,
        params=asked,
        headers=headers,
    )


def _look(body: bytes, about: dict[str, str]) -> tuple[list[Any] | None, int | None, bytes]:
    """The rows of a page (None where it is no page), how many there are in all, what is kept."""
    try:
        document = open_result(body)
        records = list_records(document)
    except SourceError:
        # `parse` says what is wrong with it.
        return None, None, body
    if about:
        body = write_json({**document, "resource": about}, body)
    return records, read_total(document), body
