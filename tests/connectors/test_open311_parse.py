"""Parsing anything: only a SourceError may come out, and a good record is never lost."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.open311 import CONNECTOR
from lawang.connector import Answer, Options, Parsed
from lawang.domain.errors import SourceError
from lawang.domain.values import LONGEST_TEXT, read_degrees, read_text, read_time

# A busy machine is no mistake in what is tested.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
_OPTIONS = CONNECTOR.options.model_validate({"base_url": "http://127.0.0.1/"})
_FETCHED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _parse(body: bytes, content_type: str = "application/json") -> Parsed:
    return CONNECTOR.parse(_OPTIONS, Answer(body, content_type, _FETCHED, "requests"))


def _good(number: int) -> dict[str, Any]:
    return {
        "service_request_id": f"good-{number}",
        "status": "open",
        "requested_datetime": "2026-11-20T08:15:00+07:00",
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
_FIELDS = (
    "service_request_id",
    "requested_datetime",
    "updated_datetime",
    "expected_datetime",
    "lat",
    "long",
    "description",
    "media_url",
    "address",
    "status",
    "code",
)
_JUNK = _JSON | st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=11)


@_CALM
@given(st.binary(max_size=400), st.text(max_size=60))
def test_any_bytes_give_records_or_a_source_error(body: bytes, content_type: str) -> None:
    with contextlib.suppress(SourceError):
        _parse(body, content_type)


@_CALM
@given(st.sampled_from([b"[", b"[{", b"{", b"<", b"<service_requests>", b'[{"lat":']), st.binary())
def test_any_bytes_that_begin_well_do_too(begin: bytes, rest: bytes) -> None:
    with contextlib.suppress(SourceError):
        _parse(begin + rest)


@_CALM
@given(_JSON)
def test_any_json_gives_records_or_a_source_error(content: object) -> None:
    with contextlib.suppress(SourceError):
        _parse(json.dumps(content).encode())


@_CALM
@given(st.lists(_JUNK, max_size=6), st.integers(0, 4), st.randoms(use_true_random=False))
def test_good_json_records_survive_any_junk_beside_them(
    junk: list[object], count: int, shuffler: Any
) -> None:
    good = [_good(number) for number in range(count + 1)]
    mixed = [*junk, *good]
    shuffler.shuffle(mixed)
    parsed = _parse(json.dumps(mixed).encode())
    ids = [report.external_id for report in parsed.reports]
    assert {each["service_request_id"] for each in good} <= set(ids)
    assert len(ids) == len(set(ids))
    assert len(parsed.reports) + len(parsed.rejects) <= len(mixed)


@_CALM
@given(st.lists(st.dictionaries(st.sampled_from(_FIELDS), st.text(max_size=20)), max_size=5))
def test_good_xml_records_survive_any_junk_beside_them(junk: list[dict[str, str]]) -> None:
    def write(record: dict[str, Any]) -> str:
        fields = (f"<{name}>{escape(text)}</{name}>" for name, text in record.items())
        return f"<request>{''.join(fields)}</request>"

    text = "".join(write(record) for record in [*junk, _good(1)])
    body = f"<service_requests>{text}</service_requests>".encode("utf-8", "surrogatepass")
    assert "good-1" in {report.external_id for report in _parse(body).reports}


@_CALM
@given(st.lists(_JUNK, min_size=1, max_size=5))
def test_whatever_comes_out_can_be_stored(junk: list[object]) -> None:
    records = [{**_good(n), "description": each, "address": each} for n, each in enumerate(junk)]
    for report in _parse(json.dumps(records).encode()).reports:
        for text in (report.description, report.address or "", report.external_id):
            assert "\x00" not in text
            assert len(text.encode()) <= 4 * LONGEST_TEXT


@pytest.mark.parametrize("sign", ["[", '{"a":', "<a>"])
def test_endless_nesting_is_garbage(sign: str) -> None:
    with pytest.raises(SourceError, match=r"^garbage"):
        _parse((sign * 100_000).encode())


def test_nesting_inside_a_good_list_of_xml_costs_nothing() -> None:
    deep = "<x>" * 5_000 + "</x>" * 5_000
    body = (
        f"<service_requests><request><description>{deep}</description></request>"
        "<request><service_request_id>1</service_request_id>"
        "<requested_datetime>2026-11-20</requested_datetime></request></service_requests>"
    )
    assert [report.external_id for report in _parse(body.encode()).reports] == ["1"]


def test_entities_that_multiply_are_garbage_at_once() -> None:
    levels = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(30)
    )
    body = f"<!DOCTYPE x [{levels}]><service_requests>&l29;</service_requests>"
    began = time.process_time()
    with pytest.raises(SourceError, match=r"^garbage"):
        _parse(body.encode())
    assert time.process_time() - began < 1


def test_a_text_of_megabytes_is_cut_with_a_mark() -> None:
    text = read_text("a" * 5_000_000)
    assert text is not None
    assert (len(text), text[-1]) == (LONGEST_TEXT, "…")


def test_a_text_of_just_the_limit_is_kept_whole() -> None:
    assert read_text("a" * LONGEST_TEXT) == "a" * LONGEST_TEXT


@pytest.mark.parametrize("value", [True, "1_0", "0x1", "nan", "1e999", 10**400, "--1", "١", []])
def test_what_is_no_number_is_no_coordinate(value: object) -> None:
    assert read_degrees(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *[True, "", "besok", "2026-13-01", "24:00", 0, -1, 1e300, float("nan"), "9" * 13],
        *["0001-01-01", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"],
        *[{"a": 1}, "2" * 5_000, 10**400],
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert read_time(value, UTC) is None


def test_options_of_another_connector_are_refused() -> None:
    with pytest.raises(TypeError, match="Open311Options"):
        CONNECTOR.parse(Options(), Answer(b"[]", "", _FETCHED))
