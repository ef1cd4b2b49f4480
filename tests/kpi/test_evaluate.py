"""Values and scores from stored facts, as pages read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lawang.city import City
from lawang.domain.formula import IncidentFigure, IncidentFormula
from lawang.domain.kpi import Combine, Daily, Dimension, Grey, Kpi, Light, Span, Target
from lawang.kpi.evaluate import Evaluator
from lawang.store.history import History
from tests.kpi.desk import indicator

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)  # 10:00 WIB
LAST = date(2026, 11, 20)
FORMULA = IncidentFormula(figure=IncidentFigure.CLOSED, sources=("elapor",))
SHARE = indicator(FORMULA, id="share", target=Target(level=0.8), minimum=5)
SUM = indicator(FORMULA, id="sum", combine=Combine.SUM, target=Target(per_day=10.0))


@pytest.fixture
def small(city: City, history: History) -> tuple[Evaluator, History]:
    """A city of two indicators in one dimension."""
    dimension = Dimension(id="services", name_id="L", name_en="S", weight=1.0)
    kpis = {each.id: each for each in (SHARE, SUM)}
    own = replace(city, dimensions={"services": dimension}, kpis=kpis, curves={})
    return Evaluator(own, history.kpis), history


def put(history: History, kpi: Kpi, num: float, den: float, n: int, *back: int,
        region: str = "") -> None:  # fmt: skip
    """The same fact on days so long before the last one."""
    for days in back:
        day = LAST - timedelta(days=days)
        known = [
            each for each in history.kpis.days(kpi.id, day, day, None) if each.region != region
        ]
        seen = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
        fact = Daily(
            kpi=kpi.id, region=region, day=day, num=num, den=den, n=n, observed_at=seen
        )  # fmt: skip
        history.kpis.replace(kpi.id, day, day, [*known, fact])


def test_the_day_that_still_runs_is_in_no_horizon(small: tuple[Evaluator, History]) -> None:
    horizon = small[0].horizon(Span.DAY, NOW)
    assert (horizon.first, horizon.last) == (LAST, LAST)


def test_just_after_midnight_yesterday_is_complete(small: tuple[Evaluator, History]) -> None:
    # 17:00 UTC is midnight in Palembang.
    assert small[0].horizon(Span.DAY, datetime(2026, 11, 21, 16, 59, tzinfo=UTC)).last == LAST
    later = small[0].horizon(Span.DAY, datetime(2026, 11, 21, 17, 0, tzinfo=UTC))
    assert later.last == date(2026, 11, 21)


def test_a_value_has_its_target_and_score(small: tuple[Evaluator, History]) -> None:
    evaluator, history = small
    put(history, SHARE, 6.0, 10.0, 10, 0, 1)
    value = evaluator.value(SHARE, evaluator.horizon(Span.WEEK, NOW), NOW)
    assert (value.value, value.target, value.score) == (0.6, 0.8, pytest.approx(0.75))
    assert (value.n, value.days, value.light) == (20, 2, Light.RED)


def test_old_facts_are_stale(small: tuple[Evaluator, History]) -> None:
    evaluator, history = small
    put(history, SHARE, 6.0, 10.0, 10, 5)
    value = evaluator.value(SHARE, evaluator.horizon(Span.WEEK, NOW), NOW)
    assert (value.grey, value.value) == (Grey.STALE, 0.6)


def test_a_kecamatan_with_few_records_is_grey_and_one_without_has_none(
    small: tuple[Evaluator, History],
) -> None:
    evaluator, history = small
    put(history, SHARE, 8.0, 10.0, 10, 0)
    put(history, SHARE, 5.0, 5.0, 5, 0, region="16.71.01")
    put(history, SHARE, 1.0, 2.0, 2, 0, region="16.71.02")
    found = evaluator.by_kecamatan(SHARE, evaluator.horizon(Span.DAY, NOW), NOW)
    assert len(found) == 18
    assert (found["16.71.01"].value, found["16.71.01"].grey) == (1.0, None)
    assert (found["16.71.02"].value, found["16.71.02"].grey) == (0.5, Grey.FEW)
    assert found["16.71.03"].grey is Grey.NO_DATA


def test_the_trend_leaves_missing_days_out(small: tuple[Evaluator, History]) -> None:
    evaluator, history = small
    put(history, SUM, 12.0, 1.0, 12, 0, 2)
    points = evaluator.trend(SUM, LAST - timedelta(days=6), LAST)
    assert [(each.day, each.value, each.target) for each in points] == [
        (LAST - timedelta(days=2), 12.0, 10.0),
        (LAST, 12.0, 10.0),
    ]


def test_a_sum_grows_beside_its_target(small: tuple[Evaluator, History]) -> None:
    evaluator, history = small
    put(history, SUM, 12.0, 1.0, 12, 0, 1)
    points = evaluator.cumulative(SUM, LAST - timedelta(days=1), LAST)
    assert [(each.value, each.target) for each in points] == [(12.0, 10.0), (24.0, 20.0)]
    assert evaluator.cumulative(SHARE, LAST, LAST) == []


def test_a_score_names_what_moved_it(small: tuple[Evaluator, History]) -> None:
    evaluator, history = small
    put(history, SHARE, 8.0, 10.0, 10, *range(7))
    put(history, SHARE, 4.0, 10.0, 10, *range(7, 14))
    put(history, SUM, 10.0, 1.0, 10, *range(14))
    whole, dimension = evaluator.scores(Span.WEEK, NOW)
    assert (whole.score, whole.before, whole.counting, whole.total) == (1.0, 0.75, 2, 2)
    assert [(each.kpi, each.contribution) for each in whole.drivers] == [
        ("share", 0.25),
        ("sum", 0),
    ]
    assert dimension.drivers == whole.drivers


def test_a_past_day_is_judged_as_fresh_as_it_was(small: tuple[Evaluator, History]) -> None:
    evaluator, history = small
    put(history, SHARE, 8.0, 10.0, 10, 40)
    whole, _ = evaluator.scores(Span.DAY, NOW, LAST - timedelta(days=40))
    assert (whole.score, whole.counting) == (1.0, 1)
