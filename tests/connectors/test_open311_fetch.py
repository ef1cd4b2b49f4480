"""Fetching from a real server: what is asked, where paging ends, what is not read twice."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.open311 import CONNECTOR
from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

KEY = "kunci-rahasia-77"


@pytest.fixture
def poll(serve: Any, context: Any, options: Any) -> Callable[..., Any]:
    """One poll against a handler: (ids seen, answers, site, error)."""

    def run(handler: Any, cursor: Cursor | None = None, **given: Any) -> Any:
        limits = given.pop("limits", {})

        async def read() -> Any:
            answers: list[Any] = []
            error = None
            async with serve(handler) as site, context(**limits) as policy:
                chosen = options(site, **given)
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


class Department:
    """Records behind the standard's window and page, and an extension for changes."""

    def __init__(self, reply: Any, records: list[dict[str, Any]], etag: bool = False) -> None:
        self.reply = reply
        self.records = records
        self.etag = etag
        self.after_each: Callable[[], None] = lambda: None

    def __call__(self, request: Any) -> Any:
        query = request.query
        size = int(query["page_size"])
        begin = (int(query["page"]) - 1) * size
        found = self._select(query)[begin : begin + size]
        tag = f'"{abs(hash(str(found)))}"' if self.etag else ""
        if tag and request.headers.get("if-none-match") == tag:
            return self.reply(status=304)
        answer = self.reply(found, headers={"ETag": tag})
        self.after_each()
        return answer

    def _select(self, query: dict[str, str]) -> list[dict[str, Any]]:
        def since(name: str, parameter: str) -> list[dict[str, Any]]:
            start = datetime.fromisoformat(query[parameter])
            return [each for each in self.records if datetime.fromisoformat(each[name]) >= start]

        if "updated_after" in query:
            found = since("updated_datetime", "updated_after")
            return sorted(found, key=lambda each: each["updated_datetime"])
        found = since("requested_datetime", "start_date")
        return sorted(found, key=lambda each: each["requested_datetime"], reverse=True)


def test_a_window_is_read_page_by_page(poll: Any, reply: Any, record: Any) -> None:
    department = Department(reply, [record(number) for number in range(25)])
    ids, answers, site, error = poll(department, page_size=10)
    assert error is None
    assert sorted(ids) == sorted(f"r{number}" for number in range(25))
    assert [request.query["page"] for request in site.requests] == ["1", "2", "3"]
    assert {answer.kind for answer in answers} == {"requests"}


def test_the_window_begins_at_a_midnight_within_ninety_days(
    poll: Any, reply: Any, now: datetime
) -> None:
    _, _, site, _ = poll(lambda _: reply("[]"))
    start = datetime.fromisoformat(site.requests[0].query["start_date"])
    assert start == datetime(2026, 8, 23, 17, 0, tzinfo=UTC)  # midnight in Jakarta
    assert now - start < timedelta(days=90)


def test_paging_ends_at_an_empty_page(poll: Any, reply: Any, record: Any) -> None:
    department = Department(reply, [record(number) for number in range(20)])
    ids, _, site, _ = poll(department, page_size=10)
    assert len(ids) == 20
    assert len(site.requests) == 3


@pytest.mark.parametrize("count", [10, 35])
def test_a_server_that_ignores_paging_is_read_once(
    poll: Any, reply: Any, record: Any, count: int
) -> None:
    everything = [record(number) for number in range(count)]
    ids, answers, site, error = poll(lambda _: reply(everything), page_size=10)
    assert (error, len(ids), len(answers), len(site.requests)) == (None, count, 1, 2)


def test_a_poll_asks_for_changes_since_the_last_less_the_overlap(poll: Any, reply: Any) -> None:
    seen = datetime(2026, 11, 21, 11, 0, 30, tzinfo=UTC)
    _, _, site, _ = poll(
        lambda _: reply("[]"), Cursor(seen), updated_parameter="updated_after", overlap_s=600
    )
    query = site.requests[0].query
    assert query["updated_after"] == "2026-11-21T10:50:30Z"
    assert "start_date" not in query


def test_the_first_poll_reads_the_window(poll: Any, reply: Any) -> None:
    _, _, site, _ = poll(lambda _: reply("[]"), updated_parameter="updated_after")
    assert "start_date" in site.requests[0].query
    assert "updated_after" not in site.requests[0].query


def test_a_record_that_changes_while_pages_are_read_hides_no_other(
    poll: Any, reply: Any, record: Any, now: datetime
) -> None:
    department = Department(reply, [record(number) for number in range(25)])

    def touch_the_first() -> None:
        department.records[0]["updated_datetime"] = now.isoformat()

    department.after_each = touch_the_first
    cursor = Cursor(now - timedelta(days=4))
    ids, _, site, error = poll(department, cursor, page_size=10, updated_parameter="updated_after")
    assert error is None
    assert set(ids) == {f"r{number}" for number in range(25)}
    assert len(site.requests) <= 5


