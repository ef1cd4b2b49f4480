"""The city's status: what calls for a level, how it falls, and a person's word."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawang.domain.alarm import Alarm, AlarmSeverity, AlarmState
from lawang.domain.status import (
    Call,
    Computed,
    Condition,
    Level,
    Override,
    ReasonKind,
    StatusFacts,
    StatusRules,
    call_for,
    decide,
    see,
    step,
)
from tests.screens.values import MONDAY, alarm

M = timedelta(minutes=1)


def level(number: int, *when: Condition) -> Level:
    return Level(
        number=number,
        word_id="Kata",
        word_en="Word",
        colour=f"status-{number}",
        actions_id=("Satu",),
        actions_en=("One",),
        when=when,
        hold=10 * M,
    )


RULES = StatusRules(
    levels=(
        level(1),
        level(2, Condition(alarms=1), Condition(sources_down=3)),
        level(3, Condition(alarms=2, severity=AlarmSeverity.MAJOR)),
        level(4, Condition(alarms=1, severity=AlarmSeverity.CRITICAL, categories=("banjir",))),
        level(5, Condition(alarms=1, severity=AlarmSeverity.CRITICAL, score_below=0.5)),
    )
)


def facts(*severities: str, down: int | None = 0, score: float | None = 1.0) -> StatusFacts:
    alarms = [
        alarm(MONDAY, id=str(n), severity=AlarmSeverity(each)) for n, each in enumerate(severities)
    ]
    return StatusFacts(alarms=alarms, sources_down=down, score=score)


@pytest.mark.parametrize(
    ("found", "called"),
    [
        (facts(), 1),
        (facts("info"), 2),
        (facts(down=2), 1),
        (facts(down=3), 2),
        (facts("major"), 2),
        (facts("major", "critical"), 3),
        (facts("critical", score=0.5), 2),
        (facts("critical", score=0.4), 5),
    ],
)
def test_the_highest_level_that_is_called_for_is_taken(found: StatusFacts, called: int) -> None:
    assert call_for(RULES, found).level == called


def test_a_condition_may_ask_for_a_category() -> None:
    flood = alarm(MONDAY, severity=AlarmSeverity.CRITICAL, categories=("banjir",))
    assert call_for(RULES, StatusFacts(alarms=[flood], sources_down=0, score=1)).level == 4


def test_the_reasons_name_the_alarms_and_what_it_takes() -> None:
    (reason,) = call_for(RULES, facts("major", "major")).reasons
    assert (reason.kind, reason.alarms) == (ReasonKind.ALARMS, ("0", "1"))
    assert (reason.found, reason.needed) == (2, 2)


def test_what_cannot_be_told_calls_for_nothing_and_is_said() -> None:
    call = call_for(RULES, StatusFacts())
    assert (call.level, set(call.unknown)) == (1, set(ReasonKind))


def test_an_alarm_that_is_shelved_or_over_does_not_count() -> None:
    closed = alarm(MONDAY, is_open=False)
    assert call_for(RULES, StatusFacts(alarms=[closed], sources_down=0, score=1)).level == 1


def test_the_status_rises_at_once() -> None:
    before = Computed(level=2, since=MONDAY)
    assert step(before, Call(level=4), MONDAY + M, RULES) == Computed(level=4, since=MONDAY + M)


def test_it_falls_only_after_nothing_called_for_it_for_its_hold() -> None:
    held = step(Computed(level=4, since=MONDAY), Call(level=1), MONDAY + M, RULES)
    assert held.level == 4
    assert step(held, Call(level=1), MONDAY + 10.9 * M, RULES).level == 4
    assert step(held, Call(level=1), MONDAY + 11 * M, RULES) == Computed(
        level=1, since=MONDAY + 11 * M
    )


def test_it_falls_to_the_highest_that_was_called_for_meanwhile() -> None:
    state = Computed(level=4, since=MONDAY)
    for minute, called in ((1, 2), (5, 3), (8, 1)):
        state = step(state, Call(level=called), MONDAY + minute * M, RULES)
    assert step(state, Call(level=1), MONDAY + 12 * M, RULES).level == 3


def test_a_call_in_between_begins_the_hold_anew() -> None:
    state = Computed(level=4, since=MONDAY)
    for minute, called in ((1, 1), (9, 4), (10, 1)):
        state = step(state, Call(level=called), MONDAY + minute * M, RULES)
    assert step(state, Call(level=1), MONDAY + 12 * M, RULES).level == 4


def test_silence_lowers_nothing() -> None:
    unheard = Call(level=1, unknown=(ReasonKind.ALARMS,))
    state = Computed(level=4, since=MONDAY)
    for minute in range(60):
        state = step(state, unheard, MONDAY + minute * M, RULES)
    assert state.level == 4


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 400)), min_size=1, max_size=40))
def test_it_is_never_below_what_is_called_for_and_never_flaps(
    calls: list[tuple[int, int]],
) -> None:
    now, state, fallen_from = MONDAY, None, None
    for called, seconds in calls:
        now += timedelta(seconds=seconds)
        before, state = state, step(state, Call(level=called), now, RULES)
        assert state.level >= called
        if before is not None and state.level < before.level:
            # Between two falls lies a whole hold.
            assert fallen_from is None or now - fallen_from >= 10 * M
            assert now - before.since >= 10 * M
            fallen_from = now


def override(level: int, computed: int) -> Override:
    return Override(
        level=level, computed=computed, by="Sari", reason="uji", since=MONDAY, until=MONDAY + 60 * M
    )


@pytest.mark.parametrize(
    ("level", "then", "now", "shown"),
    [
        (3, 1, 1, 3),  # raised
        (3, 1, 4, 4),  # raised, and worse came
        (1, 3, 3, 1),  # lowered
        (1, 3, 2, 1),
        (1, 3, 4, 4),  # lowered, and worse came
    ],
)
def test_a_persons_word_holds_unless_something_worse_comes(
    level: int, then: int, now: int, shown: int
) -> None:
    computed = Computed(level=now, since=MONDAY)
    found = decide(computed, Call(level=now), override(level, then), MONDAY + M)
    assert found.level == shown


def test_a_persons_word_ends_at_its_time() -> None:
    computed = Computed(level=1, since=MONDAY)
    word = override(3, 1)
    assert decide(computed, Call(level=1), word, word.until - M).override == word
    assert decide(computed, Call(level=1), word, word.until).override is None


def made(**given: object) -> Alarm:
    values: dict[str, Any] = {
        **dict.fromkeys(each.name for each in fields(Alarm)),
        "id": 7,
        "rule": "air_awas",
        "region": "16.71.01",
        "state": AlarmState.ACTIVE,
        "severity": AlarmSeverity.CRITICAL,
        "active_at": MONDAY,
        **given,
    }
    return Alarm(**values)


def test_an_alarm_calls_until_it_is_over_or_acknowledged() -> None:
    now = MONDAY + 9 * M
    assert see(made(), (), False, now).ended_at is None
    acked = see(made(acked_at=MONDAY + M, ended_at=MONDAY + 5 * M), (), False, now)
    assert acked.ended_at == MONDAY + M


@pytest.mark.parametrize(
    ("changes", "is_open"),
    [
        ({}, True),
        ({"acked_at": MONDAY}, True),
        ({"state": AlarmState.UNKNOWN}, True),
        ({"state": AlarmState.CLEARED}, False),
        ({"shelved_until": MONDAY + 60 * M}, False),
        ({"shelved_until": MONDAY + M}, True),
    ],
)
def test_an_alarm_counts_until_it_is_over_or_shelved(
    changes: dict[str, object], is_open: bool
) -> None:
    assert see(made(**changes), (), False, MONDAY + 9 * M).is_open is is_open
