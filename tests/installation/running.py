"""Real processes of this project: started on free ports, watched, and always ended.

`run_demo` gives the whole of `lawang up --demo`, `start` any other command. What they print goes to
a file, so that no pipe ever fills, and is shown beside a failing test.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from lawang.settings import ROOT

PALEMBANG = ROOT / "cities" / "palembang"
#: A place in Lawang Kidul, Ilir Timur II, on dry land: where tests make their reports.
LATITUDE, LONGITUDE = -2.9761, 104.7754

#: The word of its command line by which a process is known.
_MARKS = {"valkey": "valkey-server", "simulator": "simulate", "poller": "poll", "web": "web"}

#: Generous, as a busy machine is slow; what is waited for is a condition, never this time.
_START_S = 120.0
_END_S = 60.0
# Below the ports that Linux hands out to clients, so that nobody takes one between look and use.
_PORTS = range(20_000, 30_000)


def wait_until(
    condition: Callable[[], object], within_s: float, what: str, every_s: float = 0.1
) -> float:
    """Wait for `condition`; returns how long it took in seconds.

    A condition that cannot be asked (a server that is away) is one that does not hold.
    AssertionError with `what` when the time is up.
    """
    began = time.monotonic()
    while True:
        reason = ""
        try:
            if condition():
                return time.monotonic() - began
        except httpx.HTTPError as error:
            reason = f" ({type(error).__name__})"
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not within {within_s:g} s: {what}{reason}")
        time.sleep(every_s)


def is_free(port: int) -> bool:
    """Whether somebody could listen on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports() -> int:
    """A free port whose two successors are free as well, as a demonstration takes three."""
    for _ in range(200):
        port = random.choice(_PORTS)
        if all(is_free(port + step) for step in range(3)):
            return port
    raise RuntimeError("no three free ports beside each other")


def copy_pack(folder: Path, **edits: Callable[[str], str]) -> Path:
    """A copy of Palembang's pack with e-lapor alone, so that what is broken there shows by itself.

    `elapor=...` edits the text of sources/elapor.toml, `city=...` that of city.toml.
    """
    pack = Path(shutil.copytree(PALEMBANG, folder / "palembang"))
    for source in (pack / "sources").glob("*.toml"):
        if source.stem != "elapor":
            source.unlink()
    drop_what_names_sources(pack)
    for name, edit in edits.items():
        file = pack / ("city.toml" if name == "city" else f"sources/{name}.toml")
        file.write_text(edit(file.read_text(encoding="utf-8")), encoding="utf-8")
    return pack


def drop_what_names_sources(pack: Path) -> None:
    """Take out what is made from sources, so that sources can be taken out as well."""
    for name in ("board.toml", "kpi.toml", "mayor.toml", "rules.toml", "screens.toml"):
        (pack / name).unlink(missing_ok=True)


def poll_quickly(text: str) -> str:
    """e-lapor polled every 2 s, late after 4, stale after 8, down after 12: for short tests."""
    old = "[simulated]\nevery_s = 5\ntimeout_s = 4\n"
    new = "[simulated]\nevery_s = 2\ntimeout_s = 1.9\ndown_after_s = 12\n"
    assert old in text
    return text.replace(old, new)


def environment(**values: str) -> dict[str, str]:
    """This process's environment without any setting of an installation, and with `values`."""
    bare = {key: value for key, value in os.environ.items() if not key.startswith("LAWANG_")}
    return {**bare, "COLUMNS": "200", **values}


@dataclass
class Program:
    """One command as a process, and the file that holds what it has printed."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        """Everything printed so far, colours taken out."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return re.sub(r"\x1b\[[0-9;]*m", "", text)

    def is_running(self) -> bool:
        return self.process.poll() is None

    def says(self, words: str, within_s: float = _START_S) -> float:
        """Wait for words in the output; returns how long it took in seconds."""

        def said() -> bool:
            if words in self.output():
                return True
            assert self.is_running(), f"it ended ({self.process.returncode}):\n{self.output()}"
            return False

        return wait_until(said, within_s, f"the words {words!r} in:\n{self.output()[-3000:]}")

    def wait(self, within_s: float = _END_S) -> int:
        """Wait for its end; returns the exit code."""
        return self.process.wait(within_s)

    def end(self, number: int = signal.SIGINT) -> int:
        """End it as a person would, and by force with all it started if that does not help."""
        tree = family(self.pid)
        if self.is_running():
            for each in tree:
                _signal(each, signal.SIGCONT)
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_END_S)
        for each in tree:
            _signal(each, signal.SIGKILL)
        return self.process.wait(_END_S)


