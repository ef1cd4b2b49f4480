"""`/operator`: where the operator's key is entered once, so that a browser may act."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import SecretStr
from starlette.exceptions import HTTPException

from api.entrance import is_secure
from api.operator import COOKIE, PROOF_HOLDS, is_key, is_operator, make_proof, read_body
from api.pace import Pace
from lawang.domain.clock import Clock
from layouts.door import operator_page

_LONGEST_FORM = 4000
#: Wrong keys that one address may try in a row, and how fast it may go on.
_BURST = 5
_TRIES_PER_S = 0.1
_START = "/screens"


def make_sign_in_router(
    token: SecretStr, clock: Clock, monotonic: Callable[[], float] = time.monotonic
) -> APIRouter:
    """The page and what its form is sent to."""
    router = APIRouter()
    pace = Pace(_BURST, _TRIES_PER_S, monotonic)
    has_key = bool(token.get_secret_value())

    @router.get("/operator", include_in_schema=False)
    async def show(request: Request, next: str = _START) -> Response:
        """The form, or that this browser may act already."""
        return _page(200, operator_page(_inside(next), has_key, is_operator(request, token)))

    @router.post("/operator", include_in_schema=False)
    async def enter(request: Request) -> Response:
        """Take the key in and give the proof out. The door has seen to the Origin."""
        form = await _read_form(request)
        path = _inside(form.get("next", _START))
        if form.get("leave"):
            answer: Response = RedirectResponse("/operator", 303)
            answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
            return answer
        if not has_key:
            return _page(403, operator_page(path, has_key, is_operator(request, token)))
        client = request.client.host if request.client else ""
        # Every try counts: who has the right key needs one.
        if wait := pace.wait_s(client):
            seconds = ceil(wait)
            answer = _page(429, operator_page(path, has_key, False, "paced", seconds))
            answer.headers["retry-after"] = str(seconds)
            return answer
        if not is_key(form.get("key", ""), token):
            return _page(403, operator_page(path, has_key, False, "wrong"))
        answer = RedirectResponse(path, 303)
        answer.set_cookie(
            COOKIE,
            make_proof(token, clock()),
            max_age=int(PROOF_HOLDS.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=is_secure(request),
        )
        return answer

    return router


def _page(status: int, content: str) -> Response:
    return HTMLResponse(content, status, {"cache-control": "no-store"})


def _inside(path: str) -> str:
    """A path of this server; the desk for anything that could lead elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() and len(path) < 500 else _START


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a form; HTTPException 413 or 415 for what is none."""
    stated = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if stated != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Send the form of this page.")
    body = await read_body(request, _LONGEST_FORM)
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}
