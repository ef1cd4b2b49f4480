"""`/api/v1/wall/worker.js`: what keeps a wall waiting while its server is still being started.

Browsers run it in secure contexts alone: https, or localhost.
"""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import APIRouter, Response

from layouts.waiting import waiting_page

_SCRIPT = Path(__file__).with_name("wall_worker.js")


def add_wall_worker_route(router: APIRouter) -> None:
    """Add the route. A worker at that address may serve /wall only because the answer allows it."""
    source = _SCRIPT.read_text(encoding="utf-8")

    @router.get("/api/v1/wall/worker.js", include_in_schema=False)
    def worker(lang: str = "") -> Response:
        return Response(
            source.replace("%PAGE%", json.dumps(waiting_page(lang))),
            media_type="text/javascript; charset=utf-8",
            headers={"cache-control": "no-cache", "service-worker-allowed": "/wall"},
        )
