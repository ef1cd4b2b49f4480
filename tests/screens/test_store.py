"""Heartbeats, commands, keys and the status in history, on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select

from lawang.domain.alarm import AlarmSeverity
from lawang.domain.screen import (
    DARK_AFTER,
    FROZEN_AFTER,
    Beat,
    Command,
    CommandKind,
    Filters,
    Measure,
    ScreenState,
    Window,
    judge_screen,
)
from lawang.domain.status import Condition, StatusFacts, StatusRules
from lawang.screens.standing import StatusKeeper
from lawang.store import schema
from lawang.store.history import History
from tests.conftest import HeldClock
from tests.screens.test_status import level
from tests.screens.values import MONDAY, alarm

S = timedelta(seconds=1)
BEAT = Beat(screen_id="satu", build="b1", scene="kota", seen_at=MONDAY, oldest_panel_s=2, fps=60)


def command(kind: CommandKind, **given: Any) -> Command:
    values: dict[str, Any] = {
        "id": 0,
        "screen_id": "satu",
        "by": "Sari",
        "made_at": MONDAY,
        "expires_at": MONDAY + 120 * S,
        **given,
    }
    return Command(kind=kind, **values)


def scene(until_s: int = 600, **given: Any) -> Command:
    until = MONDAY + until_s * S
    return command(CommandKind.SCENE, scene="kota", until=until, expires_at=until, **given)


# --- heartbeats ----------------------------------------------------------------------------------


def test_the_last_heartbeat_of_each_screen_is_kept(history: History) -> None:
    later = replace(BEAT, seen_at=MONDAY + S, heap_bytes=2**40, last_error="<b>", skew_s=-3600.5)
    for each in (BEAT, later, replace(BEAT, screen_id="dua")):
        history.screens.note_beat(each)
    assert history.screens.beats() == {"satu": later, "dua": replace(BEAT, screen_id="dua")}


@pytest.mark.parametrize(
    ("changes", "after", "state"),
    [
        ({}, 0 * S, ScreenState.ALIVE),
        ({}, DARK_AFTER, ScreenState.ALIVE),
        ({}, DARK_AFTER + S, ScreenState.DARK),
        ({"fps": 0}, 0 * S, ScreenState.FROZEN),
        ({"fps": None, "oldest_panel_s": None}, 0 * S, ScreenState.ALIVE),
        ({"oldest_panel_s": FROZEN_AFTER.total_seconds()}, S, ScreenState.FROZEN),
        ({"build": "b0"}, 0 * S, ScreenState.OLD_BUILD),
        ({"build": "b0", "fps": 0}, 0 * S, ScreenState.FROZEN),
    ],
)
def test_what_a_heartbeat_amounts_to(
    changes: dict[str, Any], after: timedelta, state: ScreenState
) -> None:
    assert judge_screen(replace(BEAT, **changes), "b1", MONDAY + after) is state


def test_a_screen_that_was_never_heard_is_not_called_dark() -> None:
    assert judge_screen(None, "b1", MONDAY) is ScreenState.NEVER


# --- commands ------------------------------------------------------------------------------------


def test_a_command_is_taken_once_and_only_by_its_screen(history: History) -> None:
    told = history.screens.tell(command(CommandKind.RELOAD))
    assert history.screens.count_waiting(MONDAY) == {"satu": 1}
    assert history.screens.take("dua", MONDAY + S) == []
    assert history.screens.take("satu", MONDAY + S) == [replace(told, taken_at=MONDAY + S)]
    assert history.screens.take("satu", MONDAY + 2 * S) == []


def test_two_who_take_at_once_do_not_both_get_it(history: History) -> None:
    for _ in range(5):
        history.screens.tell(command(CommandKind.IDENTIFY))
    got: list[Command] = []
    ready = Barrier(4)

    def take() -> None:
        ready.wait()
        got.extend(history.screens.take("satu", MONDAY + S))

    threads = [Thread(target=take) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(each.id for each in got) == [1, 2, 3, 4, 5]


def test_a_command_that_nobody_took_in_time_is_not_done_any_more(history: History) -> None:
    history.screens.tell(command(CommandKind.RELOAD))
    assert history.screens.take("satu", MONDAY + 120 * S) == []
    assert len(history.screens.commands("satu")) == 1


def test_a_scene_by_hand_keeps_its_filters_and_its_end(history: History) -> None:
    filters = Filters(kecamatan=("16.71.06",), window=Window.HOUR, measure=Measure.RATE)
    told = history.screens.tell(scene(filters=filters))
    assert history.screens.lasting(CommandKind.SCENE, MONDAY) == {"satu": told}
    assert told.filters == filters
    assert history.screens.lasting(CommandKind.SCENE, MONDAY + 600 * S) == {}


@pytest.mark.parametrize("kind", [CommandKind.RESUME, CommandKind.SCENE])
def test_a_later_word_ends_the_scene_before_it(history: History, kind: CommandKind) -> None:
    history.screens.tell(scene())
    at = MONDAY + 10 * S
    later = scene() if kind is CommandKind.SCENE else command(kind)
    told = history.screens.tell(replace(later, made_at=at))
    lasting = history.screens.lasting(CommandKind.SCENE, at)
    assert lasting == ({"satu": told} if kind is CommandKind.SCENE else {})


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_opens_until_it_is_revoked(history: History) -> None:
    token, key = history.screens.make_token("Ruang", "Sari", MONDAY, "satu")
    found = history.screens.find_token(key, MONDAY + S)
    assert found is not None
    assert (found.id, found.screen_id) == (token.id, "satu")
    assert history.screens.revoke_token(token.id, MONDAY + 2 * S)
    assert history.screens.find_token(key, MONDAY + 3 * S) is None
    assert not history.screens.revoke_token(token.id, MONDAY + 4 * S)


def test_only_the_digest_of_a_key_is_stored(history: History) -> None:
    _token, key = history.screens.make_token("Ruang", "Sari", MONDAY)
    with history.database.reading() as connection:
        (row,) = connection.execute(select(schema.screen_token)).all()
    assert key not in repr(row)
    assert len(row.digest) == 64


@pytest.mark.parametrize("key", ["", "lawang-layar-", "ü\udcff", "x" * 10_000])
def test_what_is_no_key_opens_nothing(history: History, key: str) -> None:
    history.screens.make_token("Ruang", "Sari", MONDAY)
    assert history.screens.find_token(key, MONDAY) is None


def test_a_key_notes_its_last_use_to_the_minute(history: History) -> None:
    _token, key = history.screens.make_token("Ruang", "Sari", MONDAY)
    for second in (1, 30, 70):
        history.screens.find_token(key, MONDAY + second * S)
    assert history.screens.tokens()[0].last_used == MONDAY + 70 * S


# --- the status ----------------------------------------------------------------------------------

RULES = StatusRules(
    levels=(
        level(1),
        level(2, Condition(alarms=1)),
        level(3, Condition(alarms=1, severity=AlarmSeverity.MAJOR)),
    )
)
CALM = StatusFacts(alarms=[], sources_down=0, score=1)
SEVERE = replace(CALM, alarms=[alarm(MONDAY)])


class Centre:
    """A keeper over history, with facts and a clock that a test sets."""

    def __init__(self, history: History) -> None:
        self.store = history.screens
        self.facts = CALM
        self.clock = HeldClock(MONDAY)
        self.keeper = self.another()

    def another(self) -> StatusKeeper:
        return StatusKeeper(self.store, lambda: RULES, lambda _at: self.facts, self.clock)

    def pass_s(self, seconds: float) -> None:
        self.clock.forward(seconds=seconds)


@pytest.fixture
def centre(history: History) -> Centre:
    return Centre(history)


def log_of(centre: Centre) -> list[tuple[int, int | None, str]]:
    return [(each.level, each.before, each.by) for each in centre.store.status_log()]


def test_every_change_is_in_the_log_once(centre: Centre) -> None:
    centre.keeper.turn()
    centre.facts = SEVERE
    for keeper in (centre.keeper, centre.another(), centre.keeper):
        assert keeper.turn().level == 3
    assert log_of(centre) == [(3, 1, ""), (1, None, "")]
    assert "1 alarms of at least major" in centre.store.status_log(1)[0].reason


def test_the_hold_outlives_a_restart(centre: Centre) -> None:
    centre.facts = SEVERE
    centre.keeper.turn()
    centre.facts = CALM
    centre.pass_s(60)
    centre.keeper.turn()
    centre.pass_s(599)
    assert centre.another().turn().level == 3
    centre.pass_s(1)
    assert centre.another().turn().level == 1


def test_a_person_raises_the_status_with_a_name_a_reason_and_an_end(centre: Centre) -> None:
    until = MONDAY + 3600 * S
    status = centre.keeper.set_by_hand(3, "Sari", "pawai besar", until)
    assert (status.level, status.computed.level) == (3, 1)
    line = centre.store.status_log(1)[0]
    assert (line.by, line.reason, line.until) == ("Sari", "pawai besar", until)
    assert centre.another().turn().override == status.override


def test_at_its_end_the_status_is_the_rules_again_and_the_log_says_so(centre: Centre) -> None:
    centre.keeper.set_by_hand(3, "Sari", "pawai besar", MONDAY + 3600 * S)
    centre.pass_s(3600)
    assert centre.keeper.turn().level == 1
    assert log_of(centre)[0] == (1, 3, "")
    assert centre.store.status().override is None


def test_a_person_gives_the_status_back_before_its_end(centre: Centre) -> None:
    centre.keeper.set_by_hand(3, "Sari", "pawai besar", MONDAY + 3600 * S)
    assert centre.keeper.end_by_hand("Budi", "selesai").level == 1
    assert log_of(centre)[0] == (1, 3, "Budi")


def test_a_level_that_the_pack_does_not_have_cannot_be_set(centre: Centre) -> None:
    with pytest.raises(ValueError, match="no level 4"):
        centre.keeper.set_by_hand(4, "Sari", "uji", MONDAY + S)


def test_a_state_worked_out_from_an_old_one_is_not_written(centre: Centre) -> None:
    centre.keeper.turn()
    row = centre.store.status()
    assert centre.store.save_status(row)
    assert not centre.store.save_status(row)
