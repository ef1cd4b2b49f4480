"""`lawang sources` as an integrator types it, against a real simulator and real stores."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lawang.domain.clock import utc_now
from lawang.domain.finding import FindingKind, NewFinding
from lawang.polling.lease import ClockLease
from lawang.settings import ROOT
from lawang.store.embedded import EmbeddedValkey
from lawang.store.engine import migrate, open_engine
from lawang.store.findings import open_findings
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.simulator.conftest import HeldClock, Simulator, run_simulator

PACK = ROOT / "cities" / "palembang"
DOCUMENT = ROOT / "docs" / "connect-a-department.md"
KEY = "kunci-rahasia-1671"
_PATIENCE_S = 100


@dataclass
class Shell:
    """Runs `lawang ...` in a folder of its own, with a pack and a data folder of its own."""

    folder: Path
    pack: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def lawang(self, *words: str) -> subprocess.CompletedProcess[str]:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("LAWANG_")}
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env={
                **bare,
                "COLUMNS": "200",
                "PYTHONPATH": str(ROOT),
                "LAWANG_CITY": str(self.pack),
                "LAWANG_DATA_DIR": str(self.data_dir),
                **self.env,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )

    def json(self, *words: str) -> Any:
        return json.loads(self.lawang(*words, "--json").stdout)


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    # Its clock is the program's own: times of a held one would lie outside of the window.
    clock = HeldClock(utc_now() - timedelta(minutes=1))
    with run_simulator(tmp_path_factory.mktemp("department"), clock) as running:
        yield running


@pytest.fixture
def simulator(department: Simulator) -> Iterator[Simulator]:
    yield department
    department.fault("none")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path, Path(shutil.copytree(PACK, tmp_path / "palembang")))


@pytest.fixture
def connected(shell: Shell, simulator: Simulator) -> Shell:
    shell.env["LAWANG_ELAPOR_URL"] = f"{simulator.url}/elapor/open311/v2/"
    shell.env["LAWANG_ELAPOR_API_KEY"] = KEY
    file = shell.pack / "sources/elapor.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}\n[network]\nloopback = true\n", encoding="utf-8")
    return shell


def _connect_satpolpp(shell: Shell, simulator: Simulator) -> None:
    text = (shell.pack / "sources/satpolpp.toml").read_text(encoding="utf-8")
    text = text.replace("SATPOLPP", "UJI")
    file = shell.pack / "sources/satpolpp_uji.toml"
    file.write_text(f"{text}\n[network]\nloopback = true\n", encoding="utf-8")
    shell.env["LAWANG_UJI_URL"] = f"{simulator.url}/satpolpp/api/laporan"
    shell.env["LAWANG_UJI_API_KEY"] = "demo"


@pytest.fixture
def valkey(connected: Shell) -> Iterator[EmbeddedValkey]:
    connected.data_dir.mkdir()
    server = EmbeddedValkey(connected.data_dir)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def history(connected: Shell, valkey: EmbeddedValkey) -> Iterator[History]:
    engine = open_engine(f"sqlite:///{connected.data_dir / 'history.sqlite3'}")
    migrate(engine)
    history = History(engine)
    yield history
    history.close()


def test_list_names_the_variables_that_are_missing(shell: Shell) -> None:
    (source,) = [
        each for each in shell.json("sources", "list")["sources"] if each["id"] == "elapor"
    ]
    assert (source["configured"], source["unset"]) == (False, ["LAWANG_ELAPOR_URL"])
    assert source["health"] is None


def test_list_shows_a_mistake_beside_its_source_and_the_others_all_the_same(shell: Shell) -> None:
    good = (shell.pack / "sources/elapor.toml").read_text(encoding="utf-8")
    bad = good.replace("page_size = 500", "page_sice = 500")
    (shell.pack / "sources/salah.toml").write_text(bad, encoding="utf-8")
    lines = {each["id"]: each["mistake"] for each in shell.json("sources", "list")["sources"]}
    assert "page_sice" in lines["salah"]
    assert lines["elapor"] == ""


def test_list_shows_health_and_age_after_a_poll(connected: Shell, valkey: EmbeddedValkey) -> None:
    assert connected.lawang("sources", "run", "elapor").returncode == 0
    (source,) = [
        each for each in connected.json("sources", "list")["sources"] if each["id"] == "elapor"
    ]
    assert source["health"] == "fresh"
    assert 0 <= source["age_s"] < _PATIENCE_S


def test_check_reads_the_department_and_says_what_would_be_stored(connected: Shell) -> None:
    done = connected.lawang("sources", "check", "elapor", "--json")
    found = json.loads(done.stdout)
    assert found["records"] > 50
    assert found["simulated"] is True
    assert done.returncode == (0 if found["usable"] == found["records"] else 1)


def test_check_leaves_no_file_behind(connected: Shell) -> None:
    connected.lawang("sources", "check", "elapor")
    assert [path.name for path in connected.folder.iterdir()] == ["palembang"]


def test_check_says_with_exit_code_1_that_a_record_cannot_be_used(shell: Shell) -> None:
    file = shell.folder / "answer.json"
    file.write_text('[{"service_request_id": "a1", "requested_datetime": "kemarin"}]')
    done = shell.lawang("sources", "check", "elapor", "--sample", str(file))
    assert done.returncode == 1
    assert "bad_time" in done.stdout


def test_check_reads_a_sample_where_no_variable_is_set(shell: Shell) -> None:
    sample = ROOT / "connectors/open311/samples/normal/input.json"
    assert shell.lawang("sources", "check", "elapor", "--sample", str(sample)).returncode == 0


def test_check_shows_brackets_of_a_citizen_as_they_are(shell: Shell) -> None:
    file = shell.folder / "answer.json"
    rows = [
        {
            "service_request_id": "a1",
            "requested_datetime": "2026-11-20T08:00:00+07:00",
            "description": "[bold red]jalan[/bold red] rusak",
        }
    ]
    file.write_text(json.dumps(rows))
    done = shell.lawang("sources", "check", "elapor", "--sample", str(file))
    assert "[bold red]jalan[/bold red] rusak" in done.stdout


def test_a_saved_sample_holds_no_key_and_reads_like_the_answer(connected: Shell) -> None:
    folder = connected.folder / "kept"
    first = connected.json("sources", "check", "elapor", "--sample-dir", str(folder))
    again = connected.json("sources", "check", "elapor", "--sample", str(folder / "input.json"))
    assert KEY not in "".join(path.read_text() for path in folder.iterdir())
    ids = [[each["external_id"] for each in found["first"]] for found in (first, again)]
    assert ids[0] == ids[1] != []


def _ends_with_a_sentence(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_an_unknown_id_is_told_with_the_known_ones(
    connected: Shell, valkey: EmbeddedValkey, command: str
) -> None:
    done = connected.lawang("sources", command, "elapr")
    _ends_with_a_sentence(done, "there is no source 'elapr'; this city has: ")


def test_an_unset_variable_is_named(shell: Shell) -> None:
    _ends_with_a_sentence(shell.lawang("sources", "check", "elapor"), "set LAWANG_ELAPOR_URL")


@pytest.mark.parametrize(
    ("fault", "kind"), [("500", "bad_status"), ("auth", "refused"), ("garbage", "garbage")]
)
def test_a_failing_server_is_told_with_what_to_do(
    connected: Shell, simulator: Simulator, fault: str, kind: str
) -> None:
    simulator.fault(fault)
    _ends_with_a_sentence(connected.lawang("sources", "check", "elapor"), kind)


def test_a_failing_server_is_told_in_json_too(connected: Shell, simulator: Simulator) -> None:
    simulator.fault("500")
    found = connected.json("sources", "check", "elapor")
    assert found["error"]["kind"] == "bad_status"
    assert found["is_good"] is False


def test_a_sample_goes_to_the_packs_own_folder_with_what_it_means(
    connected: Shell, simulator: Simulator
) -> None:
    _connect_satpolpp(connected, simulator)
    done = connected.json("sources", "check", "satpolpp_uji", "--save-sample")
    folder = connected.pack / "samples/satpolpp_uji/normal"
    assert [Path(path).parent for path in done["sample"]] == [folder] * 3
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert expected["settled"]["counts"]["incidents"] == len(expected["reports"]) > 5


def test_a_webhook_is_told_how_to_push_as_nobody_can_ask_it(connected: Shell) -> None:
    done = connected.lawang("sources", "check", "damkar")
    _ends_with_a_sentence(done, "its department pushes")
    assert "openssl dgst -sha256" in done.stderr
    assert "/ingest/damkar" in done.stderr


def test_list_tells_what_sources_yield_and_that_no_quality_is_known_yet(shell: Shell) -> None:
    found = shell.json("sources", "list")
    assert "history" in found["history_note"]
    lines = {each["id"]: each for each in found["sources"]}
    assert lines["udara"]["yields"] == ["readings", "positions"]
    assert lines["udara"]["quality_24h"] is None


def test_list_tells_quality_and_findings_after_a_poll(connected: Shell, history: History) -> None:
    assert connected.lawang("sources", "run", "elapor").returncode == 0
    (source,) = [
        each for each in connected.json("sources", "list")["sources"] if each["id"] == "elapor"
    ]
    assert source["quality_24h"]["records"] > 50
    assert source["open_findings"] == 0


def _open_finding(history: History) -> int:
    found = NewFinding(kind=FindingKind.SHAPE, detail="status vanished")
    with history.database.writing() as connection:
        open_findings(history.database, connection, "elapor", [found], utc_now())
    (finding,) = history.findings.list()
    return finding.id


def test_findings_are_listed_with_their_numbers(connected: Shell, history: History) -> None:
    number = _open_finding(history)
    (found,) = connected.json("sources", "findings", "elapor")["findings"]
    assert (found["id"], found["kind"], found["state"]) == (number, "shape", "open")
    assert connected.json("sources", "findings", "sp4n")["findings"] == []


@pytest.mark.parametrize(("word", "state"), [("accept", "accepted"), ("dismiss", "dismissed")])
def test_a_person_decides_a_finding_by_name(
    connected: Shell, history: History, word: str, state: str
) -> None:
    number = _open_finding(history)
    done = connected.lawang("sources", word, str(number), "--by", "Analis", "--note", "dicek")
    assert done.returncode == 0, done.stderr
    finding = history.findings.get(number)
    assert finding is not None
    assert (finding.state, finding.decided_by, finding.note) == (state, "Analis", "dicek")
    again = connected.lawang("sources", word, str(number), "--by", "Analis")
    _ends_with_a_sentence(again, "decided already")


def test_a_decision_needs_a_name(connected: Shell, history: History) -> None:
    number = _open_finding(history)
    _ends_with_a_sentence(
        connected.lawang("sources", "accept", str(number), "--by", " "), "needs the name"
    )


def test_findings_without_an_installation_make_none(shell: Shell) -> None:
    _ends_with_a_sentence(shell.lawang("sources", "findings"), "there is no history here yet")
    assert not shell.data_dir.exists()


def test_run_stores_what_the_department_says(connected: Shell, history: History) -> None:
    done = connected.lawang("sources", "run", "elapor")
    assert done.returncode == 0, done.stderr
    state = history.source_state("elapor")
    assert state is not None
    assert state.incidents == history.source_counts("elapor")["incidents"] > 50


def test_run_gives_the_clock_back(
    connected: Shell, history: History, valkey: EmbeddedValkey
) -> None:
    connected.lawang("sources", "run", "elapor")
    live = LiveStore(valkey.url, "palembang")
    lease = ClockLease(live, history)
    assert lease.tick() is not None
    live.close()


def test_run_leaves_the_writing_to_the_poller_that_holds_the_clock(
    connected: Shell, history: History, valkey: EmbeddedValkey
) -> None:
    live = LiveStore(valkey.url, "palembang")
    # Held far longer than this test takes, as a poller that renews it would.
    live.take_lease("clock", "the poller", 1_000 * _PATIENCE_S)
    done = connected.lawang("sources", "run", "elapor")
    live.close()
    _ends_with_a_sentence(done, "another poller holds the clock")
    assert history.source_state("elapor") is None


def test_run_records_the_failure_of_a_source(
    connected: Shell, history: History, simulator: Simulator
) -> None:
    simulator.fault("500")
    _ends_with_a_sentence(connected.lawang("sources", "run", "elapor"), "bad_status")
    assert [outage["error_kind"] for outage in history.outages("elapor")] == ["bad_status"]


def test_run_without_an_installation_says_how_to_start_one(connected: Shell) -> None:
    connected.data_dir.mkdir()
    _ends_with_a_sentence(connected.lawang("sources", "run", "elapor"), "lawang up")


def test_the_commands_of_the_page_for_integrators_do_what_it_says(
    connected: Shell, valkey: EmbeddedValkey, simulator: Simulator
) -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    (source,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (connected.pack / "sources/aduan.toml").write_text(source, encoding="utf-8")
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        for line in block.strip().splitlines()
    ]
    for line in lines:
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            connected.env[name] = value.replace("http://localhost:8051", simulator.url)
            continue
        program, *words = line.replace("http://localhost:8051", simulator.url).split()
        done = connected.lawang(*words)
        assert program == "lawang"
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert len(lines) >= 5
