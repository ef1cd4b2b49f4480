"""What each panel of the wall says, as plain JSON-ready values without any words of a language.

Every payload names the sources that feed it (`sources`), so that whoever shows it can tell how old
it is from the panel `sources`. Instants are ISO 8601 in UTC. What is not known is left out.

==========  =====================================================================================
panel       payload
==========  =====================================================================================
counters    new_today, open, past_due, done_today: {value, last_week?}; last_week_at?; unlocated;
            unknown_category; unknown_status; without_due
regions     open: {kecamatan code: n}; unlocated
incidents   features: {incident id: {p: [lon, lat], c: category, s: status, d: past due 0|1,
            t: reported at, k?: kecamatan code, o: source id}}; total; unlocated (those without a
            point)
latest      events: [{id, incident, kind, status, category, kecamatan?, kelurahan?, text, at,
            fetched_at, estimated?}], newest first
ranking     rows: {kecamatan code: {open, new_today, past_due}}; unlocated: the same
hours       new: [24 counts, oldest first, the last one is the running hour]; until
sources     sources: {source id: SourceState and its name, opd, cadence}
city        simulated: is anything on the wall simulated
indicators  version: another one whenever a daily fact is; last: the last complete day; at: when
            it was worked out; simulated; city: {span: {score?, light, counting, total, change?}}
            over the five horizons; dimensions: {id: the same over the month}; troubled:
            ["source id:health"] of those of its sources that are stale or worse. Empty until
            history was read, and in a city without indicators
services, finance, health, morning
            scenes made of the overview: see `lawang.overview.scenes`. Empty until history was
            read, and in a city without indicators
alarms      what the city's own rules find (`lawang.rules.panel`). alarms: {alarm id: {rule,
            severity, state: active|unknown, owner, name_id, name_en, text_id, text_en, subject,
            region?, region_name, p?: [lon, lat], steps_id, steps_en, value?, observed_at?,
            began_at, active_at, acked, simulated, why?}}; worst?: the worst severity of these;
            unknown: how many of these nobody can tell; shelved, silenced: how many open ones are
            counted but not announced; blind: {rule: how many things it cannot tell of}; rules: how
            many there are. Empty until history was read
water       measure: {name_id, name_en, unit}; marks: [{rule, severity, over, name_id, name_en}],
            lowest first: the rules' thresholds; gauges: {subject: {n: name, p?, k?, s?: position
            status, v?: value, at, mark?: rule of the highest mark it is over, rise?: over the
            last hour, spark?: [[minutes before now, value]], oldest first}}; unlocated. A silent
            gauge keeps its last value and its `at`
rain        the same: v?: mm of the hour before `at`, of `minutes?` where fewer are known; day?: mm
            since midnight; spark?: amounts of ten minutes each; marks: what an hour may bring
warnings    warnings: {id: {event, severity, headline, description?, instruction?, sender?, areas,
            regions, polygon?: GeoJSON of 120 points at most, p?: a quake's place, sent_at,
            onset_at?, expires_at?, source, simulated}}: others' warnings in force that touch the
            city; elsewhere: how many more are in force. Notices of buses are in `transit`
vehicles    things: {id: {k: kind, n: name, p?, h?: heading, v?: km/h, s: status, t: observed at,
            up to a minute too early while it stands still, f?: facts}}; kinds: {kind: {total,
            active, old}}: an old one, not heard of for some minutes, is not active; posts: {name:
            {total, ready, out, old}}: of the vehicles that go out from a post; unlocated
cameras     cameras: {id: {n, p?, k?, s, o?: owner, link: has it an address, t}}; total, live,
            unlocated
transit     routes: {id: {n, delay_s?, at?, buses, moving}}; off_route: buses on none; notices:
            {id: {headline, routes?, until?}}
clinics     clinics: {id: {n, p?, k?, waiting?, minutes?, at, old?: true}}; waiting?,
            median_minutes?: of all but the `missing`, whose boards are silent; unlocated; stock:
            {measure: {name_id, name_en, unit, clinics, missing: those whose count is too old,
            low?: clinics below the safe level}}; ambulances?: {active, standby, off, unknown,
            old, total}
desks       letters?: {today, done_today, open, in_time of cohort}; licences?:
            {stages: {status: {n, late}}, open, late}; ektp?: {day?, asked?, printed?, missing?};
            paten?: {day?, asked?, done?, rejected?, missing?: kecamatan silent about that day}
programme, walls, status
            what walls show, how they are, the city's status: see `lawang.screens.panel`
==========  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lawang.board.field.alerts import warnings
from lawang.board.field.clinics import clinics
from lawang.board.field.desks import desks
from lawang.board.field.facts import FIELD_PANELS, FieldFacts
from lawang.board.field.vehicles import cameras, transit, vehicles
from lawang.board.field.water import rain, water
from lawang.city import City
from lawang.domain.health import Health, SourceState, health, state_to_plain
from lawang.domain.incident import (
    UNKNOWN_CATEGORY,
    EventKind,
    Incident,
    IncidentEvent,
    Status,
)
from lawang.store.history import Counts

#: How many events the list on the wall holds, and how much of a report's text.
LATEST = 12
_TEXT_MAX = 160

Panel = dict[str, Any]


@dataclass(slots=True)
class BoardState:
    """All that the panels are computed from.

    `week_ago` are the four numbers of the same hour last week, None while history is younger.
    `features` keeps the map feature of each incident between computations, `entries` that of each
    source beside the state it was made of. `overview` are the panels `lawang.overview.panel` worked
    out, by name, `alarms` what `lawang.rules.panel` did. `live` is what the field says.
    """

    city: City
    incidents: dict[str, Incident] = field(default_factory=dict)
    states: dict[str, SourceState] = field(default_factory=dict)
    latest: list[tuple[IncidentEvent, Incident]] = field(default_factory=list)
    week_ago: Counts | None = None
    week_ago_at: datetime | None = None
    features: dict[str, Panel] = field(default_factory=dict)
    entries: dict[str, tuple[SourceState | None, Panel]] = field(default_factory=dict)
    overview: Mapping[str, Panel] = field(default_factory=dict)
    alarms: Panel = field(default_factory=dict)
    live: FieldFacts = field(init=False)
    screens: Mapping[str, Panel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.live = FieldFacts(self.city)


def day_began(city: City, now: datetime) -> datetime:
    """Midnight of the city's own day."""
    local = now.astimezone(city.timezone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)


