"""`screens.toml` followed while it is edited: real files, a held clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from lawang.city import City
from lawang.city.screens import Named, read_screens
from lawang.domain.clock import utc_now
from lawang.screens.desk import follow_programme
from lawang.screens.reload import ProgrammeFile

GOOD = """
[scenes.kota]
name_id = "Kota"
name_en = "City"

[screens.satu]
name = "Satu"
size = [1920, 1080]
playlist = "siang"

[[playlists.siang.items]]
scene = "kota"
dwell_s = 30
"""
OTHER = GOOD.replace("dwell_s = 30", "dwell_s = 45")
BROKEN = GOOD.replace("dwell_s = 30", "dwell_s = 1")
NAMED = Named(kecamatan=(), opds=(), categories=())


class Desk:
    """A followed file, and a clock that moves when it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        path.write_text(GOOD)
        self.file = ProgrammeFile(
            path,
            lambda: read_screens(path, NAMED),
            read_screens(path, NAMED),
            clock=utc_now,
            monotonic=lambda: self.now,
        )
        self.pass_s(3)

    def pass_s(self, seconds: int) -> bool:
        """Look once a second; whether anything came of it."""
        found = False
        for _ in range(seconds):
            self.now += 1
            found |= self.file.look()
        return found

    def write(self, text: str) -> None:
        # A time of its own for each save, however coarse the file system's clock is.
        before = self.path.stat().st_mtime_ns
        self.path.write_text(text)
        os.utime(self.path, ns=(before + 10**9, before + 10**9))

    @property
    def dwell_s(self) -> float:
        turn = self.file.current.programme.playlists["siang"].turns[0]
        return turn.dwell.total_seconds()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "screens.toml")


def test_a_saved_change_is_in_force_within_seconds(desk: Desk) -> None:
    since = desk.file.current.since
    desk.write(OTHER)
    assert desk.pass_s(3)
    assert desk.dwell_s == 45
    assert desk.file.current.since > since


def test_a_broken_file_is_refused_with_its_place_and_the_programme_goes_on(desk: Desk) -> None:
    desk.write(BROKEN)
    assert desk.pass_s(3)
    problem = desk.file.current.problem
    assert problem is not None
    assert (problem.file, problem.line) == ("screens.toml", 13)
    assert problem.key == "playlists.siang.items.0.dwell_s"
    assert "greater than or equal to 5" in problem.problem
    assert desk.dwell_s == 30


def test_a_broken_file_is_logged_once(desk: Desk) -> None:
    with capture_logs() as logs:
        desk.write(BROKEN)
        desk.pass_s(200)
    assert [each["log_level"] for each in logs] == ["warning"]


def test_a_mistake_is_forgotten_once_the_file_is_right_again(desk: Desk) -> None:
    since = desk.file.current.since
    desk.write(BROKEN)
    desk.pass_s(3)
    desk.write(GOOD)
    assert desk.pass_s(3)
    assert desk.file.current.problem is None
    assert desk.file.current.since == since


def test_a_file_that_is_still_being_written_is_not_taken_for_a_broken_one(desk: Desk) -> None:
    for length in range(20, len(OTHER), 60):
        desk.write(OTHER[:length])
        desk.pass_s(1)
        assert desk.file.current.problem is None
    desk.write(OTHER)
    desk.pass_s(3)
    assert desk.dwell_s == 45


def test_a_file_that_an_editor_puts_in_the_old_ones_place_is_seen(desk: Desk) -> None:
    beside = desk.path.with_name("screens.toml~")
    beside.write_text(OTHER)
    beside.replace(desk.path)
    desk.pass_s(3)
    assert desk.dwell_s == 45


def test_a_change_that_keeps_size_and_time_is_found_within_a_minute_or_two(desk: Desk) -> None:
    kept = desk.path.stat()
    desk.path.write_text(OTHER)
    os.utime(desk.path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    desk.pass_s(62)
    assert desk.dwell_s == 45


def test_a_file_that_is_gone_leaves_the_programme(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "screens.toml")
    desk.path.unlink()
    desk.pass_s(3)
    # This reader takes a missing file for an empty programme; `follow_programme` does not.
    assert desk.file.current.programme.screens == {}


def test_a_touched_file_changes_nothing(desk: Desk) -> None:
    before = desk.file.current
    desk.write(GOOD)
    assert not desk.pass_s(5)
    assert desk.file.current is before


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ProgrammeFile]:
    path = tmp_path / "screens.toml"
    path.write_text(GOOD)
    file = ProgrammeFile(path, lambda: read_screens(path, NAMED), read_screens(path, NAMED))
    file.start()
    yield file
    file.stop()


def test_the_watcher_takes_a_change_by_itself(running: ProgrammeFile, tmp_path: Path) -> None:
    (tmp_path / "screens.toml").write_text(OTHER)
    deadline = time.monotonic() + 40
    while running.current.programme.playlists["siang"].length.total_seconds() != 45:
        assert time.monotonic() < deadline, "the change was not taken"
        time.sleep(0.05)


def test_a_pack_that_had_screens_keeps_them_when_the_file_goes(city: City, tmp_path: Path) -> None:
    file = follow_programme(city, tmp_path, settle_s=0.0)
    assert file.look()
    assert file.current.programme == city.screens
    assert file.current.problem is not None
    assert "is gone" in file.current.problem.problem
