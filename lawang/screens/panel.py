"""The board's panels `programme`, `walls` and `status`.

While history is away the programme goes on by what was read last; each panel then says in
`read_at` of when that is. Instants are ISO 8601 in UTC; what is not known is left out.

=========  ======================================================================================
programme  screens: {id: {name, size: [w, h], night: {from, to, brightness}, columns, rows, cells:
           [{id, column, row, width, height}], items: [{cell, scene, filters: {kecamatan, opd,
           category, window?, measure?}, until, why, cause}], next_at, next: the same, muted_until?,
           waiting: commands that the wall has not fetched}}; scenes: {id: {name_id, name_en,
           panels}}; problem?: {file, key, line?, problem, seen_at}: why the file as it is now is
           not in force
walls      walls: {id: {state, seen_at?, dark_since?, build?, scene?, fps?, heap_bytes?, errors?,
           last_error?, skew_s?, sound_armed?, oldest_panel_s?}}; only seen_at and errors are of
           now, the rest is what the wall said with its last heartbeat
status     level, word_id, word_en, colour, since, computed, reasons: [{text_id, text_en}],
           actions_id, actions_en, unknown: [what could not be told], by_hand?: {by, reason,
           until}. Empty in a city without levels
=========  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from lawang.city import City
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState
from lawang.domain.screen import Beat, Filters, Scene, ScreenState
from lawang.domain.status import CityStatus, Level, StatusRules
from lawang.screens.desk import Known, ScreenDesk, ScreenNow
from lawang.screens.facts import CityFacts
from lawang.screens.programme import Item
from lawang.screens.reload import InForce, Problem
from lawang.screens.standing import StatusKeeper
from lawang.screens.wording import Reading, word_reason

log = structlog.get_logger(__name__)

Panel = dict[str, Any]

#: How often history is read while nobody says that anything changed.
READ_EVERY = timedelta(seconds=2)
#: Alarms are announced when they change; this is for an announcement that was lost.
_ALARMS_EVERY = timedelta(seconds=10)
_STATUS_EVERY = timedelta(seconds=5)
#: A database that is away can take seconds to say so, and playlists have to turn meanwhile.
_TRY_AGAIN = timedelta(seconds=10)


class ScreenPanels:
    """Makes the three panels, for one thread; nothing is raised while history is away.

    `states` and `score` are as `CityFacts` takes them.
    """

    def __init__(
        self,
        city: City,
        desk: ScreenDesk,
        states: Callable[[], Mapping[str, SourceState] | None],
        score: Callable[[datetime], float | None],
    ) -> None:
        self._city = city
        self._desk = desk
        facts = CityFacts(city, self._rules, lambda _at: self._known.alarms, states, score)
        self._keeper = StatusKeeper(desk.store, self._rules, facts, desk.clock)
        self._known = Known()
        self._status: CityStatus | None = None
        self._force: InForce | None = None
        self._next_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._read_at: datetime | None = None
        self._alarms_at: datetime | None = None
        self._status_at: datetime | None = None
        self._is_away = False
        # The badge rests on the alarms, and so on what their rules hang on.
        self._sources = sorted({each for rule in city.rules.values() for each in rule.sources})

    def start(self) -> None:
        """Follow the programme's file, and read everything anew."""
        self._tried_at = self._alarms_at = self._status_at = None
        self._desk.file.start()

    def stop(self) -> None:
        """End following the file; returns when its thread has ended."""
        self._desk.file.stop()

    def wait_s(self, now: datetime) -> float:
        """Seconds until some wall turns; 0 where one is due."""
        if self._next_at is None:
            return 0.0
        return max((self._next_at - now).total_seconds(), 0.0)

    def read(self, now: datetime, noted: bool = False) -> dict[str, Panel]:
        """The panels, where anything can be another one; else nothing, and at no cost.

        `noted`: somebody said that alarms, walls, commands or the status changed.
        """
        force = self._desk.in_force
        turns = self._next_at is None or now >= self._next_at
        every = _TRY_AGAIN if self._is_away else READ_EVERY
        reads = (noted and not self._is_away) or _is_over(self._tried_at, every, now)
        if not (turns or reads or force is not self._force):
            return {}
        if reads:
            self._try_to_read(now, noted)
        self._force = force
        screens = self._desk.see(self._known, now)
        self._next_at = min((each.next_at for each in screens), default=now + READ_EVERY)
        panels = {
            "programme": _programme(force, screens),
            "walls": {"sources": [], "walls": {each.screen.id: _wall(each) for each in screens}},
            "status": self._status_panel(),
        }
        dated = {"read_at": _iso(self._read_at)} if self._is_away and self._read_at else {}
        return {name: {**panel, **dated} if panel else panel for name, panel in panels.items()}

    def _rules(self) -> StatusRules:
        return self._desk.in_force.programme.status

    # --- reading ------------------------------------------------------------------------------

    def _try_to_read(self, now: datetime, noted: bool) -> None:
        self._tried_at = now
        try:
            alarms = self._known.alarms
            fresh = noted or self._is_away or _is_over(self._alarms_at, _ALARMS_EVERY, now)
            if fresh:
                alarms = self._desk.alarms(now)
            self._known = self._desk.read_walls(alarms, now)
            if fresh:
                self._alarms_at = now
            if fresh or _is_over(self._status_at, _STATUS_EVERY, now):
                self._turn_status(now)
        except StoreError as error:
            if not self._is_away:
                log.warning("walls go on without history", kind=error.kind)
            self._is_away = True
            return
        if self._is_away:
            log.info("walls are read from history again")
        self._is_away = False
        self._read_at = now

    def _turn_status(self, now: datetime) -> None:
        self._status_at = now
        self._status = self._keeper.turn() if self._rules().levels else None

    # --- payloads -----------------------------------------------------------------------------

    def _status_panel(self) -> Panel:
        status = self._status
        level = next(
            (each for each in self._rules().levels if status and each.number == status.level), None
        )
        if status is None or level is None:
            return {}
        reading = Reading(self._city, {each.id: each for each in self._known.alarms or ()})
        return {"sources": self._sources, **_status(status, level, reading)}


