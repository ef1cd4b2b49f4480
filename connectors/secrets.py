"""Refuses secrets that are written into a pack: packs are shared, printed and kept in git."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, SecretStr

from lawang.city import Source
from lawang.city.toml import mistake, read_toml
from lawang.connector import Connector
from lawang.domain.errors import PackError

_REFERENCE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*(?::-([^}]*))?\}")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: Stands for a reference while the rest of a value is looked at; TOML cannot hold it.
_GIVEN = "\0"
#: Names that mean a secret wherever they stand, in small letters, without - and _.
_SECRET_NAMES = frozenset(
    {
        "accesstoken",
        "apikey",
        "authorization",
        "clientsecret",
        "passwd",
        "password",
        "pwd",
        "secret",
        "token",
        "xapikey",
    }
)


def refuse_literal_secrets(source: Source, connector: Connector) -> None:
    """Raise PackError for the first secret in the source's file that is no `${...}`.

    Secrets are what the connector's options hold as SecretStr, values of keys and parameters that
    are called so, and passwords in addresses. `[simulated]` is not looked at: what opens an
    invented department is none. The error does not repeat the value.
    """
    document = read_toml(source.file)
    connection = document.get("connection", {})
    if not isinstance(connection, dict):
        return
    for path, value in _typed_secrets(connector.options, connection, ("connection",)):
        if _is_address(value):
            continue
        if _is_literal(value):
            raise _refusal(source, path)
    for table in ("connection", "network"):
        for path, value in _texts(document.get(table), (table,)):
            named = _is_secret_name(path[-1]) and not _is_address(value) and _is_literal(value)
            if named or (_is_address(value) and _holds_literal_password(value)):
                raise _refusal(source, path)


def _refusal(source: Source, path: tuple[str, ...]) -> PackError:
    name = re.sub(r"[^A-Z0-9]+", "_", f"LAWANG_{source.id}_{path[-1]}".upper())
    return mistake(
        source.file,
        path,
        f'holds a secret; write "${{{name}}}" in its place, or in that of the password in an '
        f"address, and set {name}, or {name}_FILE to the path of a file that holds it",
    )


def _typed_secrets(
    annotation: Any, value: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts of a table that stand where its model wants a SecretStr, with their paths."""
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        if isinstance(value, str):
            yield path, value
        return
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if isinstance(value, dict) and _is_of_kind(annotation, value):
            for name, field in annotation.model_fields.items():
                key = field.alias or name
                if key in value:
                    yield from _typed_secrets(field.annotation, value[key], (*path, key))
        return
    origin = get_origin(annotation)
    items: list[tuple[str, Any]] | None = None
    if origin in (list, tuple, set, frozenset):
        items = [(str(n), each) for n, each in enumerate(value)] if isinstance(value, list) else []
    elif origin is dict:
        items = list(value.items()) if isinstance(value, dict) else []
    for each in get_args(annotation):
        if items is None:
            yield from _typed_secrets(each, value, path)
        else:
            for key, item in items:
                yield from _typed_secrets(each, item, (*path, key))


def _is_of_kind(model: type[BaseModel], value: dict[str, Any]) -> bool:
    """Whether a table of one of several kinds is of this one; others have no kind."""
    kind = model.model_fields.get("kind")
    known = get_args(kind.annotation) if kind is not None else ()
    return not known or value.get("kind") in known


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _texts(each, (*path, str(number)))


def _is_secret_name(name: str) -> bool:
    return name.lower().replace("-", "").replace("_", "") in _SECRET_NAMES


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.match(text.strip()))


def _mark_references(text: str) -> str:
    """References as one sign each, and their defaults, if they have one, as what they are."""
    return _REFERENCE.sub(lambda found: found[1] or _GIVEN, text)


def _is_literal(text: str) -> bool:
    return bool(text) and _GIVEN not in _mark_references(text)


def _holds_literal_password(address: str) -> bool:
    try:
        split = urlsplit(_mark_references(address.strip()))
        parameters = parse_qsl(split.query)
    except ValueError:
        return False
    user, _, _ = split.netloc.rpartition("@")
    password = user.partition(":")[2]
    secrets = [value for name, value in parameters if _is_secret_name(name)]
    return any(each and _GIVEN not in each for each in (password, *secrets))
