"""Tables of cells -> rows by the names of their columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import jmespath

from connectors.tabular.options import TabularOptions
from connectors.tabular.tables import BadFile, Line, Table, is_blank
from lawang.mapping import search

#: A header stands within the first lines, below titles, dates and logos.
_SEARCHED_LINES = 60
#: Between the names of a header of several lines.
JOIN = " / "


def wanted_columns(options: TabularOptions) -> frozenset[str]:
    """The columns that `[fields]` and `[measures]` read, by their names."""
    expressions = [
        each for each in options.fields.model_dump(exclude={"facts"}).values() if each is not None
    ]
    expressions += options.fields.facts.values()
    for measure in options.measures.values():
        expressions += [each for each in (measure.value, measure.where) if each is not None]
    names = {name for text in expressions for name in _roots(jmespath.compile(text).parsed)}
    return frozenset(name for name in names if not name.startswith("_"))


def _roots(node: dict[str, Any]) -> Iterator[str]:
    """The keys of a row that a JMESPath expression begins with."""
    children = [child for child in node.get("children", ()) if isinstance(child, dict)]
    if node["type"] == "field":
        yield node["value"]
    elif node["type"] in ("subexpression", "index_expression", "projection", "value_projection"):
        yield from _roots(children[0])
    elif node["type"] != "literal":
        for child in children:
            yield from _roots(child)


def judge_header(lines: list[Line], wanted: frozenset[str], height: int) -> int:
    """How many of the wanted columns the best header among some lines has."""
    return _find_header(lines, wanted, height)[1]


def make_rows(
    table: Table, options: TabularOptions, wanted: frozenset[str], name: str
) -> list[dict[str, Any]] | None:
    """A table's rows with `_file`, `_sheet`, `_row` and `_name`; None if it has no such header."""
    lines, height = table.lines, options.header_rows
    spread = not table.merges
    if options.header_row is not None:
        # Blank lines count: the number is that which the department sees.
        at = next((i for i, (n, _) in enumerate(lines) if n >= options.header_row), len(lines))
        stands = at < len(lines)
        found = sum(_matches(_names(lines, at, height, spread), wanted)) if stands else 0
    else:
        at, found = _find_header(lines, wanted, height, spread)
    if not found:
        return None
    header = lines[at : at + height]
    names = _as_wanted(_names(lines, at, height, spread), wanted)
    names = _unique(names, lines[at + height :])
    shared = {"_file": name, "_sheet": table.sheet, "_name": options.name_groups(name) or {}}
    rows = []
    for number, cells in lines[at + height :]:
        if is_blank(cells) or any(cells == again for _, again in header):
            continue
        row = {key: _clean(cell) for key, cell in zip(names, cells, strict=False) if key}
        row |= {**shared, "_row": number}
        if options.skip_where is None or not search(options.skip_where, row):
            rows.append(row)
    if len(rows) > options.max_rows:
        raise BadFile(f"it has more than {options.max_rows} rows")
    return rows


def _clean(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _find_header(
    lines: list[Line], wanted: frozenset[str], height: int, spread: bool = True
) -> tuple[int, int]:
    """The line with which the best header begins, and how many wanted columns it has."""
    best, score = 0, 0
    for at in range(min(len(lines), _SEARCHED_LINES)):
        found = sum(_matches(_names(lines, at, height, spread), wanted))
        if found > score:
            best, score = at, found
    # Less than half of them is a text that happens to hold a word.
    return (best, score) if 2 * score >= len(wanted) else (0, 0)


def _matches(names: list[str], wanted: frozenset[str]) -> list[bool]:
    known = {name.casefold() for name in names}
    return [name.casefold() in known for name in wanted]


def _names(lines: list[Line], at: int, height: int, spread: bool) -> list[str]:
    """The columns' names: the lines of the header, joined; equal ones once.

    With `spread` a name goes on over the nameless columns to its right: of merged cells a CSV
    keeps only the first.
    """
    header = [[_word(cell) for cell in cells] for _, cells in lines[at : at + height]]
    width = max((len(cells) for cells in header), default=0)
    header = [cells + [""] * (width - len(cells)) for cells in header]
    for upper, lower in pairwise(header):
        for column in range(1, width):
            if spread and not upper[column] and lower[column]:
                upper[column] = upper[column - 1]
    return [
        JOIN.join(dict.fromkeys(cells[column] for cells in header if cells[column]))
        for column in range(width)
    ]


def _word(cell: object) -> str:
    return " ".join(str(cell).split()) if cell is not None else ""


def _as_wanted(names: list[str], wanted: frozenset[str]) -> list[str]:
    """Names as the source's file spells them, where only the case differs."""
    spelt = {name.casefold(): name for name in wanted}
    return [name if name in wanted else spelt.get(name.casefold(), name) for name in names]


def _unique(names: list[str], lines: list[Line]) -> list[str]:
    """Each column's own name: repeated ones numbered, nameless ones by place, empty ones none."""
    seen: dict[str, int] = {}
    width = max([len(names), *(len(cells) for _, cells in lines)])
    made = []
    for column, name in enumerate([*names, *[""] * (width - len(names))]):
        if not name and all(
            column >= len(cells) or is_blank([cells[column]]) for _, cells in lines
        ):
            made.append("")
            continue
        own = name or f"_column_{column + 1}"
        seen[own] = seen.get(own, 0) + 1
        made.append(own if seen[own] == 1 else f"{own} ({seen[own]})")
    return made
