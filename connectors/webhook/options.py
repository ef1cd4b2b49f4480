"""What a source file may say when its department pushes to `POST /ingest/<id>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from lawang.mapping import Expression, RowOptions

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SHORTEST_SECRET = 4


def _check_header(text: str) -> str:
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError("is no name of a header")
    return text


def _check_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _SHORTEST_SECRET:
        raise ValueError(f"must have at least {_SHORTEST_SECRET} characters")
    return secret


def _none_if_empty(secret: SecretStr | None) -> SecretStr | None:
    """`${NAME:-}` of an unset variable means: none."""
    return secret if secret is not None and secret.get_secret_value() else None


HeaderName = Annotated[str, AfterValidator(_check_header)]


class WebhookOptions(RowOptions):
    """Options of connector webhook; the README explains each."""

    secret: Annotated[SecretStr, AfterValidator(_check_secret)]
    previous_secret: Annotated[SecretStr | None, AfterValidator(_none_if_empty)] = None
    timestamp_header: HeaderName = "X-Lawang-Timestamp"
    signature_header: HeaderName = "X-Lawang-Signature"
    tolerance_s: int = Field(300, ge=5, le=86_400)
    max_bytes: int = Field(262_144, ge=1_000, le=10_000_000)
    rate_per_s: float = Field(20.0, gt=0, le=10_000)
    burst: int = Field(100, ge=1, le=100_000)
    records: Expression = "@"
    heartbeat: Expression = "type == 'heartbeat'"
    silent_after_s: float | None = Field(None, gt=0, allow_inf_nan=False)

    def problems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """What contradicts itself, beside what rows need."""
        yield from super().problems()
        if self.timestamp_header.casefold() == self.signature_header.casefold():
            yield ("connection", "signature_header"), "must differ from timestamp_header"
