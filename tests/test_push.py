"""The feed of a web process on a real Valkey: the same bytes for every screen, and the truth."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from lawang import push
from lawang.board.patch import diff, merge
from lawang.push import Feed
from lawang.store.embedded import EmbeddedValkey
from lawang.store.live import LiveStore
from tests.conftest import REQUESTED_AT, HeldClock

PATIENCE_S = 60.0
NAMES = frozenset({"counters", "regions"})
Plain = dict[str, Any]


class Board:
    """Announces panels as the board does: whole in the cache, as patches on the line."""

    def __init__(self, live: LiveStore, epoch: str = "first") -> None:
        self.live = live
        self.epoch = epoch
        self.shown: dict[str, Plain] = {}
        self.seq: dict[str, int] = {}

    def show(self, **panels: Plain) -> None:
        changes = {}
        for name, payload in panels.items():
            self.seq[name] = self.seq.get(name, 0) + 1
            changes[name] = (self.seq[name], payload, diff(self.shown.get(name, {}), payload))
            self.shown[name] = payload
        self.live.publish_panels(changes, self.epoch)

    def lose(self, **panels: Plain) -> None:
        """Change panels without the web processes hearing of it."""
        channel, self.live.keys.panels_channel = self.live.keys.panels_channel, "elsewhere"
        self.show(**panels)
        self.live.keys.panels_channel = channel


class Screen:
    """Reads a stream as `assets/live.js` does."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.frames: list[tuple[str, Plain]] = []
        self.panels: dict[str, Plain] = {}
        self.last_id = ""
        self._changed = asyncio.Event()

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _frame in self.frames]

    def take(self, chunk: bytes) -> None:
        self.raw.append(chunk)
        for block in chunk.decode().strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            frame = orjson.loads(fields["data"])
            self.last_id = fields["id"]
            self.frames.append((fields["event"], frame))
            if fields["event"] == "snapshot":
                self.panels |= frame["panels"]
            for name, patch in frame.get("patches", ()):
                self.panels[name] = merge(self.panels.get(name, {}), patch)
        self._changed.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def reading(
    feed: Feed, names: frozenset[str] = NAMES, last_id: str | None = None
) -> AsyncIterator[Screen]:
    screen = Screen()

    async def read() -> None:
        async with contextlib.aclosing(feed.stream(names, last_id)) as frames:
            async for chunk in frames:
                screen.take(chunk)

    task = asyncio.create_task(read())
    try:
        yield screen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[Feed]:
    task = asyncio.create_task(feed.run())
    try:
        await until(lambda: feed.cache_lost_at is None)
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (the feed has nothing to wait on)
            await asyncio.sleep(0.01)


def slug_of(live: LiveStore) -> str:
    return live.keys.incidents.split(":")[1]


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock(REQUESTED_AT)


@pytest.fixture
def feed(valkey_url: str, live: LiveStore, clock: HeldClock) -> Feed:
    return Feed(valkey_url, slug_of(live), "build-1", clock=clock)


@pytest.fixture
def board(live: LiveStore) -> Board:
    made = Board(live)
    made.show(counters={"open": 1, "sources": ["elapor"]}, regions={"open": {"a": 1}})
    return made


def test_a_screen_begins_with_a_snapshot_of_what_it_asked_for(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed, frozenset({"regions"})) as screen:
            await screen.until(lambda: screen.frames)
            assert screen.kinds == ["snapshot"]
            assert screen.panels == {"regions": {"open": {"a": 1}}}

    run(scene())


def test_snapshot_and_deltas_lead_to_what_is_stored(
    feed: Feed, board: Board, live: LiveStore
) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            for number in range(2, 30):
                board.show(counters={"open": number}, regions={"open": {"a": number, "b": 7}})
            board.show(regions={"open": {"b": 7}})
            stored = {name: each["payload"] for name, each in live.panels().items()}
            await screen.until(lambda: screen.panels == stored)
            assert "delta" in screen.kinds

    run(scene())


def test_a_panel_that_was_not_asked_for_is_not_sent(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed, frozenset({"counters"})) as screen:
            await screen.until(lambda: screen.frames)
            board.show(regions={"open": {"a": 2}})
            board.show(counters={"open": 2})
            await screen.until(lambda: screen.panels["counters"] == {"open": 2})
            assert screen.panels.keys() == {"counters"}

    run(scene())


