"""Numbers as people write them."""

from __future__ import annotations

import pytest

from layouts import formats


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (0.9991, "0,99"),
        (0.999999999999, "1,00"),
        (1.0, "1,00"),
        (0.8999, "0,89"),
        (0.29, "0,29"),
        (0.57, "0,57"),
        (1.5, "1,50"),
        (0.0, "0,00"),
        (None, "–"),
    ],
)
def test_a_score_shows_no_threshold_that_it_has_not_reached(
    score: float | None, shown: str
) -> None:
    assert formats.score(score, "id") == shown
