"""Maps the messages of one batch. Pure: no clock, no network, no memory.

An answer is a JSON list of messages, as `envelope.pack` writes it. A device's last will ("offline"
on its status topic) makes a position of status "mati", over whatever it had said before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from paho.mqtt.client import topic_matches_sub

from connectors.mqtt.options import MqttOptions
from lawang.connector import Answer, Parsed
from lawang.domain.errors import RetryLater
from lawang.domain.incident import Reject
from lawang.domain.position import Fix, PositionStatus
from lawang.domain.privacy import mask
from lawang.domain.values import read_time, read_word
from lawang.mapping import map_rows, search

#: The longest topic shown in a reject.
_LONGEST_TOPIC = 120
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Message:
    topic: str
    retained: bool
    received_at: datetime | None
    rows: list[Any]

    @property
    def shown(self) -> str:
        return mask(self.topic)[:_LONGEST_TOPIC]


def parse_answer(options: MqttOptions, answer: Answer) -> Parsed:
    """Records and rejects of one batch; nothing for an answer that only says that we are alive.

    Raises RetryLater("garbage") where the batch is none, which no broker can bring about.
    """
    if answer.kind == "alive":
        return Parsed()
    try:
        batch = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise RetryLater("garbage", f"no batch of messages; {len(answer.body)} bytes") from None
    if not isinstance(batch, list) or not all(_is_message(each) for each in batch):
        raise RetryLater("garbage", "no batch of messages")
    rejects: list[Reject] = []
    messages = [made for each in batch if (made := _open(options, each, rejects)) is not None]
    things = _Things(options)
    rows: list[Any] = []
    for message in messages:
        if options.status_topic and topic_matches_sub(options.status_topic, message.topic):
            things.hear_status(message)
        else:
            rows += message.rows
            if "positions" in options.yields:
                things.hear_data(message)
    others = tuple(kind for kind in options.yields if kind != "positions")
    parsed = map_rows(rows, options.model_copy(update={"yields": others}))
    seen = [moment for moment in (parsed.watermark, *things.times()) if moment is not None]
    return replace(
        parsed,
        rejects=[*rejects, *things.rejects, *_without_repeats(parsed.rejects, things.rejects)],
        fixes=list(things.fixes.values()),
        watermark=max(seen, default=None),
        repeated=parsed.repeated + things.repeated,
        filled=parsed.filled + things.filled,
        fillable=parsed.fillable + things.fillable,
    )


def _is_message(each: object) -> bool:
    return isinstance(each, dict) and isinstance(each.get("topic"), str)


def _open(options: MqttOptions, each: dict[str, Any], rejects: list[Reject]) -> _Message | None:
    """A message with its rows; None, and a reject, for one that cannot be read."""
    topic = each["topic"]
    message = _Message(topic, each.get("retained") is True, _received(each), [])
    if "payload" not in each and "text" not in each:
        size = each.get("too_large")
        detail = f"a message of {size} bytes" if isinstance(size, int) else "an empty message"
        reason = "too_large" if isinstance(size, int) else "bad_record"
        # An empty retained message is how a device takes back what it had said.
        if reason == "too_large":
            rejects.append(Reject(reason=reason, detail=detail, sample=f"topic: {message.shown}"))
        return None
    if "text" in each and not (
        options.status_topic and topic_matches_sub(options.status_topic, topic)
    ):
        detail = "its payload is not JSON, or cut off"
        rejects.append(Reject(reason="bad_record", detail=detail, sample=f"topic: {message.shown}"))
        return None
    payload = each.get("payload", each.get("text"))
    found = search(options.records, payload) if options.records != "@" else payload
    if isinstance(found, list):
        # A plain value in a list belongs to nothing: it stays as it is, and is told as no row.
        message.rows.extend(
            _as_row(row, message) if isinstance(row, dict) else row for row in found
        )
    else:
        message.rows.append(_as_row(found, message))
    return message


def _received(each: dict[str, Any]) -> datetime | None:
    return read_time(each.get("received_at"), UTC)


def _as_row(row: Any, message: _Message) -> Any:
    """A row with what the message says of it; a plain value is `_value`.

    What a broker has kept was said at an unknown time, so a retained message has no
    `_received_at`.
    """
    if row is None:
        return row
    plain: dict[str, Any] = dict(row) if isinstance(row, dict) else {}
    plain.pop("_received_at", None)
    plain.pop("_value", None)
    if not isinstance(row, dict):
        plain["_value"] = row
    plain["_topic"] = message.topic
    plain["_levels"] = message.topic.split("/")
    plain["_retained"] = message.retained
    if not message.retained and message.received_at is not None:
        plain["_received_at"] = message.received_at.isoformat()
    return plain


class _Things:
    """Where the things of a batch are and how they do, message by message."""

    def __init__(self, options: MqttOptions) -> None:
        self._options = options.model_copy(update={"yields": ("positions",)})
        self._online = frozenset(word.casefold() for word in options.online)
        self._offline = frozenset(word.casefold() for word in options.offline)
        self._dead: set[str] = set()
        self.fixes: dict[str, Fix] = {}
        self.rejects: list[Reject] = []
        self.repeated = self.filled = self.fillable = 0

    def times(self) -> Iterable[datetime | None]:
        return [fix.observed_at for fix in self.fixes.values()]

    def hear_data(self, message: _Message) -> None:
        """A message that says where a thing is. One that the broker kept revives nothing."""
        for fix in self._map(message.rows):
            key = fix.external_id
            before = self.fixes.get(key)
            self.repeated += before is not None and key not in self._dead
            if key in self._dead and message.retained:
                dead = self.fixes[key]
                self.fixes[key] = replace(fix, status=dead.status, observed_at=dead.observed_at)
            elif before is None or key in self._dead or _stand(fix) >= _stand(before):
                self._dead.discard(key)
                self.fixes[key] = fix

    def hear_status(self, message: _Message) -> None:
        """A message that says whether a thing is there: its own word, or its last will."""
        for row in message.rows:
            word = (read_word(search(self._options.status_value, row)) or "").casefold()
            if word not in self._online and word not in self._offline:
                self._refuse(message)
                continue
            for fix in self._map([row]):
                if word in self._offline:
                    # A will was written when the thing connected: its own time is not of now.
                    at = None if message.retained else message.received_at
                    self._settle(fix, PositionStatus.OFF.value, at)
                    self._dead.add(fix.external_id)
                else:
                    at = fix.observed_at or (None if message.retained else message.received_at)
                    self._settle(fix, PositionStatus.ACTIVE.value, at)
                    self._dead.discard(fix.external_id)

    def _settle(self, fix: Fix, status: str, at: datetime | None) -> None:
        """Lay a status over what the batch already says of the thing."""
        before = self.fixes.get(fix.external_id)
        self.fixes[fix.external_id] = replace(before or fix, status=status, observed_at=at)

    def _map(self, rows: list[Any]) -> list[Fix]:
        parsed = map_rows(rows, self._options)
        self.rejects += parsed.rejects
        self.filled += parsed.filled
        self.fillable += parsed.fillable
        return parsed.fixes

    def _refuse(self, message: _Message) -> None:
        detail = "a status that is neither in online nor in offline"
        sample = f"topic: {message.shown}"
        self.rejects.append(Reject(reason="bad_value", detail=detail, sample=sample))


def _stand(fix: Fix) -> datetime:
    return fix.observed_at or _BEGINNING


def _without_repeats(rejects: list[Reject], told: list[Reject]) -> list[Reject]:
    """Rejects that the same row has not been given for another kind of record."""
    known = set(told)
    return [each for each in rejects if each not in known]
