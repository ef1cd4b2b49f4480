"""The list of cameras, and what each of them shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lawang.domain.clock import Clock
from simulator.cctv.cameras import Camera, Condition, find_condition, list_cameras, seen_at
from simulator.cctv.clip import is_given, read_segment, write_playlist
from simulator.cctv.picture import FLOODED_CM, draw, is_night
from simulator.city_life import Town, random_for
from simulator.faults import Faults
from simulator.weather import Weather

#: A new still picture this often.
STILL_S = 5


@dataclass(frozen=True)
class Api:
    """The endpoints. `base_url` is the simulator's address as others reach it."""

    town: Town
    weather: Weather
    seed: int
    clock: Clock
    faults: Faults
    base_url: str

    def routes(self) -> list[Route]:
        """All routes, relative to the department."""
        return [
            Route("/api/cameras", self._list),
            Route("/hls/{camera}/index.m3u8", self._playlist),
            Route("/hls/{camera}/{number:int}.ts", self._segment),
            Route("/still/{camera}.png", self._still),
        ]

    @cached_property
    def cameras(self) -> dict[str, Camera]:
        """All cameras by id."""
        return {camera.id: camera for camera in list_cameras(self.seed)}

    def _now(self) -> datetime:
        return self.clock() + self.faults.skew

    def _list(self, request: Request) -> Response:
        now = self._now()
        return JSONResponse({"data": [self._speak(each, now) for each in self.cameras.values()]})

    def _speak(self, camera: Camera, now: datetime) -> dict[str, Any]:
        kind = f"hls/{camera.id}/index.m3u8" if camera.has_stream else f"still/{camera.id}.png"
        dead = find_condition(self.seed, camera, now) is Condition.DEAD
        return {
            "cctv_id": camera.id,
            "cctv_title": camera.name,
            "cctv_scope": "public" if camera.is_public else "private",
            "cctv_status": "offline" if dead else "online",
            "location": {"type": "Point", "coordinates": [camera.longitude, camera.latitude]},
            "cctv_link": f"{self.base_url}/cctv/{kind}" if camera.is_public else None,
            "cctv_opd": {"nama_opd": camera.agency},
        }

    def _working(self, request: Request, now: datetime) -> Camera | None:
        """The camera that is asked for, if it is public and shows anything."""
        camera = self.cameras.get(request.path_params["camera"])
        if camera is None or not camera.is_public:
            return None
        condition = find_condition(self.seed, camera, now)
        return camera if condition in (Condition.WORKS, Condition.FROZEN) else None

    def _playlist(self, request: Request) -> Response:
        now = self._now()
        camera = self._working(request, now)
        if camera is None or not camera.has_stream:
            return _missing()
        return Response(
            write_playlist(seen_at(self.seed, camera, now)),
            headers={"Cache-Control": "no-cache"},
            media_type="application/vnd.apple.mpegurl",
        )

    def _segment(self, request: Request) -> Response:
        now = self._now()
        camera = self._working(request, now)
        if camera is None or not camera.has_stream:
            return _missing()
        seen, number = seen_at(self.seed, camera, now), request.path_params["number"]
        if not is_given(number, seen):
            return _missing()
        body = read_segment(self._scene_of(camera, seen), number)
        return Response(body, media_type="video/mp2t", headers={"Cache-Control": "max-age=60"})

    def _scene_of(self, camera: Camera, at: datetime) -> str:
        """Which clip fits what the weather and the hour are at that camera."""
        if self.weather.flood_cm(camera.latitude, camera.longitude, at) >= FLOODED_CM:
            return "banjir"
        return "malam" if is_night(at.astimezone(self.town.timezone)) else "siang"

    def _still(self, request: Request) -> Response:
        now = self._now()
        camera = self._working(request, now)
        if camera is None:
            return _missing()
        seen = seen_at(self.seed, camera, now).timestamp()
        return self._picture(camera, datetime.fromtimestamp(seen // STILL_S * STILL_S, UTC))

    def _picture(self, camera: Camera, at: datetime) -> Response:
        place = camera.latitude, camera.longitude
        picture = draw(
            camera.name,
            at.astimezone(self.town.timezone),
            random_for(self.seed, "street", camera.id),
            self.weather.rain_mm_h(*place, at),
            self.weather.flood_cm(*place, at),
        )
        return Response(picture, media_type="image/png", headers={"Cache-Control": "no-cache"})


def _missing() -> Response:
    return JSONResponse({"pesan": "Kamera tidak ada, tidak dibuka untuk umum, atau mati."}, 404)
