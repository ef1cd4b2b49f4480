"""Live state in Valkey or Redis: what the wall works on, and the messages between processes.

Everything here can be rebuilt from history and the next polls; nothing is kept only here. Keys
carry the city's slug, so that several cities can share one server:

=====================================  ======  ===================================================
key                                    type    holds
=====================================  ======  ===================================================
lawang:<city>:incidents                hash    incident id -> state as JSON; open ones and those
                                               closed lately
lawang:<city>:readings                 hash    "source/measure/subject" -> newest reading as JSON
lawang:<city>:positions                hash    position id -> last known position as JSON
lawang:<city>:alerts                   hash    alert id -> message as JSON; those not yet over
lawang:<city>:sources                  hash    source id -> SourceState as JSON
lawang:<city>:panels                   hash    panel id -> {"epoch", "seq", "payload"} as JSON
lawang:<city>:filled                   string  the run that filled it from history; gone = empty
lawang:<city>:wanted                   set     sources that a person wants polled at once
lawang:<city>:asked:<source>           string  there while it may not be asked for again
lawang:<city>:lease:<name>             string  who holds a lease
lawang:<city>:fence:<name>             string  how often that lease changed hands
=====================================  ======  ===================================================

Channels: `changed` (records settled or a source polled; for the board) and `panels` (what the
board made of it; for the web processes).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lawang.domain.alert import Alert, MessageType
from lawang.domain.errors import StoreError
from lawang.domain.health import SourceState, state_from_plain, state_to_plain
from lawang.domain.incident import Incident, field_values, incident_from_plain
from lawang.domain.measure import Reading
from lawang.domain.position import Position

#: How long a closed incident stays in live state, and so on the board: today and last night.
KEPT_AFTER_CLOSING = timedelta(hours=36)
#: An alert leaves live state so long after it expired, lest a clock that was set back miss it.
KEPT_AFTER_EXPIRY = timedelta(days=1)
#: Reads and writes give up after this; the wall says so long before an operator would wonder.
TIMEOUT_S = 2.0

_RENEW = """
if redis.call('get', KEYS[1]) == ARGV[1] then
  return redis.call('pexpire', KEYS[1], ARGV[2])
