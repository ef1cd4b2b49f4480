"""Plays a recording through the rules: what would they have said, and when?

A recording is lines of JSON in the order of their `at` (ISO 8601 with a zone), one object a line,
each with one of these beside it:

=========  =======================================================================================
rules      ["id", ...]: which rules are played; all without it (no `at` is needed)
begin      true: evaluation begins here; what stands before is only known
reading    {source, measure, subject, value, name?, kecamatan?, about?, held?}; about: the moment it
           is about, where that is not `at`
incident   {source, category, kecamatan?, requested_at?}
warning    {source, id, severity, headline?, regions?, expires_at?, ends?: [ids it ends]}
silent     "source id": it does not answer any more
heard      "source id": it does again
beat       {screen, fps?, oldest_panel_s?}: a heartbeat of a wall of the programme
tick       true: time goes by
=========  =======================================================================================

All sources answer unless they are said to be silent. Between lines the clock moves by steps of a
minute, so that durations and silence are seen.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lawang.city import City
from lawang.domain.alarm import Transition, Watch
from lawang.domain.alert import Alert, MessageType, Severity
from lawang.domain.errors import LawangError
from lawang.domain.health import SourceState
from lawang.domain.rule import Combination, Rule, Surge
from lawang.domain.screen import Beat
from lawang.rules.evaluate import WatchKey, evaluate
from lawang.rules.facts import (
    Ended,
    Facts,
    Report,
    Reports,
    Sample,
    Series,
    Wall,
    looks_back,
    windows,
)
from lawang.rules.judge import Place
from lawang.rules.watch import place_of

STEP = timedelta(minutes=1)
_KINDS = ("begin", "reading", "incident", "warning", "silent", "heard", "beat", "tick")
_FAULT = "a rule stumbled: {}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when, what kind, and its content."""

    at: datetime
    kind: str
    content: Any


@dataclass(slots=True)
class Recording:
    """Lines in their order; `rules` are those to be played, none means all."""

    entries: list[Entry] = field(default_factory=list)
    rules: tuple[str, ...] = ()


def read_recording(file: Path) -> Recording:
    """Read a file of lines. Raises LawangError with the line of a mistake."""
    recording = Recording()
    for number, line in _lines(file):
        if "rules" in line:
            recording.rules = tuple(str(each) for each in line["rules"])
            continue
        kinds = [kind for kind in _KINDS if kind in line]
        if len(kinds) != 1:
            raise LawangError(f"{file}:{number}: give one of {', '.join(_KINDS)}")
        try:
            at = _instant(line["at"])
        except (KeyError, ValueError, TypeError):
            raise LawangError(f"{file}:{number}: at must be a time with a zone") from None
        if recording.entries and at < recording.entries[-1].at:
            raise LawangError(f"{file}:{number}: lines must be in the order of their times")
        recording.entries.append(Entry(at, kinds[0], line[kinds[0]]))
    return recording


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise LawangError(f"{file} cannot be read: {error.strerror or error}") from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            content = json.loads(line)
        except ValueError as error:
            raise LawangError(f"{file}:{number}: is not JSON: {error}") from None
        if not isinstance(content, dict):
            raise LawangError(f"{file}:{number}: must be an object")
        yield number, content


def read_expected(file: Path) -> list[dict[str, Any]]:
    """The transitions that a recording is to lead to. Raises LawangError."""
    return [content for _number, content in _lines(file)]


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at.astimezone(UTC)


def play(city: City, recording: Recording, step: timedelta = STEP) -> list[Transition]:
    """All transitions of a recording, in their order. Raises LawangError for what is unknown."""
    unknown = sorted(set(recording.rules) - city.rules.keys())
    if unknown:
        raise LawangError(f"there is no rule {unknown[0]!r} in rules.toml")
    rules = [
        rule for rule in city.rules.values() if not recording.rules or rule.id in recording.rules
    ]
    stage = _Stage(city, rules)
    found: list[Transition] = []
    begins = [each.at for each in recording.entries if each.kind == "begin"]
    begin = begins[0] if begins else recording.entries[0].at if recording.entries else None
    clock = begin
    for at, entries in _by_time(recording.entries):
        while clock is not None and begin is not None and begin <= clock < at:
            found += stage.evaluate(clock)
            clock += step
        for entry in entries:
            stage.take(entry)
        if begin is not None and at >= begin:
            found += stage.evaluate(at)
            clock = at + step
    return found


