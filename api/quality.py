"""The quality of all sources as programs and the page get it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.services import Services
from lawang.domain.quality import Quality
from lawang.overview import quality as kernel
from lawang.overview.quality import Book, SourceQuality


class QualityOut(BaseModel):
    """Shares from 0 to 1, None where nothing was there to judge; see docs on quality."""

    completeness: float | None = Field(
        description="Of the mapped fields, those that held something"
    )
    timeliness: float | None = Field(description="Of the polls due, those that succeeded")
    validity: float | None = Field(description="Of the records, those usable and in known words")
    uniqueness: float | None = Field(description="Of the records, those that came once an answer")
    polls: int = Field(description="Polls that succeeded")
    failures: int
    records: int


class Standing(BaseModel):
    """How well one source has been heard."""

    day: QualityOut = Field(description="Over the last 24 hours")
    month: QualityOut = Field(description="Over the last 30 days")
    beats: str = Field(
        description="The last 96 quarters of an hour, oldest first: o all polls succeeded, "
        "p some did, f none did, - nobody polled"
    )
    beats_from: datetime = Field(description="When the first of them began")
    findings: int = Field(description="Open findings")


class QualityBook:
    """The quality of all sources by the clock of a web process. `read` blocks and belongs in a
    worker thread."""

    def __init__(self, services: Services) -> None:
        self._book = kernel.QualityBook(services.city, services.history)
        self._clock = services.clock

    def forget(self) -> None:
        """Something was decided: the next one is worked out anew."""
        self._book.forget()

    def read(self) -> Book:
        """The book of now or a few seconds ago; StoreError where history is away."""
        return self._book.read(self._clock())


def standing_out(found: SourceQuality) -> Standing:
    """The quality of one source as programs get it."""
    return Standing(
        day=quality_out(found.day),
        month=quality_out(found.month),
        beats=found.beats,
        beats_from=found.beats_from,
        findings=found.findings,
    )


def quality_out(quality: Quality) -> QualityOut:
    """The figures, rounded down to four digits: 0.99996 is not all."""

    def share(value: float | None) -> float | None:
        return None if value is None else int(value * 10_000) / 10_000

    return QualityOut(
        completeness=share(quality.completeness),
        timeliness=share(quality.timeliness),
        validity=share(quality.validity),
        uniqueness=share(quality.uniqueness),
        polls=quality.polls,
        failures=quality.failures,
        records=quality.records,
    )
