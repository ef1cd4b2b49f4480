"""`screens.toml` of a pack: scenes, screens, playlists, schedule, interrupts and the city's status.
Strict: everything named must exist, and nothing may be left over that nobody can ever see.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from lawang.city.toml import Mistake, Table, first_mistake, mistake, read_toml
from lawang.domain.alarm import AlarmSeverity
from lawang.domain.errors import PackError
from lawang.domain.screen import (
    Cell,
    Filters,
    Interrupt,
    Measure,
    Night,
    Playlist,
    Scene,
    ScheduleEntry,
    Screen,
    ScreenProgramme,
    Turn,
    Window,
)
from lawang.domain.status import CALM, HIGHEST, Condition, Level, StatusRules

FILE_NAME = "screens.toml"
#: The scenes that the pages can draw.
SCENES = (
    "kota",
    "kejadian",
    "layanan",
    "keuangan",
    "bencana",
    "transportasi",
    "kesehatan",
    "kamera",
    "sumber",
    "ringkasan_pagi",
)
#: Indonesian as on a calendar, and English.
DAYS = {
    **{name: day for day, name in enumerate(("sen", "sel", "rab", "kam", "jum", "sab", "min"))},
    **{name: day for day, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}
_DAY_S = 86_400

_Text = Annotated[str, Field(min_length=1)]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_Path = tuple[str, ...]


class _SceneTable(Table):
    name_id: _Text
    name_en: _Text
    panels: list[_Id] = Field(default_factory=list)


class _CellTable(Table):
    id: _Id
    playlist: str
    column: int = Field(1, ge=1)
    row: int = Field(1, ge=1)
    width: int = Field(1, ge=1)
    height: int = Field(1, ge=1)


class _NightTable(Table):
    """When a wall is dimmed, and to how much of its light. Equal times: never."""

    start: str = Field("22:00", alias="from")
    end: str = Field("05:00", alias="to")
    brightness: float = Field(0.7, ge=0.2, le=1)


class _ScreenTable(Table):
    """Either `playlist`, or a grid of `columns` and `rows` with `cells`."""

    name: _Text
    size: tuple[Annotated[int, Field(ge=320, le=16384)], Annotated[int, Field(ge=240, le=16384)]]
    playlist: str = ""
    columns: int = Field(1, ge=1, le=8)
    rows: int = Field(1, ge=1, le=8)
    cells: list[_CellTable] = Field(default_factory=list)
    night: _NightTable = Field(default_factory=_NightTable)

    @model_validator(mode="after")
    def _is_one(self) -> _ScreenTable:
        if bool(self.playlist) == bool(self.cells):
            raise ValueError("give either playlist (one scene at a time) or cells (a grid of them)")
        if self.playlist and (self.columns, self.rows) != (1, 1):
            raise ValueError("columns and rows belong to a grid: give cells")
        return self


class _Filtered(Table):
    kecamatan: list[str] = Field(default_factory=list)
    opd: list[str] = Field(default_factory=list)
    category: list[str] = Field(default_factory=list)


class _ItemTable(_Filtered):
    scene: str
    dwell_s: int = Field(ge=5, le=_DAY_S)
    window: Window | None = None
    measure: Measure | None = None


class _PlaylistTable(Table):
    items: list[_ItemTable] = Field(min_length=1)


class _ScheduleTable(Table):
    id: _Id
    playlist: str
    days: list[str] = Field(default_factory=list)
    start: str = Field(alias="from")
    end: str = Field(alias="to")
    screens: list[str] = Field(default_factory=list)


class _InterruptTable(Table):
    id: _Id
    severity: AlarmSeverity
    scene: str
    least_s: int = Field(ge=5, le=_DAY_S)
    most_s: int = Field(ge=5, le=_DAY_S)
    rules: list[str] = Field(default_factory=list)
    kecamatan: list[str] = Field(default_factory=list)
    category: list[str] = Field(default_factory=list)
    screens: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> _InterruptTable:
        if self.least_s > self.most_s:
            raise ValueError("least_s must not be more than most_s")
        return self


class _ConditionTable(Table):
    alarms: int | None = Field(None, ge=1)
    severity: AlarmSeverity = AlarmSeverity.INFO
    rules: list[str] = Field(default_factory=list)
    category: list[str] = Field(default_factory=list)
    sources_down: int | None = Field(None, ge=1)
    score_below: Annotated[float, Field(gt=0, le=2)] | None = None

    @model_validator(mode="after")
    def _asks(self) -> _ConditionTable:
        if self.alarms is None and self.sources_down is None and self.score_below is None:
            raise ValueError("give alarms, sources_down or score_below")
        if self.alarms is None and (
            self.severity is not AlarmSeverity.INFO or self.category or self.rules
        ):
            raise ValueError("severity, rules and category belong to alarms: say how many")
        return self


class _LevelTable(Table):
    word_id: _Text
    word_en: _Text
    colour: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    actions_id: list[_Text] = Field(min_length=1)
    actions_en: list[_Text] = Field(min_length=1)
    hold_s: int = Field(0, ge=0, le=_DAY_S)
    when: list[_ConditionTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> _LevelTable:
        if len(self.actions_id) != len(self.actions_en):
            raise ValueError("actions_id and actions_en must be the same actions, one by one")
        return self


class _File(Table):
    scenes: dict[_Id, _SceneTable] = Field(min_length=1)
    screens: dict[_Id, _ScreenTable] = Field(min_length=1)
    playlists: dict[_Id, _PlaylistTable] = Field(min_length=1)
    schedule: list[_ScheduleTable] = Field(default_factory=list)
    interrupt: list[_InterruptTable] = Field(default_factory=list)
    status: dict[str, _LevelTable] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What the rest of the pack holds, for checking what is named in the file."""

    kecamatan: Container[str]
    opds: Container[str]
    categories: Container[str]
    rules: Container[str] = ()


