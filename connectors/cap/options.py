"""What a source file may say when its department publishes CAP."""

from __future__ import annotations

from pydantic import Field

from connectors.rest.options import Address
from lawang.connector import Options


class CapOptions(Options):
    """One index of CAP documents, or one document."""

    yields: tuple[str, ...] = ("alerts",)
    url: Address = Field(description="The RSS or Atom index, or a CAP document itself.")
    language: str = Field(
        "id", min_length=2, max_length=35, description="The language wanted, as CAP writes it."
    )
    accept_tests: bool = Field(
        False, description="Whether exercises and tests are taken as if they were meant."
    )
    city_names: tuple[str, ...] = Field(
        (), description="Area names that mean the whole city, where no polygon says more."
    )
    max_items: int = Field(
        100, ge=1, le=1_000, description="The most entries of the index that are looked at."
    )
    max_age_h: float = Field(
        72, gt=0, le=8_760, description="Entries of the index older than this are left alone."
    )
    per_minute: int = Field(
        50, ge=1, le=6_000, description="The most requests a minute, shared by provider."
    )
    max_bytes: int = Field(
        5_000_000, ge=1_000, le=50_000_000, description="The largest document taken, in bytes."
    )
