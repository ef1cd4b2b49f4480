"""GeoReport's XML: the same values as its JSON, as elements."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

#: What an entry of each list is called.
_ENTRY = {
    "service_requests": "request",
    "services": "service",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "attributes": "attribute",
    "values": "value",
}
# XML 1.0 cannot hold these at all, not even escaped.
_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml(root: str, value: Any) -> bytes:
    """A document with `value` under an element `root`; None is an empty element."""
    text = ElementTree.tostring(_element(root, value), encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode()


def _element(name: str, value: Any) -> ElementTree.Element:
    element = ElementTree.Element(name)
    if isinstance(value, dict):
        element.extend([_element(key, inner) for key, inner in value.items()])
    elif isinstance(value, list):
        element.extend([_element(_ENTRY[name], inner) for inner in value])
    elif isinstance(value, bool):
        element.text = str(value).lower()
    elif value is not None:
        element.text = _IMPOSSIBLE.sub("\ufffd", str(value))
    return element
