"""The measured claims of this project, each beside what it is measured against.

A benchmark is a package here with `AIMS`, the plans `FULL` and `QUICK`, and `measure(plan, say)`,
which gives its figures; one that watches something for a while also has `for_minutes(minutes)`,
a full plan of that length. `lawang bench NAME` runs one; `lawang bench all` runs every one and
writes `benchmarks/RESULTS.md`. One with a `RESULTS` of its own is too long for that: it is run by
its name, and writes that file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.figures import Aim, BenchError, Figures

Say = Callable[[str], None]


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def run(
    name: str, *, quick: bool = False, minutes: float | None = None, say: Say = print
) -> dict[str, Any]:
    """Run one benchmark and return its figures; for `all`, those of each by its name.

    What is measured is said line by line. A quick run is good for looking, not for claims: it says
    nothing about the aims, and only a full run of all writes RESULTS.md. `minutes` is how long a
    benchmark that watches something does so; one with results of its own writes them when it was
    run in full, or for longer. Raises BenchError for an unknown name, for `minutes`
    where they mean nothing, or when something that a benchmark needs is not installed.
    """
    if name != "all":
        return dict(_run_one(name, quick, say, minutes))
    if minutes is not None:
        raise BenchError("--minutes goes with one benchmark, not with all of them.")
    from benchmarks import results

    machine = results.describe_machine()
    found = {each: _run(_find(each), quick, say) for each in names() if not _has_own_file(each)}
    if not quick:
        aims: dict[str, Sequence[Aim]] = {each: _find(each).AIMS for each in found}
        say(f"written to {results.write(machine, found, aims)}")
    return dict(found)


def _has_own_file(name: str) -> bool:
    return hasattr(_find(name), "RESULTS")


def _run_one(name: str, quick: bool, say: Say, minutes: float | None) -> Figures:
    benchmark = _find(name)
    from benchmarks import results

    machine = results.describe_machine()
    figures = _run(benchmark, quick, say, minutes)
    full = not quick and (minutes is None or minutes >= getattr(benchmark.FULL, "minutes", 0))
    if _has_own_file(name) and full:
        aims, by = {name: benchmark.AIMS}, f"lawang bench {name}"
        say(f"written to {results.write(machine, {name: figures}, aims, benchmark.RESULTS, by)}")
    return figures


def _find(name: str) -> Any:
    if name not in names():
        raise BenchError(f"There is no benchmark {name!r}. Known: {', '.join(names())}, all.")
    try:
        return importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        raise BenchError(
            f"The benchmark needs {error.name}; it comes with the extra: pip install -e '.[dev]'"
        ) from error


def _run(benchmark: Any, quick: bool, say: Say, minutes: float | None = None) -> Figures:
    plan = benchmark.QUICK if quick else benchmark.FULL
    if minutes is not None:
        if quick or not hasattr(benchmark, "for_minutes"):
            raise BenchError("--minutes goes with a full run of what watches: poll or soak.")
        plan = benchmark.for_minutes(minutes)
    figures: Figures = benchmark.measure(plan, say)
    for aim in benchmark.AIMS:
        words = f"{aim.words}: {figures[aim.key]:,.10g}"
        if quick:
            say(words)
        else:
            mark = "reached" if aim.is_reached(figures) else "MISSED"
            say(f"{mark:>8}  {words} (aim: {aim.limit})")
    return figures
