"""The ASGI application: every simulated department under its id."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lawang.city import load_city
from lawang.domain.clock import Clock
from lawang.domain.errors import PackError, SettingsError
from simulator import (
    apbd,
    bapenda,
    bmkg,
    cctv,
    disdukcapil,
    ekelurahan,
    elapor,
    epuskesmas,
    ibu_hamil,
    paten,
    perizinan,
    pupr,
    satpolpp,
    satudata,
    sp4n,
    transmusi,
    udara,
)
from simulator.armada import ambulances, engines, refuse
from simulator.city_life import Town
from simulator.department import Department
from simulator.faults import FaultError, FaultGate, read_fault
from simulator.gauges import rain, water
from simulator.happenings import Happenings
from simulator.hosting import Hosting
from simulator.player import Player
from simulator.rescue import damkar, psc119
from simulator.settings import SimulatorSettings

Endpoint = Callable[[Request], Awaitable[Response]]

#: How much a scenario may be slowed down or hastened.
_SLOWEST, _FASTEST = 0.1, 100


class Maker(Protocol):
    """A module that makes one department, with whatever it keeps in `settings.data_dir`."""

    def department(self, town: Town, settings: SimulatorSettings) -> Department:
        """The department."""


#: Every department of the simulated city, one module a line.
DEPARTMENTS: tuple[Maker, ...] = (
    elapor,
    satpolpp,
    sp4n,
    ekelurahan,
    disdukcapil,
    perizinan,
    udara,
    refuse,
    ambulances,
    engines,
    bmkg,
    transmusi,
    pupr,
    cctv,
    satudata,
    epuskesmas,
    bapenda,
    water,
    rain,
    damkar,
    psc119,
    paten,
    ibu_hamil,
    apbd,
)


def create_app(settings: SimulatorSettings) -> ASGIApp:
    """The simulator as an ASGI app; its life runs from lifespan start-up to shutdown.

    Start-up brings every department's past up to the present before anything is answered.
    Raises PackError when the city pack or the scenario is broken, SettingsError when there is no
    such scenario.
    """
    happenings = Happenings(settings.data_dir / "happenings.jsonl")
    town = Town.of(load_city(settings.pack_dir, simulated=True), happenings)
    departments = [maker.department(town, settings) for maker in DEPARTMENTS]
    player = Player(town, departments)
    if settings.scenario:
        try:
            passed = timedelta(minutes=settings.scenario_begun_min / settings.scenario_speed)
            now = settings.clock()
            player.start(settings.scenario, now - passed, settings.scenario_speed)
            player.follow(now)
        except BaseException:
            for department in departments:
                department.close()
            raise
    app = Starlette(
        routes=[
            Route("/", _index(town, departments)),
            Route("/_health", _health(departments)),
            Route("/_scenario", _scenario(player, settings.clock), methods=["GET", "POST"]),
            *(_mounted(department, settings.clock) for department in departments),
        ],
        lifespan=Hosting(departments, settings.clock, settings.tick_s, player.follow),
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


def _mounted(department: Department, clock: Clock) -> Mount:
    faults = department.faults

    async def fault(request: Request) -> Response:
        if request.method == "POST":
            try:
                asked = json.loads(await request.body())
                faults.set(read_fault(asked, department.fault_kinds))
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


def _scenario(player: Player, clock: Clock) -> Endpoint:
    async def scenario(request: Request) -> Response:
        if request.method == "POST":
            try:
                asked = json.loads(await request.body())
            except ValueError:
                asked = None
            known = isinstance(asked, dict) and asked.keys() <= {"name", "speed"}
            name = asked.get("name") if known else None
            speed = asked.get("speed", 1) if known else 1
            if not isinstance(name, str):
                return JSONResponse({"error": 'Send {"name": "banjir", "speed": 1}.'}, 400)
            if isinstance(speed, bool) or not isinstance(speed, int | float):
                return JSONResponse({"error": "speed must be a number."}, 400)
            if not _SLOWEST <= speed <= _FASTEST:
                sentence = f"speed must lie between {_SLOWEST} and {_FASTEST}."
                return JSONResponse({"error": sentence}, 400)
            try:
                player.start(name, clock(), float(speed))
            except (PackError, SettingsError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(player.to_plain())

    return scenario
