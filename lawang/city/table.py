"""CSV files of a pack: strict columns, and the line of every mistake."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lawang.city.toml import read_text
from lawang.domain.errors import PackError


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a CSV file; `line` is 1-based and counts the header."""

    file: Path
    line: int
    values: dict[str, str]

    def mistake(self, column: str, problem: str) -> PackError:
        """A PackError about this line's `column`."""
        return PackError(self.file, column, problem, self.line)

    def text(self, column: str) -> str:
        """The trimmed text of a column that may not be empty."""
        value = self.values[column].strip()
        if not value:
            raise self.mistake(column, "is empty")
        return value

    def number(self, column: str) -> float:
        """A finite number with a decimal point."""
        value = self.text(column)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.mistake(column, f"{value!r} is not a number")
        return number


def read_rows(
    file: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[Row]:
    """The lines of a CSV file whose header is `columns`; empty lines are passed over.

    `optional` ones may follow them, in that order; without them rows have no such value.

    Raises PackError for another header and for a line with more or fewer fields.
    """
    reader = csv.reader(read_text(file).splitlines(keepends=True), strict=True)
    try:
        header = next(reader, [])
        further = tuple(header[len(columns) :])
        if header[: len(columns)] != list(columns) or further != optional[: len(further)]:
            raise PackError(file, "", f"the header must be {','.join(columns)}", 1)
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                problem = f"has {len(fields)} fields instead of {len(header)}"
                raise PackError(file, "", problem, reader.line_num)
            yield Row(file, reader.line_num, dict(zip(header, fields, strict=True)))
    except csv.Error as error:
        raise PackError(file, "", f"is not valid CSV: {error}", reader.line_num) from error
