"""e-lapor, the city's system for citizens' reports: Open311 GeoReport v2 over its own database."""

from __future__ import annotations

import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.city_life import Town
from simulator.department import Department
from simulator.elapor.georeport import API_KEY, GeoReport
from simulator.elapor.life import Life
from simulator.faults import Confusion, Faults
from simulator.settings import SimulatorSettings
from simulator.store import Store

_CONFUSION = Confusion(
    "service_request_id",
    (
        {"lat": [-2.99, 104.76], "long": {"value": 104.76}},
        {"service_request_id": {"id": 7}},
        {"requested_datetime": 20261121, "updated_datetime": ["kemarin"]},
        {"description": 12345, "address": ["Jalan", "Lorong"], "status": 1},
        {"service_code": ["JLN"], "status_notes": {"stage": "Proses"}},
    ),
)


def department(town: Town, settings: SimulatorSettings) -> Department:
    """The department, with its database `elapor.sqlite3` opened (made when missing)."""
    store = Store(settings.data_dir / "elapor.sqlite3")
    life = Life(store, town, settings.seed, settings.factor)
    faults = Faults()
    report = GeoReport(store, life, town, faults, settings.clock)

    async def rain(request: Request) -> Response:
        code = await _kecamatan(request)
        if code is None or not town.in_kecamatan(code):
            sentence = 'Kirim {"kecamatan": "16.71.03"}: kode kecamatan yang ada di kota ini.'
            return JSONResponse({"error": sentence}, 400)
        started = await run_in_threadpool(life.rain, code, settings.clock())
        return JSONResponse({"kecamatan": started.kecamatan, "start": started.at.isoformat()}, 201)

    return Department(
        id="elapor",
        name="e-lapor",
        protocol="Open311 GeoReport v2",
        path="/open311/v2/",
        note=f"api_key={API_KEY}",
        routes=report.routes(),
        controls=[Route("/_rain", rain, methods=["POST"])],
        faults=faults,
        confusion=_CONFUSION,
        advance=life.advance,
        close=store.close,
    )


async def _kecamatan(request: Request) -> str | None:
    try:
        asked = json.loads(await request.body())
    except ValueError:
        return None
    code = asked.get("kecamatan") if isinstance(asked, dict) else None
    return code if isinstance(code, str) else None
