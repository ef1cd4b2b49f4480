"""What a source file may say when its department keeps a layer on an ArcGIS server."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connectors.rest.options import HeaderValue, check_address, check_header_value
from lawang.mapping import RowOptions

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_LAYER = re.compile(r".*/(?:FeatureServer|MapServer)/\d+", re.IGNORECASE)


def check_layer_address(text: str) -> str:
    """The address of one layer, without a slash at the end and without a query."""
    address = check_address(text).rstrip("/")
    if urlsplit(address).query:
        raise ValueError("must hold no query; a key goes to token")
    if not _LAYER.fullmatch(address):
        raise ValueError("must end in /FeatureServer/<number> or /MapServer/<number>: one layer")
    return address


def check_field_name(text: str) -> str:
    """`text` if a field can be called so: it becomes a part of the question."""
    if not _NAME.fullmatch(text):
        raise ValueError("is no name of a field")
    return text


def check_token(secret: SecretStr) -> SecretStr:
    """The token if a header can carry it; "" is none. The error does not repeat it."""
    if secret.get_secret_value():
        check_header_value(secret.get_secret_value())
    return secret


LayerAddress = Annotated[str, AfterValidator(check_layer_address)]
FieldName = Annotated[str, AfterValidator(check_field_name)]
Token = Annotated[SecretStr, AfterValidator(check_token)]


class EditedSince(BaseModel):
    """The date field in which the layer keeps when a feature was last edited.

    `timezone` is that in which the server reads dates in a question: UTC for hosted layers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: FieldName
    overlap_s: int = Field(600, ge=0, le=86_400)
    timezone: ZoneInfo = ZoneInfo("UTC")


class ArcgisOptions(RowOptions):
    """One layer. The README beside this file explains each option for integrators."""

    url: LayerAddress = Field(description="The layer's address, up to its number.")
    where: str = Field("1=1", min_length=1, description="Which features, in the layer's SQL.")
    out_fields: tuple[FieldName, ...] = Field((), description="Which attributes; empty for all.")
    order_by: str = Field("", description="What keeps pages apart; the layer's object id if empty.")
    format: Literal["json", "geojson"] = "json"
    out_sr: Literal[4326, 3857] = Field(4326, description="The spatial reference that is asked.")
    geometry: bool = Field(True, description="Whether places are asked for at all.")
    token: Token = Field(default=SecretStr(""), description="A key for protected layers.")
    token_in: Literal["header", "parameter"] = "header"  # noqa: S105 (where it goes)
    referer: HeaderValue | None = Field(None, description="For tokens that are bound to one.")
    incremental: EditedSince | None = None
    describe: bool = Field(True, description="Whether the layer's own description is read first.")
    page_size: int = Field(1_000, ge=1, le=10_000, description="Features asked for at a time.")
    max_pages: int = Field(100, ge=1, le=1_000, description="The most pages one poll reads.")
    max_bytes: int = Field(
        20_000_000, ge=1_000, le=200_000_000, description="The largest page taken, in bytes."
    )
