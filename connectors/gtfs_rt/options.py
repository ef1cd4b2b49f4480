"""What a source file may say about a GTFS-Realtime feed."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from connectors.rest.options import Address, HeaderName, check_header_value
from lawang.connector import Options


def _check(secret: SecretStr) -> SecretStr:
    check_header_value(secret.get_secret_value())
    return secret


class KeyHeader(BaseModel):
    """A key in a header, such as X-Api-Key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: HeaderName = "X-Api-Key"
    value: Annotated[SecretStr, AfterValidator(_check)]


class GtfsRealtimeOptions(Options):
    """One feed. Of its entities only those that the source yields are read."""

    yields: tuple[str, ...] = ("positions",)
    url: Address = Field(description="The feed, in protocol buffers.")
    key: KeyHeader | None = Field(None, description="A key in a header: `name` and `value`.")
    stale_after_s: float = Field(
        300, gt=0, le=86_400, description="A feed whose own time is older counts as silent."
    )
    vehicle_kind: str = Field("bus", min_length=1, max_length=40, description="What moves.")
    language: str = Field("id", min_length=2, max_length=35, description="The language wanted.")
    everywhere: bool = Field(
        True, description="Whether alerts, which name no place on the map, concern the whole city."
    )
    alert_holds_s: int = Field(
        900,
        ge=60,
        le=86_400,
        description="How long an alert outlives the last feed that told it, at least.",
    )
    max_bytes: int = Field(
        20_000_000, ge=1_000, le=200_000_000, description="The largest feed taken, in bytes."
    )
