"""What stops a start, and the sentence it leaves behind: exit code 2, never a trace."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation.running import copy_pack, free_ports, start


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port on which somebody listens, the one before it being free."""
    before = free_ports()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", before + 1))
        listener.listen()
        yield before + 1


def refused(tmp_path: Path, *arguments: str, **settings: str) -> str:
    """Run a command that must not start; returns what it said."""
    program = start(tmp_path / "output.txt", *arguments, **settings)
    try:
        assert program.wait() == 2, program.output()
    finally:
        program.end()
    assert "Traceback" not in program.output()
    return program.output()


def test_a_busy_port_is_refused_with_a_sentence(tmp_path: Path, busy_port: int) -> None:
    said = refused(tmp_path, "up", "--port", str(busy_port), "--data-dir", str(tmp_path / "data"))
    assert f"Port {busy_port} on 127.0.0.1 for the pages is not free" in said
    assert "--port" in said


def test_a_busy_port_of_the_simulated_departments_is_refused(
    tmp_path: Path, busy_port: int
) -> None:
    port, data = str(busy_port - 1), str(tmp_path / "data")
    said = refused(tmp_path, "up", "--demo", "--port", port, "--data-dir", data)
    assert f"Port {busy_port} on 127.0.0.1 for the simulated departments is not free" in said


def test_a_busy_port_of_the_simulated_broker_is_refused(tmp_path: Path) -> None:
    port = free_ports()
    with socket.socket() as broker:
        broker.bind(("127.0.0.1", port + 2))
        broker.listen()
        data = str(tmp_path / "data")
        said = refused(tmp_path, "up", "--demo", "--port", str(port), "--data-dir", data)
    assert f"Port {port + 2} on 127.0.0.1 for the simulated MQTT broker is not free" in said


def test_a_scenario_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    port, data = str(free_ports()), str(tmp_path / "data")
    said = refused(
        tmp_path, "up", "--demo", "--port", port, "--data-dir", data, "--scenario", "gempa"
    )
    assert "banjir, kebakaran, normal, pemadaman" in said
    assert not (tmp_path / "data").exists()


def test_a_scenario_without_a_demonstration_is_refused(tmp_path: Path) -> None:
    port, data = str(free_ports()), str(tmp_path / "data")
    said = refused(tmp_path, "up", "--port", port, "--data-dir", data, "--scenario", "banjir")
    assert "--scenario needs --demo" in said


def test_a_refused_start_has_made_nothing(tmp_path: Path, busy_port: int) -> None:
    refused(tmp_path, "up", "--port", str(busy_port), "--data-dir", str(tmp_path / "data"))
    assert not (tmp_path / "data").exists()


BROKEN: list[tuple[str, Callable[[str], str], str, str]] = [
    ("elapor", lambda text: text.replace('opd = "diskominfo"', 'opd = "dinas"'), "opd", "'dinas'"),
    (
        "elapor",
        lambda text: text.replace("timeout_s = 20", "timeout_s = 90"),
        "timeout_s",
        "must be shorter than every_s",
    ),
    (
        "elapor",
        lambda text: text.replace("page_size = 500", "page_size = 0"),
        "connection.page_size",
        "greater than or equal to 1",
    ),
    (
        "city",
        lambda text: text.replace('timezone = "Asia/Jakarta"', 'timezone = "Asia/Palembang"'),
        "timezone",
        "is not a time zone",
    ),
]


@pytest.mark.parametrize(("name", "edit", "key", "problem"), BROKEN, ids=[b[2] for b in BROKEN])
def test_a_broken_pack_stops_the_start_naming_file_line_and_key(
    tmp_path: Path, name: str, edit: Callable[[str], str], key: str, problem: str
) -> None:
    pack = copy_pack(tmp_path, **{name: edit})
    port, data = str(free_ports()), str(tmp_path / "data")
    said = refused(
        tmp_path, "up", "--demo", "--port", port, "--data-dir", data, LAWANG_CITY=str(pack)
    )
    file = pack / ("city.toml" if name == "city" else f"sources/{name}.toml")
    text = file.read_text(encoding="utf-8").splitlines()
    wanted = key.rpartition(".")[2]
    line = next(n for n, words in enumerate(text, 1) if words.split(" ")[0] == wanted)
    assert f"{file}:{line}: {key}: " in said
    assert problem in said


@pytest.mark.parametrize("command", ["web", "poll"])
def test_a_process_without_any_valkey_says_what_to_do(tmp_path: Path, command: str) -> None:
    said = refused(tmp_path, command, "--data-dir", str(tmp_path / "data"))
    assert "Start `lawang up` there" in said
    assert "LAWANG_REDIS_URL" in said


def test_a_database_address_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        *("poll", "--data-dir", str(tmp_path / "data")),
        LAWANG_REDIS_URL="redis://127.0.0.1:9/0",
        LAWANG_DATABASE_URL="this is no address",
    )
    assert "LAWANG_DATABASE_URL cannot be used" in said
