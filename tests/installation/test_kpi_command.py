"""`lawang kpi list | check | rebuild` as a person at a terminal uses them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lawang.domain.clock import utc_now
from lawang.domain.incident import Status
from lawang.kpi.cells import day_start, last_complete_day
from lawang.settings import ROOT
from lawang.store.engine import migrate, open_engine
from lawang.store.history import History
from tests.conftest import build_incident
from tests.installation.running import PALEMBANG, environment

WIB = ZoneInfo("Asia/Jakarta")
KPI = "elapor_tepat_waktu"


@dataclass
class Shell:
    """A command line with an installation of its own."""

    folder: Path

    def run(self, *words: str, pack: Path = PALEMBANG) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli", "kpi", *words],
            cwd=ROOT,
            env=environment(
                LAWANG_CITY=str(pack),
                LAWANG_DATA_DIR=str(self.folder),
                LAWANG_SIMULATOR_URL="http://127.0.0.1:9",
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def history(self) -> History:
        engine = open_engine(f"sqlite:///{self.folder / 'history.sqlite3'}")
        migrate(engine)
        return History(engine)


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def shell(empty: Shell) -> Shell:
    """Thirty days of two reports of e-lapor: one closed in time, one overdue."""
    last = last_complete_day(utc_now(), WIB)
    made = []
    for back in range(30):
        asked = day_start(last - timedelta(days=back), WIB) + timedelta(hours=9)
        for number, status in enumerate((Status.DONE, Status.WAITING)):
            made.append(
                build_incident(
                    external_id=f"k{back}-{number}",
                    status=status,
                    status_raw="x",
                    requested_at=asked,
                    observed_at=asked + timedelta(hours=1),
                    due_at=asked + timedelta(hours=2),
                )
            )
    history = empty.history()
    history.settle("elapor", made, fetched_at=utc_now(), fence=1)
    history.close()
    return empty


def test_the_list_names_every_indicator_of_the_pack(empty: Shell) -> None:
    found = empty.json("list")["kpis"]
    assert len(found) >= 60
    assert all(each["name_id"] and each["formula"] for each in found)


def test_without_an_installation_there_is_nothing_to_check(empty: Shell) -> None:
    done = empty.run("check")
    assert done.returncode == 2
    assert "there is no history here yet" in done.stderr
    assert list(empty.folder.iterdir()) == []


def test_a_pack_without_indicators_says_so(empty: Shell, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(PALEMBANG, tmp_path / "pack"))
    for name in ("kpi.toml", "mayor.toml"):
        (pack / name).unlink()
    done = empty.run("list", pack=pack)
    assert done.returncode == 2
    assert "kpi.toml" in done.stderr


def test_an_unknown_name_brings_the_nearest_ones(shell: Shell) -> None:
    done = shell.run("check", "elapor_tepat_wakt")
    assert done.returncode == 2
    assert KPI in done.stderr


def test_a_day_that_is_not_over_cannot_be_checked(shell: Shell) -> None:
    done = shell.run("check", KPI, "--day", "2999-01-01")
    assert done.returncode == 2
    assert "not over yet" in done.stderr


def test_what_is_not_worked_out_yet_differs_from_its_records(shell: Shell) -> None:
    done = shell.run("check", KPI)
    assert done.returncode == 1
    assert "50.00%" in done.stdout
    assert "rebuild" in done.stdout


def test_after_a_rebuild_the_pages_show_what_the_records_say(shell: Shell) -> None:
    done = shell.run("rebuild")
    assert done.returncode == 0, done.stderr
    found = shell.json("check", KPI)["kpis"][0]
    assert (found["value"], found["stored"], found["agrees"]) == (0.5, 0.5, True)
    assert (found["num"], found["den"], found["n"]) == (30.0, 60.0, 60)
    assert (len(found["days"]), found["missing"], found["held"]) == (30, [], 0)
    assert [each["key"] for each in found["parts"]] == ["elapor"]
    assert shell.run("check").returncode == 0


def test_one_indicator_can_be_rebuilt_alone(shell: Shell) -> None:
    done = shell.run("rebuild", KPI)
    assert "1 indicators" in done.stdout
    history = shell.history()
    assert set(history.kpis.states()) == {KPI}
    history.close()


def test_the_explanation_tells_formula_cohort_and_days(shell: Shell) -> None:
    shell.run("rebuild", KPI)
    done = shell.run("check", KPI, "--span", "week")
    assert done.returncode == 0, done.stderr
    for words in ("within_due", "7 / 14", "cohort  14", "50.00%"):
        assert words in done.stdout
