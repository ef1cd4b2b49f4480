"""Keeps watch: hears what changed, evaluates the rules it touches, keeps what comes of it.

One thread in the poller that holds the clock. All that it has to remember is in history, so a
restart goes on where the last evaluation ended, and evaluating twice changes nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import redis
import structlog

from lawang.background import Background
from lawang.city import City
from lawang.domain.alarm import Watch
from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState
from lawang.domain.rule import Absence, CapWarning, Combination, Rule, ScreenFault, Surge
from lawang.domain.screen import Screen
from lawang.rules.evaluate import Change, Outcome, WatchKey, evaluate
from lawang.rules.gather import Gatherer
from lawang.rules.judge import Place
from lawang.store.alarms import Step
from lawang.store.history import History
from lawang.store.live import LiveStore

log = structlog.get_logger(__name__)

#: Durations, silence and ends of windows need no record to happen.
TICK_S = 15.0
_GAP_S = 2.0
#: The first look waits for the first polls: until then nothing is fresh.
_FIRST_AFTER_S = 10.0
_RETRY_S = 1.0
SILENCED = "silenced"


class Warden:
    """Evaluates rules on history and keeps what comes of it; no clock or thread of its own.

    `awake_since` is since when sources were listened to: the silence of a time in which nobody
    polled is no silence of theirs. `screens` gives the walls of the programme in force; without it
    they are those that the pack had at the start.
    """

    def __init__(
        self,
        city: City,
        history: History,
        awake_since: datetime | None = None,
        screens: Callable[[], Mapping[str, Screen]] | None = None,
    ) -> None:
        self.awake_since = awake_since
        self._city = city
        self._history = history
        self._gatherer = Gatherer(history, screens or (lambda: city.screens.screens))
        self._place = place_of(city)
        self._marks: dict[WatchKey, str] = {}
        self._faulty: set[str] = set()

    def take_turn(
        self,
        now: datetime,
        states: dict[str, SourceState],
        rules: Collection[str] | None = None,
    ) -> int:
        """Evaluate some rules, or all, and what combines them; how many alarms changed.

        Raises StoreError; a fault of one rule is logged once and stops no other.
        """
        meant = self._with_combinations(rules)
        store = self._history.alarms
        changed = 0
        if rules is None:
            changed += store.retire(self._city.rules, now) + store.end_shelves(now)
        facts = self._gatherer.gather(meant, states, now, self.awake_since)
        watches = store.watches()
        outcome = evaluate(meant, facts, watches, self._place, now)
        self._tell_faults(meant, outcome)
        steps = [
            self._step(change, now)
            for change in outcome.changes
            if self._is_news(change, watches.get((change.rule.id, change.watch.key)))
        ]
        if steps:
            changed += store.apply(steps, now)
        for change in outcome.changes:
            self._marks[change.rule.id, change.watch.key] = change.judgement.mark
        return changed

    def _is_news(self, change: Change, before: Watch | None) -> bool:
        """Whether there is anything to write: most evaluations find all as it was."""
        if change.transitions:
            return True
        if before is None:
            return not change.watch.is_trivial
        mark = self._marks.get((change.rule.id, change.watch.key))
        is_open = change.watch.raised_at is not None
        return change.watch != before or (is_open and mark != change.judgement.mark)

    def _step(self, change: Change, now: datetime) -> Step:
        rule = change.rule
        silent = rule.is_silent(now, self._city.timezone)
        return Step(
            watch=change.watch,
            judgement=change.judgement,
            transitions=change.transitions,
            severity=rule.severity,
            simulated=rule.simulated or change.judgement.simulated,
            note=SILENCED if silent else "",
        )

    def _with_combinations(self, rules: Collection[str] | None) -> list[Rule]:
        every = self._city.rules
        if rules is None:
            return list(every.values())
        touched = set(rules) & every.keys()
        return [
            rule
            for rule in every.values()
            if rule.id in touched
            or (isinstance(rule.condition, Combination) and touched & set(rule.condition.rules))
        ]

    def _tell_faults(self, meant: Sequence[Rule], outcome: Outcome) -> None:
        for name, error in outcome.faults.items():
            if name not in self._faulty:
                # The error's own words may hold what a department wrote.
                kind = type(error).__name__
                log.error("a rule stumbled; it stays as it was", rule=name, error=kind)
        well = {rule.id for rule in meant} - outcome.faults.keys()
        for name in self._faulty & well:
            log.info("a rule is evaluated again", rule=name)
        self._faulty = (self._faulty - well) | outcome.faults.keys()


def place_of(city: City) -> Place:
    """What rules have to know of a city."""
    return Place(
        cadences={source.id: source.cadence for source in city.sources.values()},
        kecamatan=tuple(region.code for region in city.kecamatan),
    )


class Touched:
    """Which rules a change of records can move."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_series: dict[tuple[str, str], set[str]] = {}
        self._by_source: dict[str, set[str]] = {}
        self.by_incidents: set[str] = set()
        self.by_warnings: set[str] = set()
        self.by_screens: set[str] = set()
        for rule in rules:
            if rule.series is not None:
                key = (rule.series.source, rule.series.measure)
                self._by_series.setdefault(key, set()).add(rule.id)
            if isinstance(rule.condition, Surge):
                self.by_incidents.add(rule.id)
            if isinstance(rule.condition, CapWarning):
                self.by_warnings.add(rule.id)
            if isinstance(rule.condition, ScreenFault):
                self.by_screens.add(rule.id)
            # Of many sources at once only time tells; one that answers is not worth a look.
            if not (isinstance(rule.condition, Absence) and rule.condition.share is not None):
                for source in rule.sources:
                    self._by_source.setdefault(source, set()).add(rule.id)

    def by(self, message: dict[str, Any]) -> set[str]:
        """The rules that an announcement of `changed` touches."""
        found: set[str] = set()
        for name in message.get("readings", ()):
            source, measure, _ = name.split("/", 2)
            found |= self._by_series.get((source, measure), set())
        if message.get("incidents"):
            found |= self.by_incidents
        if message.get("alerts"):
            found |= self.by_warnings
        if message.get("screens"):
            found |= self.by_screens
        if message.get("source"):
            found |= self._by_source.get(message["source"], set())
        return found


