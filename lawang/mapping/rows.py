"""Rows -> records. Pure, and never raises for a row: what cannot be used becomes a `Reject`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lawang.connector import Parsed
from lawang.domain.alert import Bulletin, Severity
from lawang.domain.incident import Reject, Report
from lawang.domain.measure import Measurement, span
from lawang.domain.position import Fix
from lawang.domain.privacy import mask
from lawang.domain.service import Application
from lawang.domain.values import (
    is_missing,
    read_degrees,
    read_identity,
    read_link,
    read_number,
    read_text,
    read_word,
)
from lawang.mapping.expressions import search
from lawang.mapping.fields import Fields, MeasureFields, Personal, RowOptions
from lawang.mapping.shape import describe_shape

_LONGEST_SAMPLE = 200
_LONGEST_ADDRESS = 500
_MASKED = "[disamarkan]"
_BEGINNING = datetime.min.replace(tzinfo=UTC)

Row = dict[str, Any]


def map_rows(rows: Sequence[object], options: RowOptions) -> Parsed:
    """All records that `options.yields` of some rows of one answer.

    Of an identity that occurs twice the newest state is kept, the others are counted as repeated.
    A row that is no object, or without what its kind of record needs, is a reject; its sample
    holds the identity and the times, nothing that a citizen wrote.
    """
    mapping = _Mapping(options)
    for row in rows:
        mapping.take(row)
    return mapping.finish(describe_shape(rows))


@dataclass(slots=True)
class _Mapping:
    """The rows of one answer on their way."""

    options: RowOptions
    parsed: Parsed = field(default_factory=Parsed)
    newest: datetime | None = None
    repeated: int = 0
    filled: int = 0
    fillable: int = 0
    reports: dict[str, Report] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    fixes: dict[str, Fix] = field(default_factory=dict)
    bulletins: dict[str, Bulletin] = field(default_factory=dict)
    readings: dict[tuple[str, str, datetime], Measurement] = field(default_factory=dict)
    groups: dict[tuple[str, str, datetime], _Group] = field(default_factory=dict)

    def take(self, row: object) -> None:
        if not isinstance(row, dict):
            # Which columns of a list are personal nobody has said, so nothing of it is shown.
            detail = f"a row is no object but {_name_kind(row)}"
            self.parsed.rejects.append(Reject(reason="bad_record", detail=detail))
            return
        taken = _Taken(strip(row, self.options.personal), self.options)
        for kind in self.options.yields:
            _TAKERS[kind](self, taken)
        self.filled += taken.filled
        self.fillable += taken.fillable

    def finish(self, shape: dict[str, tuple[str, ...]]) -> Parsed:
        for key, group in self.groups.items():
            if (made := group.measurement(self.options.measures[key[0]])) is not None:
                self.readings[key] = made
        return Parsed(
            reports=list(self.reports.values()),
            rejects=self.parsed.rejects,
            watermark=self.newest,
            measurements=list(self.readings.values()),
            applications=list(self.applications.values()),
            fixes=list(self.fixes.values()),
            bulletins=list(self.bulletins.values()),
            repeated=self.repeated,
            filled=self.filled,
            fillable=self.fillable,
            shape=shape,
        )

    def reject(self, reason: str, name: str, taken: _Taken, external_id: str | None = None) -> None:
        self.parsed.rejects.append(taken.reject(reason, name, external_id))

    def see(self, moment: datetime | None) -> None:
        if moment is not None:
            self.newest = moment if self.newest is None else max(self.newest, moment)

    def keep(self, known: dict[str, Any], made: Any, stand: Callable[[Any], datetime]) -> None:
        before = known.get(made.external_id)
        # A station's readings of many hours name its place in each row, and repeat nothing by that.
        is_meant = known is self.fixes and "readings" in self.options.yields
        self.repeated += before is not None and not is_meant
        if before is None or stand(made) >= stand(before):
            known.pop(made.external_id, None)
            known[made.external_id] = made

    # --- one kind of record each -------------------------------------------------------------

    def incident(self, taken: _Taken) -> None:
        found = self.identified(taken, "requested_at")
        if found is None:
            return
        external_id, requested_at = found
        made = Report(
            external_id=external_id,
            status=taken.word("status"),
            status_note=taken.text("status_note"),
            category=taken.word("category"),
            category_name=taken.word("category_name"),
            description=taken.text("description") or "",
            address=taken.text("address", _LONGEST_ADDRESS),
            agency=taken.word("agency"),
            media_url=taken.link("media_url"),
            latitude=taken.degrees("latitude"),
            longitude=taken.degrees("longitude"),
            region=taken.word("region"),
            requested_at=requested_at,
            updated_at=taken.time("updated_at"),
            due_at=taken.time("due_at"),
            closed_at=taken.later("closed_at"),
            verified_at=taken.later("verified_at"),
        )
        self.see(made.updated_at)
        self.keep(self.reports, made, _changed_at)

    def service_request(self, taken: _Taken) -> None:
        found = self.identified(taken, "requested_at")
        if found is None:
            return
        external_id, requested_at = found
        made = Application(
            external_id=external_id,
            service=taken.word("service"),
            service_name=taken.word("service_name"),
            stage=taken.word("stage"),
            status=taken.word("status"),
            office=taken.word("agency"),
            region=taken.word("region"),
            latitude=taken.degrees("latitude"),
            longitude=taken.degrees("longitude"),
            requested_at=requested_at,
            updated_at=taken.time("updated_at"),
            due_at=taken.time("due_at"),
            closed_at=taken.time("closed_at"),
        )
        self.see(made.updated_at)
        self.keep(self.applications, made, _changed_at)

    def position(self, taken: _Taken) -> None:
        external_id = taken.identity("external_id")
        if external_id is None:
            self.reject("no_id", "external_id", taken)
            return
        observed_at = taken.time("observed_at")
        if observed_at is None and not is_missing(taken.raw("observed_at")):
            self.reject("bad_time", "observed_at", taken, external_id)
            return
        made = Fix(
            external_id=external_id,
            kind=taken.word("kind"),
            name=taken.word("name"),
            latitude=taken.degrees("latitude"),
            longitude=taken.degrees("longitude"),
            heading=taken.number("heading"),
            speed_kmh=taken.number("speed_kmh"),
            status=taken.word("status"),
            link=taken.link("link"),
            region=taken.word("region"),
            owner=taken.word("owner"),
            observed_at=observed_at,
            facts=taken.facts(),
        )
        self.see(made.observed_at)
        self.keep(self.fixes, made, lambda each: each.observed_at or _BEGINNING)

    def alert(self, taken: _Taken) -> None:
        found = self.identified(taken, "requested_at")
        if found is None:
            return
        external_id, sent_at = found
        event = taken.word("event")
        if event is None:
            self.reject("no_event", "event", taken, external_id)
            return
        region = taken.word("region")
        made = Bulletin(
            external_id=external_id,
            sent_at=sent_at,
            event=event,
            headline=taken.text("headline", _LONGEST_ADDRESS) or "",
            severity=_severity(taken.word("severity")),
            description=taken.text("description") or "",
            areas=(region,) if region else (),
            effective_at=taken.time("effective_at"),
            expires_at=taken.time("expires_at"),
            link=taken.link("link"),
        )
        self.see(taken.time("updated_at") or sent_at)
        self.keep(self.bulletins, made, lambda each: each.sent_at)

    def reading(self, taken: _Taken) -> None:
        holds = [
            (name, measure)
            for name, measure in self.options.measures.items()
            if measure.where is None or taken.find(measure.where)
        ]
        if not holds:
            return
        at = taken.time("observed_at")
        if at is None:
            self.reject("bad_time", "observed_at", taken, taken.word("subject"))
            return
        subject = taken.word("subject") or ""
        if not subject and self.options.fields.subject is not None:
            self.reject("no_id", "subject", taken)
            return
        changed = taken.time("updated_at")
        self.see(changed or at)
        for name, measure in holds:
            raw = taken.find(measure.value) if measure.value else 1
            value = self.options.formats.read_number(raw)
            taken.count(not is_missing(raw))
            if value is None:
                if not is_missing(raw):
                    detail = f"{measure.value!r} is no number"
                    self.parsed.rejects.append(
                        Reject(reason="bad_value", detail=detail, external_id=subject or name)
                    )
                continue
            made = Measurement(
                measure=name,
                value=value * measure.factor,
                at=at,
                subject=subject,
                subject_name=taken.word("subject_name"),
                observed_at=changed,
                latitude=taken.degrees("latitude"),
                longitude=taken.degrees("longitude"),
                region=taken.word("region"),
            )
            self.add_reading(made, measure)

    def add_reading(self, made: Measurement, measure: MeasureFields) -> None:
        zone = self.options.formats.timezone
        start = span(made.at, measure.period, zone)[0]
        key = (made.measure, made.subject, start)
        if measure.aggregate is not None:
            self.groups.setdefault(key, _Group(made)).add(made)
            return
        before = self.readings.get(key)
        self.repeated += before is not None
        if before is None or _measured_at(made) >= _measured_at(before):
            self.readings[key] = made

    def identified(self, taken: _Taken, time: str) -> tuple[str, datetime] | None:
        """Identity and time of a record; None, and a reject, where one is missing."""
        external_id = taken.identity("external_id")
        if external_id is None:
            self.reject("no_id", "external_id", taken)
            return None
        moment = taken.time(time)
        if moment is None:
            self.reject("bad_time", time, taken, external_id)
            return None
        return external_id, moment


_TAKERS: dict[str, Callable[[_Mapping, _Taken], None]] = {
    "incidents": _Mapping.incident,
    "service_requests": _Mapping.service_request,
    "readings": _Mapping.reading,
    "positions": _Mapping.position,
    "alerts": _Mapping.alert,
}


class _Taken:
    """One row, read field by field; counts how many of the mapped fields hold something."""

    __slots__ = ("_fields", "_formats", "_row", "fillable", "filled")

    def __init__(self, row: Row, options: RowOptions) -> None:
        self._row = row
        self._fields: Fields = options.fields
        self._formats = options.formats
        self.filled = 0
        self.fillable = 0

    def raw(self, name: str) -> Any:
        expression = getattr(self._fields, name)
        return None if expression is None else search(expression, self._row)

    def find(self, expression: str) -> Any:
        return search(expression, self._row)

    def count(self, is_filled: bool) -> None:
        self.fillable += 1
        self.filled += is_filled

    def _take(self, name: str) -> Any:
        expression = getattr(self._fields, name)
        if expression is None:
            return None
        value = search(expression, self._row)
        self.fillable += 1
        self.filled += value is not None and value != ""
        return value

    def text(self, name: str, longest: int | None = None) -> str | None:
        value = self._take(name)
        return read_text(value) if longest is None else read_text(value, longest)

    def word(self, name: str) -> str | None:
        return read_word(self._take(name))

    def identity(self, name: str) -> str | None:
        return read_identity(self._take(name))

    def link(self, name: str) -> str | None:
        return read_link(self._take(name))

    def degrees(self, name: str) -> float | None:
        return read_degrees(self._take(name))

    def number(self, name: str) -> float | None:
        return self._formats.read_number(self._take(name))

    def time(self, name: str) -> datetime | None:
        value = self._take(name)
        return None if value is None else self._formats.read_time(value)

    def later(self, name: str) -> datetime | None:
        """A time that is rightly empty until it comes, and so no gap in the data."""
        value = self.raw(name)
        return None if value is None else self._formats.read_time(value)

    def facts(self) -> dict[str, str | float]:
        found: dict[str, str | float] = {}
        for name, expression in self._fields.facts.items():
            value = search(expression, self._row)
            number = None if isinstance(value, str) else read_number(value)
            fact = number if number is not None else read_word(value)
            if fact is not None:
                found[name] = mask(fact) if isinstance(fact, str) else fact
        return found

    def reject(self, reason: str, name: str, external_id: str | None) -> Reject:
        shown = ("external_id", "subject", "requested_at", "observed_at", "updated_at")
        sample = "; ".join(
            f"{each}: {_show(self.raw(each))}" for each in shown if getattr(self._fields, each)
        )
        return Reject(
            reason=reason,
            detail=f"{getattr(self._fields, name)!r} is missing or unusable",
            external_id=external_id,
            sample=mask(sample)[:_LONGEST_SAMPLE],
        )


_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": math.fsum,
    "mean": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
}


class _Group:
    """The values of one aggregated measure for one subject and period."""

    __slots__ = ("_first", "_last", "_values")

    def __init__(self, first: Measurement) -> None:
        self._first = first
        self._last = first
        self._values: list[float] = []

    def add(self, made: Measurement) -> None:
        self._values.append(made.value)
        if _measured_at(made) >= _measured_at(self._last):
            self._last = made

    def measurement(self, measure: MeasureFields) -> Measurement | None:
        if measure.aggregate is None:
            return None
        if measure.aggregate == "count":
            value = len(self._values) * measure.factor
        elif measure.aggregate == "last":
            value = self._last.value
        else:
            value = _AGGREGATES[measure.aggregate](self._values)
        first = self._first
        # A group has one place only where it is one thing; its rows may lie all over.
        return Measurement(
            measure=first.measure,
            value=value,
            at=first.at,
            subject=first.subject,
            subject_name=first.subject_name,
            observed_at=self._last.observed_at,
            region=first.region,
        )


def strip(row: Row, personal: Personal) -> Row:
    """`row` without the keys that `[personal]` drops, and with those that it masks hidden."""
    if not personal.drop and not personal.mask:
        return row
    drop = frozenset(word.casefold() for word in personal.drop)
    hide = frozenset(word.casefold() for word in personal.mask)
    stripped: Row = _strip(row, drop, hide)
    return stripped


def _strip(value: Any, drop: frozenset[str], hide: frozenset[str]) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, each in value.items():
            word = str(key).casefold()
            if word in drop:
                continue
            kept[key] = _MASKED if word in hide and each else _strip(each, drop, hide)
        return kept
    if isinstance(value, list):
        return [_strip(each, drop, hide) for each in value]
    return value


def _severity(word: str | None) -> Severity:
    try:
        return Severity((word or "").casefold())
    except ValueError:
        return Severity.UNKNOWN


def _changed_at(made: Report | Application) -> datetime:
    return made.updated_at or made.requested_at or _BEGINNING


def _measured_at(made: Measurement) -> datetime:
    return made.observed_at or made.at


def _name_kind(row: object) -> str:
    if row is None:
        return "null"
    kinds = {bool: "true or false", str: "a text", int: "a number", float: "a number"}
    return kinds.get(type(row), "a list")


def _show(value: object) -> str:
    """A single value; of an object or a list, which may hold a person, only that it is one."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return read_word(value) or "empty"
