"""TOML files of a pack, read so that every mistake can be told with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lawang.domain.errors import PackError

Model = TypeVar("Model", bound=BaseModel)


class Table(BaseModel):
    """A table of a file: keys that it does not know are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Mistake(ValueError):
    """What is wrong at a path of a file, or of a table of it."""

    def __init__(self, path: tuple[str, ...], problem: str) -> None:
        self.path = path
        super().__init__(problem)


def read_text(file: Path) -> str:
    """The text of a file of the pack. Raises PackError if it is missing or not UTF-8."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise PackError(file, "", f"cannot be read: {error.strerror or error}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PackError(file, "", "is not UTF-8 text", line) from error


def read_toml(file: Path) -> dict[str, Any]:
    """A parsed TOML file. Raises PackError with the line of a mistake in its syntax."""
    text = read_text(file)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        raise PackError(file, "", f"is not valid TOML: {error}", line) from error


def read_model(file: Path, model: type[Model]) -> Model:
    """A TOML file as a model. Raises PackError for its first mistake."""
    values = read_toml(file)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        path, problem = first_mistake(error)
        raise mistake(file, path, problem) from error


def mistake(file: Path, path: tuple[str, ...], problem: str) -> PackError:
    """A PackError about the key at `path`, with its line, or that of the table it belongs to."""
    key = ".".join(path)
    return PackError(file, key, problem, locate(file, key))


def first_mistake(error: ValidationError) -> tuple[tuple[str, ...], str]:
    """Path and wording of the mistake to tell first; the words never hold the value itself.

    An unknown key comes before a missing one: most often it is the missing one, misspelt.
    """
    found = error.errors(include_url=False, include_context=False, include_input=False)
    first = min(found, key=lambda each: each["type"] != "extra_forbidden")
    # "[key]" is pydantic's mark for a key that is wrong by itself.
    path = tuple(str(part) for part in first["loc"] if part != "[key]")
    words = {"missing": "is missing", "extra_forbidden": "is not a known key here"}
    return path, words.get(first["type"], first["msg"].removeprefix("Value error, "))


def locate(file: Path, key: str) -> int | None:
    """The 1-based line of a dotted key in a TOML file.

    The line of the nearest enclosing table where the key itself is missing (or is inside a value);
    None where not even that is there, or the file cannot be read.
    """
    try:
        lines = dict(_keys(file.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError):
        return None
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return None


def _keys(text: str) -> Iterator[tuple[str, int]]:
    """Each dotted key of valid TOML with its line; tables of an array count from 0."""
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        end = _end_of_statement(text, at)
        statement = text[at:end].strip()
        at = end + 1
        if not statement or statement.startswith("#"):
            continue
        if statement.startswith("["):
            table = _header(statement, counts)
            yield ".".join(table), line
            continue
        path = (*table, *_parts(statement[: _skip(statement, 0, "=")]))
        yield ".".join(path), line


def _header(statement: str, counts: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    inner = statement[: _skip(statement, 1, "]")].lstrip("[")
    path = _parts(inner)
    # A table below a table of an array belongs to the newest of that array.
    for length in range(1, len(path)):
        if path[:length] in counts:
            path = (*path[:length], str(counts[path[:length]]), *path[length:])
    if not statement.startswith("[["):
        return path
    counts[path] = counts.get(path, -1) + 1
    return (*path, str(counts[path]))


def _parts(key: str) -> tuple[str, ...]:
    """A written key, such as `map."Dibuka kembali"`, as its parts."""
    parts: list[str] = []
    value: Any = tomllib.loads(f"{key} = 0")
    while isinstance(value, dict):
        (part,) = value
        parts.append(part)
        value = value[part]
    return tuple(parts)


_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def _skip(text: str, at: int, stop: str) -> int:
    """Where `stop` is next, outside of strings."""
    while at < len(text) and text[at] != stop:
        string = _STRING.match(text, at)
        at = string.end() if string else at + 1
    return at


def _end_of_statement(text: str, at: int) -> int:
    """Where the line ends that `at` begins, with the further lines of a value that goes on."""
    depth = 0
    while at < len(text):
        if string := _STRING.match(text, at):
            at = string.end()
            continue
        match text[at]:
            case "#":
                at = text.find("\n", at)
                if at < 0:
                    return len(text)
                continue
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case "\n" if depth == 0:
                return at
        at += 1
    return at


def dig(values: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Whether nested tables hold something at `path`."""

    def step(value: Any, part: str) -> Any:
        return value.get(part) if isinstance(value, dict) else None

    return reduce(step, path, values) is not None
