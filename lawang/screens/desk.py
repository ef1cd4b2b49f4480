"""What everybody may ask about the screens of an installation: pages, the API, the watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
        programme = self.in_force.programme
        return self._look(programme, list(programme.screens.values()), at)

    def screen(self, screen_id: str, at: datetime) -> ScreenNow | None:
        """One screen; None where the programme has none of that id."""
        programme = self.in_force.programme
        found = programme.screens.get(screen_id)
        return None if found is None else self._look(programme, [found], at)[0]

    def _look(
        self, programme: ScreenProgramme, screens: Sequence[Screen], at: datetime
    ) -> list[ScreenNow]:
        alarms = list(self.alarms(at) or ())
        beats = self.store.beats()
        by_hand = self.store.lasting(CommandKind.SCENE, at)
        muted = self.store.lasting(CommandKind.MUTE, at)
        waiting = self.store.count_waiting(at)
        return [
            self._at(programme, screen, at, alarms, by_hand, beats, muted, waiting)
            for screen in screens
        ]

    def _at(
        self,
        programme: ScreenProgramme,
        screen: Screen,
        at: datetime,
        alarms: Sequence[SeenAlarm],
        by_hand: Mapping[str, Command],
        beats: Mapping[str, Beat],
        muted: Mapping[str, Command],
        waiting: Mapping[str, int],
    ) -> ScreenNow:
        command = by_hand.get(screen.id)
        # A scene may have left the file since somebody sent it.
        if command is not None and command.scene not in programme.scenes:
            command = None
        manual = _manual_of(command)
        then, items = following(programme, screen.id, at, self.zone, alarms, manual)
        beat = beats.get(screen.id)
        return ScreenNow(
            screen=screen,
            state=judge_screen(beat, self.build, at),
            items=shown(programme, screen.id, at, self.zone, alarms, manual),
            next_at=then,
            next_items=items,
            beat=beat,
            manual=command,
            muted=muted.get(screen.id),
            waiting=waiting.get(screen.id, 0),
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
