"""Where files lie: a folder of this machine, an SFTP server (both by fsspec), or a web server."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Protocol, TypeVar

from fsspec.implementations.local import LocalFileSystem

from connectors.tabular.options import TabularOptions
from lawang.connector import FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater

_CHUNK = 256 * 1024
_MOST_LISTED = 20_000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class File:
    """A file as listed. `stamp` changes when its content does; "" where only reading tells.

    `problem` says why it may not be read.
    """

    name: str
    stamp: str = ""
    size: int | None = None
    changed_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A file as read."""

    body: bytes
    stamp: str
    changed_at: datetime | None
    content_type: str = ""
    simulated: bool = False


class Place(Protocol):
    """Somewhere files lie. Everything raises SourceError where the place itself fails."""

    async def find(self) -> list[File]:
        """All files that the pattern's folders hold."""
        ...

    async def read(self, file: File, known_stamp: str) -> Content | None:
        """A file, None where it changed while it was read or is what `known_stamp` stands for.

        Raises NeedsPerson("too_large").
        """
        ...

    async def remove(self, name: str) -> None:
        """Delete a file; one that is gone already is no error."""
        ...

    async def move(self, name: str, folder: str) -> None:
        """Move a file into a folder, which is made, over one of the same name."""
        ...


@asynccontextmanager
async def open_place(options: TabularOptions, context: FetchContext) -> AsyncIterator[Place]:
    """The place that `location` means, closed at the end."""
    if options.scheme in ("http", "https"):
        from connectors.tabular.web import WebPlace

        yield WebPlace(options, context)
    elif options.scheme == "sftp":
        from connectors.tabular.sftp import connect, explain

        filesystem, host = await connect(options, context)
        try:
            yield FilePlace(filesystem, options, context, host, explain)
        finally:
            await asyncio.to_thread(filesystem.client.close)
    else:
        yield FilePlace(LocalFileSystem(), options, context, "", _explain_local)


class FilePlace:
    """A folder behind an fsspec file system."""

    def __init__(
        self,
        filesystem: Any,
        options: TabularOptions,
        context: FetchContext,
        host: str,
        explain: Callable[[Exception, str], Exception],
    ) -> None:
        self._fs = filesystem
        self._folder = options.folder.rstrip("/") or "/"
        self._folders = PurePosixPath(options.pattern).parts[:-1]
        self._timeout_s = context.timeout.total_seconds()
        self._max_bytes = min(options.max_bytes, context.max_bytes)
        self._explain = explain
        self._where = host or self._folder
        self._is_local = not host

    async def find(self) -> list[File]:
        """Files in the folder, or in those below it that the pattern names."""
        return await self._do(self._list)

    async def read(self, file: File, known_stamp: str) -> Content | None:
        """The file, if it is the same before and after."""
        return await self._do(lambda: self._read(file))

    async def remove(self, name: str) -> None:
        """Delete it."""
        await self._do(lambda: self._remove(name))

    async def move(self, name: str, folder: str) -> None:
        """Move it; a relative folder counts from the files' own."""
        await self._do(lambda: self._move(name, folder))

    async def _do(self, act: Callable[[], _T]) -> _T:
        try:
            async with asyncio.timeout(2 * self._timeout_s):
                return await asyncio.to_thread(act)
        except TimeoutError:
            detail = f"{self._where}: no whole answer within {self._timeout_s:g} s"
            raise RetryLater("timeout", detail) from None
        except (NeedsPerson, RetryLater):
            raise
        except Exception as error:
            raise self._explain(error, self._where) from None

    def _path(self, name: str) -> str:
        return f"{self._folder.rstrip('/')}/{name}"

    def _list(self) -> list[File]:
        until = time.monotonic() + self._timeout_s
        base = os.path.realpath(self._folder) if self._is_local else ""
        found: list[File] = []
        level = [""]
        for wanted in (*self._folders, None):
            below: list[str] = []
            for folder in level:
                for entry in self._fs.ls(self._path(folder).rstrip("/") or "/", detail=True):
                    if time.monotonic() > until:
                        raise TimeoutError
                    name = str(entry["name"]).rstrip("/").rpartition("/")[2]
                    path = f"{folder}/{name}" if folder else name
                    if wanted is None:
                        found += self._file(entry, path, base)
                    elif entry["type"] == "directory" and fnmatchcase(name, wanted):
                        below.append(path)
                if len(found) > _MOST_LISTED:
                    raise NeedsPerson("too_large", f"{self._where}: over {_MOST_LISTED} files")
            level = below
        return found

    def _file(self, entry: dict[str, Any], name: str, base: str) -> list[File]:
        if entry["type"] == "link" or entry.get("islink"):
            inside = base and os.path.realpath(self._path(name)).startswith(f"{base}/")
            if not inside:
                return [File(name, stamp="link", problem="it is a link that leads elsewhere")]
        if entry["type"] != "file":
            return []
        return [File(name, _stamp(entry), int(entry["size"]), _changed_at(entry))]

    def _read(self, file: File) -> Content | None:
        until = time.monotonic() + self._timeout_s
        body = bytearray()
        try:
            with self._fs.open(self._path(file.name), "rb") as stream:
                while chunk := stream.read(_CHUNK):
                    body += chunk
                    if len(body) > self._max_bytes:
                        raise NeedsPerson("too_large", f"more than {self._max_bytes} bytes")
                    if time.monotonic() > until:
                        raise TimeoutError
            after = self._fs.info(self._path(file.name))
        except FileNotFoundError:
            return None  # taken away since it was listed
        if len(body) != file.size or _stamp(after) != file.stamp:
            return None
        return Content(bytes(body), file.stamp, file.changed_at)

    def _remove(self, name: str) -> None:
        if self._fs.exists(self._path(name)):
            self._fs.rm_file(self._path(name))

    def _move(self, name: str, folder: str) -> None:
        target = folder if folder.startswith("/") else self._path(folder)
        if not self._fs.exists(self._path(name)):
            return
        self._fs.makedirs(target, exist_ok=True)
        goal = f"{target.rstrip('/')}/{PurePosixPath(name).name}"
        if self._fs.exists(goal):
            self._fs.rm_file(goal)
        self._fs.mv(self._path(name), goal)


def _changed_at(entry: dict[str, Any]) -> datetime | None:
    changed = entry.get("mtime")
    if isinstance(changed, datetime):
        return changed if changed.tzinfo else changed.replace(tzinfo=UTC)
    return None if changed is None else datetime.fromtimestamp(float(changed), tz=UTC)


def _stamp(entry: dict[str, Any]) -> str:
    changed = _changed_at(entry)
    return f"{entry['size']}/{changed.timestamp() if changed else 0:.6f}"


def _explain_local(error: Exception, where: str) -> Exception:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return RetryLater("unreachable", f"{where}: there is no such folder; is its share mounted?")
    if isinstance(error, PermissionError):
        return NeedsPerson("refused", f"{where}: this program may not read it")
    if isinstance(error, OSError):
        return RetryLater("unreachable", f"{where}: {os.strerror(error.errno or 5)}")
    return error
