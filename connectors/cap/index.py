"""Reads the index of a CAP feed: RSS 2.0, or Atom with links or with the alerts inside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from connectors.cap.xml import child, children, name_of, text_of
from lawang.domain.errors import RetryLater
from lawang.domain.values import read_time

_CAP_TYPE = "application/cap+xml"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an index: a document's address, when it changed, and what tells it apart."""

    link: str
    changed_at: datetime | None
    key: str


def read_entries(root: Element, base: str) -> list[Entry]:
    """The entries that link to a document elsewhere, in the index's order; none of a document.

    `base` is the index's own address. Raises RetryLater("garbage") for what is no index.
    """
    return [
        _entry(item, link, base)
        for item in _items(root)
        if find_inline(item) is None and (link := _link(item))
    ]


def read_inline(root: Element) -> list[Element]:
    """The alerts that an Atom index holds itself, or the one that the document is."""
    if name_of(root) == "alert":
        return [root]
    return [alert for item in _items(root) if (alert := find_inline(item)) is not None]


def find_inline(item: Element) -> Element | None:
    """The alert inside an entry's content, if it is there."""
    content = child(item, "content")
    return None if content is None else child(content, "alert")


def is_within(entry: Entry, now: datetime, age: timedelta) -> bool:
    """Whether an entry is young enough; one that states no time is."""
    return entry.changed_at is None or now - entry.changed_at <= age


def _items(root: Element) -> Iterator[Element]:
    kind = name_of(root)
    if kind == "alert":
        return iter(())
    if kind == "feed":
        return children(root, "entry")
    if kind == "rss":
        channel = child(root, "channel")
        if channel is not None:
            return children(channel, "item")
    if kind == "RDF":  # RSS 1.0 has its items beside the channel
        return children(root, "item")
    raise RetryLater("garbage", "XML, but neither RSS, Atom nor CAP")


def _link(item: Element) -> str:
    """RSS writes the address into the element; Atom into an attribute, among other links."""
    found = [each for each in children(item, "link") if each.get("href") or (each.text or "")]
    found.sort(key=_preference)
    return ((found[0].get("href") or found[0].text or "") if found else "").strip()


def _preference(link: Element) -> int:
    if link.get("type") == _CAP_TYPE:
        return 0
    return 1 if link.get("rel", "alternate") == "alternate" else 2


def _entry(item: Element, link: str, base: str) -> Entry:
    stated = next(
        (
            text
            for name in ("updated", "pubDate", "published", "date")
            if (text := text_of(item, name))
        ),
        "",
    )
    identity = text_of(item, "guid") or text_of(item, "id")
    try:
        address = urljoin(base, link)
    except ValueError:
        address = link
    # Told apart by all three: a publisher may write a new document to an old address.
    told = "\n".join((address, identity, stated))
    return Entry(address, _read_time(stated), hashlib.sha256(told.encode()).hexdigest()[:16])


def _read_time(text: str) -> datetime | None:
    if (found := read_time(text, UTC)) is not None:
        return found
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