def counters(state: BoardState, now: datetime) -> Panel:
    began = day_began(state.city, now)
    incidents = state.incidents.values()
    opened = [item for item in incidents if item.is_open]
    values = {
        "new_today": sum(began <= item.requested_at for item in incidents),
        "open": len(opened),
        "past_due": sum(item.is_past_due(now) for item in opened),
        "done_today": sum(
            item.status is Status.DONE and item.closed_at is not None and item.closed_at >= began
            for item in incidents
        ),
    }
    panel: Panel = {"sources": _feeding(state)}
    for name, value in values.items():
        panel[name] = {"value": value}
        if state.week_ago is not None:
            panel[name]["last_week"] = getattr(state.week_ago, name)
    if state.week_ago is not None and state.week_ago_at is not None:
        panel["last_week_at"] = state.week_ago_at.isoformat()
    panel["unlocated"] = sum(item.kecamatan is None for item in opened)
    panel["unknown_category"] = sum(item.category == UNKNOWN_CATEGORY for item in opened)
    panel["unknown_status"] = sum(item.status is Status.UNKNOWN for item in opened)
    panel["without_due"] = sum(item.due_at is None for item in opened)
    return panel


def regions(state: BoardState, now: datetime) -> Panel:
    counts = {region.code: 0 for region in state.city.kecamatan}
    unlocated = 0
    for item in _open(state):
        if item.kecamatan in counts:
            counts[item.kecamatan] += 1
        else:
            unlocated += 1
    return {"sources": _feeding(state), "open": counts, "unlocated": unlocated}


