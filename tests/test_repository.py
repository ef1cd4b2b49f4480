"""What the repository promises about itself: its commands, its locks, its documents."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lawang.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

TARGETS = ("help", "demo", "test", "check", "lint", "types", "bench", "pictures", "lock", "clean")

#: Read from the environment by the tests themselves; every other name is a field of Settings.
TEST_SETTINGS = {"LAWANG_CHROMIUM"}

#: What a city pack may consist of. A pack is data: whoever installs one runs nobody's code.
PACK_SUFFIXES = {
    ".csv", ".geojson", ".json", ".jsonl", ".md", ".pb", ".png", ".svg", ".toml", ".txt", ".xlsx",
    ".xml",
}  # fmt: skip

#: Files of assets/ in which an address is something that a browser may load.
LOADED_SUFFIXES = {".css", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".webmanifest"}

_SKIPPED_FOLDERS = {"__pycache__", "data", "build", "dist", "test-output", "node_modules"}

_MACHINE_PATH = re.compile(
    r"""(?<![\w.:/-])                           # not the middle of a longer path or an address
        (?: /(?:home|Users|work)/\w+            # a person's folder, a workplace
          | /(?:root|var/folders)/[.\w]+
          | [A-Za-z]:\\Users\\\w+ )""",
    re.VERBOSE,
)

# Names that look like addresses: that of SVG, and that of a kind of message within streams.
_OUTSIDE_ADDRESS = re.compile(
    r"""(?:https?:|["'(])//(?!www\.w3\.org/|aomedia\.org/emsg/)[\w-]+\.[\w.-]+"""
)


def test_machine_paths_are_recognised_and_addresses_are_not() -> None:
    assert _MACHINE_PATH.search("open('/" + "home/sari/x')")
    assert _MACHINE_PATH.search("C:" + "\\Users\\sari")
    assert not _MACHINE_PATH.search("https://example.org/" + "home/page")
    assert not _MACHINE_PATH.search("GET /elapor/open311/v2/requests.json")


def test_no_file_names_a_path_of_a_development_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _repository_files()
        if (match := _MACHINE_PATH.search(_text(path)))
    ]
    assert found == []


def test_assets_load_nothing_from_another_host() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _repository_files("assets")
        if path.suffix in LOADED_SUFFIXES and (match := _OUTSIDE_ADDRESS.search(_text(path)))
    ]
    assert found == []


def test_an_outside_address_is_recognised_and_the_name_of_svg_is_not() -> None:
    assert _OUTSIDE_ADDRESS.search("@import url(//cdn.example.org/a.css)")
    assert _OUTSIDE_ADDRESS.search('"https://example.org/a.js"')
    assert not _OUTSIDE_ADDRESS.search('xmlns="http://www.w3.org/2000/svg"')


def test_city_packs_hold_data_only() -> None:
    files = _repository_files("cities")
    found = [
        str(path.relative_to(ROOT))
        for path in files
        if path.suffix not in PACK_SUFFIXES or path.stat().st_mode & 0o111
    ]
    assert files
    assert found == []


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(target: str) -> None:
    assert _dry_run(target).returncode == 0


@pytest.mark.parametrize("target", TARGETS)
def test_make_help_explains_the_target(target: str) -> None:
    text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(rf"make {target} +\w", text.stdout)


def test_the_demo_passes_its_port_and_data_folder_on() -> None:
    answer = _dry_run("demo", "PORT=9001", "DATA_DIR=my data")
    assert "lawang up --demo --port '9001' --data-dir 'my data'" in answer.stdout


def test_the_test_command_makes_sure_of_a_browser_first() -> None:
    lines = _dry_run("test").stdout.splitlines()
    steps = [line.split(" -m ")[1] for line in lines if " -m " in line]
    assert [step.split()[0] for step in steps] == ["tests.browser.chromium", "pytest"]


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_the_command_that_shows_everything() -> None:
    assert "make demo" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", [".ci/run", "scripts/setup.sh", "scripts/lock.sh"])
