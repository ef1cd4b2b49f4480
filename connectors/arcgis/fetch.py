"""Reads one poll's features from a layer, page by page."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from connectors import http
from connectors.arcgis.answers import list_features, open_answer, says_more
from connectors.arcgis.options import ArcgisOptions
from connectors.documents import write_json
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

#: A longer question goes as a POST: many servers and proxies cut addresses at 2,048 characters.
_LONGEST_QUERY = 1_500


@dataclass(frozen=True, slots=True)
class _Layer:
    """What a layer says of itself, as far as it is needed to ask it well."""

    page_size: int
    order_by: str
    pages: bool = True
    #: As the layer describes them, with their domains; empty where it was not asked.
    fields: list[Any] = field(default_factory=list)


async def read_answers(
    options: ArcgisOptions, cursor: Cursor, context: FetchContext
) -> AsyncGenerator[Answer, None]:
    """Pages of features until the layer has no more.

    Raises what `connectors.http.send` raises; what a refusal inside an answer means;
    NeedsPerson("too_large") when `max_pages` do not suffice, or when the layer has more than it
    gives at once and cannot page; RetryLater("truncated") when it announces more and gives none.
    """
    layer = await _describe(options, context)
    asked = _question(options, layer, cursor)
    offset = 0
    seen: set[str] = set()
    for _ in range(options.max_pages):
        reply = await _ask(
            options, context, f"{options.url}/query", {**asked, **_page(layer, offset)}
        )
        features, more, body = _look(reply.body, layer)
        if features is not None and offset and not features:
            if more:
                raise RetryLater(
                    "truncated", f"the layer announces more than {offset} and gives none"
                )
            return
        fingerprint = hashlib.sha256(reply.body).hexdigest()
        if fingerprint in seen:
            raise NeedsPerson("too_large", "the layer gives the same page again: it cannot page")
        seen.add(fingerprint)
        complete = options.incremental is None
        yield reply.answer("features", context.clock(), body=body, complete=complete)
        if not features or not _goes_on(layer, len(features), more):
            return
        if not layer.pages:
            raise NeedsPerson(
                "too_large", f"the layer cannot page beyond {len(features)}; narrow where"
            )
        offset += len(features)
    raise NeedsPerson("too_large", f"more than {options.max_pages} pages")


async def _describe(options: ArcgisOptions, context: FetchContext) -> _Layer:
    """The layer's own description; without it pages are as the options say."""
    if not options.describe:
        return _Layer(options.page_size, options.order_by)
    reply = await _ask(options, context, options.url, {"f": "json"})
    stated = open_answer(reply.body)
    fields = stated.get("fields")
    if not isinstance(fields, list):
        raise RetryLater("garbage", "no description of a layer")
    most = stated.get("maxRecordCount")
    size = options.page_size
    if isinstance(most, int) and not isinstance(most, bool) and most > 0:
        size = min(size, most)
    return _Layer(
        page_size=size,
        order_by=options.order_by or _object_id(stated, fields),
        pages=_can_page(stated),
        fields=fields,
    )


def _object_id(stated: dict[str, Any], fields: list[Any]) -> str:
    """The field that numbers the features: pages ordered by it neither overlap nor leave gaps."""
    named = stated.get("objectIdField")
    if isinstance(named, str) and named:
        return named
    for each in fields:
        if isinstance(each, dict) and each.get("type") == "esriFieldTypeOID":
            return str(each.get("name") or "")
    return ""


def _can_page(stated: dict[str, Any]) -> bool:
    """Servers before 10.3 say nothing of it, and some of them can: only a clear no counts."""
    advanced = stated.get("advancedQueryCapabilities")
    place = advanced if isinstance(advanced, dict) else stated
    return place.get("supportsPagination") is not False


def _question(options: ArcgisOptions, layer: _Layer, cursor: Cursor) -> dict[str, str]:
    asked = {
        "where": _where(options, cursor),
        "outFields": ",".join(options.out_fields) or "*",
        "returnGeometry": "true" if options.geometry else "false",
        "outSR": str(options.out_sr),
        "f": options.format,
    }
    return asked | ({"orderByFields": layer.order_by} if layer.order_by else {})


def _where(options: ArcgisOptions, cursor: Cursor) -> str:
    if options.incremental is None or cursor.watermark is None:
        return options.where
    since = cursor.watermark - timedelta(seconds=options.incremental.overlap_s)
    written = since.astimezone(options.incremental.timezone).strftime("%Y-%m-%d %H:%M:%S")
    return f"({options.where}) AND {options.incremental.field} >= TIMESTAMP '{written}'"


def _page(layer: _Layer, offset: int) -> dict[str, str]:
    if not layer.pages:
        return {}
    return {"resultOffset": str(offset), "resultRecordCount": str(layer.page_size)}


async def _ask(
    options: ArcgisOptions, context: FetchContext, url: str, asked: dict[str, str]
) -> http.Reply:
    headers = {"Accept": "application/json"}
    if options.referer:
        headers["Referer"] = options.referer
    token = options.token.get_secret_value()
    if token and options.token_in == "header":  # noqa: S105 (where it goes, not what it is)
        headers["X-Esri-Authorization"] = f"Bearer {token}"
    elif token:
        asked = {**asked, "token": token}
    is_long = len(urlencode(asked)) > _LONGEST_QUERY
    return await http.ask(
        context,
        url,
        method="POST" if is_long else "GET",
        max_bytes=options.max_bytes,
        params=None if is_long else asked,
        headers=headers,
        form=asked if is_long else None,
    )


def _look(body: bytes, layer: _Layer) -> tuple[list[Any] | None, bool | None, bytes]:
    """The features of a page (None where it is no page), whether more follow, and what is kept.

    The layer's description of its fields goes along with each page, as their coded values do not
    come with every server's answers.
    """
    try:
        document = open_answer(body)
        features = list_features(document)
    except SourceError:
        # `parse` says what is wrong with it.
        return None, None, body
    more = says_more(document)
    if layer.fields:
        body = write_json({**document, "fields": layer.fields}, body)
    return features, more, body


def _goes_on(layer: _Layer, count: int, more: bool | None) -> bool:
    """Servers that say nothing of more are asked on after a full page."""
    return count >= layer.page_size if more is None else more
