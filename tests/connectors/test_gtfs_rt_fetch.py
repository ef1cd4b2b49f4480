"""GTFS-Realtime over a real HTTP server, and what its fields mean."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.transit import gtfs_realtime_pb2 as gtfs

from connectors.gtfs_rt.fetch import read_answers
from connectors.gtfs_rt.options import GtfsRealtimeOptions
from connectors.gtfs_rt.parse import parse_answer
from lawang.connector import Answer, Cursor, Parsed
from lawang.domain.errors import NeedsPerson, RetryLater
from tests.connectors.conftest import NOW


def _feed(at: datetime = NOW) -> gtfs.FeedMessage:
    feed = gtfs.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.timestamp = int(at.timestamp())
    return feed


def _bus(feed: gtfs.FeedMessage, name: str = "1") -> gtfs.VehiclePosition:
    told = feed.entity.add(id=name).vehicle
    told.position.latitude, told.position.longitude = -2.98, 104.75
    return told


def _poll(serve: Any, context: Any, handler: Any, timeout_s: float = 10, **given: Any) -> Any:
    async def run() -> tuple[list[Answer], list[Any]]:
        async with serve(handler) as site, context(timeout_s=timeout_s) as at:
            url = f"http://127.0.0.1:{site.port}/feed"
            options = GtfsRealtimeOptions.model_validate({"url": url, **given})
            return [each async for each in read_answers(options, Cursor(), at)], site.requests

    return asyncio.run(run())


def _parse(feed: gtfs.FeedMessage | bytes, **given: Any) -> Parsed:
    body = feed if isinstance(feed, bytes) else feed.SerializeToString()
    options = GtfsRealtimeOptions.model_validate({"url": "http://example.go.id/", **given})
    return parse_answer(options, Answer(body, "", NOW))


def test_a_feed_is_read_with_its_key(serve: Any, context: Any, reply: Any) -> None:
    feed = _feed()
    _bus(feed)
    handler = lambda request: reply(feed.SerializeToString())  # noqa: E731
    (answer,), (asked,) = _poll(serve, context, handler, key={"value": "rahasia"})
    assert asked.headers["x-api-key"] == "rahasia"
    assert answer.complete
    assert len(_parse(answer.body).fixes) == 1


def test_no_alert_is_no_finding(serve: Any, context: Any, reply: Any) -> None:
    handler = lambda request: reply(_feed().SerializeToString())  # noqa: E731
    (answer,), _ = _poll(serve, context, handler, yields=["alerts"])
    assert not answer.complete


def test_a_feed_that_stands_still_is_silent(serve: Any, context: Any, reply: Any) -> None:
    old = _feed(NOW - timedelta(seconds=301)).SerializeToString()
    with pytest.raises(RetryLater, match=r"silent: .*301 s ago"):
        _poll(serve, context, lambda request: reply(old))


def test_a_feed_within_its_limit_is_read(serve: Any, context: Any, reply: Any) -> None:
    old = _feed(NOW - timedelta(seconds=300)).SerializeToString()
    answers, _ = _poll(serve, context, lambda request: reply(old))
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (500, RetryLater, "bad_status"),
        (401, NeedsPerson, "refused"),
        (429, RetryLater, "rate_limited"),
    ],
)
def test_a_refusal_is_told_by_its_kind(
    serve: Any,
    context: Any,
    reply: Any,
    status: int,
    error: type[RetryLater | NeedsPerson],
    kind: str,
) -> None:
    with pytest.raises(error) as caught:
        _poll(serve, context, lambda request: reply(status=status))
    assert caught.value.kind == kind


def test_a_slow_server_is_a_timeout(serve: Any, context: Any) -> None:
    async def slow(request: Any) -> Any:
        await asyncio.sleep(60)

    with pytest.raises(RetryLater, match="timeout"):
        _poll(serve, context, slow, timeout_s=0.2)


def test_a_server_that_hangs_up_is_unreachable(serve: Any, context: Any, reply: Any) -> None:
    short = reply(b"\x0a", headers={"Content-Length": "99"})
    with pytest.raises(RetryLater, match="unreachable"):
        _poll(serve, context, lambda request: short)


def test_a_feed_cut_anywhere_inside_an_entity_is_garbage() -> None:
    feed = _feed()
    head = len(feed.SerializeToString())
    _bus(feed)
    whole = feed.SerializeToString()
    for cut in range(head + 1, len(whole)):
        with pytest.raises(RetryLater, match="garbage"):
            _parse(whole[:cut])


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"\x08\x01", bytes(range(256))])
def test_what_is_no_feed_is_garbage(body: bytes) -> None:
    with pytest.raises(RetryLater, match="garbage"):
        _parse(body)


def test_a_feed_of_changes_is_refused() -> None:
    feed = _feed()
    feed.header.incrementality = gtfs.FeedHeader.DIFFERENTIAL
    with pytest.raises(RetryLater, match="DIFFERENTIAL"):
        _parse(feed)


def test_speed_is_in_kilometres_an_hour() -> None:
    feed = _feed()
    _bus(feed).position.speed = 10
    assert _parse(feed).fixes[0].speed_kmh == 36


def test_zero_speed_is_not_missing_speed() -> None:
    feed = _feed()
    _bus(feed, "stands").position.speed = 0
    _bus(feed, "silent")
    assert [fix.speed_kmh for fix in _parse(feed).fixes] == [0, None]


def test_a_vehicle_without_its_own_time_has_the_feeds() -> None:
    feed = _feed()
    _bus(feed)
    _bus(feed, "2").timestamp = int(NOW.timestamp()) - 60
    assert [fix.observed_at for fix in _parse(feed).fixes] == [NOW, NOW - timedelta(seconds=60)]


def test_a_source_reads_only_what_it_yields() -> None:
    feed = _feed()
    _bus(feed)
    feed.entity.add(id="a").alert.header_text.translation.add(text="x")
    assert _parse(feed).bulletins == []
    assert _parse(feed, yields=["alerts"]).fixes == []


def _lapse(told_at: datetime) -> datetime | None:
    feed = _feed(told_at)
    feed.entity.add(id="a").alert.header_text.translation.add(text="x")
    return _parse(feed, yields=["alerts"], alert_holds_s=600).bulletins[0].expires_at


def test_an_alert_lapses_when_it_is_not_told_again() -> None:
    at = datetime(2026, 11, 21, 12, 5, tzinfo=UTC)
    assert _lapse(at) == datetime(2026, 11, 21, 12, 20, tzinfo=UTC)
    assert _lapse(at + timedelta(minutes=4)) == _lapse(at)
    assert _lapse(at + timedelta(minutes=5)) == datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def test_the_delay_of_a_trip_itself_comes_first() -> None:
    feed = _feed()
    update = feed.entity.add(id="a").trip_update
    update.trip.route_id, update.delay = "K1", 90
    update.stop_time_update.add(stop_id="s").arrival.delay = 10
    (found,) = _parse(feed, yields=["readings"]).measurements
    assert (found.measure, found.subject, found.value) == ("keterlambatan", "K1", 90)


def test_on_time_is_a_delay_of_nothing() -> None:
    feed = _feed()
    update = feed.entity.add(id="a").trip_update
    update.trip.route_id = "K1"
    update.stop_time_update.add(stop_id="s").departure.delay = 0
    assert [each.value for each in _parse(feed, yields=["readings"]).measurements] == [0]
