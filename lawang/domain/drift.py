"""Schema drift: a field appeared, vanished or changed its type. Pure."""

from __future__ import annotations

from collections.abc import Mapping

Shape = Mapping[str, tuple[str, ...]]
#: Kinds that say nothing about what a value is when it is there.
_SILENT = frozenset({"null", "absent"})
#: How many answers are looked at before anything counts as new.
LEARNING = 3


def learn(known: Shape, seen: Shape) -> dict[str, tuple[str, ...]]:
    """Both together; what one of them lacks is "absent" there."""
    merged: dict[str, tuple[str, ...]] = {}
    for path in {**known, **seen}:
        kinds = {*known.get(path, ()), *seen.get(path, ())}
        if known and seen and (path not in known or path not in seen):
            kinds.add("absent")
        merged[path] = tuple(sorted(kinds))
    return merged


def find_drift(known: Shape, seen: Shape) -> list[str]:
    """What is different, one sentence each; empty when nothing is.

    A field that may be absent is never missed, and below one that vanished nothing is said.
    """
    changes = [
        f"{path} appeared ({_name(kinds)})"
        for path, kinds in seen.items()
        if path not in known and _parent(path, seen) in ("", *known)
    ]
    for path, kinds in known.items():
        if path not in seen:
            if "absent" not in kinds and _parent(path, known) in ("", *seen):
                changes.append(f"{path} vanished (was {_name(kinds)})")
            continue
        before, now = set(kinds) - _SILENT, set(seen[path]) - _SILENT
        if before and now and not before & now:
            changes.append(f"{path} was {_name(kinds)}, is {_name(seen[path])}")
    return changes


def _name(kinds: tuple[str, ...]) -> str:
    return " or ".join(kind for kind in kinds if kind not in _SILENT) or "empty"


def _parent(path: str, shape: Shape) -> str:
    """The nearest path above that the shape has; "" for none."""
    while path:
        cut = max(path.rfind("."), path.rfind("[]"))
        path = path[:cut] if cut > 0 else ""
        if path in shape:
            return path
    return ""