def incidents(state: BoardState, now: datetime) -> Panel:
    features: dict[str, Panel] = {}
    total = unlocated = 0
    for item in _open(state):
        total += 1
        if item.latitude is None or item.longitude is None:
            unlocated += 1
            continue
        features[item.id] = _feature(state.features.get(item.id), item, now)
    state.features = features
    return {
        "sources": _feeding(state),
        "features": features,
        "total": total,
        "unlocated": unlocated,
    }


def _feature(before: Panel | None, item: Incident, now: datetime) -> Panel:
    feature: Panel = {
        "p": [item.longitude, item.latitude],
        "c": item.category,
        "s": item.status.value,
        "d": int(item.is_past_due(now)),
        "t": item.requested_at.isoformat(),
        "o": item.source_id,
    }
    if item.kecamatan:
        feature["k"] = item.kecamatan
    return before if before == feature else feature


def latest(state: BoardState, now: datetime) -> Panel:
    return {
        "sources": _feeding(state),
        "events": [_event(event, incident) for event, incident in state.latest[:LATEST]],
    }


def _event(event: IncidentEvent, incident: Incident) -> Panel:
    text = " ".join(incident.description.split())
    entry: Panel = {
        "id": f"{event.incident_id}@{event.at.isoformat()}/{event.kind.value}",
        "incident": event.incident_id,
        "kind": event.kind.value,
        "status": str(event.changes.get("status", incident.status)),
        "category": incident.category,
        "text": text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 1].rstrip()}…",
        "at": event.at.isoformat(),
        "fetched_at": event.fetched_at.isoformat(),
    }
    if event.kind is EventKind.REPORTED:
        entry["status"] = Status.WAITING.value
    if incident.kecamatan:
        entry["kecamatan"] = incident.kecamatan
    if incident.kelurahan:
        entry["kelurahan"] = incident.kelurahan
    if incident.observed_estimated:
        entry["estimated"] = True
    return entry


def ranking(state: BoardState, now: datetime) -> Panel:
    began = day_began(state.city, now)
    rows = {
        region.code: {"open": 0, "new_today": 0, "past_due": 0} for region in state.city.kecamatan
    }
    nowhere = {"open": 0, "new_today": 0, "past_due": 0}
    for item in state.incidents.values():
        row = rows.get(item.kecamatan or "", nowhere)
        row["open"] += item.is_open
        row["new_today"] += item.requested_at >= began
        row["past_due"] += item.is_past_due(now)
    return {"sources": _feeding(state), "rows": rows, "unlocated": nowhere}


