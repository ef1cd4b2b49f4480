"""The board's panels about walls: made in time, from memory where history is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.alarm import AlarmSeverity
from lawang.domain.errors import PackError
from lawang.domain.health import SourceState
from lawang.domain.screen import DARK_AFTER, Beat, Command, CommandKind, ScreenProgramme
from lawang.domain.status import SeenAlarm
from lawang.screens.desk import ScreenDesk
from lawang.screens.panel import READ_EVERY, ScreenPanels
from lawang.screens.reload import ProgrammeFile
from lawang.store.engine import open_engine
from lawang.store.history import History
from tests.conftest import HeldClock
from tests.screens.values import MONDAY, WIB, alarm, programme

SECOND = timedelta(seconds=1)


@dataclass
class Desk:
    """Panels on a real history; `at` is what the clock says, `panels` what was told last."""

    maker: ScreenPanels
    history: History
    path: Path
    clock: HeldClock
    file: ProgrammeFile
    alarms: list[SeenAlarm]
    broken: list[PackError]
    panels: dict[str, Any]

    def read(self, after: timedelta = timedelta(0), *, noted: bool = False) -> dict[str, Any]:
        self.clock.now += after
        told = self.maker.read(self.clock.now, noted)
        self.panels |= told
        return told

    def screen(self, name: str = "satu") -> dict[str, Any]:
        return dict(self.panels["programme"]["screens"][name])

    def wall(self, name: str = "satu") -> dict[str, Any]:
        return dict(self.panels["walls"]["walls"][name])

    def tell(self, kind: CommandKind, **given: Any) -> None:
        now = self.clock.now
        values = {"by": "Sari", "made_at": now, "expires_at": now + timedelta(minutes=2), **given}
        self.history.screens.tell(Command(id=0, screen_id="satu", kind=kind, **values))

    def beat(self, **given: Any) -> None:
        values = {"build": "b1", "scene": "kota", "seen_at": self.clock.now, **given}
        self.history.screens.note_beat(Beat(screen_id="satu", **values))

    def take_history_away(self) -> None:
        self.history.close()
        self.path.rename(self.path.with_suffix(".away"))
        self.path.mkdir()

    def give_history_back(self) -> None:
        self.path.rmdir()
        self.path.with_suffix(".away").rename(self.path)


@pytest.fixture
def desk(city: City, _migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    path = tmp_path / "history.sqlite3"
    path.write_bytes(_migrated_sqlite.read_bytes())
    clock = HeldClock(MONDAY)
    alarms: list[SeenAlarm] = []
    broken: list[PackError] = []
    saved = tmp_path / "screens.toml"
    saved.write_text("")
    in_force = replace(programme(), status=city.screens.status)

    def reader() -> ScreenProgramme:
        if broken:
            raise broken[0]
        return in_force

    file = ProgrammeFile(saved, reader, in_force, clock=clock, settle_s=0)
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        known = ScreenDesk(file, history.screens, WIB, "b1", clock, lambda _at: list(alarms))
        states: dict[str, SourceState] = {}
        maker = ScreenPanels(city, known, lambda: states, lambda _at: None)
        made = Desk(maker, history, path, clock, file, alarms, broken, {})
        made.read(noted=True)
        yield made


def test_a_playlist_turns_at_its_very_moment_without_reading_history(desk: Desk) -> None:
    (item,) = desk.screen()["items"]
    left = datetime.fromisoformat(desk.screen()["next_at"]) - desk.clock.now
    assert desk.maker.wait_s(desk.clock.now) == left.total_seconds()
    desk.take_history_away()
    desk.read(left)
    assert [each["scene"] for each in desk.screen()["items"]] == ["kejadian"]
    assert item["scene"] == "kota"


def test_nothing_is_made_while_nothing_can_have_changed(desk: Desk) -> None:
    assert desk.read(READ_EVERY - SECOND) == {}
    assert desk.read(SECOND).keys() == {"programme", "walls", "status"}


def test_walls_of_one_playlist_turn_together(desk: Desk) -> None:
    desk.read(timedelta(seconds=42))
    assert desk.screen("satu")["items"] == desk.screen("dua")["items"]
    assert [each["cell"] for each in desk.screen("dinding")["items"]] == ["kiri", "kanan"]


def test_without_history_the_walls_go_on_and_say_of_when_they_are(desk: Desk) -> None:
    read_at = desk.clock.now.isoformat()
    desk.take_history_away()
    desk.read(timedelta(seconds=30))
    assert [each["scene"] for each in desk.screen()["items"]] == ["kejadian"]
    assert [desk.panels[name]["read_at"] for name in ("programme", "walls", "status")] == [
        read_at
    ] * 3
    desk.give_history_back()
    desk.read(timedelta(seconds=10))
    assert "read_at" not in desk.panels["programme"]


def test_a_broken_file_is_told_and_the_programme_goes_on(desk: Desk) -> None:
    desk.file.look()
    desk.broken.append(PackError(Path("screens.toml"), "screens.satu", "is wrong", 7))
    (desk.path.parent / "screens.toml").write_text("broken")
    for _ in range(3):
        desk.file.look()
    desk.read(SECOND)
    assert desk.panels["programme"]["problem"] == {
        "file": "screens.toml",
        "key": "screens.satu",
        "problem": "is wrong",
        "line": 7,
        "seen_at": MONDAY.isoformat(),
    }
    assert [each["scene"] for each in desk.screen()["items"]] == ["kota"]


def test_a_command_waits_until_the_wall_has_fetched_it(desk: Desk) -> None:
    desk.tell(CommandKind.IDENTIFY)
    desk.read(noted=True)
    assert desk.screen()["waiting"] == 1
    desk.history.screens.take("satu", desk.clock.now)
    desk.read(noted=True)
    assert desk.screen()["waiting"] == 0


def test_a_scene_sent_by_hand_names_who_sent_it(desk: Desk) -> None:
    until = desk.clock.now + timedelta(minutes=10)
    desk.tell(CommandKind.SCENE, scene="sumber", until=until)
    desk.read(noted=True)
    (item,) = desk.screen()["items"]
    assert (item["scene"], item["why"], item["cause"]) == ("sumber", "manual", "Sari")
    assert item["until"] == until.isoformat()


def test_silence_is_told_until_its_end(desk: Desk) -> None:
    until = desk.clock.now + timedelta(seconds=29)
    desk.tell(CommandKind.MUTE, until=until)
    desk.read(noted=True)
    assert desk.screen()["muted_until"] == until.isoformat()
    desk.take_history_away()
    desk.read(timedelta(seconds=30))
    assert "muted_until" not in desk.screen()


def test_a_wall_turns_dark_as_time_goes_by(desk: Desk) -> None:
    assert desk.wall() == {"state": "never"}
    desk.beat(fps=60.0)
    seen_at = desk.clock.now.isoformat()
    desk.read(noted=True)
    assert (desk.wall()["state"], desk.wall()["fps"]) == ("alive", 60.0)
    assert "heap_bytes" not in desk.wall()
    desk.read(DARK_AFTER + SECOND)
    assert (desk.wall()["state"], desk.wall()["dark_since"]) == ("dark", seen_at)


def test_the_status_names_the_rules_whose_alarms_raised_it(desk: Desk) -> None:
    assert desk.panels["status"]["level"] == 1
    severity = AlarmSeverity.MAJOR
    desk.alarms.append(alarm(desk.clock.now, rule="air_siaga", severity=severity))
    desk.read(noted=True)
    status = desk.panels["status"]
    assert (status["level"], status["word_id"]) == (3, "Siaga")
    assert status["reasons"] == [
        {"text_id": "Muka air siaga: 1 peringatan", "text_en": "High water: 1 alert"}
    ]
    assert status["actions_id"]
    assert status["unknown"] == []


def test_a_calm_status_rests_on_the_sources_of_the_rules(city: City, desk: Desk) -> None:
    assert desk.panels["status"]["sources"] == sorted(
        {source for rule in city.rules.values() for source in rule.sources}
    )
    assert desk.panels["status"]["computed"] == 1
    assert "by_hand" not in desk.panels["status"]
