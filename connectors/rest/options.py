"""What a source file may say when its department has a JSON API of its own shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo

from lawang.mapping import Expression, RowOptions


def check_address(text: str) -> str:
    """A plain http(s) address without user, password or fragment."""
    try:
        scheme, place, _, _, fragment = urlsplit(text.strip())
        host = httpx.URL(text.strip()).host
    except (ValueError, httpx.InvalidURL):
        raise ValueError("is not an address") from None
    if scheme not in ("http", "https") or not host:
        raise ValueError("must begin with http:// or https:// and name a host")
    if "@" in place or fragment:
        raise ValueError("must hold no user, password or fragment; those go to [connection.auth]")
    return text.strip()


Address = Annotated[str, AfterValidator(check_address)]


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def check_header_name(text: str) -> str:
    """`text` if a header may be called so (RFC 9110, 5.1)."""
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError("is no name of a header")
    return text


def check_header_value(text: str) -> str:
    """`text` if a header can carry it: printable ASCII. The error does not repeat it."""
    if not text or not text.isascii() or not text.isprintable() or text != text.strip():
        raise ValueError("must be printable ASCII without spaces around it, and not empty")
    return text


def _check_secret(secret: SecretStr) -> SecretStr:
    check_header_value(secret.get_secret_value())
    return secret


HeaderName = Annotated[str, AfterValidator(check_header_name)]
HeaderValue = Annotated[str, AfterValidator(check_header_value)]
HeaderSecret = Annotated[SecretStr, AfterValidator(_check_secret)]


def check_body(body: dict[str, Any] | None, stated: ValidationInfo) -> dict[str, Any] | None:
    """The JSON of a query; TOML has dates and infinities, which JSON has not."""
    if body is None:
        return None
    if stated.data.get("method") == "GET":
        raise ValueError('needs method = "POST"')
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("holds what JSON cannot: write dates as text") from None
    return body


Body = Annotated[dict[str, Any] | None, AfterValidator(check_body)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoAuth(_Table):
    """The server asks for nothing."""

    kind: Literal["none"] = "none"


class HeaderAuth(_Table):
    """A key in a header of its own, such as X-Api-Key."""

    kind: Literal["header"]
    name: HeaderName = "X-Api-Key"
    value: HeaderSecret


class BearerAuth(_Table):
    """A token that does not run out, as `Authorization: Bearer`."""

    kind: Literal["bearer"]
    token: HeaderSecret


class BasicAuth(_Table):
    """A user and a password."""

    kind: Literal["basic"]
    user: str
    password: SecretStr


class ClientCredentials(_Table):
    """OAuth 2 client credentials (RFC 6749, 4.4): a token is fetched and renewed as needed."""

    kind: Literal["oauth2"]
    token_url: Address
    client_id: str
    client_secret: SecretStr
    scope: str = ""


Auth = Annotated[
    NoAuth | HeaderAuth | BearerAuth | BasicAuth | ClientCredentials, Field(discriminator="kind")
]


#: Where a parameter of a request is written: in the address, or in the JSON of a POST query.
Place = Literal["query", "body"]


class _PlacedTable(_Table):
    """A table of parameters, which may stand in the body.

    In the body a parameter with points leads into objects: "paging.page".
    """

    place: Place = Field("query", alias="in")


class OnePage(_Table):
    """Everything in one answer."""

    kind: Literal["none"] = "none"


class NumberedPages(_PlacedTable):
    """`?page=1`, until a page is shorter than `size` or empty."""

    kind: Literal["page"]
    parameter: str = "page"
    first: int = Field(1, ge=0)
    size_parameter: str | None = "per_page"
    size: int = Field(100, ge=1, le=10_000)


class OffsetPages(_PlacedTable):
    """`?offset=0&limit=100`, until a page is shorter than `size`."""

    kind: Literal["offset"]
    parameter: str = "offset"
    size_parameter: str = "limit"
    size: int = Field(100, ge=1, le=10_000)


class CursorPages(_PlacedTable):
    """The answer names the next page's cursor at `next`, until it names none."""

    kind: Literal["cursor"]
    parameter: str = "cursor"
    next: Expression


class LinkedPages(_Table):
    """The answer gives the next page's whole address, until it gives none.

    At `next`, or where that is not stated in the header `Link: <...>; rel="next"` (RFC 8288).
    """

    kind: Literal["link"]
    next: Expression | None = None


Paging = Annotated[
    OnePage | NumberedPages | OffsetPages | CursorPages | LinkedPages, Field(discriminator="kind")
]


class Envelope(_Table):
    """For servers that answer 200 and put the real outcome into the body.

    `code` is where it stands and `ok` what it may be; the rest are refusals by their HTTP meaning
    where they have one.
    """

    code: Expression
    ok: tuple[str | int, ...] = (200, "200")


class Incremental(_PlacedTable):
    """A parameter of the server for "changed at or after".

    Asked from the newest time of change that was read; where rows have none, from the last poll.
    """

    parameter: str = Field(min_length=1)
    format: Literal["iso", "epoch", "epoch_ms"] = "iso"
    overlap_s: int = Field(600, ge=0, le=86_400)


class RestOptions(RowOptions):
    """One JSON API. The README beside this file explains each for integrators."""

    url: Address = Field(description="The address that is asked.")
    method: Literal["GET", "POST"] = Field("GET", description="POST for servers that query so.")
    # Not shown: some departments want a key in one of these.
    params: dict[str, str] = Field(
        default_factory=dict, repr=False, description="Sent with every request."
    )
    body: Body = Field(None, repr=False, description="The JSON of a POST query.")
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, repr=False, description="Further headers, no keys."
    )
    auth: Auth = Field(default_factory=NoAuth)
    paging: Paging = Field(default_factory=OnePage)
    envelope: Envelope | None = None
    incremental: Incremental | None = None
    records: Expression = Field("@", description="Where in the answer the list of rows stands.")
    max_pages: int = Field(100, ge=1, le=1_000, description="The most pages one poll reads.")
    max_bytes: int = Field(
        20_000_000, ge=1_000, le=200_000_000, description="The largest answer taken, in bytes."
    )

    def problems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Those of rows, and parameters for a body that a GET has not."""
        yield from super().problems()
        for name in ("paging", "incremental"):
            if self.method != "POST" and getattr(getattr(self, name), "place", "") == "body":
                yield ("connection", name, "in"), 'is "body", which needs method = "POST"'
