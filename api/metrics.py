"""Figures for Prometheus: sources, the stream, and this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from api.quality import QualityBook, standing_out
from lawang.city import City
from lawang.domain.errors import StoreError
from lawang.domain.health import Health, SourceState, health, state_from_plain
from lawang.overview.quality import Book
from lawang.push import Feed
from lawang.store.briefs import MailState
from lawang.store.history import History
from layouts.words import DEFAULT_LANGUAGE

_TOTALS = {
    "incidents": "Incidents known from the source",
    "quarantined": "Different records in quarantine",
    "unlocated": "Incidents that could not be placed",
    "unknown_category": "Incidents whose category the map does not know",
    "unknown_status": "Incidents whose status the map does not know",
    "failures": "Failed attempts in a row",
}
_FIGURES = ("completeness", "timeliness", "validity", "uniqueness")


@dataclass(frozen=True, slots=True)
class _Known:
    """What history tells: when an indicator was looked at last, and when a brief was made."""

    book: Book
    looked_at: datetime | None
    made_at: datetime | None
    letters: Mapping[MailState, int]


def _read(quality: QualityBook, history: History) -> _Known:
    brief = history.briefs.newest(DEFAULT_LANGUAGE)
    looks = [each.computed_at for each in history.kpis.states().values()]
    return _Known(
        quality.read(),
        max(looks, default=None),
        brief.made_at if brief else None,
        history.briefs.letter_counts(),
    )


class _Snapshot(Collector):
    def __init__(
        self, city: City, feed: Feed, build: str, now: datetime, known: _Known | None
    ) -> None:
        self._known = known
        self._city = city
        self._feed = feed
        self._build = build
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("lawang_build", "The running program", {"build": self._build})
        yield GaugeMetricFamily("lawang_stream_clients", "Open streams", self._feed.clients)
        yield GaugeMetricFamily(
            "lawang_stream_frames_encoded", "Frames encoded since the start", self._feed.frames_sent
        )
        yield GaugeMetricFamily(
            "lawang_cache_up", "1 while live state can be read", int(not self._feed.cache_lost_at)
        )
        heard = self._feed.board_heard_at
        if heard is not None:
            yield GaugeMetricFamily(
                "lawang_board_silence_seconds",
                "Seconds since the board was last heard",
                (self._now - heard).total_seconds(),
            )
        yield from self._sources()
        if self._known is not None:
            yield from self._quality(self._known.book)
            yield from self._chores(self._known)

    def _sources(self) -> Iterator[Metric]:
        panel = self._feed.panels.get("sources", {}).get("sources", {})
        up = GaugeMetricFamily(
            "lawang_source_health", "1 for the health a source has", labels=["source", "health"]
        )
        age = GaugeMetricFamily(
            "lawang_source_age_seconds", "Seconds since the last success", labels=["source"]
        )
        duration = GaugeMetricFamily(
            "lawang_source_poll_seconds", "Duration of the last attempt", labels=["source"]
        )
        totals = {
            name: GaugeMetricFamily(f"lawang_source_{name}", text, labels=["source"])
            for name, text in _TOTALS.items()
        }
        for source in self._city.sources.values():
            state: SourceState = state_from_plain(
                {"source_id": source.id, **panel.get(source.id, {})}
            )
            present = health(state, source.cadence, self._now)
            for kind in Health:
                up.add_metric([source.id, kind.value], int(kind is present))
            if state.last_success is not None:
                age.add_metric([source.id], (self._now - state.last_success).total_seconds())
            if state.duration_ms is not None:
                duration.add_metric([source.id], state.duration_ms / 1000)
            for name, family in totals.items():
                family.add_metric([source.id], getattr(state, name))
        yield from (up, age, duration, *totals.values())

    def _quality(self, book: Book) -> Iterator[Metric]:
        quality = GaugeMetricFamily(
            "lawang_source_quality",
            "Quality of a source's data over 24 hours (day) or 30 days (month), from 0 to 1",
            labels=["source", "figure", "window"],
        )
        findings = GaugeMetricFamily(
            "lawang_source_open_findings", "Findings nobody has decided yet", labels=["source"]
        )
        for source_id, found in book.sources.items():
            standing = standing_out(found)
            findings.add_metric([source_id], standing.findings)
            for window, shares in (("day", standing.day), ("month", standing.month)):
                for figure in _FIGURES:
                    value: float | None = getattr(shares, figure)
                    if value is not None:
                        quality.add_metric([source_id, figure, window], value)
        yield from (quality, findings)

    def _chores(self, known: _Known) -> Iterator[Metric]:
        for name, text, at in (
            ("lawang_indicators_age_seconds", "Seconds since indicators were looked at",
             known.looked_at),
            ("lawang_brief_age_seconds", "Seconds since the newest brief was made", known.made_at),
        ):  # fmt: skip
            if at is not None:
                yield GaugeMetricFamily(name, text, (self._now - at).total_seconds())
        letters = GaugeMetricFamily(
            "lawang_brief_letters",
            "Letters of all briefs: waiting (tried again), sent, refused (given up)",
            labels=["state"],
        )
        for state, count in known.letters.items():
            letters.add_metric([state.value], count)
        yield letters


def render(
    city: City,
    feed: Feed,
    build: str,
    now: datetime,
    quality: QualityBook,
    history: History,
    others: Iterable[Collector] = (),
) -> tuple[bytes, str]:
    """The exposition text and its content type, as of `now`, with the figures of `others`;
    without quality, indicators and briefs if history is away."""
    try:
        known = _read(quality, history)
    except StoreError:
        known = None
    registry = CollectorRegistry()
    registry.register(_Snapshot(city, feed, build, now, known))
    ProcessCollector(registry=registry)
    for each in others:
        registry.register(each)
    return generate_latest(registry), CONTENT_TYPE_LATEST