end
return 0
"""
_RELEASE = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""


class Keys:
    """Names of keys and channels."""

    def __init__(self, city: str) -> None:
        prefix = f"lawang:{city}"
        self.incidents = f"{prefix}:incidents"
        self.readings = f"{prefix}:readings"
        self.positions = f"{prefix}:positions"
        self.alerts = f"{prefix}:alerts"
        self.wanted = f"{prefix}:wanted"
        self.sources = f"{prefix}:sources"
        self.panels = f"{prefix}:panels"
        self.filled = f"{prefix}:filled"
        self.changed_channel = f"{prefix}:changed"
        self.panels_channel = f"{prefix}:panels"
        self._prefix = prefix

    def asked(self, source_id: str) -> str:
        return f"{self._prefix}:asked:{source_id}"

    def lease(self, name: str) -> str:
        return f"{self._prefix}:lease:{name}"

    def fence(self, name: str) -> str:
        return f"{self._prefix}:fence:{name}"


class LiveStore:
    """The synchronous side of live state, for pollers and the board; safe to share by threads.

    Every method raises StoreError("cache_down", ...) when the server does not answer.
    """

    def __init__(self, url: str, city: str) -> None:
        self.keys = Keys(city)
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            health_check_interval=15,
            retry=Retry(NoBackoff(), 1),
        )

    def close(self) -> None:
        """Give all connections back."""
        self._redis.close()

    def ping(self) -> None:
        """Raise StoreError unless the server answers."""
        with _as_store_error():
            self._redis.ping()

    # --- incidents and sources ---------------------------------------------------------------

    def put(
        self,
        changed: Iterable[Incident] = (),
        gone: Iterable[str] = (),
        state: SourceState | None = None,
        *,
        readings: Iterable[Reading] = (),
        positions: Iterable[Position] = (),
        alerts: Iterable[Alert] = (),
    ) -> None:
        """Store what changed and tell the board, in one transaction."""
        keep = {item.id: orjson.dumps(field_values(item)) for item in changed}
        drop = list(gone)
        facts = self._facts(readings, positions, alerts)
        message: dict[str, Any] = {
            "incidents": [*keep, *drop],
            "source": state.source_id if state else None,
            **{name: list(values) for name, (_key, values) in facts.items() if values},
        }
        over = [
            item.id
            for item in alerts
            if item.ended_at is not None or item.message_type is MessageType.CANCEL
        ]
        with _as_store_error():
            pipe = self._redis.pipeline(transaction=True)
            if keep:
                pipe.hset(self.keys.incidents, mapping=keep)
            if drop:
                pipe.hdel(self.keys.incidents, *drop)
            for key, values in facts.values():
                if values:
                    pipe.hset(key, mapping=values)
            if over:
                pipe.hdel(self.keys.alerts, *over)
            if state is not None:
                pipe.hset(self.keys.sources, state.source_id, orjson.dumps(state_to_plain(state)))
            pipe.publish(self.keys.changed_channel, orjson.dumps(message))
            pipe.execute()

    def _facts(
        self,
        readings: Iterable[Reading],
        positions: Iterable[Position],
        alerts: Iterable[Alert],
    ) -> dict[str, tuple[str, dict[str, bytes]]]:
        return {
            "readings": (
                self.keys.readings,
                {"/".join(item.series): orjson.dumps(item) for item in readings},
            ),
            "positions": (self.keys.positions, {item.id: orjson.dumps(item) for item in positions}),
            "alerts": (self.keys.alerts, {item.id: orjson.dumps(item) for item in alerts}),
        }

    def drop_alerts(self, ids: Collection[str]) -> None:
        """Forget alerts that are over; nobody is told."""
        if ids:
            with _as_store_error():
                self._redis.hdel(self.keys.alerts, *ids)

    def want(self, source_id: str, gap_ms: int = 0) -> bool:
        """Ask the poller to poll a source at once.

        False, and nothing asked, where somebody asked for it within the last `gap_ms`.
        """
        with _as_store_error():
            if gap_ms and not self._redis.set(self.keys.asked(source_id), 1, nx=True, px=gap_ms):
                return False
            self._redis.sadd(self.keys.wanted, source_id)
        return True

    def note_findings(self, source_id: str, findings: int) -> None:
        """Set how many findings a source has open, leaving the rest of its state; tell the board.

        A poll that writes the state at the same moment is not overwritten.
        """
        message = orjson.dumps({"incidents": [], "source": source_id})

        def change(pipe: Any) -> None:
            raw = pipe.hget(self.keys.sources, source_id)
            pipe.multi()
            if raw is not None:
                plain = {**orjson.loads(raw), "findings": findings}
                pipe.hset(self.keys.sources, source_id, orjson.dumps(plain))
                pipe.publish(self.keys.changed_channel, message)

        with _as_store_error():
            self._redis.transaction(change, self.keys.sources)

    def note_alarms(self) -> None:
        """Tell the board that the city's own alarms are other ones now."""
        message = orjson.dumps({"incidents": [], "source": None, "alarms": True})
        with _as_store_error():
            self._redis.publish(self.keys.changed_channel, message)

    def note_screens(self) -> None:
        """Tell the board that a wall, what walls are to do, or the status is another one now."""
        message = orjson.dumps({"incidents": [], "source": None, "screens": True})
        with _as_store_error():
            self._redis.publish(self.keys.changed_channel, message)

    def take_wanted(self) -> list[str]:
        """The sources that were asked for; asking is over with that."""
        with _as_store_error():
            found = self._redis.spop(self.keys.wanted, 100)
        return [each.decode() for each in found or ()]

    def facts(self, kind: str, ids: list[str] | None = None) -> dict[str, dict[str, Any]]:
        """Live readings, positions or alerts as plain mappings, by key: all, or those of `ids`."""
        key = {
            "readings": self.keys.readings,
            "positions": self.keys.positions,
            "alerts": self.keys.alerts,
        }[kind]
        if ids == []:
            return {}
        with _as_store_error():
            if ids is not None:
                found = zip(ids, self._redis.hmget(key, ids), strict=True)
                return {name: orjson.loads(value) for name, value in found if value}
            raw = self._redis.hgetall(key)
        return {name.decode(): orjson.loads(value) for name, value in raw.items()}

    def incidents(self, ids: list[str]) -> dict[str, Incident | None]:
        """The live states of some incidents; None for one that is not live (any more)."""
        if not ids:
            return {}
        with _as_store_error():
            raw = self._redis.hmget(self.keys.incidents, ids)
        return {
            incident_id: incident_from_plain(orjson.loads(value)) if value else None
            for incident_id, value in zip(ids, raw, strict=True)
        }

    def all_incidents(self) -> list[Incident]:
        """Every live incident."""
        with _as_store_error():
            raw = self._redis.hvals(self.keys.incidents)
        return [incident_from_plain(orjson.loads(value)) for value in raw]

    def source_states(self, ids: Iterable[str] | None = None) -> dict[str, SourceState]:
        """The states of the sources polled so far; all of them, or those of `ids`."""
        wanted = None if ids is None else list(ids)
        if wanted == []:
            return {}
        with _as_store_error():
            if wanted is None:
                raw = self._redis.hvals(self.keys.sources)
            else:
                raw = self._redis.hmget(self.keys.sources, wanted)
        states = (state_from_plain(orjson.loads(value)) for value in raw if value)
        return {state.source_id: state for state in states}

    def fill(
        self,
        incidents: Iterable[Incident],
        states: Iterable[SourceState],
        run: str,
        *,
        readings: Iterable[Reading] = (),
        positions: Iterable[Position] = (),
        alerts: Iterable[Alert] = (),
    ) -> None:
        """Replace all live records and add the missing source states, from history."""
        keep = {item.id: orjson.dumps(field_values(item)) for item in incidents}
        facts = self._facts(readings, positions, alerts)
        with _as_store_error():
            pipe = self._redis.pipeline(transaction=True)
            pipe.delete(self.keys.incidents)
            items = list(keep.items())
            for start in range(0, len(items), 1000):
                pipe.hset(self.keys.incidents, mapping=dict(items[start : start + 1000]))
            for key, values in facts.values():
                pipe.delete(key)
                items = list(values.items())
                for start in range(0, len(items), 1000):
                    pipe.hset(key, mapping=dict(items[start : start + 1000]))
            for state in states:
                pipe.hsetnx(self.keys.sources, state.source_id, orjson.dumps(state_to_plain(state)))
            pipe.set(self.keys.filled, run)
            pipe.execute()

    def filled_by(self) -> str | None:
        """The run that filled live state from history; None when the server lost it all."""
        with _as_store_error():
            value = self._redis.get(self.keys.filled)
        return value.decode() if value else None

    # --- panels ------------------------------------------------------------------------------

    def panels(self) -> dict[str, dict[str, Any]]:
        """All panels: id -> {"epoch", "seq", "payload"}."""
        with _as_store_error():
            raw = self._redis.hgetall(self.keys.panels)
        return {name.decode(): orjson.loads(value) for name, value in raw.items()}

    def publish_panels(
        self, changes: Mapping[str, tuple[int, dict[str, Any], dict[str, Any]]], epoch: str
    ) -> None:
        """Store and announce panels: id -> (seq, whole payload, merge patch from the last one)."""
        if not changes:
            return
        with _as_store_error():
            pipe = self._redis.pipeline(transaction=True)
            for panel, (seq, payload, patch) in changes.items():
                pipe.hset(
                    self.keys.panels,
                    panel,
                    orjson.dumps({"epoch": epoch, "seq": seq, "payload": payload}),
                )
                pipe.publish(
                    self.keys.panels_channel,
                    orjson.dumps({"panel": panel, "epoch": epoch, "seq": seq, "patch": patch}),
                )
            pipe.execute()

    def announce_alive(self, epoch: str) -> None:
        """Tell the web processes that the board is at work."""
        with _as_store_error():
            self._redis.publish(self.keys.panels_channel, orjson.dumps({"alive": epoch}))

    def listen_changed(self) -> Any:
        """A subscription to `changed`; call `get_message(timeout=...)` on it, and `close()`."""
        with _as_store_error():
            subscription = self._redis.pubsub(ignore_subscribe_messages=True)
            subscription.subscribe(self.keys.changed_channel)
        return subscription

    # --- leases ------------------------------------------------------------------------------

    def take_lease(self, name: str, holder: str, ttl_ms: int) -> int | None:
        """Take a free lease. Returns its fencing number, higher each time it changes hands."""
        with _as_store_error():
            if not self._redis.set(self.keys.lease(name), holder, nx=True, px=ttl_ms):
                return None
            return int(self._redis.incr(self.keys.fence(name)))

    def raise_fence(self, name: str, at_least: int) -> int:
        """Lift the fencing counter over a number known from history, after the cache was lost."""
        with _as_store_error():
            current = int(self._redis.get(self.keys.fence(name)) or 0)
            if current <= at_least:
                self._redis.set(self.keys.fence(name), at_least + 1)
                return at_least + 1
        return current

    def renew_lease(self, name: str, holder: str, ttl_ms: int) -> bool:
        """Keep a lease; False when it is somebody else's or gone."""
        with _as_store_error():
            return bool(self._redis.eval(_RENEW, 1, self.keys.lease(name), holder, ttl_ms))

    def release_lease(self, name: str, holder: str) -> None:
        """Give a lease back at once, if it is still ours."""
        with _as_store_error():
            self._redis.eval(_RELEASE, 1, self.keys.lease(name), holder)


@contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        # The text of a Redis error may hold an address with its password: only the type is kept.
        raise StoreError("cache_down", type(error).__name__) from error
