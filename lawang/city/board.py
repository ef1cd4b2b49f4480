"""`board.toml` of a pack: which sources and measures make the wall's panels of live facts. Strict:
every source, measure and indicator named must exist, and be of a kind that can be shown there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from lawang.city.source import Source
from lawang.city.toml import Mistake, Table, first_mistake, mistake, read_toml
from lawang.domain.field import (
    ClinicsTable,
    DesksTable,
    FieldTables,
    TransitTable,
    VehiclesTable,
)
from lawang.domain.formula import RequestFigure, RequestFormula
from lawang.domain.kpi import Kpi
from lawang.domain.measure import MeasureKind, Period
from lawang.domain.programme import MeasureRef

FILE_NAME = "board.toml"

_Text = Annotated[str, Field(min_length=1)]
_Seconds = Annotated[float, Field(gt=0, le=7 * 86_400, allow_inf_nan=False)]
_Path = tuple[str, ...]


class _MeasureTable(Table):
    source: _Text
    measure: _Text


class _VehiclesTable(Table):
    old_after_s: _Seconds = VehiclesTable().old_after_s
    facts: list[_Text] = Field(default_factory=list)
    post: _Text | None = None


class _CamerasTable(Table):
    sources: list[_Text] = Field(min_length=1)


class _TransitTable(Table):
    sources: list[_Text] = Field(min_length=1)
    route: _Text
    delays: _MeasureTable | None = None
    notices: list[_Text] = Field(default_factory=list)


class _ClinicsTable(Table):
    waiting: _MeasureTable
    minutes: _MeasureTable
    old_after_s: _Seconds
    stock: str = ""
    ambulances: list[_Text] = Field(default_factory=list)


class _EktpTable(Table):
    source: _Text
    asked: _Text
    printed: _Text


class _PatenTable(Table):
    source: _Text
    asked: _Text
    done: _Text
    rejected: _Text


class _DesksTable(Table):
    letters: str = ""
    ektp: _EktpTable | None = None
    paten: _PatenTable | None = None


class _File(Table):
    water: _MeasureTable | None = None
    rain: _MeasureTable | None = None
    vehicles: _VehiclesTable = Field(default_factory=_VehiclesTable)
    cameras: _CamerasTable | None = None
    transit: _TransitTable | None = None
    clinics: _ClinicsTable | None = None
    desks: _DesksTable = Field(default_factory=_DesksTable)


@dataclass(frozen=True, slots=True)
class _Pack:
    """What the rest of the pack holds, for checking what is named."""

    sources: Mapping[str, Source]
    kpis: Mapping[str, Kpi]

    def source(self, name: str, kind: str, at: _Path) -> str:
        found = self.sources.get(name)
        if found is None:
            raise Mistake(at, f"there is no source {name!r}")
        if kind not in found.yields:
            raise Mistake(at, f"{name!r} does not yield {kind}")
        return name

    def list(self, names: list[str], kind: str, at: _Path) -> tuple[str, ...]:
        return tuple(self.source(name, kind, (*at, str(n))) for n, name in enumerate(names))

    def measure(
        self,
        source: str,
        measure: str,
        at: _Path,
        key: str = "measure",
        *,
        kinds: frozenset[MeasureKind],
        period: Period = Period.INSTANT,
    ) -> MeasureRef:
        """A measure of now (or of `period`) that may be shown there."""
        self.source(source, "readings", (*at, "source"))
        found = self.sources[source].measures.get(measure)
        if found is None:
            raise Mistake((*at, key), f"{measure!r} is not under [measures] of {source}.toml")
        if found.forecast or found.kind not in kinds or found.period is not period:
            words = " or ".join(sorted(kind.value for kind in kinds))
            raise Mistake((*at, key), f"{measure!r} must be {words}, with period {period.value}")
        return MeasureRef(source=source, measure=measure)


_STATES = frozenset({MeasureKind.GAUGE, MeasureKind.STOCK})
_GAUGE = frozenset({MeasureKind.GAUGE})
_RUNNING = frozenset({MeasureKind.CUMULATIVE})
_FLOW = frozenset({MeasureKind.FLOW})


def read_field_tables(
    file: Path, sources: Mapping[str, Source], kpis: Mapping[str, Kpi]
) -> FieldTables:
    """Read and validate `board.toml`; empty where a pack has none. Raises PackError."""
    if not file.exists():
        return FieldTables()
    try:
        found = _File.model_validate(read_toml(file))
    except ValidationError as error:
        raise mistake(file, *first_mistake(error)) from error
    pack = _Pack(sources, kpis)
    try:
        return FieldTables(
            water=_state(found.water, pack, ("water",)),
            rain=_rain(found.rain, pack),
            vehicles=VehiclesTable(
                old_after_s=found.vehicles.old_after_s,
                facts=tuple(found.vehicles.facts),
                post=found.vehicles.post or "",
            ),
            cameras=pack.list(found.cameras.sources, "positions", ("cameras", "sources"))
            if found.cameras
            else (),
            transit=_transit(found.transit, pack),
            clinics=_clinics(found.clinics, pack),
            desks=_desks(found.desks, pack),
        )
    except Mistake as error:
        raise mistake(file, error.path, str(error)) from error


def _state(table: _MeasureTable | None, pack: _Pack, at: _Path) -> MeasureRef | None:
    if table is None:
        return None
    return pack.measure(table.source, table.measure, at, kinds=_STATES)


def _rain(table: _MeasureTable | None, pack: _Pack) -> MeasureRef | None:
    if table is None:
        return None
    ref = pack.measure(table.source, table.measure, ("rain",), kinds=_RUNNING)
    if pack.sources[ref.source].measures[ref.measure].resets is not Period.DAY:
        problem = f'{table.measure!r} must begin again each day (resets = "day")'
        raise Mistake(("rain", "measure"), problem)
    return ref


def _transit(table: _TransitTable | None, pack: _Pack) -> TransitTable | None:
    if table is None:
        return None
    at = ("transit",)
    return TransitTable(
        sources=pack.list(table.sources, "positions", (*at, "sources")),
        route=table.route,
        delays=_state(table.delays, pack, (*at, "delays")),
        notices=pack.list(table.notices, "alerts", (*at, "notices")),
    )


def _clinics(table: _ClinicsTable | None, pack: _Pack) -> ClinicsTable | None:
    if table is None:
        return None
    at = ("clinics",)
    if table.stock:
        pack.source(table.stock, "readings", (*at, "stock"))
    return ClinicsTable(
        waiting=pack.measure(
            table.waiting.source, table.waiting.measure, (*at, "waiting"), kinds=_STATES
        ),
        minutes=pack.measure(
            table.minutes.source, table.minutes.measure, (*at, "minutes"), kinds=_GAUGE
        ),
        old_after_s=table.old_after_s,
        stock=table.stock,
        ambulances=pack.list(table.ambulances, "positions", (*at, "ambulances")),
    )


def _desks(table: _DesksTable, pack: _Pack) -> DesksTable:
    at = ("desks",)
    if table.letters:
        kpi = pack.kpis.get(table.letters)
        if kpi is None:
            raise Mistake((*at, "letters"), f"there is no indicator {table.letters!r} in kpi.toml")
        formula = kpi.formula
        if (
            not isinstance(formula, RequestFormula)
            or formula.figure is not RequestFigure.WITHIN_PROMISE
        ):
            problem = f'{table.letters!r} must be a request_share, what = "within_promise"'
            raise Mistake((*at, "letters"), problem)

    def flow(source: str, measure: str, where: str, key: str) -> MeasureRef:
        return pack.measure(source, measure, (*at, where), key, kinds=_FLOW, period=Period.DAY)

    ektp, paten = table.ektp, table.paten
    return DesksTable(
        letters=table.letters,
        ektp_asked=flow(ektp.source, ektp.asked, "ektp", "asked") if ektp else None,
        ektp_printed=flow(ektp.source, ektp.printed, "ektp", "printed") if ektp else None,
        paten_asked=flow(paten.source, paten.asked, "paten", "asked") if paten else None,
        paten_done=flow(paten.source, paten.done, "paten", "done") if paten else None,
        paten_rejected=flow(paten.source, paten.rejected, "paten", "rejected") if paten else None,
    )