def read_screens(file: Path, named: Named) -> ScreenProgramme:
    """Read and validate `screens.toml`; an empty programme where a pack has none.

    Raises PackError with file, line and key of the first mistake.
    """
    if not file.exists():
        return ScreenProgramme()
    try:
        found = _File.model_validate(read_toml(file))
    except ValidationError as error:
        raise mistake(file, *first_mistake(error)) from error
    try:
        return _programme(found, named)
    except Mistake as error:
        raise mistake(file, error.path, str(error)) from error


def programme_reader(pack_dir: Path, named: Named) -> ScreenProgramme:
    """The programme of a pack whose file must be there. Raises PackError."""
    file = pack_dir / FILE_NAME
    if not file.exists():
        raise PackError(file, "", "is gone: put it back, or start again without it")
    return read_screens(file, named)


def _programme(found: _File, named: Named) -> ScreenProgramme:
    for name in found.scenes:
        if name not in SCENES:
            problem = f"is no scene that can be drawn: use {', '.join(SCENES)}"
            raise Mistake(("scenes", name), problem)
    playlists = {
        name: Playlist(
            id=name,
            turns=tuple(
                _turn(each, ("playlists", name, "items", str(n)), found, named)
                for n, each in enumerate(table.items)
            ),
        )
        for name, table in found.playlists.items()
    }
    screens = {name: _screen(name, table, found) for name, table in found.screens.items()}
    schedule = tuple(
        _entry(each, ("schedule", str(n)), found) for n, each in enumerate(found.schedule)
    )
    interrupts = tuple(
        _interrupt(each, ("interrupt", str(n)), found, named)
        for n, each in enumerate(found.interrupt)
    )
    _check_unique([each.id for each in schedule], "schedule")
    _check_unique([each.id for each in interrupts], "interrupt")
    _check_used(found)
    return ScreenProgramme(
        scenes={
            name: Scene(
                id=name, name_id=table.name_id, name_en=table.name_en, panels=tuple(table.panels)
            )
            for name, table in found.scenes.items()
        },
        screens=screens,
        playlists=playlists,
        schedule=schedule,
        interrupts=interrupts,
        status=_status(found, named),
    )


