"""Parses and settles what was heard, as a poll would, and judges it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from lawang.check.fields import use_fields
from lawang.check.findings import (
    AlertsFound,
    Findings,
    PersonalKeys,
    Record,
    ServiceUse,
)
from lawang.check.hearing import Heard
from lawang.check.measures import Past, use_measures
from lawang.city import City, Source
from lawang.connector import Connector, Options, Parsed, Shape
from lawang.domain.alert import Alert
from lawang.domain.drift import learn
from lawang.domain.errors import SourceError
from lawang.domain.facts import Facts
from lawang.domain.finding import FindingKind
from lawang.domain.incident import UNKNOWN_CATEGORY, Incident, Reject, Status
from lawang.domain.measure import Reading
from lawang.domain.position import Position, PositionStatus
from lawang.domain.privacy import mask
from lawang.domain.service import UNKNOWN_SERVICE, RequestStatus, ServiceRequest
from lawang.mapping import RowOptions
from lawang.polling.settle import settle
from lawang.sample import is_personal, mapped_paths

_FIRST = 3
_REJECTS_SHOWN = 10
_WORDS_SHOWN = 100

#: The kinds of record: what `parse` calls them, what `Facts` calls them.
_KINDS = (
    ("incidents", "reports", "incidents"),
    ("readings", "measurements", "readings"),
    ("positions", "fixes", "positions"),
    ("service_requests", "applications", "requests"),
    ("alerts", "bulletins", "alerts"),
)


@dataclass(slots=True)
class Gathered:
    """Everything parsed and settled. `pairs` are (raw, settled) by kind of record."""

    raw: dict[str, list[Any]] = field(default_factory=dict)
    pairs: dict[str, list[tuple[Any, Any]]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    shape: Shape = field(default_factory=dict)
    skewed: int = 0
    repeated: int = 0
    error: SourceError | None = None

    def settled(self, kind: str) -> list[Any]:
        """The settled records of a kind."""
        return [made for _, made in self.pairs.get(kind, ())]

    def take(self, kind: str, raw: Any, facts: Facts, made: Sequence[Record]) -> None:
        """Add one record, and what settling made of it."""
        self.raw.setdefault(kind, []).append(raw)
        self.pairs.setdefault(kind, []).extend((raw, each) for each in made)
        self.rejects += facts.rejects
        self.skewed += facts.skewed
        self.skewed += sum(each.kind is FindingKind.FUTURE for each in facts.findings)

    @property
    def all_settled(self) -> list[Record]:
        """Every settled record, kind after kind."""
        return [made for kind, _, _ in _KINDS for made in self.settled(kind)]


def examine(
    heard: Heard,
    source: Source,
    connector: Connector,
    options: Options,
    city: City,
    *,
    past: Past | None = None,
    history: str = "",
) -> Findings:
    """Judge what was heard. Never raises for it.

    `past` gives the accepted values of a series that are stored, or None where nothing is known of
    any; `history` says why.
    """
    got = gather(heard, source, connector, options, city)
    records = got.all_settled
    now = max((answer.fetched_at for answer in heard.answers), default=None)
    measures, held = use_measures(got.settled("readings"), source, city.timezone, past)
    began = [moment for made in records if (moment := _began(made)) is not None]
    total = len(records) + len(got.rejects)
    return Findings(
        source_id=source.id,
        yields=source.yields,
        pages=len(heard.answers),
        size_bytes=sum(len(answer.body) for answer in heard.answers),
        content_types=tuple(dict.fromkeys(answer.content_type for answer in heard.answers)),
        elapsed_s=heard.elapsed_s,
        waits_s=heard.waits_s,
        simulated=source.simulated or any(answer.simulated for answer in heard.answers),
        error=heard.error or got.error,
        may_be_empty=heard.listened or source.yields == ("alerts",),
        records=total,
        usable=len(records) - held,
        held=held,
        distinct=len({_identity(made) for made in records}),
        repeated=got.repeated,
        counts={kind: len(found) for kind, _, _ in _KINDS if (found := got.settled(kind))},
        reject_reasons=_count(reject.reason for reject in got.rejects),
        rejects=tuple(_without_person(reject) for reject in got.rejects[:_REJECTS_SHOWN]),
        fields=use_fields(got.raw, source),
        measures=measures,
        services=_services(got.settled("service_requests"), source),
        alerts=_alerts(got.settled("alerts"), now) if "alerts" in source.yields else None,
        kinds_of_thing=_count(made.kind for made in got.settled("positions")),
        personal=_personal(got.shape, source, options),
        shape=got.shape,
        first=_first(got),
        placed_by=_placed_by(got),
        location_problems=_count(
            made.location_problem
            for made in records
            # A figure of a clinic or an account need not say where it is.
            if not isinstance(made, Alert | Reading) and made.location_problem
        ),
        places_not_found=_places_not_found(got),
        unknown_categories=_count(
            mask(made.category_raw or "")
            for made in got.settled("incidents")
            if made.category == UNKNOWN_CATEGORY
        ),
        unknown_statuses=_unknown_statuses(got),
        unknown_services=_count(
            mask(made.service_raw or "")
            for made in got.settled("service_requests")
            if made.service == UNKNOWN_SERVICE
        ),
        oldest=min(began, default=None),
        newest=max(began, default=None),
        newest_change=max(_changes(got), default=None),
        in_future=got.skewed,
        without_change_time=sum(
            made.observed_estimated for made in records if not isinstance(made, Alert)
        ),
        history=history if got.settled("readings") and past is None else "",
    )


def gather(
    heard: Heard, source: Source, connector: Connector, options: Options, city: City
) -> Gathered:
    """Parse and settle every answer, up to the first that is none."""
    got = Gathered()
    for answer in heard.answers:
        try:
            parsed = connector.parse(options, answer)
        except SourceError as error:
            got.error = error
            break
        got.rejects += parsed.rejects
        got.repeated += parsed.repeated
        got.shape = learn(got.shape, parsed.shape or {})
        for kind, raw_name, settled_name in _KINDS:
            for raw in getattr(parsed, raw_name):
                # One by one, so that each settled record is known with what it was made of.
                facts = settle(
                    _alone(raw_name, raw),
                    source,
                    city,
                    fetched_at=answer.fetched_at,
                    simulated=answer.simulated or source.simulated,
                )
                got.take(kind, raw, facts, getattr(facts, settled_name))
    return got


def _alone(name: str, raw: Any) -> Parsed:
    parsed = Parsed()
    getattr(parsed, name).append(raw)
    return parsed


def _without_person(reject: Reject) -> Reject:
    return replace(reject, external_id=mask(reject.external_id or "") or None)


def _count(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common(_WORDS_SHOWN))


def _identity(made: Record) -> object:
    if isinstance(made, Reading):
        return (*made.series, made.at)
    return made.id


def _began(made: Record) -> datetime | None:
    """When what the record is about began, or was measured."""
    if isinstance(made, Incident | ServiceRequest):
        return made.requested_at
    if isinstance(made, Reading):
        return made.at
    if isinstance(made, Alert):
        return made.sent_at
    return None if made.observed_estimated else made.observed_at


_CHANGED = {"incidents": "updated_at", "service_requests": "updated_at", "readings": "observed_at"}


def _changes(got: Gathered) -> list[datetime]:
    return [
        moment
        for kind, name in _CHANGED.items()
        for raw, _ in got.pairs.get(kind, ())
        if (moment := getattr(raw, name)) is not None
    ]


def _first(got: Gathered) -> tuple[Record, ...]:
    """The first few of each kind, identities masked: before settling nobody has judged them."""
    shown: list[Record] = []
    for kind, _, _ in _KINDS:
        for made in got.settled(kind)[:_FIRST]:
            if isinstance(made, Reading):
                shown.append(replace(made, subject=mask(made.subject)))
            else:
                hidden = {name: mask(getattr(made, name)) for name in ("id", "external_id")}
                shown.append(replace(made, **hidden))
    return tuple(shown)


def _places_not_found(got: Gathered) -> dict[str, int]:
    words = [
        _place_text(raw)
        for kind, pairs in got.pairs.items()
        if kind != "alerts"
        for raw, made in pairs
        if made.kecamatan is None and (kind in ("incidents", "service_requests") or _has_place(raw))
    ]
    return _count(words)


def _placed_by(got: Gathered) -> dict[str, int]:
    return _count(
        made.placed_by
        for kind, pairs in got.pairs.items()
        if kind != "alerts"
        for raw, made in pairs
        if kind in ("incidents", "service_requests") or _has_place(raw)
    )


def _has_place(raw: Any) -> bool:
    """Whether a reading or a position says where: a figure for the whole city need not."""
    return bool(raw.region) or (raw.latitude is not None and raw.longitude is not None)


def _place_text(raw: Any) -> str:
    """What was to say where it is: the region's text, else the coordinates to about 100 m."""
    if raw.region:
        return mask(raw.region)
    if raw.latitude is None or raw.longitude is None:
        return ""
    return f"{raw.latitude:.3f}, {raw.longitude:.3f}"


