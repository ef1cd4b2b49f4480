"""Keeps the panels: hears what changed, computes what follows, announces the difference.

Runs in one thread of the poller that holds the clock. Its memory is rebuilt from history whenever
it starts, the cache comes back empty, or something was committed that the cache did not get.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson
import redis
import structlog

from lawang.background import Background
from lawang.board.field.following import (
    KINDS,
    counts_requests,
    drop_expired,
    fill_field,
    read_requests,
    take_field,
)
from lawang.board.panels import (
    AFTER_INCIDENTS,
    AFTER_OVERVIEW,
    AFTER_SOURCE,
    LATEST,
    PANELS,
    TIMED,
    BoardState,
    Panel,
    compute,
    day_began,
)
from lawang.board.patch import diff
from lawang.city import City
from lawang.domain.clock import Clock
from lawang.domain.errors import StoreError
from lawang.store.history import History
from lawang.store.live import KEPT_AFTER_CLOSING, LiveStore
from lawang.store.readings import ReadingFilter

log = structlog.get_logger(__name__)

_ALIVE_EVERY_S = 2.0
_TICK_EVERY_S = 20.0
_RETRY_S = 0.5
#: With hundreds of sources something changes all the time; each look at it takes them together.
_GAP_S = 0.3
#: How long the board listens before it looks at the clock.
_PATIENCE_S = 0.25


class Screens(Protocol):
    """The panels about walls; `lawang.screens.panel` has them."""

    def start(self) -> None:
        """Begin, with everything read anew."""

    def stop(self) -> None:
        """End what `start` began."""

    def wait_s(self, now: datetime) -> float:
        """Seconds until it has to be asked at the latest."""

    def read(self, now: datetime, noted: bool = False) -> Mapping[str, Panel]:
        """The panels that may be other ones now; cheap where none is."""


class BoardWorker(Background):
    """The board of one installation; only the holder of the clock starts it.

    `may_write` tells whether this process holds the clock at this very moment: one that wakes from
    a freeze must not announce what another has announced better meanwhile. `overview` gives
    the panels of how the city's indicators stand, `alarms` what its rules find; they may raise
    StoreError, and what is shown stays.
    """

    def __init__(
        self,
        city: City,
        history: History,
        live: LiveStore,
        *,
        clock: Clock,
        may_write: Callable[[], bool] = lambda: True,
        overview: Callable[[datetime], Mapping[str, Panel]] = lambda _now: {},
        alarms: Callable[[datetime], Panel] = lambda _now: {},
        screens: Screens | None = None,
    ) -> None:
        super().__init__("board")
        self._may_write = may_write
        self._overview = overview
        self._alarms = alarms
        self._screens = screens
        self._city = city
        self._history = history
        self._live = live
        self._clock = clock
        self._epoch = secrets.token_hex(4)
        self._seq: dict[str, int] = {}
        self._shown: dict[str, Panel] = {}
        self._state = BoardState(city)
        self._refill = threading.Event()
        self._reread = threading.Event()
        self._last_tick = 0.0
        self._last_alive = 0.0
        self._next_fill = 0.0
        self._next_take = 0.0
        #: Not 0 while the walls' programme cannot be worked out.
        self._next_screens = 0.0
        self._log_has_grown = False

    def start(self) -> None:
        """Begin, with everything read from history anew."""
        # Another process may have kept the board since: what was known before is not carried on.
        self._state = BoardState(self._city)
        self._shown = {}
        self._refill.set()
        if self._screens is not None:
            self._screens.start()
        super().start()

    def stop(self) -> None:
        """End and wait for it."""
        super().stop()
        if self._screens is not None:
            self._screens.stop()

    def refill(self) -> None:
        """Read everything from history at the next turn; safe from any thread."""
        self._refill.set()

    def reread_indicators(self) -> None:
        """Look at once how the indicators stand, not at the next tick; safe from any thread."""
        self._reread.set()

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._listen(stop)
            except (StoreError, redis.RedisError) as error:
                log.debug("board waits for its stores", error=type(error).__name__)
                self._refill.set()
                stop.wait(_RETRY_S)
            except Exception:
                # A fault in one computation must not end the board for good.
                log.exception("the board stumbled and starts anew")
                self._refill.set()
                stop.wait(_RETRY_S)

    def _listen(self, stop: threading.Event) -> None:
        subscription = self._live.listen_changed()
        try:
            while not stop.is_set():
                if not self._may_write():
                    self._refill.set()
                    stop.wait(_RETRY_S)
                    continue
                if self._refill.is_set():
                    self._try_to_fill()
                self._turn_screens()
                message = subscription.get_message(timeout=self._patience_s())
                if message is not None:
                    stop.wait(max(0.0, self._next_take - time.monotonic()))
                    self._take([message, *_waiting(subscription)])
                    self._next_take = time.monotonic() + _GAP_S
                if self._reread.is_set():
                    self._reread.clear()
                    self._read_indicators()
                    self._announce(AFTER_OVERVIEW)
                self._keep_time()
        finally:
            subscription.close()

    def _patience_s(self) -> float:
        """How long to listen: to the moment at which a wall turns, if that is sooner."""
        if self._screens is None or time.monotonic() < self._next_screens:
            return _PATIENCE_S
        return min(_PATIENCE_S, max(self._screens.wait_s(self._clock()), 0.01))

    def _turn_screens(self) -> None:
        self._announce(self._read_screens())

    def _read_screens(self, noted: bool = False) -> list[str]:
        """The names of the panels about walls that may be other ones now."""
        if self._screens is None or time.monotonic() < self._next_screens:
            return []
        try:
            found = self._screens.read(self._clock(), noted)
        except Exception:
            # A fault there must not cost the wall all the rest.
            if not self._next_screens:
                log.exception("the walls' programme cannot be worked out")
            self._next_screens = time.monotonic() + _ALIVE_EVERY_S
            return []
        if self._next_screens:
            log.info("the walls' programme is worked out again")
            self._next_screens = 0.0
        self._state.screens = {**self._state.screens, **found}
        return list(found)

    def _try_to_fill(self) -> None:
        """Fill; while history is away, go on with what is in memory and try again later."""
        if time.monotonic() < self._next_fill:
            return
        try:
            self._fill()
        except StoreError as error:
            if error.kind == "cache_down" or not self._shown:
                raise
            self._refill.set()
            self._next_fill = time.monotonic() + _ALIVE_EVERY_S

    def _fill(self) -> None:
        """Rebuild the board and the cache from history, and announce every panel as new."""
        self._refill.clear()
        now = self._clock()
        incidents = self._history.live_incidents(now - KEPT_AFTER_CLOSING)
        states = {
            source_id: state
            for source_id in self._city.sources
            if (state := self._history.source_state(source_id)) is not None
        }
        # A new epoch tells every web process that its copies are of another life.
        epoch = secrets.token_hex(4)
        self._live.fill(
            incidents,
            states.values(),
            epoch,
            readings=self._history.readings.latest(ReadingFilter()),
            positions=self._history.records.positions(),
            alerts=self._history.records.alerts(in_force_at=now, limit=1000),
        )
        # What cannot be read now stays as it was: no alarms would look like a quiet city.
        board = BoardState(
            self._city,
            incidents={item.id: item for item in incidents},
            states=states | self._live.source_states(),
            latest=self._state.latest,
            overview=self._state.overview,
            alarms=self._state.alarms,
            screens=self._state.screens,
        )
        fill_field(board.live, self._live, self._history, now)
        self._state, self._epoch, self._shown, self._seq = board, epoch, {}, {}
        self._read_history()
        self._read_requests()
        self._read_indicators()
        self._read_alarms()
        self._read_screens(noted=True)
        self._announce(PANELS)
        self._last_alive = 0.0

    def _take(self, messages: Iterable[Any]) -> None:
        """Follow what changed: the named incidents and sources, read from the cache."""
        ids: dict[str, None] = {}
        polled: set[str] = set()
        alarmed = noted = False
        facts: dict[str, dict[str, None]] = {kind: {} for kind in KINDS}
        for message in messages:
            content = orjson.loads(message["data"])
            alarmed = alarmed or bool(content.get("alarms"))
            noted = noted or bool(content.get("alarms") or content.get("screens"))
            ids |= dict.fromkeys(content["incidents"])
            if content["source"] is not None:
                polled.add(content["source"])
            for kind in KINDS:
                facts[kind] |= dict.fromkeys(content.get(kind, ()))
        names: list[str] = []
        if ids:
            for incident_id, incident in self._live.incidents(list(ids)).items():
                if incident is None:
                    self._state.incidents.pop(incident_id, None)
                else:
                    self._state.incidents[incident_id] = incident
            self._read_latest()
            self._log_has_grown = True
            names += AFTER_INCIDENTS
        if polled:
            # Not before a poll is through: half of a first poll makes no week to compare with.
            if self._log_has_grown:
                self._log_has_grown = False
                self._read_history()
                names += [name for name in ("counters", "latest") if name not in names]
            self._state.states |= self._live.source_states(polled)
            names += AFTER_SOURCE
            if counts_requests(self._state.live, polled):
                self._read_requests()
                names.append("desks")
        if any(facts.values()):
            names += take_field(self._state.live, facts, self._live, self._history, self._clock())
        if alarmed:
            self._read_alarms()
            names.append("alarms")
        if noted:
            names += self._read_screens(noted=True)
        self._announce(names)

    def _keep_time(self) -> None:
        now = time.monotonic()
        if now - self._last_alive >= _ALIVE_EVERY_S:
            self._live.announce_alive(self._epoch)
            self._last_alive = now
            # A cache that was emptied, or filled by another board, says so by this name.
            if self._live.filled_by() != self._epoch:
                self._refill.set()
        if now - self._last_tick >= _TICK_EVERY_S:
            self._last_tick = now
            self._drop_long_closed()
            self._live.drop_alerts(drop_expired(self._state.live, self._clock()))
            self._read_history()
            self._read_indicators()
            self._read_alarms()
            self._read_requests()
            self._announce(TIMED)

    def _drop_long_closed(self) -> None:
        oldest = self._clock() - KEPT_AFTER_CLOSING
        gone = [
            item.id
            for item in self._state.incidents.values()
            if item.closed_at is not None and item.closed_at < oldest
        ]
        for incident_id in gone:
            del self._state.incidents[incident_id]
        if gone:
            self._live.put(gone=gone)

    def _read_latest(self) -> None:
        try:
            self._state.latest = self._history.latest_events(LATEST)
        except StoreError as error:
            # What is shown stays, dated; the sources panel says that nothing can be stored.
            log.debug("latest events not read", kind=error.kind)

    def _read_history(self) -> None:
        self._read_latest()
        try:
            self._compare_with_last_week()
        except StoreError as error:
            log.debug("last week not read", kind=error.kind)

    def _read_requests(self) -> None:
        now = self._clock()
        try:
            read_requests(self._state.live, self._history, day_began(self._city, now), now)
        except StoreError as error:
            log.debug("letters and licences not counted", kind=error.kind)

    def _read_indicators(self) -> None:
        try:
            self._state.overview = self._overview(self._clock())
        except StoreError as error:
            log.debug("indicators not read", kind=error.kind)
        except Exception:
            # A fault there must not cost the wall all the rest.
            log.exception("indicators cannot be worked out")

    def _read_alarms(self) -> None:
        try:
            self._state.alarms = self._alarms(self._clock())
        except StoreError as error:
            log.debug("alarms not read", kind=error.kind)
        except Exception:
            log.exception("alarms cannot be shown")

    def _compare_with_last_week(self) -> None:
        now = self._clock()
        first = self._history.first_report_at()
        moment = now - timedelta(days=7)
        began = day_began(self._city, moment)
        # Without a whole day to look at, last week's number would be low for no reason.
        if first is not None and first < began:
            self._state.week_ago = self._history.counts_at(moment, began)
            self._state.week_ago_at = moment.replace(second=0, microsecond=0)
        else:
            self._state.week_ago = None
            self._state.week_ago_at = None

    def _announce(self, names: Iterable[str]) -> None:
        now: datetime = self._clock()
        changes: dict[str, tuple[int, Panel, Panel]] = {}
        for name, payload in compute(self._state, now, names).items():
            patch = diff(self._shown.get(name, {}), payload)
            if not patch and name in self._shown:
                continue
            self._seq[name] = self._seq.get(name, 0) + 1
            changes[name] = (self._seq[name], payload, patch)
        self._live.publish_panels(changes, self._epoch)
        self._shown |= {name: payload for name, (_seq, payload, _patch) in changes.items()}


def _waiting(subscription: Any) -> Iterable[Any]:
    """Everything else that has arrived already: many changes make one computation."""
    while (message := subscription.get_message(timeout=0)) is not None:
        yield message
