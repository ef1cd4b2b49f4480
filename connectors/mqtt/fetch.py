"""Listens to a broker for as long as the connection lives, batch by batch."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.mqtt.envelope import pack
from connectors.mqtt.link import Link
from connectors.mqtt.options import MqttOptions
from connectors.network import Rules, look_up
from lawang.city.network import Network, load_authorities, load_certificate
from lawang.connector import Answer, Cursor, FetchContext
from lawang.domain.errors import NeedsPerson, RetryLater

_CONTENT_TYPE = "application/json"
#: How often to say that the connection lives, where the source's cadence is not known.
_USUALLY = timedelta(seconds=10)
_HEARD = "heard"


@dataclass(frozen=True, slots=True)
class _Session:
    client_id: str
    is_kept: bool


async def read_answers(
    options: MqttOptions, cursor: Cursor, context: FetchContext
) -> AsyncIterator[Answer]:
    """Batches of messages as they come, and "alive" in between.

    Asking for the next answer acknowledges the last one to the broker. Raises RetryLater or
    NeedsPerson: unreachable, timeout, refused, garbage, silent, private_address, host_not_allowed,
    not_configured.
    """
    network: Network = getattr(context, "network", None) or Network()
    address = await _judge(options, network, context.rules)
    quiet = _Quiet(options, cursor, context)
    every = (context.every or _USUALLY).total_seconds()
    link = Link(options, _session(options, context.source_id), context.clock)
    try:
        tls = await asyncio.to_thread(_tls, network) if options.is_encrypted else None
        await link.open(address, tls, context.timeout)
        while True:
            batch = await link.next_batch(min(every, quiet.left_s()))
            heard = quiet.hear(link.live_count)
            if batch:
                yield Answer(
                    pack(batch), _CONTENT_TYPE, context.clock(), "messages", validators=heard
                )
                link.acknowledge(batch)
                continue
            quiet.check()
            if not quiet.is_doubted:
                yield Answer(b"", "", context.clock(), "alive", validators=heard)
    finally:
        link.close()


async def _judge(options: MqttOptions, network: Network, rules: Rules | None) -> str:
    """The address to connect to. Without the poller's rules those of the bare file hold."""
    if network.proxy is not None:
        raise NeedsPerson("not_configured", "mqtt cannot go through the proxy of [network]")
    host, port = options.place
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    judging = rules or Rules.of(network, [shown])
    judging.check_host(host, port)
    try:
        return (await judging.resolve(host, port, look_up))[0]
    except (OSError, UnicodeError):
        raise RetryLater("unreachable", f"{shown}: its name is not known") from None


def _tls(network: Network) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if network.ca_file is not None:
            load_authorities(context, network.ca_file)
        if network.client_cert is not None:
            load_certificate(context, network.client_cert, network.client_key)
    except ValueError as error:
        raise NeedsPerson("not_configured", str(error)) from None
    return context


def _session(options: MqttOptions, source_id: str) -> _Session:
    """Who we are at the broker. Who asks without a source's name is a passer-by.

    A second client of one name would take the session over, and what it acknowledges would never
    reach the poller.
    """
    if not source_id:
        return _Session(f"lawang-{secrets.token_hex(6)}", is_kept=False)
    return _Session(options.client_id or f"lawang-{source_id}", is_kept=True)


class _Quiet:
    """How long nothing was said; what a broker had kept does not count.

    The time outlives the connection in the cursor's "heard", so that a source that fell silent does
    not look well again with each new connection.
    """

    def __init__(self, options: MqttOptions, cursor: Cursor, context: FetchContext) -> None:
        self._clock = context.clock
        self._longest = (
            None if options.silent_after_s is None else timedelta(seconds=options.silent_after_s)
        )
        known = cursor.validators.get(_HEARD)
        begun = context.clock()
        self._since = datetime.fromisoformat(known) if known else begun
        # Queued messages need a moment to come after connecting.
        self._earliest = begun + context.timeout
        self._count = 0
        self.is_doubted = self._longest is not None and begun - self._since > self._longest

    def hear(self, count: int) -> dict[str, str]:
        """Take note of how many were heard in all; what is to be remembered."""
        if count > self._count:
            self._count = count
            self._since = self._clock()
            self.is_doubted = False
        return {} if self._longest is None else {_HEARD: self._since.isoformat()}

    def left_s(self) -> float:
        """Seconds until the silence would be too long."""
        if self._longest is None:
            return float("inf")
        return max(0.05, (self._deadline() - self._clock()).total_seconds())

    def check(self) -> None:
        """Raise RetryLater("silent") once it is."""
        if self._longest is not None and self._clock() >= self._deadline():
            raise RetryLater("silent", f"nothing was heard for {self._longest.total_seconds():g} s")

    def _deadline(self) -> datetime:
        assert self._longest is not None
        return max(self._since + self._longest, self._earliest if self.is_doubted else self._since)
