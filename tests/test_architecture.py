"""The direction of imports: rooms point one way, and nobody leans on a door."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lawang.settings import ROOT

ROOMS = (
    "lawang", "connectors", "dashboards", "layouts", "light", "brief", "api", "simulator",
    "kpi_cli", "rules_cli", "sources_cli", "screens_cli",
)  # fmt: skip
DOORS = {"app", "cli"}


def _imported(path: Path) -> Iterator[str]:
    """The top-level names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def test_arrows_between_the_rooms_point_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    result = subprocess.run(
        [*command, "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_room_stands_under_the_contracts() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    named = set(rules["tool"]["importlinter"]["root_packages"])
    assert packages - {"tests", "benchmarks"} == named == set(ROOMS)


def test_every_page_is_named_as_independent_of_the_others() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = rules["tool"]["importlinter"]["contracts"]
    named = {
        name for each in contracts if each["type"] == "independence" for name in each["modules"]
    }
    pages = {f"dashboards.{path.stem}" for path in _modules("dashboards") if path.stem[0] != "_"}
    assert named == pages


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_a_door(room: str) -> None:
    leaning = {path.name: DOORS & set(_imported(path)) for path in _modules(room)}
    assert {name: found for name, found in leaning.items() if found} == {}


@pytest.mark.parametrize("room", [*ROOMS, "app.py", "cli.py"])
def test_no_part_of_the_program_imports_tests_or_benchmarks_by_accident(room: str) -> None:
    paths = [ROOT / room] if room.endswith(".py") else _modules(room)
    allowed = {"benchmarks"} if room == "cli.py" else set()
    found = {path.name: {"tests", "benchmarks"} & set(_imported(path)) for path in paths}
    assert {name: names - allowed for name, names in found.items() if names - allowed} == {}


def test_packs_hold_no_code() -> None:
    assert [str(path.relative_to(ROOT)) for path in (ROOT / "cities").rglob("*.py")] == []
