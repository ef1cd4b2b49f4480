"""`lawang screens list | check | token` as a person at a terminal uses them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import cli
from lawang.domain.clock import utc_now
from lawang.domain.errors import LawangError
from lawang.settings import ROOT
from lawang.store.engine import open_engine
from lawang.store.history import History


@pytest.fixture
def folder(tmp_path: Path, _migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with empty tables."""
    shutil.copyfile(_migrated_sqlite, tmp_path / "history.sqlite3")
    monkeypatch.setenv("LAWANG_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LAWANG_SIMULATOR_URL", "http://127.0.0.1:9")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["screens", *words])


def test_list_says_what_every_screen_should_show(folder: Path) -> None:
    found = json.loads(run("list", "--json").stdout)
    assert [each["id"] for each in found] == ["utama", "operator", "dinding"]
    assert all(each["now"] and each["next"] and each["state"] == "never" for each in found)
    assert "3 screens" in run("list").stdout


def test_check_says_that_the_packs_file_is_right(folder: Path) -> None:
    assert "The file is right: 3 screens" in run("check").stdout


def test_check_refuses_a_broken_file_with_line_and_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = shutil.copytree(ROOT / "cities" / "palembang", folder / "pack")
    file = pack / "screens.toml"
    file.write_text(file.read_text().replace("dwell_s = 45", "dwell_s = 0", 1))
    monkeypatch.setenv("LAWANG_CITY", str(pack))
    result = run("check")
    assert isinstance(result.exception, LawangError)
    assert "screens.toml:" in str(result.exception)
    assert "playlists.siang.items.0.dwell_s" in str(result.exception)


def test_a_key_is_made_listed_without_itself_and_revoked(folder: Path) -> None:
    key = run("token", "new", "Ruang", "--by", "Sari", "--screen", "utama").stdout.strip()
    listed = run("token", "list", "--json")
    (token,) = json.loads(listed.stdout)
    assert (token["name"], token["screen"], token["made_by"]) == ("Ruang", "utama", "Sari")
    assert key not in listed.stdout
    run("token", "revoke", str(token["id"]))
    history = History(open_engine(f"sqlite:///{folder / 'history.sqlite3'}"))
    assert history.screens.find_token(key, utc_now()) is None
    history.close()


@pytest.mark.parametrize(
    "words",
    [
        ("token", "new", "Ruang", "--by", "Sari", "--screen", "hantu"),
        ("token", "new", " ", "--by", "Sari"),
        ("token", "revoke", "7"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(folder: Path, words: tuple[str, ...]) -> None:
    assert isinstance(run(*words).exception, LawangError)
