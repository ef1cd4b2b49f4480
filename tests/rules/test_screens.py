"""Walls under watch: dark and frozen ones, and what says nothing of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lawang.city import City
from lawang.city.rules import check_screens
from lawang.domain.alarm import TransitionKind, Watch, WatchState
from lawang.domain.errors import PackError
from lawang.domain.rule import ScreenFault
from lawang.domain.screen import Beat, ScreenState
from lawang.rules.evaluate import evaluate
from lawang.rules.facts import Facts, Wall
from lawang.rules.judge import judge
from lawang.rules.panel import AlarmsPanel
from lawang.rules.replay import play, read_recording
from lawang.rules.watch import Touched, Warden
from lawang.store.history import History
from tests.rules.desk import NOW, PLACE, heard, minutes, rule

ANY = ScreenFault(states=(ScreenState.DARK, ScreenState.FROZEN))


def beat(at: datetime, **given: Any) -> Beat:
    return Beat(screen_id="utama", build="b1", scene="kota", seen_at=at, **given)


def told(
    seen: Beat | None,
    condition: ScreenFault = ANY,
    at: datetime = NOW,
    awake_since: datetime | None = None,
) -> list[bool | None]:
    facts = Facts(
        states=heard(at), awake_since=awake_since, walls=[Wall("utama", "Layar utama", seen)]
    )
    return [each.holds for each in judge(rule(condition), facts, PLACE, at)]


def test_a_wall_that_beats_is_well() -> None:
    assert told(beat(minutes(-0.2), fps=60.0, oldest_panel_s=2.0)) == [False]


def test_a_wall_that_is_silent_is_dark() -> None:
    assert told(beat(minutes(-1))) == [True]


@pytest.mark.parametrize("given", [{"fps": 0.0}, {"oldest_panel_s": 90.0}])
def test_a_wall_whose_picture_stands_still_is_frozen(given: dict[str, float]) -> None:
    assert told(beat(minutes(-0.1), **given)) == [True]
    only_dark = ScreenFault(states=(ScreenState.DARK,))
    assert told(beat(minutes(-0.1), **given), only_dark) == [False]


def test_a_wall_that_never_beat_raises_nothing() -> None:
    assert told(None) == []


def test_a_wall_that_is_not_named_is_not_watched() -> None:
    others = ScreenFault(states=(ScreenState.DARK,), screens=("dinding",))
    assert told(beat(minutes(-5)), others) == []


def test_silence_while_nobody_listened_is_not_darkness() -> None:
    silent = beat(minutes(-60))
    assert told(silent, awake_since=minutes(-0.2)) == [None]
    assert told(silent, awake_since=minutes(-2)) == [True]


def test_of_a_dark_wall_nobody_can_tell_whether_it_is_frozen() -> None:
    assert told(beat(minutes(-5)), ScreenFault(states=(ScreenState.FROZEN,))) == [None]


def test_a_wall_that_leaves_the_programme_ends_its_alarm() -> None:
    of = rule(ANY)
    open_one = Watch(
        rule=of.id, key="utama", state=WatchState.ACTIVE, since=minutes(-9), raised_at=minutes(-9)
    )
    facts = Facts(states=heard(NOW), walls=[])
    outcome = evaluate([of], facts, {(of.id, "utama"): open_one}, PLACE, NOW)
    assert [each.kind for each in outcome.transitions] == [TransitionKind.CLEARED]


def test_heartbeats_in_history_raise_the_packs_rule_and_end_it(
    city: City, sqlite_history: History
) -> None:
    screens = dict(city.screens.screens)
    warden = Warden(city, sqlite_history, screens=lambda: screens)
    sqlite_history.screens.note_beat(beat(NOW))
    meant = ["layar_gelap"]
    assert warden.take_turn(minutes(0.5), heard(NOW), meant) == 0
    assert warden.take_turn(minutes(1), heard(NOW), meant) == 0
    assert warden.take_turn(minutes(2), heard(NOW), meant) == 1
    (alarm,) = sqlite_history.alarms.open()
    entry = AlarmsPanel(city, sqlite_history)(minutes(2))["alarms"][str(alarm.id)]
    assert entry["subject"] == screens["utama"].name
    assert len(entry["steps_id"]) == len(entry["steps_en"]) == 2
    assert "p" not in entry
    sqlite_history.screens.note_beat(beat(minutes(3), fps=60.0))
    assert warden.take_turn(minutes(3.1), heard(NOW), meant) == 1
    assert sqlite_history.alarms.open() == []


def test_an_alarm_of_a_kecamatan_is_in_its_middle(city: City, sqlite_history: History) -> None:
    screens = city.screens.screens
    placed = replace(city.rules["layar_gelap"], region="16.71.01")
    here = replace(city, rules={"layar_gelap": placed})
    warden = Warden(here, sqlite_history, screens=lambda: screens)
    sqlite_history.screens.note_beat(beat(NOW))
    warden.take_turn(minutes(9), heard(NOW), ["layar_gelap"])
    (entry,) = AlarmsPanel(here, sqlite_history)(minutes(9))["alarms"].values()
    region = city.gazetteer.get("16.71.01")
    assert region is not None
    assert entry["p"] == [region.longitude, region.latitude]


def test_news_of_screens_touches_their_rules_alone(city: City) -> None:
    touched = Touched(city.rules.values())
    assert touched.by({"incidents": [], "source": None, "screens": True}) == {"layar_gelap"}


def test_recorded_heartbeats_play_the_rule(city: City, tmp_path: Path) -> None:
    file = tmp_path / "layar.jsonl"
    file.write_text(
        '{"rules": ["layar_gelap"]}\n'
        '{"at": "2026-11-21T10:00:00+07:00", "beat": {"screen": "utama", "fps": 60}}\n'
        '{"at": "2026-11-21T10:04:00+07:00", "tick": true}\n'
        '{"at": "2026-11-21T10:04:30+07:00", "beat": {"screen": "utama", "fps": 60}}\n'
    )
    kinds = [each.kind.value for each in play(city, read_recording(file))]
    assert kinds == ["pending", "raised", "cleared"]


def test_a_rule_about_a_screen_that_is_not_there_is_refused(city: City, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text('[rule.uji.when]\nkind = "screen"\nscreens = ["tiada"]\n')
    wrong = {"uji": rule(ScreenFault(states=(ScreenState.DARK,), screens=("tiada",)))}
    with pytest.raises(PackError, match="no screen 'tiada'") as caught:
        check_screens(file, wrong, city.screens.screens)
    assert caught.value.line == 3


def test_the_margin_of_the_packs_rule_is_more_than_a_page_being_loaded(city: City) -> None:
    assert timedelta(seconds=city.rules["layar_gelap"].for_s) >= timedelta(seconds=30)
