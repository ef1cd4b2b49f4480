"""A sweep over everything the API describes of itself: no value whatever leads to 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Web, sentence_of

pytestmark = pytest.mark.parametrize("full_history", ["sqlite", "postgresql"], indirect=True)

PATHS = ("/api/v1/sources/", "/api/v1/incidents/", "/api/v1/", "/docs/static/", "/assets/", "/")
PARAMETERS = (
    *("source", "category", "status", "kecamatan", "kelurahan", "open", "past_due", "located"),
    *("since", "until", "changed_since", "limit", "after", "format", "unknown"),
)
_VALUES = (
    st.text(max_size=40)
    | st.integers().map(str)
    | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
    | st.sampled_from(["true", "selesai", "geojson", "1", "16.71.01", "9" * 400, "NaN", "1e999"])
)
_sweep = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_answered(web: Web, path: str) -> None:
    answer = web.client.get(path)
    assert answer.status_code < 500, f"{path}: {answer.text[:200]}"
    if answer.status_code >= 400:
        assert sentence_of(answer)


@_sweep
@given(st.lists(st.tuples(st.sampled_from(PARAMETERS), _VALUES), max_size=6))
def test_no_query_of_the_incidents_leads_to_500(web: Web, query: list[tuple[str, str]]) -> None:
    assert_answered(web, f"/api/v1/incidents?{urlencode(query)}")


@_sweep
@given(st.sampled_from(PATHS), st.text(max_size=60))
def test_no_path_leads_to_500(web: Web, path: str, name: str) -> None:
    assert_answered(web, path + quote(name, safe=""))


@_sweep
@given(st.binary(max_size=60))
def test_no_bytes_in_a_query_lead_to_500(web: Web, raw: bytes) -> None:
    assert_answered(web, f"/api/v1/incidents?category={quote(raw)}&after={quote(raw)}")


def test_many_values_of_one_filter_are_answered(web: Web) -> None:
    query: list[tuple[str, Any]] = [("kecamatan", f"16.71.{number}") for number in range(2500)]
    assert web.client.get(f"/api/v1/incidents?{urlencode(query)}").status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET //evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"BREW /wall HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET /wall HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: \xff\xfe\r\nConnection: close\r\n\r\n",
    ],
)
def test_odd_requests_are_refused_or_answered(web: Web, head: bytes) -> None:
    status = int(web.ask(head).split(b" ", 2)[1])
    assert 200 <= status < 500
