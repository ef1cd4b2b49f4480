"""What a source file may say when its department's instruments publish to an MQTT broker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from lawang.mapping import Expression, RowOptions

PORTS = {"mqtt": 1883, "mqtts": 8883}
_CLIENT_ID = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def _check_address(text: str) -> str:
    try:
        split = urlsplit(text.strip())
        host, _ = split.hostname, split.port
    except ValueError:
        raise ValueError("is not an address") from None
    if split.scheme not in PORTS or not host:
        raise ValueError("must begin with mqtt:// or mqtts:// (with TLS) and name a host")
    if "@" in split.netloc or split.path not in ("", "/") or split.query or split.fragment:
        raise ValueError("must hold host and port only; user and password are keys of their own")
    return text.strip()


def check_filter(text: str) -> str:
    """`text` if it is a topic filter (MQTT 3.1.1, 4.7): + one level, # all below, as last."""
    levels = text.split("/")
    wrong = not text or "\0" in text or len(text.encode()) > 65_535
    wrong = wrong or any("+" in level and level != "+" for level in levels)
    wrong = wrong or any("#" in level and level != "#" for level in levels) or "#" in levels[:-1]
    if wrong:
        raise ValueError("is no topic filter: + stands for one level, # for all below, at the end")
    return text


def _check_client_id(text: str) -> str:
    if text and not _CLIENT_ID.fullmatch(text):
        raise ValueError("must be up to 60 letters, digits, dots, - or _")
    return text


Address = Annotated[str, AfterValidator(_check_address)]
Filter = Annotated[str, AfterValidator(check_filter)]


class MqttOptions(RowOptions):
    """Options of connector mqtt; the README explains each."""

    url: Address
    topics: Annotated[tuple[Filter, ...], Field(min_length=1)]
    qos: Literal[0, 1] = 1
    user: str = ""
    password: SecretStr = SecretStr("")
    client_id: Annotated[str, AfterValidator(_check_client_id)] = ""
    version: Literal["3.1.1", "5"] = "3.1.1"
    session_expiry_s: int = Field(86_400, ge=0, le=4_294_967_295)
    keepalive_s: int = Field(30, ge=5, le=3_600)
    records: Expression = "@"
    batch: int = Field(500, ge=1, le=10_000)
    batch_s: float = Field(1.0, gt=0, le=60)
    max_bytes: int = Field(1_000_000, ge=1_000, le=20_000_000)
    silent_after_s: float | None = Field(None, gt=0, allow_inf_nan=False)
    status_topic: Annotated[str, AfterValidator(lambda text: text and check_filter(text))] = ""
    status_value: Expression = "_value"
    online: tuple[str, ...] = ("online",)
    offline: tuple[str, ...] = ("offline",)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port of the broker."""
        split = urlsplit(self.url)
        return split.hostname or "", split.port or PORTS[split.scheme]

    @property
    def is_encrypted(self) -> bool:
        """Whether the broker is spoken to over TLS."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def filters(self) -> tuple[str, ...]:
        """All that is subscribed to."""
        return tuple(dict.fromkeys((*self.topics, *filter(None, (self.status_topic,)))))

    def problems(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """What contradicts itself, beside what rows need."""
        yield from super().problems()
        if self.status_topic and "positions" not in self.yields:
            yield ("connection", "status_topic"), "says how a thing is: yields needs positions too"
        if self.password.get_secret_value() and not self.user:
            yield ("connection", "user"), "is missing; a password belongs to a user"
