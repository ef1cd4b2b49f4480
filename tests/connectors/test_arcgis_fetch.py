"""Reading a layer: paging as servers really do it, tokens, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest

from connectors.arcgis import CONNECTOR
from connectors.arcgis.geometry import place
from connectors.arcgis.options import ArcgisOptions
from lawang.connector import Answer, Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from tests.connectors.fetching import read_answers, read_until_error

_read = partial(read_answers, CONNECTOR)
LAYER = "/rest/services/PU/FeatureServer/0"
DESCRIPTION: dict[str, Any] = {
    "objectIdField": "FID",
    "maxRecordCount": 2,
    "advancedQueryCapabilities": {"supportsPagination": True},
    "fields": [
        {"name": "FID", "type": "esriFieldTypeOID"},
        {
            "name": "S",
            "type": "esriFieldTypeSmallInteger",
            "domain": {"type": "codedValue", "codedValues": [{"code": 3, "name": "Dikerjakan"}]},
        },
    ],
}


def _options(site: Any, **given: Any) -> ArcgisOptions:
    fields = {"external_id": "FID", "requested_at": "D", "status": "S", "category_name": "_names.S"}
    stated = {"url": f"http://127.0.0.1:{site.port}{LAYER}", "fields": fields}
    return ArcgisOptions.model_validate({**stated, **given})


def _features(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "attributes": {"FID": number, "D": 1_790_000_000_000, "S": 3},
            "geometry": {"x": 104.75, "y": -2.99},
        }
        for number in range(first, first + count)
    ]


def _asked(request: Any) -> dict[str, str]:
    return {**request.query, **dict(parse_qsl(request.body.decode()))}


def _server(reply: Any, total: int, *, says: bool = True, description: Any = None) -> Any:
    """A layer of `total` features; `says` tells whether it states that it has more."""

    def handle(request: Any) -> Any:
        if not request.path.endswith("/query"):
            return reply(json.dumps(description or DESCRIPTION))
        asked = _asked(request)
        offset, size = int(asked.get("resultOffset", 0)), int(asked.get("resultRecordCount", 2))
        found = _features(offset, max(0, min(size, total - offset)))
        more = {"exceededTransferLimit": offset + size < total} if says else {}
        return reply(json.dumps({"features": found, **more}))

    return handle


def _ids(options: ArcgisOptions, answers: list[Answer]) -> list[str]:
    parsed = [CONNECTOR.parse(options, each) for each in answers]
    return [report.external_id for each in parsed for report in each.reports]


@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("total", [0, 1, 2, 3, 4])
def test_all_features_come_whatever_the_server_says_of_more(
    serve: Any, reply: Any, context: Any, total: int, says: bool
) -> None:
    async def run() -> list[str]:
        async with serve(_server(reply, total, says=says)) as site, context() as about:
            options = _options(site)
            return _ids(options, await _read(options, about))

    assert asyncio.run(run()) == [str(number) for number in range(total)]


def test_pages_are_ordered_by_the_object_id_and_no_larger_than_the_layer_gives(
    serve: Any, reply: Any, context: Any
) -> None:
    async def run() -> list[dict[str, str]]:
        async with serve(_server(reply, 3)) as site, context() as about:
            await _read(_options(site), about)
            return [request.query for request in site.requests[1:]]

    first, second = asyncio.run(run())
    assert first["orderByFields"] == "FID"
    assert (first["resultRecordCount"], first["outSR"], first["where"]) == ("2", "4326", "1=1")
    assert (first["resultOffset"], second["resultOffset"]) == ("0", "2")


def test_coded_values_have_their_names_from_the_layer(serve: Any, reply: Any, context: Any) -> None:
    async def run() -> list[str | None]:
        async with serve(_server(reply, 1)) as site, context() as about:
            options = _options(site)
            (answer,) = await _read(options, about)
            return [each.category_name for each in CONNECTOR.parse(options, answer).reports]

    assert asyncio.run(run()) == ["Dikerjakan"]


def test_a_layer_that_cannot_page_and_has_more_needs_a_person(
    serve: Any, reply: Any, context: Any
) -> None:
    plain = {**DESCRIPTION, "advancedQueryCapabilities": {"supportsPagination": False}}

    async def run() -> None:
        async with serve(_server(reply, 5, description=plain)) as site, context() as about:
            await _read(_options(site), about)

    with pytest.raises(NeedsPerson, match="cannot page") as caught:
        asyncio.run(run())
    assert caught.value.kind == "too_large"


def test_a_server_that_ignores_the_offset_is_not_read_for_ever(
    serve: Any, reply: Any, context: Any
) -> None:
    def handle(request: Any) -> Any:
        if not request.path.endswith("/query"):
            return reply(json.dumps(DESCRIPTION))
        return reply(json.dumps({"features": _features(0, 2), "exceededTransferLimit": True}))

    async def run() -> None:
        async with serve(handle) as site, context() as about:
            await _read(_options(site), about)

    with pytest.raises(NeedsPerson, match="same page again"):
        asyncio.run(run())


def test_more_that_never_comes_is_an_incomplete_answer(
    serve: Any, reply: Any, context: Any
) -> None:
    def handle(request: Any) -> Any:
        if not request.path.endswith("/query"):
            return reply(json.dumps(DESCRIPTION))
        offset = int(request.query["resultOffset"])
        found = _features(0, 2) if not offset else []
        return reply(json.dumps({"features": found, "exceededTransferLimit": True}))

    async def run() -> None:
        async with serve(handle) as site, context() as about:
            await _read(_options(site), about)

    with pytest.raises(RetryLater) as caught:
        asyncio.run(run())
    assert caught.value.kind == "truncated"


def test_too_many_pages_need_a_person(serve: Any, reply: Any, context: Any) -> None:
    async def run() -> None:
        async with serve(_server(reply, 50)) as site, context() as about:
            await _read(_options(site, max_pages=3), about)

    with pytest.raises(NeedsPerson, match="more than 3 pages"):
        asyncio.run(run())


def test_edits_since_the_last_poll_are_asked_for_in_the_layers_zone(
    serve: Any, reply: Any, context: Any
) -> None:
    since = {"field": "edited", "overlap_s": 60, "timezone": "Asia/Jakarta"}

    async def run() -> tuple[str, bool]:
        async with serve(_server(reply, 1)) as site, context() as about:
            cursor = Cursor(datetime(2026, 11, 21, 5, 0, tzinfo=UTC))
            (answer,) = await read_answers(
                CONNECTOR, _options(site, where="A=1", incremental=since), about, cursor
            )
            return site.requests[1].query["where"], answer.complete

    where, complete = asyncio.run(run())
    assert where == "(A=1) AND edited >= TIMESTAMP '2026-11-21 11:59:00'"
    assert not complete


def test_a_long_question_is_posted(serve: Any, reply: Any, context: Any) -> None:
    where = " OR ".join(f"KODE = {number}" for number in range(300))

    async def run() -> tuple[str, str, list[str]]:
        async with serve(_server(reply, 3)) as site, context() as about:
            options = _options(site, where=where)
            found = _ids(options, await _read(options, about))
            return site.requests[1].method, _asked(site.requests[1])["where"], found

    method, asked, found = asyncio.run(run())
    assert (method, asked, len(found)) == ("POST", where, 3)


@pytest.mark.parametrize("way", ["header", "parameter"])
def test_a_token_is_shown_and_never_told(serve: Any, reply: Any, context: Any, way: str) -> None:
    def handle(request: Any) -> Any:
        return reply(json.dumps({"error": {"code": 498, "message": "Invalid token: s3cret"}}))

    async def run() -> tuple[Any, str]:
        async with serve(handle) as site, context() as about:
            with pytest.raises(SourceError) as caught:
                await _read(_options(site, token="s3cret", token_in=way), about)
            return site.requests[0], f"{caught.value.kind} {caught.value}"

    request, told = asyncio.run(run())
    shown = request.headers.get("x-esri-authorization") or request.query.get("token")
    assert shown in ("Bearer s3cret", "s3cret")
    assert told.startswith("refused")
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("code", "error", "kind"),
    [
        (498, NeedsPerson, "refused"),
        (499, NeedsPerson, "refused"),
        (403, NeedsPerson, "refused"),
        (404, NeedsPerson, "not_found"),
        (400, NeedsPerson, "bad_status"),
        (429, RetryLater, "rate_limited"),
        (500, RetryLater, "bad_status"),
        ("x", RetryLater, "bad_status"),
        (None, RetryLater, "bad_status"),
    ],
)
def test_a_refusal_inside_a_good_answer_is_understood(
    code: Any, error: type[SourceError], kind: str
) -> None:
    body = json.dumps({"error": {"code": code, "message": "rahasia", "details": []}}).encode()
    options = ArcgisOptions.model_validate(
        {
            "url": f"https://gis.example{LAYER}",
            "fields": {"external_id": "a", "requested_at": "b"},
        }
    )
    answer = Answer(body, "application/json", datetime(2026, 11, 21, tzinfo=UTC), "features")
    with pytest.raises(error) as caught:
        CONNECTOR.parse(options, answer)
    assert caught.value.kind == kind
    assert "rahasia" not in str(caught.value)


def test_a_server_that_stops_in_the_middle_is_told(serve: Any, reply: Any, context: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"features": ['

    def handle(request: Any) -> Any:
        if not request.path.endswith("/query"):
            return reply(json.dumps(DESCRIPTION))
        if request.query["resultOffset"] == "0":
            return reply(json.dumps({"features": _features(0, 2), "exceededTransferLimit": True}))
        return reply(pieces=pieces(), headers={"Content-Length": "5000"})

    async def run() -> tuple[int, str]:
        async with serve(handle) as site, context() as about:
            return await read_until_error(CONNECTOR, _options(site), about)

    assert asyncio.run(run()) == (1, "unreachable")


def test_a_slow_server_runs_into_the_time_out(serve: Any, reply: Any, context: Any) -> None:
    async def handle(request: Any) -> Any:
        await asyncio.Event().wait()

    async def run() -> None:
        async with serve(handle) as site, context(timeout_s=0.3) as about:
            await _read(_options(site), about)

    with pytest.raises(RetryLater) as caught:
        asyncio.run(run())
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize(
    "url", ["https://gis.example/FeatureServer", f"https://gis.example{LAYER}?token=x", "gis"]
)
def test_an_address_that_is_no_layer_is_a_mistake(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        ArcgisOptions.model_validate({"url": url})


# --- geometry -------------------------------------------------------------------------------


def _degrees(x: float, y: float) -> tuple[float, float]:
    return x, y


def test_the_point_of_an_area_with_a_hole_is_inside_it() -> None:
    outer = [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]
    hole = [[1, 1], [9, 1], [9, 9], [1, 9], [1, 1]]
    found = place({"rings": [outer, hole]}, _degrees)
    assert found is not None
    assert found["geojson"]["type"] == "MultiPolygon"
    assert [len(polygon) for polygon in found["geojson"]["coordinates"]] == [2]
    inside_hole = 1 < found["latitude"] < 9 and 1 < found["longitude"] < 9
    assert not inside_hole


def test_the_point_of_lines_is_the_middle_of_the_longest() -> None:
    found = place({"paths": [[[0, 0], [1, 0]], [[0, 5], [4, 5], [8, 5]]]}, _degrees)
    assert found is not None
    assert (found["longitude"], found["latitude"]) == (4.0, 5.0)


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {},
        {"x": "NaN", "y": "NaN"},
        {"x": None, "y": None},
        {"x": 1e9, "y": 5},
        {"rings": []},
        {"rings": [[[0, 0], [1, 1]]]},
        {"paths": "bukan garis"},
        {"paths": [[]]},
        {"points": [[1]]},
        {"type": "Point", "coordinates": []},
        {"type": "GeometryCollection", "geometries": []},
        {"type": ["Point"]},
        {"type": "Polygon", "coordinates": [[]]},
        {"curveRings": [[[0, 0], {"c": [[1, 1], [2, 2]]}]]},
    ],
)
def test_what_is_no_place_is_none_and_no_error(geometry: Any) -> None:
    assert place(geometry, _degrees) is None
