"""Dash's callback door: what cannot be understood is answered by 4xx, never by 500."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Web, sentence_of

PATH = "/_dash-update-component"
PAGES = ".._pages_content.children..._pages_store.data.."


def call(path: Any = "/wall", search: Any = "", **changes: Any) -> dict[str, Any]:
    """The call that a browser makes when it opens a page."""
    return {
        "output": PAGES,
        "outputs": [
            {"id": "_pages_content", "property": "children"},
            {"id": "_pages_store", "property": "data"},
        ],
        "inputs": [
            {"id": "_pages_location", "property": "pathname", "value": path},
            {"id": "_pages_location", "property": "search", "value": search},
        ],
        "changedPropIds": ["_pages_location.pathname"],
        **changes,
    }


def send(web: Web, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", "origin": web.url}
    return web.client.post(PATH, content=content, headers=headers)


@pytest.mark.parametrize(
    ("path", "mark"), [("/", "doors"), ("/wall", "cell-scene"), ("/sources", "sources-table")]
)
def test_the_call_of_a_browser_brings_its_page(web: Web, path: str, mark: str) -> None:
    answer = send(web, call(path))
    assert (answer.status_code, mark in answer.text) == (200, True)


@pytest.mark.parametrize("search", ["?lang=en", "?lang=xx", "?lang=", "?%ff", "?a=1&a=2", None])
def test_any_query_of_a_page_brings_the_page(web: Web, search: str | None) -> None:
    assert send(web, call(search=search)).status_code == 200


@pytest.mark.parametrize("search", ["?screen=dinding", "?a=1&screen=", "?screen=a&screen=b"])
@pytest.mark.parametrize("path", ["/wall", "/wall/utama"])
def test_which_wall_is_meant_is_said_by_the_path_alone(web: Web, path: str, search: str) -> None:
    """Dash would let the query have its way, past the key that was looked at for the path."""
    answer = send(web, call(path, search))
    assert answer.status_code == 400
    assert "path" in sentence_of(answer)


@pytest.mark.parametrize("path", ["/nothing", "/wall/../x", "/\u0000", "/%", "//"])
def test_any_path_is_answered_by_some_page(web: Web, path: str) -> None:
    assert send(web, call(path)).status_code == 200


@pytest.mark.parametrize("path", ["", "wall", "¹", "http://evil.example/", None])
def test_a_path_that_does_not_begin_at_the_root_is_400(web: Web, path: str) -> None:
    assert send(web, call(path)).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b'{"output": 7}',
        b'{"output": null}',
        b'{"output": "nothing.children"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        json.dumps(call()).encode("utf-16"),
    ],
)
def test_a_body_that_is_no_call_is_400(web: Web, body: bytes) -> None:
    answer = send(web, body)
    assert answer.status_code == 400
    assert sentence_of(answer)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": None},
        {"inputs": {}},
        {"inputs": []},
        {"inputs": [None, None]},
        {"inputs": [1, 2]},
        {"inputs": [[], []]},
        {"inputs": [{}, {}]},
        {"inputs": [{"id": "x", "property": "y"}] * 2},
        {"inputs": [{"id": {"a": []}, "property": "pathname"}] * 2},
        {"inputs": call()["inputs"] * 2},
        {"outputs": None},
        {"outputs": "x"},
        {"outputs": []},
        {"outputs": call()["outputs"][:1]},
        {"outputs": [7]},
        {"outputs": [{"id": 7, "property": 7}]},
        {"state": 7},
        {"state": [{"id": "x", "property": "y", "value": 1}]},
        {"changedPropIds": 7},
        {"changedPropIds": [{}]},
        {"output": "_pages_dummy.children"},
        {"output": PAGES + "x"},
    ],
)
def test_a_call_of_the_wrong_shape_is_400(web: Web, changes: dict[str, Any]) -> None:
    answer = send(web, call(**changes))
    assert answer.status_code == 400, answer.text
    assert sentence_of(answer)


@pytest.mark.parametrize("value", [7, True, [], {}, ["/wall"], {"a": 1}])
def test_an_address_that_is_no_text_is_400(web: Web, value: Any) -> None:
    assert send(web, call(path=value)).status_code == 400
    assert send(web, call(search=value)).status_code == 400


def test_a_call_without_its_outputs_is_400(web: Web) -> None:
    body = call()
    del body["outputs"]
    assert send(web, body).status_code == 400


def test_a_huge_call_is_413_and_not_read_to_its_end(web: Web) -> None:
    answer = send(web, b" " * 1_200_000)
    assert answer.status_code == 413
    assert sentence_of(answer)


def test_a_call_that_breaks_off_ends_quietly(web: Web) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{" % PATH.encode()
    with socket.create_connection(web.address, timeout=30) as connection:
        connection.sendall(head)
    assert web.client.get("/healthz").status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_callbacks_are_called_by_post_alone(web: Web, method: str) -> None:
    answer = web.client.request(method, PATH)
    assert (answer.status_code, sentence_of(answer)) == (405, "Callbacks are called by POST.")


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from([PAGES, "_pages_location", "pathname", "search"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "property", "value", "output", "outputs"]) | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(["outputs", "inputs", "state", "changedPropIds", "output", "extra"]),
        _VALUES,
        max_size=3,
    )
)
def test_no_change_of_a_good_call_leads_to_500(web: Web, changes: dict[str, Any]) -> None:
    assert send(web, call(**changes)).status_code < 500, changes


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_address_of_a_page_leads_to_500(web: Web, path: str, search: str) -> None:
    assert send(web, call(path, search)).status_code < 500
    assert send(web, call("/wall", f"?lang={search}&{path}={search}")).status_code < 500
