"""Tables for spreadsheets: real numbers, and no text that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

Cell = str | int | float | date | None
#: A cell that begins so is a formula to one program or another.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Cell]], language: str) -> str:
    """A CSV as the language's spreadsheets read it, with a byte order mark so that they know UTF-8.

    Indonesian: semicolons and decimal commas. English: commas and points. Days are ISO 8601,
    numbers complete; what is missing is an empty cell.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";" if language == "id" else ",", lineterminator="\r\n")
    writer.writerow([_text(each) for each in head])
    for row in rows:
        writer.writerow([_written(each, language) for each in row])
    return "\ufeff" + buffer.getvalue()


def _written(cell: Cell, language: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        return _text(cell)
    number = repr(cell)
    return number.replace(".", ",") if language == "id" else number


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
