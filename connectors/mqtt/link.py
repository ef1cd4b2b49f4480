"""One connection to a broker, driven by the event loop.

paho-mqtt itself and not aiomqtt over it: aiomqtt acknowledges each message as it arrives (its issue
345 asks for the other way), and puts no bound on what waits. Here a message is acknowledged only
by `acknowledge`, and while too much waits the socket is not read: the broker holds the rest back.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from datetime import timedelta
from typing import Any, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from connectors.mqtt.envelope import Message, pack_message
from connectors.mqtt.options import MqttOptions
from lawang.domain.clock import Clock
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

_MISC_EVERY_S = 1.0
#: Names of reasons (MQTT 5; paho words those of 3.1.1 alike) that only a person can mend.
_REFUSALS = frozenset(
    {
        "Unsupported protocol version",
        "Client identifier not valid",
        "Bad user name or password",
        "Not authorized",
        "Banned",
        "Bad authentication method",
    }
)


class _Addressed(paho.Client):
    """Connects to an address that was judged, while TLS and messages keep the name."""

    address = ""

    def _create_socket_connection(self) -> socket.socket:
        return socket.create_connection((self.address, self._port), timeout=self._connect_timeout)


class Session(Protocol):
    """What a connection is known by at the broker."""

    @property
    def client_id(self) -> str:
        """Under what name."""
        ...

    @property
    def is_kept(self) -> bool:
        """Whether the broker shall keep what comes while we are away."""
        ...


class Link:
    """A subscribed connection. `open` it, `next_batch` and `acknowledge` in turn, `close` it."""

    def __init__(self, options: MqttOptions, session: Session, clock: Clock) -> None:
        self._options = options
        self._session = session
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._opened = asyncio.Event()
        self._error: SourceError | None = None
        self._socket: socket.socket | None = None
        self._reading = False
        self._writing = False
        self._misc: asyncio.TimerHandle | None = None
        self._client = self._make_client()
        #: Messages that were no retained ones, so were said now.
        self.live_count = 0

    def _make_client(self) -> _Addressed:
        options, kept = self._options, self._session.is_kept
        is_five = options.version == "5"
        client = _Addressed(
            CallbackAPIVersion.VERSION2,
            client_id=self._session.client_id,
            clean_session=None if is_five else not kept,
            protocol=paho.MQTTv5 if is_five else paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if options.user:
            client.username_pw_set(options.user, options.password.get_secret_value() or None)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        client.on_socket_register_write = self._on_want_write
        client.on_socket_close = self._on_socket_close
        return client

    async def open(self, address: str, tls: ssl.SSLContext | None, timeout: timedelta) -> None:
        """Connect to a judged address, and subscribe.

        Raises RetryLater or NeedsPerson: unreachable, timeout, refused, garbage.
        """
        host, port = self._options.place
        client = self._client
        client.address = address
        client.connect_timeout = timeout.total_seconds()
        if tls is not None:
            client.tls_set_context(tls)
        given: dict[str, Any] = {}
        if self._options.version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            expiry = self._options.session_expiry_s if self._session.is_kept else 0
            properties.SessionExpiryInterval = expiry
            properties.ReceiveMaximum = min(65_535, 2 * self._options.batch)
            # Room for the topic and the head beside the payload.
            properties.MaximumPacketSize = self._options.max_bytes + 70_000
            given = {"properties": properties, "clean_start": not self._session.is_kept}
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                keepalive = self._options.keepalive_s
                await asyncio.to_thread(client.connect, host, port, keepalive, **given)
                self._follow_socket()
                await self._opened.wait()
        except TimeoutError:
            raise RetryLater("timeout", f"{host}:{port} did not answer in time") from None
        except OSError as error:
            raise _unreachable(f"{host}:{port}", error) from None
        self._check()

    def close(self) -> None:
        """Leave; what was not acknowledged, the broker delivers again to a kept session."""
        self._stop_following()
        client = self._client
        client.on_disconnect = None
        with contextlib.suppress(OSError, ValueError):
            client.disconnect()
            # Nothing reads the socket any more, so paho would not notice that it is over.
            client.loop_write()
        if (left := client.socket()) is not None:
            with contextlib.suppress(OSError):
                left.close()

    async def next_batch(self, within_s: float) -> list[Message]:
        """Up to `batch` messages, or fewer once the first has waited `batch_s`.

        None at all where nothing came `within_s`. Raises what ended the connection, after all that
        came before it has been given out.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._arrived.wait()
        if self._waiting and not self._is_full() and self._error is None:
            await asyncio.sleep(self._options.batch_s)
        if not self._waiting:
            self._check()
        batch: list[Message] = []
        size = 0
        while self._waiting and len(batch) < self._options.batch:
            if batch and size + len(self._waiting[0].packed) > self._most_bytes:
                break
            message = self._waiting.popleft()
            size += len(message.packed)
            batch.append(message)
        self._bytes -= size
        if not self._waiting and self._error is None:
            self._arrived.clear()
        self._read_on()
        return batch

    def acknowledge(self, batch: list[Message]) -> None:
        """Tell the broker that these are stored; they are never delivered again."""
        for message in batch:
            if message.qos:
                self._client.ack(message.mid, message.qos)
        self._write_on()

    # --- what bounds it ------------------------------------------------------------------------

    @property
    def _most_bytes(self) -> int:
        return 2 * self._options.max_bytes

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._options.batch or self._bytes >= self._most_bytes

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _fail(self, error: SourceError) -> None:
        if self._error is None:
            self._error = error
        self._stop_following()
        self._opened.set()
        self._arrived.set()

    # --- what the event loop calls ---------------------------------------------------------------

    def _follow_socket(self) -> None:
        client_socket = self._client.socket()
        if client_socket is None:
            self._fail(RetryLater("unreachable", "the broker hung up at once"))
            return
        self._socket = client_socket  # type: ignore[assignment]
        self._read_on()
        self._write_on()
        self._keep_alive()

    def _stop_following(self) -> None:
        if self._misc is not None:
            self._misc.cancel()
            self._misc = None
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = None
        self._reading = self._writing = False

    def _read_on(self) -> None:
        if self._socket is not None and not self._reading and not self._is_full():
            self._loop.add_reader(self._socket, self._read)
            self._reading = True
            if _pending(self._socket):
                self._loop.call_soon(self._read)

    def _read(self) -> None:
        """Take packets until the socket is empty or enough waits."""
        while self._socket is not None:
            if self._is_full():
                self._loop.remove_reader(self._socket)
                self._reading = False
                return
            self._see(self._client.loop_read())
            # Of TLS, what was decrypted already does not show on the socket.
            if self._socket is None or not _pending(self._socket):
                break
        self._write_on()

    def _on_socket_close(self, client: paho.Client, data: Any, closing: Any) -> None:
        # The last moment at which the loop still knows the socket by its number.
        self._stop_following()

    def _on_want_write(self, client: paho.Client, data: Any, given: Any) -> None:
        # connect() writes its first packet from a thread, before anything is followed.
        if self._socket is not None:
            self._write_on()

    def _write_on(self) -> None:
        if self._socket is not None and not self._writing and self._client.want_write():
            self._loop.add_writer(self._socket, self._write)
            self._writing = True

    def _write(self) -> None:
        if self._socket is None:
            return
        self._see(self._client.loop_write())
        if self._socket is not None and not self._client.want_write():
            self._loop.remove_writer(self._socket)
            self._writing = False

    def _keep_alive(self) -> None:
        self._see(self._client.loop_misc())
        if self._socket is not None:
            self._write_on()
            self._misc = self._loop.call_later(_MISC_EVERY_S, self._keep_alive)

    def _see(self, code: MQTTErrorCode) -> None:
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            return
        if code == MQTTErrorCode.MQTT_ERR_PROTOCOL:
            self._fail(RetryLater("garbage", "what the broker sent is not MQTT"))
        else:
            self._fail(RetryLater("unreachable", "the connection to the broker was lost"))

    # --- what paho calls --------------------------------------------------------------------------

    def _on_connect(
        self, client: paho.Client, data: Any, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if reason.is_failure:
            name = reason.getName()
            kind = NeedsPerson if name in _REFUSALS else RetryLater
            self._fail(kind("refused" if kind is NeedsPerson else "unreachable", name))
            return
        # Messages of a kept session come at once and must not wait for the answer to this.
        wanted: list[tuple[str, int]] = [
            (each, self._options.qos) for each in self._options.filters
        ]
        code, _ = client.subscribe(wanted)
        self._see(code)
        self._opened.set()

    def _on_subscribe(
        self, client: paho.Client, data: Any, mid: int, reasons: list[ReasonCode], properties: Any
    ) -> None:
        for topic, reason in zip(self._options.filters, reasons, strict=False):
            if reason.is_failure:
                self._fail(NeedsPerson("refused", f"the broker does not let us hear {topic}"))

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        topic = _topic_of(message)
        if not any(paho.topic_matches_sub(each, topic) for each in self._options.filters):
            # Some brokers send a resumed session what others subscribed to; it is not for us.
            client.ack(message.mid, message.qos)
            return
        packed = pack_message(
            topic,
            bytes(message.payload),
            message.retain,
            self._clock(),
            self._options.max_bytes,
        )
        self.live_count += not message.retain
        self._waiting.append(Message(message.mid, message.qos, packed))
        self._bytes += len(packed)
        self._arrived.set()

    def _on_disconnect(
        self, client: paho.Client, data: Any, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        self._fail(RetryLater("unreachable", "the connection to the broker was lost"))


def _topic_of(message: paho.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return "?"


def _pending(client_socket: socket.socket) -> bool:
    return isinstance(client_socket, ssl.SSLSocket) and client_socket.pending() > 0


def _unreachable(place: str, error: OSError) -> SourceError:
    """What a failed connection means, in words that hold nothing secret."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NeedsPerson("refused", f"{place}: its certificate is not trusted")
    if isinstance(error, ssl.SSLError):
        return RetryLater("unreachable", f"{place}: no TLS could be agreed on")
    if isinstance(error, TimeoutError):
        return RetryLater("timeout", f"{place} did not answer in time")
    return RetryLater("unreachable", f"{place}: {error.strerror or type(error).__name__}")
