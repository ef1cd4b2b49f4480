"""Live push: one subscription a web process, one encoded frame a change, the same bytes to all.

A frame is one server-sent event. `snapshot` carries whole panels, `delta` merge patches of those
that changed, `beat` nothing but the time, so that a silent line is known to be dead. Every frame
says how the pipeline behind it is doing: whether the cache answers, and when the board was last
heard of. Clients wait on one event each group of equal wishes; one that fell behind gets a
snapshot instead of a backlog.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import Any

import orjson
import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from lawang.board.patch import merge
from lawang.domain.clock import Clock, utc_now
from lawang.store.live import TIMEOUT_S, Keys

log = structlog.get_logger(__name__)

#: A line silent for longer than this is dead; the pages wait 8 s before they say so.
BEAT_S = 3.0
#: Changes that arrive within this time of each other leave in one frame.
GATHER_S = 0.005
#: How many frames a resuming client may have missed before it gets a snapshot instead.
_KEPT_FRAMES = 128
#: No feed counts further than this; Python refuses to read numbers of thousands of digits.
_NUMBER_DIGITS = 18
#: More groups than this are only kept while somebody listens.
_GROUPS_MAX = 64
_RETRY_S = 0.3

Panels = dict[str, dict[str, Any]]


class _Group:
    """All clients that asked for the same panels: their frames are the same bytes."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.frames: deque[tuple[int, bytes]] = deque(maxlen=_KEPT_FRAMES)
        self.changed = asyncio.Event()
        self.clients = 0
        self.snapshot: tuple[int, bytes] | None = None

    def add(self, number: int, frame: bytes) -> None:
        self.frames.append((number, frame))
        waiting, self.changed = self.changed, asyncio.Event()
        waiting.set()


