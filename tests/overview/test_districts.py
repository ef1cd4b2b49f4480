"""Who stands out among the kecamatan, and who does not."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from lawang.city import City
from lawang.domain.formula import (
    Across,
    IncidentFigure,
    IncidentFormula,
    ReadingFormula,
    ReadingRatioFormula,
)
from lawang.domain.kpi import (
    Combine,
    Direction,
    Horizon,
    Kpi,
    KpiValue,
    Span,
    Target,
    Totals,
    evaluate,
)
from lawang.overview.districts import rank
from lawang.overview.model import Districts, Standing
from tests.kpi.desk import after, indicator

LAST = date(2026, 11, 20)
MONTH = Horizon.ending(Span.MONTH, LAST)
SHARE = indicator(
    IncidentFormula(figure=IncidentFigure.WITHIN_DUE, sources=("elapor",)),
    target=Target(level=0.9),
    minimum=10,
)


def value(kpi: Kpi, num: float, den: float, n: int, region: str = "") -> KpiValue:
    totals = Totals(num=num, den=den, n=n, days=30, newest=LAST, observed_at=after(LAST))
    return evaluate(kpi, MONTH, totals, now=after(LAST), region=region)


def ranking(
    city: City, kpi: Kpi, own: Mapping[str, tuple[float, float]], unplaced: tuple[float, float]
) -> Districts:
    """Kecamatan by (num, den), the cohort being den; those not named have none."""
    values = {
        each.code: value(kpi, *own.get(each.code, (0.0, 0.0)), int(own.get(each.code, (0, 0))[1]),
                         each.code)
        for each in city.kecamatan
    }  # fmt: skip
    cohorts = [*own.values(), unplaced]
    num, den = sum(each[0] for each in cohorts), sum(each[1] for each in cohorts)
    return rank(city, kpi, value(kpi, num, den, int(den)), values, {})


def even(city: City, share: float = 0.8, den: float = 100) -> dict[str, tuple[float, float]]:
    return {each.code: (share * den, den) for each in city.kecamatan}


def standings(found: Districts) -> dict[str, Standing]:
    return {each.code: each.standing for each in found.rows}


def test_kecamatan_that_are_alike_do_not_stand_out(city: City) -> None:
    found = ranking(city, SHARE, even(city), (0, 0))
    assert set(standings(found).values()) == {Standing.SAME}


def test_one_that_is_far_below_the_rest_is_worse_and_comes_first(city: City) -> None:
    found = ranking(city, SHARE, even(city) | {"16.71.05": (50, 100)}, (0, 0))
    assert found.rows[0].code == "16.71.05"
    assert found.rows[0].standing is Standing.WORSE
    assert [each.standing for each in found.rows[1:]] == [Standing.SAME] * 17


def test_one_a_little_below_the_rest_is_within_chance(city: City) -> None:
    # 0.70 of 100 would be outside of a plain 95% interval about 0.8, but not with 18 compared.
    found = ranking(city, SHARE, even(city) | {"16.71.05": (70, 100)}, (0, 0))
    assert standings(found)["16.71.05"] is Standing.SAME


def test_where_less_is_better_more_is_worse(city: City) -> None:
    kpi = replace(SHARE, direction=Direction.DOWN)
    found = ranking(city, kpi, even(city, 0.1) | {"16.71.05": (50, 100)}, (0, 0))
    assert found.rows[0].code == "16.71.05"
    assert found.rows[0].standing is Standing.WORSE


def test_a_cohort_below_the_minimum_says_nothing_and_comes_last(city: City) -> None:
    found = ranking(city, SHARE, even(city) | {"16.71.05": (0, 9)}, (0, 0))
    assert (found.rows[-1].code, found.rows[-1].standing) == ("16.71.05", Standing.FEW)


def test_what_belongs_to_no_kecamatan_is_told(city: City) -> None:
    found = ranking(city, SHARE, even(city), (20, 37))
    assert found.unplaced == 37


def test_a_kecamatan_is_held_against_the_city_without_it(city: City) -> None:
    # It has most of all records: against the whole city, itself included, it would not stand out.
    own = {each.code: (16.0, 20.0) for each in city.kecamatan} | {"16.71.05": (1300.0, 2000.0)}
    found = ranking(city, SHARE, own, (0, 0))
    assert standings(found)["16.71.05"] is Standing.WORSE
    assert found.judged


def test_amounts_and_counts_stand_nowhere(city: City) -> None:
    count = indicator(
        IncidentFormula(figure=IncidentFigure.COUNT, sources=("elapor",)), combine=Combine.SUM
    )
    values = {
        each.code: value(count, 500.0 if n == 0 else 5.0, 30.0, 50, each.code)
        for n, each in enumerate(city.kecamatan)
    }
    found = rank(city, count, value(count, 585.0, 30.0, 900), values, {})
    assert set(standings(found).values()) == {Standing.SAME}
    assert not found.judged
    assert found.rows[0].value.value == 500
    first = next(each for each in found.rows if each.value.value == 500)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 500 < first.high


def test_a_mean_stands_out_by_how_its_days_scatter(city: City) -> None:
    part = ReadingFormula(source="uji", measure="asked", across=Across.SUM)
    kpi = indicator(
        ReadingRatioFormula(numerator=part, denominator=replace(part, measure="done")), minimum=10
    )
    dice = random.Random(1)
    days = {
        each.code: [
            (LAST - timedelta(days=back), dice.gauss(50.0 if n else 30.0, 4.0), 10.0, 1)
            for back in range(30)
        ]
        for n, each in enumerate(city.kecamatan)
    }
    sums = {code: (sum(d[1] for d in own), sum(d[2] for d in own)) for code, own in days.items()}
    values = {code: value(kpi, num, den, 30, code) for code, (num, den) in sums.items()}
    num, den = sum(each[0] for each in sums.values()), sum(each[1] for each in sums.values())
    found = rank(city, kpi, value(kpi, num, den, 540), values, days)
    assert [each.standing for each in found.rows].count(Standing.WORSE) == 1
    assert found.rows[0].code == city.kecamatan[0].code


def test_chance_alone_names_somebody_in_one_of_twenty_rankings_at_most(city: City) -> None:
    dice = random.Random(2)
    named = 0
    for _ in range(200):
        own = {
            each.code: (float(sum(dice.random() < 0.8 for _ in range(80))), 80.0)
            for each in city.kecamatan
        }
        found = ranking(city, SHARE, own, (0, 0))
        named += any(each.standing is not Standing.SAME for each in found.rows)
    assert named <= 16
