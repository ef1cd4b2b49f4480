"""Positions: where a thing of the city is, and in what state: vehicles, cameras, gauges, posts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PositionStatus(StrEnum):
    """What a thing is doing. UNKNOWN is a word of the source that its map does not know."""

    ACTIVE = "aktif"
    STANDBY = "siaga"
    OFF = "mati"
    FAULTY = "rusak"
    UNKNOWN = "tidak_diketahui"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One thing's position as a connector's `parse` states it, nothing resolved.

    `heading` is in degrees clockwise from north, `speed_kmh` in km/h. `link` is an address of
    what it shows, such as a camera's stream. `facts` are further plain values worth showing (a
    route, a delay in seconds), never about a person.
    """

    external_id: str
    kind: str | None = None
    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    heading: float | None = None
    speed_kmh: float | None = None
    status: str | None = None
    link: str | None = None
    region: str | None = None
    owner: str | None = None
    observed_at: datetime | None = None
    facts: dict[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last known position of one thing. `id` is `<source>:<external id>`.

    Without usable coordinates latitude and longitude are None: the thing is known, its place is
    not. `observed_estimated`: the source gave no usable time, so `fetched_at` stands in.
    """

    id: str
    source_id: str
    external_id: str
    kind: str
    name: str | None
    latitude: float | None
    longitude: float | None
    heading: float | None
    speed_kmh: float | None
    status: PositionStatus
    status_raw: str | None
    link: str | None
    owner: str | None
    kecamatan: str | None
    kelurahan: str | None
    placed_by: str
    location_problem: str
    facts: dict[str, str | float]
    observed_at: datetime
    observed_estimated: bool
    fetched_at: datetime
    simulated: bool
