"""`lawang up --demo` from its first line to its last process: one life after the other, told once.

Starting takes seconds, so the lives run once and each test looks at one thing in them.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from tests.installation.running import (
    Demo,
    family,
    free_ports,
    is_alive,
    is_free,
    run_demo,
    start,
    wait_until,
)

#: The promise of the house: the address is printed within this time.
ADDRESS_WITHIN_S = 15.0
NAMES = ("valkey", "simulator", "poller", "web")


@dataclass
class Life:
    """What was seen of one run, from start to end."""

    address_after_s: float
    output: str = ""
    exit_code: int = 0
    left_over: list[psutil.Process] = field(default_factory=list)
    ports_free: bool = False
    incidents: list[str] = field(default_factory=list)
    events: int = 0


@dataclass
class Lives:
    """Three runs on the same data: ended by Ctrl-C, killed with -9, and one that goes on."""

    ended: Life
    killed: Life
    going_on: Demo
    filed: str
    second_up: tuple[int, str]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    folder = tmp_path_factory.mktemp("lives")
    port = free_ports()
    with run_demo(folder, port=port) as demo:
        ended = Life(demo.address_after_s)
        filed = demo.file("Lampu jalan padam, laporan sebelum Ctrl-C.")
        wait_until(lambda: demo.incident(filed), 90, "the filed report in our API")
        wait_until(demo.agrees_with_elapor, 90, "all of e-lapor's reports in our API")
        _end(demo, ended, signal.SIGINT)
    with run_demo(folder, port=port) as demo:
        killed = Life(demo.address_after_s)
        wait_until(demo.agrees_with_elapor, 90, "all of e-lapor's reports in our API")
        _end(demo, killed, signal.SIGKILL)
    with run_demo(folder, port=port) as demo:
        second = start(
            folder / "second.txt",
            *("up", "--port", str(free_ports()), "--data-dir", str(demo.data_dir)),
        )
        code = second.wait()
        yield Lives(ended, killed, demo, filed, (code, second.output()))


def _end(demo: Demo, life: Life, number: int) -> None:
    life.incidents = [item["id"] for item in demo.incidents()]
    tree = family(demo.program.pid)
    demo.program.process.send_signal(number)
    life.exit_code = demo.program.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(map(is_alive, tree)):
        time.sleep(0.1)
    life.left_over = [each for each in tree if is_alive(each)]
    life.ports_free = is_free(demo.port) and is_free(demo.port + 1)
    life.output = demo.program.output()


def test_the_address_is_printed_within_15_seconds(lives: Lives) -> None:
    assert lives.ended.address_after_s < ADDRESS_WITHIN_S
    assert "Lawang Jabo is open at http://localhost:" in lives.ended.output


@pytest.mark.parametrize("name", NAMES)
def test_each_process_is_named_with_what_it_does_and_its_number(lives: Lives, name: str) -> None:
    assert re.search(rf"{name} │ [a-z].* \(pid \d+\)", lives.ended.output)


def test_the_simulated_departments_are_at_the_next_port(lives: Lives) -> None:
    demo = lives.going_on
    assert demo.elapor.get("open311/v2/services.json").status_code == 200
    assert f"http://127.0.0.1:{demo.port + 1}" in lives.ended.output


def test_the_demo_polls_elapor_every_five_seconds(lives: Lives) -> None:
    assert lives.going_on.source()["every_s"] == 5


def test_ctrl_c_ends_it_with_code_0(lives: Lives) -> None:
    assert lives.ended.exit_code == 0
    assert "all processes have ended" in lives.ended.output


def test_ctrl_c_leaves_no_trace_back(lives: Lives) -> None:
    assert "Traceback" not in lives.ended.output


def test_ctrl_c_leaves_no_process(lives: Lives) -> None:
    assert lives.ended.left_over == []


def test_ctrl_c_leaves_both_ports_free(lives: Lives) -> None:
    assert lives.ended.ports_free


def test_kill_9_of_the_parent_leaves_no_orphan(lives: Lives) -> None:
    assert lives.killed.exit_code == -signal.SIGKILL
    assert lives.killed.left_over == []


def test_kill_9_of_the_parent_leaves_both_ports_free(lives: Lives) -> None:
    assert lives.killed.ports_free


def test_a_second_start_carries_on_with_what_was_known(lives: Lives) -> None:
    assert set(lives.ended.incidents) <= set(lives.killed.incidents)


def test_nothing_is_doubled_over_three_starts(lives: Lives) -> None:
    wait_until(lives.going_on.agrees_with_elapor, 90, "exactly e-lapor's reports, each once")


def test_a_report_of_the_first_life_was_reported_once(lives: Lives) -> None:
    known = lives.going_on.incident(lives.filed)
    assert known is not None
    assert [event["kind"] for event in known["events"]].count("reported") == 1


def test_a_second_up_on_the_same_data_is_refused_with_a_sentence(lives: Lives) -> None:
    code, output = lives.second_up
    assert code == 2
    assert "Another Lawang Jabo is already running on the data folder" in output
    assert "Traceback" not in output


def test_the_refused_second_up_has_not_disturbed_the_first(lives: Lives) -> None:
    # A poll of a busy machine may be late for a moment; a disturbed one would stay so.
    wait_until(lives.going_on.is_well, 90, "a first installation that is well")


def test_the_embedded_valkey_listens_to_nobody_without_the_password(lives: Lives) -> None:
    server = lives.going_on.process("valkey")
    listening = [each for each in server.net_connections("tcp") if each.status == "LISTEN"]
    assert listening == []
    folder = lives.going_on.data_dir / "valkey"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "valkey.url").stat().st_mode & 0o077 == 0


def test_the_web_process_listens_on_this_machine_only(lives: Lives) -> None:
    addresses = {
        each.laddr.ip
        for name in ("web", "simulator")
        for each in lives.going_on.process(name).net_connections("tcp")
        if each.status == "LISTEN"
    }
    assert addresses == {"127.0.0.1"}
