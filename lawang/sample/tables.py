"""Tables (CSV, XLSX) as CSV without personal columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from lawang.connector import Answer, Options
from lawang.domain.errors import LawangError
from lawang.domain.privacy import mask
from lawang.sample.cleaning import is_personal
from lawang.sample.paths import KeyPath

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_DELIMITERS = ";,\t|"
_SEARCHED_LINES = 60

Line = list[Any]


def is_table(answer: Answer, options: Options) -> bool:
    """Whether an answer is a file of rows and columns."""
    return hasattr(options, "header_rows") and not answer.content_type.startswith(
        "application/x-lawang"
    )


def clean_table(
    body: bytes, options: Options, kept: Iterable[KeyPath], drop: Collection[str], longest: int
) -> bytes:
    """The first `longest` rows of a table as CSV, in the encoding that `options` state.

    Of a workbook the sheet that has most of the mapped columns is taken. Cells of columns that
    look personal, and are not mapped, or are named in `drop`, are left empty, names included; all
    others are masked. Raises LawangError for what is no table.
    """
    delimiter = getattr(options, "delimiter", "") or ""
    encoding = getattr(options, "encoding", "") or "utf-8"
    mapped = {path[0].casefold() for path in kept if path and not path[0].startswith("_")}
    if body.startswith(_WORKBOOKS):
        lines = _best_sheet(body, getattr(options, "sheets", ()), mapped)
    else:
        text = _decode(body, encoding)
        delimiter = delimiter or max(_DELIMITERS, key=lambda mark: _score(text, mark, mapped))
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    height = int(getattr(options, "header_rows", 1))
    stated = getattr(options, "header_row", None)
    at = stated - 1 if stated else _find_header(lines, mapped)
    hidden = _personal_columns(lines[at : at + height], mapped, {word.casefold() for word in drop})
    decimal = getattr(getattr(options, "formats", None), "decimal", ".")
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter or ";", lineterminator="\n")
    for number, line in enumerate(lines[: at + height + longest]):
        # Above the header stand titles, which belong to no column.
        blanked = hidden if number >= at else set()
        writer.writerow(
            "" if column in blanked else mask(_write(cell, decimal))
            for column, cell in enumerate(line)
        )
    return out.getvalue().encode(encoding, "replace")


def _decode(body: bytes, encoding: str) -> str:
    if b"\0" in body and not encoding.startswith("utf-16"):
        raise LawangError("the answer is no table and no text, so it cannot be masked")
    for each in (encoding, "utf-8-sig", "cp1252"):
        try:
            return body.decode("utf-8-sig" if each == "utf-8" else each)
        except UnicodeDecodeError:
            continue
    raise LawangError("the file is in no encoding that is known, so it cannot be masked")


def _score(text: str, mark: str, mapped: set[str]) -> tuple[int, int]:
    lines = list(csv.reader(io.StringIO(text[:20_000]), delimiter=mark))[:_SEARCHED_LINES]
    best = max((_matches(line, mapped) for line in lines), default=0)
    return best, sum(len(line) for line in lines)


def _best_sheet(body: bytes, patterns: Sequence[str], mapped: set[str]) -> list[Line]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(body))
        names = [
            name
            for name in book.sheet_names
            if not patterns or any(fnmatchcase(name, each) for each in patterns)
        ]
        sheets = [book.get_sheet_by_name(each).to_python(skip_empty_area=False) for each in names]
    except (CalamineError, ValueError, OSError):
        raise LawangError("the workbook cannot be opened, so it cannot be masked") from None
    if not sheets:
        raise LawangError("the workbook has no such sheet")
    return max(sheets, key=lambda lines: _best_match(lines, mapped))


def _best_match(lines: Sequence[Line], mapped: set[str]) -> int:
    return max((_matches(line, mapped) for line in lines[:_SEARCHED_LINES]), default=-1)


def _find_header(lines: Sequence[Line], mapped: set[str]) -> int:
    looked_at = range(min(len(lines), _SEARCHED_LINES))
    return max(looked_at, key=lambda at: (_matches(lines[at], mapped), -at), default=0)


def _matches(line: Line, mapped: set[str]) -> int:
    return len({_name(cell) for cell in line} & mapped)


def _name(cell: object) -> str:
    return " ".join(str(cell).split()).casefold()


def _personal_columns(header: Sequence[Line], mapped: set[str], drop: set[str]) -> set[int]:
    """The columns about persons, by any line of the header."""
    return {
        column
        for line in header
        for column, cell in enumerate(line)
        if _name(cell) in drop or (is_personal(str(cell)) and _name(cell) not in mapped)
    }


def _write(cell: object, decimal: str) -> str:
    """A cell as the department would write it in a CSV."""
    if isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() else repr(cell)
        return text.replace(".", decimal)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ") if cell.time() != time() else f"{cell:%Y-%m-%d}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)
