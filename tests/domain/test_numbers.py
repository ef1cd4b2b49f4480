"""Numbers as departments write them; zero is not missing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawang.domain.values import is_missing, read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Rp1.234.567,00", 1_234_567.0),
        ("Rp. 1.234.567,-", 1_234_567.0),
        ("Rp 12.500", 12_500.0),
        ("1.234", 1_234.0),
        ("12,5", 12.5),
        ("-3,25", -3.25),
        ("(1.000,50)", -1_000.5),
        ("64,54%", 64.54),
        ("0", 0.0),
        ("0,00", 0.0),
        ("\u22125", -5.0),
        ("1 234 567", 1_234_567.0),
    ],
)
def test_with_a_decimal_comma_the_point_groups_thousands(text: str, value: float) -> None:
    assert read_number(text, ",") == value


@pytest.mark.parametrize("text", ["1.23", "1,234,567", "1.2345", "12.34.56", "Rp", "dua", "1e5x"])
def test_what_does_not_fit_the_decimal_comma_is_no_number(text: str) -> None:
    assert read_number(text, ",") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234,567.5", 1_234_567.5), ("1.234", 1.234), ("1e3", 1000.0), ("+7", 7.0), ("12.", 12.0)],
)
def test_with_a_decimal_point_the_comma_groups_thousands(text: str, value: float) -> None:
    assert read_number(text) == value


@pytest.mark.parametrize("value", [True, False, None, [], {}, math.nan, math.inf, 10**400, "NaN"])
def test_what_is_no_number_is_none(value: object) -> None:
    assert read_number(value) is None


@pytest.mark.parametrize("value", [None, "", " - ", "N/A", "null", math.nan])
def test_what_departments_write_for_nothing_is_missing(value: object) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, 0.0, "0", False, "nol"])
def test_zero_is_not_missing(value: object) -> None:
    assert not is_missing(value)


@given(st.text(), st.sampled_from([",", "."]))
def test_no_text_is_an_error(text: str, decimal: str) -> None:
    value = read_number(text, decimal)
    assert value is None or math.isfinite(value)