def _turn(table: _ItemTable, at: _Path, found: _File, named: Named) -> Turn:
    _check_scene(table.scene, at, found)
    _check_names(table.kecamatan, named.kecamatan, (*at, "kecamatan"), "regions/kecamatan.csv")
    _check_names(table.opd, named.opds, (*at, "opd"), "opd.toml")
    _check_names(table.category, named.categories, (*at, "category"), "categories.toml")
    return Turn(
        scene=table.scene,
        dwell=timedelta(seconds=table.dwell_s),
        filters=Filters(
            kecamatan=tuple(table.kecamatan),
            opd=tuple(table.opd),
            category=tuple(table.category),
            window=table.window,
            measure=table.measure,
        ),
    )


def _screen(name: str, table: _ScreenTable, found: _File) -> Screen:
    at = ("screens", name)
    if table.playlist:
        _check_playlist(table.playlist, at, found)
        cells: tuple[Cell, ...] = (Cell(id="", playlist=table.playlist),)
    else:
        cells = tuple(_cells(table, at, found))
    width, height = table.size
    return Screen(
        id=name,
        name=table.name,
        width=width,
        height=height,
        columns=table.columns,
        rows=table.rows,
        cells=cells,
        night=Night(
            start=_clock(table.night.start, (*at, "night", "from")) or time(0),
            end=_clock(table.night.end, (*at, "night", "to")) or time(0),
            brightness=table.night.brightness,
        ),
    )


def _cells(table: _ScreenTable, at: _Path, found: _File) -> Iterator[Cell]:
    """The cells of a grid, which they must fill, each place once."""
    free = {(x, y) for x in range(1, table.columns + 1) for y in range(1, table.rows + 1)}
    ids: set[str] = set()
    for n, each in enumerate(table.cells):
        here = (*at, "cells", str(n))
        _check_playlist(each.playlist, here, found)
        if each.id in ids:
            raise Mistake((*here, "id"), f"{each.id!r} is there already: give another id")
        ids.add(each.id)
        places = {
            (x, y)
            for x in range(each.column, each.column + each.width)
            for y in range(each.row, each.row + each.height)
        }
        if not places <= free:
            problem = (
                f"reaches outside of the {table.columns} x {table.rows} grid or over another cell"
            )
            raise Mistake(here, problem)
        free -= places
        yield Cell(
            id=each.id,
            playlist=each.playlist,
            column=each.column - 1,
            row=each.row - 1,
            width=each.width,
            height=each.height,
        )
    if free:
        column, row = min(free)
        raise Mistake((*at, "cells"), f"column {column}, row {row} is in no cell: fill the grid")


def _entry(table: _ScheduleTable, at: _Path, found: _File) -> ScheduleEntry:
    _check_playlist(table.playlist, at, found)
    for name in table.days:
        if name not in DAYS:
            raise Mistake((*at, "days"), f"{name!r} is no day: use sen, sel, ... or mon, tue, ...")
    start, end = _clock(table.start, (*at, "from")), _clock(table.end, (*at, "to"))
    if start is None:
        raise Mistake((*at, "from"), "a day begins at 00:00")
    if start == end:
        raise Mistake((*at, "to"), "is the same as from: a whole day is 00:00 to 24:00")
    for name in table.screens:
        _check_target(name, (*at, "screens"), found)
    return ScheduleEntry(
        id=table.id,
        playlist=table.playlist,
        days=frozenset(DAYS[name] for name in table.days) or frozenset(range(7)),
        start=start,
        end=end,
        targets=tuple(table.screens),
    )


_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


def _clock(text: str, at: _Path) -> time | None:
    """A time of day; None for 24:00."""
    if text == "24:00":
        return None
    found = _CLOCK.match(text)
    if found is None:
        raise Mistake(at, f"{text!r} is no time of day, such as 05:30 (at most 24:00)")
    return time(int(found[1]), int(found[2]))


