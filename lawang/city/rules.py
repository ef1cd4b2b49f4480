"""`rules.toml` of a pack: when an alarm is raised. Strict: every source, measure, category,
department, kecamatan and rule named must exist, and be of a kind that the rule can watch.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from lawang.city.source import Source
from lawang.city.toml import Mistake, Table, first_mistake, mistake, read_toml
from lawang.domain.alarm import AlarmSeverity
from lawang.domain.alert import Severity
from lawang.domain.measure import MeasureKind, Period
from lawang.domain.rule import (
    Absence,
    CapWarning,
    Combination,
    Condition,
    OfSeries,
    Rate,
    Rule,
    ScreenFault,
    Silence,
    Surge,
    Threshold,
)
from lawang.domain.screen import ScreenState

_Text = Annotated[str, Field(min_length=1)]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Seconds = Annotated[float, Field(gt=0, le=366 * 86_400, allow_inf_nan=False)]
_Path = tuple[str, ...]

PLACEHOLDERS = ("value", "subject", "region", "since")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_WINDOW_S = 7 * 86_400
#: How long the period of a reading is at most; it says nothing new before that is over.
_PERIOD_S = {
    Period.INSTANT: 0.0,
    Period.HOUR: 3600.0,
    Period.DAY: 86_400.0,
    Period.WEEK: 7 * 86_400.0,
    Period.MONTH: 31 * 86_400.0,
    Period.YEAR: 366 * 86_400.0,
}


class _SilenceTable(Table):
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default_factory=lambda: list(DAYS),  # type: ignore[arg-type]
        min_length=1,
    )
    from_: Annotated[time, Field(alias="from")]
    until: time

    def silence(self) -> Silence:
        return Silence(
            days=frozenset(DAYS.index(day) for day in self.days),
            first=self.from_,
            until=self.until,
        )


class _OfSeries(Table):
    source: str
    measure: str
    subjects: list[_Text] = Field(default_factory=list)
    exclude: list[_Text] = Field(default_factory=list)
    vanishes_after_s: _Seconds | None = None

    @model_validator(mode="after")
    def _is_one(self) -> _OfSeries:
        if self.subjects and self.exclude:
            raise ValueError("give subjects or exclude, not both")
        return self


class _ThresholdTable(_OfSeries):
    kind: Literal["threshold"]
    over: _Number | None = None
    under: _Number | None = None
    clears_at: _Number | None = None

    @model_validator(mode="after")
    def _has_a_side(self) -> _ThresholdTable:
        if (self.over is None) == (self.under is None):
            raise ValueError("give either over or under")
        if self.clears_at is not None:
            if self.over is not None and self.clears_at > self.over:
                raise ValueError("clears_at must not be above over")
            if self.under is not None and self.clears_at < self.under:
                raise ValueError("clears_at must not be below under")
        return self


class _RateTable(_OfSeries):
    kind: Literal["rate"]
    within_s: Annotated[float, Field(gt=0, le=_LONGEST_WINDOW_S)]
    rises: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    falls: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    clears_at: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _has_a_side(self) -> _RateTable:
        if (self.rises is None) == (self.falls is None):
            raise ValueError("give either rises or falls")
        limit = self.rises if self.rises is not None else self.falls
        if self.clears_at is not None and limit is not None and self.clears_at > limit:
            raise ValueError("clears_at must not be above the change that raises it")
        return self


class _AbsenceTable(Table):
    kind: Literal["absence"]
    silent_s: _Seconds
    source: str = ""
    measure: str = ""
    subjects: list[_Text] = Field(default_factory=list)
    exclude: list[_Text] = Field(default_factory=list)
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    sources: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_one(self) -> _AbsenceTable:
        if bool(self.source) == (self.share is not None):
            raise ValueError("give source (with or without measure), or share")
        if (self.subjects or self.exclude) and not self.measure:
            raise ValueError("subjects and exclude need a measure")
        if self.subjects and self.exclude:
            raise ValueError("give subjects or exclude, not both")
        if self.measure and self.share is not None:
            raise ValueError("share is of sources: leave measure out")
        if self.sources and self.share is None:
            raise ValueError("sources belongs to share")
        return self


class _SurgeTable(Table):
    kind: Literal["surge"]
    categories: list[str] = Field(min_length=1)
    sources: list[str] = Field(default_factory=list)
    by: Literal["kecamatan", "city"] = "city"
    within_s: Annotated[float, Field(ge=300, le=_LONGEST_WINDOW_S)] = 3600.0
    weeks: Annotated[int, Field(ge=1, le=52)] = 8
    least_weeks: Annotated[int, Field(ge=1, le=52)] = 2
    least: Annotated[int, Field(ge=2, le=10_000)]
    p: Annotated[float, Field(gt=0, le=0.05)] = 0.001

    @model_validator(mode="after")
    def _agrees(self) -> _SurgeTable:
        if self.least_weeks > self.weeks:
            raise ValueError("least_weeks must not be more than weeks")
        return self


class _CapTable(Table):
    kind: Literal["cap"]
    sources: list[str] = Field(default_factory=list)
    severity: Literal["extreme", "severe", "moderate", "minor"]
    regions: list[str] = Field(default_factory=list)


class _ScreenTable(Table):
    kind: Literal["screen"]
    states: list[Literal["dark", "frozen"]] = Field(
        default_factory=lambda: ["dark", "frozen"],  # type: ignore[arg-type]
        min_length=1,
    )
    screens: list[_Id] = Field(default_factory=list)


class _CombinationTable(Table):
    kind: Literal["combination"]
    rules: list[str] = Field(min_length=2)
    need: Literal["all", "any"] = "all"
    within_s: Annotated[float, Field(gt=0, le=_LONGEST_WINDOW_S)]
    same_region: bool = False


_CONDITIONS: dict[str, type[Table]] = {
    "threshold": _ThresholdTable,
    "rate": _RateTable,
    "absence": _AbsenceTable,
    "surge": _SurgeTable,
    "cap": _CapTable,
    "combination": _CombinationTable,
    "screen": _ScreenTable,
}


class _RuleTable(Table):
    name_id: _Text
    name_en: _Text
    text_id: _Text
    text_en: _Text
    severity: AlarmSeverity
    owner: str
    region: str = ""
    for_s: Annotated[float, Field(ge=0, le=_LONGEST_WINDOW_S)] = 0.0
    steps_id: list[_Text] = Field(min_length=1)
    steps_en: list[_Text] = Field(min_length=1)
    silence: list[_SilenceTable] = Field(default_factory=list)
    simulated: bool = False
    basis: str = ""
    when: dict[str, Any]

    @model_validator(mode="after")
    def _agrees(self) -> _RuleTable:
        if len(self.steps_id) != len(self.steps_en):
            raise ValueError("steps_id and steps_en must be as many")
        if bool(self.basis.strip()) == self.simulated:
            raise ValueError("say in basis where the figures are from, or simulated = true")
        return self


class _File(Table):
    rule: dict[_Id, _RuleTable] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Pack:
    """What the rest of the pack holds, for checking what is named."""

    sources: Mapping[str, Source]
    categories: Container[str]
    opds: Container[str]
    kecamatan: Container[str]
    rules: Mapping[str, _RuleTable]

    def source(self, name: str, kind: str, at: _Path) -> Source:
        found = self.sources.get(name)
        if found is None:
            raise Mistake(at, f"there is no source {name!r}")
        if kind and kind not in found.yields:
            raise Mistake(at, f"{name!r} does not yield {kind}")
        return found

    def check_sources(self, names: list[str], kind: str, at: _Path) -> tuple[str, ...]:
        """The named sources; all of the kind where none is named."""
        for place, name in enumerate(names):
            self.source(name, kind, (*at, str(place)))
            if names.index(name) != place:
                raise Mistake((*at, str(place)), f"{name!r} is named twice")
        every = (each.id for each in self.sources.values() if not kind or kind in each.yields)
        return tuple(names) or tuple(every)

    def check_regions(self, codes: Iterable[str], at: _Path) -> None:
        for code in codes:
            if code not in self.kecamatan:
                raise Mistake(at, f"{code!r} is not the code of a kecamatan")

    def series(
        self,
        table: _OfSeries | _AbsenceTable,
        vanishes_after_s: float | None,
        at: _Path,
    ) -> tuple[OfSeries, MeasureKind]:
        source = self.source(table.source, "readings", (*at, "source"))
        measure = source.measures.get(table.measure)
        if measure is None:
            problem = f"{table.measure!r} is not under [measures] of {source.id}.toml"
            raise Mistake((*at, "measure"), problem)
        if measure.forecast:
            problem = f"{table.measure!r} is a forecast: what has not happened raises no alarm"
            raise Mistake((*at, "measure"), problem)
        usual = source.cadence.stale_after_s + _PERIOD_S[measure.period]
        found = OfSeries(
            source=table.source,
            measure=table.measure,
            subjects=tuple(table.subjects),
            exclude=tuple(table.exclude),
            vanishes_after_s=usual if vanishes_after_s is None else vanishes_after_s,
        )
        return found, measure.kind


def read_rules(
    file: Path,
    sources: Mapping[str, Source],
    categories: Container[str],
    opds: Container[str],
    kecamatan: Container[str],
) -> dict[str, Rule]:
    """Read and validate `rules.toml`; empty where a pack has none. Raises PackError."""
    if not file.exists():
        return {}
    try:
        found = _File.model_validate(read_toml(file))
    except ValidationError as error:
        raise mistake(file, *first_mistake(error)) from error
    pack = _Pack(sources, categories, opds, kecamatan, found.rule)
    rules = {}
    for name, table in found.rule.items():
        try:
            rules[name] = _rule(name, table, pack)
        except Mistake as error:
            raise mistake(file, ("rule", name, *error.path), str(error)) from error
        except ValidationError as error:
            path, problem = first_mistake(error)
            raise mistake(file, ("rule", name, "when", *path), problem) from error
    return rules


def check_screens(file: Path, rules: Mapping[str, Rule], screens: Container[str]) -> None:
    """See to it that every wall that a rule names is in the programme. Raises PackError.

    A programme that is saved later may leave one out: then the rule has nothing to watch there.
    """
    for name, rule in rules.items():
        if not isinstance(rule.condition, ScreenFault):
            continue
        for place, each in enumerate(rule.condition.screens):
            if each not in screens:
                path = ("rule", name, "when", "screens", str(place))
                raise mistake(file, path, f"there is no screen {each!r} in screens.toml")


def _rule(name: str, table: _RuleTable, pack: _Pack) -> Rule:
    if table.owner not in pack.opds:
        raise Mistake(("owner",), f"{table.owner!r} is not in opd.toml")
    if table.region:
        pack.check_regions([table.region], ("region",))
    for key in ("text_id", "text_en"):
        _check_text(getattr(table, key), (key,))
    for place, each in enumerate(table.silence):
        if each.from_.tzinfo is not None or each.until.tzinfo is not None:
            raise Mistake(("silence", str(place)), "hours are the city's own, without a zone")
    return Rule(
        id=name,
        name_id=table.name_id,
        name_en=table.name_en,
        text_id=table.text_id,
        text_en=table.text_en,
        severity=table.severity,
        owner=table.owner,
        region=table.region,
        for_s=table.for_s,
        steps_id=tuple(table.steps_id),
        steps_en=tuple(table.steps_en),
        silences=tuple(each.silence() for each in table.silence),
        simulated=table.simulated,
        basis=table.basis.strip(),
        condition=_condition(name, table.when, pack),
    )


def _check_text(text: str, at: _Path) -> None:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise Mistake(at, f"its braces do not match: {error}") from None
    for _, field, spec, conversion in parts:
        if field is None:
            continue
        if field not in PLACEHOLDERS or spec or conversion:
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise Mistake(at, f"{{{field}}} is no placeholder. Known: {known}")


def _condition(name: str, values: dict[str, Any], pack: _Pack) -> Condition:
    kind = values.get("kind")
    model = _CONDITIONS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise Mistake(("when", "kind"), f"must be one of {', '.join(_CONDITIONS)}")
    table = model.model_validate(values)
    at = ("when",)
    if isinstance(table, _ThresholdTable):
        series, _ = pack.series(table, table.vanishes_after_s, at)
        limit = table.over if table.over is not None else table.under
        assert limit is not None
        clears_at = limit if table.clears_at is None else table.clears_at
        return Threshold(series=series, over=table.over, under=table.under, clears_at=clears_at)
    if isinstance(table, _RateTable):
        return _rate(table, pack)
    if isinstance(table, _AbsenceTable):
        return _absence(table, pack)
    if isinstance(table, _SurgeTable):
        for place, category in enumerate(table.categories):
            if category not in pack.categories:
                problem = f"{category!r} is not in categories.toml"
                raise Mistake((*at, "categories", str(place)), problem)
        return Surge(
            categories=tuple(table.categories),
            sources=pack.check_sources(table.sources, "incidents", (*at, "sources")),
            by_kecamatan=table.by == "kecamatan",
            within_s=table.within_s,
            weeks=table.weeks,
            least=table.least,
            p=table.p,
            least_weeks=table.least_weeks,
        )
    if isinstance(table, _CapTable):
        pack.check_regions(table.regions, (*at, "regions"))
        return CapWarning(
            sources=pack.check_sources(table.sources, "alerts", (*at, "sources")),
            least=Severity(table.severity),
            regions=tuple(table.regions),
        )
    if isinstance(table, _ScreenTable):
        return ScreenFault(
            states=tuple(ScreenState(each) for each in dict.fromkeys(table.states)),
            screens=tuple(table.screens),
        )
    assert isinstance(table, _CombinationTable)
    return _combination(name, table, pack)


def _rate(table: _RateTable, pack: _Pack) -> Rate:
    series, kind = pack.series(table, table.vanishes_after_s, ("when",))
    adds_up = kind is MeasureKind.CUMULATIVE
    if adds_up and table.falls is not None:
        raise Mistake(("when", "falls"), "a cumulative measure does not fall")
    limit = table.rises if table.rises is not None else table.falls
    assert limit is not None
    return Rate(
        series=series,
        within_s=table.within_s,
        adds_up=adds_up,
        rises=table.rises,
        falls=table.falls,
        clears_at=limit if table.clears_at is None else table.clears_at,
    )


def _absence(table: _AbsenceTable, pack: _Pack) -> Absence:
    if table.share is not None:
        sources = pack.check_sources(table.sources, "", ("when", "sources"))
        return Absence(silent_s=table.silent_s, sources=sources, share=table.share)
    if table.measure:
        series, _ = pack.series(table, table.silent_s, ("when",))
        return Absence(silent_s=table.silent_s, series=series)
    pack.source(table.source, "", ("when", "source"))
    return Absence(silent_s=table.silent_s, sources=(table.source,))


def _combination(name: str, table: _CombinationTable, pack: _Pack) -> Combination:
    for place, each in enumerate(table.rules):
        at = ("when", "rules", str(place))
        if each not in pack.rules:
            raise Mistake(at, f"there is no rule {each!r}")
        if pack.rules[each].when.get("kind") == "combination":
            raise Mistake(at, f"{each!r} is a combination itself")
        if table.rules.index(each) != place:
            raise Mistake(at, f"{each!r} is named twice")
    return Combination(
        rules=tuple(table.rules),
        least=len(table.rules) if table.need == "all" else 1,
        within_s=table.within_s,
        same_region=table.same_region,
    )
