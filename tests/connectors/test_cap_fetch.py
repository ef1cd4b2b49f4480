"""CAP over a real HTTP server: what is asked for, what is remembered, and what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from connectors.cap.fetch import read_answers
from connectors.cap.options import CapOptions
from connectors.cap.parse import parse_answer
from lawang.connector import Answer, Cursor
from lawang.domain.errors import NeedsPerson, RetryLater

_ALERT = (
    "<alert><identifier>{id}</identifier><sender>a@example.go.id</sender>"
    "<sent>2026-11-21T18:00:00+07:00</sent><status>Actual</status><msgType>Alert</msgType>"
    "<info><event>Hujan</event></info></alert>"
)


def _rss(*links: str, date: str = "Sat, 21 Nov 2026 18:00:00 +0700") -> str:
    items = "".join(f"<item><link>{each}</link><pubDate>{date}</pubDate></item>" for each in links)
    return f'<rss version="2.0"><channel><title>P</title>{items}</channel></rss>'


class _Office:
    """A server with an index and documents, each of which a test may spoil."""

    def __init__(self, reply: Any, *links: str) -> None:
        self.reply = reply
        self.index = _rss(*links)
        self.spoilt: dict[str, Any] = {}
        self.etag = ""

    def __call__(self, request: Any) -> Any:
        if request.path in self.spoilt:
            return self.spoilt[request.path]
        if request.path == "/nowcast":
            if self.etag and request.headers.get("if-none-match") == self.etag:
                return self.reply(status=304)
            return self.reply(self.index, headers={"ETag": self.etag})
        return self.reply(_ALERT.format(id=request.path.strip("/")))


def _poll(
    serve: Any, context: Any, handler: Any, cursor: Cursor | None = None, **given: Any
) -> tuple[list[Answer], Cursor, list[str]]:
    """One poll: its answers, the cursor after it, and the paths that were asked."""
    known = cursor or Cursor()

    async def run() -> tuple[list[Answer], Cursor, list[str]]:
        limits = {key: given.pop(key) for key in ("timeout_s", "max_bytes") if key in given}
        async with serve(handler) as site, context(**limits) as at:
            options = CapOptions.model_validate(
                {"url": f"http://127.0.0.1:{site.port}/nowcast", **given}
            )
            answers = [each async for each in read_answers(options, known, at)]
            validators = dict(known.validators)
            for answer in answers:
                validators |= answer.validators
            return answers, Cursor(None, validators), [each.path for each in site.requests]

    return asyncio.run(run())


@pytest.fixture
def poll(serve: Any, context: Any) -> Callable[..., Any]:
    def go(handler: Any, cursor: Cursor | None = None, **given: Any) -> Any:
        return _poll(serve, context, handler, cursor, **given)

    return go


def _ids(answers: list[Answer]) -> list[str]:
    options = CapOptions(url="http://example.go.id/nowcast")
    return [
        found.external_id for answer in answers for found in parse_answer(options, answer).bulletins
    ]


def _reasons(answers: list[Answer]) -> list[str]:
    options = CapOptions(url="http://example.go.id/nowcast")
    return [bad.reason for answer in answers for bad in parse_answer(options, answer).rejects]


def test_every_document_of_the_index_is_read(poll: Any, reply: Any) -> None:
    answers, _, _ = poll(_Office(reply, "a.xml", "/b.xml"))
    assert _ids(answers) == ["a.xml", "b.xml"]


def test_a_document_is_read_once(serve: Any, context: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml")

    async def run() -> list[str]:
        async with serve(office) as site, context() as at:
            options = CapOptions(url=f"http://127.0.0.1:{site.port}/nowcast")
            cursor = Cursor()
            for links in (("a.xml",), ("a.xml", "b.xml")):
                office.index = _rss(*links)
                found = [each async for each in read_answers(options, cursor, at)]
                cursor = Cursor(None, found[-1].validators)
            return [each.path for each in site.requests]

    assert asyncio.run(run()) == ["/nowcast", "/a.xml", "/nowcast", "/b.xml"]


def test_an_unchanged_index_is_not_read_again(poll: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml")
    office.etag = '"1"'
    _, cursor, _ = poll(office)
    answers, _, asked = poll(office, cursor)
    assert (answers, asked) == ([], ["/nowcast"])


def test_what_left_the_index_is_forgotten(poll: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml", "b.xml")
    _, cursor, _ = poll(office)
    office.index = _rss()
    _, cursor, _ = poll(office, cursor)
    assert cursor.validators["seen"] == ""


def test_one_document_in_place_of_an_index_is_read(poll: Any, reply: Any) -> None:
    office = _Office(reply)
    office.index = _ALERT.format(id="direct")
    answers, _, _ = poll(office)
    assert _ids(answers) == ["direct"]


def test_old_entries_and_those_beyond_the_limit_are_left_alone(poll: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml", "b.xml")
    _, _, asked = poll(office, max_items=1)
    assert asked == ["/nowcast", "/a.xml"]
    office.index = _rss("a.xml", date="Sat, 14 Nov 2026 18:00:00 +0700")
    _, _, asked = poll(office)
    assert asked == ["/nowcast"]


def test_a_document_that_is_gone_does_not_keep_the_others(poll: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml", "b.xml")
    office.spoilt["/a.xml"] = reply(status=404)
    answers, _, _ = poll(office)
    assert (_ids(answers), _reasons(answers)) == (["b.xml"], ["not_found"])


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/a.xml", "ftp://127.0.0.1/a", "http://["]
)
def test_a_link_to_elsewhere_is_not_followed(poll: Any, reply: Any, link: str) -> None:
    answers, cursor, asked = poll(_Office(reply, link, "b.xml"))
    assert asked == ["/nowcast", "/b.xml"]
    assert _ids(answers) == ["b.xml"]
    assert _reasons(answers) == ["host_not_allowed"]
    # A person may allow the host: then the document is still wanted.
    assert len(cursor.validators["seen"].split()) == 1


def test_what_is_left_when_the_minute_is_used_up_comes_next(poll: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml", "b.xml")
    office.etag = '"1"'
    answers, cursor, asked = poll(office, per_minute=2)
    assert (_ids(answers), asked) == (["a.xml"], ["/nowcast", "/a.xml"])
    assert cursor.validators["etag"] == ""


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (500, RetryLater, "bad_status"),
        (429, RetryLater, "rate_limited"),
        (403, NeedsPerson, "refused"),
    ],
)
def test_a_refusal_is_told_by_its_kind(
    poll: Any, reply: Any, status: int, error: type[Exception], kind: str
) -> None:
    office = _Office(reply)
    office.spoilt["/nowcast"] = reply(status=status)
    with pytest.raises(error) as caught:
        poll(office)
    assert getattr(caught.value, "kind", "") == kind


def test_a_document_that_fails_for_now_fails_the_poll(poll: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml")
    office.spoilt["/a.xml"] = reply(status=500)
    with pytest.raises(RetryLater, match="bad_status"):
        poll(office)


def test_a_slow_server_is_a_timeout(poll: Any, reply: Any) -> None:
    async def slow(request: Any) -> Any:
        await asyncio.sleep(60)

    with pytest.raises(RetryLater, match="timeout"):
        poll(slow, timeout_s=0.2)


def test_a_cut_answer_is_no_answer(poll: Any, reply: Any) -> None:
    short = reply("<rss>", headers={"Content-Length": "999"})
    with pytest.raises(RetryLater, match="unreachable"):
        poll(lambda request: short)


@pytest.mark.parametrize("body", ["", "<html></html>", "<rss><channel>", "{}"])
def test_garbage_is_told_as_garbage(poll: Any, reply: Any, body: str) -> None:
    answers, _, _ = poll(lambda request: reply(body))
    with pytest.raises(RetryLater, match="garbage"):
        _ids(answers)


def test_a_document_larger_than_allowed_is_not_taken(poll: Any, reply: Any) -> None:
    office = _Office(reply, "a.xml")
    office.spoilt["/a.xml"] = reply("x" * 5_000)
    answers, _, _ = poll(office, max_bytes=2_000)
    assert _reasons(answers) == ["too_large"]
