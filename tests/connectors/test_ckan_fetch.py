"""Reading a resource: paging, change, keys, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from connectors.ckan import CONNECTOR
from connectors.ckan.options import CkanOptions
from lawang.connector import Answer, Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError
from tests.connectors.fetching import read_answers, read_until_error

_read = partial(read_answers, CONNECTOR)
RESOURCE = {
    "id": "r1",
    "package_id": "p1",
    "datastore_active": True,
    "last_modified": "2026-11-20T03:12:00.123456",
}


def _options(site: Any, **given: Any) -> CkanOptions:
    stated = {
        "url": f"http://127.0.0.1:{site.port}",
        "resource_id": "r1",
        "yields": ("readings",),
        "fields": {"observed_at": "tanggal", "updated_at": "_resource.last_modified"},
        "measures": {"harga": {"value": "harga"}},
        "page_size": 3,
    }
    return CkanOptions.model_validate({**stated, **given})


def _rows(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {"_id": each, "tanggal": f"2026-11-{each + 1:02d}", "harga": str(1000 + each)}
        for each in range(first, first + count)
    ]


def _portal(
    reply: Any,
    total: int,
    *,
    most: int = 100,
    stated: Callable[[int], Any] = lambda total: total,
    resource: dict[str, Any] = RESOURCE,
) -> Callable[[Any], Any]:
    """A portal that gives at most `most` rows at once, and states `stated(total)` of them."""

    def handle(request: Any) -> Any:
        action = request.path.rpartition("/")[2]
        if action == "resource_show":
            result: Any = resource
        elif action == "package_show":
            result = {"license_id": "cc-by", "license_title": "CC BY 4.0"}
        else:
            offset = int(request.query["offset"])
            size = min(int(request.query["limit"]), most)
            rows = _rows(offset, max(0, min(size, total - offset)))
            result = {"records": rows, "total": stated(total)}
        return reply(json.dumps({"success": True, "result": result}))

    return handle


def _values(options: CkanOptions, answers: list[Answer]) -> list[float]:
    parsed = [CONNECTOR.parse(options, each) for each in answers]
    return [each.value for page in parsed for each in page.measurements]


@pytest.mark.parametrize("stated", [lambda total: total, lambda total: None, str])
@pytest.mark.parametrize("total", [0, 1, 3, 4, 7])
def test_all_rows_come_whether_the_portal_counts_them_or_not(
    serve: Any, reply: Any, context: Any, total: int, stated: Callable[[int], Any]
) -> None:
    async def run() -> list[float]:
        async with serve(_portal(reply, total, stated=stated)) as site, context() as about:
            options = _options(site)
            return _values(options, await _read(options, about))

    assert asyncio.run(run()) == [1000.0 + each for each in range(total)]


def test_a_portal_that_gives_less_than_asked_is_read_to_the_end(
    serve: Any, reply: Any, context: Any
) -> None:
    async def run() -> list[float]:
        async with serve(_portal(reply, 7, most=2)) as site, context() as about:
            options = _options(site)
            return _values(options, await _read(options, about))

    assert len(asyncio.run(run())) == 7


def test_rows_that_are_counted_and_do_not_come_make_an_incomplete_answer(
    serve: Any, reply: Any, context: Any
) -> None:
    async def run() -> None:
        async with serve(_portal(reply, 3, stated=lambda total: 9)) as site, context() as about:
            await _read(_options(site), about)

    with pytest.raises(RetryLater, match="3 of 9 rows") as caught:
        asyncio.run(run())
    assert caught.value.kind == "truncated"


def test_too_many_pages_need_a_person(serve: Any, reply: Any, context: Any) -> None:
    async def run() -> None:
        async with serve(_portal(reply, 20)) as site, context() as about:
            await _read(_options(site, max_pages=2), about)

    with pytest.raises(NeedsPerson, match="more than 2 pages"):
        asyncio.run(run())


def test_the_portals_time_of_change_is_utc_and_stands_beside_each_reading(
    serve: Any, reply: Any, context: Any
) -> None:
    async def run() -> Any:
        async with serve(_portal(reply, 1)) as site, context() as about:
            options = _options(site)
            (answer,) = await _read(options, about)
            return CONNECTOR.parse(options, answer).measurements[0], json.loads(answer.body)

    measurement, document = asyncio.run(run())
    assert measurement.observed_at == datetime(2026, 11, 20, 3, 12, 0, 123456, UTC)
    assert document["resource"]["licence"] == "CC BY 4.0"


@pytest.mark.parametrize(
    ("changes", "total", "read"),
    [
        ({}, 2, False),
        ({}, 3, True),  # rows were added, and the time of change did not move
        ({"last_modified": "2026-11-21T03:12:00"}, 2, True),
        ({"last_modified": None}, 2, True),
    ],
)
def test_only_what_has_changed_is_read_again(
    serve: Any, reply: Any, context: Any, changes: dict[str, Any], total: int, read: bool
) -> None:
    resource, rows = dict(RESOURCE), [2]

    def handle(request: Any) -> Any:
        return _portal(reply, rows[0], resource=resource)(request)

    async def run() -> bool:
        async with serve(handle) as site, context() as about:
            options = _options(site)
            (first,) = await _read(options, about)
            resource.update(changes)
            rows[0] = total
            return bool(await _read(options, about, Cursor(None, first.validators)))

    assert asyncio.run(run()) is read


def test_another_question_is_not_answered_by_what_was_read_before(
    serve: Any, reply: Any, context: Any
) -> None:
    async def run() -> int:
        async with serve(_portal(reply, 2)) as site, context() as about:
            (first,) = await _read(_options(site), about)
            changed = _options(site, filters={"pasar": "Pasar Cinde"})
            return len(await _read(changed, about, Cursor(None, first.validators)))

    assert asyncio.run(run()) == 1


def test_the_question_is_asked_as_the_portal_wants_it(serve: Any, reply: Any, context: Any) -> None:
    async def run() -> Any:
        async with serve(_portal(reply, 1)) as site, context() as about:
            options = _options(
                site,
                filters={"pasar": ["A", "B"]},
                q="cabai",
                columns=["tanggal", "harga"],
                api_key="kunci",
                metadata=False,
            )
            await _read(options, about)
            return site.requests[0]

    request = asyncio.run(run())
    assert request.path == "/api/3/action/datastore_search"
    assert json.loads(request.query["filters"]) == {"pasar": ["A", "B"]}
    assert (request.query["q"], request.query["fields"]) == ("cabai", "tanggal,harga")
    assert (request.query["sort"], request.headers["authorization"]) == ("_id", "kunci")


def test_a_package_that_may_not_be_read_costs_only_the_licence(
    serve: Any, reply: Any, context: Any
) -> None:
    def handle(request: Any) -> Any:
        if request.path.endswith("package_show"):
            return reply('{"success": false}', status=403)
        return _portal(reply, 1)(request)

    async def run() -> list[float]:
        async with serve(handle) as site, context() as about:
            options = _options(site)
            return _values(options, await _read(options, about))

    assert asyncio.run(run()) == [1000.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, "refused"), (404, "not_found"), (409, "bad_status"), (500, "bad_status")],
)
def test_a_refusing_status_is_told_and_no_key_with_it(
    serve: Any, reply: Any, context: Any, status: int, kind: str
) -> None:
    async def run() -> str:
        def handle(request: Any) -> Any:
            return reply('{"success": false, "error": {"message": "kunci"}}', status=status)

        async with serve(handle) as site, context() as about:
            with pytest.raises(SourceError) as caught:
                await read_answers(
                    CONNECTOR, _options(site, api_key="kunci", metadata=False), about
                )
            return f"{caught.value.kind} {caught.value}"

    told = asyncio.run(run())
    assert told.startswith(kind)
    assert "kunci" not in told


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [
        ("Authorization Error", NeedsPerson, "refused"),
        ("Not Found Error", NeedsPerson, "not_found"),
        ("Validation Error", NeedsPerson, "bad_status"),
        ("Search Error", RetryLater, "bad_status"),
        (None, RetryLater, "bad_status"),
    ],
)
def test_a_refusal_inside_a_good_answer_is_understood(
    kind: Any, error: type[SourceError], told: str
) -> None:
    body = {"success": False, "error": {"__type": kind, "message": "rahasia"}}
    options = CkanOptions.model_validate({"url": "https://data.example", "resource_id": "r"})
    answer = Answer(json.dumps(body).encode(), "", datetime(2026, 11, 21, tzinfo=UTC), "records")
    with pytest.raises(error) as caught:
        CONNECTOR.parse(options, answer)
    assert caught.value.kind == told
    assert "rahasia" not in str(caught.value)


def test_a_portal_that_stops_in_the_middle_is_told(serve: Any, reply: Any, context: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"success": true, "result": {"rec'

    def handle(request: Any) -> Any:
        if request.query.get("offset") == "3":
            return reply(pieces=pieces(), headers={"Content-Length": "5000"})
        return _portal(reply, 5)(request)

    async def run() -> tuple[int, str]:
        async with serve(handle) as site, context() as about:
            return await read_until_error(CONNECTOR, _options(site), about)

    assert asyncio.run(run()) == (1, "unreachable")


def test_a_slow_portal_runs_into_the_time_out(serve: Any, reply: Any, context: Any) -> None:
    async def handle(request: Any) -> Any:
        await asyncio.Event().wait()

    async def run() -> None:
        async with serve(handle) as site, context(timeout_s=0.3) as about:
            await _read(_options(site), about)

    with pytest.raises(RetryLater) as caught:
        asyncio.run(run())
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("url", ["data", "https://data.example/api/3/action", "https://x/?k=1"])
def test_an_address_that_is_no_portal_is_a_mistake(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        CkanOptions.model_validate({"url": url, "resource_id": "r"})
