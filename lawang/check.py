"""What one fetch of a source brought, and what would become of it; nothing is written.

This is polling without its stores: the same `fetch`, `parse` and `settle`, and a judgement of what
they gave that an integrator can act on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from lawang.city import City, Source
from lawang.connector import Answer, Connector, Cursor, FetchContext, Options
from lawang.domain.errors import SourceError
from lawang.domain.incident import (
    UNKNOWN_CATEGORY,
    Incident,
    Reject,
    Report,
    Status,
    incident_to_plain,
)
from lawang.domain.privacy import mask
from lawang.polling.settle import settle

_EXAMPLES = 3
_FIRST = 3
_REJECTS_SHOWN = 10
_WORDS_SHOWN = 100
_LONGEST_EXAMPLE = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """The answers of one fetch; `error` is what ended it early, if anything did."""

    answers: tuple[Answer, ...]
    error: SourceError | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class FieldUse:
    """How one field of a report was filled: in what share of records (0 to 1), and with what.

    `expression` is that of `[fields]`, or None where the protocol itself says where it stands.
    """

    name: str
    expression: str | None
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check found. Counts are of records; instants are aware and in UTC.

    `records` are all that arrived, `usable` those that would be stored; `rejects` go to
    quarantine. Words with their counts are most frequent first, and "" stands for no word at all.
    """

    source_id: str
    pages: int
    size_bytes: int
    content_types: tuple[str, ...]
    elapsed_s: float
    simulated: bool
    error: SourceError | None
    records: int
    usable: int
    distinct: int
    reject_reasons: dict[str, int]
    rejects: tuple[Reject, ...]
    fields: tuple[FieldUse, ...]
    first: tuple[Incident, ...]
    placed_by: dict[str, int]
    location_problems: dict[str, int]
    places_not_found: dict[str, int]
    unknown_categories: dict[str, int]
    unknown_statuses: dict[str, int]
    oldest: datetime | None
    newest: datetime | None
    newest_change: datetime | None
    in_future: int
    without_change_time: int

    @property
    def is_good(self) -> bool:
        """Whether records arrived and each could be used; none at all would prove nothing."""
        return self.error is None and self.records > 0 and self.usable == self.records


async def hear(connector: Connector, options: Options, context: FetchContext) -> Heard:
    """Fetch once as a first poll would, without a cursor. Errors of the source are in the answer.

    What came before an error is kept: it tells as much as the error does.
    """
    began = context.clock()
    answers: list[Answer] = []
    error: SourceError | None = None
    try:
        async for answer in connector.fetch(options, Cursor(), context):
            answers.append(answer)  # noqa: PERF401 (what came before an error is kept)
    except SourceError as caught:
        error = caught
    return Heard(tuple(answers), error, (context.clock() - began).total_seconds())


@dataclass(slots=True)
class _Gathered:
    reports: list[Report] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    placed: list[tuple[Report, Incident]] = field(default_factory=list)
    skewed: int = 0
    error: SourceError | None = None

    @property
    def incidents(self) -> list[Incident]:
        return [incident for _, incident in self.placed]


def examine(
    heard: Heard, source: Source, connector: Connector, options: Options, city: City
) -> Findings:
    """Parse and settle what was heard, as a poll would, and judge it. Pure; never raises for it."""
    got = _gather(heard, source, connector, options, city)
    incidents = got.incidents
    asked_at = [incident.requested_at for incident in incidents]
    changes = [report.updated_at for report, _ in got.placed if report.updated_at]
    return Findings(
        source_id=source.id,
        pages=len(heard.answers),
        size_bytes=sum(len(answer.body) for answer in heard.answers),
        content_types=tuple(dict.fromkeys(answer.content_type for answer in heard.answers)),
        elapsed_s=heard.elapsed_s,
        simulated=source.simulated or any(answer.simulated for answer in heard.answers),
        error=heard.error or got.error,
        records=len(incidents) + len(got.rejects),
        usable=len(incidents),
        distinct=len({incident.id for incident in incidents}),
        reject_reasons=_count(reject.reason for reject in got.rejects),
        rejects=tuple(_without_person(reject) for reject in got.rejects[:_REJECTS_SHOWN]),
        fields=_uses(got.reports, source),
        first=tuple(
            replace(incident, id=mask(incident.id), external_id=mask(incident.external_id))
            for incident in incidents[:_FIRST]
        ),
        placed_by=_count(incident.placed_by for incident in incidents),
        location_problems=_count(
            incident.location_problem for incident in incidents if incident.location_problem
        ),
        places_not_found=_count(
            _place_text(report) for report, incident in got.placed if incident.kecamatan is None
        ),
        unknown_categories=_count(
            mask(incident.category_raw or "")
            for incident in incidents
            if incident.category == UNKNOWN_CATEGORY
        ),
        unknown_statuses=_count(
            mask(incident.status_raw or "")
            for incident in incidents
            if incident.status is Status.UNKNOWN
        ),
        oldest=min(asked_at, default=None),
        newest=max(asked_at, default=None),
        newest_change=max(changes, default=None),
        in_future=got.skewed,
        without_change_time=sum(incident.observed_estimated for incident in incidents),
    )


