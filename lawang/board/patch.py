"""JSON Merge Patch (RFC 7396): what changed between two payloads, as little as possible.

Lists are replaced whole; a key that vanished becomes null, so null never means anything else in a
payload: what is not known is left out.
"""

from __future__ import annotations

from typing import Any


def diff(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The patch that leads from `old` to `new`; empty when they are equal."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        # Unchanged features are the same objects, which makes large maps cheap to compare.
        if before is value:
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            if inner := diff(before, value):
                patch[key] = inner
        elif before != value or key not in old:
            patch[key] = value
    return patch


def merge(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """`target` after `patch`; unchanged parts are shared, nothing is changed in place."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = merge(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result
