"""Watches how good each source's answers are: counts, shape, and the last sample.

What it keeps is about the polls, not about the city: when history is away the counts wait in
memory, and a sample that cannot be made is left out. It never fails a poll.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from lawang.city import Source
from lawang.connector import Answer, Parsed
from lawang.domain.drift import LEARNING, Shape, find_drift, learn
from lawang.domain.errors import LawangError, StoreError
from lawang.domain.finding import FindingKind, NewFinding
from lawang.domain.quality import Tally, bucket_of
from lawang.sample import clean_answer, mapped_paths
from lawang.store.history import History
from lawang.store.quality import Sample

log = structlog.get_logger(__name__)

_FLUSH_EVERY = timedelta(seconds=60)
_SAMPLE_EVERY = timedelta(hours=24)
_KEPT = timedelta(days=35)
_PRUNE_EVERY = timedelta(hours=6)
_LONGEST_SAMPLE = 20_000
_MOST_ROWS = 3
_MOST_CHANGES = 12
#: Fewer rows than this are no proof that a field is gone.
_ROWS_FOR_VANISHED = 3


@dataclass(slots=True)
class _Known:
    """What is known of one source; paths begin with the form of the answers they are of.

    A department that sends a CSV today and a workbook tomorrow has two shapes, and no drift.
    """

    shape: Shape = field(default_factory=dict)
    learned: dict[str, int] = field(default_factory=dict)
    sampled_at: datetime | None = None


class QualityWatch:
    """One for a poller. Methods block and belong in a worker thread, one source at a time."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._counts: dict[str, dict[datetime, Tally]] = defaultdict(dict)
        self._flushed: dict[str, datetime] = {}
        self._counting = threading.Lock()
        self._known: dict[str, _Known] = {}
        # What the last look learned, until the records of its answer are stored.
        self._learned: dict[str, tuple[_Known, Sample]] = {}
        self._pruned: datetime | None = None

    def forget(self) -> None:
        """Drop what is remembered of shapes, as another process may have learned more."""
        self._known.clear()
        self._learned.clear()

    def count(self, source_id: str, tally: Tally, now: datetime) -> None:
        """Count what a poll brought; written down once a minute."""
        with self._counting:
            self._keep(source_id, bucket_of(now), tally)
            flushed = self._flushed.setdefault(source_id, now - _FLUSH_EVERY)
        if now - flushed >= _FLUSH_EVERY:
            self.flush(now)

    def flush(self, now: datetime) -> None:
        """Write down what was counted of all sources; kept for the next time when history is away.

        Together, as one transaction a minute costs hundreds of sources less than one for each.
        """
        with self._counting:
            counts, self._counts = self._counts, defaultdict(dict)
        try:
            self._history.quality.add_all(counts)
        except StoreError:
            with self._counting:
                for source_id, buckets in counts.items():
                    for bucket, tally in buckets.items():
                        self._keep(source_id, bucket, tally)
            return
        self._flushed.update(dict.fromkeys(counts, now))
        with contextlib.suppress(StoreError):
            self._prune(now)

    def _keep(self, source_id: str, bucket: datetime, tally: Tally) -> None:
        self._counts[source_id].setdefault(bucket, Tally()).add(tally)

    def _prune(self, now: datetime) -> None:
        if self._pruned is None or now - self._pruned >= _PRUNE_EVERY:
            self._pruned = now
            self._history.quality.prune(now - _KEPT)
            self._history.inbox.prune(now)

    def look(self, source: Source, answer: Answer, parsed: Parsed) -> list[NewFinding]:
        """Compare an answer's shape with what is known of the source; what is different.

        A new shape is learned with `note`, so that it is told once; the sample is kept with it.
        """
        self._learned.pop(source.id, None)
        try:
            return self._look(source, answer, parsed)
        except StoreError:
            return []

    def note(self, source_id: str) -> None:
        """Keep what the last look learned, now that the records of its answer are stored.

        Not before: what is told of an answer that could not be stored has to be told again.
        """
        learned = self._learned.pop(source_id, None)
        if learned is None:
            return
        known, sample = learned
        with contextlib.suppress(StoreError):
            self._history.quality.keep_sample(sample)
            self._known[source_id] = known

    def _look(self, source: Source, answer: Answer, parsed: Parsed) -> list[NewFinding]:
        known = self._known.get(source.id)
        if known is None:
            known = self._known[source.id] = self._load(source.id)
        now = answer.fetched_at
        if not parsed.records:
            return []
        is_due = known.sampled_at is None or now - known.sampled_at >= _SAMPLE_EVERY
        form = _form(answer.content_type)
        learned = known.learned.get(form, 0)
        seen = {f"{form}:{path}": kinds for path, kinds in (parsed.shape or {}).items()}
        before = {path: kinds for path, kinds in known.shape.items() if path.startswith(f"{form}:")}
        if seen == before and learned >= LEARNING and not is_due:
            return []
        changes = _changes(before, seen, parsed.records) if learned >= LEARNING else []
        after = learn(before, seen)
        if not (changes or is_due or after != before or learned < LEARNING):
            return []
        body = _sample_text(source, answer)
        shape, counts = {**known.shape, **after}, {**known.learned, form: learned + 1}
        sample = Sample(
            source_id=source.id,
            taken_at=now,
            content_type=answer.content_type,
            body=body,
            shape=shape,
            learned=min(counts.values()),
        )
        self._learned[source.id] = _Known(shape, counts, now), sample
        if not changes:
            return []
        log.warning("the shape of a source's records changed", source=source.id, n=len(changes))
        more = len(changes) - _MOST_CHANGES
        detail = "; ".join(changes[:_MOST_CHANGES]) + (f"; and {more} more" if more > 0 else "")
        return [NewFinding(kind=FindingKind.SHAPE, detail=detail, sample=body, at=now)]

    def _load(self, source_id: str) -> _Known:
        sample = self._history.quality.sample(source_id)
        if sample is None:
            return _Known()
        forms = {path.partition(":")[0] for path in sample.shape}
        return _Known(sample.shape, dict.fromkeys(forms, sample.learned), sample.taken_at)


def _form(content_type: str) -> str:
    """The form of an answer in one word without the marks that paths are made of."""
    essence = content_type.partition(";")[0].rpartition("/")[2]
    return "".join(filter(str.isalnum, essence)) or "rows"


def _changes(before: Shape, seen: Shape, records: int) -> list[str]:
    if not seen:
        return []
    changes = [change.partition(":")[2] for change in find_drift(before, seen)]
    if records >= _ROWS_FOR_VANISHED:
        return changes
    return [change for change in changes if " vanished " not in change]


def _sample_text(source: Source, answer: Answer) -> str:
    """The answer, shortened to a few rows and without personal data; "" if it cannot be cleaned."""
    body = answer.body
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"), strict=False)
        body = json.dumps(_shorten(document), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        pass
    personal = source.connection.get("personal") or {}
    drop = (*personal.get("drop", ()), *personal.get("mask", ()))
    try:
        text, _ = clean_answer(body, mapped_paths(source), drop=drop)
    except (LawangError, RecursionError):
        return ""
    return text[:_LONGEST_SAMPLE]


def _shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shorten(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shorten(each) for each in value[:_MOST_ROWS]]
    return value
