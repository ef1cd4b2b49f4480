"""Every error this project raises on purpose, named by what is to be done about it.

::

    LawangError
    ├── PackError              a city pack is broken: file, line and key are named; the start stops
    ├── SettingsError          a setting cannot be used; says which and what to do
    ├── BoundaryError          an imported boundary file cannot be taken; nothing was changed
    ├── SourceError            one poll of one source failed; `kind` is stable and translatable
    │   ├── RetryLater         the next attempt may go through (with `retry_after_s` when told)
    │   └── NeedsPerson        trying again will not help: a key, an address or a format is wrong
    └── StoreError             history or live state cannot be reached or written
        └── Fenced             another poller holds the clock now; this one must not write

Messages say what happened, where, and what a person can do; they never carry a secret, an
answer's body or a citizen's data.
"""

from __future__ import annotations

from pathlib import Path


class LawangError(Exception):
    """Base of all errors raised on purpose."""


class SettingsError(LawangError):
    """A setting that cannot be used."""


class PackError(LawangError):
    """A mistake in a city pack. `line` is 1-based, or None where the whole file is meant."""

    def __init__(self, file: Path, key: str, problem: str, line: int | None = None) -> None:
        self.file = file
        self.key = key
        self.problem = problem
        self.line = line
        where = f"{file}:{line}" if line else str(file)
        super().__init__(f"{where}: {key}: {problem}" if key else f"{where}: {problem}")


class BoundaryError(LawangError):
    """A boundary file that cannot replace the pack's; `problems` lists every finding."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class SourceError(LawangError):
    """One poll failed.

    `kind` is one of the keys that the interface has words for: unreachable, timeout,
    rate_limited, bad_status, refused, garbage, truncated, too_large, redirected,
    host_not_allowed, private_address, not_found, silent, not_configured, store_busy, store_down,
    cache_down, crash. `silent`: nothing was heard for longer than the source may be quiet.
    `detail` is a short technical fact (a status code, a host, a size), safe to show.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(f"{kind}: {detail}" if detail else kind)


class RetryLater(SourceError):
    """The next attempt may succeed. `retry_after_s` is the source's own wish, if it stated one."""

    def __init__(self, kind: str, detail: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(kind, detail)
        self.retry_after_s = retry_after_s


class NeedsPerson(SourceError):
    """Repeating the request will not help until a person changes a key, address or mapping."""


class StoreError(LawangError):
    """History or live state could not be reached or written. `kind` as in SourceError."""

    def __init__(self, kind: str, detail: str = "") -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(f"{kind}: {detail}" if detail else kind)


class Fenced(StoreError):
    """A newer holder of the clock has written; this process lost its lease without noticing."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("fenced", detail)
