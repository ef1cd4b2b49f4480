"""The simulated accounts agree with what was published, and with themselves."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from simulator.apbd.books import revenue_until, spending_until
from simulator.city_life import Town

_SEED = 1671


def _absorbed(town: Town, day: date) -> dict[str, float]:
    return {each.code: each.realised / each.budget for each in spending_until(town, _SEED, day)}


@pytest.mark.parametrize(("year", "total"), [(2025, 5.223e12), (2026, 4.6e12)])
def test_the_revenue_target_is_the_published_one(year: int, total: float) -> None:
    assert sum(each.budget for each in revenue_until(_SEED, year, 10)) == pytest.approx(total)


def test_spending_stood_where_it_was_published(town: Town) -> None:
    entries = spending_until(town, _SEED, date(2025, 11, 19))
    budget = sum(each.budget for each in entries)
    assert budget == pytest.approx(5.290e12)
    assert sum(each.realised for each in entries) / budget == pytest.approx(0.6454, abs=1e-4)


def test_the_slowest_and_the_fastest_opd_are_the_published_ones(town: Town) -> None:
    absorbed = _absorbed(town, date(2025, 11, 19))
    ranked = sorted(absorbed, key=lambda code: absorbed[code])
    assert (ranked[0], ranked[-1]) == ("perkimtan", "kecamatan_kemuning")
    assert absorbed["perkimtan"] == pytest.approx(0.2783, abs=1e-4)
    assert absorbed["kecamatan_kemuning"] == pytest.approx(0.8644, abs=1e-4)


def test_nothing_that_was_spent_is_given_back_within_a_year(town: Town) -> None:
    months = [_absorbed(town, date(2026, month, 28)) for month in range(1, 13)]
    falls = [
        (month, code)
        for month, (before, after) in enumerate(pairwise(months), start=2)
        for code in before
        if after[code] < before[code]
    ]
    assert falls == []


def test_pbb_is_paid_in_autumn() -> None:
    def share(month: int) -> float:
        (entry,) = [each for each in revenue_until(_SEED, 2025, month) if each.name == "PBB-P2"]
        return entry.realised / entry.budget

    assert share(2) < 0.02
    assert share(9) > 0.7
