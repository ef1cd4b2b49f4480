"""JSON Merge Patch: what leads from one payload to the next."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawang.board.patch import diff, merge

Plain = dict[str, Any]

_KEYS = st.sampled_from("abcd") | st.text(max_size=3)
_LEAVES = st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.integers(), max_size=3)
#: What a payload may hold: no null, as null takes a key away in a patch.
_PAYLOADS = st.dictionaries(
    _KEYS,
    st.recursive(_LEAVES, lambda inner: st.dictionaries(_KEYS, inner, max_size=4), max_leaves=8),
    max_size=5,
)


@given(_PAYLOADS, _PAYLOADS)
def test_a_patch_leads_from_any_payload_to_any_other(old: Plain, new: Plain) -> None:
    assert merge(old, diff(old, new)) == new


@given(_PAYLOADS, _PAYLOADS)
def test_a_patch_still_leads_there_after_its_way_through_json(old: Plain, new: Plain) -> None:
    travelled = json.loads(json.dumps(diff(old, new)))
    assert json.dumps(merge(old, travelled), sort_keys=True) == json.dumps(new, sort_keys=True)


@given(_PAYLOADS)
def test_nothing_is_said_where_nothing_changed(payload: Plain) -> None:
    assert diff(payload, copy.deepcopy(payload)) == {}


@given(_PAYLOADS)
def test_the_patch_from_nothing_is_the_payload(payload: Plain) -> None:
    assert merge({}, diff({}, payload)) == payload


@given(_PAYLOADS, _PAYLOADS)
def test_nothing_is_changed_in_place(old: Plain, new: Plain) -> None:
    before, after = copy.deepcopy(old), copy.deepcopy(new)
    merge(old, diff(old, new))
    assert (old, new) == (before, after)


@given(_PAYLOADS, _PAYLOADS, _PAYLOADS)
def test_patches_in_a_row_lead_to_the_last_payload(one: Plain, two: Plain, three: Plain) -> None:
    assert merge(merge(one, diff(one, two)), diff(two, three)) == three


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1, "b": 2}, {"b": 2}, {"a": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, {"a": {"c": None}}),
        ({"a": [1, 2]}, {"a": [1, 3]}, {"a": [1, 3]}),
        ({"a": {"b": 1}}, {"a": 7}, {"a": 7}),
        ({}, {"a": {}}, {"a": {}}),
    ],
)
def test_a_patch_holds_no_more_than_what_changed(old: Plain, new: Plain, patch: Plain) -> None:
    assert diff(old, new) == patch


def test_unchanged_parts_are_shared() -> None:
    old = {"a": {"deep": [1]}, "b": 1}
    assert merge(old, {"b": 2})["a"] is old["a"]


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        # From the table in RFC 7396, appendix A, as far as it concerns objects.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merging_follows_the_standard(target: Plain, patch: Plain, result: Plain) -> None:
    assert merge(target, patch) == result
