"""One watched thing through its states: pending, active, unknown, and back."""

from __future__ import annotations

from datetime import timedelta

from lawang.domain.alarm import TransitionKind, Watch, WatchState
from lawang.domain.health import SourceState
from tests.rules.desk import HIGH, NOW, SOURCE, advance, heard, kinds, minutes, rule

RAISED, CLEARED = TransitionKind.RAISED, TransitionKind.CLEARED
AT_ONCE = rule()
FIVE_MINUTES = rule(for_s=300)


def active() -> Watch:
    """Raised at NOW."""
    return advance(AT_ONCE, None, NOW, (0, 280)).watch


def test_a_reading_over_the_mark_raises_an_alarm_with_its_value_and_its_time() -> None:
    change = advance(AT_ONCE, None, minutes(1), (0, 280))
    assert kinds(change) == [RAISED]
    assert (change.watch.began_at, change.watch.raised_at) == (NOW, minutes(1))
    assert change.transitions[0].value == 280


def test_a_reading_at_the_mark_is_not_over_it() -> None:
    change = advance(AT_ONCE, None, NOW, (0, 270))
    assert (kinds(change), change.watch.state) == ([], WatchState.NORMAL)


def test_what_has_to_last_is_pending_until_it_has() -> None:
    first = advance(FIVE_MINUTES, None, NOW, (0, 280))
    assert kinds(first) == [TransitionKind.PENDING]
    second = advance(FIVE_MINUTES, first.watch, minutes(4.9), (0, 280), (4, 281))
    assert kinds(second) == []
    third = advance(FIVE_MINUTES, second.watch, minutes(5), (0, 280), (4, 281))
    assert kinds(third) == [RAISED]
    assert third.watch.began_at == NOW


def test_a_restart_in_the_middle_of_a_duration_does_not_begin_it_anew() -> None:
    kept = advance(FIVE_MINUTES, None, NOW, (0, 280)).watch
    # The readings of before are not in sight any more, only what was kept is.
    assert kinds(advance(FIVE_MINUTES, kept, minutes(5), (5, 280))) == [RAISED]


def test_a_dip_between_two_looks_begins_the_duration_anew() -> None:
    kept = advance(FIVE_MINUTES, None, NOW, (0, 280)).watch
    change = advance(FIVE_MINUTES, kept, minutes(6), (0, 280), (3, 260), (4, 280))
    assert (change.watch.state, change.watch.began_at) == (WatchState.PENDING, minutes(4))


def test_a_pending_one_that_is_over_lapses_without_an_alarm() -> None:
    kept = advance(FIVE_MINUTES, None, NOW, (0, 280)).watch
    change = advance(FIVE_MINUTES, kept, minutes(2), (0, 280), (2, 265))
    assert kinds(change) == [TransitionKind.LAPSED]
    assert change.watch.is_trivial


def test_flapping_about_the_mark_is_one_alarm() -> None:
    watch, seen = None, []
    for number, value in enumerate((280, 265, 275, 251, 271, 250, 265, 249)):
        change = advance(AT_ONCE, watch, minutes(number), (number, value))
        watch, seen = change.watch, [*seen, *kinds(change)]
    # 250 is where it clears; 265 after that is under the mark and raises nothing.
    assert seen == [RAISED, CLEARED]


def test_a_dead_source_turns_an_active_one_to_unknown_and_keeps_it_open() -> None:
    dead = heard(NOW - timedelta(hours=1))
    change = advance(AT_ONCE, active(), minutes(1), (0, 280), states=dead)
    assert kinds(change) == [TransitionKind.UNKNOWN]
    assert change.watch.raised_at == NOW
    assert change.watch.why == "not_heard"


def test_a_dead_source_turns_a_normal_one_to_unknown_too() -> None:
    dead = heard(NOW - timedelta(hours=1))
    change = advance(AT_ONCE, None, NOW, (0, 100), states=dead)
    assert kinds(change) == [TransitionKind.BLIND]
    assert change.watch.state is WatchState.UNKNOWN


def test_one_late_poll_does_not_make_it_unknown() -> None:
    late = {SOURCE: SourceState(source_id=SOURCE, last_success=minutes(-1), failures=1)}
    assert kinds(advance(AT_ONCE, None, NOW, (0, 100), states=late)) == []


def test_a_series_that_vanished_is_unknown_although_its_source_speaks() -> None:
    change = advance(AT_ONCE, active(), minutes(16), (0, 280))
    assert kinds(change) == [TransitionKind.UNKNOWN]
    assert change.watch.why == "vanished"


def test_an_unknown_one_that_is_still_bad_when_it_is_heard_again_goes_on() -> None:
    lost = advance(AT_ONCE, active(), minutes(16), (0, 280)).watch
    change = advance(AT_ONCE, lost, minutes(17), (17, 260))
    assert kinds(change) == [TransitionKind.KNOWN]
    assert change.watch.raised_at == NOW


def test_an_unknown_one_that_is_well_when_it_is_heard_again_clears() -> None:
    lost = advance(AT_ONCE, active(), minutes(16), (0, 280)).watch
    assert kinds(advance(AT_ONCE, lost, minutes(17), (17, 200))) == [CLEARED]


def test_what_was_pending_when_it_was_lost_begins_anew() -> None:
    kept = advance(FIVE_MINUTES, None, NOW, (0, 280)).watch
    lost = advance(FIVE_MINUTES, kept, minutes(16), (0, 280)).watch
    change = advance(FIVE_MINUTES, lost, minutes(17), (17, 280))
    assert (change.watch.state, change.watch.began_at) == (WatchState.PENDING, minutes(17))


def test_a_late_reading_of_the_past_does_not_raise_what_is_over() -> None:
    # It came after the newest one, and is about a time before it.
    assert kinds(advance(AT_ONCE, None, minutes(5), (1, 900), (4, 200))) == []


def test_a_corrected_reading_is_judged_anew() -> None:
    assert kinds(advance(AT_ONCE, active(), minutes(1), (0, 240))) == [CLEARED]


def test_what_a_person_resolved_stays_quiet_until_its_facts_change() -> None:
    resolved = Watch(
        rule="uji", key="pengukur_air/tinggi_air/a", state=WatchState.NORMAL, since=NOW,
        quieted=advance(AT_ONCE, None, NOW, (0, 280)).judgement.mark,
    )  # fmt: skip
    same = advance(AT_ONCE, resolved, minutes(1), (0, 280))
    assert (kinds(same), same.watch.quieted) == ([], resolved.quieted)
    assert kinds(advance(AT_ONCE, same.watch, minutes(2), (2, 281))) == [RAISED]


def test_a_mark_below_works_the_other_way_round() -> None:
    low = rule(type(HIGH)(series=HIGH.series, under=10, clears_at=20))
    raised = advance(low, None, NOW, (0, 9))
    assert kinds(raised) == [RAISED]
    between = advance(low, raised.watch, minutes(1), (1, 15))
    assert kinds(between) == []
    assert kinds(advance(low, between.watch, minutes(2), (2, 20))) == [CLEARED]
