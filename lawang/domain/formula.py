"""Formulas of indicators: which records make the numerator and the denominator of a day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lawang.domain.incident import Status


class Across(StrEnum):
    """How the subjects of a measure (clinics, gauges, accounts) make one figure of a day."""

    SUM = "sum"
    MEAN = "mean"
    MAX = "max"
    MIN = "min"


class Within(StrEnum):
    """How several values of one subject within a day make one."""

    MEAN = "mean"
    LAST = "last"
    MAX = "max"
    MIN = "min"


class IncidentFigure(StrEnum):
    """What is counted of incidents. Shares have the decidable ones as denominator.

    CLAIMED is done by the department's own word, VERIFIED by somebody else's; CLOSED counts
    rejected ones too.
    """

    WITHIN_DUE = "within_due"
    CLOSED = "closed"
    CLAIMED = "claimed"
    VERIFIED = "verified"
    REOPENED = "reopened"
    COUNT = "count"
    HOURS = "hours"


class RequestFigure(StrEnum):
    """What is counted of service requests."""

    WITHIN_PROMISE = "within_promise"
    DONE = "done"
    REJECTED = "rejected"
    COUNT = "count"
    MINUTES = "minutes"


class QualityFigure(StrEnum):
    """What is told of sources. INTEGRATED: departments whose sources were timely and valid."""

    TIMELINESS = "timeliness"
    VALIDITY = "validity"
    COMPLETENESS = "completeness"
    INTEGRATED = "integrated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFormula:
    """A measure of a source. `subjects` (empty: all) less `exclude`; `factor` multiplies values.

    `within` None is the measure's own way: a flow's sum, the increase of a cumulative one, the
    mean of a gauge, the last of a stock. LAST of a cumulative measure is its running total.
    """

    source: str
    measure: str
    subjects: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    across: Across = Across.SUM
    within: Within | None = None
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRatioFormula:
    """One measure by another, day by day."""

    numerator: ReadingFormula
    denominator: ReadingFormula

    @property
    def pairs_subjects(self) -> bool:
        """Whether a subject counts only on days on which both of its values are known."""
        one, other = self.numerator, self.denominator
        return (one.source, one.subjects, one.exclude) == (
            other.source,
            other.subjects,
            other.exclude,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFormula:
    """Incidents of some sources and categories; empty categories mean all.

    `verify_days` are the working days after a closing by which it should have been verified;
    0 for every figure but VERIFIED.
    """

    figure: IncidentFigure
    sources: tuple[str, ...]
    categories: tuple[str, ...] = ()
    verify_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedFormula:
    """Incidents that reached `status` within so many minutes of the report."""

    minutes: float
    status: Status
    sources: tuple[str, ...]
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFormula:
    """Service requests of some sources and services; empty services mean all."""

    figure: RequestFigure
    sources: tuple[str, ...]
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityFormula:
    """How well sources are heard. Empty sources mean all of the city."""

    figure: QualityFigure
    sources: tuple[str, ...] = ()


Formula = (
    ReadingFormula
    | ReadingRatioFormula
    | IncidentFormula
    | ReachedFormula
    | RequestFormula
    | QualityFormula
)


def is_share(formula: Formula) -> bool:
    """Whether numerator and denominator count the same things, so that an interval can be told."""
    if isinstance(formula, IncidentFormula):
        return formula.figure not in (IncidentFigure.COUNT, IncidentFigure.HOURS)
    if isinstance(formula, RequestFormula):
        return formula.figure not in (RequestFigure.COUNT, RequestFigure.MINUTES)
    return isinstance(formula, ReachedFormula)


def is_count(formula: Formula) -> bool:
    """Whether a day without any record is nought, once all sources were heard after it."""
    return (isinstance(formula, IncidentFormula) and formula.figure is IncidentFigure.COUNT) or (
        isinstance(formula, RequestFormula) and formula.figure is RequestFigure.COUNT
    )


def sources_of(formula: Formula) -> tuple[str, ...]:
    """The sources that a formula reads, each once; empty: all of the city."""
    if isinstance(formula, ReadingFormula):
        return (formula.source,)
    if isinstance(formula, ReadingRatioFormula):
        return tuple(dict.fromkeys((formula.numerator.source, formula.denominator.source)))
    return formula.sources
