"""`lawang boundaries import` and `undo`, as a person at a terminal uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.installation.running import PALEMBANG, start


def run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Run `lawang boundaries ARGUMENTS` on the data folder of the test: exit code and words."""
    log = tmp_path / "output.txt"
    log.unlink(missing_ok=True)
    program = start(log, "boundaries", *arguments, "--data-dir", str(tmp_path / "data"))
    try:
        return program.wait(), program.output()
    finally:
        program.end()


@pytest.fixture
def official() -> dict[str, Any]:
    """What a planning office could hand over: its kelurahan, told by their codes."""
    text = (PALEMBANG / "regions/kelurahan.geojson").read_text(encoding="utf-8")
    collection: dict[str, Any] = json.loads(text)
    for feature in collection["features"]:
        del feature["id"]
        feature["properties"] = {"KODE_KEL": feature["properties"]["code"]}
    return collection


def put(tmp_path: Path, collection: dict[str, Any]) -> str:
    file = tmp_path / "resmi.geojson"
    file.write_text(json.dumps(collection), encoding="utf-8")
    return str(file)


def versions(tmp_path: Path) -> list[str]:
    """Every file that boundaries have put into the data folder."""
    folder = tmp_path / "data"
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_good_file_is_taken_and_described(tmp_path: Path, official: dict[str, Any]) -> None:
    code, said = run(tmp_path, "import", put(tmp_path, official))
    assert code == 0
    assert "resmi.geojson: 107 kelurahan, matched by KODE_KEL, " in said
    assert " km2." in said
    assert "undo" in said


def test_a_bad_file_is_refused_with_every_problem_and_code_1(
    tmp_path: Path, official: dict[str, Any]
) -> None:
    official["features"].pop(3)
    official["features"][0]["properties"]["KODE_KEL"] = "16.71.99.9999"
    code, said = run(tmp_path, "import", put(tmp_path, official))
    assert code == 1
    assert "nothing was changed" in said
    assert "16.71.99.9999" in said
    assert "16.71.01.1004" in said
    assert "Traceback" not in said


def test_a_bad_file_changes_nothing(tmp_path: Path, official: dict[str, Any]) -> None:
    run(tmp_path, "import", put(tmp_path, official))
    before = versions(tmp_path)
    official["features"].pop()
    run(tmp_path, "import", put(tmp_path, official))
    assert before
    assert versions(tmp_path) == before


def test_undo_leads_back_and_says_so(tmp_path: Path, official: dict[str, Any]) -> None:
    run(tmp_path, "import", put(tmp_path, official))
    code, said = run(tmp_path, "undo")
    assert code == 0
    assert "In force again: the pack's own boundaries." in said
    assert not (tmp_path / "data/boundaries/palembang/current.json").exists()


def test_undo_names_the_import_that_is_in_force_again(
    tmp_path: Path, official: dict[str, Any]
) -> None:
    run(tmp_path, "import", put(tmp_path, official))
    run(tmp_path, "import", put(tmp_path, official))
    code, said = run(tmp_path, "undo")
    assert code == 0
    assert "In force again: resmi.geojson: 107 kelurahan" in said


def test_undo_without_an_import_is_refused_with_a_sentence(tmp_path: Path) -> None:
    code, said = run(tmp_path, "undo")
    assert code == 2
    assert "Nothing was imported" in said
    assert "Traceback" not in said