class RuleWatch(Background):
    """The worker; only the holder of the clock starts it. Idle in a city without rules."""

    def __init__(
        self,
        city: City,
        history: History,
        live: LiveStore,
        *,
        clock: Clock,
        may_write: Callable[[], bool] = lambda: True,
        tick_s: float = TICK_S,
        gap_s: float = _GAP_S,
        first_after_s: float = _FIRST_AFTER_S,
        screens: Callable[[], Mapping[str, Screen]] | None = None,
    ) -> None:
        super().__init__("rules")
        self._warden = Warden(city, history, screens=screens)
        self._touched = Touched(city.rules.values())
        self._city = city
        self._history = history
        self._live = live
        self._clock = clock
        self._may_write = may_write
        self._tick_s = tick_s
        self._gap_s = gap_s
        self._first_after_s = first_after_s
        self._is_failing = False

    def start(self) -> None:
        """Begin; the first look is at everything."""
        if not self._city.rules:
            return
        self._warden.awake_since = self._clock()
        super().start()

    def _run(self, stop: threading.Event) -> None:
        stop.wait(self._first_after_s)
        while not stop.is_set():
            try:
                self._listen_or_tick(stop)
            except Exception:
                log.exception("the watch stumbled and starts anew")
                stop.wait(_RETRY_S)

    def _listen_or_tick(self, stop: threading.Event) -> None:
        try:
            self._listen(stop)
        except (StoreError, redis.RedisError) as error:
            log.debug("rules wait for the cache", error=type(error).__name__)
            # Without announcements there is still the tick.
            self._take_turn(None)
            stop.wait(min(self._tick_s, _RETRY_S))

    def _listen(self, stop: threading.Event) -> None:
        subscription = self._live.listen_changed()
        touched: set[str] = set()
        next_tick = next_turn = time.monotonic()
        try:
            while not stop.is_set():
                message = subscription.get_message(timeout=0.25)
                while message is not None:
                    touched |= self._touched.by(orjson.loads(message["data"]))
                    message = subscription.get_message(timeout=0)
                now = time.monotonic()
                if not self._may_write():
                    continue
                if now >= next_tick:
                    self._take_turn(None)
                    touched = set()
                    next_tick, next_turn = now + self._tick_s, now + self._gap_s
                elif touched and now >= next_turn:
                    self._take_turn(touched)
                    touched = set()
                    next_turn = time.monotonic() + self._gap_s
        finally:
            subscription.close()

    def _take_turn(self, rules: Collection[str] | None) -> None:
        if not self._may_write():
            return
        try:
            changed = self._warden.take_turn(self._clock(), self._states(), rules)
            if changed:
                self._tell_board()
        except StoreError as error:
            if not self._is_failing:
                log.warning("rules wait for history", kind=error.kind)
            self._is_failing = True
            return
        if self._is_failing:
            log.info("rules are evaluated again")
        self._is_failing = False

    def _tell_board(self) -> None:
        try:
            self._live.note_alarms()
        except StoreError as error:
            # The board looks by itself as time goes by.
            log.debug("the board was not told of alarms", kind=error.kind)

    def _states(self) -> dict[str, SourceState]:
        """What is known of the polls; from history where the cache is away."""
        try:
            live = self._live.source_states()
        except StoreError:
            live = {}
        return {
            source: state
            for source in self._city.sources
            if (state := live.get(source) or self._history.source_state(source)) is not None
        }
