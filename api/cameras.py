"""`/api/v1/cameras`: what the city's cameras show, from this host and no other.

A browser that looks at a camera asks here: pages may load nothing from elsewhere, and a camera's
own server has one viewer however many walls there are.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Path, Response
from pydantic import BaseModel, Field

from api.camera_relay import CameraError, CameraRelay, Shown, Shows
from lawang.domain.position import PositionStatus

_ID = Annotated[str, Path(description="The camera's position id", max_length=300)]
#: Nothing of it is written down on the disk of a wall that runs for months. It is compressed
#: already, which the word about its encoding tells the compression of this server.
_HEADERS = {"Cache-Control": "no-store", "Content-Encoding": "identity"}


class CameraOut(BaseModel):
    """One camera, and what can be had of it."""

    id: str
    name: str
    source: str
    owner: str | None
    status: PositionStatus
    shows: Shows = Field(description="A stream, a still picture, or nothing that we may see")


class CamerasOut(BaseModel):
    """All cameras that the city's sources told of, by id."""

    total: int
    cameras: list[CameraOut]


def add_camera_routes(router: APIRouter, relay: CameraRelay) -> None:
    """Routes of cameras and of what they show."""

    @router.get("/api/v1/cameras", response_model=CamerasOut, tags=["cameras"])
    async def cameras() -> CamerasOut:
        """Every camera, with what it shows. The pictures are never kept."""
        found = [
            CameraOut(
                id=each.id,
                name=each.name,
                source=each.source_id,
                owner=each.owner,
                status=each.status,
                shows=each.shows,
            )
            for each in await relay.cameras()
        ]
        return CamerasOut(total=len(found), cameras=found)

    @router.get("/api/v1/cameras/{camera_id:path}/stream/{name}", tags=["cameras"])
    async def stream(
        camera_id: _ID,
        name: Annotated[str, Path(max_length=64)],
        range: Annotated[str, Header(max_length=60)] = "",
    ) -> Response:
        """The camera's HLS playlist (`index.m3u8`), and what the playlist names."""
        try:
            if name == "index.m3u8":
                return _answer(await relay.playlist(camera_id))
            return _answer(await relay.part(camera_id, name, range))
        except CameraError as error:
            raise HTTPException(error.status, str(error)) from None

    @router.get("/api/v1/cameras/{camera_id:path}/still", tags=["cameras"])
    async def still(camera_id: _ID) -> Response:
        """The present picture of a camera that gives no stream."""
        try:
            return _answer(await relay.still(camera_id))
        except CameraError as error:
            raise HTTPException(error.status, str(error)) from None


def _answer(shown: Shown) -> Response:
    headers = dict(_HEADERS)
    if shown.content_range:
        headers["Content-Range"] = shown.content_range
    return Response(
        shown.body,
        206 if shown.content_range else 200,
        headers=headers,
        media_type=shown.content_type,
    )
