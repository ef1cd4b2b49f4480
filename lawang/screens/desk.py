"""What everybody may ask about the screens of an installation: pages, the API, the watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from lawang.city import City
from lawang.city.screens import FILE_NAME, Named, programme_reader, read_screens
from lawang.domain.clock import Clock, utc_now
from lawang.domain.screen import (
    Beat,
    Command,
    CommandKind,
    Screen,
    ScreenProgramme,
    ScreenState,
    judge_screen,
)
from lawang.domain.status import SeenAlarm
from lawang.screens.programme import Item, Manual, following, shown
from lawang.screens.reload import SETTLE_S, InForce, ProgrammeFile
from lawang.store.screens import ScreenStore

#: The alarms of the last `programme.ALARMS_BACK`; None where they cannot be told.
AlarmsOf = Callable[[datetime], Sequence[SeenAlarm] | None]


def no_alarms(_at: datetime) -> Sequence[SeenAlarm] | None:
    """For who has no alarms to ask for: nothing is known of them."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What history told of alarms, walls and what they are to do; enough to go on without it."""

    alarms: Sequence[SeenAlarm] | None = None
    beats: Mapping[str, Beat] = field(default_factory=dict)
    by_hand: Mapping[str, Command] = field(default_factory=dict)
    muted: Mapping[str, Command] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenNow:
    """One screen at a moment: what it should show, what comes next, and what it says of itself."""

    screen: Screen
    state: ScreenState
    items: tuple[Item, ...]
    next_at: datetime
    next_items: tuple[Item, ...]
    beat: Beat | None
    manual: Command | None
    muted: Command | None
    waiting: int

    @property
    def dark_since(self) -> datetime | None:
        """When a dark screen was heard last."""
        return self.beat.seen_at if self.beat and self.state is ScreenState.DARK else None


def named_of(city: City) -> Named:
    """What `screens.toml` of a city may name."""
    return Named(
        kecamatan=[each.code for each in city.kecamatan],
        opds=city.opds,
        categories=city.categories,
        rules=city.rules,
    )


def follow_programme(
    city: City, pack_dir: Path, clock: Clock = utc_now, *, settle_s: float = SETTLE_S
) -> ProgrammeFile:
    """The file of a pack, to be followed. A pack that has none may get one while it runs."""
    named = named_of(city)

    def read() -> ScreenProgramme:
        if city.screens.screens:
            return programme_reader(pack_dir, named)
        return read_screens(pack_dir / FILE_NAME, named)

    file = pack_dir / FILE_NAME
    return ProgrammeFile(file, read, city.screens, clock=clock, settle_s=settle_s)


def still_programme(city: City, clock: Clock = utc_now) -> ProgrammeFile:
    """The programme as the pack had it at the start, for who follows no file."""
    return ProgrammeFile(Path(FILE_NAME), lambda: city.screens, city.screens, clock=clock)


class ScreenDesk:
    """The screens of one installation. Methods block on history and raise its StoreError."""

    def __init__(
        self,
        file: ProgrammeFile,
        store: ScreenStore,
        zone: ZoneInfo,
        build: str,
        clock: Clock,
        alarms: AlarmsOf = no_alarms,
    ) -> None:
        self.file = file
        self.store = store
        self.zone = zone
        self.build = build
        self.clock = clock
        self.alarms = alarms

    @property
    def in_force(self) -> InForce:
        """The programme in force, and what is wrong with the file as it is now."""
        return self.file.current

    def screens(self, at: datetime) -> list[ScreenNow]:
        """Every screen of the programme, in the file's order."""
        return self.see(self.read(at), at)

    def screen(self, screen_id: str, at: datetime) -> ScreenNow | None:
        """One screen; None where the programme has none of that id."""
        programme = self.in_force.programme
        found = programme.screens.get(screen_id)
        return None if found is None else self._see(programme, found, self.read(at), at)

    def read(self, at: datetime) -> Known:
        """What history knows at a moment."""
        return self.read_walls(self.alarms(at), at)

    def read_walls(self, alarms: Sequence[SeenAlarm] | None, at: datetime) -> Known:
        """The same with alarms that were read before."""
        return Known(
            alarms=alarms,
            beats=self.store.beats(),
            by_hand=self.store.lasting(CommandKind.SCENE, at),
            muted=self.store.lasting(CommandKind.MUTE, at),
            waiting=self.store.count_waiting(at),
        )

    def see(self, known: Known, at: datetime) -> list[ScreenNow]:
        """Every screen as it follows from what is known; asks nothing of history."""
        programme = self.in_force.programme
        return [self._see(programme, each, known, at) for each in programme.screens.values()]

    def _see(
        self, programme: ScreenProgramme, screen: Screen, known: Known, at: datetime
    ) -> ScreenNow:
        alarms = known.alarms or ()
        command = known.by_hand.get(screen.id)
        # A scene may have left the file since somebody sent it.
        if command is not None and command.scene not in programme.scenes:
            command = None
        manual = _manual_of(command)
        then, items = following(programme, screen.id, at, self.zone, alarms, manual)
        beat = known.beats.get(screen.id)
        muted = known.muted.get(screen.id)
        # What was read some seconds ago may have ended since.
        if muted is not None and muted.until is not None and muted.until <= at:
            muted = None
        return ScreenNow(
            screen=screen,
            state=judge_screen(beat, self.build, at),
            items=shown(programme, screen.id, at, self.zone, alarms, manual),
            next_at=then,
            next_items=items,
            beat=beat,
            manual=command,
            muted=muted,
            waiting=known.waiting.get(screen.id, 0),
        )


def _manual_of(command: Command | None) -> Manual | None:
    if command is None or command.until is None:
        return None
    return Manual(
        screen_id=command.screen_id,
        scene=command.scene,
        by=command.by,
        since=command.made_at,
        until=command.until,
        filters=command.filters,
    )