def hours(state: BoardState, now: datetime) -> Panel:
    running = now.replace(minute=0, second=0, microsecond=0)
    first = running - timedelta(hours=23)
    counts = [0] * 24
    for item in state.incidents.values():
        if first <= item.requested_at < running + timedelta(hours=1):
            counts[int((item.requested_at - first).total_seconds() // 3600)] += 1
    return {"sources": _feeding(state), "new": counts, "until": running.isoformat()}


def sources(state: BoardState, now: datetime) -> Panel:
    return {"sources": {source_id: _entry(state, source_id) for source_id in state.city.sources}}


def _entry(state: BoardState, source_id: str) -> Panel:
    """A source's entry, made anew only when its state is another one."""
    present = state.states.get(source_id)
    made = state.entries.get(source_id)
    if made is None or made[0] is not present:
        made = state.entries[source_id] = (
            present,
            source_entry(state.city, source_id, present),
        )
    return made[1]


def source_entry(city: City, source_id: str, state: SourceState | None) -> Panel:
    """One source as the panel and the API state it: what it is, its cadence, its polls."""
    source = city.sources[source_id]
    plain = state_to_plain(state or SourceState(source_id=source_id, simulated=source.simulated))
    del plain["source_id"]
    return {
        "name": source.name,
        "description": source.description,
        "description_en": source.description_en,
        "opd": city.opds[source.opd].name,
        "connector": source.connector,
        "every_s": source.cadence.every_s,
        "late_after_s": source.cadence.late_after_s,
        "stale_after_s": source.cadence.stale_after_s,
        "down_after_s": source.cadence.down_after_s,
        **{name: value for name, value in plain.items() if value is not None},
    }


def city_panel(state: BoardState, now: datetime) -> Panel:
    simulated = any(source.simulated for source in state.city.sources.values()) or any(
        known.simulated for known in state.states.values()
    )
    return {"simulated": simulated}


def indicators(state: BoardState, now: datetime) -> Panel:
    """What was worked out, and which of its sources cannot be relied on at this moment."""
    panel = state.overview.get("indicators")
    if not panel:
        return {}
    troubled = []
    for source_id in panel["sources"]:
        found = health(
            state.states.get(source_id) or SourceState(source_id=source_id),
            state.city.sources[source_id].cadence,
            now,
        )
        # A late one is often back before anybody has read that it is late.
        if found not in (Health.FRESH, Health.LATE):
            troubled.append(f"{source_id}:{found.value}")
    return {**panel, "troubled": troubled}


def _of_overview(name: str) -> Callable[[BoardState, datetime], Panel]:
    """A panel that is shown as it was worked out."""

    def told(state: BoardState, _now: datetime) -> Panel:
        return state.overview.get(name, {})

    return told


def alarms(state: BoardState, now: datetime) -> Panel:
    """What was read of them; shelves and silence windows end at its next reading."""
    return state.alarms


def _of_screens(name: str) -> Callable[[BoardState, datetime], Panel]:
    """A panel of `lawang.screens.panel`, as it was made."""

    def told(state: BoardState, _now: datetime) -> Panel:
        return state.screens.get(name, {})

    return told


def _of_field(
    make: Callable[[FieldFacts, datetime], Panel],
) -> Callable[[BoardState, datetime], Panel]:
    return lambda state, now: make(state.live, now)


#: The scenes made of the overview.
SCENES = ("services", "finance", "health", "morning")
#: Every panel, and what has to change for it to be computed anew. Time moves all of `TIMED`.
PANELS: Mapping[str, Callable[[BoardState, datetime], Panel]] = {
    "counters": counters,
    "regions": regions,
    "incidents": incidents,
    "latest": latest,
    "ranking": ranking,
    "hours": hours,
    "sources": sources,
    "city": city_panel,
    "indicators": indicators,
    **{name: _of_overview(name) for name in SCENES},
    "alarms": alarms,
    "water": _of_field(water),
    "rain": _of_field(rain),
    "warnings": _of_field(warnings),
    "vehicles": _of_field(vehicles),
    "cameras": _of_field(cameras),
    "transit": _of_field(transit),
    "clinics": _of_field(clinics),
    "desks": _of_field(desks),
    **{name: _of_screens(name) for name in ("programme", "walls", "status")},
}
AFTER_INCIDENTS = ("counters", "regions", "incidents", "latest", "ranking", "hours")
AFTER_SOURCE = ("sources", "city", "indicators")
#: All that is told of one reading of the overview.
AFTER_OVERVIEW = ("indicators", *SCENES)
#: What is computed anew as time goes by.
TIMED = (*AFTER_INCIDENTS, *AFTER_OVERVIEW, "alarms", *FIELD_PANELS)


def compute(state: BoardState, now: datetime, names: Iterable[str]) -> dict[str, Panel]:
    """The payloads of the named panels, each worked out once however often it is named."""
    return {name: PANELS[name](state, now) for name in dict.fromkeys(names)}


def _open(state: BoardState) -> Iterable[Incident]:
    return (item for item in state.incidents.values() if item.is_open)


def _feeding(state: BoardState) -> list[str]:
    return sorted(
        source.id for source in state.city.sources.values() if "incidents" in source.yields
    )