_UNKNOWN_STATUSES = (Status.UNKNOWN, RequestStatus.UNKNOWN, PositionStatus.UNKNOWN)


def _unknown_statuses(got: Gathered) -> dict[str, int]:
    found = [
        mask(made.status_raw or "")
        for kind in ("incidents", "service_requests", "positions")
        for made in got.settled(kind)
        # A thing need not say how it is; a report and a request must stand somewhere.
        if made.status in _UNKNOWN_STATUSES and (made.status_raw or not isinstance(made, Position))
    ]
    return _count(found)


def _services(requests: list[ServiceRequest], source: Source) -> tuple[ServiceUse, ...]:
    asked = Counter(request.service for request in requests)
    promised = Counter(request.service for request in requests if request.due_at is not None)
    known = [
        ServiceUse(service.id, service.name_id, asked[service.id], promised[service.id])
        for service in source.services.values()
    ]
    return tuple(sorted(known, key=lambda each: -each.requests))


def _alerts(alerts: list[Alert], now: datetime | None) -> AlertsFound:
    return AlertsFound(
        messages=len(alerts),
        in_force=sum(now is not None and alert.is_in_force(now) for alert in alerts),
        touching=sum(alert.touches_city for alert in alerts),
        areas_not_found=_count(mask(area) for alert in alerts for area in alert.areas_not_found),
    )


def _personal(shape: Shape, source: Source, options: Options) -> PersonalKeys:
    if not isinstance(options, RowOptions):
        return PersonalKeys()
    drop = {word.casefold() for word in options.personal.drop}
    hide = {word.casefold() for word in options.personal.mask}
    kept = mapped_paths(source)
    groups: dict[str, list[str]] = {each.name: [] for each in fields(PersonalKeys)}
    for path in shape:
        parts = tuple(part.removesuffix("[]") for part in path.split("."))
        above, key = parts[:-1], parts[-1]
        if path.endswith("[]") or {part.casefold() for part in above} & drop:
            continue
        if key.casefold() in drop:
            groups["dropped"].append(path)
        elif key.casefold() in hide:
            groups["masked"].append(path)
        elif is_personal(key) and not any(is_personal(part) for part in above):
            is_read = any(parts[-len(wanted) :] == wanted for wanted in kept)
            groups["read" if is_read else "unread"].append(path)
    return PersonalKeys(**{name: tuple(found) for name, found in groups.items()})
