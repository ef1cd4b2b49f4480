"""Turns an answer of a department into a sample that may be kept: no personal data, no secrets.

What may lie in an answer and is never read (the reporter's name, a device) is dropped by the name
of its key; what is read is masked. A name inside a sentence is recognised by neither, so a person
has to read a sample before it is passed on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

import jmespath
import orjson
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import BaseModel, SecretStr

from lawang.city import Source
from lawang.city.toml import read_toml
from lawang.connector import Answer, Options
from lawang.domain.errors import LawangError
from lawang.domain.privacy import mask

KeyPath = tuple[str, ...]

#: A key with one of these words in it is about a person.
_PERSONAL_WORDS = frozenset(
    {
        "nik", "ktp", "kk", "npwp", "passport", "paspor", "phone", "telepon", "telpon", "telp",
        "tlp", "hp", "msisdn", "mobile", "wa", "whatsapp", "email", "surel", "pelapor",
        "pengadu", "pemohon", "warga", "reporter", "complainant", "citizen", "username", "user",
        "account", "device", "imei", "ip", "lahir", "birth", "dob", "agama", "firstname",
        "lastname", "fullname",
    }
)  # fmt: skip
#: Alone these say whose; beside another word (nama_kelurahan, service_name) what.
_NAMES = frozenset({"nama", "name"})
_NAME_PARTS = frozenset({"lengkap", "depan", "belakang", "panggilan", "first", "last", "full"})
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

#: They say how to ask, which a sample does not need, and are where keys are kept.
_ASKING = frozenset({"auth", "headers", "params", "body"})
_NOWHERE = "http://127.0.0.1/"


def write_sample(folder: Path, answer: Answer, source: Source, options: Options) -> list[Path]:
    """Write `input.json` (or `.xml`) and `options.toml`; the files written.

    Raises LawangError, and writes nothing, for an answer that cannot be cleaned, a folder that
    holds an input already, or one that cannot be written.
    """
    if folder.is_dir() and any(folder.glob("input.*")):
        raise LawangError(f"{folder} holds a sample already; name another folder")
    body, suffix = clean_answer(answer.body, mapped_paths(source))
    texts = {f"input.{suffix}": body, "options.toml": describe_options(answer, source, options)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LawangError(f"{folder} cannot be written: {error.strerror or error}") from None
    return [folder / name for name in texts]


def mapped_paths(source: Source) -> frozenset[KeyPath]:
    """The keys that the source's `[fields]` read, as paths: `lokasi.lat` is ("lokasi", "lat")."""
    expressions = source.connection.get("fields") or {}
    return frozenset(
        path for text in expressions.values() for path in _paths(jmespath.compile(text).parsed)
    )


def _paths(node: dict[str, Any]) -> Iterator[KeyPath]:
    """The paths of keys in the tree of a JMESPath expression."""
    children = [child for child in node.get("children", ()) if isinstance(child, dict)]
    if node["type"] == "field":
        yield (node["value"],)
    elif node["type"] in ("subexpression", "index_expression", "projection"):
        paths: list[KeyPath] = [()]
        for child in children:
            following = list(_paths(child)) or [()]
            paths = [head + tail for head in paths for tail in following]
        yield from paths
    else:
        for child in children:
            yield from _paths(child)


def clean_answer(body: bytes, kept: Iterable[KeyPath] = ()) -> tuple[str, str]:
    """An answer without personal data, and the suffix of its form (json, xml).

    Keys that look personal are dropped with all they hold, unless their path is in `kept`; every
    text that stays is masked. Raises LawangError for what is neither JSON nor XML.
    """
    paths = frozenset(kept)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _clean_xml(body, paths), "xml"
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise LawangError("the answer is neither JSON nor XML, so it cannot be masked") from None
    return json.dumps(_clean(document, paths, ()), ensure_ascii=False, indent=1) + "\n", "json"


def _clean(value: Any, kept: frozenset[KeyPath], path: KeyPath) -> Any:
    if isinstance(value, dict):
        return {
            mask(key): _clean(each, kept, (*path, key))
            for key, each in value.items()
            if not is_personal(key) or _is_kept((*path, key), kept)
        }
    if isinstance(value, list):
        return [_clean(each, kept, path) for each in value]
    if isinstance(value, str):
        return mask(value)
    # An identity number is now and then written as a number; any other number stays one.
    if isinstance(value, int) and not isinstance(value, bool) and mask(str(value)) != str(value):
        return mask(str(value))
    return value


def is_personal(key: str) -> bool:
    """Whether a key names something about a person rather than about the matter."""
    words = [word.lower() for word in _TOKEN.findall(key)]
    if any(word in _PERSONAL_WORDS for word in words):
        return True
    if not _NAMES.intersection(words):
        return False
    return len(words) == 1 or bool(_NAME_PARTS.intersection(words))


def _is_kept(path: KeyPath, kept: frozenset[KeyPath]) -> bool:
    """Whether `path` ends in a mapped path, or in the beginning of one that leads deeper."""
    return any(
        path[-length:] == wanted[:length] for wanted in kept for length in range(1, len(wanted) + 1)
    )


def _clean_xml(body: bytes, kept: frozenset[KeyPath]) -> str:
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise LawangError("the answer is not whole XML, so it cannot be masked") from None
    _clean_element(root, kept, ())
    return tostring(root, encoding="unicode") + "\n"


def _clean_element(element: Element, kept: frozenset[KeyPath], path: KeyPath) -> None:
    element.text = mask(element.text) if element.text else element.text
    element.tail = mask(element.tail) if element.tail else element.tail
    for name in list(element.attrib):
        if is_personal(name):
            del element.attrib[name]
        else:
            element.attrib[name] = mask(element.attrib[name])
    for child in list(element):
        tag = str(child.tag).rpartition("}")[2]
        below = (*path, tag)
        if is_personal(tag) and not _is_kept(below, kept):
            element.remove(child)
        else:
            _clean_element(child, kept, below)


def describe_options(answer: Answer, source: Source, options: Options) -> str:
    """The options that `parse` needs to read the sample again, as TOML.

    Addresses lead nowhere; what says how to ask, what is a secret, and what came from the
    environment is left out.
    """
    from_environment = _from_environment(source)
    stated = options.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    lines = ["[connection]"]
    for key, value in stated.items():
        is_address = isinstance(value, str) and value.startswith(("http://", "https://"))
        if is_address:
            lines.append(f"{key} = {_toml(_NOWHERE)}")
        elif not (
            key in _ASKING or key in from_environment or _holds_secret(getattr(options, key))
        ):
            lines.append(f"{key} = {_toml(value)}")
    if answer.kind:
        lines += ["", "[answer]", f"kind = {_toml(answer.kind)}"]
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


def _toml(value: Any) -> str:
    """A value as TOML on one line; of texts, TOML understands what JSON writes."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_toml(str(key))} = {_toml(each)}" for key, each in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
