"""The rows of an answer as their connector maps them, before anything is mapped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from connectors.arcgis.answers import is_geojson, list_features, open_answer
from connectors.arcgis.geometry import converter, place, stated_wkid
from connectors.ckan.answers import list_records, open_result
from connectors.documents import open_json
from connectors.tabular.options import TabularOptions
from connectors.tabular.rows import make_rows
from connectors.tabular.tables import BadFile, Line, Table, read_tables
from lawang.connector import Answer, Options
from lawang.domain.errors import LawangError
from lawang.domain.values import read_number
from lawang.propose import Found, find_rows

_SEARCHED_LINES = 40


def rows_of(connector: str, answer: Answer, options: Options) -> tuple[Found, Any]:
    """The rows of an answer, and the whole document where it is one.

    Raises SourceError for what is no answer, LawangError where it holds no rows.
    """
    found, document = _READERS[connector](answer, options)
    if found is None or not found.rows:
        raise LawangError("the answer holds no list of records, so there is nothing to propose")
    return found, document


def _rest(answer: Answer, _options: Options) -> tuple[Found | None, Any]:
    document = open_json(answer.body)
    return find_rows(document), document


def _ckan(answer: Answer, _options: Options) -> tuple[Found | None, Any]:
    document = open_result(answer.body)
    # The column that the portal itself counts by says nothing.
    rows = [
        {key: value for key, value in row.items() if key != "_id"}
        for row in list_records(document)
        if isinstance(row, dict)
    ]
    return Found("@", rows), document


def _arcgis(answer: Answer, _options: Options) -> tuple[Found | None, Any]:
    document = open_answer(answer.body)
    convert = converter(stated_wkid(document))
    key = "properties" if is_geojson(document) else "attributes"
    rows = [
        {**feature[key], "_geometry": place(feature.get("geometry"), convert)}
        for feature in list_features(document)
        if isinstance(feature, dict) and isinstance(feature.get(key), dict)
    ]
    return Found("@", rows), document


def _sql(answer: Answer, _options: Options) -> tuple[Found | None, Any]:
    rows = json.loads(answer.body)
    return Found("@", [row for row in rows if isinstance(row, dict)]), rows


def _tabular(answer: Answer, options: Options) -> tuple[Found | None, Any]:
    if not isinstance(options, TabularOptions) or not answer.body:
        return None, None
    try:
        tables = read_tables(answer.body, options, _judge)
    except BadFile as error:
        raise LawangError(f"the file cannot be read: {error}") from None
    best: list[dict[str, Any]] = []
    for table in tables:
        rows = _table_rows(table, options, answer.kind)
        best = max(best, rows, key=len)
    return Found("@", best), None


def _table_rows(table: Table, options: TabularOptions, name: str) -> list[dict[str, Any]]:
    at = _header(table.lines)
    names = frozenset(" ".join(str(cell).split()) for cell in table.lines[at][1] if cell)
    try:
        rows = make_rows(table, options, names, name) or []
    except BadFile:
        return []
    return [{key: value for key, value in row.items() if key[:1] != "_"} for row in rows]


def _judge(lines: list[Line]) -> int:
    """How wide the header is: the right delimiter gives the widest one."""
    return _width(lines[_header(lines)][1]) if lines else 0


def _header(lines: list[Line]) -> int:
    """The first of the widest lines that hold names and no numbers."""
    looked_at = range(min(len(lines), _SEARCHED_LINES))
    return max(looked_at, key=lambda at: (_width(lines[at][1]), -at), default=0)


def _width(cells: list[Any]) -> int:
    filled = [cell for cell in cells if str(cell).strip()]
    numbers = [cell for cell in filled if not isinstance(cell, str) or _is_number(cell)]
    return 0 if numbers else len({str(cell).strip() for cell in filled})


def _is_number(text: str) -> bool:
    return read_number(text, ",") is not None or read_number(text, ".") is not None


_READERS: dict[str, Callable[[Answer, Options], tuple[Found | None, Any]]] = {
    "rest": _rest,
    "ckan": _ckan,
    "arcgis": _arcgis,
    "sql": _sql,
    "tabular": _tabular,
}
#: Connectors of rows that can be asked for an answer to look at.
WITH_ROWS = tuple(_READERS)
