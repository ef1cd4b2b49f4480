"""The broker of the gauges: amqtt behind a gate that applies each department's fault.

A centre logs in under the id of the source that it reads, so one broker can be well for one source
and off for another. The gate reads the packet with which a connection begins, and hands it on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker, RetainedApplicationMessage
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import ProtocolHandlerError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import (
    OUTGOING,
    IncomingApplicationMessage,
    OutgoingApplicationMessage,
    Session,
)

from simulator.faults import Faults

#: The password of every user; it guards nothing and is printed in the log.
PASSWORD = "demo"  # noqa: S105
#: The user of the gauges themselves.
GAUGES = "alat"

_LISTENER = "default"
_CONNECT = 0x10
_LONGEST_CONNECT = 65_536
#: CONNACK: not authorised (MQTT 3.1.1, 3.2).
_NOT_AUTHORISED = bytes((0x20, 0x02, 0x00, 0x05))
#: Packets longer than this are messages, which the fault "truncated" cuts.
_LONGEST_SHORT = 40
_NO_FAULTS = Faults()


class Passwords(BaseAuthPlugin):  # type: ignore[misc]
    """Lets in who has a name and the one password."""

    async def authenticate(self, *, session: Session) -> bool | None:
        """Whether this session may begin."""
        return bool(session.username) and session.password == PASSWORD

    @dataclass
    class Config:
        """No settings."""

        unused: str = field(default="")


class _Steady(dict[str, Any]):
    """May change while somebody iterates over it: amqtt awaits within its loops."""

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        """What was there when asked."""
        return list(super().items())


class _Patient(BrokerProtocolHandler):  # type: ignore[misc]
    """One connection, which waits for an acknowledgement as long as it lives.

    amqtt forgets a message after five seconds; a centre acknowledges once it has stored it.
    """

    async def _send_packet(self, packet: Any) -> None:
        try:
            await super()._send_packet(packet)
        except ProtocolHandlerError as error:
            # amqtt makes an error, which nobody awaits, of each cancellation.
            if isinstance(error.__cause__, asyncio.CancelledError):
                raise asyncio.CancelledError from None
            raise

    async def _handle_qos1_message_flow(
        self, app_message: OutgoingApplicationMessage | IncomingApplicationMessage
    ) -> None:
        session, packet_id = self.session, app_message.packet_id
        if session is None or packet_id is None or app_message.direction != OUTGOING:
            await super()._handle_qos1_message_flow(app_message)
            return
        session.inflight_out[packet_id] = app_message
        packet = app_message.build_publish_packet(dup=app_message.publish_packet is not None)
        waiter: asyncio.Future[PubackPacket] = asyncio.get_running_loop().create_future()
        self._puback_waiters[packet_id] = waiter
        try:
            await self._send_packet(packet)
            app_message.publish_packet = packet
            app_message.puback_packet = await waiter
            session.inflight_out.pop(packet_id, None)
        finally:
            # What was not acknowledged stays for `_Keeping`.
            self._puback_waiters.pop(packet_id, None)


class _Keeping(Broker):  # type: ignore[misc]
    """amqtt, with what its 0.12.1 forgets put back.

    It drops messages that were sent and not acknowledged when the connection ends; a broker must
    deliver them again to a kept session (MQTT 3.1.1, 4.4). It also tells a client that comes back
    what was retained for the topics of all others.
    """

    def __init__(self, config: BrokerConfig) -> None:
        super().__init__(config)
        self._subscriptions = _Steady()
        self._retained_messages = _Steady()
        self._telling: set[asyncio.Task[Any]] = set()

    async def _initialize_client_session(
        self, reader: Any, writer: Any, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        _, session = await super()._initialize_client_session(
            reader, writer, remote_address, remote_port
        )
        return _Patient(self.plugins_manager), session

    async def _stop_handler(self, handler: BrokerProtocolHandler) -> None:
        session = handler.session
        sent = [] if session is None else list(session.inflight_out.items())
        await super()._stop_handler(handler)
        for packet_id, message in sent:
            if session.inflight_out.get(packet_id) is not message:
                continue  # acknowledged at the last moment
            del session.inflight_out[packet_id]
            if not session.clean_session:
                again = RetainedApplicationMessage(
                    session, message.topic, message.data, message.qos
                )
                await session.retained_messages.put(again)

    async def _publish_session_retained_messages(self, session: Session) -> None:
        handler = self._get_handler(session)
        while handler is not None and not session.retained_messages.empty():
            kept = await session.retained_messages.get()
            self._tell(handler.mqtt_publish(kept.topic, kept.data, kept.qos, retain=True))

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        topics, qos = subscription
        handler = self._get_handler(session)
        own = any(each is session for each, _ in self._subscriptions.get(topics, ()))
        for topic, kept in self._retained_messages.items() if handler is not None and own else ():
            if self._matches(topic, topics):
                lower = min(qos, kept.qos or qos)
                self._tell(handler.mqtt_publish(topic, kept.data, lower, retain=True))

    def _tell(self, publishing: Coroutine[Any, Any, Any]) -> None:
        """Begin to publish; who is told may take its time, and go away before the end."""
        task = asyncio.create_task(publishing)
        self._telling.add(task)
        task.add_done_callback(self._told)

    def _told(self, task: asyncio.Task[Any]) -> None:
        self._telling.discard(task)
        if not task.cancelled():
            task.exception()  # the end of a connection, which its own loop has noticed


class Station:
    """One broker on a port of 127.0.0.1. `faults` is by the name under which a centre logs in."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.faults: dict[str, Faults] = {}
        self._broker: Broker | None = None

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Serve while entered. Sessions and retained messages are forgotten at the end."""
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        broker = _Keeping(
            BrokerConfig(
                listeners={_LISTENER: ListenerConfig(type=ListenerType.EXTERNAL)},
                plugins={f"{__name__}.Passwords": {}},
            )
        )
        await broker.start()
        self._broker = broker
        connections: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                connections.add(task)
                task.add_done_callback(connections.discard)
            await self._serve(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", self.port)
        try:
            yield
        finally:
            server.close()
            for task in list(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            self._broker = None
            with contextlib.suppress(Exception):
                await broker.shutdown()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        watch: asyncio.Task[None] | None = None
        try:
            head, user = await _read_connect(reader)
            faults = self.faults.get(user, _NO_FAULTS)
            if faults.present.kind == "off":
                return
            if faults.present.kind == "auth":
                writer.write(_NOT_AUTHORISED)
                await writer.drain()
                writer.close()
                return
            watch = asyncio.create_task(_watch(faults, writer))
            if self._broker is not None:
                await self._broker.external_connected(
                    _Replayed(head, reader), Spoilt(writer, faults), _LISTENER
                )
        except (OSError, EOFError, ValueError, IndexError, UnicodeDecodeError):
            pass  # a peer that hung up, or that is no MQTT client
        except asyncio.CancelledError:
            pass  # the station closes
        finally:
            if watch is not None:
                watch.cancel()
            if not writer.is_closing():
                writer.transport.abort()


async def _watch(faults: Faults, writer: asyncio.StreamWriter) -> None:
    """Cut a connection as soon as a fault does not allow it any more."""
    while True:
        await faults.hold(3_600)
        if faults.present.kind in ("off", "auth"):
            writer.transport.abort()


class _Replayed(StreamReaderAdapter):  # type: ignore[misc]
    """Gives out what the gate has read before the rest."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._head = head

    async def read(self, n: int = -1) -> bytes:
        """Up to `n` bytes, as amqtt asks for them."""
        head = self._head if n == -1 else self._head[:n]
        self._head = self._head[len(head) :]
        if head and len(head) == n:
            return head
        rest: bytes = await super().read(n if n == -1 else n - len(head))
        return head + rest


