"""Schema drift is told once, and only what is certain."""

from __future__ import annotations

from lawang.domain.drift import find_drift, learn
from lawang.mapping import describe_shape

KNOWN = describe_shape([{"id": 1, "lokasi": {"lat": -2.9, "lng": 104.7}, "foto": ["a"]}])


def test_the_same_shape_is_no_drift() -> None:
    assert find_drift(KNOWN, KNOWN) == []


def test_a_field_that_appears_is_named_with_its_type() -> None:
    seen = describe_shape([{"id": 1, "lokasi": {"lat": 1, "lng": 1}, "foto": ["a"], "baru": "x"}])
    assert find_drift(KNOWN, seen) == ["baru appeared (text)"]


def test_of_an_object_that_vanishes_nothing_below_is_told() -> None:
    seen = describe_shape([{"id": 1, "foto": ["a"]}])
    assert find_drift(KNOWN, seen) == ["lokasi vanished (was object)"]


def test_a_change_of_type_is_named() -> None:
    seen = describe_shape([{"id": "1", "lokasi": {"lat": -2.9, "lng": 104.7}, "foto": ["a"]}])
    assert find_drift(KNOWN, seen) == ["id was number, is text"]


def test_null_is_no_change_of_type() -> None:
    seen = describe_shape([{"id": None, "lokasi": {"lat": -2.9, "lng": 104.7}, "foto": ["a"]}])
    assert find_drift(KNOWN, seen) == []


def test_a_field_that_was_missing_before_is_not_missed() -> None:
    known = describe_shape([{"id": 1, "catatan": "x"}, {"id": 2}])
    assert find_drift(known, describe_shape([{"id": 3}])) == []


def test_what_was_learned_is_no_drift_any_more() -> None:
    seen = describe_shape([{"id": "A-1", "baru": 5}])
    assert find_drift(learn(KNOWN, seen), seen) == []


def test_after_learning_the_old_shape_is_no_drift_either() -> None:
    seen = describe_shape([{"id": "A-1", "baru": 5}])
    assert find_drift(learn(KNOWN, seen), KNOWN) == []


def test_the_shape_of_no_rows_is_empty() -> None:
    assert describe_shape([]) == {}
    assert describe_shape(["no object", None]) == {}
