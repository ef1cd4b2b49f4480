"""The keys that a source's file reads, as paths: `lokasi.lat` is ("lokasi", "lat")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jmespath

from lawang.city import Source

KeyPath = tuple[str, ...]

#: Names that a protocol itself gives to things which are no persons.
_OF_THE_PROTOCOL: dict[str, frozenset[KeyPath]] = {
    "arcgis": frozenset({("fields", "name"), ("codedValues", "name"), ("domain", "name")}),
    "ckan": frozenset({("_resource", "name")}),
    "cap": frozenset({("author", "name")}),
}


def mapped_paths(source: Source) -> frozenset[KeyPath]:
    """The keys that the source's `[fields]` and `[measures]` read."""
    return frozenset(
        path
        for text in _expressions(source.connection)
        for path in _paths(jmespath.compile(text).parsed)
    )


def kept_paths(source: Source) -> frozenset[KeyPath]:
    """The mapped keys, and those that the source's protocol itself calls after persons."""
    return mapped_paths(source) | _OF_THE_PROTOCOL.get(source.connector, frozenset())


def _expressions(connection: Mapping[str, Any]) -> Iterator[str]:
    for value in (connection.get("fields") or {}).values():
        # The only table among them is that of further facts.
        yield from value.values() if isinstance(value, Mapping) else (value,)
    for measure in (connection.get("measures") or {}).values():
        yield from (measure[key] for key in ("value", "where") if measure.get(key))


def _paths(node: dict[str, Any]) -> Iterator[KeyPath]:
    """The paths of keys in the tree of a JMESPath expression."""
    children = [child for child in node.get("children", ()) if isinstance(child, dict)]
    if node["type"] == "field":
        yield (node["value"],)
    elif node["type"] in ("subexpression", "index_expression", "projection"):
        paths: list[KeyPath] = [()]
        for child in children:
            following = list(_paths(child)) or [()]
            paths = [head + tail for head in paths for tail in following]
        yield from paths
    else:
        for child in children:
            yield from _paths(child)


def is_kept(path: KeyPath, kept: frozenset[KeyPath]) -> bool:
    """Whether `path` ends in a mapped path, or in the beginning of one that leads deeper."""
    return any(
        path[-length:] == wanted[:length] for wanted in kept for length in range(1, len(wanted) + 1)
    )
