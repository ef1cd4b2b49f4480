"""Opens the XML of strangers, and finds elements by name whatever their namespace is.

CAP 1.0, 1.1 and 1.2, RSS and Atom each have a namespace, and servers forget them.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lawang.domain.errors import RetryLater


def open_xml(body: bytes) -> Element:
    """The root of a document.

    Raises RetryLater("garbage") for what is no XML, and for any that declares a document type:
    entities are how XML bombs and readers of local files are built, and no feed needs them.
    """
    if not body.strip():
        raise RetryLater("garbage", "an empty answer")
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException:
        raise RetryLater("garbage", "XML with a document type or entities, not read") from None
    except (ParseError, ValueError, LookupError, RecursionError):
        detail = f"not XML, or cut off; {len(body)} bytes"
        raise RetryLater("garbage", detail) from None
    return root


def name_of(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element, name: str) -> Iterator[Element]:
    """The direct children called `name`."""
    return (child for child in element if name_of(child) == name)


def child(element: Element, name: str) -> Element | None:
    """The first direct child called `name`."""
    return next(children(element, name), None)


def text_of(element: Element, name: str) -> str:
    """The text of the first child called `name`; "" when there is none."""
    found = child(element, name)
    return "" if found is None else (found.text or "").strip()
