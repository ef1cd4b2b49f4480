"""Dates in the names of files, for tables that say nowhere else what they are about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

#: How a date is written, its form in the letters of `strptime`, and what span it names.
_DATES = (
    (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d", "day"),
    (r"\d{2}-\d{2}-\d{4}", "%d-%m-%Y", "day"),
    (r"20\d{6}", "%Y%m%d", "day"),
    (r"\d{4}-\d{2}", "%Y-%m", "month"),
    (r"20\d{4}", "%Y%m", "month"),
)


@dataclass(frozen=True, slots=True)
class DatedName:
    """`regex` for a whole name, with the date in its group `tanggal`."""

    regex: str
    form: str
    period: str


def date_in_name(path: str) -> DatedName | None:
    """How files named like this one tell their date; None where they do not."""
    name = PurePosixPath(path).name
    for pattern, form, period in _DATES:
        found = re.search(rf"(?<!\d){pattern}(?!\d)", name)
        if found:
            before, after = name[: found.start()], name[found.end() :]
            suffix = re.escape(PurePosixPath(after).suffix)
            # What stands around it may differ from file to file.
            head = re.escape(re.split(r"\d", before)[0]) + (
                ".*" if re.search(r"\d", before) else ""
            )
            return DatedName(f"{head}(?P<tanggal>{pattern}).*{suffix}", form, period)
    return None
