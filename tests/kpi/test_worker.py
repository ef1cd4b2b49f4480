"""The worker keeps facts true: after every kind of change they are what a rebuild would make."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lawang.city import City
from lawang.domain.finding import FindingKind
from lawang.domain.formula import (
    IncidentFigure,
    IncidentFormula,
    ReadingFormula,
    ReadingRatioFormula,
    RequestFigure,
    RequestFormula,
    Within,
)
from lawang.domain.health import SourceState
from lawang.domain.incident import Status
from lawang.domain.kpi import Combine, Daily, Kpi
from lawang.kpi.worker import Indicators, KpiWorker, digest_of
from lawang.store.history import History
from lawang.store.touches import read_touches
from tests.kpi.desk import SOURCE, Desk, days, indicator, letter, moved, report, wib

FIRST = date(2026, 11, 9)
NOW = wib(2026, 11, 16, 9)
FLOW = ReadingFormula(source=SOURCE, measure="flow")
TOTAL = ReadingFormula(source=SOURCE, measure="total")
KPIS = {
    each.id: each
    for each in (
        indicator(FLOW, id="flow", combine=Combine.SUM),
        indicator(TOTAL, id="total", combine=Combine.SUM),
        indicator(replace(TOTAL, within=Within.LAST), id="state", combine=Combine.LAST),
        indicator(
            ReadingFormula(source=SOURCE, measure="month_total"), id="month", combine=Combine.SUM
        ),
        indicator(ReadingFormula(source=SOURCE, measure="week"), id="week", combine=Combine.SUM),
        indicator(
            ReadingRatioFormula(
                numerator=ReadingFormula(source=SOURCE, measure="done"),
                denominator=ReadingFormula(source=SOURCE, measure="asked"),
            ),
            id="ratio",
        ),
        indicator(
            IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=(SOURCE,)), id="in_time"
        ),
        indicator(IncidentFormula(figure=IncidentFigure.HOURS, sources=(SOURCE,)), id="hours"),
        indicator(
            IncidentFormula(figure=IncidentFigure.COUNT, sources=(SOURCE,)),
            id="count",
            combine=Combine.SUM,
        ),
        indicator(
            RequestFormula(figure=RequestFigure.WITHIN_PROMISE, sources=(SOURCE,)), id="promise"
        ),
    )
}


@pytest.fixture
def desk(city: City, history: History) -> Desk:
    made = Desk.of(city, history)
    made.city = replace(made.city, kpis=KPIS)
    return made


def kept(desk: Desk, kpi: Kpi) -> list[Daily]:
    return desk.history.kpis.days(kpi.id, date(2000, 1, 1), date(2100, 1, 1), None)


def hear(desk: Desk, at: datetime) -> None:
    """Let the source answer without anything new."""
    state = SourceState(source_id=SOURCE, last_success=at)
    desk.history.finish_poll(SOURCE, desk.history.cursor(SOURCE), state, fence=1, now=at)


def fill(desk: Desk) -> None:
    """A week of every kind of record."""
    desk.read("flow", dict.fromkeys(days(FIRST, 7), 10.0))
    desk.read("total", {day: 100.0 * n for n, day in enumerate(days(FIRST, 7), 1)})
    desk.read("month_total", {date(2026, 9, 1): 50.0, date(2026, 10, 1): 81.0})
    desk.read("week", {FIRST - timedelta(days=7): 70.0})
    desk.read("asked", dict.fromkeys(days(FIRST, 7), 10.0))
    desk.read("done", dict.fromkeys(days(FIRST, 7), 8.0))
    desk.tell(*(report(str(n), wib(2026, 11, 9 + n)) for n in range(7)))
    desk.ask(*(letter(str(n), wib(2026, 11, 9 + n), 8) for n in range(7)))


def _late_reading(desk: Desk) -> None:
    desk.read("flow", {FIRST - timedelta(days=3): 4.0})


def _correction(desk: Desk) -> None:
    desk.read("flow", {date(2026, 11, 12): 11.0})


def _corrected_total(desk: Desk) -> None:
    desk.read("total", {date(2026, 11, 12): 390.0})


def _total_before_the_first(desk: Desk) -> None:
    desk.read("total", {date(2026, 3, 1): 60.0})


def _new_subject_with_a_total(desk: Desk) -> None:
    desk.read("total", {date(2026, 11, 14): 600.0}, "b", "16.71.02")


def _corrected_month(desk: Desk) -> None:
    desk.read("month_total", {date(2026, 9, 1): 60.0})


def _next_week(desk: Desk) -> None:
    desk.read("week", {FIRST: 30.0}, fetched_at=wib(2026, 11, 12, 9))


def _pair_in_two_halves(desk: Desk) -> None:
    desk.read("done", {date(2026, 11, 10): 9.0}, "b")
    Indicators(desk.city, desk.history).update(NOW)
    desk.read("asked", {date(2026, 11, 10): 10.0}, "b")


def _slip(desk: Desk) -> None:
    desk.read("flow", {date(2026, 11, 13): 10e6})


def _closing(desk: Desk) -> None:
    desk.tell(moved(report("2", wib(2026, 11, 11)), Status.DONE, wib(2026, 11, 11, 20)))


def _letter(desk: Desk) -> None:
    desk.ask(letter("9", wib(2026, 11, 10), 30))


@pytest.mark.parametrize(
    "change",
    [
        _late_reading, _correction, _corrected_total, _total_before_the_first,
        _new_subject_with_a_total, _corrected_month, _next_week, _pair_in_two_halves, _slip,
        _closing, _letter,
    ],
)  # fmt: skip
def test_after_a_change_facts_are_as_a_rebuild_makes_them(
    desk: Desk, change: Callable[[Desk], None]
) -> None:
    fill(desk)
    engine = Indicators(desk.city, desk.history)
    engine.update(NOW)
    before = {name: kept(desk, kpi) for name, kpi in KPIS.items()}
    change(desk)
    engine.update(NOW + timedelta(minutes=1))
    after = {name: kept(desk, kpi) for name, kpi in KPIS.items()}
    assert after != before
    assert engine.rebuild(NOW + timedelta(minutes=1)).changed == 0


def test_reopening_takes_the_hours_back(desk: Desk) -> None:
    fill(desk)
    engine = Indicators(desk.city, desk.history)
    _closing(desk)
    engine.update(NOW)
    assert any(each.den for each in kept(desk, KPIS["hours"]))
    desk.tell(moved(report("2", wib(2026, 11, 11)), Status.WAITING, wib(2026, 11, 14)))
    engine.update(NOW + timedelta(minutes=1))
    assert not any(each.den for each in kept(desk, KPIS["hours"]))


def test_an_accepted_finding_counts_from_then_on(desk: Desk) -> None:
    fill(desk)
    _slip(desk)
    engine = Indicators(desk.city, desk.history)
    engine.update(NOW)
    (finding,) = desk.history.findings.list(kinds=[FindingKind.MAGNITUDE])
    desk.history.readings.decide(finding.id, accept=True, by="uji", note="", at=NOW)
    engine.update(NOW + timedelta(minutes=1))
    values = {each.day: each.num for each in kept(desk, KPIS["flow"]) if not each.region}
    assert values[date(2026, 11, 13)] == 10e6


def test_a_quiet_minute_changes_nothing_and_leaves_no_touch(desk: Desk) -> None:
    fill(desk)
    engine = Indicators(desk.city, desk.history)
    first = engine.update(NOW)
    assert set(first.rebuilt) == set(KPIS)
    assert read_touches(desk.history.database) == []
    second = engine.update(NOW + timedelta(minutes=1))
    assert (second.rebuilt, second.changed) == ([], 0)


def test_what_becomes_overdue_by_time_alone_is_judged(desk: Desk) -> None:
    fill(desk)
    desk.tell(report("late", wib(2026, 11, 15, 10)))  # due on 16 November, 10:00
    hear(desk, NOW)
    engine = Indicators(desk.city, desk.history)
    engine.update(NOW)

    def cohort() -> float:
        (fact,) = (
            each
            for each in kept(desk, KPIS["in_time"])
            if each.day == date(2026, 11, 15) and not each.region
        )
        return fact.den

    assert cohort() == 0
    engine.update(NOW + timedelta(hours=2))
    assert cohort() == 1


def test_a_closing_that_nobody_verified_is_judged_when_its_days_are_over(desk: Desk) -> None:
    fill(desk)
    desk.tell_verifications()
    formula = IncidentFormula(figure=IncidentFigure.VERIFIED, sources=(SOURCE,), verify_days=3)
    kpi = indicator(formula, id="verified")
    desk.city = replace(desk.city, kpis={"verified": kpi})
    desk.tell(moved(report("0", wib(2026, 11, 9)), Status.DONE, wib(2026, 11, 11, 20)))
    engine = Indicators(desk.city, desk.history)
    hear(desk, NOW)
    engine.update(NOW)
    # Closed on Wednesday the 11th: three working days end with Monday the 16th.
    assert sum(each.den for each in kept(desk, kpi)) == 0
    engine.update(NOW + timedelta(hours=15, seconds=1))
    assert sum(each.den for each in kept(desk, kpi) if not each.region) == 1
    desk.tell(
        replace(
            moved(report("0", wib(2026, 11, 9)), Status.DONE, wib(2026, 11, 17, 8)),
            verified_at=wib(2026, 11, 17, 8),
        )
    )
    engine.update(NOW + timedelta(hours=24))
    assert sum(each.num for each in kept(desk, kpi) if not each.region) == 1


def test_a_source_that_begins_to_tell_verifications_changes_the_formula(desk: Desk) -> None:
    formula = IncidentFormula(figure=IncidentFigure.VERIFIED, sources=(SOURCE,), verify_days=3)
    before = digest_of(indicator(formula), desk.city)
    desk.tell_verifications()
    assert digest_of(indicator(formula), desk.city) != before


def test_a_new_day_is_worked_out_when_it_is_complete(desk: Desk) -> None:
    fill(desk)
    desk.read("flow", {date(2026, 11, 16): 5.0})
    engine = Indicators(desk.city, desk.history)
    engine.update(NOW)
    assert date(2026, 11, 16) not in {each.day for each in kept(desk, KPIS["flow"])}
    engine.update(wib(2026, 11, 17, 0, 1))
    assert date(2026, 11, 16) in {each.day for each in kept(desk, KPIS["flow"])}


def test_a_quiet_day_is_known_once_its_source_was_heard(desk: Desk) -> None:
    fill(desk)
    engine = Indicators(desk.city, desk.history)
    midnight = wib(2026, 11, 18, 0, 1)
    engine.update(midnight)

    def newest() -> date:
        return max(each.day for each in kept(desk, KPIS["count"]))

    assert newest() == date(2026, 11, 14)
    hear(desk, midnight)
    engine.update(midnight + timedelta(minutes=1))
    assert newest() == date(2026, 11, 17)


def test_another_formula_is_worked_out_from_the_first_record(desk: Desk) -> None:
    fill(desk)
    Indicators(desk.city, desk.history).update(NOW)
    doubled = replace(KPIS["flow"], formula=replace(FLOW, factor=2.0))
    desk.city = replace(desk.city, kpis={**KPIS, "flow": doubled})
    turn = Indicators(desk.city, desk.history).update(NOW + timedelta(minutes=1))
    assert turn.rebuilt == ["flow"]
    assert {each.num for each in kept(desk, doubled)} == {20.0}


def test_a_new_name_or_target_needs_no_new_facts(desk: Desk) -> None:
    one = KPIS["flow"]
    assert digest_of(one, desk.city) == digest_of(replace(one, name_id="Lain"), desk.city)


def test_an_indicator_that_is_gone_from_the_pack_is_forgotten(desk: Desk) -> None:
    fill(desk)
    Indicators(desk.city, desk.history).update(NOW)
    rest = {name: kpi for name, kpi in KPIS.items() if name != "flow"}
    turn = Indicators(replace(desk.city, kpis=rest), desk.history).update(NOW)
    assert turn.forgotten == ["flow"]
    assert kept(desk, KPIS["flow"]) == []


def test_a_turn_that_is_broken_off_is_made_up_for(desk: Desk) -> None:
    fill(desk)
    engine = Indicators(desk.city, desk.history)
    engine.update(NOW)
    _correction(desk)
    engine.update(NOW + timedelta(minutes=1), stop=lambda: True)
    engine.update(NOW + timedelta(minutes=2))
    assert engine.rebuild(NOW + timedelta(minutes=2)).changed == 0
    assert {each.num for each in kept(desk, KPIS["flow"])} == {10.0, 11.0}


def test_the_thread_takes_turns_until_it_is_stopped(desk: Desk) -> None:
    fill(desk)
    worker = KpiWorker(desk.city, desk.history, clock=lambda: NOW, every_s=0.05, first_after_s=0.0)
    worker.start()
    try:
        deadline = time.monotonic() + 60
        while set(desk.history.kpis.states()) != set(KPIS):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        worker.stop()
    assert kept(desk, KPIS["flow"])


def test_without_the_clock_nothing_is_written(desk: Desk) -> None:
    fill(desk)
    looked: list[datetime] = []

    def may_write() -> bool:
        looked.append(datetime.now(UTC))
        return False

    worker = KpiWorker(
        desk.city, desk.history, clock=lambda: NOW, may_write=may_write, every_s=0.02,
        first_after_s=0.0,
    )  # fmt: skip
    worker.start()
    try:
        deadline = time.monotonic() + 60
        while len(looked) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        worker.stop()
    assert desk.history.kpis.states() == {}
