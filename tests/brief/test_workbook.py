"""The workbook: real numbers, formulas that come to what the kernel says, and text that is text."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from brief.compose import SPAN, Morning
from brief.prose import Prose
from brief.workbook import make_workbook
from lawang.city import City
from tests.brief.morning import make_morning

SHEETS = ["Ringkasan", "Indikator", "Dimensi", "Kota", "Keuangan", "Kecamatan", "Sumber"]


@pytest.fixture(scope="module")
def morning(city: City) -> Morning:
    return make_morning(city, 4)


@pytest.fixture(scope="module")
def content(city: City, morning: Morning) -> bytes:
    return make_workbook(morning, city, "id")


@pytest.fixture(scope="module")
def formulas(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.fixture(scope="module")
def shown(content: bytes) -> dict[str, list[list[Any]]]:
    """What a viewer that does not calculate shows."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {
        name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for name in book.sheet_names
    }


class Sheets:
    """Works out the formulas of a workbook from its cells alone, as a spreadsheet would.

    It knows what this workbook uses: IF, OR, AND, MAX, MIN, N, SUM, SUMPRODUCT, comparisons and
    the four operations.
    """

    def __init__(self, book: openpyxl.Workbook) -> None:
        self._book = book
        self._known: dict[tuple[str, str], Any] = {}

    def value(self, sheet: str, cell: str) -> Any:
        key = (sheet, cell)
        if key not in self._known:
            found = self._book[sheet][cell].value
            is_formula = isinstance(found, str) and found.startswith("=")
            self._known[key] = self._work_out(found[1:], sheet) if is_formula else found
        return self._known[key]

    def _work_out(self, formula: str, sheet: str) -> Any:
        # Texts first, so that nothing in them is taken for a cell.
        texts: list[str] = []

        def keep(found: re.Match[str]) -> str:
            texts.append(found[1])
            return f"T[{len(texts) - 1}]"

        code = re.sub(r'"([^"]*)"', keep, formula)
        code = re.sub(
            r"(?:(\w+)!)?\$?([A-Z])\$?(\d+):\$?[A-Z]\$?(\d+)",
            lambda found: f"R({(found[1] or sheet)!r},{found[2]!r},{found[3]},{found[4]})",
            code,
        )
        code = re.sub(r"\b([A-Z]\d+)\b", r"C('\1')", code)
        code = code.replace("<>", "!=")
        code = re.sub(r"(?<![<>!=])=(?!=)", "==", code)
        names = {
            "T": texts, "R": self._range, "C": lambda name: Cell(self.value(sheet, name)),
            "IF": lambda test, yes, no: yes() if test else no(),
            "OR": lambda *tests: any(tests), "AND": lambda *tests: all(tests),
            "MAX": max, "MIN": min, "N": lambda each: Cell(each.number),
            "SUM": lambda each: math.fsum(Cell(one).number for one in each),
            "SUMPRODUCT": lambda each: math.fsum(Cell(one).number for one in each),
        }  # fmt: skip
        result = eval(_lazy(code), {"__builtins__": {}, **names})
        return result.value if isinstance(result, Cell) else result

    def _range(self, sheet: str, column: str, first: int, last: int) -> Column:
        return Column(self.value(sheet, f"{column}{row}") for row in range(first, last + 1))


def _lazy(code: str) -> str:
    """IF works out one branch only: the branches become functions."""
    at = code.find("IF(")
    while at >= 0:
        parts, depth, begin = [], 0, at + 3
        for place in range(at + 3, len(code)):
            letter = code[place]
            if letter in "([":
                depth += 1
            elif letter in ")]" and depth:
                depth -= 1
            elif letter in ",)" and not depth:
                parts.append(code[begin:place])
                begin = place + 1
                if letter == ")":
                    test, yes, no = parts
                    inner = f"IF ({test},lambda:{_lazy(yes)},lambda:{_lazy(no)})"
                    return code[:at] + inner + _lazy(code[place + 1 :])
        raise AssertionError(code)
    return code


class Column(list[Any]):
    """A range; compared and multiplied cell by cell."""

    def __init__(self, values: Any) -> None:
        super().__init__(values)

    def __eq__(self, other: object) -> Any:
        wanted = other.value if isinstance(other, Cell) else other
        return Column(each == wanted for each in self)

    def __mul__(self, other: Any) -> Any:
        many = other if isinstance(other, Column) else [other] * len(self)
        return Column(Cell(a).number * Cell(b).number for a, b in zip(self, many, strict=True))


class Cell:
    """One value; an empty one equals the empty text and counts as nought."""

    def __init__(self, value: Any) -> None:
        self.value = value.value if isinstance(value, Cell) else value

    @property
    def number(self) -> float:
        return float(self.value) if isinstance(self.value, int | float) else 0.0

    @staticmethod
    def _of(other: Any) -> Any:
        return other.value if isinstance(other, Cell) else other

    def __eq__(self, other: object) -> bool:
        wanted = self._of(other)
        if self.value in (None, "") and wanted in (None, ""):
            return True
        return bool((0 if self.value is None else self.value) == wanted)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self.number < Cell(other).number

    def __le__(self, other: Any) -> bool:
        return self.number <= Cell(other).number

    def __gt__(self, other: Any) -> bool:
        return self.number > Cell(other).number

    def __ge__(self, other: Any) -> bool:
        return self.number >= Cell(other).number

    def __truediv__(self, other: Any) -> float:
        return self.number / Cell(other).number

    def __mul__(self, other: Any) -> float:
        return self.number * Cell(other).number

    def __add__(self, other: Any) -> float:
        return self.number + Cell(other).number

    def __radd__(self, other: Any) -> float:
        return self.number + Cell(other).number

    def __sub__(self, other: Any) -> float:
        return self.number - Cell(other).number

    __hash__ = None  # type: ignore[assignment]


