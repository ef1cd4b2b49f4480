"""The commands about the brief, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from brief.cli import brief_cli
from lawang.domain.errors import LawangError
from tests.brief.server import post_office

MAYOR, SECRETARY = "walikota@kota.example", "sekda@kota.example"


@pytest.fixture
def folder(_migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation without records, in which a brief of today was made."""
    (tmp_path / "history.sqlite3").write_bytes(_migrated_sqlite.read_bytes())
    monkeypatch.setenv("LAWANG_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LAWANG_BRIEF_FROM", "lawang@kota.example")
    monkeypatch.setenv("LAWANG_BRIEF_TO", f"{MAYOR},{SECRETARY}")
    made = CliRunner().invoke(brief_cli, ["make", "--folder", str(tmp_path / "out")])
    assert (made.exit_code, made.exception) == (0, None)
    return tmp_path


def test_both_files_are_written_in_both_languages(folder: Path) -> None:
    suffixes = sorted(each.suffix for each in (folder / "out").iterdir())
    assert suffixes == [".pdf", ".pdf", ".xlsx", ".xlsx"]


def test_making_it_twice_is_refused_with_what_to_do(folder: Path) -> None:
    again = CliRunner().invoke(brief_cli, ["make"])
    assert isinstance(again.exception, LawangError)
    assert "--again" in str(again.exception)


def test_sending_ends_with_1_until_everybody_has_it_and_sends_nobody_a_second_copy(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with post_office() as post:
        monkeypatch.setenv("LAWANG_SMTP_URL", f"smtp+plain://127.0.0.1:{post.port}")
        post.answers[SECRETARY] = "550 no such person"
        first = CliRunner().invoke(brief_cli, ["send"])
        post.answers.clear()
        second = CliRunner().invoke(brief_cli, ["send"])
        third = CliRunner().invoke(brief_cli, ["send"])
    assert [each.exit_code for each in (first, second, third)] == [1, 0, 0]
    assert f"refused  {SECRETARY}  the mail server refused the recipient (550)" in first.output
    assert third.output.count("sent ") == 2
    assert (len(post.to(MAYOR)), len(post.to(SECRETARY))) == (1, 1)
