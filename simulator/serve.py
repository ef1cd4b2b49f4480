"""Runs the simulated departments on a port."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lawang.domain.errors import SettingsError
from lawang.settings import Settings
from simulator.app import create_app
from simulator.faults import ABORT
from simulator.settings import DEFAULT_SEED, SimulatorSettings


class AbortableProtocol(HttpToolsProtocol):
    """HTTP whose ASGI scope carries the transport's abort, so that a fault can hang up."""

    def on_message_begin(self) -> None:
        """Begin a request, with `ABORT` in its scope."""
        super().on_message_begin()
        self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]


def serve(
    host: str,
    port: int,
    data_dir: Path,
    seed: int = DEFAULT_SEED,
    factor: float = 1.0,
    pack_dir: Path | None = None,
    mqtt_port: int = 0,
    push_url: str = "",
    scenario: str = "",
    scenario_speed: float = 1.0,
    scenario_begun_min: float = 0.0,
) -> None:
    """Serve until SIGINT or SIGTERM, then return. Blocking; belongs in a process of its own.

    `pack_dir` is the city (default: the one of `LAWANG_CITY`), `data_dir` where the departments
    keep their databases; the rest is as in SimulatorSettings. Raises SettingsError when the port
    is taken or the scenario unknown, PackError for a broken pack or scenario.
    """
    with listen(host, port) as listener:
        settings = SimulatorSettings(
            data_dir=data_dir,
            pack_dir=pack_dir or Settings().pack_dir,
            seed=seed,
            factor=factor,
            base_url=address_of(listener),
            mqtt_port=mqtt_port,
            push_url=push_url.rstrip("/"),
            scenario=scenario,
            scenario_speed=scenario_speed,
            scenario_begun_min=scenario_begun_min,
        )
        server = build_server(create_app(settings))
        if threading.current_thread() is threading.main_thread():
            # uvicorn raises the signal again once it has stopped: by then there is nothing to do.
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, _stopped)
        server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises SettingsError when that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"The simulated departments cannot listen on {host}:{port} ({error.strerror}); "
            "end what uses the port, or choose another."
        ) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """The URL under which this machine reaches a bound socket, without a slash at the end."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 (every address: the machine's own is one of them)
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build_server(app: ASGIApp) -> uvicorn.Server:
    """A server whose faults can hang up, and which stops within 2 s of being told."""
    config = uvicorn.Config(
        app,
        http=AbortableProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        date_header=False,  # a skewed department dates its answers itself
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _stopped(number: int, frame: FrameType | None) -> None:
    pass