def _is_over(since: datetime | None, length: timedelta, now: datetime) -> bool:
    # A clock that was set back must not stop the reading.
    return since is None or abs(now - since) >= length


def _programme(force: InForce, screens: Sequence[ScreenNow]) -> Panel:
    panel: Panel = {
        "sources": [],
        "screens": {each.screen.id: _screen(each) for each in screens},
        "scenes": {name: _scene(each) for name, each in force.programme.scenes.items()},
    }
    if force.problem is not None:
        panel["problem"] = _problem(force.problem)
    return panel


def _scene(scene: Scene) -> Panel:
    return {"name_id": scene.name_id, "name_en": scene.name_en, "panels": list(scene.panels)}


def _problem(problem: Problem) -> Panel:
    panel: Panel = {
        "file": problem.file,
        "key": problem.key,
        "problem": problem.problem,
        "seen_at": _iso(problem.seen_at),
    }
    return panel if problem.line is None else {**panel, "line": problem.line}


def _screen(found: ScreenNow) -> Panel:
    screen = found.screen
    panel: Panel = {
        "name": screen.name,
        "size": [screen.width, screen.height],
        "columns": screen.columns,
        "rows": screen.rows,
        "cells": [
            {
                "id": each.id,
                "column": each.column,
                "row": each.row,
                "width": each.width,
                "height": each.height,
            }
            for each in screen.cells
        ],
        "items": [_item(each) for each in found.items],
        "next_at": _iso(found.next_at),
        "next": [_item(each) for each in found.next_items],
        "waiting": found.waiting,
        "night": {
            "from": f"{screen.night.start:%H:%M}",
            "to": f"{screen.night.end:%H:%M}",
            "brightness": screen.night.brightness,
        },
    }
    if found.muted is not None and found.muted.until is not None:
        panel["muted_until"] = _iso(found.muted.until)
    return panel


def _item(item: Item) -> Panel:
    return {
        "cell": item.cell,
        "scene": item.scene,
        "filters": _filters(item.filters),
        "until": _iso(item.until),
        "why": item.why.value,
        "cause": item.cause,
    }


def _filters(filters: Filters) -> Panel:
    panel: Panel = {
        "kecamatan": list(filters.kecamatan),
        "opd": list(filters.opd),
        "category": list(filters.category),
    }
    for name in ("window", "measure"):
        if (chosen := getattr(filters, name)) is not None:
            panel[name] = chosen.value
    return panel


def _wall(found: ScreenNow) -> Panel:
    panel: Panel = {"state": found.state.value}
    if found.beat is None:
        return panel
    if found.state is ScreenState.DARK:
        panel["dark_since"] = _iso(found.beat.seen_at)
    return panel | _told(found.beat)


def _told(beat: Beat) -> Panel:
    told: Mapping[str, object] = {
        "build": beat.build,
        "scene": beat.scene,
        "fps": beat.fps,
        "heap_bytes": beat.heap_bytes,
        "last_error": beat.last_error or None,
        "skew_s": beat.skew_s,
        "sound_armed": beat.sound_armed,
        "oldest_panel_s": beat.oldest_panel_s,
    }
    known = {name: value for name, value in told.items() if value is not None}
    return {"seen_at": _iso(beat.seen_at), "errors": beat.errors, **known}


def _status(status: CityStatus, level: Level, reading: Reading) -> Panel:
    panel: Panel = {
        "level": level.number,
        "word_id": level.word_id,
        "word_en": level.word_en,
        "colour": level.colour,
        "since": _iso(status.since),
        "computed": status.computed.level,
        "reasons": [
            {
                "text_id": word_reason(each, reading, "id"),
                "text_en": word_reason(each, reading, "en"),
            }
            for each in status.call.reasons
        ],
        "actions_id": list(level.actions_id),
        "actions_en": list(level.actions_en),
        "unknown": [each.value for each in status.call.unknown],
    }
    if status.override is not None:
        panel["by_hand"] = {
            "by": status.override.by,
            "reason": status.override.reason,
            "until": _iso(status.override.until),
        }
    return panel


def _iso(at: datetime) -> str:
    return at.isoformat()
