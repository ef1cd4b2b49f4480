"""Paging in a body and by links, increments, and whether a poll brought everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.rest import CONNECTOR
from connectors.rest.options import RestOptions
from lawang.city.network import Network
from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_FIELDS = {"external_id": "id", "requested_at": "at"}


def _rows(begin: int, end: int) -> list[dict[str, Any]]:
    return [{"id": f"r{n}", "at": "2026-11-20T08:15:00+07:00"} for n in range(begin, end)]


@pytest.fixture
def poll(serve: Any, context: Any) -> Callable[..., Any]:
    """One poll: (ids, answers, site, error). `{port}` in texts of the options is the server's."""

    def run(handler: Any, cursor: Cursor | None = None, **given: Any) -> Any:
        network = given.pop("network", Network(loopback=True))

        async def read() -> Any:
            answers: list[Any] = []
            error = None
            async with serve(handler) as site, context(network=network) as policy:
                stated = {"url": site.url + "rows", "fields": _FIELDS, **given}
                chosen = RestOptions.model_validate(stated)
                try:
                    async for answer in CONNECTOR.fetch(chosen, cursor or Cursor(), policy):
                        answers.append(answer)  # noqa: PERF401 (kept when a later page fails)
                except SourceError as caught:
                    error = caught
                parsed = [CONNECTOR.parse(chosen, answer) for answer in answers]
            ids = [report.external_id for each in parsed for report in each.reports]
            return ids, answers, site, error

        return asyncio.run(read())

    return run


def _by_body(reply: Any, total: int) -> Callable[[Any], Any]:
    def answer(request: Any) -> Any:
        page = json.loads(request.body)["halaman"]
        return reply(_rows(page["mulai"], min(total, page["mulai"] + page["jumlah"])))

    return answer


_OFFSET_IN_BODY = {
    "kind": "offset",
    "in": "body",
    "parameter": "halaman.mulai",
    "size_parameter": "halaman.jumlah",
    "size": 10,
}


def test_parameters_of_paging_stand_in_the_body(poll: Any, reply: Any) -> None:
    body = {"filter": {"dinas": 7}, "halaman": {"urut": "naik"}}
    ids, _, site, error = poll(
        _by_body(reply, 25), method="POST", body=body, paging=_OFFSET_IN_BODY
    )
    assert (error, len(ids)) == (None, 25)
    asked = [json.loads(request.body) for request in site.requests]
    assert [each["halaman"]["mulai"] for each in asked] == [0, 10, 20]
    assert all(each["filter"] == {"dinas": 7} for each in asked)
    assert all(each["halaman"]["urut"] == "naik" for each in asked)
    assert all(request.query == {} for request in site.requests)


def test_a_body_is_made_where_none_is_stated(poll: Any, reply: Any) -> None:
    ids, _, _, _ = poll(_by_body(reply, 3), method="POST", paging=_OFFSET_IN_BODY)
    assert ids == ["r0", "r1", "r2"]


def test_a_cursor_in_the_body_keeps_its_type(poll: Any, reply: Any) -> None:
    def answer(request: Any) -> Any:
        last = "cursor" in json.loads(request.body)
        return reply(json.dumps({"d": _rows(int(last), int(last) + 1), "n": None if last else 7}))

    paging = {"kind": "cursor", "in": "body", "next": "n"}
    ids, _, site, _ = poll(answer, method="POST", body={}, paging=paging, records="d")
    assert ids == ["r0", "r1"]
    assert json.loads(site.requests[1].body) == {"cursor": 7}


def test_the_time_of_an_increment_stands_in_the_body(poll: Any, reply: Any) -> None:
    cursor = Cursor(datetime(2026, 11, 21, 11, 0, tzinfo=UTC))
    incremental = {"parameter": "filter.sejak", "in": "body", "format": "epoch", "overlap_s": 0}
    _, _, site, _ = poll(
        lambda _: reply("[]"),
        cursor,
        method="POST",
        body={"filter": {"a": 1}},
        incremental=incremental,
    )
    asked = json.loads(site.requests[0].body)
    assert asked == {"filter": {"a": 1, "sejak": int(cursor.watermark.timestamp())}}


@pytest.mark.parametrize("name", ["paging", "incremental"])
def test_a_body_parameter_of_a_get_is_a_mistake(name: str) -> None:
    tables = {"paging": _OFFSET_IN_BODY, "incremental": {"parameter": "a", "in": "body"}}
    options = RestOptions.model_validate(
        {"url": "https://x.example/", "fields": _FIELDS, name: tables[name]}
    )
    ((path, problem),) = options.problems()
    assert path == ("connection", name, "in")
    assert "POST" in problem


# --- links --------------------------------------------------------------------------------------

_LINK = {"kind": "link", "next": "links.next"}


def _linked(reply: Any, form: str) -> Callable[[Any], Any]:
    """Three pages; `form` makes an address of a page's number and the server's port."""

    def answer(request: Any) -> Any:
        page = int(request.query.get("p", "1"))
        port = request.headers["host"].partition(":")[2]
        following = form.format(page=page + 1, port=port) if page < 3 else None
        rows = _rows(page * 10, page * 10 + 10)
        return reply(json.dumps({"data": rows, "links": {"next": following}}))

    return answer


