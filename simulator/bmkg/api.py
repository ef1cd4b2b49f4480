"""The interface of BMKG's open data."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.bmkg.forecast import Forecast
from simulator.bmkg.nowcast import Nowcast
from simulator.bmkg.quakes import Quakes
from simulator.city_life import Town
from simulator.faults import Faults
from simulator.settings import SimulatorSettings
from simulator.weather import Weather

PER_MINUTE = 60
_XML = "application/xml; charset=utf-8"


class Gate:
    """At most `PER_MINUTE` requests of one address in any minute; `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> float:
        """0 for a request that may pass; else how long to wait before the next."""
        with self._lock:
            if len(self._asked) > 1_000:
                self._asked.clear()
            asked, now = self._asked.setdefault(address, deque()), self._clock()
            while asked and now - asked[0] >= 60:
                asked.popleft()
            if len(asked) >= PER_MINUTE:
                return 60 - (now - asked[0])
            asked.append(now)
            return 0.0


class Api:
    """The endpoints; a skewed clock (see `Faults`) shifts all times they speak of the past."""

    def __init__(
        self,
        town: Town,
        settings: SimulatorSettings,
        faults: Faults,
        gate: Gate | None = None,
    ) -> None:
        weather = Weather(town, settings.seed)
        self._town = town
        self._clock = settings.clock
        self._faults = faults
        self._gate = gate or Gate()
        self._quakes = Quakes(town, settings.seed)
        self._forecast = Forecast(town, weather, settings.seed)
        self._nowcast = Nowcast(weather, settings.seed, town.timezone)

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [
            Route("/DataMKG/TEWS/{name}.json", self._limited(self._earthquakes)),
            Route("/publik/prakiraan-cuaca", self._limited(self._forecasts)),
            Route("/alerts/nowcast/id", self._limited(self._index)),
            Route("/alerts/nowcast/id/{code}_alert.xml", self._limited(self._document)),
        ]

    def _limited(self, answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def limited(request: Request) -> Response:
            address = request.client.host if request.client else ""
            wait_s = self._gate.wait_s(address)
            if wait_s > 0:
                headers = {"Retry-After": str(math.ceil(wait_s))}
                return JSONResponse({"message": "Too Many Requests"}, 429, headers)
            return answer(request)

        return limited

    def _earthquakes(self, request: Request) -> Response:
        now, skew = self._clock(), self._faults.skew
        rows: Any
        match request.path_params["name"]:
            case "autogempa":
                rows = self._quakes.newest(now).to_plain(skew, potential=True, shakemap=True)
            case "gempaterkini":
                rows = [each.to_plain(skew, potential=True) for each in self._quakes.strong(now)]
            case "gempadirasakan":
                rows = [each.to_plain(skew, potential=False) for each in self._quakes.felt(now)]
            case _:
                return Response(status_code=404)
        return _json(request, {"Infogempa": {"gempa": rows}})

    def _forecasts(self, request: Request) -> Response:
        place = self._town.by_code.get(request.query_params.get("adm4", ""))
        if place is None:
            return JSONResponse({"message": "Lokasi tidak ditemukan"}, 404)
        return _json(request, self._forecast.speak(place, self._clock() + self._faults.skew))

    def _index(self, request: Request) -> Response:
        root = str(request.url.replace(query="")).rstrip("/")
        body = self._nowcast.index(self._clock(), root, self._faults.skew)
        return _tagged(request, body.encode(), _XML)

    def _document(self, request: Request) -> Response:
        message = self._nowcast.find(request.path_params["code"], self._clock())
        if message is None:
            return Response(status_code=404)
        body = self._nowcast.document(message, self._faults.skew)
        return _tagged(request, body.encode(), _XML)


def _json(request: Request, content: dict[str, Any]) -> Response:
    return _tagged(request, orjson.dumps(content), "application/json")


def _tagged(request: Request, body: bytes, media_type: str) -> Response:
    """With an ETag of its content; 304 for whoever has it already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return Response(body, media_type=media_type, headers={"ETag": etag})
