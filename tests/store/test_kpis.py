"""Daily facts in history: replaced by the stretch, summed up by the horizon, touched by writers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from lawang.domain.finding import FindingKind
from lawang.domain.formula import IncidentFigure, IncidentFormula
from lawang.domain.incident import Status
from lawang.domain.kpi import Combine, Daily, Direction, Horizon, Kpi, Span, Target
from lawang.store.history import History
from lawang.store.kpis import KpiState
from lawang.store.touches import INCIDENTS, REQUESTS, forget_touches, read_touches
from tests.conftest import REQUESTED_AT, build_incident
from tests.store.facts import NOW, SOURCE, day, reading, request, settle

LAST = date(2026, 11, 20)
WEEK = Horizon.ending(Span.WEEK, LAST)


def kpi(name: str = "a", combine: Combine = Combine.RATIO) -> Kpi:
    return Kpi(
        id=name, name_id="", name_en="", definition_id="", definition_en="", dimension="d",
        owner="bapenda", unit="", direction=Direction.UP, combine=combine,
        formula=IncidentFormula(figure=IncidentFigure.CLOSED, sources=("elapor",)), target=None,
    )  # fmt: skip


def fact(back: int, num: float, name: str = "a", region: str = "") -> Daily:
    """A fact of so many days before the last one."""
    return Daily(
        kpi=name, region=region, day=LAST - timedelta(days=back), num=num, den=2.0, n=3,
        observed_at=NOW - timedelta(days=back),
    )  # fmt: skip


def put(history: History, *facts: Daily) -> int:
    changed = 0
    for name in {each.kpi for each in facts}:
        own = [each for each in facts if each.kpi == name]
        changed += history.kpis.replace(name, LAST - timedelta(days=400), LAST, own)
    return changed


def test_facts_are_summed_up_over_a_horizon(history: History) -> None:
    put(history, *(fact(back, 1.0 + back) for back in range(9)))
    totals = history.kpis.totals({"a": kpi()}, WEEK)["a"]
    assert (totals.num, totals.den, totals.n, totals.days) == (28.0, 14.0, 21, 7)
    assert (totals.newest, totals.observed_at, totals.known) == (LAST, NOW, None)


def test_a_missing_day_of_a_sum_is_named_and_not_counted_as_nought(history: History) -> None:
    put(history, fact(0, 1.0), fact(2, 1.0))
    held = replace(kpi(combine=Combine.SUM), target=Target(per_day=1.0))
    totals = history.kpis.totals({"a": held}, WEEK)["a"]
    assert (totals.den, totals.days) == (4.0, 2)
    assert totals.known == (LAST - timedelta(days=2), LAST)


def test_the_days_known_of_several_indicators_are_the_city_s(history: History) -> None:
    put(history, fact(0, 1.0), fact(2, 1.0), fact(1, 1.0, region="16.71.01"), fact(3, 1.0, "b"))
    known = history.kpis.known_days(["a", "b"], WEEK.first, LAST)
    assert known == {
        "a": [LAST - timedelta(days=2), LAST],
        "b": [LAST - timedelta(days=3)],
    }


def test_facts_of_single_days_are_those_there_are(history: History) -> None:
    put(history, fact(0, 1.0), fact(2, 1.0), fact(1, 1.0, region="16.71.01"), fact(0, 1.0, "b"))
    days = [LAST - timedelta(days=back) for back in (1, 2)]
    assert history.kpis.on_days(["a", "b"], days) == [fact(2, 1.0)]


def test_sqlite_keeps_the_days_of_an_indicator_together(sqlite_history: History) -> None:
    with sqlite_history.database.reading() as connection:
        table = text("SELECT sql FROM sqlite_master WHERE name = 'kpi_day'")
        assert "WITHOUT ROWID" in connection.execute(table).scalar_one()


def test_a_state_is_that_of_the_newest_day_however_long_ago(history: History) -> None:
    put(history, fact(40, 8.0), fact(50, 1.0))
    totals = history.kpis.totals({"a": kpi(combine=Combine.LAST)}, WEEK)["a"]
    assert (totals.num, totals.newest) == (8.0, LAST - timedelta(days=40))


def test_a_state_after_the_horizon_is_none_of_its(history: History) -> None:
    put(history, fact(0, 8.0), fact(9, 1.0))
    totals = history.kpis.totals({"a": kpi(combine=Combine.LAST)}, WEEK.previous())
    assert totals["a"].num == 1.0


def test_the_city_and_its_kecamatan_are_kept_apart(history: History) -> None:
    put(history, fact(0, 5.0), fact(0, 2.0, region="16.71.01"), fact(1, 3.0, region="16.71.02"))
    assert history.kpis.totals({"a": kpi()}, WEEK)["a"].num == 5.0
    by_region = history.kpis.totals_by_region(kpi(), WEEK, ["16.71.01", "16.71.02", "16.71.03"])
    assert {code: each.num for code, each in by_region.items()} == {
        "16.71.01": 2.0,
        "16.71.02": 3.0,
    }


def test_several_indicators_are_read_at_once(history: History) -> None:
    put(history, fact(0, 1.0), fact(0, 2.0, "b"), fact(30, 3.0, "c"))
    wanted = {"a": kpi(), "b": kpi("b", Combine.SUM), "c": kpi("c", Combine.LAST), "d": kpi("d")}
    found = history.kpis.totals(wanted, WEEK)
    assert {name: each.num for name, each in found.items()} == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_writing_the_same_facts_again_writes_nothing(history: History) -> None:
    facts = [fact(back, 1.0) for back in range(3)]
    assert put(history, *facts) == 3
    assert put(history, *facts) == 0


def test_a_fact_that_is_no_more_is_taken_back(history: History) -> None:
    put(history, fact(0, 1.0), fact(1, 1.0))
    assert put(history, fact(0, 1.5)) == 2
    assert history.kpis.days("a", WEEK.first, LAST) == [fact(0, 1.5)]


def test_facts_outside_of_the_stretch_stay(history: History) -> None:
    put(history, fact(0, 1.0), fact(5, 1.0))
    history.kpis.replace("a", LAST, LAST, [])
    assert history.kpis.days("a", WEEK.first, LAST) == [fact(5, 1.0)]


def test_an_indicator_can_be_forgotten_with_all_its_days(history: History) -> None:
    put(history, fact(0, 1.0), fact(0, 1.0, "b"))
    history.kpis.save_states([KpiState(kpi="a", digest="x", through=LAST, computed_at=NOW)])
    history.kpis.forget("a")
    assert history.kpis.states() == {}
    assert set(history.kpis.city_days(["a", "b"], LAST, LAST)) == {"b"}


def test_a_state_is_replaced(history: History) -> None:
    old = KpiState(kpi="a", digest="x", through=None, computed_at=NOW)
    history.kpis.save_states([old])
    history.kpis.save_states([replace(old, through=LAST)])
    assert history.kpis.states() == {"a": replace(old, through=LAST)}


# --- touches -------------------------------------------------------------------------------------


def touched(history: History) -> set[tuple[str, str, date]]:
    return {(each.source_id, each.what, each.day) for each in read_touches(history.database)}


def test_a_new_reading_touches_its_day(history: History) -> None:
    settle(history, reading(1.0, day(3)), reading(2.0, day(4)))
    assert touched(history) == {
        (SOURCE, "flow", date(2026, 11, 3)),
        (SOURCE, "flow", date(2026, 11, 4)),
    }


def test_the_same_reading_again_touches_nothing(history: History) -> None:
    settle(history, reading(1.0, day(3)))
    forget_touches(history.database, read_touches(history.database))
    settle(history, reading(1.0, day(3)))
    assert touched(history) == set()


def test_a_correction_and_a_withdrawal_touch_their_days(history: History) -> None:
    both = [reading(float(number), day(number), delivery="nov") for number in (3, 4)]
    settle(history, *both, delivery="nov")
    forget_touches(history.database, read_touches(history.database))
    settle(history, reading(5.0, day(3), delivery="nov"), delivery="nov")
    assert {at for _, _, at in touched(history)} == {date(2026, 11, 3), date(2026, 11, 4)}


def test_accepting_a_finding_touches_what_it_held_back(history: History) -> None:
    settle(history, *(reading(100.0, day(number)) for number in range(1, 6)))
    settle(history, reading(100_000.0, day(6)))
    (finding,) = history.findings.list()
    assert finding.kind is FindingKind.MAGNITUDE
    forget_touches(history.database, read_touches(history.database))
    history.readings.decide(finding.id, accept=True, by="uji", note="", at=NOW)
    assert touched(history) == {(SOURCE, "flow", date(2026, 11, 6))}


def test_a_closing_touches_the_day_of_the_report_and_its_own(history: History) -> None:
    history.settle("elapor", [build_incident()], fetched_at=NOW, fence=1)
    forget_touches(history.database, read_touches(history.database))
    closed_at = REQUESTED_AT + timedelta(days=3)
    closed = build_incident(status=Status.DONE, observed_at=closed_at)
    history.settle("elapor", [closed], fetched_at=closed_at, fence=1)
    assert touched(history) == {
        ("elapor", INCIDENTS, REQUESTED_AT.date()),
        ("elapor", INCIDENTS, closed_at.date()),
    }


def test_reopening_touches_the_day_on_which_it_had_been_closed(history: History) -> None:
    closed_at = REQUESTED_AT + timedelta(days=3)
    closed = build_incident(status=Status.DONE, observed_at=closed_at)
    history.settle("elapor", [closed], fetched_at=closed_at, fence=1)
    forget_touches(history.database, read_touches(history.database))
    again = build_incident(observed_at=closed_at + timedelta(days=1))
    history.settle("elapor", [again], fetched_at=again.fetched_at, fence=1)
    assert ("elapor", INCIDENTS, closed_at.date()) in touched(history)


def test_a_request_touches_its_day(history: History) -> None:
    settle(history, requests=[request(requested_at=datetime(2026, 11, 20, 23, tzinfo=UTC))])
    assert touched(history) == {(SOURCE, REQUESTS, date(2026, 11, 20))}


def test_what_was_touched_again_meanwhile_is_not_forgotten(history: History) -> None:
    settle(history, reading(1.0, day(3)))
    seen = read_touches(history.database)
    settle(history, reading(2.0, day(3)))
    forget_touches(history.database, seen)
    assert touched(history) == {(SOURCE, "flow", date(2026, 11, 3))}
