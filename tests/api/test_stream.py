"""`GET /stream` over HTTP: the live line as a browser's EventSource reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lawang.board.panels import PANELS
from tests.api.conftest import Web, sentence_of, until


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Server-sent events as the standard reads them: fields until an empty line."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            yield fields
            fields = {}
        else:
            name, _, value = line.partition(": ")
            fields[name] = value


def first_event(web: Web, path: str, headers: dict[str, str] | None = None) -> dict[str, str]:
    with web.client.stream("GET", path, headers=headers) as stream:
        return next(events(stream.iter_lines()))


def test_the_stream_begins_with_all_panels(web: Web) -> None:
    event = first_event(web, "/stream")
    frame: dict[str, Any] = json.loads(event["data"])
    assert event["event"] == "snapshot"
    assert frame["panels"].keys() == PANELS.keys()


def test_the_stream_brings_the_panels_that_were_asked_for(web: Web) -> None:
    frame = json.loads(first_event(web, "/stream?panels=counters,city,")["data"])
    assert frame["panels"].keys() == {"counters", "city"}
    assert frame["panels"]["city"] == {"simulated": True}


def test_the_stream_names_the_build_of_the_web_process(web: Web) -> None:
    frame = json.loads(first_event(web, "/stream")["data"])
    assert frame["build"] == web.client.get("/healthz").json()["build"]


def test_the_stream_is_neither_compressed_nor_kept(web: Web) -> None:
    with web.client.stream("GET", "/stream", headers={"accept-encoding": "gzip"}) as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.headers


def test_the_stream_says_when_the_board_was_heard(web: Web) -> None:
    frame = json.loads(first_event(web, "/stream?panels=city")["data"])
    assert frame["now"] - frame["board_heard_at"] < 60
    assert frame["cache_lost_at"] is None


def test_a_line_goes_on_with_beats(web: Web) -> None:
    with web.client.stream("GET", "/stream?panels=city") as stream:
        coming = events(stream.iter_lines())
        assert next(coming)["event"] == "snapshot"
        assert next(event for event in coming if event["event"] == "beat")["id"]


def test_a_browser_that_comes_back_goes_on_where_it_was(web: Web) -> None:
    seen = first_event(web, "/stream?panels=city")["id"]
    headers = {"last-event-id": seen}
    assert first_event(web, "/stream?panels=city", headers)["event"] != "snapshot"


@pytest.mark.parametrize("last", ["nonsense", "", "0-0", "x" * 1000])
def test_a_browser_of_another_life_begins_anew(web: Web, last: str) -> None:
    event = first_event(web, "/stream?panels=city", {"last-event-id": last})
    assert event["event"] == "snapshot"


@pytest.mark.parametrize("names", ["nothing", "city,nothing", "%3Cscript%3E", "city%00"])
def test_a_panel_that_is_not_there_is_refused_with_the_known_ones(web: Web, names: str) -> None:
    answer = web.client.get(f"/stream?panels={names}")
    assert answer.status_code == 400
    assert sentence_of(answer)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_stream_can_only_be_read(web: Web, method: str) -> None:
    answer = web.client.request(method, "/stream")
    assert (answer.status_code, sentence_of(answer)) == (405, "The stream can only be read (GET).")


def test_many_screens_come_and_leave_without_a_trace(web: Web) -> None:
    def clients() -> str:
        lines = web.client.get("/metrics").text.splitlines()
        return next(line for line in lines if line.startswith("lawang_stream_clients "))

    for _ in range(30):
        first_event(web, "/stream?panels=city")
    until(lambda: clients() == "lawang_stream_clients 0.0", "all to be gone")
