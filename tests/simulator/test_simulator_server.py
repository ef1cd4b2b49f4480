"""The simulator as a process: its doors, its start and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from lawang.domain.errors import SettingsError
from simulator.app import DEPARTMENTS
from simulator.serve import listen
from tests.simulator.conftest import NOW, HeldClock, Simulator, run_simulator

ROOT = Path(__file__).resolve().parents[2]


def test_the_front_door_lists_the_departments(simulator: Simulator) -> None:
    listed = httpx.get(simulator.url, trust_env=False).json()
    assert listed["simulated"] is True
    departments = {department["id"]: department for department in listed["departments"]}
    assert len(departments) == len(DEPARTMENTS)
    assert departments.keys() >= {"elapor", "satpolpp", "sp4n"}
    assert departments["elapor"]["url"] == f"{simulator.url}/elapor/open311/v2/"


def test_health_says_which_faults_are_on(simulator: Simulator) -> None:
    simulator.fault("slow")
    answer = httpx.get(f"{simulator.url}/_health", trust_env=False).json()
    assert answer["status"] == "ok"
    assert {name for name, kind in answer["faults"].items() if kind != "none"} == {"elapor"}
    assert len(answer["faults"]) == len(DEPARTMENTS)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "_health",
        "nowhere",
        "elapor/_fault",
        "elapor/_rain",
        "elapor/nowhere",
        "elapor/open311/v2/requests.json",
        "elapor/open311/v2/requests.xml",
        "elapor/open311/v2/requests/EL-0.json",
        "elapor/open311/v2/requests.json?page=0",
    ],
)
def test_every_answer_is_marked_as_simulated(simulator: Simulator, path: str) -> None:
    answer = httpx.get(f"{simulator.url}/{path}", trust_env=False)
    assert answer.headers["x-simulated"] == "true"


@pytest.mark.parametrize("kind", ["500", "429", "garbage", "truncated", "wrong_types", "auth"])
def test_spoilt_answers_are_marked_as_simulated(simulator: Simulator, kind: str) -> None:
    simulator.fault(kind)
    assert simulator.api.get("requests.json").headers["x-simulated"] == "true"


def test_an_answer_unchanged_is_marked_as_simulated(simulator: Simulator) -> None:
    tag = simulator.api.get("services.json").headers["etag"]
    answer = simulator.api.get("services.json", headers={"If-None-Match": tag})
    assert answer.headers["x-simulated"] == "true"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"kecamatan": "16.71.99"}', b'{"kecamatan": 3}', b'{"kecamatan": ""}']
)
def test_rain_over_no_kecamatan_is_refused(simulator: Simulator, body: bytes) -> None:
    answer = simulator.elapor.post("_rain", content=body)
    assert answer.status_code == 400
    assert "kecamatan" in answer.json()["error"]


def test_the_past_is_made_within_a_second_for_each_department(tmp_path: Path) -> None:
    with run_simulator(tmp_path, HeldClock(NOW)) as running:
        assert running.startup_s < len(DEPARTMENTS)


def test_life_goes_on_while_it_serves(tmp_path: Path) -> None:
    clock = HeldClock(NOW)
    with run_simulator(tmp_path, clock, tick_s=0.02) as running:
        clock.forward(days=1)
        changed = {"updated_after": (NOW + timedelta(seconds=1)).isoformat()}
        deadline = time.monotonic() + 10
        while not (found := running.api.get("requests.json", params=changed).json()):
            assert time.monotonic() < deadline, "nothing happened in a day"
    assert len(found) > 10


def test_it_stops_at_once_while_a_client_waits(tmp_path: Path) -> None:
    with run_simulator(tmp_path, HeldClock(NOW)) as running:
        running.fault("slow")
        with pytest.raises(httpx.ReadTimeout):
            running.api.get("requests.json", timeout=0.05)
        begun = time.monotonic()
    assert time.monotonic() - begun < 5


def test_a_busy_port_is_refused_in_a_sentence() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen("127.0.0.1", port)


def test_sigterm_ends_the_process_cleanly(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    code = f"from pathlib import Path; from simulator.serve import serve; serve('127.0.0.1', {port}, Path({str(tmp_path)!r}))"  # noqa: E501
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _await_health(f"http://127.0.0.1:{port}/_health", process)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, output
    assert "api_key=demo" in output
    assert "Traceback" not in output


def _await_health(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the simulator did not start")
