"""Judges one pushed message before it is stored, and takes what is personal out of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.webhook.options import WebhookOptions
from lawang.city import Source
from lawang.domain.errors import LawangError
from lawang.mapping import search
from lawang.mapping.rows import strip
from lawang.sample import clean_answer, mapped_paths

_SCHEME = "sha256="


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature's header: HMAC-SHA256 over timestamp, a point, and the body."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return _SCHEME + signed.hexdigest()


class Receiver:
    """The rules of one source for what is pushed to it."""

    def __init__(self, source: Source, options: WebhookOptions) -> None:
        self.source_id = source.id
        self.max_bytes = options.max_bytes
        self.rate_per_s = options.rate_per_s
        self.burst = options.burst
        self._options = options
        self._kept = mapped_paths(
            replace(source, connection={"fields": dict(enumerate(_expressions(options)))})
        )
        secrets = (options.secret, options.previous_secret)
        self._secrets = [each.get_secret_value() for each in secrets if each is not None]

    def is_signed(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether one of the secrets signed this body, not longer ago than may be."""
        options = self._options
        timestamp = headers.get(options.timestamp_header, "").strip()
        given = headers.get(options.signature_header, "").strip().lower()
        # Every secret is tried on every message: how long it takes tells nothing.
        matches = [
            hmac.compare_digest(sign(secret, timestamp, body).encode(), given.encode())
            for secret in self._secrets
        ]
        return any(matches) and _is_near(timestamp, now, timedelta(seconds=options.tolerance_s))

    def is_heartbeat(self, body: bytes) -> bool:
        """Whether a message only says that the department is there."""
        return search(self._options.heartbeat, _load(body)) is True

    def clean(self, body: bytes) -> bytes:
        """The message without what is personal, as it may be stored.

        Raises ValueError for what is no JSON object and no list.
        """
        try:
            document = _load(body)
        except (ValueError, RecursionError):
            raise ValueError("The message is not JSON, or was cut off.") from None
        if not isinstance(document, dict | list):
            raise ValueError("The message must be a JSON object or a list of them.")
        try:
            stripped = json.dumps(strip({"": document}, self._options.personal)[""])
            text, _ = clean_answer(stripped.encode(), self._kept)
            cleaned = orjson.loads(text)
            if self._options.personal.keep_ids:
                self._restore_identities(document, cleaned)
            return orjson.dumps(cleaned)
        except (LawangError, ValueError, RecursionError):
            raise ValueError(
                "The message is nested too deeply, or holds what is no text."
            ) from None

    def _restore_identities(self, document: Any, cleaned: Any) -> None:
        """Put back identities that were masked as if they were a person's number."""
        key = self._options.fields.external_id
        if key is None or not key.isidentifier():
            return
        for row, clean_row in zip(self._rows(document), self._rows(cleaned), strict=False):
            if isinstance(row, dict) and isinstance(clean_row, dict) and key in row:
                clean_row[key] = row[key]

    def _rows(self, document: Any) -> list[Any]:
        found = search(self._options.records, document)
        return found if isinstance(found, list) else [found]


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body.decode("utf-8", "strict"))


def _is_near(timestamp: str, now: datetime, tolerance: timedelta) -> bool:
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    return abs(int(timestamp) - now.timestamp()) <= tolerance.total_seconds()


def _expressions(options: WebhookOptions) -> Iterator[str]:
    """All that is read from a message: what must not be taken out of it."""
    for value in options.fields.model_dump(exclude_none=True).values():
        yield from value.values() if isinstance(value, dict) else (value,)
    for measure in options.measures.values():
        yield from (each for each in (measure.value, measure.where) if each is not None)
    yield options.records
    yield options.heartbeat
