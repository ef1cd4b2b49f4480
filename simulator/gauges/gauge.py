"""One gauge: a client of its own, which publishes under QoS 1 and leaves a last will."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from simulator.gauges.broker import GAUGES, PASSWORD

_KEEPALIVE_S = 15
#: What waits for a broker that is away; older readings of a gauge are not worth more.
_MOST_QUEUED = 60


class Gauge:
    """A gauge under `<base>/<id>/data` and `<base>/<id>/status`. Its thread is paho's own."""

    def __init__(self, base: str, gauge_id: str, port: int) -> None:
        self.id = gauge_id
        self._topic = f"{base}/{gauge_id}"
        self._port = port
        self._client: paho.Client | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it has power."""
        return self._client is not None

    def switch_on(self) -> None:
        """Connect, now or as soon as there is a broker, and say so."""
        if self._client is not None:
            return
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"alat-{self.id}", clean_session=True
        )
        client.username_pw_set(GAUGES, PASSWORD)
        client.will_set(f"{self._topic}/status", "offline", qos=1, retain=True)
        client.max_queued_messages_set(_MOST_QUEUED)
        client.reconnect_delay_set(1, 5)
        client.on_connect = self._say_online
        client.connect_async("127.0.0.1", self._port, _KEEPALIVE_S)
        client.loop_start()
        self._client = client

    def _say_online(
        self, client: paho.Client, data: Any, flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if not reason.is_failure:
            client.publish(f"{self._topic}/status", "online", qos=1, retain=True)

    def publish(self, reading: object, retain: bool = True) -> None:
        """Say a reading: an object becomes JSON, bytes go as they are."""
        if self._client is not None:
            said = reading if isinstance(reading, bytes) else json.dumps(reading).encode()
            self._client.publish(f"{self._topic}/data", said, qos=1, retain=retain)

    def switch_off(self) -> None:
        """Leave as one should: the broker keeps no will. Blocking, up to a second."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def die(self) -> None:
        """Lose power: the broker finds the connection gone and speaks the last will. Blocking."""
        client, self._client = self._client, None
        if client is None:
            return
        client.on_connect = None
        line = client.socket()
        # Without on_disconnect a new attempt would follow; the thread is ended first.
        client.loop_stop()
        if line is not None:
            with contextlib.suppress(OSError):
                # No farewell: the broker reads the end of the line, and no DISCONNECT.
                line.close()