def _gather(
    heard: Heard, source: Source, connector: Connector, options: Options, city: City
) -> _Gathered:
    got = _Gathered()
    for answer in heard.answers:
        try:
            parsed = connector.parse(options, answer)
        except SourceError as error:
            got.error = error
            break
        page = settle(
            parsed.reports,
            source,
            city,
            fetched_at=answer.fetched_at,
            simulated=answer.simulated or source.simulated,
        )
        by_id = {report.external_id: report for report in parsed.reports}
        got.reports += parsed.reports
        got.rejects += [*parsed.rejects, *page.rejects]
        got.placed += [(by_id[incident.external_id], incident) for incident in page.incidents]
        got.skewed += page.skewed
    return got


def _without_person(reject: Reject) -> Reject:
    return replace(reject, external_id=mask(reject.external_id or "") or None)


def _count(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common(_WORDS_SHOWN))


def _place_text(report: Report) -> str:
    """What was to say where it is: the region's text, else the coordinates to about 100 m."""
    if report.region:
        return mask(report.region)
    if report.latitude is None or report.longitude is None:
        return ""
    return f"{report.latitude:.3f}, {report.longitude:.3f}"


def _uses(reports: Sequence[Report], source: Source) -> tuple[FieldUse, ...]:
    """The fields that the source's file names, or every field where the protocol names them."""
    own: Mapping[str, Any] | None = source.connection.get("fields")
    names = [each.name for each in fields(Report) if own is None or each.name in own]
    return tuple(_use(name, reports, own[name] if own else None) for name in names)


def _use(name: str, reports: Sequence[Report], expression: str | None) -> FieldUse:
    values = [value for report in reports if (value := getattr(report, name)) not in (None, "")]
    examples: dict[str, None] = {}
    for value in values:
        examples.setdefault(_example(value))
        if len(examples) == _EXAMPLES:
            break
    share = len(values) / len(reports) if reports else 0.0
    return FieldUse(name, expression, share, tuple(examples))


def _example(value: object) -> str:
    text = value.isoformat() if isinstance(value, datetime) else mask(str(value))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"


_AS_PLAIN: dict[str, Callable[[Any], Any]] = {
    "error": lambda error: error and {"kind": error.kind, "detail": error.detail},
    "rejects": lambda rejects: [
        {each.name: getattr(reject, each.name) for each in fields(Reject)} for reject in rejects
    ],
    "fields": lambda uses: [
        {each.name: getattr(use, each.name) for each in fields(FieldUse)} for use in uses
    ],
    "first": lambda incidents: [incident_to_plain(incident) for incident in incidents],
    **dict.fromkeys(
        ("oldest", "newest", "newest_change"), lambda moment: moment and moment.isoformat()
    ),
}


def findings_to_plain(findings: Findings) -> dict[str, Any]:
    """A JSON-ready mapping of everything found; instants as ISO 8601 text in UTC."""
    plain: dict[str, Any] = {"is_good": findings.is_good}
    for each in fields(Findings):
        value = getattr(findings, each.name)
        plain[each.name] = _AS_PLAIN[each.name](value) if each.name in _AS_PLAIN else value
    return plain
