"""Opening answers: only a SourceError may come out, envelopes are believed, good rows survive."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.rest import CONNECTOR
from connectors.rest.options import RestOptions
from lawang.connector import Answer, Parsed
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_FETCHED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_ENVELOPE = {"code": "meta.code"}


def _options(**given_: Any) -> RestOptions:
    fields = {"external_id": "id", "requested_at": "at", "latitude": "lat"}
    return RestOptions.model_validate({"url": "http://127.0.0.1/", "fields": fields, **given_})


def _parse(body: bytes | str | dict[str, Any], **given_: Any) -> Parsed:
    if isinstance(body, dict):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    return CONNECTOR.parse(_options(**given_), Answer(raw, "application/json", _FETCHED, "rows"))


def _good(number: int) -> dict[str, Any]:
    return {"id": f"good-{number}", "at": "2026-11-20T08:15:00+07:00"}


@pytest.mark.parametrize("records", ["@", "data", "a[].rows[]", "values(by_id)"])
def test_rows_are_found_where_records_points(records: str) -> None:
    document: Any = {
        "@": [_good(1)],
        "data": {"data": [_good(1)]},
        "a[].rows[]": {"a": [{"rows": [_good(1)]}, {"rows": []}]},
        "values(by_id)": {"by_id": {"1": _good(1)}},
    }[records]
    parsed = _parse(json.dumps(document), records=records)
    assert [report.external_id for report in parsed.reports] == ["good-1"]


@pytest.mark.parametrize(
    "body",
    [b"", b" \n", b"\xef\xbb\xbf", b"<html>", b"[1", b"not json", b"\xff\xfe[", b"[" * 90_000],
)
def test_what_is_no_json_is_garbage(body: bytes) -> None:
    with pytest.raises(RetryLater, match=r"^garbage"):
        _parse(body)


@pytest.mark.parametrize("body", ["null", "{}", "7", '{"data": null}', '{"data": {"a": 1}}'])
def test_no_list_without_an_envelope_is_garbage(body: str) -> None:
    with pytest.raises(RetryLater, match=r"^garbage: no list of rows at 'data'"):
        _parse(body, records="data")


@pytest.mark.parametrize("response", [None, {"list": None}, {"list": []}, {}])
def test_a_null_list_in_a_good_envelope_is_empty(response: object) -> None:
    body = {"meta": {"code": 200}, "response": response}
    assert _parse(body, envelope=_ENVELOPE, records="response.list") == Parsed(shape={})


def test_a_list_that_is_none_in_a_good_envelope_is_garbage() -> None:
    with pytest.raises(RetryLater, match=r"^garbage"):
        _parse({"meta": {"code": 200}, "list": "7"}, envelope=_ENVELOPE, records="list")


@pytest.mark.parametrize(
    ("code", "kind", "error"),
    [
        (401, "refused", NeedsPerson),
        ("403", "refused", NeedsPerson),
        (404, "not_found", NeedsPerson),
        (429, "rate_limited", RetryLater),
        (500, "bad_status", RetryLater),
        ("E-17", "bad_status", RetryLater),
        (7, "bad_status", RetryLater),
        (None, "bad_status", RetryLater),
        ([], "bad_status", RetryLater),
    ],
)
def test_a_success_that_hides_an_error_is_that_error(
    code: object, kind: str, error: type[SourceError]
) -> None:
    with pytest.raises(SourceError) as caught:
        _parse({"meta": {"code": code}, "rows": [_good(1)]}, envelope=_ENVELOPE, records="rows")
    assert (type(caught.value), caught.value.kind) == (error, kind)


@pytest.mark.parametrize("code", ["Siti Contoh tidak sah", {"pesan": "Siti Contoh"}, ["Siti"]])
def test_an_envelope_that_holds_a_message_is_not_repeated(code: object) -> None:
    with pytest.raises(RetryLater) as caught:
        _parse({"meta": {"code": code}}, envelope=_ENVELOPE)
    assert caught.value.detail == "in the answer: no code"


def test_an_envelope_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(RetryLater, match="no code"):
        _parse(json.dumps([_good(1)]), envelope=_ENVELOPE)


def test_a_department_may_have_its_own_word_for_success() -> None:
    envelope = {"code": "status", "ok": ["sukses", 201]}
    body = {"status": "sukses", "rows": [_good(1)]}
    assert len(_parse(body, envelope=envelope, records="rows").reports) == 1


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)


@_CALM
@given(st.binary(max_size=400), st.sampled_from([b"", b"[", b"[{", b'{"meta":']))
def test_any_bytes_give_records_or_a_source_error(body: bytes, begin: bytes) -> None:
    with contextlib.suppress(SourceError):
        _parse(begin + body)


@_CALM
@given(_JSON, st.sampled_from([None, _ENVELOPE, {"code": "@"}]), st.sampled_from(["@", "a", "a[]"]))
def test_any_json_gives_records_or_a_source_error(
    content: object, envelope: object, records: str
) -> None:
    with contextlib.suppress(SourceError):
        _parse(json.dumps(content), envelope=envelope, records=records)


@_CALM
@given(st.lists(_JSON | st.dictionaries(st.sampled_from(["id", "at", "lat"]), _JSON), max_size=5))
def test_no_row_takes_a_good_one_with_it(junk: list[object]) -> None:
    rows = [_good(1), *junk, _good(2)]
    found = {report.external_id for report in _parse(json.dumps({"d": rows}), records="d").reports}
    assert found >= {"good-1", "good-2"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://x/"},
        {"url": "https://u:p@x/"},
        {"url": "https://x/#a"},
        {"url": "http://["},
        {"records": "a["},
        {"records": "nosuch(a)"},
        {"method": "DELETE"},
        {"body": {"a": 1}},
        {"method": "POST", "body": {"a": datetime(2026, 1, 1, tzinfo=UTC)}},
        {"method": "POST", "body": {"a": float("nan")}},
        {"headers": {"X Y": "1"}},
        {"headers": {"X": "a\nb"}},
        {"auth": {"kind": "header", "name": "X:Y", "value": "k"}},
        {"auth": {"kind": "bearer", "token": ""}},
        {"auth": {"kind": "bearer", "token": "a\r\nb"}},
        {"auth": {"kind": "bearer", "token": "kunci…"}},
        {"auth": {"kind": "digest"}},
        {"auth": {"kind": "basic", "user": "u", "password": "p", "realm": "r"}},
        {"paging": {"kind": "page", "size": 0}},
        {"paging": {"kind": "cursor"}},
        {"incremental": {"parameter": "since", "format": "rfc822"}},
        {"fields": {"external_id": "id["}},
        {"paging": {"kind": "page", "in": "header"}},
        {"formats": {"timezone": "Asia/Palembang"}},
    ],
)
def test_an_option_that_cannot_be_meant_is_a_mistake(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _options(**wrong)


def test_options_show_nothing_that_may_be_a_key() -> None:
    chosen = _options(
        method="POST",
        params={"key": "kunci-77"},
        body={"key": "kunci-77"},
        headers={"X-Key": "kunci-77"},
        auth={"kind": "basic", "user": "dinas", "password": "kunci-77"},
    )
    assert "kunci-77" not in repr(chosen)
