"""Fetching from a real server: what is asked, where paging ends, what is not read twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.rest import CONNECTOR
from connectors.rest.options import RestOptions
from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_PAGE = {"kind": "page", "size": 10}
_OFFSET = {"kind": "offset", "size": 10}
_CURSOR = {"kind": "cursor", "next": "meta.next"}


def _row(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "at": "2026-11-20T08:15:00+07:00", **changes}


def _rows(count: int) -> list[dict[str, Any]]:
    return [_row(number) for number in range(count)]


@pytest.fixture
def poll(serve: Any, context: Any) -> Callable[..., Any]:
    """One poll against a handler: (ids seen, answers, site, error)."""

    def run(handler: Any, cursor: Cursor | None = None, **given: Any) -> Any:
        limits = given.pop("limits", {})

        async def read() -> Any:
            answers: list[Any] = []
            error = None
            async with serve(handler) as site, context(**limits) as policy:
                fields = {"external_id": "id", "requested_at": "at"}
                stated = {"url": site.url, "fields": fields, **given}
                chosen = RestOptions.model_validate(stated)
                try:
                    async for answer in CONNECTOR.fetch(chosen, cursor or Cursor(), policy):
                        answers.append(answer)  # noqa: PERF401 (kept when a later page fails)
                except SourceError as caught:
                    error = caught
                ids = [
                    report.external_id
                    for answer in answers
                    for report in CONNECTOR.parse(chosen, answer).reports
                ]
            return ids, answers, site, error

        return asyncio.run(read())

    return run


@pytest.fixture
def poll_twice(serve: Any, context: Any) -> Callable[..., Any]:
    """Two polls of one server, the second with what the first remembered and other options."""

    def run(handler: Any, then: dict[str, Any] | None = None, **given: Any) -> Any:
        async def read() -> Any:
            async with serve(handler) as site, context() as policy:
                fields = {"external_id": "id", "requested_at": "at"}
                held: dict[str, str] = {}
                counts: list[int] = []
                for more in ({}, then or {}):
                    stated = {"url": site.url, "fields": fields, **given, **more}
                    stated["url"] = stated["url"].replace("{port}", str(site.port))
                    chosen = RestOptions.model_validate(stated)
                    cursor = Cursor(None, dict(held))
                    answers = [each async for each in CONNECTOR.fetch(chosen, cursor, policy)]
                    counts.append(len(answers))
                    for answer in answers:
                        held |= answer.validators
                return counts, site

        return asyncio.run(read())

    return run


class Department:
    """Rows behind the three ways of paging."""

    def __init__(self, reply: Any, rows: list[dict[str, Any]]) -> None:
        self.reply = reply
        self.rows = rows

    def __call__(self, request: Any) -> Any:
        query = request.query
        if "page" in query:
            begin = (int(query["page"]) - 1) * int(query["per_page"])
            return self.reply(self.rows[begin : begin + int(query["per_page"])])
        if "offset" in query:
            begin = int(query["offset"])
            return self.reply(self.rows[begin : begin + int(query["limit"])])
        begin = int(query.get("cursor", "0"))
        following = str(begin + 10) if begin + 10 < len(self.rows) else None
        body = {"data": self.rows[begin : begin + 10], "meta": {"next": following}}
        return self.reply(json.dumps(body))


@pytest.mark.parametrize(
    ("paging", "parameter", "asked"),
    [
        (_PAGE, "page", ["1", "2", "3"]),
        (_OFFSET, "offset", ["0", "10", "20"]),
        (_CURSOR, "cursor", [None, "10", "20"]),
    ],
)
def test_all_pages_are_read(
    poll: Any, reply: Any, paging: dict[str, Any], parameter: str, asked: list[str | None]
) -> None:
    records = "data" if paging is _CURSOR else "@"
    ids, _, site, error = poll(Department(reply, _rows(25)), paging=paging, records=records)
    assert error is None
    assert ids == [f"r{number}" for number in range(25)]
    assert [request.query.get(parameter) for request in site.requests] == asked


@pytest.mark.parametrize("paging", [_PAGE, _OFFSET])
def test_an_empty_page_after_a_full_one_ends_the_poll(
    poll: Any, reply: Any, paging: dict[str, Any]
) -> None:
    ids, _, site, error = poll(Department(reply, _rows(20)), paging=paging)
    assert (error, len(ids), len(site.requests)) == (None, 20, 3)


@pytest.mark.parametrize("paging", [_PAGE, _OFFSET])
@pytest.mark.parametrize("count", [10, 35])
def test_a_server_that_ignores_paging_is_read_once(
    poll: Any, reply: Any, paging: dict[str, Any], count: int
) -> None:
    ids, answers, site, error = poll(lambda _: reply(_rows(count)), paging=paging)
    assert (error, len(ids), len(answers), len(site.requests)) == (None, count, 1, 2)


@pytest.mark.parametrize("paging", [_PAGE, _OFFSET, _CURSOR])
def test_a_server_that_ignores_paging_and_stamps_its_answers_is_read_once(
    poll: Any, reply: Any, paging: dict[str, Any]
) -> None:
    moments = iter(range(100))

    def stamped(_: Any) -> Any:
        meta = {"next": "again", "at": next(moments)}
        return reply(json.dumps({"data": _rows(10), "meta": meta}))

    _, answers, site, error = poll(stamped, paging=paging, records="data")
    assert (error, len(answers), len(site.requests)) == (None, 1, 2)


@pytest.mark.parametrize("following", [None, "", False, True, {"a": 1}, ["x"]])
def test_a_cursor_that_is_none_ends_the_poll(poll: Any, reply: Any, following: object) -> None:
    body = json.dumps({"data": _rows(3), "meta": {"next": following}})
    _, _, site, error = poll(lambda _: reply(body), paging=_CURSOR, records="data")
    assert (error, len(site.requests)) == (None, 1)


def test_a_cursor_beside_no_rows_ends_the_poll(poll: Any, reply: Any) -> None:
    body = json.dumps({"data": [], "meta": {"next": "x"}})
    _, _, site, _ = poll(lambda _: reply(body), paging=_CURSOR, records="data")
    assert len(site.requests) == 1


def test_a_cursor_may_be_a_number(poll: Any, reply: Any) -> None:
    def answer(request: Any) -> Any:
        last = request.query.get("cursor") == "7"
        meta = {"next": None if last else 7}
        return reply(json.dumps({"data": [_row(int(last))], "meta": meta}))

    ids, _, _, _ = poll(answer, paging=_CURSOR, records="data")
    assert ids == ["r0", "r1"]


def test_pages_may_be_counted_from_zero_and_sized_by_the_server(poll: Any, reply: Any) -> None:
    paging = {"kind": "page", "parameter": "hal", "first": 0, "size_parameter": None, "size": 10}

    def answer(request: Any) -> Any:
        return reply(_rows(10) if request.query["hal"] == "0" else [_row(11)])

    ids, _, site, _ = poll(answer, paging=paging)
    assert len(ids) == 11
    assert [request.query for request in site.requests] == [{"hal": "0"}, {"hal": "1"}]


def test_more_pages_than_allowed_are_told(poll: Any, reply: Any) -> None:
    ids, _, site, error = poll(Department(reply, _rows(50)), paging=_PAGE, max_pages=3)
    assert (len(ids), len(site.requests)) == (30, 3)
    assert (type(error), error.kind) == (NeedsPerson, "too_large")


def test_exactly_as_many_pages_as_allowed_are_no_error(poll: Any, reply: Any) -> None:
    ids, _, _, error = poll(Department(reply, _rows(25)), paging=_PAGE, max_pages=3)
    assert (error, len(ids)) == (None, 25)


def test_a_broken_second_page_does_not_take_the_first(poll: Any, reply: Any) -> None:
    def flaky(request: Any) -> Any:
        return reply(status=500) if request.query["page"] == "2" else reply(_rows(10))

    ids, _, _, error = poll(flaky, paging=_PAGE)
    assert len(ids) == 10
    assert (type(error), error.kind) == (RetryLater, "bad_status")


@pytest.mark.parametrize("body", ["<html>", "[1", '{"meta": {"code": 401}}', "null"])
def test_a_page_that_is_no_answer_is_left_to_parse(
    serve: Any, context: Any, reply: Any, body: str
) -> None:
    async def read() -> None:
        async with serve(lambda _: reply(body)) as site, context() as policy:
            chosen = RestOptions.model_validate(
                {
                    "url": site.url,
                    "fields": {"external_id": "id", "requested_at": "at"},
                    "paging": _PAGE,
                    "envelope": {"code": "meta.code"},
                }
            )
            (answer,) = [each async for each in CONNECTOR.fetch(chosen, Cursor(), policy)]
            CONNECTOR.parse(chosen, answer)

    with pytest.raises(SourceError):
        asyncio.run(read())


def test_a_query_by_post_sends_its_body_with_every_page(poll: Any, reply: Any) -> None:
    ids, _, site, _ = poll(
        Department(reply, _rows(15)), method="POST", body={"dinas": 7}, paging=_PAGE
    )
    assert len(ids) == 15
    assert [request.method for request in site.requests] == ["POST", "POST"]
    assert [json.loads(request.body) for request in site.requests] == [{"dinas": 7}] * 2


def test_parameters_and_headers_are_sent(poll: Any, reply: Any) -> None:
    _, _, site, _ = poll(
        lambda _: reply("[]"), params={"tahun": "2026"}, headers={"X-Dinas": "pol"}, paging=_PAGE
    )
    (request,) = site.requests
    assert request.query == {"tahun": "2026", "page": "1", "per_page": "10"}
    assert (request.headers["x-dinas"], request.headers["accept"]) == ("pol", "application/json")


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("iso", "2026-11-21T11:50:30Z"),
        ("epoch", "1795261830"),
        ("epoch_ms", "1795261830000"),
    ],
)
def test_a_poll_asks_for_changes_since_the_last_less_the_overlap(
    poll: Any, reply: Any, now: datetime, form: str, written: str
) -> None:
    cursor = Cursor(now + timedelta(seconds=30))
    incremental = {"parameter": "sejak", "format": form, "overlap_s": 600}
    _, _, site, _ = poll(lambda _: reply("[]"), cursor, incremental=incremental)
    assert site.requests[0].query == {"sejak": written}


def test_the_first_poll_asks_for_everything(poll: Any, reply: Any) -> None:
    _, _, site, _ = poll(lambda _: reply("[]"), incremental={"parameter": "sejak"})
    assert site.requests[0].query == {}


def _tagged(reply: Any, rows: list[dict[str, Any]]) -> Callable[[Any], Any]:
    def answer(request: Any) -> Any:
        if request.headers.get("if-none-match") == '"v1"':
            return reply(status=304)
        return reply(rows, headers={"ETag": '"v1"'})

    return answer


def test_what_did_not_change_is_not_read_again(poll_twice: Any, reply: Any) -> None:
    counts, site = poll_twice(_tagged(reply, _rows(3)))
    assert counts == [1, 0]
    assert site.requests[1].headers["if-none-match"] == '"v1"'


@pytest.mark.parametrize(
    "then",
    [{"params": {"tahun": "2027"}}, {"paging": _PAGE}, {"url": "http://127.0.0.1:{port}/lain"}],
)
def test_an_etag_is_sent_only_with_its_own_question(
    poll_twice: Any, reply: Any, then: dict[str, Any]
) -> None:
    counts, site = poll_twice(_tagged(reply, _rows(3)), then)
    assert counts == [1, 1]
    assert "if-none-match" not in site.requests[1].headers


_CHANGED = "Sat, 21 Nov 2026 11:00:00 GMT"


def _dated(reply: Any, answered: str) -> Callable[[Any], Any]:
    def answer(request: Any) -> Any:
        if request.headers.get("if-modified-since") == _CHANGED:
            return reply(status=304)
        return reply(_rows(1), headers={"Last-Modified": _CHANGED, "Date": answered})

    return answer


def test_a_server_without_etags_is_asked_by_its_time_of_change(poll_twice: Any, reply: Any) -> None:
    counts, site = poll_twice(_dated(reply, "Sat, 21 Nov 2026 11:00:01 GMT"))
    assert counts == [1, 0]
    assert "if-none-match" not in site.requests[1].headers


@pytest.mark.parametrize("answered", [_CHANGED, "", "besok"])
def test_a_time_of_change_that_may_still_pass_is_not_relied_on(
    poll_twice: Any, reply: Any, answered: str
) -> None:
    counts, site = poll_twice(_dated(reply, answered))
    assert counts == [1, 1]
    assert "if-modified-since" not in site.requests[1].headers


def test_a_post_brings_no_etag(poll_twice: Any, reply: Any) -> None:
    def strict(request: Any) -> Any:
        if "if-none-match" in request.headers:
            return reply(status=412)
        return reply(_rows(1), headers={"ETag": '"v1"'})

    counts, _ = poll_twice(strict, method="POST", body={})
    assert counts == [1, 1]


def test_a_first_page_of_several_is_never_taken_as_unchanged(poll: Any, reply: Any) -> None:
    def tagged(request: Any) -> Any:
        rows = _rows(10) if request.query["page"] == "1" else [_row(11)]
        return reply(rows, headers={"ETag": '"v1"'})

    held = {"page/first": "0123456789abcdef old"}
    _, answers, _, _ = poll(tagged, Cursor(None, held), paging=_PAGE)
    for answer in answers:
        held |= answer.validators
    assert held == {"page/first": ""}


def test_an_answer_says_when_it_came_and_that_it_is_simulated(
    poll: Any, reply: Any, now: datetime
) -> None:
    _, (answer,), _, _ = poll(lambda _: reply("[]", headers={"X-Simulated": "true"}))
    assert (answer.kind, answer.simulated, answer.fetched_at) == ("rows", True, now)


@pytest.mark.parametrize("limits", [{"max_bytes": 1_000}, {"limits": {"max_bytes": 1_000}}])
def test_a_page_above_the_limit_is_refused(poll: Any, reply: Any, limits: dict[str, Any]) -> None:
    _, answers, _, error = poll(lambda _: reply(_rows(100)), **limits)
    assert (answers, type(error), error.kind) == ([], NeedsPerson, "too_large")


def test_each_request_has_the_deadline(poll: Any) -> None:
    async def never(_: Any) -> None:
        await asyncio.Event().wait()

    _, _, _, error = poll(never, limits={"timeout_s": 0.3})
    assert (type(error), error.kind) == (RetryLater, "timeout")


def test_a_redirect_on_the_same_host_is_followed_with_its_key(poll: Any, reply: Any) -> None:
    def moved(request: Any) -> Any:
        if request.path == "/baru":
            return reply(_rows(1))
        return reply(status=302, headers={"Location": "/baru"})

    auth = {"kind": "header", "value": "kunci"}
    ids, _, site, _ = poll(moved, auth=auth)
    assert ids == ["r0"]
    assert site.requests[1].headers["x-api-key"] == "kunci"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_off_the_host_gets_no_key(poll: Any, reply: Any, method: str) -> None:
    away = {"Location": "http://localhost:1/"}
    _, _, site, error = poll(lambda _: reply(status=307, headers=away), method=method)
    assert (type(error), error.kind, len(site.requests)) == (NeedsPerson, "redirected", 1)