def _by_time(entries: Iterable[Entry]) -> Iterator[tuple[datetime, list[Entry]]]:
    group: list[Entry] = []
    for entry in entries:
        if group and group[0].at != entry.at:
            yield group[0].at, group
            group = []
        group.append(entry)
    if group:
        yield group[0].at, group


class _Stage:
    """What is known at a moment of the recording, and how the watches stand."""

    def __init__(self, city: City, rules: Sequence[Rule]) -> None:
        self._city = city
        self._rules = rules
        self._place: Place = place_of(city)
        self._back = max((looks_back(rule) for rule in rules), default=timedelta(0))
        self._series: dict[tuple[str, str], dict[str, Series]] = defaultdict(dict)
        self._samples: dict[tuple[str, str, str], list[Sample]] = defaultdict(list)
        self._reports: list[tuple[datetime, str, str, str]] = []
        self._warnings: dict[str, Alert] = {}
        self._silent: dict[str, datetime] = {}
        self._watches: dict[WatchKey, Watch] = {}
        self._ended: list[Ended] = []
        self._beats: dict[str, Beat] = {}

    def evaluate(self, now: datetime) -> list[Transition]:
        outcome = evaluate(self._rules, self._facts(now), self._watches, self._place, now)
        for name, error in outcome.faults.items():
            raise LawangError(_FAULT.format(name)) from error
        for change in outcome.changes:
            key = (change.rule.id, change.watch.key)
            if change.watch.is_trivial:
                self._watches.pop(key, None)
            else:
                self._watches[key] = change.watch
            if any(each.kind == "cleared" for each in change.transitions):
                self._ended.append(Ended(change.rule.id, change.watch.region, now))
        return outcome.transitions

    def take(self, entry: Entry) -> None:
        try:
            getattr(self, f"_take_{entry.kind}")(entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"{entry.kind} at {entry.at.isoformat()}"
            raise LawangError(f"{what} cannot be used: {type(error).__name__} {error}") from None

    def _take_begin(self, entry: Entry) -> None:
        """Nothing becomes known by it."""

    _take_tick = _take_begin

    def _take_reading(self, entry: Entry) -> None:
        content = entry.content
        if content.get("held"):
            return
        source, measure, subject = content["source"], content["measure"], content["subject"]
        about = _instant(content["about"]) if "about" in content else entry.at
        sample = Sample(about, float(content["value"]), about)
        own = self._samples[source, measure, subject]
        place = bisect_left(own, about, key=_moment)
        if place < len(own) and own[place].at == about:
            own[place] = sample
        else:
            own.insert(place, sample)
        self._series[source, measure][subject] = Series(
            source=source,
            measure=measure,
            subject=subject,
            subject_name=content.get("name") or "",
            kecamatan=content.get("kecamatan") or "",
            simulated=bool(content.get("simulated", False)),
            samples=(),
        )

    def _take_incident(self, entry: Entry) -> None:
        content = entry.content
        at = _instant(content["requested_at"]) if "requested_at" in content else entry.at
        place = content.get("kecamatan") or ""
        insort(self._reports, (at, content["source"], content["category"], place))

    def _take_warning(self, entry: Entry) -> None:
        content = entry.content
        regions = tuple(content.get("regions", ()))
        for gone in content.get("ends", ()):
            if gone in self._warnings:
                self._warnings[gone] = replace(self._warnings[gone], ended_at=entry.at)
        expires = content.get("expires_at")
        self._warnings[content["id"]] = Alert(
            id=content["id"],
            source_id=content["source"],
            external_id=content["id"],
            message_type=MessageType.ALERT,
            severity=Severity(content["severity"]),
            urgency=None,
            certainty=None,
            event=content.get("headline", ""),
            headline=content.get("headline", ""),
            description="",
            instruction="",
            sender=None,
            areas=(),
            areas_not_found=(),
            regions=regions,
            touches_city=bool(content.get("touches_city", True)),
            geometry=None,
            references=(),
            facts={},
            link=None,
            sent_at=entry.at,
            effective_at=None,
            onset_at=None,
            expires_at=_instant(expires) if expires else None,
            observed_at=entry.at,
            fetched_at=entry.at,
            simulated=bool(content.get("simulated", False)),
        )

    def _take_silent(self, entry: Entry) -> None:
        self._silent.setdefault(self._known(entry.content), entry.at)

    def _take_heard(self, entry: Entry) -> None:
        self._silent.pop(self._known(entry.content), None)

    def _take_beat(self, entry: Entry) -> None:
        content = entry.content
        screen = self._city.screens.screens[content["screen"]]
        self._beats[screen.id] = Beat(
            screen_id=screen.id,
            build="",
            scene="",
            seen_at=entry.at,
            fps=content.get("fps"),
            oldest_panel_s=content.get("oldest_panel_s"),
        )

    def _known(self, source: str) -> str:
        if source not in self._city.sources:
            raise ValueError(f"there is no source {source!r}")
        return source

    def _facts(self, now: datetime) -> Facts:
        states = {
            source: SourceState(
                source_id=source,
                last_attempt=now,
                last_success=self._silent.get(source, now),
                failures=int(source in self._silent),
            )
            for source in self._city.sources
        }
        back = max(
            (
                each.condition.within_s
                for each in self._rules
                if isinstance(each.condition, Combination)
            ),
            default=0.0,
        )
        oldest = now - timedelta(seconds=back)
        return Facts(
            states=states,
            series={
                key: [self._with_samples(each, now) for each in known.values()]
                for key, known in self._series.items()
            },
            reports={
                rule.id: self._reports_of(rule.condition, now)
                for rule in self._rules
                if isinstance(rule.condition, Surge)
            },
            warnings=tuple(self._warnings.values()),
            ended=[each for each in self._ended if each.ended_at >= oldest],
            walls=[
                Wall(each.id, each.name, self._beats.get(each.id))
                for each in self._city.screens.screens.values()
            ],
        )

    def _with_samples(self, series: Series, now: datetime) -> Series:
        own = self._samples[series.source, series.measure, series.subject]
        # The one before is kept; no rule looks further back.
        del own[: max(0, bisect_left(own, now - self._back, key=_moment) - 1)]
        return replace(series, samples=tuple(own))

    def _reports_of(self, surge: Surge, now: datetime) -> Reports:
        spans = windows(surge, now)
        ours = [each for each in self._reports if each[1] in surge.sources]
        items = [
            Report(at, place)
            for at, _source, category, place in ours
            if category in surge.categories and any(a < at <= b for a, b in spans)
        ]
        return Reports(items=tuple(items), first=min((each[0] for each in ours), default=None))


def _moment(sample: Sample) -> datetime:
    return sample.at


def transition_to_plain(transition: Transition) -> dict[str, Any]:
    """A JSON-ready mapping; what is empty is left out, values have three decimals at most."""
    plain: dict[str, Any] = {
        "at": transition.at.isoformat(),
        "rule": transition.rule,
        "key": transition.key,
        "kind": transition.kind.value,
    }
    if transition.value is not None:
        plain["value"] = round(transition.value, 3)
    if transition.region:
        plain["region"] = transition.region
    if transition.why:
        plain["why"] = transition.why
    return plain


def compare(
    found: Sequence[dict[str, Any]], expected: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is there but was not expected, and what was expected but is not there."""
    left = [_comparable(each) for each in expected]
    extra = []
    for each in found:
        plain = _comparable(each)
        if plain in left:
            left.remove(plain)
        else:
            extra.append(each)
    return extra, left


def _comparable(transition: dict[str, Any]) -> dict[str, Any]:
    return {**transition, "at": _instant(str(transition.get("at"))).isoformat()}
