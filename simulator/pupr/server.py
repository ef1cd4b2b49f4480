"""The REST interface of an ArcGIS feature service, as far as clients that read it use it.

Refusals are answered with HTTP 200 and an `error`, as such servers do. Paging, order and the
most records at a time are those of a server since 10.3.1. The token is printed in the log: it
guards nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.asking import Refusal, read_body
from simulator.city_life import Town
from simulator.faults import Faults
from simulator.pupr import layers
from simulator.pupr.equipment import Equipment
from simulator.pupr.layers import LAYERS, Feature, Layer
from simulator.pupr.where import BadWhereError, read_where
from simulator.store import Store

TOKEN = "demo"  # noqa: S105 (printed in the log)
SERVICE = "/arcgis/rest/services/PUPR/Pekerjaan/FeatureServer"
MOST_RECORDS = 200
_DEGREES, _WEB_MERCATOR = 4326, 3857
_REFERENCES = {"4326": _DEGREES, "3857": _WEB_MERCATOR, "102100": _WEB_MERCATOR, "": _WEB_MERCATOR}
_EARTH_RADIUS_M = 6_378_137.0


class _EsriError(Exception):
    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


@dataclass(frozen=True)
class Server:
    """The endpoints; a skewed clock (see `Faults`) shifts all times it speaks."""

    store: Store
    town: Town
    faults: Faults
    equipment: Equipment
    clock: Clock

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [
            Route(SERVICE, self._service),
            Route(f"{SERVICE}/{{number:int}}", self._layer),
            Route(f"{SERVICE}/{{number:int}}/query", self._query, methods=["GET", "POST"]),
        ]

    async def _service(self, request: Request) -> Response:
        listed = [
            {"id": layer.number, "name": layer.name, "geometryType": layer.geometry}
            for layer in LAYERS.values()
        ]
        return JSONResponse(
            {
                "currentVersion": 11.3,
                "serviceDescription": "Data tiruan dari simulator",
                "maxRecordCount": MOST_RECORDS,
                "capabilities": "Query",
                "layers": listed,
            }
        )

    async def _layer(self, request: Request) -> Response:
        try:
            _check_token(request, request.query_params)
            layer = _find_layer(request)
        except _EsriError as error:
            return _refuse(error)
        return JSONResponse(_describe(layer))

    async def _query(self, request: Request) -> Response:
        try:
            asked: Mapping[str, str] = request.query_params
            if request.method == "POST":
                form = (await read_body(request)).decode("utf-8", "replace")
                asked = {**asked, **dict(parse_qsl(form, keep_blank_values=True))}
            _check_token(request, asked)
            answer = await asyncio.to_thread(self._answer, _find_layer(request), asked)
            return JSONResponse(answer)
        except _EsriError as error:
            return _refuse(error)
        except Refusal as refusal:
            return _refuse(_EsriError(refusal.code, refusal.sentence))

    def _answer(self, layer: Layer, asked: Mapping[str, str]) -> dict[str, Any]:
        names = frozenset(field["name"] for field in layer.fields)
        found = self._selected(layer, asked.get("where", ""), names)
        if asked.get("returnCountOnly", "").lower() == "true":
            return {"count": len(found)}
        _order(found, asked.get("orderByFields", ""), names)
        offset = _read_count(asked, "resultOffset", 0)
        size = min(_read_count(asked, "resultRecordCount", MOST_RECORDS), MOST_RECORDS)
        page = found[offset : offset + size]
        more = offset + size < len(found)
        wanted = _wanted(asked.get("outFields", ""), names)
        reference = _REFERENCES.get(asked.get("outSR", "").strip())
        if reference is None:
            raise _EsriError(400, "Unable to complete operation. outSR")
        with_place = asked.get("returnGeometry", "true").lower() != "false"
        fields = [field for field in layer.fields if field["name"] in wanted]
        if asked.get("f", "html").lower() == "geojson":
            return _to_geojson(page, wanted, more, with_place)
        return _to_esri(layer, page, fields, wanted, more, reference, with_place)

    def _selected(self, layer: Layer, where: str, names: frozenset[str]) -> list[Feature]:
        try:
            test = read_where(where, names)
        except BadWhereError:
            message = "Cannot perform query. Invalid query parameters."
            raise _EsriError(400, message) from None
        features = (
            layers.works(self.store, self.town)
            if layer.number == layers.WORKS.number
            else layers.units(self.equipment, self.clock())
        )
        return [
            feature for feature in map(self._skewed(layer), features) if test(feature.attributes)
        ]

    def _skewed(self, layer: Layer) -> Any:
        skew = int(self.faults.skew.total_seconds() * 1000)
        dates = [each["name"] for each in layer.fields if each["type"] == "esriFieldTypeDate"]

        def shift(feature: Feature) -> Feature:
            for name in dates if skew else ():
                if feature.attributes[name] is not None:
                    feature.attributes[name] += skew
            return feature

        return shift


def _check_token(request: Request, asked: Mapping[str, str]) -> None:
    header = request.headers.get("x-esri-authorization", "")
    token = header.removeprefix("Bearer ").strip() or asked.get("token", "")
    if not token:
        raise _EsriError(499, "Token Required")
    if not hmac.compare_digest(token.encode(), TOKEN.encode()):
        raise _EsriError(498, "Invalid Token")


def _find_layer(request: Request) -> Layer:
    layer = LAYERS.get(request.path_params["number"])
    if layer is None:
        raise _EsriError(404, "Layer not found")
    return layer


def _refuse(error: _EsriError) -> Response:
    return JSONResponse({"error": {"code": error.code, "message": error.message, "details": []}})


def _describe(layer: Layer) -> dict[str, Any]:
    return {
        "currentVersion": 11.3,
        "id": layer.number,
        "name": layer.name,
        "type": "Feature Layer",
        "description": "Data tiruan dari simulator",
        "geometryType": layer.geometry,
        "objectIdField": "OBJECTID",
        "maxRecordCount": MOST_RECORDS,
        "capabilities": "Query",
        "supportedQueryFormats": "JSON, geoJSON",
        "advancedQueryCapabilities": {"supportsPagination": True, "supportsOrderBy": True},
        "extent": {"spatialReference": {"wkid": 102100, "latestWkid": _WEB_MERCATOR}},
        "editFieldsInfo": {"editDateField": layer.edited},
        "dateFieldsTimeReference": {"timeZone": "UTC", "respectsDaylightSaving": False},
        "fields": layer.fields,
    }


def _read_count(asked: Mapping[str, str], name: str, default: int) -> int:
    text = asked.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise _EsriError(400, f"Unable to complete operation. {name}")
    return int(text)


def _wanted(out_fields: str, names: frozenset[str]) -> frozenset[str]:
    asked = {name.strip() for name in out_fields.split(",") if name.strip()}
    if "*" in asked:
        return names
    if not asked <= names:
        raise _EsriError(400, "Cannot perform query. Invalid query parameters.")
    # Without any the object id comes alone.
    return frozenset(asked | {"OBJECTID"})


def _order(found: list[Feature], order_by: str, names: frozenset[str]) -> None:
    for part in reversed([part.split() for part in order_by.split(",") if part.strip()]):
        name, direction = part[0], (part[1:] or ["ASC"])[0].upper()
        if name not in names or direction not in ("ASC", "DESC") or len(part) > 2:
            raise _EsriError(400, "Cannot perform query. Invalid query parameters.")
        found.sort(
            key=lambda feature: (
                feature.attributes[name] is not None,
                feature.attributes[name] if feature.attributes[name] is not None else 0,
            ),
            reverse=direction == "DESC",
        )


def _attributes(feature: Feature, wanted: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in feature.attributes.items() if name in wanted}


def _to_esri(
    layer: Layer,
    page: list[Feature],
    fields: list[dict[str, Any]],
    wanted: frozenset[str],
    more: bool,
    reference: int,
    with_place: bool,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "objectIdFieldName": "OBJECTID",
        "geometryType": layer.geometry,
        "spatialReference": {"wkid": 102100, "latestWkid": 3857}
        if reference == _WEB_MERCATOR
        else {"wkid": _DEGREES, "latestWkid": _DEGREES},
        # Most servers leave the domains to the layer's own description.
        "fields": [{k: v for k, v in field.items() if k != "domain"} for field in fields],
        "features": [
            {"attributes": _attributes(feature, wanted)}
            | ({"geometry": _esri_geometry(feature, reference)} if with_place else {})
            for feature in page
        ],
    }
    return answer | ({"exceededTransferLimit": True} if more else {})


def _esri_geometry(feature: Feature, reference: int) -> dict[str, Any] | None:
    if feature.path is None:
        return None
    path = [_project(position, reference) for position in feature.path]
    if len(path) == 1:
        return {"x": path[0][0], "y": path[0][1]}
    return {"paths": [path]}


def _project(position: tuple[float, float], reference: int) -> tuple[float, float]:
    longitude, latitude = position
    if reference == _DEGREES:
        return longitude, latitude
    x = math.radians(longitude) * _EARTH_RADIUS_M
    y = math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)) * _EARTH_RADIUS_M
    return x, y


def _to_geojson(
    page: list[Feature], wanted: frozenset[str], more: bool, with_place: bool
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": feature.attributes["OBJECTID"],
                "geometry": _geojson_geometry(feature) if with_place else None,
                "properties": _attributes(feature, wanted),
            }
            for feature in page
        ],
    }
    return answer | ({"properties": {"exceededTransferLimit": True}} if more else {})


def _geojson_geometry(feature: Feature) -> dict[str, Any] | None:
    if feature.path is None:
        return None
    if len(feature.path) == 1:
        return {"type": "Point", "coordinates": feature.path[0]}
    return {"type": "LineString", "coordinates": feature.path}
