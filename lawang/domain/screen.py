"""The walls: what `screens.toml` says, what a wall says of itself, and what that amounts to.

Everything here is a value. What a screen shows at a moment is worked out by
`lawang.screens.programme`; nothing of it is remembered by a browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum

from lawang.domain.alarm import AlarmSeverity
from lawang.domain.status import SeenAlarm, StatusRules, rank

#: How often a wall says that it is alive.
BEAT_EVERY = timedelta(seconds=10)
#: Three beats that did not come: a page being loaded anew misses one or two.
DARK_AFTER = timedelta(seconds=35)
#: The stream sends at least every 3 s and the pages call it dead after 8: a wall whose *oldest*
#: panel is this old while it beats is not being fed.
FROZEN_AFTER = timedelta(seconds=60)
#: A wall's clock that differs by more is told as wrong; heartbeats themselves take time.
SKEW_TOLD = timedelta(seconds=5)


class Window(StrEnum):
    """How far back a scene looks."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"

    @property
    def span(self) -> timedelta:
        """The stretch of time it stands for."""
        return _SPANS[self]


_SPANS = {
    Window.HOUR: timedelta(hours=1),
    Window.SIX_HOURS: timedelta(hours=6),
    Window.DAY: timedelta(days=1),
    Window.WEEK: timedelta(days=7),
}


class Measure(StrEnum):
    """What shades a kecamatan on the map: open reports, per km², per 1,000 inhabitants."""

    OPEN = "open"
    DENSITY = "density"
    RATE = "rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a scene is narrowed to and what shades its map.

    Empty means everything; no window and no measure mean what the scene has itself.
    """

    kecamatan: tuple[str, ...] = ()
    opd: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    window: Window | None = None
    measure: Measure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One picture for a wall. `panels` are the payloads of the stream that it needs."""

    id: str
    name_id: str
    name_en: str
    panels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One entry of a playlist."""

    scene: str
    dwell: timedelta
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """Scenes that follow each other, over and over."""

    id: str
    turns: tuple[Turn, ...]

    @property
    def length(self) -> timedelta:
        """How long one round takes."""
        return sum((each.dwell for each in self.turns), timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A part of a screen's grid, counted from 0 at the upper left, with what it shows."""

    id: str
    playlist: str
    column: int = 0
    row: int = 0
    width: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """When a wall is dimmed, by the city's wall clock, and to how much of its light (0 to 1).

    An `end` before `start` is on the next day; the same time twice is never.
    """

    start: time = time(22)
    end: time = time(5)
    brightness: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One wall. `width` and `height` in pixels; one cell is one scene over all of it."""

    id: str
    name: str
    width: int
    height: int
    columns: int = 1
    rows: int = 1
    cells: tuple[Cell, ...] = ()
    night: Night = field(default_factory=Night)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry:
    """A playlist at certain hours. `days` are 0 Monday to 6 Sunday, of the day on which it begins.

    `start` and `end` are of the city's wall clock; an `end` not after `start` is on the next day,
    and None is midnight at the end of the day. Each of `targets` is a screen, or one cell of a
    screen as "screen/cell"; none means every screen.
    """

    id: str
    playlist: str
    days: frozenset[int]
    start: time
    end: time | None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """A rule by which an alarm takes a screen, for at least and at most so long.

    Empty `rules`, `regions`, `categories` and `screens` mean any. One for a kecamatan holds for
    its kelurahan too, whose codes begin with its own.
    """

    id: str
    severity: AlarmSeverity
    scene: str
    least: timedelta
    most: timedelta
    rules: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    screens: tuple[str, ...] = ()

    def takes(self, alarm: SeenAlarm, screen: str) -> bool:
        """Whether this alarm takes that screen."""
        return (
            not alarm.silent
            and rank(alarm.severity) >= rank(self.severity)
            and (not self.rules or alarm.rule in self.rules)
            and (not self.screens or screen in self.screens)
            and (not self.categories or bool({*self.categories} & {*alarm.categories}))
            and (not self.regions or _lies_in(alarm.region, self.regions))
        )


def _lies_in(region: str, codes: Iterable[str]) -> bool:
    return any(region == code or region.startswith(f"{code}.") for code in codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenProgramme:
    """What `screens.toml` says, by id and in the file's order."""

    scenes: Mapping[str, Scene] = field(default_factory=dict)
    screens: Mapping[str, Screen] = field(default_factory=dict)
    playlists: Mapping[str, Playlist] = field(default_factory=dict)
    schedule: tuple[ScheduleEntry, ...] = ()
    interrupts: tuple[Interrupt, ...] = ()
    status: StatusRules = field(default_factory=StatusRules)


# --- what a wall says of itself ------------------------------------------------------------------


class CommandKind(StrEnum):
    """What a wall can be told to do. RESUME ends a SCENE before its time."""

    RELOAD = "reload"
    SCENE = "scene"
    RESUME = "resume"
    IDENTIFY = "identify"
    MUTE = "mute"
    UNMUTE = "unmute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that a person told a wall. After `expires_at` nobody does it any more.

    `until` is the end of what lasts: a scene shown by hand, or silence.
    """

    id: int
    screen_id: str
    kind: CommandKind
    by: str
    made_at: datetime
    expires_at: datetime
    scene: str = ""
    filters: Filters = field(default_factory=Filters)
    until: datetime | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """The last heartbeat of a screen. None is what the browser could not measure.

    `seen_at` is by the server's clock; `skew_s` how far the wall's own is ahead of it.
    `oldest_panel_s` is the age of the oldest panel it shows, `heap_bytes` of its JavaScript.
    """

    screen_id: str
    build: str
    scene: str
    seen_at: datetime
    oldest_panel_s: float | None = None
    fps: float | None = None
    heap_bytes: int | None = None
    errors: int = 0
    last_error: str = ""
    skew_s: float | None = None
    sound_armed: bool | None = None


class ScreenState(StrEnum):
    """NEVER: no heartbeat is known. FROZEN: it beats, and its picture stands still."""

    NEVER = "never"
    DARK = "dark"
    FROZEN = "frozen"
    OLD_BUILD = "old_build"
    ALIVE = "alive"


def judge_screen(beat: Beat | None, build: str, now: datetime) -> ScreenState:
    """What a wall's last heartbeat amounts to now, the worst first.

    `build` is that of the pages; "" where it is not known, and none is an old one.
    """
    if beat is None:
        return ScreenState.NEVER
    silent = now - beat.seen_at
    if silent > DARK_AFTER:
        return ScreenState.DARK
    if beat.fps == 0 or is_unfed(beat, now):
        return ScreenState.FROZEN
    return ScreenState.ALIVE if build in ("", beat.build) else ScreenState.OLD_BUILD


def is_unfed(beat: Beat, now: datetime) -> bool:
    """Whether the oldest panel of a wall is too old, counting on since its heartbeat."""
    if beat.oldest_panel_s is None:
        return False
    age = timedelta(seconds=beat.oldest_panel_s) + (now - beat.seen_at)
    return age > FROZEN_AFTER
