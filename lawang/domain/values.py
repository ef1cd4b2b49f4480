"""Reads single values as real servers write them; what cannot be read is None, never an error."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, tzinfo
from urllib.parse import urlsplit

#: The longest free text kept, in characters, the mark of the cut included.
LONGEST_TEXT = 4_000
#: The longest code, word, name or identity kept.
LONGEST_WORD = 200
_LONGEST_LINK = 2_000
_LONGEST_WRITTEN = 64  # of a number or a time
_CUT_MARK = "…"
_NESTED = "[...]"

# Control characters but tab and line feed; overrides of writing direction, which make a text
# read as what it is not; halves of surrogate pairs, which no database can store.
_UNWANTED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_LINE_END = re.compile(r"\r\n?|\u2028|\u2029")

_ZONE_WORDS = {
    "WIB": "+07:00",
    "WITA": "+08:00",
    "WIT": "+09:00",
    "UTC": "+00:00",
    "GMT": "+00:00",
}
_ZONE_WORD = re.compile(rf"\s*({'|'.join(_ZONE_WORDS)})$")
_SPACED_OFFSET = re.compile(r"\s+([+-]\d{2}:?\d{2})$")
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d*)?(?:E[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_EPOCH = re.compile(r"\d{9,13}(?:\.\d+)?")
# Outside these years a time is a placeholder (0001-01-01, 1970-01-01, 9999-12-31), not a time.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 1e11


def read_text(value: object, longest: int = LONGEST_TEXT) -> str | None:
    """Any value as one clean text of at most `longest` characters; None when there is nothing.

    Markup is left as it is: it is text, and the pages show it as text.
    """
    if value is None:
        return None
    whole = value if isinstance(value, str) else _write(value)
    # Of a text of many megabytes only what may be kept is cleaned at all.
    text = whole[: 4 * longest]
    text = _UNWANTED.sub("", _LINE_END.sub("\n", text)).strip()
    if len(text) > longest or len(whole) > 4 * longest:
        text = text[: longest - len(_CUT_MARK)] + _CUT_MARK
    return text or None


def read_word(value: object) -> str | None:
    """A code, a status or a name: one line, at most `LONGEST_WORD` characters."""
    text = read_text(value, LONGEST_WORD)
    return " ".join(text.split()) if text else None


def read_identity(value: object) -> str | None:
    """An identity, which some servers write as a number; None where it names nothing.

    Never cut: two long identities that share their beginning are not the same report.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = read_text(value, LONGEST_WORD + 1)
    return text if text and len(text) <= LONGEST_WORD and "\n" not in text else None


def read_degrees(value: object) -> float | None:
    """Degrees from a number or a text, with a point or a decimal comma."""
    if isinstance(value, str):
        text = value[:_LONGEST_WRITTEN].strip().rstrip("°").replace("\u2212", "-").replace(",", ".")
        value = float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        degrees = float(value)
    except OverflowError:
        return None
    return degrees if math.isfinite(degrees) else None


# What stands before or behind an amount, and does not change it.
_AROUND_NUMBER = re.compile(r"^(?:RP\.?|IDR)|%$|,-$|\u00a0|\s", re.IGNORECASE)
_GROUPS = {
    ",": re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d{1,20})(?:,\d*)?", re.ASCII),
    ".": re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,20})(?:\.\d*)?", re.ASCII),
}
#: What departments write where there is no value. Zero is not among them.
MISSING = frozenset(
    {"", "-", "--", "n/a", "na", "null", "none", "nan", "nihil data", "tidak ada data"}
)


def is_missing(value: object) -> bool:
    """Whether `value` says that there is no value, rather than one that cannot be read."""
    if isinstance(value, str):
        return value.strip().casefold() in MISSING
    return value is None or (isinstance(value, float) and math.isnan(value))


def read_number(value: object, decimal: str = ".") -> float | None:
    """A finite number from a number or a text; None for anything else.

    `decimal` is the mark before the decimals in a text; the other of point and comma may group
    thousands, and only where it groups them all: "Rp1.234.567,00" and "(1.000)", which is how
    accounts write minus a thousand. Text that could be read both ways is read by `decimal` alone.
    """
    if isinstance(value, str):
        text = value[:_LONGEST_WRITTEN].strip().replace("\u2212", "-")
        negative = text.startswith("(") and text.endswith(")")
        text = _AROUND_NUMBER.sub("", text.strip("()") if negative else text)
        text = _AROUND_NUMBER.sub("", text)
        if _GROUPS[decimal].fullmatch(text):
            other = "." if decimal == "," else ","
            text = text.replace(other, "").replace(decimal, ".")
        elif decimal == "," or not _NUMBER.fullmatch(text):
            return None
        value = float(text)
        value = -value if negative else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read_time(value: object, zone: tzinfo) -> datetime | None:
    """An instant, aware and in UTC, from ISO 8601 or seconds or milliseconds since 1970.

    A time without an offset is meant in `zone`. None for anything else, and for placeholders.
    """
    if isinstance(value, bool):
        return None
    try:
        moment = _read_moment(value, zone)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment and _EARLIEST <= moment < _LATEST else None


def _read_moment(value: object, zone: tzinfo) -> datetime | None:
    if isinstance(value, int | float):
        return _from_epoch(float(value))
    if not isinstance(value, str) or len(value) > _LONGEST_WRITTEN:
        return None
    text = value.strip().upper()
    if _EPOCH.fullmatch(text):
        return _from_epoch(float(text))
    text = _ZONE_WORD.sub(lambda found: _ZONE_WORDS[found[1]], text)
    moment = datetime.fromisoformat(_SPACED_OFFSET.sub(r"\1", text))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _from_epoch(seconds: float) -> datetime:
    return datetime.fromtimestamp(
        seconds / 1_000 if abs(seconds) >= _MILLISECONDS_FROM else seconds, tz=UTC
    )


def read_link(value: object) -> str | None:
    """A web address; anything else (`javascript:`, `data:`, a path) is not kept."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > _LONGEST_LINK or _UNWANTED.search(text) or re.search(r"[\s<>\"]", text):
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        return None
    return text if usable else None


def _write(value: object) -> str:
    """What should have been a text, as JSON; never an error, however deep it goes."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return _NESTED
