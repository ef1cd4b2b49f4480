"""Small programmes and alarms for the tests of the screens."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lawang.domain.alarm import AlarmSeverity
from lawang.domain.screen import (
    Cell,
    Interrupt,
    Playlist,
    Scene,
    ScheduleEntry,
    Screen,
    ScreenProgramme,
    Turn,
)
from lawang.domain.status import SeenAlarm

WIB = ZoneInfo("Asia/Jakarta")
#: A Monday, 10:00 in Palembang.
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=WIB).astimezone(UTC)


def wib(text: str) -> datetime:
    """An instant from the city's clock: "23 10:00" or "23 10:00:30" of November 2026."""
    day, _, clock = text.partition(" ")
    return datetime.combine(
        datetime(2026, 11, int(day)).date(), time.fromisoformat(clock), WIB
    ).astimezone(UTC)


def playlist(name: str, *turns: tuple[str, int]) -> Playlist:
    """Scenes with their dwell in seconds."""
    return Playlist(
        id=name, turns=tuple(Turn(scene=s, dwell=timedelta(seconds=d)) for s, d in turns)
    )


def entry(name: str, list_id: str, start: str, end: str, **given: Any) -> ScheduleEntry:
    """An entry from `start` to `end`; every day and every screen unless said."""
    return ScheduleEntry(
        id=name,
        playlist=list_id,
        days=frozenset(given.get("days", range(7))),
        start=time.fromisoformat(start),
        end=None if end == "24:00" else time.fromisoformat(end),
        targets=tuple(given.get("targets", ())),
    )


def interrupt(**given: Any) -> Interrupt:
    """A rule for severe alarms: a minute at least, five at most."""
    values: dict[str, Any] = {
        "id": "gawat",
        "severity": AlarmSeverity.MAJOR,
        "scene": "bencana",
        "least": timedelta(minutes=1),
        "most": timedelta(minutes=5),
        **given,
    }
    return Interrupt(**values)


def alarm(since: datetime, ended_at: datetime | None = None, **given: Any) -> SeenAlarm:
    """A severe alarm."""
    values: dict[str, Any] = {"id": "1", "severity": AlarmSeverity.MAJOR, **given}
    return SeenAlarm(since=since, ended_at=ended_at, **values)


def programme(*schedule: ScheduleEntry, interrupts: tuple[Interrupt, ...] = ()) -> ScreenProgramme:
    """Two screens with one playlist of 30 + 20 + 10 s, and a wall of two cells."""
    day = playlist("siang", ("kota", 30), ("kejadian", 20), ("sumber", 10))
    night = playlist("malam", ("kota", 45), ("bencana", 45))
    whole = (Cell(id="", playlist="siang"),)
    wall = (
        Cell(id="kiri", playlist="siang"),
        Cell(id="kanan", playlist="malam", column=1),
    )
    return ScreenProgramme(
        scenes={
            name: Scene(id=name, name_id=name, name_en=name)
            for name in ("kota", "kejadian", "sumber", "bencana")
        },
        screens={
            "satu": Screen(id="satu", name="Satu", width=1920, height=1080, cells=whole),
            "dua": Screen(id="dua", name="Dua", width=3840, height=2160, cells=whole),
            "dinding": Screen(
                id="dinding", name="Dinding", width=5760, height=2160, columns=2, cells=wall
            ),
        },
        playlists={"siang": day, "malam": night},
        schedule=schedule,
        interrupts=interrupts,
    )
