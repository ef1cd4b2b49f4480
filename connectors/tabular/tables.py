"""Bytes of a file -> tables of cells. Pure; every fault of the file is a `BadFile`."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from connectors.tabular.options import TabularOptions

DELIMITERS = (";", ",", "\t", "|")
_XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
#: A sheet with one cell in a far corner is laid out whole in memory; tables are not that wide.
_MOST_COLUMNS = 1_000
_MOST_CELLS = 20_000_000
_MOST_MEMBERS = 5_000
_SNIFFED_ROWS = 60
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_REPEATED_CELL = re.compile(rb"<table:table-cell\b(?=[^>]*value-type)[^>]*columns-repeated=\"(\d+)")
_REPEATED_ROW = re.compile(
    rb"<table:table-row\b[^>]*rows-repeated=\"(\d+)[^>]*>(.*?)</table:table-row>", re.DOTALL
)

Merge = tuple[tuple[int, int], tuple[int, int]]
Line = tuple[int, list[Any]]
#: How well some lines hold the columns that are looked for.
Judge = Callable[[list[Line]], int]


class BadFile(ValueError):
    """A file that cannot be used; the text says what is wrong with it, and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: its lines with their numbers as the department counts them (from 1).

    `merges` are areas of merged cells as (first, last), each (line, column) from 0, inclusive.
    """

    sheet: str
    lines: list[Line]
    merges: list[Merge] = field(default_factory=list)


def read_tables(body: bytes, options: TabularOptions, judge: Judge) -> list[Table]:
    """The tables of a file, told by its content and not by its name. Raises BadFile."""
    if not body.strip():
        raise BadFile("it is empty")
    if body.startswith(_ZIP):
        _check_zip(body, options)
        return _read_workbook(body, options)
    if body.startswith(_XLS):
        return _read_workbook(body, options)
    return [_read_csv(body, options, judge)]


# --- CSV -----------------------------------------------------------------------------------------


def _read_csv(body: bytes, options: TabularOptions, judge: Judge) -> Table:
    text = decode(body, options.encoding)
    if text.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<?xml", "<table")):
        raise BadFile("it is a web page, not a table")
    stated = options.delimiter
    if found := _SEPARATOR_LINE.match(text):
        stated, text = stated or found[1], text[found.end() :]
    try:
        delimiter = stated or _sniff(text, judge)
        lines: list[Line] = []
        for number, cells in _split(text, delimiter):
            if len(lines) >= options.max_rows:
                raise BadFile(f"it has more than {options.max_rows} lines")
            if len(cells) > _MOST_COLUMNS:
                raise BadFile(f"line {number} has more than {_MOST_COLUMNS} columns")
            lines.append((number, cells))
    except csv.Error as error:
        raise BadFile(f"it is no CSV: {error}") from None
    return Table("", lines)


def _split(text: str, delimiter: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for cells in reader:
        yield reader.line_num, cells


def decode(body: bytes, encoding: str = "") -> str:
    """The text of a CSV file: by its mark, else as UTF-8, else as Windows wrote it (cp1252)."""
    if encoding:
        try:
            return body.decode(encoding).removeprefix("\ufeff")
        except UnicodeError:
            raise BadFile(f"it is not written in {encoding}") from None
    text = _guess_text(body)
    strange = sum(1 for sign in text[:4_000] if ord(sign) < 32 and sign not in "\t\r\n\f\x1a")
    if strange > len(text[:4_000]) // 50:
        raise BadFile("it is neither text nor a spreadsheet")
    return text


def _guess_text(body: bytes) -> str:
    try:
        if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return body.decode("utf-16")
        head = body[:400]
        if len(head) > 3 and head[1::2].count(0) > len(head) // 3:
            return body.decode("utf-16-le")
        if len(head) > 3 and head[::2].count(0) > len(head) // 3:
            return body.decode("utf-16-be")
        return body.decode("utf-8-sig")
    except UnicodeError:
        return body.decode("cp1252", "replace")


def _sniff(text: str, judge: Judge) -> str:
    """The delimiter by which the lines hold the wanted columns, or else agree in their number."""

    def score(delimiter: str) -> tuple[int, int, int]:
        lines = []
        for line in _split(text[:200_000], delimiter):
            lines.append(line)
            if len(lines) >= _SNIFFED_ROWS:
                break
        widths = [len(cells) for _, cells in lines if len(cells) > 1]
        usual = max(widths, key=widths.count) if widths else 0
        return judge(lines), widths.count(usual), usual

    return max(DELIMITERS, key=score)


# --- workbooks -----------------------------------------------------------------------------------


def _read_workbook(body: bytes, options: TabularOptions) -> list[Table]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(body)) as book:
            return [_read_sheet(book, name, options) for name in _chosen(book, options)]
    except BadFile:
        raise
    except CalamineError as error:
        if "password" in f"{type(error).__name__} {error}".lower():
            raise BadFile("it is locked by a password; ask for it without") from None
        raise BadFile("it is no whole spreadsheet") from None
    except (ValueError, OSError, OverflowError):
        raise BadFile("it is no whole spreadsheet") from None
    except BaseException as error:
        # The reader is written in Rust, whose panics arrive as no ordinary exception.
        if type(error).__name__ != "PanicException":
            raise
        raise BadFile("it is a broken spreadsheet") from None


def _chosen(book: CalamineWorkbook, options: TabularOptions) -> list[str]:
    if not options.sheets:
        return [each.name for each in book.sheets_metadata if _is_table(each)]
    names = [
        name for name in book.sheet_names if any(fnmatchcase(name, each) for each in options.sheets)
    ]
    if not names:
        raise BadFile(f"it has no sheet {' or '.join(options.sheets)}")
    return names


def _is_table(sheet: Any) -> bool:
    return sheet.visible == SheetVisibleEnum.Visible and "WorkSheet" in str(sheet.typ)


def _read_sheet(book: CalamineWorkbook, name: str, options: TabularOptions) -> Table:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_height > options.max_rows + 1_000:
        raise BadFile(f"it has more than {options.max_rows} lines")
    rows = sheet.to_python(skip_empty_area=False)
    lines = [(number, [_plain(cell) for cell in row]) for number, row in enumerate(rows, start=1)]
    merges = list(sheet.merged_cell_ranges or ())
    # Of an area of cells only the first holds the value.
    for (top, left), (bottom, right) in merges:
        if top >= len(lines) or left >= len(lines[top][1]):
            continue
        value = lines[top][1][left]
        for number in range(top, min(bottom + 1, len(lines))):
            cells = lines[number][1]
            for column in range(left, min(right + 1, len(cells))):
                if cells[column] == "":
                    cells[column] = value
    return Table(name, lines, merges)


def _plain(cell: Any) -> Any:
    """A cell as JSON would hold it: dates as ISO 8601, whole numbers without a fraction."""
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ") if cell.time() != dt.time() else cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, dt.timedelta):
        return cell.total_seconds()
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return ""
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell
    return cell


# --- what a packed file may unpack into -----------------------------------------------------------


def _check_zip(body: bytes, options: TabularOptions) -> None:
    """Refuse a broken archive, and one whose content would not fit into memory."""
    left = options.max_unpacked_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                raise BadFile(f"it is an archive of more than {_MOST_MEMBERS} parts")
            for member in members:
                content = _unpack(body, member, left)
                left -= len(content)
                _check_sheet(member.filename, content)
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError) as error:
        if isinstance(error, BadFile):
            raise
        raise BadFile("it is cut off or broken: its archive cannot be unpacked") from None


def _unpack(body: bytes, member: zipfile.ZipInfo, most: int) -> bytes:
    """One part of an archive. What the archive says of its sizes is not believed."""
    if member.flag_bits & 1:
        raise BadFile("it is locked by a password; ask for it without")
    at = member.header_offset
    signature, name_size, extra_size = struct.unpack_from("<4s22xHH", body, at)
    start = at + 30 + name_size + extra_size
    packed = body[start : start + member.compress_size]
    if signature != _ZIP or len(packed) < member.compress_size:
        raise zipfile.BadZipFile
    if member.compress_type == zipfile.ZIP_STORED:
        content = packed
        whole = True
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        unzip = zlib.decompressobj(-15)
        content = unzip.decompress(packed, most + 1)
        whole = unzip.eof
    else:
        raise zipfile.BadZipFile
    if len(content) > most:
        raise BadFile("it unpacks into more than is allowed (max_unpacked_bytes)")
    if not whole or zlib.crc32(content) != member.CRC:
        raise zipfile.BadZipFile
    return content


def _check_sheet(name: str, content: bytes) -> None:
    """Refuse a sheet that a few bytes would blow up to millions of cells."""
    if name.startswith("xl/") and name.endswith(".xml") and b"sheetData" in content:
        last_row = last_column = 0
        for letters, digits in _CELL.findall(content):
            last_row = max(last_row, int(digits))
            last_column = max(last_column, _column_number(letters))
        if last_column > _MOST_COLUMNS or last_row * last_column > _MOST_CELLS:
            raise BadFile("a sheet reaches too far: a cell stands beyond all tables")
    elif name == "content.xml":
        repeats = [int(each) for each in _REPEATED_CELL.findall(content)]
        repeats += [int(n) for n, row in _REPEATED_ROW.findall(content) if b"value-type" in row]
        if any(each > _MOST_COLUMNS for each in repeats):
            raise BadFile("a sheet reaches too far: a cell is repeated beyond all tables")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def is_blank(cells: Iterable[object]) -> bool:
    """Whether nothing is written in any of the cells."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)
