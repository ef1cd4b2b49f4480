"""The simulated accounts agree with what was published, and with themselves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from simulator.apbd.books import Entry, revenue_on, revenue_until, spending_until
from simulator.apbd.files import plan
from simulator.apbd.treasury import BORROWED, LEFT, balance_on, financing_until, flows_of
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


def _total(entries: list[Entry]) -> int:
    return sum(each.realised for each in entries)


def _net_financing(town: Town, day: date) -> int:
    return sum(
        each.realised if each.code.startswith("6.1") else -each.realised
        for each in financing_until(town, _SEED, day)
    )


@pytest.mark.parametrize("day", [date(2024, 1, 1), date(2025, 6, 10), date(2026, 11, 20)])
def test_cash_is_revenue_less_spending_plus_financing_to_the_rupiah(town: Town, day: date) -> None:
    came, spent = _total(revenue_on(_SEED, day)), _total(spending_until(town, _SEED, day))
    assert balance_on(town, _SEED, day) == came - spent + _net_financing(town, day)


def test_what_was_left_of_a_year_is_what_the_next_one_begins_with(town: Town) -> None:
    (left,) = [each for each in financing_until(town, _SEED, date(2026, 1, 1)) if each.code == LEFT]
    assert left.realised == balance_on(town, _SEED, date(2025, 12, 31))


@pytest.mark.parametrize("last", [date(2026, 11, 20), date(2025, 12, 31), date(2026, 1, 1)])
def test_a_days_flows_lead_from_one_balance_to_the_next(town: Town, last: date) -> None:
    came, paid = flows_of(town, _SEED, last)
    before = balance_on(town, _SEED, last - timedelta(days=1))
    assert balance_on(town, _SEED, last) == before + came - paid


def test_the_account_is_never_empty(town: Town) -> None:
    lows = [
        balance_on(town, seed, date(year, month, day))
        for seed in (1, 2, _SEED)
        for year, month, day in ((2024, 12, 31), (2025, 2, 1), (2026, 12, 31))
    ]
    assert min(lows) > 0


def test_a_year_that_would_end_empty_ends_with_a_loan(town: Town) -> None:
    last = date(2024, 12, 31)
    loans = {
        seed: next(e for e in financing_until(town, seed, last) if e.code == BORROWED).realised
        for seed in range(12)
    }
    assert any(loans.values())
    assert not all(loans.values())


def test_the_file_that_a_fault_spoils_is_the_newest_of_revenue(town: Town) -> None:
    *rest, last = plan(town, _SEED, datetime.fromisoformat("2026-11-21T12:00:00+07:00"))
    assert last.name == "apbd_pendapatan_2026-10.csv"
    assert {each.name for each in rest} >= {
        "apbd_belanja_opd_2026-10.csv", "apbd_pembiayaan_2026-10.csv", "kas_daerah_2026-11-20.csv",
    }  # fmt: skip
