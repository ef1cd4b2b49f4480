"""Who may act by the API: somebody at this machine, or with the operator's key."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from pydantic import BaseModel, SecretStr, ValidationError

_LONGEST_BODY = 20_000
#: What a proxy adds. Behind one everybody seems to be at this machine.
_OF_PROXIES = (
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "forwarded",
    "x-real-ip",
    "via",
)

Body = TypeVar("Body", bound=BaseModel)


def is_local(request: Request) -> bool:
    """Whether the call was made on this machine, without a proxy, to one of its own names."""
    if any(name in request.headers for name in _OF_PROXIES) or request.client is None:
        return False
    # A proxy that says nothing of itself still passes on the name by which it is known.
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return _is_loopback(request.client.host) and (host == "localhost" or _is_loopback(host))


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def is_operator(request: Request, token: SecretStr) -> bool:
    """Whether this call may act."""
    return is_local(request) or _has_token(request.headers, token)


def _has_token(headers: Mapping[str, str], token: SecretStr) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    known = token.get_secret_value().encode()
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), known)
    return bool(known) and scheme.casefold() == "bearer" and same


def require_operator(request: Request, token: SecretStr) -> None:
    """HTTPException 401 or 403, with what to do, for who may not act.

    That a write comes from our own pages was seen to by the door: it refuses a foreign Origin.
    """
    if is_operator(request, token):
        return
    if not token.get_secret_value():
        raise HTTPException(
            403,
            "Only this machine may do that. Set LAWANG_OPERATOR_TOKEN to allow it with a key "
            "from elsewhere.",
        )
    raise HTTPException(
        401,
        "This needs the operator's key: `Authorization: Bearer ...`.",
        {"WWW-Authenticate": "Bearer"},
    )


async def read_json(request: Request, model: type[Body]) -> Body:
    """The body of a call as `model`; HTTPException 413, 415 or 422 for what is none."""
    stated = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if stated != "application/json":
        raise HTTPException(415, "Send JSON, with the content type application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise HTTPException(413, f"The call is longer than {_LONGEST_BODY} bytes.")
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise HTTPException(
            422, f"The call cannot be understood: {where}: {first['msg']}."
        ) from None


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """How a body that `read_json` reads is described in the API's documentation."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}
