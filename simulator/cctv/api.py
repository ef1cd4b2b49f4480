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
from simulator.cctv.cameras import Camera, is_online, list_cameras
from simulator.cctv.picture import draw
from simulator.city_life import Town, random_for
from simulator.faults import Faults
from simulator.weather import Weather

#: A new picture this often; the playlist holds the last few.
STILL_S, LISTED = 5, 3


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
            Route("/hls/{camera}/{number:int}.png", self._segment),
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
        link = f"{self.base_url}/cctv/hls/{camera.id}/index.m3u8" if camera.is_public else None
        return {
            "cctv_id": camera.id,
            "cctv_title": camera.name,
            "cctv_scope": "public" if camera.is_public else "private",
            "cctv_status": "online" if is_online(self.seed, camera, now) else "offline",
            "location": {"type": "Point", "coordinates": [camera.longitude, camera.latitude]},
            "cctv_link": link,
            "cctv_opd": {"nama_opd": camera.agency},
        }

    def _working(self, request: Request, now: datetime) -> Camera | None:
        """The camera that is asked for, if it is public and alive."""
        camera = self.cameras.get(request.path_params["camera"])
        usable = camera is not None and camera.is_public and is_online(self.seed, camera, now)
        return camera if usable else None

    def _playlist(self, request: Request) -> Response:
        now = self._now()
        if self._working(request, now) is None:
            return _missing()
        last = int(now.timestamp()) // STILL_S
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{STILL_S}",
            f"#EXT-X-MEDIA-SEQUENCE:{last - LISTED + 1}",
            "#EXT-X-IMAGES-ONLY",
        ]
        for number in range(last - LISTED + 1, last + 1):
            lines += [f"#EXTINF:{STILL_S:.1f},simulasi", f"{number}.png"]
        headers = {"Cache-Control": "no-cache"}
        text = "\n".join(lines) + "\n"
        return Response(text, headers=headers, media_type="application/vnd.apple.mpegurl")

    def _segment(self, request: Request) -> Response:
        now = self._now()
        last = int(now.timestamp()) // STILL_S
        number: int = request.path_params["number"]
        camera = self._working(request, now)
        if camera is None or not last - 2 * LISTED < number <= last:
            return _missing()
        return self._picture(camera, datetime.fromtimestamp(number * STILL_S, UTC))

    def _still(self, request: Request) -> Response:
        now = self._now()
        camera = self._working(request, now)
        if camera is None:
            return _missing()
        return self._picture(camera, now)

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
