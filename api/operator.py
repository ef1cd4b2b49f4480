"""Who may act by the API: somebody at this machine, or with the operator's key.

The key comes with a call (`Authorization: Bearer`), or was entered once at `/operator`: the browser
then keeps a proof of it in a cookie that no script can read. The proof is worthless after 30 days,
and as soon as the key is another one.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from pydantic import BaseModel, SecretStr, ValidationError
from starlette.requests import HTTPConnection

from lawang.domain.clock import utc_now
from lawang.domain.errors import SettingsError

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

#: The cookie with the proof.
COOKIE = "lawang_operator"
PROOF_HOLDS = timedelta(days=30)
#: Characters of the key.
TOKEN_LEAST = 20
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Body = TypeVar("Body", bound=BaseModel)


def check_operator_token(token: SecretStr) -> None:
    """SettingsError for a key that is short enough to be guessed: calls with one are not paced."""
    if 0 < len(token.get_secret_value()) < TOKEN_LEAST:
        raise SettingsError(
            f"LAWANG_OPERATOR_TOKEN has fewer than {TOKEN_LEAST} characters and could be guessed. "
            "Make one with `openssl rand -base64 32`, or leave it empty: then only this machine "
            "may act."
        )


def is_local(request: HTTPConnection) -> bool:
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


def is_operator(request: HTTPConnection, token: SecretStr) -> bool:
    """Whether this call may act, as far as who makes it goes."""
    return is_local(request) or has_key(request, token)


def has_key(request: HTTPConnection, token: SecretStr) -> bool:
    """Whether a call comes with the operator's key, or with the proof of it."""
    return _has_token(request.headers, token) or _has_proof(request, token)


def is_key(given: str, token: SecretStr) -> bool:
    """Whether this is the operator's key."""
    known = token.get_secret_value().encode()
    return bool(known) and hmac.compare_digest(given.strip().encode("utf-8", "replace"), known)


def make_proof(token: SecretStr, now: datetime) -> str:
    """What a browser keeps of the key, for `PROOF_HOLDS`."""
    content = f"{int((now + PROOF_HOLDS).timestamp())}.{secrets.token_hex(8)}"
    return f"{content}.{_sign(content, token)}"


def is_proof(given: str, token: SecretStr, now: datetime) -> bool:
    """Whether this is a proof of the present key that holds still."""
    content, _, signature = given.rpartition(".")
    if not token.get_secret_value() or not hmac.compare_digest(
        signature.encode("utf-8", "replace"), _sign(content, token).encode()
    ):
        return False
    # It was signed here, so it is of the form that `make_proof` gives it.
    return now.timestamp() < int(content.partition(".")[0])


def _sign(content: str, token: SecretStr) -> str:
    key = token.get_secret_value().encode()
    message = f"lawang operator {content}".encode("utf-8", "replace")
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _has_proof(request: HTTPConnection, token: SecretStr) -> bool:
    given = request.cookies.get(COOKIE, "")
    return bool(given) and is_proof(given, token, utc_now())


def _has_token(headers: Mapping[str, str], token: SecretStr) -> bool:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.casefold() == "bearer" and is_key(given, token)


def _is_from_here(request: Request) -> bool:
    """Whether a page of this very server made the call, as the browser says."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return urlsplit(origin).netloc.casefold() == request.headers.get("host", "").casefold()


def require_operator(request: Request, token: SecretStr) -> None:
    """HTTPException 401 or 403, with what to do, for who may not act.

    That a write does not come from another site was seen to by the door: it refuses a foreign
    Origin. A cookie goes with every call of a browser, so one has to say where it is from.
    """
    if is_local(request) or _has_token(request.headers, token):
        return
    if _has_proof(request, token):
        if request.method in _SAFE_METHODS or _is_from_here(request):
            return
        raise HTTPException(403, "The browser did not say that this call is of our own pages.")
    if not token.get_secret_value():
        raise HTTPException(
            403,
            "Only this machine may do that. Set LAWANG_OPERATOR_TOKEN to allow it with a key "
            "from elsewhere.",
        )
    raise HTTPException(
        401,
        "This needs the operator's key: enter it at /operator, or send `Authorization: "
        "Bearer ...`.",
        {"WWW-Authenticate": "Bearer"},
    )


async def read_json(request: Request, model: type[Body]) -> Body:
    """The body of a call as `model`; HTTPException 413, 415 or 422 for what is none."""
    stated = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if stated != "application/json":
        raise HTTPException(415, "Send JSON, with the content type application/json.")
    body = await read_body(request, _LONGEST_BODY)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise HTTPException(
            422, f"The call cannot be understood: {where}: {first['msg']}."
        ) from None


async def read_body(request: Request, longest: int) -> bytes:
    """The body of a call; HTTPException 413 as soon as it has more bytes than that."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise HTTPException(413, f"The call is longer than {longest} bytes.")
    return bytes(body)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """How a body that `read_json` reads is described in the API's documentation."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}
