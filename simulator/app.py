"""The ASGI application: every simulated department under its id."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from email.utils import format_datetime

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lawang.city import load_city
from lawang.domain.clock import Clock
from simulator import elapor, satpolpp, sp4n
from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import FaultError, FaultGate, read_fault
from simulator.settings import SimulatorSettings

_log = structlog.get_logger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(settings: SimulatorSettings) -> ASGIApp:
    """The simulator as an ASGI app; its life runs from lifespan start-up to shutdown.

    Start-up brings every department's past up to the present before anything is answered.
    Raises PackError when the city pack is broken.
    """
    town = Town.of(load_city(settings.pack_dir, simulated=True))
    departments = [made.department(town, settings) for made in (elapor, satpolpp, sp4n)]
    app = Starlette(
        routes=[
            Route("/", _index(town, departments)),
            Route("/_health", _health(departments)),
            *(_mounted(department, settings.clock) for department in departments),
        ],
        lifespan=_Lifespan(departments, settings),
    )
    return Marked(app, settings.clock)


class Marked:
    """ASGI layer that marks every answer as simulated, and dates it by the simulator's clock."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), (b"x-simulated", b"true")]
                if all(name.lower() != b"date" for name, _ in headers):
                    now = format_datetime(self._clock(), usegmt=True)
                    headers.append((b"date", now.encode()))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, marked)


class _Lifespan:
    """Lets the departments live while the server runs."""

    def __init__(self, departments: Sequence[Department], settings: SimulatorSettings) -> None:
        self._departments = departments
        self._settings = settings

    @contextlib.asynccontextmanager
    async def __call__(self, app: Starlette) -> AsyncIterator[None]:
        try:
            for department in self._departments:
                await asyncio.to_thread(department.advance, self._settings.clock())
                _log.info("simulated department", id=department.id, note=department.note)
            lives = [asyncio.create_task(self._live(each)) for each in self._departments]
            try:
                yield
            finally:
                for life in lives:
                    life.cancel()
                await asyncio.gather(*lives, return_exceptions=True)
        finally:
            for department in self._departments:
                department.close()

    async def _live(self, department: Department) -> None:
        """Move one department on, tick by tick; logs once when it fails and once on recovery."""
        failing = False
        while True:
            await asyncio.sleep(self._settings.tick_s)
            try:
                await asyncio.to_thread(department.advance, self._settings.clock())
            except Exception:
                if not failing:
                    _log.exception("simulated department stands still", id=department.id)
                failing = True
            else:
                if failing:
                    _log.info("simulated department goes on", id=department.id)
                failing = False


def _mounted(department: Department, clock: Clock) -> Mount:
    faults = department.faults

    async def fault(request: Request) -> Response:
        if request.method == "POST":
            try:
                faults.set(read_fault(json.loads(await request.body())))
            except FaultError as error:
                return JSONResponse({"error": str(error)}, 400)
            except ValueError:
                sentence = 'Send a JSON object such as {"kind": "off"}.'
                return JSONResponse({"error": sentence}, 400)
        return JSONResponse(faults.present.to_plain())

    inner = Starlette(routes=list(department.routes))
    return Mount(
        f"/{department.id}",
        routes=[
            Route("/_fault", fault, methods=["GET", "POST"]),
            *department.controls,
            Mount("/", app=FaultGate(inner, faults, clock, department.confusion)),
        ],
    )


def _index(town: Town, departments: Sequence[Department]) -> Endpoint:
    async def index(request: Request) -> Response:
        root = str(request.base_url).rstrip("/")
        listed = [
            {
                "id": department.id,
                "name": department.name,
                "protocol": department.protocol,
                "url": f"{root}/{department.id}{department.path}",
                "note": department.note,
                "fault": department.faults.present.to_plain(),
            }
            for department in departments
        ]
        return JSONResponse({"city": town.name, "simulated": True, "departments": listed})

    return index


def _health(departments: Sequence[Department]) -> Endpoint:
    async def health(request: Request) -> Response:
        kinds = {department.id: department.faults.present.kind for department in departments}
        return JSONResponse({"status": "ok", "faults": kinds})

    return health
