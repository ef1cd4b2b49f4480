"""How the fields of records were filled, whatever kind of record they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from lawang.check.findings import FieldUse
from lawang.city import Source
from lawang.domain.alert import Bulletin
from lawang.domain.incident import Report
from lawang.domain.measure import Measurement
from lawang.domain.position import Fix
from lawang.domain.privacy import mask
from lawang.domain.service import Application

_EXAMPLES = 3
_LONGEST_EXAMPLE = 60

_RAW: dict[str, type[Any]] = {
    "incidents": Report,
    "readings": Measurement,
    "positions": Fix,
    "service_requests": Application,
    "alerts": Bulletin,
}
#: Where a record calls what `[fields]` names something else.
_OTHER_NAMES: dict[str, dict[str, str]] = {
    "service_requests": {"agency": "office"},
    "alerts": {"requested_at": "sent_at", "region": "areas"},
    "readings": {"observed_at": "at", "updated_at": "observed_at"},
}
#: One of these names what a record of rows is known by.
_IDENTIFYING = frozenset({"external_id", "observed_at", "subject"})
#: Of readings `[measures]` tells more than a field could.
_NOT_SHOWN = {"readings": {"measure", "value"}}


def use_fields(raw: Mapping[str, Sequence[Any]], source: Source) -> tuple[FieldUse, ...]:
    """The fields that the source's file names, or every field where the protocol names them.

    A file that names some beside those of its protocol (Open311) does not name what a record is
    known by.
    """
    own: Mapping[str, Any] = source.connection.get("fields") or {}
    kinds = [kind for kind in source.yields if kind in _RAW]
    if _IDENTIFYING & own.keys():
        return tuple(use for name, value in own.items() for use in _stated(name, value, kinds, raw))
    found: dict[str, FieldUse] = {}
    for kind in kinds:
        hidden = _NOT_SHOWN.get(kind, set())
        for each in fields(_RAW[kind]):
            if each.name not in hidden and each.name not in found:
                values = [getattr(record, each.name) for record in raw.get(kind, ())]
                found[each.name] = _use(each.name, values, own.get(each.name))
    return tuple(found.values())


def _stated(
    name: str, value: Any, kinds: Sequence[str], raw: Mapping[str, Sequence[Any]]
) -> list[FieldUse]:
    if isinstance(value, Mapping):
        facts = [
            record.facts for kind in kinds if kind == "positions" for record in raw.get(kind, ())
        ]
        return [
            _use(f"{name}.{key}", [each.get(key) for each in facts], str(expression))
            for key, expression in value.items()
        ]
    values: list[Any] = []
    for kind in kinds:
        attribute = _OTHER_NAMES.get(kind, {}).get(name, name)
        if attribute in {each.name for each in fields(_RAW[kind])}:
            values += [getattr(record, attribute) for record in raw.get(kind, ())]
    return [_use(name, values, str(value))]


def _use(name: str, values: Sequence[Any], expression: str | None) -> FieldUse:
    filled = [value for value in values if value not in (None, "", (), {})]
    examples: dict[str, None] = {}
    for value in filled:
        examples.setdefault(_example(value))
        if len(examples) == _EXAMPLES:
            break
    share = len(filled) / len(values) if values else 0.0
    return FieldUse(name, expression, share, tuple(examples))


def _example(value: object) -> str:
    if isinstance(value, tuple):
        value = ", ".join(map(str, value))
    text = value.isoformat() if isinstance(value, datetime) else mask(str(value))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"
