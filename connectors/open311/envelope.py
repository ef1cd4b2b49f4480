"""Opens an answer: bytes in JSON or XML become the raw records they hold, or an error."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING

import defusedxml.ElementTree
import orjson
from defusedxml.common import DefusedXmlException

from connectors.http import error_for
from lawang.domain.errors import RetryLater
from lawang.domain.values import read_word

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# A list in an object is not the standard's, but several servers wrap theirs.
_WRAPPERS = ("service_requests", "requests", "services", "errors", "error")
#: The only element of a request whose children have names of their own.
_EXTENDED = "extended_attributes"
_XML_LISTS = ("service_requests", "services")
# The only other encodings met in feeds; any codec a server may name is not to be tried.
_OTHER_ENCODINGS = {"iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"}
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]{1,40})", re.ASCII | re.IGNORECASE)
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BLANK = b" \t\r\n"
_NAMESPACE = re.compile(r"^\{[^}]*\}")


def open_answer(body: bytes, content_type: str = "") -> list[object]:
    """The raw records of a list of requests or services, good and bad ones alike.

    What the bytes are is told by how they begin, as servers ignore the asked format and mislabel
    what they send. Raises RetryLater("garbage") when they are no list of records, and the error
    meant by an error body (`[{"code": ..., "description": ...}]`) that came with a status of 200.
    """
    begin = body[:256].removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
    if not begin and not body.strip(_BLANK):
        raise RetryLater("garbage", "an empty answer")
    if begin.lower().startswith((b"<!doctype html", b"<html")):
        raise RetryLater("garbage", f"a web page of {len(body)} bytes")
    encoding = _find_encoding(content_type)
    is_xml = begin.startswith(b"<")
    records = _open_xml(body) if is_xml else _list_json(_load_json(body, encoding))
    if error := _find_error(records):
        raise error_for(error, "in the answer")
    return records


def _find_error(records: list[object]) -> int | None:
    """The first code, if the records are all errors and none is a request or a service."""
    codes: list[int] = []
    for record in records:
        if not isinstance(record, dict) or not {"code", "description"} <= record.keys():
            return None
        if not record.keys().isdisjoint(("service_request_id", "service_code")):
            return None
        word = read_word(record["code"]) or ""
        codes.append(int(word) if re.fullmatch(r"[1-5]\d\d", word, re.ASCII) else 500)
    return codes[0] if codes else None


def _load_json(body: bytes, encoding: str | None) -> object:
    if encoding is None:
        try:
            return orjson.loads(body.removeprefix(codecs.BOM_UTF8))
        except orjson.JSONDecodeError:
            pass
    # The lenient reader takes what Python and PHP servers do send: NaN, raw control characters,
    # a broken byte in one text. None of these may cost the records beside.
    text = body.decode(encoding or "utf-8-sig", "replace")
    try:
        return json.loads(text, strict=False)
    except ValueError:
        raise _unreadable(text, len(body)) from None
    except RecursionError:
        raise RetryLater("garbage", f"nested without end; {len(body)} bytes") from None


def _unreadable(text: str, size: int) -> RetryLater:
    """A list or object without its end is a line that broke; anything else is no JSON at all."""
    bare = text.strip()
    if bare[:1] in ("[", "{") and bare[-1:] not in ("]", "}"):
        return RetryLater("truncated", f"{size} bytes of JSON without their end")
    return RetryLater("garbage", f"not JSON, or cut off; {size} bytes")


def _list_json(content: object) -> list[object]:
    if isinstance(content, dict):
        for name in _WRAPPERS:
            if isinstance(content.get(name), list):
                content = content[name]
                break
        else:
            single = "service_request_id" in content or {"code", "description"} <= content.keys()
            content = [content] if single else None
    if not isinstance(content, list):
        raise RetryLater("garbage", "JSON, but no list of records")
    return content


def _open_xml(body: bytes) -> list[object]:
    root = _load_xml(body)
    if root is None:
        raise RetryLater("garbage", f"not XML, or cut off; {len(body)} bytes")
    name = _name(root)
    if name in ("error", "errors"):
        errors = [root] if name == "error" else list(root)
        return [{"code": None, "description": None, **_as_record(error)} for error in errors]
    if name not in _XML_LISTS:
        raise RetryLater("garbage", "XML, but no list of records")
    return [_as_record(element) for element in root]


def _load_xml(body: bytes) -> Element | None:
    try:
        return _parse_xml(body)
    except DefusedXmlException:
        raise RetryLater("garbage", "XML that declares entities or a document type") from None
    except (ValueError, SyntaxError, LookupError):
        pass
    # A broken byte or a control character in one text must not cost the records beside.
    try:
        return _parse_xml(_NOT_IN_XML.sub("", body.decode("utf-8-sig", "replace")))
    except (ValueError, SyntaxError, LookupError):
        return None


def _parse_xml(content: bytes | str) -> Element:
    root: Element = defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    return root


def _as_record(element: Element) -> dict[str, object]:
    return {
        name: _as_record(child) if name == _EXTENDED else "".join(child.itertext()) or None
        for child in element
        for name in [_name(child)]
    }


def _name(element: Element) -> str:
    return _NAMESPACE.sub("", str(element.tag))


def _find_encoding(content_type: str) -> str | None:
    """The stated encoding if it is one of those other than UTF-8 that are met, else None."""
    stated = _CHARSET.search(content_type)
    try:
        name = codecs.lookup(stated[1]).name if stated else ""
    except LookupError:
        return None
    return name if name in _OTHER_ENCODINGS else None
