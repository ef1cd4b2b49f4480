"""`kpi.toml` of a pack: dimensions, curves of a year, and the indicators. Strict: every source,
measure, service, category and department named must exist.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from lawang.city.source import Source
from lawang.city.toml import Mistake, Table, first_mistake, mistake, read_toml
from lawang.domain.errors import PackError
from lawang.domain.formula import (
    Across,
    Formula,
    IncidentFigure,
    IncidentFormula,
    QualityFigure,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFigure,
    RequestFormula,
    Within,
)
from lawang.domain.incident import Status
from lawang.domain.kpi import Combine, Curve, Dimension, Direction, Kpi, Target
from lawang.domain.measure import MeasureKind


@dataclass(frozen=True, slots=True)
class Indicators:
    """What `kpi.toml` holds, by id and in the file's order."""

    dimensions: dict[str, Dimension] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    kpis: dict[str, Kpi] = field(default_factory=dict)


_Text = Annotated[str, Field(min_length=1)]
_Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Path_ = tuple[str, ...]


class _DimensionTable(Table):
    name_id: _Text
    name_en: _Text
    weight: _Weight = 1.0
    green: _Weight = 1.0
    amber: _Weight = 0.9


class _CurveTable(Table):
    """Either `share`, twelve cumulative ones, or `points` of ["MM-DD", share]."""

    share: list[_Number] | None = None
    points: list[tuple[str, _Number]] | None = None
    working_days: bool = False
    source: _Text

    @model_validator(mode="after")
    def _is_one(self) -> _CurveTable:
        if (self.share is None) == (self.points is None):
            raise ValueError("give either share (12 numbers) or points")
        if self.share is not None and len(self.share) != 12:
            raise ValueError("share must be 12 numbers, one by the end of each month")
        return self

    def curve(self, name: str) -> Curve:
        """The curve. Raises Mistake where it does not grow from 0 to 1."""
        key = "share" if self.share is not None else "points"
        if self.share is not None:
            points = [((month, 0), share) for month, share in enumerate(self.share, 1)]
        else:
            points = [(_month_day(text, n), share) for n, (text, share) in enumerate(self._points)]
        days = [_order(at) for at, _ in points]
        if days != sorted(set(days)):
            raise Mistake((key,), "the days must come in order, each once")
        shares = [0.0, *(share for _, share in points)]
        if any(later < earlier for earlier, later in pairwise(shares)):
            raise Mistake((key,), "a cumulative share does not fall, and is not below 0")
        if not points or points[-1][0] not in ((12, 0), (12, 31)) or shares[-1] != 1:
            raise Mistake((key,), "the last one must be 31 December (12-31) with a share of 1")
        return Curve(name, tuple(points), self.source, self.working_days)

    @property
    def _points(self) -> list[tuple[str, float]]:
        return self.points or []


def _month_day(text: str, place: int) -> tuple[int, int]:
    try:
        # A leap year, so that 29 February is told by its own sentence.
        at = date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise Mistake(("points", str(place)), f"{text!r} is not a day, such as 02-21") from None
    if (at.month, at.day) == (2, 29):
        raise Mistake(("points", str(place)), "29 February is not in every year: use 02-28")
    return at.month, at.day


def _order(at: tuple[int, int]) -> tuple[int, int]:
    return at[0], at[1] or 31


class _TargetTable(Table):
    level: _Number | None = None
    levels: list[_Number] | None = None
    per_day: _Amount | None = None
    year: _Amount | None = None
    years: dict[int, _Amount] | None = None
    curve: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> _TargetTable:
        given = (self.level, self.levels, self.per_day, self.year, self.years)
        if sum(each is not None for each in given) != 1:
            raise ValueError("give one of level, levels, per_day, year, years")
        if self.levels is not None and len(self.levels) != 12:
            raise ValueError("levels must be 12 numbers, one for each month")
        if self.years is not None and not self.years:
            raise ValueError("years must name at least one year")
        levels = [*(self.levels or ()), *([] if self.level is None else [self.level])]
        if any(each < 0 for each in levels):
            raise ValueError("a target below 0 cannot be scored")
        return self


