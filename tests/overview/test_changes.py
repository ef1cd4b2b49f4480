"""What counts as a change between two looks, by known answers."""

from __future__ import annotations

from datetime import date

from lawang.domain.kpi import Grey, Horizon, KpiValue, Light, Span, light_of
from lawang.overview.changes import compare
from lawang.overview.model import ChangeKind

THEN = date(2026, 11, 14)
MONTH = Horizon.ending(Span.MONTH, THEN)


def value(score: float | None, grey: Grey | None = None, name: str = "a") -> KpiValue:
    light = Light.GREY if grey or score is None else light_of(score, 1.0, 0.9)
    return KpiValue(
        kpi=name, region="", horizon=MONTH, value=score, target=1.0, score=score, light=light,
        grey=grey,
    )  # fmt: skip


def kinds(before: KpiValue, after: KpiValue) -> list[tuple[ChangeKind, bool]]:
    found = compare(THEN, None, {"a": before}, {"a": after})
    return [(each.kind, each.worse) for each in (*found.worse, *found.better)]


def test_another_light_is_a_change_however_small_the_move() -> None:
    assert kinds(value(1.0), value(0.99)) == [(ChangeKind.LIGHT, True)]


def test_a_move_of_a_twentieth_is_a_change_under_the_same_light() -> None:
    assert kinds(value(1.05), value(1.1)) == [(ChangeKind.SCORE, False)]


def test_a_smaller_move_under_the_same_light_is_none() -> None:
    assert kinds(value(1.05), value(1.099)) == []


def test_what_stops_to_count_is_lost_even_with_a_better_score() -> None:
    assert kinds(value(0.8), value(1.2, Grey.STALE)) == [(ChangeKind.LOST, True)]


def test_what_begins_to_count_is_regained_even_with_a_bad_score() -> None:
    assert kinds(value(None, Grey.NO_DATA), value(0.2)) == [(ChangeKind.REGAINED, False)]


def test_what_is_grey_on_both_sides_is_no_change() -> None:
    assert kinds(value(0.2, Grey.FEW), value(1.2, Grey.STALE)) == []


def test_an_indicator_that_was_not_defined_then_is_no_change() -> None:
    assert compare(THEN, None, {}, {"a": value(0.5)}).better == ()


def test_the_largest_move_comes_first() -> None:
    before = {name: value(1.0, name=name) for name in "abc"}
    after = {"a": value(0.9, name="a"), "b": value(0.4, name="b"), "c": value(0.7, name="c")}
    found = compare(THEN, 0.95, before, after)
    assert [each.kpi for each in found.worse] == ["b", "c", "a"]
    assert (found.since, found.city, found.better) == (THEN, 0.95, ())
