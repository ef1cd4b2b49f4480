"""The options that read a sample again, as TOML."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic import BaseModel, SecretStr

from lawang.city import Source
from lawang.city.toml import read_toml
from lawang.connector import Answer, Options
from lawang.domain.privacy import mask

#: They say how to ask, which a sample does not need, and are where keys are kept.
_ASKING = frozenset({"auth", "headers", "params", "body"})
_NOWHERE = "http://127.0.0.1/"


def describe_options(answer: Answer, source: Source, options: Options) -> str:
    """The options that `parse` needs to read the sample again, as TOML.

    Addresses lead nowhere; what says how to ask, what is a secret, and what came from the
    environment is left out.
    """
    from_environment = _from_environment(source)
    stated = options.model_dump(
        mode="json", exclude_defaults=True, exclude_none=True, by_alias=True
    )
    lines = ["[connection]"]
    for key, value in stated.items():
        is_address = isinstance(value, str) and value.startswith(("http://", "https://"))
        if is_address:
            lines.append(f"{key} = {to_toml(_NOWHERE)}")
        elif not (
            key in _ASKING or key in from_environment or _holds_secret(getattr(options, key))
        ):
            lines.append(f"{key} = {to_toml(value)}")
    return "\n".join([*lines, "", describe_answer(answer, timed=False)])


def describe_answer(answer: Answer, *, timed: bool = True) -> str:
    """`[answer]`: what a file does not say by itself, and when it was fetched if `timed`."""
    lines = ["[answer]"]
    stated = {
        "kind": mask(answer.kind),
        "content_type": answer.content_type,
        "delivery": mask(answer.delivery or ""),
    }
    lines += [f"{key} = {to_toml(text)}" for key, text in stated.items() if text]
    if timed:
        lines.append(f"fetched_at = {answer.fetched_at.isoformat(timespec='seconds')}")
    return "\n".join(lines) + "\n"


def _from_environment(source: Source) -> set[str]:
    document = read_toml(source.file)
    tables = (document, document.get("simulated", {}))
    return {
        key
        for table in tables
        for key, value in table.get("connection", {}).items()
        if b"${" in orjson.dumps(value, default=str)
    }


def _holds_secret(value: object) -> bool:
    if isinstance(value, SecretStr):
        return True
    inner = dict(value).values() if isinstance(value, BaseModel) else ()
    return any(_holds_secret(each) for each in inner)


def to_toml(value: Any) -> str:
    """A plain value as TOML on one line; of texts, TOML understands what JSON writes."""
    if isinstance(value, dict):
        inner = ", ".join(f"{to_toml(str(key))} = {to_toml(each)}" for key, each in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(to_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