class _KpiTable(Table):
    name_id: _Text
    name_en: _Text
    definition_id: _Text
    definition_en: _Text
    dimension: str
    owner: str
    unit: _Text
    unit_en: str = ""
    direction: Direction
    combine: Combine
    weight: _Weight = 1.0
    green: _Weight = 1.0
    amber: _Weight = 0.9
    minimum: int = Field(1, ge=0)
    due: Literal["hour", "day", "week", "month", "quarter", "year"] = "day"
    stale_after_days: Annotated[float, Field(gt=0, le=3660, allow_inf_nan=False)]
    simulated_target: bool = False
    target_source: str = ""
    value: dict[str, Any]
    target: _TargetTable | None = None

    @model_validator(mode="after")
    def _agrees(self) -> _KpiTable:
        if self.amber > self.green:
            raise ValueError("amber must not be above green")
        if self.unit_en and (self.unit == "%" or self.unit == "Rp"):
            raise ValueError(f"unit_en: {self.unit} is the same in every language, leave it out")
        if self.target is not None and not self.target_source.strip():
            raise ValueError("target_source must say where the target is from")
        return self


class _File(Table):
    dimensions: dict[_Id, _DimensionTable] = Field(min_length=1)
    curves: dict[_Id, _CurveTable] = Field(default_factory=dict)
    kpi: dict[_Id, _KpiTable] = Field(default_factory=dict)


# --- values --------------------------------------------------------------------------------------


class _Reading(Table):
    source: str
    measure: str
    subjects: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    across: Across = Across.SUM
    within: Within | None = None
    factor: _Weight = 1.0

    def formula(self, pack: _Pack, at: Path_) -> ReadingFormula:
        source = pack.source(self.source, "readings", (*at, "source"))
        measure = source.measures.get(self.measure)
        if measure is None:
            problem = f"{self.measure!r} is not under [measures] of {source.id}.toml"
            raise Mistake((*at, "measure"), problem)
        if measure.forecast:
            problem = f"{self.measure!r} is a forecast: what has not happened is no indicator"
            raise Mistake((*at, "measure"), problem)
        if self.within is not None:
            _check_within(measure.kind, self.within, (*at, "within"))
        if self.subjects and self.exclude:
            raise Mistake((*at, "exclude"), "give subjects or exclude, not both")
        return ReadingFormula(
            source=self.source,
            measure=self.measure,
            subjects=tuple(self.subjects),
            exclude=tuple(self.exclude),
            across=self.across,
            within=self.within,
            factor=self.factor,
        )


def _check_within(kind: MeasureKind, within: Within, at: Path_) -> None:
    if kind is MeasureKind.FLOW:
        raise Mistake(at, "the values of a flow within a day are added up: leave within out")
    if kind is MeasureKind.CUMULATIVE and within is not Within.LAST:
        raise Mistake(at, "of a cumulative measure: last (its running total), or leave within out")


class _ReadingValue(_Reading):
    kind: Literal["reading"]


class _RatioValue(Table):
    kind: Literal["reading_ratio"]
    numerator: _Reading
    denominator: _Reading


class _OfSources(Table):
    sources: list[str] = Field(min_length=1)


class _IncidentShareValue(_OfSources):
    kind: Literal["incident_share"]
    what: Literal["within_due", "closed", "claimed", "verified", "reopened"]
    categories: list[str] = Field(default_factory=list)
    verify_days: int | None = Field(None, ge=1, le=60)


class _IncidentValue(_OfSources):
    kind: Literal["incident_count", "incident_hours"]
    categories: list[str] = Field(default_factory=list)


class _ReachedValue(_OfSources):
    kind: Literal["within_minutes"]
    minutes: _Weight
    status: Literal["koordinasi", "disposisi", "proses", "selesai"] = "proses"
    categories: list[str] = Field(default_factory=list)


class _RequestShareValue(_OfSources):
    kind: Literal["request_share"]
    what: Literal["within_promise", "done", "rejected"]
    services: list[str] = Field(default_factory=list)


class _RequestValue(_OfSources):
    kind: Literal["request_count", "request_minutes"]
    services: list[str] = Field(default_factory=list)


class _QualityValue(Table):
    kind: Literal["source_quality"]
    what: QualityFigure
    sources: list[str] = Field(default_factory=list)
    opd: str = ""


_VALUES: dict[str, type[Table]] = {
    "reading": _ReadingValue,
    "reading_ratio": _RatioValue,
    "incident_share": _IncidentShareValue,
    "incident_count": _IncidentValue,
    "incident_hours": _IncidentValue,
    "within_minutes": _ReachedValue,
    "request_share": _RequestShareValue,
    "request_count": _RequestValue,
    "request_minutes": _RequestValue,
    "source_quality": _QualityValue,
}
#: LAPOR! closes a report that nobody disputed ten working days after it was followed up.
_VERIFY_DAYS = 10
_INCIDENT_FIGURES = {"incident_count": IncidentFigure.COUNT, "incident_hours": IncidentFigure.HOURS}
_REQUEST_FIGURES = {"request_count": RequestFigure.COUNT, "request_minutes": RequestFigure.MINUTES}


