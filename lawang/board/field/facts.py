"""What the field says, as live state keeps it, and which panels hang on whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lawang.board.field.course import Course
from lawang.city import City
from lawang.domain.formula import RequestFormula
from lawang.domain.programme import MeasureRef

Plain = dict[str, Any]
Panel = dict[str, Any]

#: All panels that are made here.
FIELD_PANELS = (
    "water", "rain", "warnings", "vehicles", "cameras", "transit", "clinics", "desks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feeds:
    """Which panels a source's facts are for: by (kind of fact, source), by measure for readings."""

    by_source: Mapping[tuple[str, str], tuple[str, ...]]
    by_measure: Mapping[tuple[str, str], tuple[str, ...]]

    def sources(self, panel: str) -> list[str]:
        """The ids of the sources that feed a panel, sorted."""
        found = {source for (_kind, source), panels in self.by_source.items() if panel in panels}
        found |= {source for (source, _m), panels in self.by_measure.items() if panel in panels}
        return sorted(found)


@dataclass(slots=True)
class FieldFacts:
    """Readings, positions and alerts as plain mappings, by their key in live state.

    `courses` are those of the gauges of rain and water, by source, measure and subject. `letters`
    and `licences` are what `lawang.board.field.desks` read. `things` keeps the entry made of a
    position beside it. `behind` are gauges' measures of which history knows more than `courses`.
    `lists` are the sources of each panel.
    """

    city: City
    readings: dict[str, Plain] = field(default_factory=dict)
    positions: dict[str, Plain] = field(default_factory=dict)
    alerts: dict[str, Plain] = field(default_factory=dict)
    courses: dict[tuple[str, str], dict[str, Course]] = field(default_factory=dict)
    letters: Panel = field(default_factory=dict)
    licences: Panel = field(default_factory=dict)
    things: dict[str, tuple[Plain, Panel, float]] = field(default_factory=dict)
    behind: set[MeasureRef] = field(default_factory=set)
    feeds: Feeds = field(init=False)
    lists: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.feeds = feeds_of(self.city)
        self.lists = {name: self.feeds.sources(name) for name in FIELD_PANELS}

    def readings_of(self, ref: MeasureRef | None) -> dict[str, Plain]:
        """The newest reading of each subject of a measure."""
        if ref is None:
            return {}
        prefix = f"{ref.source}/{ref.measure}/"
        return {
            key.removeprefix(prefix): plain
            for key, plain in self.readings.items()
            if key.startswith(prefix)
        }

    def positions_of(self, sources: Iterable[str]) -> Iterator[tuple[str, Plain]]:
        """The positions of some sources, with their ids."""
        wanted = frozenset(sources)
        return ((key, each) for key, each in self.positions.items() if each["source_id"] in wanted)


def gauge_refs(city: City) -> tuple[MeasureRef, ...]:
    """The measures whose course is kept."""
    tables = city.field_tables
    return tuple(ref for ref in (tables.water, tables.rain) if ref is not None)


def letter_formula(city: City) -> RequestFormula | None:
    """What counts as a letter, as its indicator says."""
    kpi = city.kpis.get(city.field_tables.desks.letters)
    return kpi.formula if kpi is not None and isinstance(kpi.formula, RequestFormula) else None


def licence_sources(city: City) -> tuple[str, ...]:
    """The sources of applications whose stages are shown."""
    services = city.programme.services
    return services.licences if services is not None else ()


def vehicle_sources(city: City) -> tuple[str, ...]:
    """All that yield positions and neither measure at them nor watch from them."""
    return tuple(
        source.id
        for source in city.sources.values()
        if "positions" in source.yields
        and "readings" not in source.yields
        and source.id not in city.field_tables.cameras
    )


def warning_sources(city: City) -> tuple[str, ...]:
    """All that yield alerts, without the notices of buses: those are told with the buses.

    Beside a flood a hundred notices of detours would hide the warnings.
    """
    transit = city.field_tables.transit
    notices = transit.notices if transit is not None else ()
    return tuple(
        source.id
        for source in city.sources.values()
        if "alerts" in source.yields and source.id not in notices
    )


def feeds_of(city: City) -> Feeds:
    """What follows from the pack."""
    by_source: dict[tuple[str, str], tuple[str, ...]] = {}
    by_measure: dict[tuple[str, str], tuple[str, ...]] = {}
    tables = city.field_tables

    def feed(kind: str, sources: Iterable[str], panel: str) -> None:
        for each in sources:
            by_source[kind, each] = (*by_source.get((kind, each), ()), panel)

    def measured(panel: str, *refs: MeasureRef | None) -> None:
        for ref in refs:
            if ref is not None:
                key = (ref.source, ref.measure)
                by_measure[key] = (*by_measure.get(key, ()), panel)

    for panel, ref in (("water", tables.water), ("rain", tables.rain)):
        measured(panel, ref)
        if ref is not None:
            feed("positions", (ref.source,), panel)
    feed("positions", vehicle_sources(city), "vehicles")
    feed("positions", tables.cameras, "cameras")
    feed("alerts", warning_sources(city), "warnings")
    if (transit := tables.transit) is not None:
        feed("positions", transit.sources, "transit")
        feed("alerts", transit.notices, "transit")
        measured("transit", transit.delays)
    if (clinics := tables.clinics) is not None:
        measured("clinics", clinics.waiting, clinics.minutes)
        feed("positions", clinics.ambulances, "clinics")
        if clinics.stock:
            stock = city.sources[clinics.stock]
            measured("clinics", *(stock_ref(stock.id, each) for each in stock.measures))
    desks = tables.desks
    measured("desks", desks.ektp_asked, desks.ektp_printed)
    measured("desks", desks.paten_asked, desks.paten_done, desks.paten_rejected)
    letters = letter_formula(city)
    asked = dict.fromkeys((*(letters.sources if letters else ()), *licence_sources(city)))
    feed("requests", (each for each in asked if each in city.sources), "desks")
    return Feeds(by_source, by_measure)


def stock_ref(source: str, measure: str) -> MeasureRef:
    return MeasureRef(source=source, measure=measure)


def moment(value: str) -> datetime:
    """An instant as live state words it."""
    return datetime.fromisoformat(value)


def point(*plains: Plain | None) -> list[float] | None:
    """[longitude, latitude] of the first that has both, to a metre; None where none has."""
    for plain in plains:
        if plain and plain.get("latitude") is not None and plain.get("longitude") is not None:
            return [round(plain["longitude"], 5), round(plain["latitude"], 5)]
    return None


def known(**values: Any) -> Panel:
    """A payload without what is not known."""
    return {name: value for name, value in values.items() if value is not None}