def start(log: Path, *arguments: str, **settings: str) -> Program:
    """Start `lawang ARGUMENTS` with settings such as `LAWANG_CITY=...`; it is yours to end."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env=environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Program(process, log)


def family(pid: int) -> list[psutil.Process]:
    """A process and everything it has started, the eldest first; empty when it is gone."""
    try:
        eldest = psutil.Process(pid)
        return [eldest, *eldest.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that ended and was not collected does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@dataclass
class Demo:
    """A running `lawang up --demo`: its processes, its API, and the e-lapor behind it."""

    program: Program
    port: int
    data_dir: Path
    web: httpx.Client
    elapor: httpx.Client
    address_after_s: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def process(self, name: str) -> psutil.Process:
        """The process of a name: valkey, simulator, poller or web. LookupError while there is none.

        A fallen one that nobody has collected yet is none.
        """
        mark = {"simulator": "simulate", "poller": "poll", "valkey": "valkey-server"}.get(
            name, name
        )
        for each in family(self.program.pid)[1:]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                words = each.cmdline()
                if any(word == mark or word.endswith(f"/{mark}") for word in words):
                    return each
        raise LookupError(name)

    def fault(self, kind: str, **options: float) -> None:
        """Make e-lapor fail that way; "none" mends it."""
        self.elapor.post("_fault", json={"kind": kind, **options}).raise_for_status()

    def file(self, description: str, **fields: str) -> str:
        """File a report in e-lapor as a citizen does; returns e-lapor's id for it."""
        form = {
            "api_key": "demo",
            "service_code": "LPJ",
            "lat": str(LATITUDE),
            "long": str(LONGITUDE),
            "description": description,
            **fields,
        }
        answer = self.elapor.post("open311/v2/requests.json", data=form)
        answer.raise_for_status()
        return str(answer.json()[0]["service_request_id"])

    def elapor_records(self) -> list[dict[str, Any]]:
        """Every report e-lapor has, as it tells them itself."""
        found: list[dict[str, Any]] = []
        while True:
            page = len(found) // 1000 + 1
            answer = self.elapor.get(f"open311/v2/requests.json?page_size=1000&page={page}")
            records = answer.raise_for_status().json()
            found += records
            if len(records) < 1000:
                return found

    def incidents(self, **wanted: str) -> list[dict[str, Any]]:
        """Every incident our API has, page after page."""
        found: list[dict[str, Any]] = []
        parameters = {"limit": "1000", **wanted}
        while True:
            page = self.web.get("/api/v1/incidents", params=parameters).raise_for_status().json()
            found += page["incidents"]
            if not page["next"]:
                return found
            parameters["after"] = page["next"]

    def incident(self, report: str) -> dict[str, Any] | None:
        """What we know of one report of e-lapor; None while we do not."""
        answer = self.web.get(f"/api/v1/incidents/elapor:{report}")
        if answer.status_code == 404:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def source(self) -> dict[str, Any]:
        """The state of e-lapor as our API tells it."""
        found: dict[str, Any] = self.web.get("/api/v1/sources/elapor").raise_for_status().json()
        return found

    def is_well(self) -> bool:
        """Whether everything works and e-lapor was heard in time."""
        return self.web.get("/readyz").status_code == 200 and self.source()["health"] == "fresh"

    def agrees_with_elapor(self) -> bool:
        """Whether we have exactly e-lapor's reports, each once."""
        theirs = sorted(record["service_request_id"] for record in self.elapor_records())
        return theirs == sorted(item["external_id"] for item in self.incidents(source="elapor"))


@contextlib.contextmanager
def run_demo(folder: Path, *options: str, port: int = 0, **settings: str) -> Iterator[Demo]:
    """`lawang up --demo` with its data in `folder`/data, ended at the end whatever happened."""
    port = port or free_ports()
    folder.mkdir(parents=True, exist_ok=True)
    data_dir = folder / "data"
    arguments = ("up", "--demo", "--port", str(port), "--data-dir", str(data_dir), *options)
    program = start(folder / "output.txt", *arguments, **settings)
    simulator = f"http://127.0.0.1:{port + 1}/elapor/"
    try:
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as web,
            httpx.Client(base_url=simulator, timeout=20, trust_env=False) as elapor,
        ):
            demo = Demo(program, port, data_dir, web, elapor, program.says("is open at"))
            wait_until(demo.is_well, _START_S, f"a demo that is well:\n{program.output()[-3000:]}")
            yield demo
    finally:
        program.end()
