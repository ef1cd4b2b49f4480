"""The quality of all sources, worked out once in a while and shared by everyone who asks."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lawang.city import City
from lawang.domain.quality import BUCKET, Quality, Tally, bucket_of, judge, sum_up
from lawang.store.history import History

DAY = timedelta(hours=24)
MONTH = timedelta(days=30)
#: How many quarters of an hour the heartbeat bars show.
BEATS = 96
#: A page asks once a minute; many pages at once shall not each scan the tallies.
_KEPT_S = 10.0
_OK, _PARTLY, _FAILED, _NOTHING = "o", "p", "f", "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceQuality:
    """How well one source has been heard over the last 24 hours and 30 days.

    `beats` are the last 96 quarters of an hour, oldest first, from `beats_from` on: o all polls
    succeeded, p some did, f none did, - nobody polled. `findings` are those open.
    """

    day: Quality
    month: Quality
    beats: str
    beats_from: datetime
    findings: int


@dataclass(frozen=True, slots=True)
class Book:
    """The quality of every source at a time, by its id."""

    at: datetime
    sources: Mapping[str, SourceQuality]


class QualityBook:
    """Keeps the last book for a few seconds. `read` blocks; safe from any thread."""

    def __init__(self, city: City, history: History) -> None:
        self._city = city
        self._history = history
        self._lock = threading.Lock()
        self._book: Book | None = None

    def forget(self) -> None:
        """Something was decided: the next one is worked out anew."""
        self._book = None

    def read(self, now: datetime) -> Book:
        """The book as of `now` or a few seconds before; StoreError where history is away."""
        with self._lock:
            known = self._book
            if known is not None and 0 <= (now - known.at).total_seconds() < _KEPT_S:
                return known
            self._book = found = self._work_out(now)
            return found

    def _work_out(self, now: datetime) -> Book:
        history = self._history
        first_beat = bucket_of(now) - (BEATS - 1) * BUCKET
        months = history.quality.totals(now - MONTH)
        days = history.quality.buckets(now - DAY - BUCKET)
        open_findings = history.findings.open_counts()
        found = {}
        for source in self._city.sources.values():
            first, total = months.get(source.id, (now, Tally()))
            buckets = days.get(source.id, {})
            since = _watched_since(first, buckets, source.every_s, now)
            within = [tally for bucket, tally in buckets.items() if bucket + BUCKET > now - DAY]
            found[source.id] = SourceQuality(
                day=judge(sum_up(within), min(DAY, now - since), source.every_s),
                month=judge(total, min(MONTH, now - since), source.every_s),
                beats="".join(_beat(buckets.get(first_beat + n * BUCKET)) for n in range(BEATS)),
                beats_from=first_beat,
                findings=open_findings.get(source.id, 0),
            )
        return Book(now, found)


def _watched_since(
    first: datetime, buckets: Mapping[datetime, Tally], every_s: float, now: datetime
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
