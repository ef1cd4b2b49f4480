"""Each kind of rule by answers that were reckoned by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from lawang.domain.alarm import Judgement, TransitionKind, Watch, WatchState
from lawang.domain.alert import Severity
from lawang.domain.health import SourceState
from lawang.domain.rule import (
    Absence,
    CapWarning,
    Combination,
    Rate,
    Silence,
    Surge,
)
from lawang.rules.evaluate import evaluate
from lawang.rules.facts import Ended, Facts, Report, Reports
from lawang.rules.judge import judge, judge_combination, poisson_tail, usual
from tests.rules.desk import (
    KEY,
    LEVEL,
    NOW,
    PLACE,
    SOURCE,
    facts,
    heard,
    levels,
    minutes,
    rule,
)
from tests.store.facts import alert

WIB = ZoneInfo("Asia/Jakarta")
RISE = Rate(series=LEVEL, within_s=3600, adds_up=False, rises=30, clears_at=15)
TOTAL = replace(RISE, adds_up=True, rises=10, clears_at=5)
SURGE = Surge(
    categories=("banjir",), sources=("elapor",), by_kecamatan=True, within_s=3600, weeks=4,
    least=3, p=0.001, least_weeks=2,
)  # fmt: skip


def only(condition: Rate | Absence, now: datetime, *values: tuple[float, float]) -> Judgement:
    (found,) = judge(rule(condition), facts(now, levels(*values)), PLACE, now)
    return found


# --- rates ---------------------------------------------------------------------------------------


def test_a_rise_is_counted_from_the_lowest_reading_of_the_window() -> None:
    found = only(RISE, NOW, (-70, 10), (-50, 120), (-30, 100), (0, 131))
    assert (found.value, found.holds) == (31, True)


def test_a_fall_is_counted_from_the_highest() -> None:
    fall = replace(RISE, rises=None, falls=30)
    assert only(fall, NOW, (-30, 100), (-10, 120), (0, 95)).value == 25


def test_a_total_that_begins_anew_at_midnight_is_no_fall() -> None:
    # 18 to 24 are 6, then the reset, then 5 more.
    found = only(TOTAL, NOW, (-40, 18), (-20, 24), (0, 5))
    assert (found.value, found.holds) == (11, True)


def test_one_reading_alone_tells_of_no_change() -> None:
    found = only(RISE, NOW, (-90, 10), (0, 500))
    assert (found.holds, found.why) == (None, "too_little")


# --- silence -------------------------------------------------------------------------------------

SILENT = Absence(silent_s=900, sources=("elapor",))


def silence(age_min: float, awake_min: float | None = None) -> Judgement:
    awake = None if awake_min is None else NOW - timedelta(minutes=awake_min)
    known = Facts(states=heard(minutes(-age_min), "elapor"), awake_since=awake)
    (found,) = judge(rule(SILENT), known, PLACE, NOW)
    return found


@pytest.mark.parametrize(("age_min", "holds"), [(14, False), (15, False), (16, True)])
def test_a_source_is_silent_after_its_time(age_min: float, holds: bool) -> None:
    assert silence(age_min).holds is holds


def test_silence_while_nobody_polled_is_not_the_sources() -> None:
    assert silence(60, awake_min=5).holds is None
    assert silence(60, awake_min=16).holds is True


def test_a_source_that_was_never_tried_is_not_called_silent() -> None:
    (found,) = judge(rule(SILENT), Facts(states={}), PLACE, NOW)
    assert found.holds is None


def test_each_subject_of_a_measure_is_listened_for_by_itself() -> None:
    condition = Absence(silent_s=900, series=LEVEL)
    known = facts(NOW, levels((-20, 1)), levels((-1, 1), subject="b"))
    found = judge(rule(condition), known, PLACE, NOW)
    assert [(each.subject, each.holds, each.value) for each in found] == [
        ("a", True, 20),
        ("b", False, 1),
    ]


def test_a_share_of_sources_is_reckoned_of_those_that_were_ever_tried() -> None:
    many = Absence(silent_s=900, sources=("a", "b", "c"), share=0.5)
    states = {
        "a": SourceState(source_id="a", last_success=minutes(-60)),
        "b": SourceState(source_id="b", last_success=minutes(-1)),
    }
    (found,) = judge(rule(many), Facts(states=states), PLACE, NOW)
    assert (found.holds, found.value) == (True, 1)


# --- surges --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "mean", "tail"),
    [
        (0, 2.0, 1.0),
        (1, 2.0, 1 - math.exp(-2)),
        (3, 2.0, 1 - math.exp(-2) * (1 + 2 + 2)),
        # 1 - e^-0.3125 (1 + 0.3125 + 0.048828125): by hand 0.0040..., too likely for 0.001.
        (3, 0.3125, 0.00404),
        (4, 0.3125, 0.000310),
        (30, 1.0, 1.42e-33),
    ],
)
def test_tails_of_poisson_variables(count: int, mean: float, tail: float) -> None:
    assert poisson_tail(count, mean) == pytest.approx(tail, rel=0.01)


def test_the_usual_number_of_a_window_is_never_nought() -> None:
    assert usual(0, 8) == 0.0625
    assert usual(2, 8) == 0.3125


def surge(
    here: int, before: int = 0, first_weeks: float = 9, **changes: object
) -> dict[str, Judgement]:
    """`here` reports in the last hour in 16.71.01, `before` in each of the four weeks before."""
    items = [Report(minutes(-n), "16.71.01") for n in range(here)]
    items += [
        Report(minutes(-n) - timedelta(weeks=week), "16.71.01")
        for week in range(1, 5)
        for n in range(before)
    ]
    # The same number at another hour of those days is not the usual of this one.
    items += [Report(minutes(-120) - timedelta(weeks=1), "16.71.01") for _ in range(50)]
    known = Facts(
        states=changes.get("states", heard(NOW, "elapor")),  # type: ignore[arg-type]
        reports={"uji": Reports(items=tuple(items), first=NOW - timedelta(weeks=first_weeks))},
    )
    return {each.key: each for each in judge(rule(SURGE), known, PLACE, NOW)}


def test_a_surge_is_told_by_kecamatan() -> None:
    # Usual: (0 + 1/2) / 4 = 0.125; three of those happen with 0.0003.
    found = surge(3)
    assert (found["16.71.01"].holds, found["16.71.02"].holds) == (True, False)


def test_fewer_than_the_least_are_no_surge_however_unlikely() -> None:
    assert surge(2)["16.71.01"].holds is False


def test_what_is_usual_at_that_hour_of_the_week_is_no_surge() -> None:
    # Usual: (8 + 1/2) / 4 = 2.125; four happen with 0.17.
    assert surge(4, before=2)["16.71.01"].holds is False


def test_without_enough_weeks_nobody_can_tell_of_a_surge() -> None:
    found = surge(9, first_weeks=1.5)["16.71.01"]
    assert (found.holds, found.why) == (None, "too_little")


def test_a_dead_source_hides_the_lack_of_a_surge_but_not_a_surge() -> None:
    dead = heard(minutes(-60), "elapor")
    assert surge(1, states=dead)["16.71.01"].holds is None
    assert surge(3, states=dead)["16.71.01"].holds is True


# --- warnings of others --------------------------------------------------------------------------


def warned(*warnings: object, now: datetime = NOW, **states: object) -> Judgement:
    condition = CapWarning(sources=("elapor",), least=Severity.SEVERE)
    known = Facts(states=states.get("states", heard(now, "elapor")), warnings=warnings)  # type: ignore[arg-type]
    (found,) = judge(rule(condition), known, PLACE, now)
    return found


def test_only_warnings_that_are_severe_enough_and_touch_the_city_count() -> None:
    severe = replace(
        alert("w1"), source_id="elapor", severity=Severity.SEVERE, touches_city=True,
        expires_at=minutes(60), sent_at=minutes(-5), regions=("16.71.01",), ended_at=None,
    )  # fmt: skip
    others = (
        replace(severe, id="w2", severity=Severity.MODERATE),
        replace(severe, id="w3", touches_city=False),
        replace(severe, id="w4", expires_at=minutes(-1)),
        replace(severe, id="w5", severity=Severity.UNKNOWN),
    )
    found = warned(severe, *others)
    assert (found.holds, found.value, found.region) == (True, 1, "16.71.01")
    assert warned(*others).holds is False
    # In force is in force, although its source is dead now; that there is none cannot be told.
    dead = heard(minutes(-60), "elapor")
    assert warned(severe, states=dead).holds is True
    assert warned(*others, states=dead).holds is None


# --- combinations --------------------------------------------------------------------------------

BOTH = rule(
    Combination(rules=("hujan", "air"), least=2, within_s=3600, same_region=True), id="banjir"
)


def standing(name: str, region: str, state: WatchState = WatchState.ACTIVE) -> Watch:
    raised = NOW if state is WatchState.ACTIVE else None
    return Watch(rule=name, key=name, state=state, since=NOW, region=region, raised_at=raised)


def combined(*watches: Watch, ended: tuple[Ended, ...] = ()) -> dict[str, bool | None]:
    found = judge_combination(BOTH, watches, ended, PLACE, minutes(10))
    return {each.key: each.holds for each in found}


def test_a_combination_needs_its_members_in_one_region() -> None:
    apart = combined(standing("hujan", "16.71.01"), standing("air", "16.71.02"))
    assert apart == {"16.71.01": False, "16.71.02": False}
    together = combined(standing("hujan", "16.71.01"), standing("air", "16.71.01"))
    assert together == {"16.71.01": True, "16.71.02": False}


def test_a_member_that_means_the_whole_city_counts_in_each_region() -> None:
    found = combined(standing("hujan", ""), standing("air", "16.71.02"))
    assert found == {"16.71.01": False, "16.71.02": True}


def test_a_member_that_ended_within_the_window_still_counts() -> None:
    air = standing("air", "16.71.01")
    assert combined(air, ended=(Ended("hujan", "16.71.01", minutes(-49)),))["16.71.01"] is True
    assert combined(air, ended=(Ended("hujan", "16.71.01", minutes(-51)),))["16.71.01"] is False


def test_a_member_that_nobody_can_tell_of_makes_the_combination_unknown() -> None:
    unknown = standing("hujan", "16.71.01", WatchState.UNKNOWN)
    assert combined(standing("air", "16.71.01"), unknown)["16.71.01"] is None


def test_a_combination_follows_in_the_same_evaluation_as_its_members() -> None:
    high = rule(id="air")
    one = rule(
        Combination(rules=("air",), least=1, within_s=3600, same_region=False), id="gabungan"
    )
    outcome = evaluate([one, high], facts(NOW, levels((0, 280))), {}, PLACE, NOW)
    assert [(each.rule, each.kind) for each in outcome.transitions] == [
        ("air", TransitionKind.RAISED),
        ("gabungan", TransitionKind.RAISED),
    ]


# --- faults, and what is gone --------------------------------------------------------------------


def test_a_rule_that_stumbles_stops_no_other() -> None:
    broken = rule(SURGE, id="rusak")  # nobody gathered its reports
    outcome = evaluate([broken, rule()], facts(NOW, levels((0, 280))), {}, PLACE, NOW)
    assert list(outcome.faults) == ["rusak"]
    assert [each.rule for each in outcome.transitions] == ["uji"]


def test_an_open_alarm_whose_series_is_not_there_any_more_stays_open_as_unknown() -> None:
    watch = Watch(rule="uji", key=KEY, state=WatchState.ACTIVE, since=NOW, raised_at=NOW)
    outcome = evaluate([rule()], facts(NOW), {("uji", KEY): watch}, PLACE, NOW)
    assert [each.kind for each in outcome.transitions] == [TransitionKind.UNKNOWN]


# --- silence windows -----------------------------------------------------------------------------


def wib(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=WIB)


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        (wib(20, 21, 59), False),
        (wib(20, 22), True),  # Friday night, the window's own day
        (wib(21, 0), True),
        (wib(21, 4, 59), True),
        (wib(21, 5), False),
        (wib(21, 22), False),  # Saturday night is none of its days
        (wib(20, 4), False),  # nor is the night to Friday
    ],
)
def test_a_silence_window_over_midnight_belongs_to_the_day_it_begins_on(
    moment: datetime, covered: bool
) -> None:
    window = Silence(days=frozenset({4}), first=time(22), until=time(5))
    assert window.covers(moment, WIB) is covered
    assert window.covers(moment.astimezone(ZoneInfo("UTC")), WIB) is covered


def test_a_silence_window_that_ends_when_it_begins_is_a_whole_day() -> None:
    window = Silence(days=frozenset({6}), first=time(0), until=time(0))
    hours = ((21, 23), (22, 0), (22, 23), (23, 0))
    covered = [window.covers(wib(day, hour), WIB) for day, hour in hours]
    assert covered == [False, True, True, False]


def test_sources_of_a_rule_are_those_of_its_series() -> None:
    assert rule().sources == (SOURCE,)