def _interrupt(table: _InterruptTable, at: _Path, found: _File, named: Named) -> Interrupt:
    _check_scene(table.scene, at, found)
    _check_names(table.kecamatan, named.kecamatan, (*at, "kecamatan"), "regions/kecamatan.csv")
    _check_names(table.category, named.categories, (*at, "category"), "categories.toml")
    _check_names(table.screens, found.screens, (*at, "screens"), "[screens]")
    _check_names(table.rules, named.rules, (*at, "rules"), "rules.toml")
    return Interrupt(
        id=table.id,
        severity=table.severity,
        scene=table.scene,
        least=timedelta(seconds=table.least_s),
        most=timedelta(seconds=table.most_s),
        rules=tuple(table.rules),
        regions=tuple(table.kecamatan),
        categories=tuple(table.category),
        screens=tuple(table.screens),
    )


def _status(found: _File, named: Named) -> StatusRules:
    if not found.status:
        return StatusRules()
    known = [str(number) for number in range(CALM, HIGHEST + 1)]
    for name in found.status:
        if name not in known:
            raise Mistake(("status", name), f"is no level: they are {', '.join(known)}")
    levels = []
    for name in known:
        table = found.status.get(name)
        if table is None:
            raise Mistake(("status",), f"level {name} is missing: write [status.{name}]")
        at = ("status", name, "when")
        if bool(table.when) == (name == known[0]):
            problem = "the calm level is what is left: it has no when" if table.when else (
                "is missing: nothing would ever call for this level"
            )  # fmt: skip
            raise Mistake(at, problem)
        for n, each in enumerate(table.when):
            here = (*at, str(n))
            _check_names(each.category, named.categories, (*here, "category"), "categories.toml")
            _check_names(each.rules, named.rules, (*here, "rules"), "rules.toml")
        levels.append(_level(int(name), table))
    return StatusRules(levels=tuple(levels))


def _level(number: int, table: _LevelTable) -> Level:
    return Level(
        number=number,
        word_id=table.word_id,
        word_en=table.word_en,
        colour=table.colour,
        actions_id=tuple(table.actions_id),
        actions_en=tuple(table.actions_en),
        hold=timedelta(seconds=table.hold_s),
        when=tuple(
            Condition(
                alarms=each.alarms,
                severity=each.severity,
                rules=tuple(each.rules),
                categories=tuple(each.category),
                sources_down=each.sources_down,
                score_below=each.score_below,
            )
            for each in table.when
        ),
    )


# --- what is named -------------------------------------------------------------------------------


def _check_scene(name: str, at: _Path, found: _File) -> None:
    if name not in found.scenes:
        raise Mistake((*at, "scene"), f"{name!r} is not under [scenes]")


def _check_playlist(name: str, at: _Path, found: _File) -> None:
    if name not in found.playlists:
        raise Mistake((*at, "playlist"), f"{name!r} is not under [playlists]")


def _check_target(name: str, at: _Path, found: _File) -> None:
    screen, _, cell = name.partition("/")
    table = found.screens.get(screen)
    if table is None:
        raise Mistake(at, f"{screen!r} is not under [screens]")
    if "/" in name and cell not in [each.id for each in table.cells]:
        raise Mistake(at, f"{screen!r} has no cell {cell!r}")


def _check_names(names: list[str], known: Container[str], at: _Path, where: str) -> None:
    for place, name in enumerate(names):
        if name not in known:
            raise Mistake(at, f"{name!r} is not in {where}")
        if names.index(name) != place:
            raise Mistake(at, f"names {name!r} twice")


def _check_unique(ids: list[str], table: str) -> None:
    for place, name in enumerate(ids):
        if ids.index(name) != place:
            raise Mistake((table, str(place), "id"), f"{name!r} is there already")


def _check_used(found: _File) -> None:
    """A playlist that nothing plays is a slip: most often another one was meant."""
    used = {
        *(each.playlist for each in found.schedule),
        *(each.playlist for each in found.screens.values()),
        *(cell.playlist for each in found.screens.values() for cell in each.cells),
    }
    for name in found.playlists:
        if name not in used:
            raise Mistake(("playlists", name), "is played by no screen and at no time")
