"""What single parts of a CAP message mean."""

from __future__ import annotations

import pytest

from connectors.budget import Budget, provider_of
from connectors.cap.options import CapOptions
from connectors.cap.parse import parse_answer
from connectors.cap.places import read_circle, read_polygon
from lawang.connector import Answer
from lawang.domain.alert import Bulletin, Severity
from tests.connectors.conftest import NOW


def _bulletin(infos: str, status: str = "Actual", **given: object) -> list[Bulletin]:
    text = (
        f"<alert><identifier>1</identifier><sent>2026-11-21T18:00:00+07:00</sent>"
        f"<status>{status}</status><msgType>Alert</msgType>{infos}</alert>"
    )
    options = CapOptions.model_validate({"url": "http://example.go.id/", **given})
    return parse_answer(options, Answer(text.encode(), "", NOW)).bulletins


def _info(language: str, severity: str, event: str) -> str:
    return (
        f"<info><language>{language}</language><severity>{severity}</severity>"
        f"<event>{event}</event></info>"
    )


def test_the_language_wanted_comes_before_severity() -> None:
    (found,) = _bulletin(_info("en-US", "Extreme", "rain") + _info("id-ID", "Minor", "hujan"))
    assert (found.event, found.severity) == ("hujan", Severity.MINOR)


def test_the_most_severe_block_of_a_language_counts() -> None:
    (found,) = _bulletin(_info("id", "Minor", "a") + _info("id", "Severe", "b"))
    assert found.event == "b"


def test_english_stands_in_for_a_language_that_is_missing() -> None:
    (found,) = _bulletin(_info("fr", "Severe", "pluie") + _info("en-GB", "Minor", "rain"))
    assert found.event == "rain"


def test_an_exercise_is_taken_only_where_it_is_wanted() -> None:
    info = _info("id", "Minor", "latihan")
    assert _bulletin(info, status="Exercise") == []
    (found,) = _bulletin(info, status="Exercise", accept_tests=True)
    assert found.facts == {"status": "Exercise"}


def test_an_open_polygon_is_closed() -> None:
    ring = read_polygon("-2.9,104.7 -2.9,104.8 -3,104.8")
    assert ring is not None
    assert ring[0] == ring[-1] == (104.7, -2.9)


@pytest.mark.parametrize(
    "text",
    ["", "1,2 3,4", "1,2 1,2 1,2", "1,2 3,4 5", "95,1 2,2 3,3", "1,2,3 4,5 6,7", "a,b c,d e,f"],
)
def test_what_is_no_polygon_is_none(text: str) -> None:
    assert read_polygon(text) is None


def test_a_circle_has_32_corners_at_its_radius() -> None:
    ring = read_circle("0,104 11.12")
    assert ring is not None
    assert len(ring) == 33
    assert ring[0] == pytest.approx((104.1, 0), abs=1e-6)


@pytest.mark.parametrize("text", ["", "0,104", "0,104 -1", "0,104 1e9", "104 1", "0,104 1 2"])
def test_what_is_no_circle_is_none(text: str) -> None:
    assert read_circle(text) is None


def test_a_budget_holds_over_any_minute() -> None:
    now = 0.0
    budget = Budget(lambda: now)
    assert [budget.wait_s(2) for _ in range(3)] == [0, 0, 60]
    now = 59.0
    assert budget.wait_s(2) == 1
    now = 60.0
    assert budget.wait_s(2) == 0


def test_a_small_share_leaves_the_rest_to_others() -> None:
    budget = Budget(lambda: 0.0)
    assert [budget.wait_s(1), budget.wait_s(1) > 0, budget.wait_s(3)] == [0, True, 0]


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://data.bmkg.go.id/x", "bmkg.go.id"),
        ("https://api.bmkg.go.id", "bmkg.go.id"),
        ("https://www.example.org/a", "example.org"),
        ("http://127.0.0.1:8051/bmkg", "127.0.0.1:8051"),
        ("http://localhost:8051/bmkg", "localhost:8051"),
    ],
)
def test_addresses_of_one_provider_share_a_budget(url: str, provider: str) -> None:
    assert provider_of(url) == provider