class Spoilt(StreamWriterAdapter):  # type: ignore[misc]
    """Delays or cuts what the broker says, as the fault says."""

    def __init__(self, writer: asyncio.StreamWriter, faults: Faults) -> None:
        super().__init__(writer)
        self._faults = faults

    def write(self, data: bytes) -> None:
        """Send a packet, or half of it and hang up.

        Raises ConnectionResetError once the other side has gone: uvloop says that in a way which
        amqtt does not know, and would log for every message that still waits.
        """
        if self._writer.is_closing():
            raise ConnectionResetError("the other side has gone")
        if self._faults.present.kind == "truncated" and len(data) > _LONGEST_SHORT:
            super().write(data[: len(data) // 2])
            self._writer.close()
            return
        super().write(data)

    async def drain(self) -> None:
        """Let what was written go out, when it may."""
        fault = self._faults.present
        if fault.kind == "slow":
            await self._faults.hold(fault.amount)
        await super().drain()


async def _read_connect(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """The first packet of a connection, and the user it names ("" for none).

    Raises EOFError, ValueError or IndexError for what is no CONNECT.
    """
    head = await reader.readexactly(1)
    length, shift = 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        head += bytes((digit,))
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            break
        if shift > 21:
            raise ValueError("no MQTT")
    if head[0] != _CONNECT or length > _LONGEST_CONNECT:
        raise ValueError("no CONNECT")
    body = await reader.readexactly(length)
    return head + body, _user_of(body)


def _user_of(body: bytes) -> str:
    """The user name in the body of a CONNECT of MQTT 3.1.1 (3.1)."""
    at = 2 + int.from_bytes(body[:2], "big") + 1
    flags = body[at]
    at += 3
    texts = 1 + (2 if flags & 0x04 else 0)  # the client's id, and topic and words of its will
    for _ in range(texts):
        at += 2 + int.from_bytes(body[at : at + 2], "big")
    if not flags & 0x80:
        return ""
    length = int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : at + 2 + length].decode()


_stations: dict[int, Station] = {}


def station_at(port: int) -> Station:
    """The station of a port: what the departments of one simulator share."""
    return _stations.setdefault(port, Station(port))