@pytest.mark.parametrize(
    "form",
    [
        "http://127.0.0.1:{port}/open311/v2/rows?p={page}",
        "?p={page}",
        "/lain?p={page}",
        " rows?p={page} ",
    ],
)
def test_pages_are_followed_by_the_address_in_the_answer(poll: Any, reply: Any, form: str) -> None:
    ids, _, site, error = poll(_linked(reply, form), paging=_LINK, records="data")
    assert (error, len(ids), len(site.requests)) == (None, 30, 3)


def test_pages_are_followed_by_the_link_header(poll: Any, reply: Any) -> None:
    def answer(request: Any) -> Any:
        page = int(request.query.get("p", "1"))
        links = f'<?p={page + 1}>; rel="next", <?p=1>; rel="first"' if page < 3 else ""
        return reply(_rows(page * 10, page * 10 + 10), headers={"Link": links})

    ids, _, site, error = poll(answer, paging={"kind": "link"})
    assert (error, len(ids), len(site.requests)) == (None, 30, 3)


def test_parameters_that_a_link_lacks_are_added(poll: Any, reply: Any) -> None:
    params = {"kunci": "k", "p": "1"}
    _, _, site, _ = poll(_linked(reply, "?p={page}"), paging=_LINK, records="data", params=params)
    assert [request.query for request in site.requests] == [
        {"kunci": "k", "p": str(page)} for page in (1, 2, 3)
    ]


def test_a_link_to_itself_ends_the_poll(poll: Any, reply: Any) -> None:
    body = json.dumps({"data": _rows(0, 3), "links": {"next": "?p=1"}})
    ids, _, site, error = poll(lambda _: reply(body), paging=_LINK, records="data")
    assert (error, len(ids), len(site.requests)) == (None, 3, 2)


def test_a_link_to_another_host_is_not_followed(poll: Any, reply: Any) -> None:
    form = "http://jahat.example/rows?p={page}"
    ids, _, site, error = poll(_linked(reply, form), paging=_LINK, records="data")
    assert (len(ids), len(site.requests)) == (10, 1)
    assert (type(error), error.kind) == (NeedsPerson, "host_not_allowed")


def test_a_key_goes_to_no_other_server(poll: Any, reply: Any) -> None:
    form = "http://localhost:{port}/rows?p={page}"
    network = Network(loopback=True, hosts=("localhost",))
    auth = {"kind": "header", "value": "kunci"}
    _, _, site, error = poll(
        _linked(reply, form),
        paging=_LINK,
        records="data",
        network=network,
        auth=auth,
        params={"token": "rahasia"},
        headers={"X-Dinas": "7"},
    )
    assert error is None
    first, second, third = site.requests
    assert first.headers["x-api-key"] == "kunci"
    for request in (second, third):
        assert not {"x-api-key", "x-dinas"} & request.headers.keys()
        assert "token" not in request.query


def test_a_link_that_is_no_address_is_garbage(poll: Any, reply: Any) -> None:
    _, _, _, error = poll(_linked(reply, "http://[{page}"), paging=_LINK, records="data")
    assert (type(error), error.kind) == (RetryLater, "garbage")


@pytest.mark.parametrize("following", ["", 7, None, ["x"], {"href": "x"}])
def test_what_is_no_link_ends_the_poll(poll: Any, reply: Any, following: object) -> None:
    body = json.dumps({"data": _rows(0, 3), "links": {"next": following}})
    _, _, site, error = poll(lambda _: reply(body), paging=_LINK, records="data")
    assert (error, len(site.requests)) == (None, 1)


# --- increments ---------------------------------------------------------------------------------


def _sent(reply: Any, date: str) -> Callable[[Any], Any]:
    return lambda _: reply(_rows(0, 3), headers={"Date": date})


@pytest.mark.parametrize(
    ("date", "later"),
    [("Sat, 21 Nov 2026 11:59:00 GMT", -60), ("Sat, 21 Nov 2026 13:00:00 GMT", 0), ("besok", 0)],
)
def test_without_a_time_of_change_the_next_poll_goes_on_from_this_one(
    poll: Any, reply: Any, now: datetime, date: str, later: int
) -> None:
    incremental = {"parameter": "sejak", "format": "epoch", "overlap_s": 100}
    _, (answer,), _, _ = poll(_sent(reply, date), incremental=incremental)
    cursor = Cursor(None, dict(answer.validators))
    _, _, site, _ = poll(_sent(reply, date), cursor, incremental=incremental)
    polled = int((now + timedelta(seconds=later)).timestamp())
    assert site.requests[0].query == {"sejak": str(polled - 100)}


def test_with_a_time_of_change_the_last_poll_counts_for_nothing(poll: Any, reply: Any) -> None:
    fields = {**_FIELDS, "updated_at": "diubah"}
    incremental = {"parameter": "sejak"}
    _, (answer,), _, _ = poll(_sent(reply, ""), incremental=incremental, fields=fields)
    assert "polled" not in answer.validators
    cursor = Cursor(None, {"polled": "2026-11-21T11:00:00+00:00"})
    _, _, site, _ = poll(_sent(reply, ""), cursor, incremental=incremental, fields=fields)
    assert site.requests[0].query == {}


@pytest.mark.parametrize("given", [{}, {"incremental": {"parameter": "sejak"}}])
def test_only_a_poll_that_is_no_increment_brings_everything(
    poll: Any, reply: Any, given: dict[str, Any]
) -> None:
    _, (answer,), _, _ = poll(_sent(reply, ""), **given)
    assert answer.complete is not bool(given)