@pytest.fixture(scope="module")
def worked_out(formulas: openpyxl.Workbook) -> Sheets:
    return Sheets(formulas)


def _agree(one: Any, other: Any) -> bool:
    if one in (None, "") or other in (None, ""):
        return one in (None, "") and other in (None, "")
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def test_it_has_its_seven_sheets(formulas: openpyxl.Workbook) -> None:
    assert formulas.sheetnames == SHEETS


def test_it_lists_every_indicator_once(formulas: openpyxl.Workbook, city: City) -> None:
    sheet = formulas["Indikator"]
    names = [sheet.cell(row, 1).value for row in range(2, sheet.max_row + 1)]
    assert names == list(city.kpis)


def test_scores_and_lights_are_formulas_that_come_to_the_kernels(
    worked_out: Sheets, morning: Morning, city: City
) -> None:
    prose = Prose(morning, city, "id")
    for row, line in enumerate(morning.overview.lines.values(), 2):
        value = line.values[SPAN]
        assert _agree(worked_out.value("Indikator", f"I{row}"), value.score), line.kpi.id
        assert worked_out.value("Indikator", f"J{row}") == prose.light(value.light), line.kpi.id
        assert worked_out.value("Indikator", f"O{row}") == int(value.counts)


def test_dimensions_and_city_come_to_the_roll_up(worked_out: Sheets, morning: Morning) -> None:
    whole, *dimensions = morning.overview.scores[SPAN]
    for row, roll in enumerate(dimensions, 2):
        assert _agree(worked_out.value("Dimensi", f"D{row}"), roll.score), roll.id
        assert worked_out.value("Dimensi", f"E{row}") == roll.counting
        assert worked_out.value("Dimensi", f"F{row}") == roll.total
    assert _agree(worked_out.value("Kota", "B1"), whole.score)
    assert worked_out.value("Kota", "B3") == whole.counting


def test_the_formulas_come_to_the_kernels_scores_on_other_mornings_too(city: City) -> None:
    for seed in (11, 12, 13):
        morning = make_morning(city, seed)
        book = openpyxl.load_workbook(io.BytesIO(make_workbook(morning, city, "id")))
        assert _agree(Sheets(book).value("Kota", "B1"), morning.overview.scores[SPAN][0].score)


def test_what_is_cached_is_what_the_formulas_come_to(
    worked_out: Sheets, formulas: openpyxl.Workbook, shown: dict[str, list[list[Any]]]
) -> None:
    compared = 0
    for sheet in formulas:
        for cells in sheet.iter_rows():
            for cell in cells:
                if (
                    isinstance(cell.value, str)
                    and cell.value.startswith("=")
                    and (cell.data_type == "f")
                ):
                    cached = shown[sheet.title][cell.row - 1][cell.column - 1]
                    assert _agree(cached, worked_out.value(sheet.title, cell.coordinate)), cell
                    compared += 1
    assert compared > 500


def test_values_are_numbers_with_a_format_and_times_are_times(
    formulas: openpyxl.Workbook, morning: Morning
) -> None:
    sheet = formulas["Indikator"]
    for row, line in enumerate(morning.overview.lines.values(), 2):
        value = line.values[SPAN]
        if value.value is None:
            assert sheet[f"G{row}"].value is None
            continue
        assert _agree(sheet[f"G{row}"].value, value.value)
        wanted = {"%": "0.0%", "R": '"Rp"#,##0;-"Rp"#,##0'}.get(line.kpi.unit[:1], "#,##0.0#")
        assert sheet[f"G{row}"].number_format == wanted
        assert isinstance(sheet[f"T{row}"].value, datetime)


def test_a_long_list_keeps_its_head_and_can_be_filtered(formulas: openpyxl.Workbook) -> None:
    sheet = formulas["Indikator"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == f"A1:V{sheet.max_row}"
    assert sheet.print_title_rows == "$1:$1"


def test_the_same_morning_gives_the_same_bytes(
    city: City, morning: Morning, content: bytes
) -> None:
    assert make_workbook(morning, city, "id") == content


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_a_name_that_looks_like_a_formula_stays_a_name(
    city: City, morning: Morning, name: str
) -> None:
    finance = morning.overview.finance
    assert finance is not None
    odd = replace(finance.absorption[0], name=name)
    overview = replace(morning.overview, finance=replace(finance, absorption=(odd,)))
    content = make_workbook(replace(morning, overview=overview), city, "id")
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Keuangan"]
    cells = [cell for row in sheet.iter_rows(max_col=1) for cell in row if cell.value == name]
    assert [cell.data_type for cell in cells] == ["s"]
