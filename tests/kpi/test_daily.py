"""Daily facts from records: what a day is made of, and what it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from lawang.city import City
from lawang.domain.formula import (
    Across,
    IncidentFigure,
    IncidentFormula,
    QualityFigure,
    QualityFormula,
    ReachedFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFigure,
    RequestFormula,
    Within,
)
from lawang.domain.health import SourceState
from lawang.domain.incident import Incident, Status
from lawang.domain.kpi import Combine
from lawang.domain.quality import Tally
from lawang.domain.service import RequestStatus
from lawang.store.history import History
from tests.kpi.desk import SOURCE, Desk, days, indicator, letter, moved, report, wib

FIRST = date(2026, 11, 9)  # a Monday
LAST = date(2026, 11, 15)


@pytest.fixture
def desk(city: City, history: History) -> Desk:
    return Desk.of(city, history)


def of(measure: str, **changes: object) -> ReadingFormula:
    return ReadingFormula(source=SOURCE, measure=measure, **changes)  # type: ignore[arg-type]


def numbers(
    desk: Desk, formula: ReadingFormula, first: date = FIRST, last: date = LAST
) -> dict[date, float]:
    """The numerators of the city by day."""
    found = desk.by_day(indicator(formula, combine=Combine.SUM), first, last)
    return {day: num for day, (num, _den, _n) in found.items()}


# --- readings ------------------------------------------------------------------------------------


def test_a_flow_is_added_up_over_its_subjects(desk: Desk) -> None:
    desk.read("flow", {FIRST: 3.0}, "a")
    desk.read("flow", {FIRST: 4.0}, "b")
    assert desk.by_day(indicator(of("flow")), FIRST, LAST) == {FIRST: (7.0, 1.0, 2)}


def test_a_day_without_a_reading_is_missing_and_a_nought_is_there(desk: Desk) -> None:
    desk.read("flow", {FIRST: 0.0, LAST: 5.0})
    assert numbers(desk, of("flow")) == {FIRST: 0.0, LAST: 5.0}


def test_each_kecamatan_has_facts_of_its_own(desk: Desk) -> None:
    desk.read("flow", {FIRST: 3.0}, "a", "16.71.01")
    desk.read("flow", {FIRST: 4.0}, "b", None)
    kpi = indicator(of("flow"))
    assert desk.by_day(kpi, FIRST, LAST, "16.71.01") == {FIRST: (3.0, 1.0, 1)}
    assert desk.by_day(kpi, FIRST, LAST)[FIRST][0] == 7.0


def test_subjects_can_be_chosen_and_left_out(desk: Desk) -> None:
    for name, value in (("a", 1.0), ("b", 2.0), ("c", 4.0)):
        desk.read("flow", {FIRST: value}, name)
    assert numbers(desk, of("flow", subjects=("a", "c")))[FIRST] == 5.0
    assert numbers(desk, of("flow", exclude=("a",), factor=0.5))[FIRST] == 3.0


def test_the_last_minute_of_a_day_is_that_day_by_the_citys_clock(desk: Desk) -> None:
    desk.read("level", {wib(2026, 12, 31, 23, 59): 1.0, wib(2027, 1, 1, 0, 0): 2.0})
    found = numbers(desk, of("level"), date(2026, 12, 31), date(2027, 1, 1))
    assert found == {date(2026, 12, 31): 1.0, date(2027, 1, 1): 2.0}


@pytest.mark.parametrize(
    ("within", "value"), [(None, 4.0), (Within.LAST, 1.0), (Within.MAX, 9.0), (Within.MIN, 1.0)]
)
def test_values_within_a_day_make_one(desk: Desk, within: Within | None, value: float) -> None:
    desk.read("level", {wib(2026, 11, 9, 8): 2.0, wib(2026, 11, 9, 9): 9.0})
    desk.read("level", {wib(2026, 11, 9, 20): 1.0})
    found = desk.by_day(indicator(of("level", within=within)), FIRST, LAST)
    assert found == {FIRST: (value, 1.0, 3)}


@pytest.mark.parametrize(
    ("across", "num", "den"),
    [
        (Across.SUM, 8.0, 1.0),
        (Across.MEAN, 8.0, 2.0),
        (Across.MAX, 6.0, 1.0),
        (Across.MIN, 2.0, 1.0),
    ],
)
def test_subjects_of_a_day_make_one(desk: Desk, across: Across, num: float, den: float) -> None:
    desk.read("level", {wib(2026, 11, 9): 6.0}, "a")
    desk.read("level", {wib(2026, 11, 9): 2.0}, "b")
    found = desk.by_day(indicator(of("level", across=across)), FIRST, LAST)
    assert found == {FIRST: (num, den, 2)}


def test_the_flow_of_a_week_is_spread_over_its_days(desk: Desk) -> None:
    desk.read("week", {FIRST: 70.0})
    assert numbers(desk, of("week")) == dict.fromkeys(days(FIRST, 7), 10.0)


def test_the_flow_of_a_running_week_is_spread_until_it_was_observed(desk: Desk) -> None:
    desk.read("week", {FIRST: 30.0}, fetched_at=wib(2026, 11, 11, 15))
    assert numbers(desk, of("week")) == dict.fromkeys(days(FIRST, 3), 10.0)


def test_the_flow_of_a_leap_february_has_29_days(desk: Desk) -> None:
    desk.read("month", {date(2028, 2, 1): 29.0})
    found = numbers(desk, of("month"), date(2028, 2, 1), date(2028, 3, 5))
    assert found == dict.fromkeys(days(date(2028, 2, 1), 29), 1.0)


def test_a_cumulative_measure_counts_by_its_increase(desk: Desk) -> None:
    desk.read("total", {FIRST: 100.0, date(2026, 11, 10): 130.0})
    assert numbers(desk, of("total"), date(2026, 11, 10)) == {date(2026, 11, 10): 30.0}


def test_the_increase_over_a_gap_is_spread_over_it(desk: Desk) -> None:
    desk.read("total", {FIRST: 100.0, date(2026, 11, 13): 140.0})
    found = numbers(desk, of("total"), date(2026, 11, 10))
    assert found == dict.fromkeys(days(date(2026, 11, 10), 4), 10.0)


def test_a_day_that_comes_late_takes_its_place_in_the_gap(desk: Desk) -> None:
    desk.read("total", {FIRST: 100.0, date(2026, 11, 11): 140.0})
    desk.read("total", {date(2026, 11, 10): 105.0})
    found = numbers(desk, of("total"), date(2026, 11, 10))
    assert found == {date(2026, 11, 10): 5.0, date(2026, 11, 11): 35.0}


def test_the_first_total_of_a_year_is_what_came_since_new_year(desk: Desk) -> None:
    desk.read("total", {date(2026, 12, 31): 900.0, date(2027, 1, 2): 8.0})
    found = numbers(desk, of("total"), date(2027, 1, 1), date(2027, 1, 3))
    assert found == {date(2027, 1, 1): 4.0, date(2027, 1, 2): 4.0}


def test_the_total_of_a_month_is_spread_over_that_month(desk: Desk) -> None:
    desk.read("month_total", {date(2026, 9, 1): 100.0, date(2026, 10, 1): 131.0})
    found = numbers(desk, of("month_total"), date(2026, 10, 1), date(2026, 10, 31))
    assert found == pytest.approx(dict.fromkeys(days(date(2026, 10, 1), 31), 1.0))


def test_any_stretch_gives_the_same_days_as_the_whole(desk: Desk) -> None:
    desk.read("month_total", {date(2026, m, 1): 100.0 * m * m for m in range(1, 11)})
    desk.read("total", {day: 3.0 * n for n, day in enumerate(days(date(2026, 3, 5), 40), 1)})
    for name in ("month_total", "total"):
        kpi = indicator(of(name), combine=Combine.SUM)
        whole = desk.by_day(kpi, date(2026, 1, 1), date(2026, 10, 31))
        for first in (date(2026, 1, 31), date(2026, 3, 31), date(2026, 9, 15)):
            last = first + timedelta(days=20)
            part = desk.by_day(kpi, first, last)
            assert part == {day: each for day, each in whole.items() if first <= day <= last}


def test_the_running_total_stands_on_the_day_it_is_of(desk: Desk) -> None:
    desk.read("month_total", {date(2026, 9, 1): 100.0, date(2026, 10, 1): 131.0})
    found = numbers(desk, of("month_total", within=Within.LAST), date(2026, 9, 1))
    assert found == {date(2026, 9, 30): 100.0, date(2026, 10, 31): 131.0}


def test_a_slip_between_juta_and_miliar_is_held_back(desk: Desk) -> None:
    desk.read("flow", dict.fromkeys(days(FIRST, 5), 50000000.0))
    desk.read("flow", {date(2026, 11, 14): 50e9})
    assert date(2026, 11, 14) not in numbers(desk, of("flow"))


def test_half_of_a_pair_does_not_bend_a_ratio(desk: Desk) -> None:
    formula = ReadingRatioFormula(numerator=of("done"), denominator=of("asked"))
    for name in ("a", "b"):
        desk.read("asked", {FIRST: 10.0}, name)
    desk.read("done", {FIRST: 9.0}, "a")
    assert desk.by_day(indicator(formula), FIRST, LAST) == {FIRST: (9.0, 10.0, 1)}


def test_a_source_that_is_not_connected_has_no_facts(desk: Desk) -> None:
    gone = replace(desk.city, sources={})
    kpi = indicator(of("flow"))
    desk.read("flow", {FIRST: 3.0})
    assert Desk(gone, desk.history).by_day(kpi, FIRST, LAST) == {}


# --- incidents -----------------------------------------------------------------------------------

ASKED = wib(2026, 11, 9, 8)


def share(figure: IncidentFigure = IncidentFigure.WITHIN_DUE) -> IncidentFormula:
    return IncidentFormula(figure=figure, sources=(SOURCE,))


def closed(number: str, hours: float) -> Incident:
    return moved(report(number, ASKED), Status.DONE, ASKED + timedelta(hours=hours))


def test_what_is_neither_closed_nor_due_is_not_judged(desk: Desk) -> None:
    kpi = indicator(share())
    desk.tell(closed("1", 5), report("2", ASKED))
    before_due = desk.facts(kpi, FIRST, FIRST, ASKED + timedelta(hours=23))
    after_due = desk.facts(kpi, FIRST, FIRST, ASKED + timedelta(hours=25))
    assert [(each.num, each.den) for each in before_due if not each.region] == [(1.0, 1.0)]
    assert [(each.num, each.den) for each in after_due if not each.region] == [(1.0, 2.0)]


def test_without_a_due_time_nothing_is_judged(desk: Desk) -> None:
    desk.tell(replace(closed("1", 5), due_at=None))
    assert not any(each.den for each in desk.facts(indicator(share()), FIRST, FIRST))


def test_hours_are_counted_on_the_day_of_the_closing(desk: Desk) -> None:
    desk.tell(report("1", ASKED), closed("1", 30))
    found = desk.by_day(indicator(share(IncidentFigure.HOURS)), FIRST, LAST)
    assert found[date(2026, 11, 10)] == (30.0, 1.0, 1)


def test_a_quiet_day_is_nought_once_the_source_was_heard_after_it(desk: Desk) -> None:
    kpi = indicator(share(IncidentFigure.COUNT), combine=Combine.SUM)
    desk.tell(report("1", ASKED))
    heard = SourceState(source_id=SOURCE, last_success=wib(2026, 11, 12, 1))
    cursor = desk.history.cursor(SOURCE)
    desk.history.finish_poll(SOURCE, cursor, heard, fence=1, now=wib(2026, 11, 12, 1))
    found = desk.by_day(kpi, FIRST, LAST)
    assert found == {
        FIRST: (1.0, 1.0, 1),
        date(2026, 11, 10): (0.0, 1.0, 0),
        date(2026, 11, 11): (0.0, 1.0, 0),
    }


def test_a_quiet_day_is_nought_in_every_kecamatan(desk: Desk) -> None:
    kpi = indicator(share(IncidentFigure.COUNT), combine=Combine.SUM)
    desk.tell(report("1", ASKED), report("2", ASKED + timedelta(days=1)))
    desk.tell(report("3", ASKED + timedelta(days=2)))
    found = desk.by_day(kpi, FIRST, LAST, "16.71.01")
    assert found == {FIRST: (0.0, 1.0, 0), date(2026, 11, 10): (0.0, 1.0, 0)}


def test_a_count_waits_for_every_source(desk: Desk) -> None:
    other = "elapor"
    formula = IncidentFormula(figure=IncidentFigure.COUNT, sources=(SOURCE, other))
    desk.tell(report("1", ASKED), report("2", ASKED + timedelta(days=3)))
    desk.tell(report("3", ASKED, source_id=other))
    assert desk.by_day(indicator(formula, combine=Combine.SUM), FIRST, LAST) == {}


def test_the_first_time_of_a_status_decides(desk: Desk) -> None:
    formula = ReachedFormula(minutes=15, status=Status.IN_PROGRESS, sources=(SOURCE,))
    quick, slow, skipped = (report(name, ASKED) for name in ("1", "2", "3"))
    desk.tell(quick, slow, skipped, report("4", ASKED))
    minute = timedelta(minutes=1)
    desk.tell(
        moved(quick, Status.IN_PROGRESS, ASKED + 10 * minute),
        moved(slow, Status.IN_PROGRESS, ASKED + 16 * minute),
        moved(skipped, Status.DONE, ASKED + 12 * minute),
        moved(quick, Status.DONE, ASKED + 90 * minute),
    )
    assert desk.by_day(indicator(formula), FIRST, FIRST)[FIRST] == (2.0, 4.0, 4)


def test_a_rejected_report_had_nothing_to_reach(desk: Desk) -> None:
    formula = ReachedFormula(minutes=15, status=Status.IN_PROGRESS, sources=(SOURCE,))
    desk.tell(moved(report("1", ASKED), Status.REJECTED, ASKED + timedelta(minutes=3)))
    assert not any(each.n for each in desk.facts(indicator(formula), FIRST, FIRST))


# --- requests ------------------------------------------------------------------------------------


def test_a_promise_is_kept_or_broken(desk: Desk) -> None:
    formula = RequestFormula(figure=RequestFigure.WITHIN_PROMISE, sources=(SOURCE,))
    desk.ask(
        letter("1", ASKED, 10),
        letter("2", ASKED, 11),
        letter("3", ASKED, None),
        letter("4", ASKED, 5, RequestStatus.CANCELLED),
        letter("5", ASKED, 5, promise=None),
    )
    assert desk.by_day(indicator(formula), FIRST, FIRST)[FIRST] == (1.0, 3.0, 3)


def test_rejections_are_a_share_of_outcomes(desk: Desk) -> None:
    formula = RequestFormula(figure=RequestFigure.REJECTED, sources=(SOURCE,))
    desk.ask(
        letter("1", ASKED, 10), letter("2", ASKED, 5, RequestStatus.REJECTED),
        letter("3", ASKED, None),
    )  # fmt: skip
    assert desk.by_day(indicator(formula), FIRST, FIRST)[FIRST] == (1.0, 2.0, 2)


# --- sources -------------------------------------------------------------------------------------


def test_polls_that_never_happened_count_as_missed(desk: Desk) -> None:
    due = 86_400 / desk.city.sources[SOURCE].every_s
    midnight = wib(2026, 11, 9, 0)
    desk.history.quality.add(SOURCE, {midnight - timedelta(hours=1): Tally(polls=1)})
    desk.history.quality.add(SOURCE, {midnight: Tally(polls=3, records=8, unusable=2)})

    def facts(figure: QualityFigure) -> tuple[float, float, int]:
        kpi = indicator(QualityFormula(figure=figure, sources=(SOURCE,)))
        return desk.by_day(kpi, FIRST, FIRST)[FIRST]

    assert facts(QualityFigure.TIMELINESS) == (3.0, due, round(due))
    assert facts(QualityFigure.VALIDITY) == (6.0, 8.0, 8)


def test_a_day_before_the_first_poll_says_nothing_of_a_source(desk: Desk) -> None:
    desk.history.quality.add(SOURCE, {wib(2026, 11, 10, 0): Tally(polls=3)})
    kpi = indicator(QualityFormula(figure=QualityFigure.TIMELINESS, sources=(SOURCE,)))
    assert set(desk.by_day(kpi, FIRST, LAST)) == set(days(date(2026, 11, 10), 6))


def test_a_department_is_integrated_when_all_its_sources_are_timely_and_valid(desk: Desk) -> None:
    own = [each for each in desk.city.sources.values() if each.opd == "dishub"]
    assert own
    midnight = wib(2026, 11, 9, 0)
    for source in own:
        polls = int(86_400 / source.every_s)
        desk.history.quality.add(source.id, {midnight: Tally(polls=polls, records=10)})
    kpi = indicator(QualityFormula(figure=QualityFigure.INTEGRATED))
    assert desk.by_day(kpi, FIRST, FIRST)[FIRST] == (
        1.0,
        float(len(desk.city.opds)),
        len(desk.city.opds),
    )
