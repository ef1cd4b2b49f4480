"""Opens a feed: protocol buffers of the public GTFS-Realtime schema."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.message import DecodeError
from google.transit import gtfs_realtime_pb2 as gtfs

from lawang.domain.errors import RetryLater
from lawang.domain.values import read_time


def open_feed(body: bytes) -> gtfs.FeedMessage:
    """The feed in an answer.

    Raises RetryLater("garbage") for what is none or is cut off inside an entity, and for one that
    tells changes only: the standard has no settled rules by which to join those.
    """
    if not body:
        raise RetryLater("garbage", "an empty answer")
    feed = gtfs.FeedMessage()
    try:
        feed.ParseFromString(body)
    except (DecodeError, RecursionError, ValueError):
        detail = f"no GTFS-Realtime feed, or cut off; {len(body)} bytes"
        raise RetryLater("garbage", detail) from None
    # Any few bytes may pass as unknown fields: the parts that the standard requires must be there.
    if not feed.HasField("header") or not feed.IsInitialized():
        raise RetryLater("garbage", f"no whole GTFS-Realtime feed; {len(body)} bytes")
    if feed.header.incrementality != gtfs.FeedHeader.FULL_DATASET:
        raise RetryLater("garbage", "a feed of changes only (DIFFERENTIAL), which is not supported")
    return feed


def told_at(feed: gtfs.FeedMessage) -> datetime | None:
    """When the feed was made, by its own clock; None where it does not say."""
    return read_instant(feed.header.timestamp)


def read_instant(seconds: int) -> datetime | None:
    """An instant from POSIX seconds; 0 is how the schema writes that there is none."""
    return read_time(seconds, UTC) if seconds else None