@dataclass(frozen=True, slots=True)
class _Pack:
    """What the rest of the pack holds, for checking what is named."""

    sources: Mapping[str, Source]
    categories: Container[str]
    opds: Container[str]

    def source(self, name: str, kind: str, at: Path_) -> Source:
        source = self.sources.get(name)
        if source is None:
            raise Mistake(at, f"there is no source {name!r}")
        if kind and kind not in source.yields:
            raise Mistake(at, f"{name!r} does not yield {kind}")
        return source

    def sources_of(self, names: list[str], kind: str) -> list[Source]:
        at = ("sources",)
        if len(set(names)) != len(names):
            raise Mistake(at, "names a source twice")
        return [self.source(name, kind, at) for name in names]

    def check_categories(self, names: list[str]) -> None:
        for name in names:
            if name not in self.categories:
                raise Mistake(("categories",), f"{name!r} is not in categories.toml")


def _formula(values: dict[str, Any], pack: _Pack) -> Formula:
    """The formula of a `[kpi.*.value]` table. Raises Mistake, and ValidationError."""
    kind = values.get("kind")
    model = _VALUES.get(kind) if isinstance(kind, str) else None
    if model is None:
        problem = f"must be one of {', '.join(_VALUES)}" if "kind" in values else "is missing"
        raise Mistake(("kind",), problem)
    value = model.model_validate(values)
    if isinstance(value, _ReadingValue):
        return value.formula(pack, ())
    if isinstance(value, _RatioValue):
        return ReadingRatioFormula(
            numerator=value.numerator.formula(pack, ("numerator",)),
            denominator=value.denominator.formula(pack, ("denominator",)),
        )
    if isinstance(value, _QualityValue):
        return _quality(value, pack)
    if isinstance(value, _IncidentShareValue | _IncidentValue | _ReachedValue):
        return _incidents(value, pack)
    assert isinstance(value, _RequestShareValue | _RequestValue)
    return _requests(value, pack)


def _incidents(
    value: _IncidentShareValue | _IncidentValue | _ReachedValue, pack: _Pack
) -> IncidentFormula | ReachedFormula:
    pack.sources_of(value.sources, "incidents")
    pack.check_categories(value.categories)
    sources, categories = tuple(value.sources), tuple(value.categories)
    if isinstance(value, _ReachedValue):
        return ReachedFormula(
            minutes=value.minutes,
            status=Status(value.status),
            sources=sources,
            categories=categories,
        )
    figure = (
        IncidentFigure(value.what)
        if isinstance(value, _IncidentShareValue)
        else _INCIDENT_FIGURES[value.kind]
    )
    verify_days = 0
    if figure is IncidentFigure.VERIFIED:
        verify_days = _VERIFY_DAYS
    if isinstance(value, _IncidentShareValue) and value.verify_days is not None:
        if figure is not IncidentFigure.VERIFIED:
            raise Mistake(("verify_days",), 'belongs to what = "verified"')
        verify_days = value.verify_days
    return IncidentFormula(
        figure=figure, sources=sources, categories=categories, verify_days=verify_days
    )


def _requests(value: _RequestShareValue | _RequestValue, pack: _Pack) -> RequestFormula:
    sources = pack.sources_of(value.sources, "service_requests")
    for name in value.services:
        if not any(name in source.services for source in sources):
            names = ", ".join(value.sources)
            raise Mistake(("services",), f"{name!r} is not under [services] of {names}")
    figure = (
        RequestFigure(value.what)
        if isinstance(value, _RequestShareValue)
        else _REQUEST_FIGURES[value.kind]
    )
    return RequestFormula(
        figure=figure, sources=tuple(value.sources), services=tuple(value.services)
    )


def _quality(value: _QualityValue, pack: _Pack) -> QualityFormula:
    if value.opd and value.sources:
        raise Mistake(("opd",), "give sources or opd, not both")
    if (value.opd or value.sources) and value.what is QualityFigure.INTEGRATED:
        raise Mistake(("what",), "integrated is about all departments: name no sources and no opd")
    pack.sources_of(value.sources, "")
    names = tuple(value.sources)
    if value.opd:
        if value.opd not in pack.opds:
            raise Mistake(("opd",), f"{value.opd!r} is not in opd.toml")
        names = tuple(each.id for each in pack.sources.values() if each.opd == value.opd)
        if not names:
            raise Mistake(("opd",), f"{value.opd!r} has no source")
    return QualityFormula(figure=value.what, sources=names)


