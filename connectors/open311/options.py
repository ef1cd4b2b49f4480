"""What a source file may say under `[connection]` when its department speaks GeoReport v2."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from lawang.connector import Options


def _check_address(text: str) -> str:
    """A plain http(s) folder address, always ending in a slash."""
    try:
        scheme, place, _, query, fragment = urlsplit(text.strip())
        host = httpx.URL(text.strip()).host
    except (ValueError, httpx.InvalidURL):
        raise ValueError("is not an address") from None
    if scheme not in ("http", "https") or not host:
        raise ValueError("must begin with http:// or https:// and name a host")
    if "@" in place or query or fragment:
        raise ValueError("must hold no user, password, query or fragment; a key goes to api_key")
    return text.strip().rstrip("/") + "/"


class ExtendedFields(BaseModel):
    """`[fields]`: names in a record's `extended_attributes`, which the standard leaves open.

    Where one is given, `extensions=true` is sent along, as servers that have them ask for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    closed_at: str = Field("", description="When the request was last closed.")
    verified_at: str = Field(
        "", description="When another than who closed it confirmed that; empty: never told."
    )


class Open311Options(Options):
    """One GeoReport v2 server. The README beside this file explains each for integrators."""

    base_url: Annotated[str, AfterValidator(_check_address)] = Field(
        description="The address under which services.json and requests.json lie."
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="Sent as api_key with every request; empty: not sent."
    )
    format: Literal["json", "xml"] = Field("json", description="Which form to ask for.")
    jurisdiction_id: str = Field("", description="Sent with every request; empty: not sent.")
    updated_parameter: str | None = Field(
        None,
        min_length=1,
        description="The server's own parameter for 'changed at or after'; without one, every "
        "poll reads the standard's window of requested_datetime.",
    )
    overlap_s: int = Field(
        600,
        ge=0,
        le=86_400,
        description="How far before the newest known change an incremental poll begins, in "
        "seconds: records that their server committed late are still seen.",
    )
    page_size: int = Field(
        100, ge=1, le=10_000, description="Records a page; must be a number the server honours."
    )
    max_pages: int = Field(100, ge=1, le=1_000, description="The most pages one poll reads.")
    window_days: int = Field(
        90,
        ge=1,
        le=366,
        description="How many days back by requested_datetime, today included, the first poll "
        "reads, and every poll without updated_parameter. Servers may refuse more than 90.",
    )
    max_bytes: int = Field(
        20_000_000, ge=1_000, le=200_000_000, description="The largest answer taken, in bytes."
    )
    fields: ExtendedFields = Field(default_factory=ExtendedFields)
    services: bool = Field(False, description="Whether the list of services is read as well.")
    timezone: ZoneInfo = Field(
        ZoneInfo("Asia/Jakarta"), description="Where times without an offset are meant."
    )