class Feed:
    """The one reader of panels in a web process. Run `run()` as a supervised task.

    `build` names the program that made the pages: a page of another build reloads itself.
    """

    def __init__(self, url: str, city: str, build: str, *, clock: Clock = utc_now) -> None:
        self._url = url
        self._keys = Keys(city)
        self._build = build
        self._clock = clock
        self._boot = secrets.token_hex(4)
        self._number = 0
        self._groups: dict[frozenset[str], _Group] = {}
        self._epochs: dict[str, tuple[str, int]] = {}
        self.panels: Panels = {}
        self.cache_lost_at: datetime | None = clock()
        self.board_heard_at: datetime | None = None
        self.frames_sent = 0

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return sum(group.clients for group in self._groups.values())

    async def run(self) -> None:
        """Follow the board for ever; a lost cache or a fault only interrupts it."""
        beat = asyncio.create_task(self._beat())
        try:
            while True:
                try:
                    await self._follow()
                except (redis.RedisError, OSError) as error:
                    self._lose_cache(type(error).__name__)
                except Exception:
                    # The feed is the life line of every screen: a fault must not end it.
                    log.exception("the feed stumbled and starts anew")
                await asyncio.sleep(_RETRY_S)
        finally:
            beat.cancel()

    async def _follow(self) -> None:
        client = redis.asyncio.Redis.from_url(
            self._url,
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(self._keys.panels_channel)
                await self._load(client)
                while True:
                    message = await subscription.get_message(timeout=1.0)
                    if message is None:
                        await client.ping()
                        continue
                    if GATHER_S:
                        await asyncio.sleep(GATHER_S)
                    messages = [message]
                    while (more := await subscription.get_message(timeout=0)) is not None:
                        messages.append(more)
                    if not self._take(messages):
                        await self._load(client)
        finally:
            with contextlib.suppress(redis.RedisError, OSError):
                await client.aclose()

    async def _load(self, client: redis.asyncio.Redis) -> None:
        """Read every panel whole: at the start, after a loss, when a message went missing."""
        raw = await client.hgetall(self._keys.panels)
        panels: Panels = {}
        for name, value in raw.items():
            content = orjson.loads(value)
            panels[name.decode()] = content["payload"]
            self._epochs[name.decode()] = (content["epoch"], content["seq"])
        if self.cache_lost_at is not None:
            log.info("the feed follows the board", panels=len(panels))
        self.cache_lost_at = None
        # An empty cache is a cache that lost everything: what was shown stays until it is filled.
        self.panels |= panels
        self._send_snapshots()

    def _take(self, messages: Iterable[dict[str, Any]]) -> bool:
        """Apply what the board announced; False when something was missed on the way."""
        patches: list[tuple[str, dict[str, Any]]] = []
        for message in messages:
            content = orjson.loads(message["data"])
            self.board_heard_at = self._clock()
            if "alive" in content:
                continue
            name, epoch, seq = content["panel"], content["epoch"], content["seq"]
            known_epoch, known_seq = self._epochs.get(name, ("", 0))
            if epoch == known_epoch and seq <= known_seq:
                continue
            if epoch != known_epoch or seq != known_seq + 1:
                return False
            self._epochs[name] = (epoch, seq)
            self.panels[name] = merge(self.panels.get(name, {}), content["patch"])
            patches.append((name, content["patch"]))
        if patches:
            self._send_deltas(patches)
        return True

    def _lose_cache(self, reason: str) -> None:
        if self.cache_lost_at is None:
            self.cache_lost_at = self._clock()
            log.warning("the cache does not answer; screens are told", reason=reason)
            self._send_all(b"beat", {})

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self._send_all(b"beat", {})

    # --- frames ------------------------------------------------------------------------------

    def _send_deltas(self, patches: list[tuple[str, dict[str, Any]]]) -> None:
        self._number += 1
        for group in self._groups.values():
            wanted = [patch for patch in patches if patch[0] in group.names]
            if wanted:
                group.add(self._number, self._frame(b"delta", {"patches": wanted}))

    def _send_snapshots(self) -> None:
        self._number += 1
        for group in self._groups.values():
            group.add(*self._snapshot(group))

    def _send_all(self, kind: bytes, content: dict[str, Any]) -> None:
        self._number += 1
        frame = self._frame(kind, content)
        for group in self._groups.values():
            group.add(self._number, frame)

    def _snapshot(self, group: _Group) -> tuple[int, bytes]:
        """The group's panels whole, as of now; encoded once however many clients come at once."""
        if group.snapshot is None or group.snapshot[0] != self._number:
            panels = {name: self.panels[name] for name in group.names if name in self.panels}
            # The browser is told here how soon to come back, in ms, so that the bytes are the same
            # for all: a copy for each of many screens would be the most memory this process needs.
            frame = b"retry: 1000\n" + self._frame(b"snapshot", {"panels": panels})
            group.snapshot = (self._number, frame)
        return group.snapshot

    def _frame(self, kind: bytes, content: dict[str, Any]) -> bytes:
        content = content | {
            "build": self._build,
            "now": self._clock().timestamp(),
            "cache_lost_at": self.cache_lost_at and self.cache_lost_at.timestamp(),
            "board_heard_at": self.board_heard_at and self.board_heard_at.timestamp(),
        }
        self.frames_sent += 1
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (
            self._boot.encode(),
            self._number,
            kind,
            orjson.dumps(content),
        )

    async def stream(
        self, names: frozenset[str], last_id: str | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Frames for one client: what it missed or a snapshot, then everything that follows."""
        group = self._group(names)
        group.clients += 1
        try:
            seen = self._resume_at(group, last_id)
            if seen is None:
                seen, frame = self._snapshot(group)
                yield frame
            while True:
                changed = group.changed
                frames = group.frames
                if not frames or frames[-1][0] <= seen:
                    await changed.wait()
                elif len(frames) == 1 or frames[-2][0] <= seen:
                    # What nearly every client needs nearly always: it missed nothing.
                    seen, frame = frames[-1]
                    yield frame
                else:
                    seen, frame = self._catch_up(group, seen)
                    yield frame
        finally:
            group.clients -= 1

    def _catch_up(self, group: _Group, seen: int) -> tuple[int, bytes]:
        """All frames after `seen`, or a snapshot where that is shorter or some are not kept."""
        frames = group.frames
        number, snapshot = self._snapshot(group)
        missed = [frame for newer, frame in frames if newer > seen]
        is_whole = frames[0][0] <= seen + 1 or len(frames) < _KEPT_FRAMES
        if is_whole and sum(map(len, missed)) < len(snapshot):
            return frames[-1][0], b"".join(missed)
        return number, snapshot

    def _group(self, names: frozenset[str]) -> _Group:
        # An idle group is kept, so that its only screen can resume where it was.
        if names not in self._groups and len(self._groups) >= _GROUPS_MAX:
            idle = [key for key, group in self._groups.items() if not group.clients]
            for key in idle:
                del self._groups[key]
        return self._groups.setdefault(names, _Group(names))

    def _resume_at(self, group: _Group, last_id: str | None) -> int | None:
        """The number after which a returning client goes on; None if it needs a snapshot."""
        boot, _, number = (last_id or "").partition("-")
        if boot != self._boot or not number.isdecimal() or len(number) > _NUMBER_DIGITS:
            return None
        seen = int(number)
        oldest = group.frames[0][0] if group.frames else self._number + 1
        return seen if oldest <= seen + 1 and seen <= self._number else None
