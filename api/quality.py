"""The quality of all sources as programs and the page get it, worked out once in a while."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from api.services import Services
from lawang.domain.quality import BUCKET, Quality, Tally, bucket_of, judge, sum_up

DAY = timedelta(hours=24)
MONTH = timedelta(days=30)
#: How many quarters of an hour the heartbeat bars show.
BEATS = 96
#: A page asks once a minute; many pages at once shall not each scan the tallies.
_KEPT_S = 10.0
_OK, _PARTLY, _FAILED, _NOTHING = "o", "p", "f", "-"


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


@dataclass(frozen=True, slots=True)
class Book:
    """The standing of every source at a time, and the figures they follow from."""

    at: datetime
    standings: dict[str, Standing]
    day: dict[str, Quality]
    month: dict[str, Quality]


class QualityBook:
    """Keeps the last book for a few seconds. `read` blocks and belongs in a worker thread."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._book: Book | None = None

    def forget(self) -> None:
        """Something was decided: the next one is worked out anew."""
        self._book = None

    def read(self) -> Book:
        """The book; StoreError where history is away."""
        now = self._services.clock()
        with self._lock:
            known = self._book
            if known is not None and 0 <= (now - known.at).total_seconds() < _KEPT_S:
                return known
            self._book = self._work_out(now)
            return self._book

    def _work_out(self, now: datetime) -> Book:
        history, city = self._services.history, self._services.city
        first_beat = bucket_of(now) - (BEATS - 1) * BUCKET
        months = history.quality.totals(now - MONTH)
        days = history.quality.buckets(now - DAY - BUCKET)
        open_findings = history.findings.open_counts()
        book = Book(now, {}, {}, {})
        for source in city.sources.values():
            first, total = months.get(source.id, (now, Tally()))
            buckets = days.get(source.id, {})
            since = _watched_since(first, buckets, source.every_s, now)
            within = [tally for bucket, tally in buckets.items() if bucket + BUCKET > now - DAY]
            day = judge(sum_up(within), min(DAY, now - since), source.every_s)
            month = judge(total, min(MONTH, now - since), source.every_s)
            book.day[source.id], book.month[source.id] = day, month
            book.standings[source.id] = Standing(
                day=quality_out(day),
                month=quality_out(month),
                beats="".join(_beat(buckets.get(first_beat + n * BUCKET)) for n in range(BEATS)),
                beats_from=first_beat,
                findings=open_findings.get(source.id, 0),
            )
        return book


def _watched_since(
    first: datetime, buckets: dict[datetime, Tally], every_s: float, now: datetime
) -> datetime:
    """Since when the source is polled: in its first quarter of an hour, not before its polls."""
    tally = buckets.get(first)
    if tally is None:
        return first
    end = min(now, first + BUCKET)
    return max(first, end - timedelta(seconds=(tally.polls + tally.failures) * every_s))


def _beat(tally: Tally | None) -> str:
    if tally is None or tally.is_empty:
        return _NOTHING
    if not tally.failures:
        return _OK
    return _PARTLY if tally.polls else _FAILED


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
