"""What a screen shows at a moment: a pure function of the file, the time and the alarms.

Everybody who asks about the same moment gets the same answer, so that two screens with one playlist
turn together and a browser that was reloaded falls into step. Nothing counts in a browser.

A playlist begins anew with its entry of the schedule; without one, at the city's midnight. The
place in it follows from the time since then, less the time that alarms held the screen: so it goes
on where it was. Of a person's word and an alarm's the later one is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from lawang.domain.screen import (
    Cell,
    Filters,
    Interrupt,
    Playlist,
    ScheduleEntry,
    Screen,
    ScreenProgramme,
)
from lawang.domain.status import SeenAlarm, rank

#: Days around the asked one whose beginnings and ends are looked at. An entry lasts a day at most.
_DAYS = range(-2, 3)
#: How far back alarms have to be known: a playlist begins anew within this time.
ALARMS_BACK = timedelta(days=2)


class Why(StrEnum):
    """Why a scene is on a screen."""

    PLAYLIST = "playlist"
    SCHEDULE = "schedule"
    INTERRUPT = "interrupt"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual:
    """A scene that a person sent to one screen, from `since` until `until`."""

    screen_id: str
    scene: str
    by: str
    since: datetime
    until: datetime
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One scene in one cell of a screen; `cell` is empty where it fills the whole screen.

    `until` (UTC) is when it makes room as far as is known now: an alarm may come before.
    `cause` names the playlist, the entry of the schedule, the alarm, or the person.
    """

    scene: str
    filters: Filters
    until: datetime
    why: Why
    cause: str
    cell: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taking:
    """A stretch of time in which an alarm holds a screen."""

    start: datetime
    end: datetime
    alarm: SeenAlarm
    rule: Interrupt

    @property
    def order(self) -> tuple[int, datetime, str, str]:
        """The last in this order is shown: the severest, of these the newest."""
        return rank(self.alarm.severity), self.start, self.alarm.id, self.rule.id


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A stretch of time in which one playlist governs a cell, or the whole screen."""

    start: datetime
    end: datetime
    playlist: str
    entry: str


def shown(
    programme: ScreenProgramme,
    screen_id: str,
    at: datetime,
    zone: ZoneInfo,
    alarms: Iterable[SeenAlarm] = (),
    manual: Manual | None = None,
) -> tuple[Item, ...]:
    """What a screen shows at `at`: one item a cell, or one over the whole screen.

    `alarms` are those of the last `ALARMS_BACK`, over or not; later ones than `at` are passed over.
    `manual` counts from its `since` to its `until`. Raises KeyError for an unknown screen.
    """
    screen = programme.screens[screen_id]
    at = at.astimezone(UTC)
    takings = _takings(programme.interrupts, screen_id, at, alarms)
    by_hand = manual if manual is not None and _sends(manual, screen_id, at) else None
    # What began before a person sent another scene was seen by that person.
    held = [
        each
        for each in takings
        if at < each.end and (by_hand is None or each.start > by_hand.since)
    ]
    if held:
        return (_interrupting(max(held, key=lambda each: each.order)),)
    if by_hand is not None:
        return (
            Item(
                scene=by_hand.scene,
                filters=by_hand.filters,
                until=by_hand.until.astimezone(UTC),
                why=Why.MANUAL,
                cause=by_hand.by,
            ),
        )
    pauses = _join(takings, at)
    whole = _governing(_entries(programme, screen_id), at, zone)
    if whole.entry:
        return (_turning(programme.playlists[whole.playlist], whole, at, pauses, ""),)
    return tuple(_of_cell(programme, screen, cell, at, zone, pauses) for cell in screen.cells)


def following(
    programme: ScreenProgramme,
    screen_id: str,
    at: datetime,
    zone: ZoneInfo,
    alarms: Sequence[SeenAlarm] = (),
    manual: Manual | None = None,
) -> tuple[datetime, tuple[Item, ...]]:
    """When the picture of a screen changes next, and to what, if nothing new happens."""
    now = shown(programme, screen_id, at, zone, alarms, manual)
    then = min(each.until for each in now)
    return then, shown(programme, screen_id, then, zone, alarms, manual)


# --- alarms --------------------------------------------------------------------------------------


def _sends(manual: Manual, screen_id: str, at: datetime) -> bool:
    return manual.screen_id == screen_id and manual.since <= at < manual.until


def _takings(
    rules: Sequence[Interrupt], screen_id: str, at: datetime, alarms: Iterable[SeenAlarm]
) -> list[_Taking]:
    """What took the screen until `at`, or still holds it."""
    found = []
    for alarm in alarms:
        rule = next((each for each in rules if each.takes(alarm, screen_id)), None)
        start = alarm.since.astimezone(UTC)
        if rule is None or start > at:
            continue
        end = start + rule.most
        if alarm.ended_at is not None and alarm.ended_at <= at:
            end = min(end, max(start + rule.least, alarm.ended_at.astimezone(UTC)))
        found.append(_Taking(start=start, end=end, alarm=alarm, rule=rule))
    return found


def _interrupting(top: _Taking) -> Item:
    """The alarm that is shown. A milder one that waits below it comes when it has gone."""
    return Item(
        scene=top.rule.scene,
        filters=_filters_of(top.alarm),
        until=top.end,
        why=Why.INTERRUPT,
        cause=top.alarm.id,
    )


def _filters_of(alarm: SeenAlarm) -> Filters:
    """The place and the kind of an alarm, for a scene that shows where it is."""
    # A kelurahan's code is its kecamatan's and one part more.
    kecamatan = ".".join(alarm.region.split(".")[:3]) if alarm.region else ""
    return Filters(
        kecamatan=(kecamatan,) if kecamatan else (),
        category=alarm.categories,
    )


def _join(takings: Iterable[_Taking], at: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches in which any alarm held the screen, in order and apart, up to `at`."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted((each.start, min(each.end, at)) for each in takings):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


# --- the schedule --------------------------------------------------------------------------------


def _entries(programme: ScreenProgramme, target: str) -> list[ScheduleEntry]:
    """The entries for a screen, or for "screen/cell". An entry without targets is for screens."""
    is_screen = "/" not in target
    return [
        each
        for each in programme.schedule
        if target in each.targets or (is_screen and not each.targets)
    ]


def _of_cell(
    programme: ScreenProgramme,
    screen: Screen,
    cell: Cell,
    at: datetime,
    zone: ZoneInfo,
    pauses: list[tuple[datetime, datetime]],
) -> Item:
    entries = _entries(programme, f"{screen.id}/{cell.id}")
    own = _governing(entries, at, zone, cell.playlist, _entries(programme, screen.id))
    name = cell.id if len(screen.cells) > 1 else ""
    return _turning(programme.playlists[own.playlist], own, at, pauses, name)


def _governing(
    entries: Sequence[ScheduleEntry],
    at: datetime,
    zone: ZoneInfo,
    playlist: str = "",
    above: Sequence[ScheduleEntry] = (),
) -> _Stretch:
    """The stretch around `at` in which one thing governs: an entry, or `playlist` for a local day.

    While one of `above` holds, none of `entries` and not `playlist` governs.
    """
    day = at.astimezone(zone).date()
    spans = [*_spans(above, day, zone), *_spans(entries, day, zone)]
    edges = sorted(
        {
            *(_local(day + timedelta(days=n), time(0), zone) for n in _DAYS),
            *(edge for start, end, _entry in spans for edge in (start, end)),
        }
    )
    pieces = [
        (start, end, _holding(spans, start) or (_day_of(start, zone), None))
        for start, end in pairwise(edges)
    ]
    place = next(n for n, (start, end, _key) in enumerate(pieces) if start <= at < end)
    key = pieces[place][2]
    first = last = place
    while first > 0 and pieces[first - 1][2] == key:
        first -= 1
    while last + 1 < len(pieces) and pieces[last + 1][2] == key:
        last += 1
    entry = key[1]
    return _Stretch(
        start=pieces[first][0],
        end=pieces[last][1],
        playlist=entry.playlist if entry else playlist,
        entry=entry.id if entry else "",
    )


def _day_of(at: datetime, zone: ZoneInfo) -> date:
    """The local day of an instant."""
    return at.astimezone(zone).date()


_Span = tuple[datetime, datetime, ScheduleEntry]


def _spans(entries: Iterable[ScheduleEntry], day: date, zone: ZoneInfo) -> Iterator[_Span]:
    """When entries hold around a local day, in UTC, those first in the file first."""
    for entry in entries:
        for n in _DAYS:
            begins = day + timedelta(days=n)
            if begins.weekday() not in entry.days:
                continue
            over = entry.end is None or entry.end <= entry.start
            ends = begins + timedelta(days=1) if over else begins
            start = _local(begins, entry.start, zone)
            end = _local(ends, entry.end or time(0), zone)
            # Where clocks are put forward an entry within the hour that is left out never holds.
            if start < end:
                yield start, end, entry


def _holding(
    spans: Iterable[_Span], at: datetime
) -> tuple[date | datetime, ScheduleEntry | None] | None:
    """The first entry that holds at an instant, and when this turn of it began."""
    return next(((start, entry) for start, end, entry in spans if start <= at < end), None)


def _local(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


# --- the playlist --------------------------------------------------------------------------------


def _turning(
    playlist: Playlist,
    stretch: _Stretch,
    at: datetime,
    pauses: Iterable[tuple[datetime, datetime]],
    cell: str,
) -> Item:
    """The turn of a playlist at `at`, by the time since its stretch began."""
    paused = sum(
        (
            max(end - max(start, stretch.start), timedelta(0))
            for start, end in pauses
            if end > stretch.start
        ),
        timedelta(0),
    )
    place = (at - stretch.start - paused) % playlist.length
    for turn in playlist.turns:
        if place < turn.dwell:
            break
        place -= turn.dwell
    until = stretch.end if len(playlist.turns) == 1 else at + turn.dwell - place
    return Item(
        scene=turn.scene,
        filters=turn.filters,
        until=min(until, stretch.end),
        why=Why.SCHEDULE if stretch.entry else Why.PLAYLIST,
        cause=stretch.entry or playlist.id,
        cell=cell,
    )
