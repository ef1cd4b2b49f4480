"""The action API of a CKAN portal, as far as clients that read a resource use it.

Refusals carry `success: false` and the HTTP status of CKAN. Its own times are UTC without a zone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.city_life import Town
from simulator.faults import Faults
from simulator.satudata.tables import FILE_ONLY, TABLES, Rows, Table

#: The usual ceiling of a portal, lowered so that its paging is met.
MOST_ROWS = 1_000
_DEFAULT_ROWS = 100
_ACTIONS = "/api/3/action"
_LICENCE = {"license_id": "other-open", "license_title": "Data tiruan untuk peragaan"}


class _ActionError(Exception):
    def __init__(self, status: int, kind: str, message: str) -> None:
        self.status = status
        self.kind = kind
        self.message = message
        super().__init__(message)


@dataclass(frozen=True)
class Portal:
    """The endpoints; a skewed clock (see `Faults`) shifts what is published when."""

    town: Town
    seed: int
    clock: Clock
    faults: Faults
    _published: dict[str, tuple[datetime, Rows]] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """All routes, relative to the department. Every action answers GET."""
        return [Route(f"{_ACTIONS}/{{action}}", self._act)]

    def _act(self, request: Request) -> Response:
        action = request.path_params["action"]
        actions = {
            "package_list": self._package_list,
            "package_show": self._package_show,
            "resource_show": self._resource_show,
            "datastore_search": self._datastore_search,
        }
        head = {"help": f"{request.base_url}api/3/action/help_show?name={action}"}
        try:
            if action not in actions:
                raise _ActionError(400, "Bad Request", f"Action name not known: {action}")
            result = actions[action](request.query_params)
        except _ActionError as error:
            refusal = {"__type": error.kind, "message": error.message}
            return JSONResponse({**head, "success": False, "error": refusal}, error.status)
        return JSONResponse({**head, "success": True, "result": result})

    def _now(self) -> datetime:
        return self.clock() + self.faults.skew

    def _package_list(self, asked: Mapping[str, str]) -> list[str]:
        return [table.package for table in TABLES]

    def _package_show(self, asked: Mapping[str, str]) -> dict[str, Any]:
        name = asked.get("id", "")
        for table in TABLES:
            if name == table.package:
                resources = [self._resource(table)]
                return {
                    "name": name,
                    "title": table.title,
                    "notes": "Semua angka dibuat oleh simulator.",
                    **_LICENCE,
                    "resources": resources,
                    "num_resources": len(resources),
                }
        raise _missing("Package")

    def _resource_show(self, asked: Mapping[str, str]) -> dict[str, Any]:
        if asked.get("id") == FILE_ONLY:
            return {
                "id": FILE_ONLY,
                "package_id": TABLES[0].package,
                "name": "Petunjuk teknis",
                "format": "PDF",
                "datastore_active": False,
                "created": "2026-01-05T02:00:00.000000",
                "last_modified": None,
            }
        return self._resource(_find(asked.get("id", "")))

    def _resource(self, table: Table) -> dict[str, Any]:
        modified = table.modified(self.town, self._now()).replace(tzinfo=None)
        stamp = modified.isoformat(timespec="microseconds")
        return {
            "id": table.resource_id,
            "package_id": table.package,
            "name": table.title,
            "format": "CSV",
            "datastore_active": True,
            "created": "2026-01-05T02:00:00.000000",
            "last_modified": stamp,
            "metadata_modified": stamp,
            "state": "active",
        }

    def _rows(self, table: Table) -> Rows:
        """The rows as last published; made once a publication, as a page is asked for often."""
        now = self._now()
        modified = table.modified(self.town, now)
        held = self._published.get(table.resource_id)
        if held is None or held[0] != modified:
            held = self._published[table.resource_id] = (
                modified,
                table.at(self.town, self.seed, now),
            )
        return held[1]

    def _datastore_search(self, asked: Mapping[str, str]) -> dict[str, Any]:
        table = _find(asked.get("resource_id") or asked.get("id") or "")
        columns = {"_id": "int", **dict(table.columns)}
        rows = _matching(list(self._rows(table)), asked, columns)
        _sort(rows, asked.get("sort", ""), columns)
        wanted = [name.strip() for name in asked.get("fields", "").split(",") if name.strip()]
        if unknown := [name for name in wanted if name not in columns]:
            raise _invalid(f"field {unknown[0]}")
        shown = wanted or list(columns)
        offset = _read_count(asked, "offset", 0)
        limit = min(_read_count(asked, "limit", _DEFAULT_ROWS), MOST_ROWS)
        return {
            "include_total": True,
            "limit": limit,
            "records_format": "objects",
            "resource_id": table.resource_id,
            "total_estimation_threshold": None,
            "records": [
                {name: row[name] for name in shown} for row in rows[offset : offset + limit]
            ],
            "fields": [{"id": name, "type": columns[name]} for name in shown],
            "total": len(rows),
            "total_was_estimated": False,
        }


def _find(resource_id: str) -> Table:
    for table in TABLES:
        if table.resource_id == resource_id:
            return table
    raise _missing(f'Resource "{resource_id[:60]}"')


def _matching(rows: Rows, asked: Mapping[str, str], columns: Mapping[str, str]) -> Rows:
    if text := asked.get("filters", "").strip():
        try:
            filters = json.loads(text)
        except ValueError:
            raise _invalid("filters") from None
        if not isinstance(filters, dict) or not set(filters) <= set(columns):
            raise _invalid("filters")
        for name, value in filters.items():
            values = {str(each) for each in (value if isinstance(value, list) else [value])}
            rows = [row for row in rows if str(row[name]) in values]
    if words := asked.get("q", "").lower().split():
        rows = [row for row in rows if all(word in _text(row) for word in words)]
    return rows


def _text(row: Mapping[str, Any]) -> str:
    return " ".join(str(value) for value in row.values()).lower()


def _sort(rows: Rows, sort: str, columns: Mapping[str, str]) -> None:
    for part in reversed([part.split() for part in sort.split(",") if part.strip()]):
        name, direction = part[0], (part[1:] or ["asc"])[0].lower()
        if name not in columns or direction not in ("asc", "desc"):
            raise _invalid("sort")
        rows.sort(key=lambda row: row[name], reverse=direction == "desc")


def _read_count(asked: Mapping[str, str], name: str, default: int) -> int:
    text = asked.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise _invalid(name)
    return int(text)


def _missing(what: str) -> _ActionError:
    return _ActionError(404, "Not Found Error", f"Not found: {what} was not found.")


def _invalid(what: str) -> _ActionError:
    return _ActionError(409, "Validation Error", f"{what}: invalid value")