def test_the_script_is_executable(script: str) -> None:
    assert (ROOT / script).stat().st_mode & 0o111


def test_the_runtime_lock_covers_what_the_project_needs_to_build_and_run() -> None:
    project = _pyproject()
    needed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    assert _uncovered(needed, _pins("requirements.lock")) == []


def test_the_development_lock_covers_every_extra() -> None:
    extras = _pyproject()["project"]["optional-dependencies"]
    needed = [requirement for extra in extras.values() for requirement in extra]
    assert _uncovered(needed, _pins("requirements-dev.lock")) == []


def test_the_development_lock_holds_the_other_at_the_same_versions() -> None:
    development = _pins("requirements-dev.lock")
    different = {
        name: (versions, development.get(name))
        for name, versions in _pins("requirements.lock").items()
        if versions != development.get(name)
    }
    assert different == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_of_the_lock_has_a_hash(lock: str) -> None:
    pins = _lock_text(lock).replace("\\\n", " ").splitlines()
    bare = [line for line in pins if re.match(r"\w", line) and "--hash=sha256:" not in line]
    assert bare == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_the_lock_names_no_package_index(lock: str) -> None:
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links", _lock_text(lock)) == []


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_the_documents_explain_the_setting(field: str) -> None:
    assert re.search(rf"\bLAWANG_{field.upper()}\b", _documents())


def test_the_documents_name_no_setting_that_does_not_exist() -> None:
    known = {f"LAWANG_{field.upper()}" for field in Settings.model_fields} | TEST_SETTINGS
    known |= _variables_of_the_packs() | _variables_of_the_demonstration()
    # Of the source that docs/connect-a-department.md makes.
    known |= {f"LAWANG_LAPORAN_{name}" for name in ("URL", "KEY", "KEY_FILE")}
    assert set(re.findall(r"\bLAWANG_[A-Z_]*[A-Z]\b", _documents())) - known == set()


def _variables_of_the_packs() -> set[str]:
    """What source files take from the environment, each also as a file that holds it."""
    texts = [file.read_text() for file in (ROOT / "cities").glob("*/sources/*.toml")]
    names = {name for text in texts for name in re.findall(r"\$\{(LAWANG_[A-Z_]+)", text)}
    return names | {f"{name}_FILE" for name in names}


def _variables_of_the_demonstration() -> set[str]:
    """What `lawang up` sets for the processes that it starts."""
    return set(re.findall(r'"(LAWANG_[A-Z_]+)":', (ROOT / "cli.py").read_text()))


def test_every_folder_of_tests_is_a_package_so_that_equal_file_names_do_not_collide() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _lock_text(lock: str) -> str:
    return (ROOT / lock).read_text(encoding="utf-8")


def _pins(lock: str) -> dict[str, set[str]]:
    """Versions by package; several where the lock differs between platforms."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;\\]+)", _lock_text(lock), re.M
    ):
        pins.setdefault(canonicalize_name(name), set()).add(version)
    return pins


def _uncovered(needed: list[str], pins: dict[str, set[str]]) -> list[str]:
    """Requirements that the lock does not fulfil: absent, or at a version that does not fit."""
    return [
        str(requirement)
        for requirement in map(Requirement, needed)
        if not (versions := pins.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version) for version in versions)
    ]


def _documents() -> str:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def _dry_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", "--dry-run", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _repository_files(folder: str = ".") -> list[Path]:
    """What git keeps or would keep; in a copy without git, everything but what builds leave."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if listed.returncode == 0:
            paths = [ROOT / name for name in listed.stdout.split("\0") if name]
            return [path for path in paths if path.is_file()]
    return [
        path
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not _is_left_by_builds(path.relative_to(ROOT))
    ]


def _is_left_by_builds(path: Path) -> bool:
    return any(
        part in _SKIPPED_FOLDERS or (part.startswith(".") and part != ".ci")
        for part in path.parts[:-1]
    )


def _text(path: Path) -> str:
    """The file as text; what is not UTF-8 (pictures, spreadsheets) has no paths to find."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
