"""What a source file may say about BMKG's open data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, field_validator

from connectors.rest.options import Address
from lawang.connector import Options

_ADM4 = re.compile(r"\d{2}\.\d{2}\.\d{2}\.\d{4}", re.ASCII)
_FEED = re.compile(r"[A-Za-z0-9_-]+\.json", re.ASCII)


class BmkgOptions(Options):
    """One of BMKG's two products: `gempa` (earthquakes) or `prakiraan` (the forecast)."""

    product: Literal["gempa", "prakiraan"] = Field(description="Earthquakes, or the forecast.")
    url: Address = Field(
        description="gempa: the folder of the feeds; prakiraan: the address that takes adm4."
    )
    per_minute: int = Field(
        50, ge=1, le=60, description="The most requests a minute, shared by all sources of BMKG."
    )
    max_bytes: int = Field(
        2_000_000, ge=1_000, le=50_000_000, description="The largest answer taken, in bytes."
    )

    feeds: tuple[str, ...] = Field(
        ("autogempa.json", "gempaterkini.json", "gempadirasakan.json"),
        min_length=1,
        max_length=10,
        description="gempa: which lists are read.",
    )
    latitude: float | None = Field(None, ge=-90, le=90, description="gempa: where the city is.")
    longitude: float | None = Field(None, ge=-180, le=180, description="gempa: where the city is.")
    radius_km: float = Field(
        300, gt=0, le=2_000, description="gempa: within this an earthquake concerns the city."
    )
    city_names: tuple[str, ...] = Field(
        (), description="gempa: names of the city in the list of where it was felt."
    )
    shown_h: float = Field(
        24, gt=0, le=720, description="gempa: for so long after it an earthquake is told."
    )

    adm4: tuple[str, ...] = Field((), description="prakiraan: Kemendagri codes of kelurahan.")
    one_per_kecamatan: bool = Field(
        False, description="prakiraan: ask only the first kelurahan of each kecamatan in `adm4`."
    )
    per_poll: int = Field(
        18, ge=1, le=50, description="prakiraan: how many kelurahan one poll asks, in turn."
    )
    horizon_h: float = Field(
        72, gt=0, le=240, description="prakiraan: how far ahead of the analysis is read."
    )

    @field_validator("adm4")
    @classmethod
    def _check_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not _ADM4.fullmatch(code):
                raise ValueError(f"{code!r} is no code of a kelurahan such as 16.71.01.1001")
        return tuple(dict.fromkeys(codes))

    @field_validator("feeds")
    @classmethod
    def _check_feeds(cls, feeds: tuple[str, ...]) -> tuple[str, ...]:
        for feed in feeds:
            if not _FEED.fullmatch(feed):
                raise ValueError(f"{feed!r} is no file's name such as autogempa.json")
        return feeds

    def problems(self) -> Iterable[tuple[tuple[str, ...], str]]:
        """What each product needs, and what it yields."""
        if self.product == "gempa":
            if self.latitude is None or self.longitude is None:
                yield ("connection", "latitude"), "is missing; gempa needs latitude and longitude"
            wanted = "alerts"
        else:
            if not self.adm4:
                yield ("connection", "adm4"), "is missing; prakiraan needs codes of kelurahan"
            wanted = "readings"
        if self.yields != (wanted,):
            yield ("yields",), f"{self.product} yields {wanted} and nothing else"

    @property
    def asked(self) -> tuple[str, ...]:
        """The kelurahan that are asked for, in turn."""
        if not self.one_per_kecamatan:
            return self.adm4
        first: dict[str, str] = {}
        for code in self.adm4:
            first.setdefault(code.rpartition(".")[0], code)
        return tuple(first.values())
