"""What the values of one key look like: times, numbers, coordinates, words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from lawang.domain.values import is_missing, read_number, read_time
from lawang.mapping import Formats

#: Forms of times seen in Indonesian applications, in the letters of `strptime`.
TIME_FORMS = (
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H.%M.%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H.%M", "%d/%m/%Y",
    "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y %H.%M", "%d-%m-%Y",
    "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%d %B %Y %H:%M:%S", "%d %B %Y %H:%M", "%d %B %Y %H.%M", "%d %B %Y, %H:%M", "%d %B %Y",
    "%d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%d %b %Y",
    "%A, %d %B %Y", "%A, %d %B %Y %H:%M",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d%H%M%S", "%Y%m%d",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y",
    "%B %Y", "%b %Y", "%m/%Y", "%Y-%m",
)  # fmt: skip
_LOOKED_AT = 200
_COMMA_DECIMAL = re.compile(
    r"(?:Rp\.?\s*)?-?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+|(?:Rp\.?\s*)?-?\d{1,3}(?:\.\d{3}){2,}",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"(?:Rp\.?\s*)?-?\d{1,3}(?:\.\d{3})+", re.IGNORECASE)
_POINT_DECIMAL = re.compile(r"-?\d+\.(?:\d{1,2}|\d{4,})|-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Column:
    """The values under one path of the rows, missing ones left out."""

    path: str
    values: tuple[Any, ...]
    rows: int

    @property
    def share(self) -> float:
        """In what share of the rows something stands."""
        return len(self.values) / self.rows if self.rows else 0.0

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len({str(value) for value in self.values})

    @property
    def is_single(self) -> bool:
        """Whether each value is one value, no list and no object."""
        return all(not isinstance(value, dict | list) for value in self.values)

    def words(self, most: int) -> list[str]:
        """Its words, most frequent first."""
        return [word for word, _ in Counter(map(str, self.values)).most_common(most)]


def column(path: str, values: Sequence[Any], rows: int) -> Column:
    """A column of the first values, without those that say that there is none."""
    kept = [value for value in values[:_LOOKED_AT] if not is_missing(value)]
    return Column(path, tuple(kept), min(rows, _LOOKED_AT))


def time_forms(values: Sequence[Any]) -> tuple[str, ...] | None:
    """The forms in which all of these times are written; () for those understood by themselves.

    None where they are no times. Days before months, as in Indonesia, unless a value forbids it.
    """
    texts = [value for value in values if not isinstance(value, bool)]
    if not texts:
        return None
    if all(_is_self_evident(value) for value in texts):
        return ()
    left = [value for value in texts if not _is_self_evident(value)]
    for form in TIME_FORMS:
        formats = _formats(form)
        if all(isinstance(text, str) and formats.read_time(text) for text in left):
            return (form,)
    return None


def _formats(form: str) -> Formats:
    return Formats(times=(form,))


def _is_self_evident(value: object) -> bool:
    if isinstance(value, str) and len(value.strip()) < len("2026-1-1"):
        return False
    return read_time(value, UTC) is not None


def is_numeric(values: Sequence[Any], decimal: str) -> bool:
    """Whether all are numbers, or texts that are."""
    return bool(values) and all(read_number(value, decimal) is not None for value in values)


def guess_decimal(values: Sequence[Any]) -> str:
    """ "," where texts among the values can only be numbers that way, else "."."""
    texts = [value.strip() for value in values if isinstance(value, str)]
    comma = sum(bool(_COMMA_DECIMAL.fullmatch(text)) for text in texts)
    comma += sum(bool(_GROUPED.fullmatch(text)) and text.lower().startswith("rp") for text in texts)
    point = sum(bool(_POINT_DECIMAL.fullmatch(text)) for text in texts)
    return "," if comma > point else "."