def test_more_records_of_one_second_than_a_page_holds_are_all_read(
    poll: Any, reply: Any, record: Any, now: datetime
) -> None:
    same = (now - timedelta(hours=1)).isoformat()
    department = Department(reply, [record(number, updated_datetime=same) for number in range(25)])
    cursor = Cursor(now - timedelta(hours=2))
    ids, _, _, error = poll(department, cursor, page_size=10, updated_parameter="updated_after")
    assert error is None
    assert set(ids) == {f"r{number}" for number in range(25)}


def test_changes_that_come_unsorted_are_read_by_page(
    poll: Any, reply: Any, record: Any, now: datetime
) -> None:
    records = [record(number) for number in range(25)][::-1]

    def newest_first(request: Any) -> Any:
        begin = (int(request.query["page"]) - 1) * 10
        return reply(records[begin : begin + 10])

    cursor = Cursor(now - timedelta(days=4))
    ids, _, site, _ = poll(newest_first, cursor, page_size=10, updated_parameter="updated_after")
    assert len(ids) == 25
    assert [request.query["page"] for request in site.requests] == ["1", "2", "3"]


def test_what_did_not_change_is_not_read_again(poll: Any, reply: Any, record: Any) -> None:
    department = Department(reply, [record(number) for number in range(25)], etag=True)
    _, answers, _, _ = poll(department, page_size=10)
    held: dict[str, str] = {}
    for answer in answers:
        held |= answer.validators
    ids, answers, site, error = poll(department, Cursor(None, held), page_size=10)
    assert (error, ids, answers, len(site.requests)) == (None, [], [], 3)


def test_a_changed_page_behind_an_unchanged_one_is_read(poll: Any, reply: Any, record: Any) -> None:
    department = Department(reply, [record(number) for number in range(25)], etag=True)
    _, answers, _, _ = poll(department, page_size=10)
    held: dict[str, str] = {}
    for answer in answers:
        held |= answer.validators
    department.records[0]["status"] = "closed"  # the oldest stands on the last page
    ids, answers, _, _ = poll(department, Cursor(None, held), page_size=10)
    assert len(answers) == 1
    assert "r0" in ids


def test_an_etag_is_sent_only_with_the_question_it_belongs_to(
    poll: Any, reply: Any, record: Any
) -> None:
    department = Department(reply, [record(1)], etag=True)
    _, answers, _, _ = poll(department, page_size=10)
    ids, _, site, _ = poll(department, Cursor(None, answers[0].validators), page_size=20)
    assert "if-none-match" not in site.requests[0].headers
    assert ids == ["r1"]


def test_held_etags_do_not_grow_in_number(
    poll: Any, reply: Any, record: Any, now: datetime
) -> None:
    department = Department(reply, [record(1)], etag=True)
    held: dict[str, str] = {}
    for minutes in range(4):
        cursor = Cursor(now - timedelta(days=4) + timedelta(minutes=minutes), held)
        _, answers, _, _ = poll(department, cursor, updated_parameter="updated_after")
        held = held | answers[0].validators
    assert list(held) == ["requests/1"]


def test_a_full_page_of_changes_is_never_taken_as_unchanged(
    poll: Any, reply: Any, record: Any, now: datetime
) -> None:
    department = Department(reply, [record(number) for number in range(15)], etag=True)
    cursor = Cursor(now - timedelta(days=4))
    _, answers, _, _ = poll(department, cursor, page_size=10, updated_parameter="updated_after")
    assert [bool(answer.validators) for answer in answers] == [False, True]


def test_the_key_and_the_jurisdiction_are_sent(poll: Any, reply: Any) -> None:
    _, answers, site, _ = poll(
        lambda _: reply("[]", headers={"ETag": '"1"'}), api_key=KEY, jurisdiction_id="palembang"
    )
    assert site.requests[0].query["api_key"] == KEY
    assert site.requests[0].query["jurisdiction_id"] == "palembang"
    assert KEY not in repr(answers)


def test_extended_attributes_are_asked_for_only_where_one_is_read(poll: Any, reply: Any) -> None:
    fields = {"verified_at": "verified_datetime"}
    _, _, wanting, _ = poll(lambda _: reply("[]"), fields=fields)
    _, _, plain, _ = poll(lambda _: reply("[]"))
    assert wanting.requests[0].query["extensions"] == "true"
    assert "extensions" not in plain.requests[0].query


def test_no_key_means_no_parameter(poll: Any, reply: Any) -> None:
    _, _, site, _ = poll(lambda _: reply("[]"))
    assert "api_key" not in site.requests[0].query


