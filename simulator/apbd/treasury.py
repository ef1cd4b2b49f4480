"""Financing (account group 6) and the city's cash, so that the accounts close.

What was left of a year is what the next one begins with (6.1.01), and the balance of the city's
account is that, and what came in, less what was paid out, to the rupiah. All amounts are made up.
"""

from __future__ import annotations

from datetime import date, timedelta

from simulator.apbd.books import (
    REVENUE,
    SPENDING,
    Entry,
    revenue_on,
    spending_until,
    total_of,
)
from simulator.city_life import Town

_MILIAR = 1_000_000_000
#: What was left of the last year before the first one that is simulated.
_FIRST_YEAR, _LEFT_BEFORE = 2024, 105 * _MILIAR
_STAKE, _REPAID = 25 * _MILIAR, 30 * _MILIAR
_STAKE_DAY, _LOAN_DAY = (6, 10), (12, 15)
_QUARTERS = ((3, 31), (6, 30), (9, 30), (12, 31))
#: Below this at the end of a year the city borrows.
_LEAST = 20 * _MILIAR

LEFT, BORROWED, STAKE, REPAID = "6.1.01", "6.1.04", "6.2.02", "6.2.03"
_NAMES = {
    LEFT: "Sisa Lebih Perhitungan Anggaran Tahun Sebelumnya",
    BORROWED: "Penerimaan Pinjaman Daerah",
    STAKE: "Penyertaan Modal Daerah",
    REPAID: "Pembayaran Cicilan Pokok Utang yang Jatuh Tempo",
}


def financing_until(town: Town, seed: int, day: date) -> list[Entry]:
    """Financing by account until a day: receipts (6.1) and payments (6.2), both positive."""
    year, now = day.year, (day.month, day.day)
    gap = total_of(SPENDING, year) - total_of(REVENUE, year)
    left = _left_of(town, seed, year - 1)
    repaid = sum(now >= quarter for quarter in _QUARTERS) * _REPAID // len(_QUARTERS)
    realised = {
        LEFT: left,
        BORROWED: _borrowed(town, seed, year, left) if now >= _LOAN_DAY else 0,
        STAKE: _STAKE if now >= _STAKE_DAY else 0,
        REPAID: repaid,
    }
    budget = {LEFT: gap + _STAKE + _REPAID, BORROWED: 0, STAKE: _STAKE, REPAID: _REPAID}
    return [Entry(code, name, budget[code], realised[code]) for code, name in _NAMES.items()]


def balance_on(town: Town, seed: int, day: date) -> int:
    """What is on the city's account in the evening of a day, in rupiah."""
    came, paid = _flows(town, seed, day)
    return came - paid


def flows_of(town: Town, seed: int, day: date) -> tuple[int, int]:
    """What came in on a day and what was paid out; on 1 January without what was carried over."""
    came, paid = _flows(town, seed, day)
    before = day - timedelta(days=1)
    if before.year != day.year:
        return came - _left_of(town, seed, before.year), paid
    came_before, paid_before = _flows(town, seed, before)
    return came - came_before, paid - paid_before


def _flows(town: Town, seed: int, day: date) -> tuple[int, int]:
    """Receipts and payments since 1 January, what was carried over being a receipt."""
    financing = {each.code: each.realised for each in financing_until(town, seed, day)}
    came = sum(each.realised for each in revenue_on(seed, day))
    paid = sum(each.realised for each in spending_until(town, seed, day))
    return (
        came + financing[LEFT] + financing[BORROWED],
        paid + financing[STAKE] + financing[REPAID],
    )


def _left_of(town: Town, seed: int, year: int) -> int:
    """What was left of a year (SiLPA)."""
    if year < _FIRST_YEAR:
        return _LEFT_BEFORE
    carried = _left_of(town, seed, year - 1)
    return _surplus(town, seed, year, carried) + _borrowed(town, seed, year, carried)


def _borrowed(town: Town, seed: int, year: int, carried: int) -> int:
    return max(0, _LEAST - _surplus(town, seed, year, carried))


def _surplus(town: Town, seed: int, year: int, carried: int) -> int:
    """What a year leaves without a loan."""
    last = date(year, 12, 31)
    came = sum(each.realised for each in revenue_on(seed, last))
    spent = sum(each.realised for each in spending_until(town, seed, last))
    return came - spent + carried - _STAKE - _REPAID
