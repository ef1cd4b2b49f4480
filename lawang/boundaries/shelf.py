"""Imported boundaries on disk: each import a version, one of them in force, undo to the one before.

The layout is that of `lawang.city.imported`. Nothing is changed in place: a version is written
whole, and one replaced file puts it in force.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from lawang.city.imported import ImportReport, current_version, read_report, shelf
from lawang.domain.errors import BoundaryError, PackError


def current(data_dir: Path, slug: str) -> ImportReport | None:
    """What is in force: the report of an import, or None for the pack's own boundaries.

    Raises PackError if what was imported is damaged.
    """
    version = current_version(data_dir, slug)
    return read_report(version) if version is not None else None


def undo(data_dir: Path, slug: str) -> ImportReport | None:
    """Take back the import in force; what is in force now, or None for the pack's own boundaries.

    Where the import before it cannot be read, that is the pack's own, so undo always leads out of
    damaged files. Raises BoundaryError if nothing was imported.
    """
    folder = shelf(data_dir, slug)
    if not (folder / "current.json").exists():
        raise BoundaryError(["Nothing was imported, so there is nothing to take back."])
    undone, report = _in_force(data_dir, slug)
    before = _readable(folder, report.previous) if report is not None else None
    if before is None:
        (folder / "current.json").unlink()
    else:
        _put_in_force(folder, before.version)
    if undone is not None:
        shutil.rmtree(undone, ignore_errors=True)
    return before


def _readable(folder: Path, version: str | None) -> ImportReport | None:
    """The report of a version, or None if there is none that can be read."""
    with contextlib.suppress(PackError):
        return read_report(folder / version) if version is not None else None
    return None


def _in_force(data_dir: Path, slug: str) -> tuple[Path | None, ImportReport | None]:
    version = None
    with contextlib.suppress(PackError):
        version = current_version(data_dir, slug)
        if version is not None:
            return version, read_report(version)
    return version, None


def put_on_shelf(
    data_dir: Path,
    slug: str,
    files: Mapping[str, str],
    describe: Callable[[str, str | None], ImportReport],
) -> ImportReport:
    """Write a new version of `files` and put it in force.

    `describe` makes its report from its own name and that of the version it replaces. If anything
    fails, what was in force stays in force. Raises OSError as the disk does.
    """
    folder = shelf(data_dir, slug)
    before, _ = _in_force(data_dir, slug)
    version = _new_version(folder)
    try:
        report = describe(version.name, before.name if before is not None else None)
        contents = {**files, "report.json": report.model_dump_json(indent=2)}
        for name, content in contents.items():
            _write(version / name, content)
        _put_in_force(folder, version.name)
    except BaseException:
        shutil.rmtree(version, ignore_errors=True)
        raise
    return report


def _new_version(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    taken = [int(each.name) for each in folder.iterdir() if each.name.isdecimal()]
    version = folder / f"{max(taken, default=0) + 1:04d}"
    version.mkdir()
    return version


def _put_in_force(folder: Path, version: str) -> None:
    draft = folder / "current.json.new"
    _write(draft, json.dumps({"version": version}))
    draft.replace(folder / "current.json")


def _write(file: Path, text: str) -> None:
    """Write through to the disk: the version must be there before anything names it."""
    with file.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
