"""What an address asks of the analysis page; a browser may say anything."""

from __future__ import annotations

import pytest

from layouts.analysis import DEFAULT_DAYS, Choice


@pytest.mark.parametrize("days", ["", "-1", "93", "9" * 5000, None, [92]])
def test_a_range_that_makes_no_sense_becomes_the_default(days: object) -> None:
    assert Choice.of("pad", "month", days).days == DEFAULT_DAYS


def test_a_range_that_is_offered_is_taken() -> None:
    assert Choice.of("pad", "month", "1100").days == 1100