# --- the file ------------------------------------------------------------------------------------


def read_kpis(
    file: Path,
    sources: Mapping[str, Source],
    categories: Container[str],
    opds: Container[str],
) -> Indicators:
    """Read and validate `kpi.toml`; nothing at all where a pack has none. Raises PackError."""
    if not file.exists():
        return Indicators()
    try:
        found = _File.model_validate(read_toml(file))
    except ValidationError as error:
        raise mistake(file, *first_mistake(error)) from error
    pack = _Pack(sources, categories, opds)
    dimensions = {
        name: Dimension(id=name, **table.model_dump()) for name, table in found.dimensions.items()
    }
    curves = {}
    for name, table in found.curves.items():
        try:
            curves[name] = table.curve(name)
        except Mistake as error:
            raise mistake(file, ("curves", name, *error.path), str(error)) from error
    kpis = {}
    for name, each in found.kpi.items():
        try:
            kpis[name] = _kpi(name, each, pack, dimensions, curves)
        except Mistake as error:
            raise mistake(file, ("kpi", name, *error.path), str(error)) from error
        except ValidationError as error:
            path, problem = first_mistake(error)
            raise mistake(file, ("kpi", name, "value", *path), problem) from error
    if not kpis:
        raise PackError(file, "kpi", "holds no indicator")
    return Indicators(dimensions, curves, kpis)


def _kpi(
    name: str,
    table: _KpiTable,
    pack: _Pack,
    dimensions: Mapping[str, Dimension],
    curves: Mapping[str, Curve],
) -> Kpi:
    if table.dimension not in dimensions:
        raise Mistake(("dimension",), f"{table.dimension!r} is not under [dimensions]")
    if table.owner not in pack.opds:
        raise Mistake(("owner",), f"{table.owner!r} is not in opd.toml")
    try:
        formula = _formula(table.value, pack)
    except Mistake as error:
        raise Mistake(("value", *error.path), str(error)) from error
    _check_combine(table, formula)
    return Kpi(
        id=name,
        **table.model_dump(
            include={
                "name_id", "name_en", "definition_id", "definition_en", "dimension", "owner",
                "unit", "unit_en", "direction", "combine", "weight", "green", "amber", "minimum",
                "due", "simulated_target", "target_source",
            }
        ),
        formula=formula,
        target=_target(table, curves),
        stale_after=timedelta(days=table.stale_after_days),
    )  # fmt: skip


def _check_combine(table: _KpiTable, formula: Formula) -> None:
    """Counts are summed up; shares and means have a cohort that must be summed up beside them."""
    counts = isinstance(formula, IncidentFormula | RequestFormula) and formula.figure in (
        IncidentFigure.COUNT,
        RequestFigure.COUNT,
    )
    readings = isinstance(formula, ReadingFormula)
    if counts and table.combine is Combine.LAST:
        raise Mistake(("combine",), "a count is sum, or ratio (a mean per day)")
    if not counts and not readings and table.combine is Combine.SUM:
        raise Mistake(("combine",), "a share or a mean of days cannot be summed up: use ratio")


def _target(table: _KpiTable, curves: Mapping[str, Curve]) -> Target | None:
    given = table.target
    if given is None:
        return None
    curve = None
    if given.curve is not None:
        if given.curve not in curves:
            raise Mistake(("target", "curve"), f"{given.curve!r} is not under [curves]")
        curve = curves[given.curve]
    is_sum = table.combine is Combine.SUM
    if is_sum and (given.level is not None or given.levels is not None):
        key = "level" if given.level is not None else "levels"
        raise Mistake(("target", key), "a sum is held to year, years or per_day")
    if not is_sum and given.per_day is not None:
        raise Mistake(("target", "per_day"), "belongs to a sum")
    if curve is not None and (given.per_day is not None or given.levels is not None):
        raise Mistake(("target", "curve"), "spreads the amount of a year")
    if curve is not None and table.combine is Combine.RATIO:
        raise Mistake(("target", "curve"), "a ratio does not grow over the year: leave it out")
    return Target(
        level=given.level,
        levels=tuple(given.levels or ()),
        per_day=given.per_day,
        year=given.year,
        years=dict(given.years or {}),
        curve=curve,
    )
