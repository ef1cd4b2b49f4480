"""CSV: numbers as the language's spreadsheet reads them, and no formula from anybody."""

from __future__ import annotations

from datetime import date

import pytest

from layouts.spreadsheet import csv_text


def lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").split("\r\n")


def test_it_begins_with_a_byte_order_mark() -> None:
    assert csv_text(["a"], [], "id").startswith("\ufeffa")


def test_indonesian_has_semicolons_and_decimal_commas() -> None:
    assert lines(csv_text(["hari", "nilai"], [[date(2026, 11, 21), 0.875]], "id")) == [
        "hari;nilai",
        "2026-11-21;0,875",
        "",
    ]


def test_english_has_commas_and_points() -> None:
    assert lines(csv_text(["day", "value"], [[date(2026, 11, 21), 0.875]], "en"))[1] == (
        "2026-11-21,0.875"
    )


def test_numbers_are_complete() -> None:
    assert lines(csv_text(["v"], [[0.1 + 0.2], [5_690_000_000_000.0], [-3]], "en"))[1:4] == [
        "0.30000000000000004",
        "5690000000000.0",
        "-3",
    ]


def test_what_is_missing_is_empty_and_nought_is_nought() -> None:
    assert lines(csv_text(["a", "b"], [[None, 0.0]], "id"))[1] == ";0,0"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_is_never_a_formula(text: str) -> None:
    assert csv_text(["a"], [[text]], "en").removeprefix("\ufeffa\r\n").strip('"').startswith("'")
