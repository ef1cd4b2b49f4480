"""JSON and XML without personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lawang.domain.errors import LawangError
from lawang.domain.privacy import mask
from lawang.sample.paths import KeyPath, is_kept

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


def clean_answer(
    body: bytes,
    kept: Iterable[KeyPath] = (),
    *,
    drop: Iterable[str] = (),
    longest: int | None = None,
) -> tuple[str, str]:
    """An answer without personal data, and the suffix of its form (json, xml).

    Keys that look personal are dropped with all they hold, unless their path is in `kept`; those
    in `drop` are in any case. Every text that stays is masked. Of a list of objects the first
    `longest` are kept. Raises LawangError for what is neither JSON nor XML.
    """
    rules = _Rules(frozenset(kept), frozenset(word.casefold() for word in drop), longest)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _clean_xml(body, rules), "xml"
    try:
        document = json.loads(body.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError):
        raise LawangError("the answer is neither JSON nor XML, so it cannot be masked") from None
    return json.dumps(_clean(document, rules, ()), ensure_ascii=False, indent=1) + "\n", "json"


@dataclass(frozen=True, slots=True)
class _Rules:
    """What may stay: paths in `kept` unless `drop` names the key; `longest` objects of a list."""

    kept: frozenset[KeyPath]
    drop: frozenset[str]
    longest: int | None

    def forbids(self, path: KeyPath) -> bool:
        """Whether what stands at `path` is about a person, by the name of its key."""
        if path[-1].casefold() in self.drop:
            return True
        return is_personal(path[-1]) and not is_kept(path, self.kept)


def _clean(value: Any, rules: _Rules, path: KeyPath) -> Any:
    if isinstance(value, dict):
        return {
            mask(key): _clean(each, rules, (*path, key))
            for key, each in value.items()
            if not rules.forbids((*path, key))
        }
    if isinstance(value, list):
        rows = value[: rules.longest] if value and isinstance(value[0], dict) else value
        return [_clean(each, rules, path) for each in rows]
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


def _clean_xml(body: bytes, rules: _Rules) -> str:
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise LawangError("the answer is not whole XML, so it cannot be masked") from None
    _clean_element(root, rules, ())
    return tostring(root, encoding="unicode") + "\n"


def _clean_element(element: Element, rules: _Rules, path: KeyPath) -> None:
    element.text = mask(element.text) if element.text else element.text
    element.tail = mask(element.tail) if element.tail else element.tail
    for name in list(element.attrib):
        if is_personal(name) or name.casefold() in rules.drop:
            del element.attrib[name]
        else:
            element.attrib[name] = mask(element.attrib[name])
    for child in list(element):
        tag = str(child.tag).rpartition("}")[2]
        below = (*path, tag)
        if rules.forbids(below):
            element.remove(child)
        else:
            _clean_element(child, rules, below)
