"""References to environment variables in a source's `[connection]`.

`${NAME}` must be set for the source to be read; `${NAME:-default}` may be. A variable may also be
given as NAME_FILE, the path of a file that holds it, which is how secrets are mounted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lawang.domain.errors import SettingsError

_REFERENCE = re.compile(r"\$\{([^}]*)(\}?)")
_INNER = re.compile(r"([A-Z_][A-Z0-9_]*)(?::-(.*))?", re.DOTALL)


class BadReference(ValueError):
    """Text that looks like a reference and is none; `path` is where it stands."""

    def __init__(self, path: tuple[str, ...], text: str) -> None:
        self.path = path
        super().__init__(f"{text} is not a reference: write ${{NAME}} or ${{NAME:-default}}")


@dataclass(slots=True)
class Expansion:
    """Expands references, and remembers in `unset` those that need a variable that is not set."""

    env: Mapping[str, str]
    unset: list[str] = field(default_factory=list)

    def expand(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        """`value` with references replaced at any depth; a required one that is unset stays.

        Raises BadReference, and SettingsError for a NAME_FILE that cannot be read.
        """
        if isinstance(value, dict):
            return {key: self.expand(each, (*path, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self.expand(each, (*path, str(n))) for n, each in enumerate(value)]
        if isinstance(value, str):
            return _REFERENCE.sub(lambda found: self._replacement(found, path), value)
        return value

    def _replacement(self, found: re.Match[str], path: tuple[str, ...]) -> str:
        inner = _INNER.fullmatch(found[1])
        if inner is None or not found[2]:
            raise BadReference(path, found[0])
        name, default = inner[1], inner[2]
        given = variable(self.env, name)
        if given:
            return given
        if default is not None:
            return default
        if name not in self.unset:
            self.unset.append(name)
        return found[0]


def variable(env: Mapping[str, str], name: str) -> str:
    """The value of NAME, else the trimmed content of the file that NAME_FILE names, else "".

    Raises SettingsError if that file cannot be read. An empty variable counts as not set, as
    compose files pass on variables that nobody has set.
    """
    if env.get(name):
        return env[name]
    file = env.get(f"{name}_FILE")
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"{name}_FILE: {file} cannot be read: {reason}") from error