def test_the_key_is_in_no_error_and_no_repr(poll: Any, reply: Any, options: Any) -> None:
    _, _, site, error = poll(lambda _: reply(f"{KEY} is wrong", status=403), api_key=KEY)
    assert type(error) is NeedsPerson
    assert re.fullmatch(r"refused: 127\.0\.0\.1:\d+: 403", str(error))
    assert KEY not in repr(options(site, api_key=KEY))


def test_xml_is_asked_for_and_read(poll: Any, reply: Any) -> None:
    body = (
        "<service_requests><request><service_request_id>7</service_request_id>"
        "<requested_datetime>2026-11-20T08:00:00+07:00</requested_datetime></request>"
        "</service_requests>"
    )
    headers = {"Content-Type": "application/xml"}
    ids, _, site, _ = poll(lambda _: reply(body, headers=headers), format="xml")
    assert ids == ["7"]
    assert site.requests[0].path.endswith("/requests.xml")


def test_an_answer_says_when_it_came_and_that_it_is_simulated(
    poll: Any, reply: Any, now: datetime
) -> None:
    _, (answer,), _, _ = poll(lambda _: reply("[]", headers={"X-Simulated": "true"}))
    assert (answer.simulated, answer.fetched_at) == (True, now)


def test_a_broken_second_page_does_not_take_the_first(poll: Any, reply: Any, record: Any) -> None:
    def flaky(request: Any) -> Any:
        if request.query["page"] == "2":
            return reply(status=500)
        return reply([record(number) for number in range(10)])

    ids, _, _, error = poll(flaky, page_size=10)
    assert len(ids) == 10
    assert (type(error), error.kind) == (RetryLater, "bad_status")


def test_garbage_is_left_to_parse(serve: Any, context: Any, options: Any, reply: Any) -> None:
    async def read() -> None:
        async with serve(lambda _: reply("<html>")) as site, context() as policy:
            chosen = options(site)
            answers = [each async for each in CONNECTOR.fetch(chosen, Cursor(), policy)]
            assert len(answers) == 1
            CONNECTOR.parse(chosen, answers[0])

    with pytest.raises(RetryLater, match=r"^garbage"):
        asyncio.run(read())


def test_a_window_beyond_the_most_pages_is_told(poll: Any, reply: Any, record: Any) -> None:
    department = Department(reply, [record(number) for number in range(50)])
    ids, _, site, error = poll(department, page_size=10, max_pages=3)
    assert (len(ids), len(site.requests)) == (30, 3)
    assert (type(error), error.kind) == (NeedsPerson, "too_large")


def test_a_backlog_beyond_the_most_pages_is_left_to_the_next_poll(
    poll: Any, reply: Any, record: Any, now: datetime
) -> None:
    department = Department(reply, [record(number) for number in range(50)])
    cursor = Cursor(now - timedelta(days=4))
    ids, _, _, error = poll(
        department, cursor, page_size=10, max_pages=3, updated_parameter="updated_after"
    )
    assert error is None
    assert "r0" in ids
    assert "r49" not in ids


def test_an_answer_above_the_sources_limit_is_refused(poll: Any, reply: Any, record: Any) -> None:
    _, _, _, error = poll(lambda _: reply([record(n) for n in range(50)]), max_bytes=1_000)
    assert (type(error), error.kind) == (NeedsPerson, "too_large")


def test_each_request_has_the_deadline(poll: Any) -> None:
    async def never(_: Any) -> None:
        await asyncio.Event().wait()

    _, _, _, error = poll(never, limits={"timeout_s": 0.2})
    assert (type(error), error.kind) == (RetryLater, "timeout")


@pytest.mark.parametrize("etag", [None, '"s1"'])
def test_the_list_of_services_is_yielded_only_when_it_changed(
    poll: Any, reply: Any, etag: str | None
) -> None:
    def answer(request: Any) -> Any:
        if not request.path.endswith("services.json"):
            return reply("[]")
        if etag and request.headers.get("if-none-match") == etag:
            return reply(status=304)
        headers = {"ETag": etag} if etag else {}
        return reply([{"service_code": "JLN", "service_name": "Jalan"}], headers=headers)

    _, first, _, _ = poll(answer, services=True)
    held = {name: value for each in first for name, value in each.validators.items()}
    _, second, _, _ = poll(answer, Cursor(None, held), services=True)
    assert [each.kind for each in first] == ["services", "requests"]
    assert [each.kind for each in second] == ["requests"]


def test_a_server_that_ignores_the_change_and_the_page_is_left_soon(
    poll: Any, reply: Any, record: Any, now: datetime
) -> None:
    everything = [record(number) for number in range(35)]
    cursor = Cursor(now - timedelta(days=4))
    ids, answers, site, error = poll(
        lambda _: reply(everything), cursor, page_size=10, updated_parameter="updated_after"
    )
    assert (error, len(ids), len(answers)) == (None, 35, 1)
    assert len(site.requests) <= 3
