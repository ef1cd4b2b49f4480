"""What makes the mayor's pages an app on a phone: manifest, service worker and icons.

The worker keeps the last state of each page that was opened, so it needs a secure context: https,
or localhost. Over plain http browsers offer none, and everything but reading offline works.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lawang.city import City
from layouts.words import words

_STATIC = Path(__file__).parent / "static"
_SCRIPT = "text/javascript; charset=utf-8"
_PICTURE = "image/png"
#: The background of every page (the token --deep), and of the screen while the app starts.
_GROUND = "#0b141c"
#: A name without a build in its address is asked for again, and answered with 304.
_AGAIN = "no-cache"
_DAY = "public, max-age=86400"


def add_app_routes(router: APIRouter, city: City, build: str) -> None:
    """Add `/mayor/manifest.webmanifest`, `/mayor/sw.js` and the icons in `/mayor/static/`.

    `build` is what `lawang.build` names; a worker of another build replaces the one before.
    """

    @router.get("/mayor/manifest.webmanifest")
    def manifest(request: Request) -> Response:
        language = request.query_params.get("lang", "")
        return JSONResponse(
            manifest_of(city, language),
            headers={"cache-control": _AGAIN},
            media_type="application/manifest+json",
        )

    @router.get("/mayor/sw.js")
    def worker() -> Response:
        # A worker under /mayor/ may by itself only serve what is below it, not /mayor.
        return Response(
            _worker(build),
            media_type=_SCRIPT,
            headers={"cache-control": _AGAIN, "service-worker-allowed": "/mayor"},
        )

    @router.get("/mayor/static/{name:path}")
    def static(name: str) -> Response:
        if name not in _names():
            raise HTTPException(404, "There is no such file.")
        return Response(_read(name), media_type=_PICTURE, headers={"cache-control": _DAY})


def manifest_of(city: City, language: str) -> dict[str, Any]:
    """The app as an operating system installs it, in one language."""
    say = words(language, "mayor")
    query = "" if say.language == words("").language else f"&lang={say.language}"
    return {
        "id": "/mayor",
        "name": say("Mayor's page · {city}", city=city.name),
        "short_name": city.short_name,
        "description": say("How the city is doing, with the age of every number."),
        "lang": say.language,
        "dir": "ltr",
        "scope": "/mayor",
        "start_url": f"/mayor?source=app{query}",
        "display": "standalone",
        "background_color": _GROUND,
        "theme_color": _GROUND,
        "categories": ["government"],
        "icons": [
            _icon("icon-192.png", 192, "any"),
            _icon("icon-512.png", 512, "any"),
            _icon("maskable-512.png", 512, "maskable"),
        ],
    }


def _icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": f"/mayor/static/icons/{name}",
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }


@cache
def _names() -> frozenset[str]:
    """The files that may be asked for: looked up, never joined to a path that a caller names."""
    return frozenset(file.relative_to(_STATIC).as_posix() for file in _STATIC.rglob("*.png"))


@cache
def _read(name: str) -> bytes:
    return (_STATIC / name).read_bytes()


@cache
def _worker(build: str) -> str:
    return (_STATIC / "sw.js").read_text(encoding="utf-8").replace("%BUILD%", build)
