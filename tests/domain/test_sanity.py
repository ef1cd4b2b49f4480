"""A reading is judged by its own series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lawang.domain.finding import FindingKind
from lawang.domain.measure import Measure, MeasureKind, Period, Reading
from lawang.domain.sanity import Past, judge

WIB = ZoneInfo("Asia/Jakarta")
AT = datetime(2026, 6, 1, tzinfo=UTC)
MILIAR = 1e9


def measure(kind: MeasureKind, **changes: Any) -> Measure:
    jump = None if kind is MeasureKind.GAUGE else 100.0
    made = Measure(id="m", name_id="M", name_en="M", unit="Rp", kind=kind, jump=jump)
    return replace(made, **changes)


def reading(value: float, at: datetime = AT) -> Reading:
    return Reading(
        source_id="s",
        measure="m",
        subject="",
        subject_name=None,
        value=value,
        at=at,
        observed_at=at,
        observed_estimated=False,
        fetched_at=at,
        kecamatan=None,
        kelurahan=None,
        placed_by="",
        location_problem="missing",
        latitude=None,
        longitude=None,
        simulated=False,
    )


def months(*values: float) -> Past:
    """Values of the months before `AT`, oldest first."""
    first = len(values)
    return [(AT - timedelta(days=30 * (first - n)), value) for n, value in enumerate(values)]


def kind_of(value: float, made: Measure, past: Past) -> FindingKind | None:
    found = judge(reading(value), made, past, WIB)
    return found.kind if found else None


FLOW = measure(MeasureKind.FLOW)
TOTAL = measure(MeasureKind.CUMULATIVE, resets=Period.YEAR)


@pytest.mark.parametrize("value", [240 * 1e6, 240 * 1e12])
def test_juta_printed_as_miliar_and_the_reverse_are_held_back(value: float) -> None:
    assert kind_of(value, FLOW, months(*[240 * MILIAR] * 3)) is FindingKind.MAGNITUDE


@pytest.mark.parametrize("value", [3 * MILIAR, 24_000 * MILIAR - 1, 0.0])
def test_less_than_a_hundred_times_more_or_less_is_believed_and_so_is_nothing(value: float) -> None:
    assert kind_of(value, FLOW, months(*[240 * MILIAR] * 3)) is None


def test_two_values_are_no_habit() -> None:
    assert kind_of(1e12, FLOW, months(1.0, 1.0)) is None


def test_zeroes_say_nothing_about_the_usual_size() -> None:
    assert kind_of(5.0, FLOW, months(0, 0, 0, 0)) is None


def test_a_gauge_may_leap() -> None:
    assert kind_of(80.0, measure(MeasureKind.GAUGE), months(0.2, 0.2, 0.2, 0.4)) is None


@pytest.mark.parametrize(("value", "held"), [(-1, True), (0, False), (500, False), (501, True)])
def test_what_cannot_be_true_is_held_back(value: float, held: bool) -> None:
    gauge = measure(MeasureKind.GAUGE, expected=(0.0, 500.0))
    assert (kind_of(value, gauge, []) is FindingKind.OUT_OF_RANGE) is held


def test_a_total_that_falls_within_its_year_is_held_back() -> None:
    assert kind_of(9.0, TOTAL, months(5, 8, 10)) is FindingKind.FALLING


def test_an_older_total_that_comes_late_is_not_falling() -> None:
    later = [(AT + timedelta(days=30), 10.0)]
    assert judge(reading(8.0), TOTAL, later, WIB) is None


def test_a_total_that_stands_still_is_believed() -> None:
    assert kind_of(10.0, TOTAL, months(5, 8, 10)) is None


def test_a_total_begins_again_with_its_year() -> None:
    january = datetime(2027, 1, 10, tzinfo=UTC)
    past = [(datetime(2026, month, 1, tzinfo=UTC), 10.0 * month) for month in (10, 11, 12)]
    assert judge(reading(0.5, january), TOTAL, past, WIB) is None


def test_new_year_is_that_of_the_city() -> None:
    # 00:30 on 1 January in Palembang is still December in UTC.
    midnight = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)
    past = [(datetime(2026, month, 1, tzinfo=UTC), 10.0 * month) for month in (10, 11, 12)]
    assert judge(reading(0.5, midnight), TOTAL, past, WIB) is None


def test_a_total_a_thousand_times_too_large_is_held_back() -> None:
    assert kind_of(11_000.0, TOTAL, months(5, 8, 10)) is FindingKind.MAGNITUDE


def test_a_total_that_never_resets_may_not_fall_over_new_year() -> None:
    never = measure(MeasureKind.CUMULATIVE)
    january = datetime(2027, 1, 10, tzinfo=UTC)
    found = judge(reading(1.0, january), never, [(AT, 5.0)], WIB)
    assert found is not None
    assert found.kind is FindingKind.FALLING


def test_a_finding_says_what_is_usual() -> None:
    found = judge(reading(240 * 1e12), FLOW, months(*[240 * MILIAR] * 3), WIB)
    assert found is not None
    assert (found.value, found.usual, found.at) == (240 * 1e12, 240 * MILIAR, AT)
    assert "1000 times" in found.detail
