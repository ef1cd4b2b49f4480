"""Replays every recorded answer of every connector: `connectors/<name>/samples/<case>/`.

A case is a folder with `input.*` (what the source said), `expected.json` (what it means) and, if
needed, `options.toml`: its `[connection]` (with `yields`, `fields`, `measures`, ... in it) is laid
over that of `samples/options.toml` key by key, and its `[answer]` may state `kind`, `content_type`
and `delivery`. Adding a case adds a folder and no code.
"""

from __future__ import annotations

import json
import mimetypes
import tomllib
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

import connectors
from connectors import registry
from lawang.connector import Answer, Parsed
from lawang.domain.errors import SourceError

_ROOT = Path(connectors.__file__).parent
_CASES = sorted(path for path in _ROOT.glob("*/samples/*") if path.is_dir())
_FETCHED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _read_options(folder: Path) -> dict[str, Any]:
    shared, own = (
        tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        for file in (folder.parent / "options.toml", folder / "options.toml")
    )
    connection = {**shared.get("connection", {}), **own.get("connection", {})}
    return {**shared, **own, "connection": connection}


def _replay(folder: Path) -> Parsed:
    connector = registry.get(folder.parent.parent.name)
    (source,) = folder.glob("input.*")
    stated = _read_options(folder)
    answer = stated.get("answer", {})
    return connector.parse(
        connector.options.model_validate(stated["connection"]),
        Answer(
            body=source.read_bytes(),
            content_type=answer.get("content_type") or mimetypes.guess_type(source)[0] or "",
            fetched_at=_FETCHED,
            kind=answer.get("kind", ""),
            delivery=answer.get("delivery"),
        ),
    )


def _to_plain(value: Any) -> dict[str, Any]:
    """The fields that say something, JSON-ready."""
    stated = {field.name: getattr(value, field.name) for field in fields(value)}
    plain = {
        name: item.isoformat() if isinstance(item, datetime) else item
        for name, item in stated.items()
        if item not in (None, "", (), {}) and item is not False
    }
    return cast("dict[str, Any]", json.loads(json.dumps(plain)))


#: What an answer may hold, as expected.json calls it; only "reports" is always written.
_KINDS = ("reports", "measurements", "applications", "fixes", "bulletins")


def _describe(folder: Path) -> dict[str, Any]:
    try:
        parsed = _replay(folder)
    except SourceError as error:
        return {"error": type(error).__name__, "kind": error.kind, "detail": error.detail}
    found = {kind: [_to_plain(each) for each in getattr(parsed, kind)] for kind in _KINDS}
    return {
        **{kind: each for kind, each in found.items() if each or kind == "reports"},
        "rejects": [_to_plain(reject) for reject in parsed.rejects],
        "watermark": parsed.watermark.isoformat() if parsed.watermark else None,
    }


@pytest.mark.parametrize("folder", _CASES, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_a_recorded_answer_means_what_is_written_beside_it(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert _describe(folder) == expected


def _is_empty(expected: dict[str, Any]) -> bool:
    return "reports" in expected and not any(expected.get(kind) for kind in (*_KINDS, "rejects"))


@pytest.mark.parametrize("name", registry.list_names())
def test_every_connector_has_recorded_answers_good_empty_and_broken(name: str) -> None:
    cases = [path for path in _CASES if path.parts[-3] == name]
    expected = [json.loads((path / "expected.json").read_text(encoding="utf-8")) for path in cases]
    assert any(each.get(kind) for each in expected for kind in _KINDS)
    assert any(each.get("rejects") for each in expected)
    assert any(_is_empty(each) for each in expected)
    assert any(each.get("kind") == "garbage" for each in expected)
