"""How far a source can be trusted, from what is known of its polls and the time."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawang.domain.health import (
    WORST_FIRST,
    Cadence,
    Health,
    SourceState,
    health,
    state_from_plain,
    state_to_plain,
    worst,
)

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
#: Late after 120 s, stale after 240 s, down after 720 s.
CADENCE = Cadence.of(60)


def heard(age_s: float, **known: Any) -> SourceState:
    """A source whose last success is `age_s` old."""
    return SourceState(source_id="elapor", last_success=NOW - timedelta(seconds=age_s), **known)


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (0, Health.FRESH),
        (60, Health.FRESH),
        (120, Health.FRESH),
        (120.001, Health.LATE),
        (240, Health.LATE),
        (240.001, Health.STALE),
        (720, Health.STALE),
        (720.001, Health.DOWN),
        (10**8, Health.DOWN),
    ],
)
def test_age_alone_decides_while_nothing_failed(age_s: float, expected: Health) -> None:
    assert health(heard(age_s), CADENCE, NOW) is expected


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(0, Health.LATE), (120, Health.LATE), (300, Health.STALE), (1000, Health.DOWN)],
)
def test_a_failed_attempt_is_late_at_least(age_s: float, expected: Health) -> None:
    assert health(heard(age_s, failures=1), CADENCE, NOW) is expected


def test_a_success_ahead_of_our_clock_is_fresh() -> None:
    assert health(heard(-30), CADENCE, NOW) is Health.FRESH


def test_a_source_never_polled_was_never_heard() -> None:
    assert health(SourceState(source_id="elapor"), CADENCE, NOW) is Health.NEVER


def test_a_source_that_only_failed_was_never_heard() -> None:
    state = SourceState(source_id="elapor", failures=90, last_attempt=NOW)
    assert health(state, CADENCE, NOW) is Health.NEVER


@pytest.mark.parametrize("state", [heard(0, refused=True), heard(9999, refused=True, failures=3)])
def test_a_source_that_wants_a_person_says_so_at_any_age(state: SourceState) -> None:
    assert health(state, CADENCE, NOW) is Health.REFUSED


def test_a_source_that_refused_from_the_start_wants_a_person() -> None:
    state = SourceState(source_id="elapor", failures=1, refused=True)
    assert health(state, CADENCE, NOW) is Health.REFUSED


@given(st.floats(0, 10**7), st.floats(0, 10**7), st.integers(0, 3))
def test_silence_never_makes_a_source_better(one: float, other: float, failures: int) -> None:
    younger, older = sorted((one, other))
    ranks = [
        WORST_FIRST.index(health(heard(age, failures=failures), CADENCE, NOW))
        for age in (older, younger)
    ]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("every_s", [5, 60, 86_400])
def test_thresholds_follow_the_cadence_in_order(every_s: float) -> None:
    cadence = Cadence.of(every_s)
    steps = (cadence.every_s, cadence.late_after_s, cadence.stale_after_s, cadence.down_after_s)
    assert all(one < other for one, other in pairwise(steps))
    assert cadence.down_after_s == 12 * every_s


def test_every_health_has_its_rank() -> None:
    assert set(WORST_FIRST) == set(Health)
    assert len(WORST_FIRST) == len(Health)


@given(st.lists(st.sampled_from(Health), min_size=1))
def test_several_are_as_bad_as_the_worst_of_them(found: list[Health]) -> None:
    assert WORST_FIRST.index(worst(found)) == min(map(WORST_FIRST.index, found))


def test_of_no_source_nothing_was_ever_heard() -> None:
    assert worst([]) is Health.NEVER


def test_a_state_with_everything_in_it_survives_the_way_through_json() -> None:
    values: dict[str, Any] = {
        "source_id": "elapor",
        "error_kind": "timeout",
        "error_detail": "10 s",
        "refused": True,
        "simulated": True,
        "duration_ms": 12.5,
    }
    for number, name in enumerate(("last_attempt", "last_success", "observed_at", "failing_since")):
        values[name] = NOW + timedelta(microseconds=number + 1)
    for number, each in enumerate(fields(SourceState), 1):
        values.setdefault(each.name, number)
    state = SourceState(**values)
    assert state_from_plain(json.loads(json.dumps(state_to_plain(state)))) == state


def test_an_empty_state_survives_the_way_through_json() -> None:
    state = SourceState(source_id="elapor")
    assert state_from_plain(json.loads(json.dumps(state_to_plain(state)))) == state


def test_a_state_written_by_another_version_is_read_as_far_as_it_is_known() -> None:
    plain = {"source_id": "elapor", "failures": 2, "mood": "bad"}
    assert state_from_plain(plain) == SourceState(source_id="elapor", failures=2)