def test_every_screen_gets_the_same_bytes(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as one, reading(feed) as other:
            await one.until(lambda: one.frames)
            await other.until(lambda: other.frames)
            for number in range(2, 12):
                board.show(counters={"open": number})
            await one.until(lambda: one.panels["counters"]["open"] == 11)
            await other.until(lambda: other.panels["counters"]["open"] == 11)
            assert b"".join(one.raw) == b"".join(other.raw)

    run(scene())


def test_a_change_is_encoded_once_however_many_look(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed), contextlib.AsyncExitStack() as stack:
            screens = [await stack.enter_async_context(reading(feed)) for _ in range(50)]
            for screen in screens:
                await screen.until(lambda screen=screen: screen.frames)
            before = feed.frames_sent
            board.show(counters={"open": 2})
            for screen in screens:
                await screen.until(lambda screen=screen: screen.kinds[-1] == "delta")
            # A beat may fall between.
            assert feed.frames_sent - before <= 2

    run(scene())


def test_frames_carry_the_build_and_the_servers_time(
    feed: Feed, board: Board, clock: HeldClock
) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            _kind, frame = screen.frames[0]
            assert (frame["build"], frame["now"]) == ("build-1", clock.now.timestamp())
            assert frame["cache_lost_at"] is None

    run(scene())


def test_the_first_frame_says_when_to_come_back(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            assert screen.raw[0].startswith(b"retry: 1000\nid: ")

    run(scene())


# --- falling behind, and coming back --------------------------------------------------------


def test_a_slow_screen_gets_a_snapshot_instead_of_a_backlog(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed), contextlib.aclosing(feed.stream(NAMES)) as frames:
            slow = Screen()
            slow.take(await anext(frames))
            async with reading(feed) as quick:
                await quick.until(lambda: quick.frames)
                for number in range(2, 250):
                    board.show(counters={"open": number})
                    # One frame a change, not one for all of them.
                    await quick.until(lambda n=number: quick.panels["counters"]["open"] == n)
            slow.take(await anext(frames))
            assert slow.kinds == ["snapshot", "snapshot"]
            assert slow.panels["counters"] == {"open": 249}

    run(scene())


def test_a_screen_that_missed_a_little_gets_what_it_missed(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed):
            async with reading(feed) as before:
                await before.until(lambda: before.frames)
            async with reading(feed) as watching:
                await watching.until(lambda: watching.frames)
                board.show(counters={"open": 2})
                await watching.until(lambda: watching.panels["counters"]["open"] == 2)
            async with reading(feed, last_id=before.last_id) as back:
                await back.until(lambda: back.frames)
                assert "snapshot" not in back.kinds
                assert ("counters", {"open": 2, "sources": None}) in [
                    tuple(patch) for patch in dict(back.frames)["delta"]["patches"]
                ]

    run(scene())


def test_a_screen_that_missed_nothing_waits_for_the_next_change(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed):
            async with reading(feed) as before:
                await before.until(lambda: before.frames)
            async with reading(feed, last_id=before.last_id) as back:
                await until(lambda: feed.clients == 1)
                board.show(counters={"open": 5})
                await back.until(lambda: "delta" in back.kinds)
                assert "snapshot" not in back.kinds

    run(scene())


@pytest.mark.parametrize("last_id", ["", "nonsense", "00000000-1", "-", "x-99999999999999999999"])
def test_an_id_of_another_life_gets_a_snapshot(feed: Feed, board: Board, last_id: str) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed, last_id=last_id) as screen:
            await screen.until(lambda: screen.frames)
            assert screen.kinds[0] == "snapshot"

    run(scene())


@pytest.mark.parametrize("number", ["99999", "-1", "1e3", "9" * 5000])
def test_a_number_that_was_never_sent_gets_a_snapshot(
    feed: Feed, board: Board, number: str
) -> None:
    async def scene() -> None:
        async with running(feed):
            async with reading(feed) as before:
                await before.until(lambda: before.frames)
            boot = before.last_id.partition("-")[0]
            async with reading(feed, last_id=f"{boot}-{number}") as screen:
                await screen.until(lambda: screen.frames)
                assert screen.kinds[0] == "snapshot"

    run(scene())


def test_a_message_that_went_missing_is_made_good_by_reading_all(
    feed: Feed, board: Board, live: LiveStore
) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            board.lose(regions={"open": {"lost": 1}})
            board.show(regions={"open": {"lost": 1, "heard": 2}})
            await screen.until(lambda: screen.panels["regions"] == board.shown["regions"])

    run(scene())


def test_a_board_that_began_anew_replaces_what_was_shown(
    feed: Feed, board: Board, live: LiveStore
) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            Board(live, "second").show(counters={"open": 77})
            await screen.until(lambda: screen.panels["counters"] == {"open": 77})
            assert screen.panels["regions"] == {"open": {"a": 1}}

    run(scene())


def test_a_message_heard_twice_counts_once(feed: Feed, board: Board, live: LiveStore) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            change = {"counters": (2, {"open": 2}, {"open": 2, "sources": None})}
            live.publish_panels(change, "first")
            live.publish_panels(change, "first")
            live.publish_panels({"counters": (3, {"open": 3}, {"open": 3})}, "first")
            await screen.until(lambda: screen.panels["counters"] == {"open": 3})
            assert screen.kinds.count("snapshot") == 1

    run(scene())


def test_a_message_that_nobody_can_read_does_not_end_the_feed(
    feed: Feed, board: Board, live: LiveStore, valkey_url: str
) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            with closing(redis.Redis.from_url(valkey_url)) as server:
                server.publish(live.keys.panels_channel, b"not json")
            board.show(counters={"open": 9})
            await screen.until(lambda: screen.panels["counters"] == {"open": 9})

    run(scene())


# --- the pipeline behind the feed -----------------------------------------------------------


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server that a test may stop and start."""
    server = EmbeddedValkey(tmp_path)
    server.start()
    yield server
    server.stop()


def test_a_lost_cache_is_told_and_what_was_shown_stays(own_valkey: EmbeddedValkey) -> None:
    async def scene() -> None:
        clock = HeldClock(REQUESTED_AT)
        feed = Feed(own_valkey.url, "kota", "build-1", clock=clock)
        live = LiveStore(own_valkey.url, "kota")
        board = Board(live)
        board.show(counters={"open": 1}, regions={})
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            lost_at = clock.forward(minutes=3)
            await asyncio.to_thread(own_valkey.stop)
            await screen.until(lambda: screen.frames[-1][1]["cache_lost_at"] is not None)
            assert screen.frames[-1][1]["cache_lost_at"] == lost_at.timestamp()
            assert screen.panels["counters"] == {"open": 1}
            await asyncio.to_thread(own_valkey.start)
            await screen.until(lambda: screen.frames[-1][1]["cache_lost_at"] is None)
            board.show(counters={"open": 2})
            await screen.until(lambda: screen.panels["counters"] == {"open": 2})
        live.close()

    run(scene())


def test_a_cache_that_comes_back_empty_takes_nothing_off_the_screen(
    own_valkey: EmbeddedValkey,
) -> None:
    async def scene() -> None:
        feed = Feed(own_valkey.url, "kota", "build-1")
        live = LiveStore(own_valkey.url, "kota")
        Board(live).show(counters={"open": 1}, regions={})
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            with closing(redis.Redis.from_url(own_valkey.url)) as server:
                server.flushall()
            await asyncio.to_thread(own_valkey.stop)
            await asyncio.to_thread(own_valkey.start)
            await screen.until(lambda: screen.kinds.count("snapshot") >= 2)
            assert screen.panels["counters"] == {"open": 1}
        live.close()

    run(scene())


def test_a_feed_without_a_cache_says_since_when(clock: HeldClock) -> None:
    async def scene() -> None:
        feed = Feed("redis://127.0.0.1:9/0", "kota", "build-1", clock=clock)
        began = clock.now
        task = asyncio.create_task(feed.run())
        clock.forward(hours=1)
        async with reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            assert screen.frames[0][1]["cache_lost_at"] == began.timestamp()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(scene())


def test_frames_tell_when_the_board_was_last_heard(
    feed: Feed, board: Board, live: LiveStore, clock: HeldClock
) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            assert screen.frames[0][1]["board_heard_at"] is None
            live.announce_alive("first")
            await until(lambda: feed.board_heard_at)
            heard_at = clock.now
            clock.forward(minutes=5)
            board.show(counters={"open": 2})
            await screen.until(lambda: "delta" in screen.kinds)
            assert feed.board_heard_at == heard_at + timedelta(minutes=5)

    run(scene())


def test_a_silent_board_is_seen_by_its_time_standing_still(
    feed: Feed, board: Board, live: LiveStore, clock: HeldClock
) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: screen.frames)
            live.announce_alive("first")
            await until(lambda: feed.board_heard_at)
            heard_at = clock.now
            clock.forward(seconds=60)
            await screen.until(lambda: screen.frames[-1][1]["now"] > heard_at.timestamp())
            kind, frame = screen.frames[-1]
            assert (kind, frame["board_heard_at"]) == ("beat", heard_at.timestamp())

    run(scene())


def test_a_quiet_line_beats(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed), reading(feed) as screen:
            await screen.until(lambda: "beat" in screen.kinds)
            assert push.BEAT_S * 2 < 8  # the pages wait that long before they say it is dead

    run(scene())


# --- no leaks -------------------------------------------------------------------------------


def test_a_screen_that_left_is_counted_no_more(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed):
            async with reading(feed) as one, reading(feed) as other:
                await one.until(lambda: one.frames)
                await other.until(lambda: other.frames)
                assert feed.clients == 2
            await until(lambda: feed.clients == 0)

    run(scene())


def test_frames_that_are_kept_for_returning_screens_have_an_end(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed):
            async with reading(feed) as screen:
                await screen.until(lambda: screen.frames)
                for number in range(300):
                    board.show(counters={"open": number})
                await screen.until(lambda: screen.panels["counters"] == {"open": 299})
            (group,) = feed._groups.values()
            assert len(group.frames) <= 128

    run(scene())


def test_wishes_of_screens_long_gone_are_forgotten(feed: Feed, board: Board) -> None:
    async def scene() -> None:
        async with running(feed):
            for number in range(200):
                async with reading(feed, frozenset({"counters", f"x{number}"})) as screen:
                    await screen.until(lambda screen=screen: screen.frames)
            assert len(feed._groups) <= 64

    run(scene())
