"""The embedded Valkey: durable, private, mended when damaged, and never an orphan."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lawang.domain.errors import SettingsError
from lawang.settings import ROOT
from lawang.store.embedded import EmbeddedValkey, find_address

KEYS = 500
VALUE = "x" * 60


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a short path, as most have."""
    with tempfile.TemporaryDirectory(prefix="lawang-") as name:
        yield Path(name)


@contextmanager
def running(folder: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def connected(url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(url, socket_timeout=10)
    try:
        yield client
    finally:
        client.close()


def write_keys(url: str) -> None:
    with connected(url) as client:
        for number in range(KEYS):
            client.set(f"key:{number:04}", VALUE)


def count_keys(url: str) -> int:
    with connected(url) as client:
        return int(client.dbsize())


def fill(folder: Path) -> Path:
    """Keep `KEYS` keys in a data folder; returns the file they were appended to."""
    with running(folder) as server:
        write_keys(server.url)
    (newest,) = (folder / "valkey" / "appendonlydir").glob("*.incr.aof")
    return newest


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_what_was_written_is_there_after_a_restart(folder: Path) -> None:
    fill(folder)
    with running(folder) as server:
        assert count_keys(server.url) == KEYS


def test_what_was_written_is_there_after_a_kill_and_at_the_same_address(folder: Path) -> None:
    with running(folder) as server:
        write_keys(server.url)
        url = server.url
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not server.is_running(), "the server survived kill -9")
        server.start()
        assert server.url == url
        assert count_keys(url) == KEYS


def test_a_client_without_the_password_is_refused(folder: Path) -> None:
    with running(folder) as server:
        client = redis.Redis(
            unix_socket_path=str(folder / "valkey" / "valkey.sock"), retry=Retry(NoBackoff(), 0)
        )
        try:
            with pytest.raises(redis.AuthenticationError):
                client.ping()
        finally:
            client.close()
        assert count_keys(server.url) == 0


def test_only_the_owner_reaches_the_socket_and_the_files(folder: Path) -> None:
    with running(folder):
        kept = folder / "valkey"
        modes = {
            name: stat.S_IMODE((kept / name).stat().st_mode)
            for name in (".", "valkey.sock", "valkey.conf", "valkey.url")
        }
    assert modes == {".": 0o700, "valkey.sock": 0o600, "valkey.conf": 0o600, "valkey.url": 0o600}


def test_other_processes_find_the_address_while_it_runs_and_not_after(folder: Path) -> None:
    with running(folder) as server:
        assert find_address(folder) == server.url
    assert find_address(folder) is None


def test_a_folder_with_spaces_and_quotes_in_its_name_works(folder: Path) -> None:
    with running(folder / "data kota #1 'baru'") as server:
        assert count_keys(server.url) == 0


def test_a_data_folder_too_deep_for_a_socket_gets_one_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with running(folder / ("d" * 60) / ("e" * 60)) as server:
        assert server.url.startswith("unix://")
        assert count_keys(server.url) == 0


def test_without_any_short_path_it_listens_on_loopback_behind_its_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with running(deep) as server:
        assert server.url.startswith("redis://:")
        assert server.url.partition("@")[2].startswith("127.0.0.1:")
        assert count_keys(server.url) == 0


def test_a_second_server_on_the_same_folder_is_refused_with_a_sentence(folder: Path) -> None:
    with running(folder) as server:
        with pytest.raises(SettingsError, match=r"already running on the data folder .*--data-dir"):
            EmbeddedValkey(folder).start()
        assert count_keys(server.url) == 0


def test_a_folder_is_free_again_after_its_server_was_stopped(folder: Path) -> None:
    server = EmbeddedValkey(folder)
    server.start()
    server.stop()
    with running(folder) as other:
        assert count_keys(other.url) == 0


def test_a_write_torn_off_by_a_power_cut_loses_that_write_only(folder: Path) -> None:
    newest = fill(folder)
    os.truncate(newest, newest.stat().st_size - 7)
    with running(folder) as server:
        assert count_keys(server.url) == KEYS - 1


def test_damage_in_the_middle_is_cut_off_and_a_copy_is_kept(folder: Path) -> None:
    newest = fill(folder)
    damaged = bytearray(newest.read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 40] = bytes(40)
    newest.write_bytes(damaged)
    with running(folder) as server:
        assert KEYS * 0.4 < count_keys(server.url) < KEYS * 0.6
    (copy,) = (folder / "valkey").glob("damaged-*")
    assert (copy / newest.name).read_bytes() == damaged


def test_a_mended_server_keeps_what_is_written_to_it_afterwards(folder: Path) -> None:
    newest = fill(folder)
    damaged = bytearray(newest.read_bytes())
    damaged[len(damaged) // 2 :] = bytes(len(damaged) - len(damaged) // 2)
    newest.write_bytes(damaged)
    with running(folder) as server, connected(server.url) as client:
        client.set("after", "mending")
    with running(folder) as server, connected(server.url) as client:
        assert client.get("after") == b"mending"
        assert client.dbsize() > KEYS * 0.4


@pytest.mark.parametrize("pattern", ["*.incr.aof", "*.base.rdb", "*.manifest"])
def test_a_file_of_garbage_is_put_aside_and_the_server_starts(folder: Path, pattern: str) -> None:
    fill(folder)
    (file,) = (folder / "valkey" / "appendonlydir").glob(pattern)
    garbage = os.urandom(4096)
    file.write_bytes(garbage)
    with running(folder) as server:
        write_keys(server.url)
        assert count_keys(server.url) == KEYS
    copies = [path.read_bytes() for path in (folder / "valkey").glob(f"damaged-*/{pattern}")]
    assert garbage in copies


def test_a_lost_file_is_no_reason_not_to_start(folder: Path) -> None:
    fill(folder).unlink()
    with running(folder) as server:
        assert count_keys(server.url) == 0


def test_a_server_that_cannot_start_says_why_and_touches_no_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = fill(folder)
    held = newest.read_bytes()
    monkeypatch.setattr("lawang.store.embedded.get_binary_path", lambda: shutil.which("false"))
    with pytest.raises(SettingsError, match=r"does not start.*valkey\.log"):
        EmbeddedValkey(folder).start()
    assert newest.read_bytes() == held


PARENT = """
import sys, time
from pathlib import Path
from lawang.store.embedded import EmbeddedValkey

server = EmbeddedValkey(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def parent_of_a_server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A process that runs a server on the folder, and that server."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        yield parent, psutil.Process(int(parent.stdout.readline()))
    finally:
        parent.kill()
        parent.communicate(timeout=30)


def is_gone(process: psutil.Process) -> bool:
    """Ended, even where nobody collects the dead."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_its_parent(folder: Path, number: signal.Signals) -> None:
    with parent_of_a_server(folder) as (parent, server):
        parent.send_signal(number)
        parent.wait(30)
        wait_until(lambda: is_gone(server), "an orphan", timeout_s=10)


def test_after_the_parent_was_killed_the_next_one_starts_at_once_on_the_same_data(
    folder: Path,
) -> None:
    with parent_of_a_server(folder) as (parent, _server):
        url = find_address(folder)
        assert url is not None
        write_keys(url)
        parent.kill()
        parent.wait(30)
        with running(folder) as server:
            assert count_keys(server.url) == KEYS


def test_of_several_started_at_the_same_moment_one_runs(folder: Path) -> None:
    outcomes: list[EmbeddedValkey | SettingsError] = []
    over = threading.Event()

    def start() -> None:
        server = EmbeddedValkey(folder)
        try:
            server.start()
            outcomes.append(server)
            over.wait(60)
            server.stop()
        except SettingsError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(outcomes) == len(threads), "some neither started nor gave up")
    over.set()
    for thread in threads:
        thread.join(30)
    assert sum(isinstance(outcome, EmbeddedValkey) for outcome in outcomes) == 1
