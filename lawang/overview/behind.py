"""The newest records behind an indicator, without a word that a citizen wrote. Blocking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lawang.city import City
from lawang.domain.formula import (
    IncidentFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFormula,
)
from lawang.domain.kpi import Combine, Horizon, Kpi
from lawang.kpi.cells import Days
from lawang.store.history import History, IncidentFilter
from lawang.store.readings import ReadingFilter
from lawang.store.records import RequestFilter

#: How many records a page lists; all of them are in the API.
MOST = 20


class RecordKind(StrEnum):
    """What kind of record it is."""

    INCIDENT = "incident"
    REQUEST = "request"
    READING = "reading"


@dataclass(frozen=True, slots=True, kw_only=True)
class BehindRow:
    """One record. `what` is a category, a service or a measure; `subject` names an institution.

    `value` is that of a reading in the measure's own unit; `held` names the finding that holds it
    back. `status` is "" for a reading.
    """

    kind: RecordKind
    id: str
    source: str
    at: datetime
    what: str
    status: str = ""
    subject: str = ""
    kecamatan: str | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    value: float | None = None
    unit: str = ""
    held: str = ""


def newest_behind(
    city: City, history: History, kpi: Kpi, horizon: Horizon
) -> tuple[BehindRow, ...]:
    """At most MOST records of a horizon, newest first; none for an indicator about sources.

    A state (`last`) looks back as far as it may be old. Raises StoreError.
    """
    first = horizon.first
    if kpi.combine is Combine.LAST:
        first = min(first, horizon.last - kpi.stale_after - timedelta(days=1))
    since, until = Days(first, horizon.last, city.timezone).bounds
    formula = kpi.formula
    if isinstance(formula, IncidentFormula | ReachedFormula):
        return _incidents(history, formula, since, until)
    if isinstance(formula, RequestFormula):
        return _requests(history, formula, since, until)
    if isinstance(formula, ReadingFormula):
        return _readings(city, history, (formula,), since, until)
    if isinstance(formula, ReadingRatioFormula):
        return _readings(city, history, (formula.numerator, formula.denominator), since, until)
    return ()


def _incidents(
    history: History, formula: IncidentFormula | ReachedFormula, since: datetime, until: datetime
) -> tuple[BehindRow, ...]:
    found = history.incidents(
        IncidentFilter(
            sources=formula.sources,
            categories=formula.categories,
            requested_from=since,
            requested_to=until,
        ),
        limit=MOST,
    )
    return tuple(
        BehindRow(
            kind=RecordKind.INCIDENT,
            id=each.id,
            source=each.source_id,
            at=each.requested_at,
            what=each.category,
            status=each.status.value,
            kecamatan=each.kecamatan,
            due_at=each.due_at,
            closed_at=each.closed_at,
        )
        for each in found
    )


def _requests(
    history: History, formula: RequestFormula, since: datetime, until: datetime
) -> tuple[BehindRow, ...]:
    found = history.records.requests(
        RequestFilter(
            sources=formula.sources,
            services=formula.services,
            requested_from=since,
            requested_to=until,
        ),
        MOST,
    )
    return tuple(
        BehindRow(
            kind=RecordKind.REQUEST,
            id=each.id,
            source=each.source_id,
            at=each.requested_at,
            what=each.service,
            status=each.status.value,
            kecamatan=each.kecamatan,
            due_at=each.due_at,
            closed_at=each.closed_at,
        )
        for each in found
    )


def _readings(
    city: City,
    history: History,
    formulas: tuple[ReadingFormula, ...],
    since: datetime,
    until: datetime,
) -> tuple[BehindRow, ...]:
    rows: list[BehindRow] = []
    for formula in formulas:
        source = city.sources.get(formula.source)
        measure = source.measures.get(formula.measure) if source is not None else None
        found = history.readings.readings(
            ReadingFilter(
                sources=(formula.source,),
                measures=(formula.measure,),
                subjects=formula.subjects,
                since=since,
                until=until,
                held=None,
            ),
            MOST + len(formula.exclude),
        )
        rows += [
            BehindRow(
                kind=RecordKind.READING,
                id=f"{each.source_id}/{each.measure}/{each.subject}",
                source=each.source_id,
                at=each.at,
                what=each.measure,
                subject=each.subject_name or each.subject,
                kecamatan=each.kecamatan,
                value=each.value,
                unit=measure.unit if measure is not None else "",
                held=each.held,
            )
            for _, each in found
            if each.subject not in formula.exclude
        ]
    rows.sort(key=lambda each: each.at, reverse=True)
    return tuple(rows[:MOST])
