"""What a source file may say when its data is a resource of a CKAN portal."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from connectors.rest.options import HeaderName, check_address, check_header_value
from lawang.mapping import RowOptions


def check_portal_address(text: str) -> str:
    """The portal's own address, with a slash at the end; `api/3/action/` is added to it."""
    address = check_address(text)
    if urlsplit(address).query:
        raise ValueError("must hold no query")
    if "/api/" in f"{address}/":
        raise ValueError("must be the portal's address, without /api/3/action")
    return address.rstrip("/") + "/"


def check_key(secret: SecretStr) -> SecretStr:
    """The key if a header can carry it; "" is none. The error does not repeat it."""
    if secret.get_secret_value():
        check_header_value(secret.get_secret_value())
    return secret


PortalAddress = Annotated[str, AfterValidator(check_portal_address)]
ApiKey = Annotated[SecretStr, AfterValidator(check_key)]


class CkanOptions(RowOptions):
    """One resource. The README beside this file explains each option for integrators."""

    url: PortalAddress = Field(description="The portal's address.")
    resource_id: str = Field(min_length=1, max_length=200, description="The resource's id.")
    filters: dict[str, str | int | float | list[str | int | float]] = Field(
        default_factory=dict, description="Columns and the values that their rows must have."
    )
    q: str = Field("", description="Words that rows must hold.")
    columns: tuple[str, ...] = Field((), description="Which columns; empty for all.")
    sort: str = Field("_id", description="What keeps pages apart.")
    api_key: ApiKey = Field(default=SecretStr(""), description="A key for private resources.")
    api_key_header: HeaderName = "Authorization"
    metadata: bool = Field(True, description="Whether the resource's own description is read.")
    skip_unchanged: bool = Field(True, description="Whether an unchanged resource is left unread.")
    reread_after_s: int = Field(
        86_400, ge=60, le=2_678_400, description="When one is read although it looks unchanged."
    )
    page_size: int = Field(1_000, ge=1, le=32_000, description="Rows asked for at a time.")
    max_pages: int = Field(100, ge=1, le=1_000, description="The most pages one poll reads.")
    max_bytes: int = Field(
        20_000_000, ge=1_000, le=200_000_000, description="The largest page taken, in bytes."
    )
