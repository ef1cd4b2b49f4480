"""`screens.toml`: Palembang's own, and the place and words of every kind of mistake."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from lawang.board.panels import PANELS
from lawang.city import City
from lawang.city.screens import Named, read_screens
from lawang.domain.errors import PackError
from lawang.domain.screen import Measure, Night, ScreenProgramme, Window

NAMED = Named(kecamatan=["16.71.01"], opds=["bpbd"], categories=["banjir"], rules=["air_awas"])
GOOD = """\
[scenes.kota]
name_id = "Kota"
name_en = "City"
[scenes.bencana]
name_id = "Bencana"
name_en = "Disasters"

[screens.satu]
name = "Satu"
size = [1920, 1080]
playlist = "siang"
night = { from = "21:30", to = "06:00", brightness = 0.5 }

[screens.dinding]
name = "Dinding"
size = [5760, 2160]
columns = 2
cells = [
  { id = "kiri", playlist = "siang" },
  { id = "kanan", playlist = "siang", column = 2 },
]

[[playlists.siang.items]]
scene = "kota"
dwell_s = 30
kecamatan = ["16.71.01"]
opd = ["bpbd"]
category = ["banjir"]
window = "6h"
measure = "density"

[[schedule]]
id = "malam"
playlist = "siang"
days = ["sen", "tue"]
from = "22:00"
to = "05:00"
screens = ["satu", "dinding/kiri"]

[[interrupt]]
id = "banjir"
severity = "major"
scene = "bencana"
rules = ["air_awas"]
kecamatan = ["16.71.01"]
least_s = 30
most_s = 300
"""
LEVEL = """
[status.{n}]
word_id = "Kata"
word_en = "Word"
colour = "status-{n}"
actions_id = ["Satu"]
actions_en = ["One"]
"""
WHEN = 'when = [{ alarms = 1, severity = "major", rules = ["air_awas"], category = ["banjir"] }]\n'
STATUS = "".join(LEVEL.format(n=n) + (WHEN if n > 1 else "") for n in range(1, 6))


def read(tmp_path: Path, text: str) -> ScreenProgramme:
    path = tmp_path / "screens.toml"
    path.write_text(text, encoding="utf-8")
    return read_screens(path, NAMED)


def test_palembangs_file_names_only_panels_that_the_board_computes(city: City) -> None:
    named = {panel for each in city.screens.scenes.values() for panel in each.panels}
    assert len(city.screens.scenes) == 10
    assert named <= PANELS.keys()


def test_palembangs_status_has_five_levels_that_each_say_what_is_done(city: City) -> None:
    levels = city.screens.status.levels
    assert [each.number for each in levels] == [1, 2, 3, 4, 5]
    assert all(each.actions_id and each.actions_en for each in levels)


def test_a_pack_without_the_file_has_no_screens(tmp_path: Path) -> None:
    assert read_screens(tmp_path / "screens.toml", NAMED) == ScreenProgramme()


def test_the_good_file_is_read_in_full(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD + STATUS)
    assert [each.id for each in found.screens["dinding"].cells] == ["kiri", "kanan"]
    filters = found.playlists["siang"].turns[0].filters
    assert (filters.window, filters.measure) == (Window.SIX_HOURS, Measure.DENSITY)
    assert found.schedule[0].days == {0, 1}
    assert found.interrupts[0].regions == ("16.71.01",)
    assert found.status.level(3).when[0].rules == ("air_awas",)


MISTAKES = [
    ('scene = "kota"', 'scene = "pasar"', "playlists.siang.items.0.scene", "[scenes]"),
    ("dwell_s = 30", "dwell_s = 1", "playlists.siang.items.0.dwell_s", "greater than"),
    ('window = "6h"', 'window = "2h"', "playlists.siang.items.0.window", "'6h'"),
    ('measure = "density"', 'measure = "x"', "playlists.siang.items.0.measure", "'rate'"),
    ('opd = ["bpbd"]', 'opd = ["x"]', "playlists.siang.items.0.opd", "opd.toml"),
    ('category = ["banjir"]', 'category = ["x"]', "playlists.siang.items.0.category", "categor"),
    ("[scenes.bencana]", "[scenes.pasar]", "scenes.pasar", "no scene that can be drawn"),
    ('name = "Satu"', 'nama = "Satu"', "screens.satu.nama", "not a known key"),
    ("size = [1920, 1080]", "size = [1920]", "screens.satu.size.1", "missing"),
    (
        'playlist = "siang"\nnight',
        'playlist = "x"\nnight',
        "screens.satu.playlist",
        "[playlists]",
    ),
    ('playlist = "siang"\nnight', "night", "screens.satu", "either playlist"),
    (", column = 2", "", "screens.dinding.cells.1", "over another cell"),
    ('"21:30"', '"21.30"', "screens.satu.night.from", "no time of day"),
    ("brightness = 0.5", "brightness = 5", "screens.satu.night.brightness", "less than or equal"),
    ("columns = 2", "columns = 3", "screens.dinding.cells", "column 3, row 1 is in no cell"),
    ('id = "kanan"', 'id = "kiri"', "screens.dinding.cells.1.id", "another id"),
    ('"sen"', '"senin"', "schedule.0.days", "no day"),
    ('from = "22:00"', 'from = "22.00"', "schedule.0.from", "no time of day"),
    ('from = "22:00"', 'from = "24:00"', "schedule.0.from", "begins at 00:00"),
    ('to = "05:00"', 'to = "22:00"', "schedule.0.to", "00:00 to 24:00"),
    ('"dinding/kiri"', '"dinding/atas"', "schedule.0.screens", "no cell"),
    ('["satu", "dinding/kiri"]', '["tiga"]', "schedule.0.screens", "[screens]"),
    ("least_s = 30", "least_s = 301", "interrupt.0", "must not be more than most_s"),
    ('severity = "major"\nscene', 'severity = "huge"\nscene', "interrupt.0.severity", "'major'"),
    ('["air_awas"]\nkec', '["x"]\nkec', "interrupt.0.rules", "rules.toml"),
    ("[status.5]", "[status.6]", "status.6", "is no level"),
    ("[status.2]", "[status.1]", "", "TOML"),
    ('colour = "status-1"', 'colour = "#f00"', "status.1.colour", "pattern"),
    ('actions_en = ["One"]', 'actions_en = ["One", "Two"]', "status.1", "one by one"),
    (WHEN, "", "status.2.when", "nothing would ever call"),
    ("alarms = 1, sev", "sev", "status.2.when.0", "give alarms"),
]


@pytest.mark.parametrize(("old", "new", "key", "words"), MISTAKES, ids=[m[2] for m in MISTAKES])
def test_a_mistake_names_its_line_its_key_and_what_is_wrong(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    text = GOOD + STATUS
    assert old in text
    with pytest.raises(PackError) as caught:
        read(tmp_path, text.replace(old, new, 1))
    assert (caught.value.key, caught.value.line is not None) == (key, True)
    assert words in caught.value.problem


def test_a_playlist_that_nothing_plays_is_a_slip(tmp_path: Path) -> None:
    unused = '\n[[playlists.sore.items]]\nscene = "kota"\ndwell_s = 30\n'
    with pytest.raises(PackError, match="played by no screen"):
        read(tmp_path, GOOD + unused)


def test_each_screen_has_a_night_of_its_own_or_the_usual_one(tmp_path: Path) -> None:
    screens = read(tmp_path, GOOD + STATUS).screens
    assert screens["satu"].night == Night(start=time(21, 30), end=time(6), brightness=0.5)
    assert screens["dinding"].night == Night()
