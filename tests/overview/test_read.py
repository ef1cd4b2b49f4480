"""The overview from daily facts in history: every horizon, what changed, and what is kept."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from lawang.city import City
from lawang.domain.errors import StoreError
from lawang.domain.formula import IncidentFigure, IncidentFormula, ReadingFormula
from lawang.domain.health import Health, SourceState
from lawang.domain.incident import Status
from lawang.domain.kpi import Combine, Daily, Dimension, Grey, Kpi, Light, Span, Target
from lawang.domain.programme import Milestone, Programme
from lawang.kpi.evaluate import Evaluator
from lawang.overview.model import ChangeKind, Gap, MilestoneState, OverdueKind
from lawang.overview.read import KEPT, OverviewReader
from lawang.store.history import History
from tests.conftest import build_incident
from tests.kpi.desk import WIB, after, indicator, yearly

REPORTS = IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=("elapor",))
READINGS = ReadingFormula(source="pbb", measure="pbb_penerimaan")
LAST = date(2026, 11, 20)
PLACE = "16.71.06"


def kpi(name: str, combine: Combine = Combine.RATIO, **changes: Any) -> Kpi:
    formula = REPORTS if combine is Combine.RATIO else READINGS
    values: dict[str, Any] = {"formula": formula, "combine": combine, "target": Target(level=0.8)}
    if combine is Combine.SUM:
        values["target"] = yearly(3650.0)
    return replace(indicator(formula), id=name, dimension="d", **{**values, **changes})


KPIS = {
    each.id: each
    for each in (
        kpi("tepat"),
        kpi("uang", Combine.SUM),
        kpi("stok", Combine.LAST, stale_after=timedelta(days=40)),
        kpi("bulanan", Combine.SUM, due="month"),
        kpi("stok_bulanan", Combine.LAST, due="month", stale_after=timedelta(days=60)),
    )
}


@pytest.fixture
def town(city: City) -> City:
    """A city of one dimension and one indicator of each kind."""
    dimension = Dimension(id="d", name_id="D", name_en="D", weight=1.0)
    programme = Programme(districts=("tepat",))
    return replace(city, kpis=KPIS, dimensions={"d": dimension}, programme=programme)


def fact(name: str, day: date, num: float, den: float = 1.0, region: str = "", n: int = 5) -> Daily:
    at = datetime.combine(day, time(20), WIB).astimezone(UTC)
    return Daily(kpi=name, region=region, day=day, num=num, den=den, n=n, observed_at=at)


def put(history: History, facts: list[Daily]) -> None:
    for name in {each.kpi for each in facts}:
        own = [each for each in facts if each.kpi == name]
        history.kpis.replace(name, min(e.day for e in own), max(e.day for e in own), own)


def years(last: date, days: int = 800) -> list[Daily]:
    """Facts of all indicators with gaps; the state and the monthly ones but now and then."""
    dice = random.Random(last.toordinal())
    found = []
    for back in range(days):
        day = last - timedelta(days=back)
        if dice.random() < 0.9:
            found.append(fact("tepat", day, float(dice.randint(0, 9)), float(dice.randint(0, 9))))
            found.append(fact("tepat", day, float(dice.randint(0, 3)), 3.0, region=PLACE))
        if dice.random() < 0.9:
            found.append(fact("uang", day, dice.random() * 20))
        if day.day in (1, 15):
            found.append(fact("stok", day, dice.random(), 1.0))
        if dice.random() < 0.95:
            found.append(fact("bulanan", day, dice.random() * 20))
        if day.day == 28:
            found.append(fact("stok_bulanan", day, dice.random(), 1.0))
    return found


@pytest.mark.parametrize(
    "last", [LAST, date(2026, 1, 1), date(2026, 2, 14), date(2028, 2, 29), date(2029, 2, 28)]
)
def test_every_horizon_is_what_each_of_them_reads_alone(
    town: City, history: History, last: date
) -> None:
    put(history, years(last))
    now = after(last)
    overview = OverviewReader(town, history).read(now, {})
    values = Evaluator(town, history.kpis)
    for span in Span:
        horizon = values.horizon(span, now)
        for name, kpi_ in KPIS.items():
            line = overview.lines[name]
            for found, wanted in (
                (line.values[span], values.value(kpi_, horizon, now)),
                (line.before[span], values.past_value(kpi_, horizon.previous())),
            ):
                told = (found.horizon, found.grey, found.n, found.days, found.observed_at)
                assert told == (
                    wanted.horizon, wanted.grey, wanted.n, wanted.days, wanted.observed_at,
                )  # fmt: skip
                for name_ in ("value", "target", "score"):
                    assert_same(getattr(found, name_), getattr(wanted, name_))
        alone = values.scores(span, now)
        for one, other in zip(overview.scores[span], alone, strict=True):
            assert (one.id, one.counting, one.total) == (other.id, other.counting, other.total)
            assert_same(one.score, other.score)
            assert_same(one.change, other.change)


def assert_same(one: float | None, other: float | None) -> None:
    if one is None or other is None:
        assert one is other
    else:
        assert one == pytest.approx(other, rel=1e-12, abs=1e-12)


def test_the_year_before_a_leap_day_ends_on_the_28th(town: City, history: History) -> None:
    last = date(2028, 2, 29)
    put(history, [fact("uang", date(2027, 2, 28), 7.0), fact("uang", date(2027, 3, 1), 100.0)])
    line = OverviewReader(town, history).read(after(last), {}).lines["uang"]
    assert line.before[Span.YEAR].horizon.last == date(2027, 2, 28)
    assert line.before[Span.YEAR].value == 7.0


def test_on_the_second_of_january_the_year_is_one_day_and_the_month_reaches_back(
    town: City, history: History
) -> None:
    put(history, [fact("uang", date(2026, 1, 1), 3.0), fact("uang", date(2025, 12, 20), 4.0)])
    line = OverviewReader(town, history).read(after(date(2026, 1, 1)), {}).lines["uang"]
    assert (line.values[Span.YEAR].value, line.values[Span.MONTH].value) == (3.0, 7.0)


def test_a_spark_leaves_missing_days_out(town: City, history: History) -> None:
    days = [LAST - timedelta(days=back) for back in (5, 3, 0)]
    put(history, [fact("tepat", day, 1.0, 2.0) for day in days])
    spark = OverviewReader(town, history).read(after(LAST), {}).lines["tepat"].spark
    assert [(each.day, each.value, each.target) for each in spark] == [
        (day, 0.5, 0.8) for day in days
    ]


def test_a_spark_of_what_is_due_monthly_goes_by_months(town: City, history: History) -> None:
    put(history, [fact("bulanan", date(2026, 11, day), 1.0) for day in range(1, 21)])
    put(history, [fact("bulanan", date(2026, 2, 1), 5.0), fact("bulanan", date(2026, 2, 3), 6.0)])
    put(history, [fact("stok_bulanan", date(2026, 2, day), float(day)) for day in (3, 28)])
    lines = OverviewReader(town, history).read(after(LAST), {}).lines
    assert [(each.day, each.value) for each in lines["bulanan"].spark] == [
        (date(2026, 2, 3), 11.0),
        (date(2026, 11, 20), 20.0),
    ]
    # Two days of February, of which 0.1 of 3650 is due evenly: by the curve, 0.1 in 28 days.
    assert lines["bulanan"].spark[0].target == pytest.approx(3650 * 0.1 * 2 / 28)
    assert [each.value for each in lines["stok_bulanan"].spark] == [28.0]


# --- what changed --------------------------------------------------------------------------------


def shares(good: dict[str, float], last: date = LAST, name: str = "tepat") -> list[Daily]:
    """Sixty days of a share: `before` and `after` the last 30 days."""
    return [
        fact(name, last - timedelta(days=back), good["after" if back < 30 else "before"], 1.0)
        for back in range(60)
    ]


def test_what_went_down_since_the_last_look_is_told_with_the_city_then(
    town: City, history: History
) -> None:
    put(history, shares({"before": 0.8, "after": 0.4}))
    reader = OverviewReader(town, history)
    found = reader.read(after(LAST), {}, since=LAST - timedelta(days=30)).changes
    (change,) = found.worse
    assert (change.kpi, change.kind) == ("tepat", ChangeKind.LIGHT)
    assert (change.before.score, change.after.score) == pytest.approx((1.0, 0.5))
    assert found.city == pytest.approx(1.0)


def test_what_was_fresh_at_the_last_look_and_is_stale_now_is_lost(
    town: City, history: History
) -> None:
    then = LAST - timedelta(days=10)
    put(history, [fact("tepat", then - timedelta(days=n), 1.0, 1.0) for n in range(5)])
    found = OverviewReader(town, history).read(after(LAST), {}, since=then).changes
    assert [(each.kpi, each.kind) for each in found.worse] == [("tepat", ChangeKind.LOST)]


def test_what_was_stale_at_the_last_look_and_is_fresh_now_is_regained(
    town: City, history: History
) -> None:
    then = LAST - timedelta(days=10)
    put(history, [fact("tepat", then - timedelta(days=9), 1.0), fact("tepat", LAST, 1.0)])
    found = OverviewReader(town, history).read(after(LAST), {}, since=then).changes
    assert [(each.kpi, each.kind) for each in found.better] == [("tepat", ChangeKind.REGAINED)]


def test_a_look_long_ago_is_compared_all_the_same(town: City, history: History) -> None:
    facts = [fact("tepat", LAST - timedelta(days=n), 0.4 if n < 100 else 0.8) for n in range(300)]
    put(history, facts)
    found = OverviewReader(town, history).read(after(LAST), {}, since=LAST - timedelta(days=200))
    assert [each.kpi for each in found.changes.worse] == ["tepat"]


def test_without_a_newer_day_nothing_is_compared(town: City, history: History) -> None:
    found = OverviewReader(town, history).read(after(LAST), {}, since=LAST).changes
    assert (found.since, found.worse, found.better) == (None, (), ())


def test_a_look_that_cannot_have_been_is_compared_with_nothing(
    town: City, sqlite_history: History
) -> None:
    put(sqlite_history, years(LAST, 40))
    reader = OverviewReader(town, sqlite_history)
    assert reader.read(after(LAST), {}, since=date.min).changes.since is None


# --- what is kept --------------------------------------------------------------------------------


def test_those_who_come_out_of_order_share_one_reading(town: City, sqlite_history: History) -> None:
    reader, now = OverviewReader(town, sqlite_history), after(LAST)
    first = reader.read(now, {})
    assert reader.read(now - timedelta(milliseconds=20), {}).lines is first.lines


def test_those_who_wait_while_history_fails_are_told_at_once(
    town: City, sqlite_history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, count = OverviewReader(town, sqlite_history), 8
    all_asked, guard, ticks, tries = threading.Event(), threading.Lock(), iter(range(1000)), []

    def tick() -> float:
        with guard:
            at = next(ticks)
        if at == count - 1:
            all_asked.set()
        return at

    def fail() -> dict[str, int]:
        tries.append(1)
        assert all_asked.wait(60)
        raise StoreError("store_down", "a test")

    def look(_number: int) -> str:
        with pytest.raises(StoreError) as told:
            reader.read(after(LAST), {})
        return told.value.kind

    monkeypatch.setattr("lawang.overview.read.time", SimpleNamespace(monotonic=tick))
    with monkeypatch.context() as away, ThreadPoolExecutor(count) as viewers:
        away.setattr(sqlite_history.kpis, "revisions", fail)
        assert list(viewers.map(look, range(count))) == ["store_down"] * count
    assert len(tries) == 1
    # Whoever comes later tries for himself.
    assert reader.read(after(LAST), {}).last == LAST


def test_a_second_read_reads_no_fact(town: City, sqlite_history: History) -> None:
    put(sqlite_history, years(LAST, 100))
    reader = OverviewReader(town, sqlite_history)
    first = reader.read(after(LAST), {})
    second = reader.read(after(LAST) + KEPT / 2, {}, span=Span.WEEK)
    assert second.lines is first.lines
    assert second.city.horizon.span is Span.WEEK


def test_ages_go_on_though_no_fact_changes(town: City, sqlite_history: History) -> None:
    put(sqlite_history, shares({"before": 0.8, "after": 0.8}))
    reader = OverviewReader(town, sqlite_history)
    now = after(LAST)
    young = reader.read(now, {}).lines["tepat"].values[Span.MONTH]
    later = reader.read(now + KEPT, {}).lines["tepat"].values[Span.MONTH]
    assert young.age is not None
    assert later.age == young.age + KEPT


def test_a_value_turns_stale_by_time_alone(town: City, sqlite_history: History) -> None:
    put(sqlite_history, shares({"before": 0.8, "after": 0.8}))
    reader = OverviewReader(town, sqlite_history)
    reader.read(after(LAST), {})
    late = reader.read(after(LAST + timedelta(days=4)), {}).lines["tepat"].values[Span.MONTH]
    assert (late.grey, late.light) == (Grey.STALE, Light.GREY)


def test_a_corrected_fact_changes_the_version_and_the_value(town: City, history: History) -> None:
    put(history, shares({"before": 0.8, "after": 0.8}))
    reader, now = OverviewReader(town, history), after(LAST)
    before, version = reader.read(now, {}), reader.version(now)
    put(history, shares({"before": 0.8, "after": 0.4}))
    assert before.version == version != reader.version(now)
    assert reader.read(now, {}).lines["tepat"].values[Span.MONTH].value == pytest.approx(0.4)


def test_writing_the_same_fact_again_changes_no_version(town: City, history: History) -> None:
    reader, facts = OverviewReader(town, history), shares({"before": 0.8, "after": 0.8})
    put(history, facts)
    version = reader.version(after(LAST))
    put(history, facts)
    assert reader.version(after(LAST)) == version


def test_another_day_and_another_definition_are_another_version(
    town: City, sqlite_history: History
) -> None:
    now = after(LAST)
    stricter = {**KPIS, "tepat": replace(KPIS["tepat"], target=Target(level=0.9))}
    other = OverviewReader(replace(town, kpis=stricter), sqlite_history)
    reader = OverviewReader(town, sqlite_history)
    found = {reader.version(now), reader.version(now + timedelta(days=1)), other.version(now)}
    assert len(found) == 3


def test_an_indicator_that_is_forgotten_changes_the_version(town: City, history: History) -> None:
    put(history, shares({"before": 0.8, "after": 0.8}))
    reader, now = OverviewReader(town, history), after(LAST)
    version = reader.version(now)
    history.kpis.forget("tepat")
    assert reader.version(now) != version
    assert reader.read(now, {}).lines["tepat"].values[Span.MONTH].grey is Grey.NO_DATA


def test_a_source_that_fails_shows_at_once(town: City, sqlite_history: History) -> None:
    reader, now = OverviewReader(town, sqlite_history), after(LAST)
    fresh = {name: SourceState(source_id=name, last_success=now) for name in town.sources}
    assert [e for e in reader.read(now, fresh).overdue if e.kind is OverdueKind.DATA] == []
    failing = {**fresh, "elapor": replace(fresh["elapor"], failures=1)}
    (late,) = reader.read(now, failing).overdue
    assert (late.kind, late.subject, late.owner) == (OverdueKind.DATA, "elapor", "diskominfo")


# --- the sections --------------------------------------------------------------------------------


def test_overdue_reports_are_the_department_s_that_the_source_names(
    town: City, history: History
) -> None:
    now = after(LAST)
    for number, (agency, late_h) in enumerate(
        [("PUPR", 5), ("Bidang yang tidak dikenal", 50), ("pupr", -5), (None, 1)]
    ):
        report = build_incident(
            external_id=f"r{number}", agency=agency, status=Status.IN_PROGRESS, closed_at=None,
            requested_at=now - timedelta(days=9), due_at=now - timedelta(hours=late_h),
            observed_at=now - timedelta(days=1), fetched_at=now,
        )  # fmt: skip
        history.settle(report.source_id, [report], fetched_at=now, fence=1)
    fresh = {name: SourceState(source_id=name, last_success=now) for name in town.sources}
    overdue = OverviewReader(town, history).read(now, fresh).overdue
    assert [(each.owner, each.count, each.of) for each in overdue] == [
        # Two since 50 hours weigh more than one since five.
        ("diskominfo", 2, 2),
        ("pupr", 1, 2),
    ]
    assert overdue[0].oldest == now - timedelta(hours=50)


def test_a_late_step_is_overdue_and_one_without_a_day_is_not(
    town: City, sqlite_history: History
) -> None:
    late = Milestone(
        id="a", name_id="A", name_en="A", dimension="d", owner="diskominfo",
        due=LAST - timedelta(days=3),
    )  # fmt: skip
    steps = (late, replace(late, id="b", due=None))
    planned = replace(town, programme=Programme(milestones=steps))
    now = after(LAST)
    fresh = {name: SourceState(source_id=name, last_success=now) for name in town.sources}
    overview = OverviewReader(planned, sqlite_history).read(now, fresh)
    assert [each.state for each in overview.milestones] == [
        MilestoneState.LATE,
        MilestoneState.UNDATED,
    ]
    assert [(each.kind, each.subject) for each in overview.overdue] == [
        (OverdueKind.MILESTONE, "a")
    ]


def test_every_department_is_on_the_ladder_once(town: City, sqlite_history: History) -> None:
    ladder = OverviewReader(town, sqlite_history).read(after(LAST), {}).ladder
    assert [each.opd for each in ladder] == list(town.opds)


def test_kecamatan_are_shown_for_the_pack_s_choices_only(town: City, history: History) -> None:
    put(history, years(LAST, 40))
    reader = OverviewReader(town, history)
    found = reader.read(after(LAST), {}, districts="uang").districts
    assert found is not None
    assert (found.kpi, found.choices, len(found.rows)) == ("tepat", ("tepat",), 18)
    own = next(each for each in found.rows if each.code == PLACE)
    assert own.value.n > 0
    assert found.unplaced == found.city.n - own.value.n


# --- one opened ----------------------------------------------------------------------------------


def test_a_detail_names_the_days_of_which_nothing_is_known(town: City, history: History) -> None:
    put(history, [fact("tepat", LAST - timedelta(days=back), 1.0, 2.0) for back in (6, 5, 2, 1)])
    detail = OverviewReader(town, history).detail("tepat", after(LAST), {}, days=8)
    assert [(each.first, each.last) for each in detail.gaps] == [
        (LAST - timedelta(days=7), LAST - timedelta(days=7)),
        (LAST - timedelta(days=4), LAST - timedelta(days=3)),
        (LAST, LAST),
    ]
    assert [each.value for each in detail.trend] == [0.5] * 4


def test_a_state_has_no_gap_until_it_is_stale(town: City, history: History) -> None:
    put(history, [fact("stok", LAST - timedelta(days=60), 1.0)])
    detail = OverviewReader(town, history).detail("stok", after(LAST), {}, days=61)
    assert detail.gaps == (Gap(first=LAST - timedelta(days=19), last=LAST),)


def test_a_detail_has_the_running_total_of_its_year(town: City, history: History) -> None:
    put(history, [fact("uang", date(2026, 1, day), 10.0) for day in (1, 2, 3)])
    put(history, [fact("uang", date(2025, 12, 31), 99.0)])
    last = date(2026, 1, 31)
    detail = OverviewReader(town, history).detail("uang", after(last), {}, days=40)
    assert [each.value for each in detail.course] == [10.0, 20.0, 30.0]
    assert detail.course[-1].target == pytest.approx(3650 * 0.1 * 3 / 31)


def test_a_detail_has_a_point_a_week_for_each_kecamatan(town: City, history: History) -> None:
    put(
        history,
        [fact("tepat", LAST - timedelta(days=n), 1.0, 2.0, region=PLACE) for n in range(14)],
    )
    detail = OverviewReader(town, history).detail("tepat", after(LAST), {}, days=14)
    assert [(each.day, each.value, each.n) for each in detail.district_trends[PLACE]] == [
        (LAST - timedelta(days=7), 0.5, 35),
        (LAST, 0.5, 35),
    ]


def test_a_detail_says_how_its_sources_are_heard(town: City, history: History) -> None:
    now = after(LAST)
    history.record_outage("elapor", now - timedelta(days=2), "timeout", "")
    state = SourceState(source_id="elapor", last_success=now - timedelta(days=2), failures=9)
    detail = OverviewReader(town, history).detail("tepat", now, {"elapor": state})
    (source,) = detail.sources
    assert (source.source, source.health, source.age_s) == ("elapor", Health.DOWN, 2 * 86_400)
    assert detail.outages == (("elapor", now - timedelta(days=2), None),)
    assert detail.records[0].api.startswith("/api/v1/incidents?")


def test_an_unknown_indicator_is_a_key_error(town: City, sqlite_history: History) -> None:
    with pytest.raises(KeyError):
        OverviewReader(town, sqlite_history).detail("tidak_ada", after(LAST), {})
