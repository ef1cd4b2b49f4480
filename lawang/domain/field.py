"""Which sources and measures make the wall's panels of live facts, as `board.toml` says it.

Frozen values; ids are those of the pack's sources, measures and indicators. What a city does not
have is None or empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lawang.domain.programme import MeasureRef


@dataclass(frozen=True, slots=True, kw_only=True)
class VehiclesTable:
    """A vehicle not heard of for `old_after_s` seconds counts as old; `facts` are those shown.

    `post` is the fact that names the post from which a vehicle goes out.
    """

    old_after_s: float = 300.0
    facts: tuple[str, ...] = ()
    post: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitTable:
    """`sources` tell where the buses are, `notices` what disturbs them.

    `route` is the fact of both that names routes; `delays` a measure whose subjects are routes.
    """

    sources: tuple[str, ...]
    route: str
    delays: MeasureRef | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicsTable:
    """People waiting, and the minutes they do, by clinic; either counts for `old_after_s` seconds.

    All measures of the source `stock` are medicines; `ambulances` are sources of positions.
    """

    waiting: MeasureRef
    minutes: MeasureRef
    old_after_s: float
    stock: str = ""
    ambulances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesksTable:
    """`letters` is an indicator of service requests done within the promise.

    The others are flows of a day, added up over their subjects.
    """

    letters: str = ""
    ektp_asked: MeasureRef | None = None
    ektp_printed: MeasureRef | None = None
    paten_asked: MeasureRef | None = None
    paten_done: MeasureRef | None = None
    paten_rejected: MeasureRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTables:
    """The whole of `board.toml`. `rain` is an amount since midnight."""

    water: MeasureRef | None = None
    rain: MeasureRef | None = None
    vehicles: VehiclesTable = field(default_factory=VehiclesTable)
    cameras: tuple[str, ...] = ()
    transit: TransitTable | None = None
    clinics: ClinicsTable | None = None
    desks: DesksTable = field(default_factory=DesksTable)
