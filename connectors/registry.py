"""Finds connectors by name and checks a source's `[connection]` against what they need."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast, get_args

from pydantic import BaseModel, ValidationError

import connectors
from connectors.secrets import refuse_literal_secrets
from lawang.city.toml import dig, mistake, read_toml
from lawang.connector import Connector, Options
from lawang.domain.errors import LawangError, PackError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from lawang.city import Source


def list_names() -> list[str]:
    """The names of all connectors: the folders beside this file."""
    return sorted(found.name for found in pkgutil.iter_modules(connectors.__path__) if found.ispkg)


def get(name: str) -> Connector:
    """The connector called `name`; LawangError with the known names if there is none."""
    known = list_names()
    if name not in known:
        raise LawangError(f"there is no connector {name!r}; known are: {', '.join(known)}")
    module = importlib.import_module(f"connectors.{name}")
    return cast("Connector", module.CONNECTOR)


def bind(source: Source) -> Options:
    """The source's `[connection]` as its connector's options.

    Raises PackError with file, line and key for the first mistake. A source that waits for
    environment variables (`source.unset`) is not polled: what it does state is checked all the
    same, and bare Options stand in for those that cannot be made yet.
    """
    try:
        connector = get(source.connector)
    except LawangError as error:
        raise mistake(source.file, ("connector",), str(error)) from None
    refuse_literal_secrets(source, connector)
    for kind in source.yields:
        if kind not in connector.kinds:
            problem = (
                f"{source.connector} cannot yield {kind}, only {', '.join(sorted(connector.kinds))}"
            )
            raise mistake(source.file, ("yields",), problem)
    try:
        options = connector.options.model_validate(source.connection)
        for path, problem in options.problems():
            raise mistake(source.file, path, problem)
        return options
    except ValidationError as error:
        # Without inputs and `from None`: one of the values is a key.
        found = error.errors(include_url=False, include_context=False, include_input=False)
    mistakes = [each for each in found if not _is_waiting(source, each)]
    if not mistakes:
        return Options()
    # A misspelt key first: it is most often the one that another mistake misses.
    first = min(mistakes, key=lambda each: each["type"] != "extra_forbidden")
    raise _as_pack_error(source, connector, first)


def _is_waiting(source: Source, found: ErrorDetails) -> bool:
    """Whether a value is wrong only because its environment variable is not set."""
    value: object = source.connection
    for part in _without_kind(tuple(str(part) for part in found["loc"])):
        value = value.get(part) if isinstance(value, dict) else None
    return isinstance(value, str) and any(f"${{{name}" in value for name in source.unset)


def _path_in_file(location: tuple[str, ...]) -> tuple[str, ...]:
    """Where a mistake in the options stands in the source's file."""
    if location[:1] in (("fields",), ("formats",), ("measures",), ("personal",)):
        return location
    return ("connection", *_without_kind(location))


def _without_kind(location: tuple[str, ...]) -> tuple[str, ...]:
    """Between a table of one of several kinds and its key pydantic puts the name of the kind."""
    if location[:1] in (("auth",), ("paging",)) and len(location) > 2:
        return (location[0], *location[2:])
    return location


def _known_keys(model: type[BaseModel], table: tuple[int | str, ...]) -> Iterable[str]:
    """The keys of the options' table at a pydantic location, tables of one kind included."""
    if not table:
        return _keys(model)
    annotation = model.model_fields[str(table[0])].annotation
    kinds = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
    tables = [each for each in kinds if issubclass(each, BaseModel)]
    if len(tables) == 1:
        return _keys(tables[0])
    word = str(table[-1])
    ours = [each for each in tables if word in get_args(each.model_fields["kind"].annotation)]
    return _keys(ours[0]) if ours else ()


def _keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table as its file writes them."""
    return [each.alias or name for name, each in model.model_fields.items()]


def _as_pack_error(source: Source, connector: Connector, found: ErrorDetails) -> PackError:
    path = _path_in_file(tuple(str(part) for part in found["loc"]))
    problem = found["msg"].removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        table = found["loc"][:-1]
        known = ", ".join(sorted(_known_keys(connector.options, table)))
        owner = ".".join(_without_kind((*map(str, table), ""))[:-1]) or connector.name
        problem = f"is not a key of {owner}, which knows: {known}"
    elif found["type"] == "missing":
        problem = f"is missing; {connector.name} needs it"
    if source.simulated and dig(read_toml(source.file), ("simulated", *path)):
        path = ("simulated", *path)
    return mistake(source.file, path, problem)
