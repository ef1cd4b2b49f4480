"""How a request shows who asks. Keys live in SecretStr until the header is written."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

import httpx
import orjson

from connectors import http
from connectors.rest.options import (
    Auth,
    BasicAuth,
    BearerAuth,
    ClientCredentials,
    HeaderAuth,
    check_header_value,
)
from lawang.connector import FetchContext
from lawang.domain.errors import NeedsPerson

#: A token is renewed this long before it runs out, so that it does not do so on the way.
_MARGIN = timedelta(seconds=30)
_USUAL_LIFE_S = 300.0
_LONGEST_LIFE_S = 86_400.0
_TOKEN_MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until: datetime


# A source keeps its client, and with it the token, for as long as the process polls it.
_tokens: WeakKeyDictionary[httpx.AsyncClient, _Token] = WeakKeyDictionary()


async def authorisation(auth: Auth, context: FetchContext) -> dict[str, str]:
    """The headers that show who asks; fetches a token first where one is needed."""
    if isinstance(auth, HeaderAuth):
        return {auth.name: auth.value.get_secret_value()}
    if isinstance(auth, BearerAuth):
        return {"Authorization": f"Bearer {auth.token.get_secret_value()}"}
    if isinstance(auth, BasicAuth):
        return {"Authorization": _basic(auth.user, auth.password.get_secret_value())}
    if isinstance(auth, ClientCredentials):
        return {"Authorization": f"Bearer {await _token(auth, context)}"}
    return {}


def forget_token(client: httpx.AsyncClient) -> bool:
    """Drop the token held for a source, as the server takes it no more; whether there was one."""
    return _tokens.pop(client, None) is not None


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode('ascii')}"


async def _token(auth: ClientCredentials, context: FetchContext) -> str:
    known = _tokens.get(context.client)
    if known is None or known.until <= context.clock():
        known = await _fetch_token(auth, context)
        _tokens[context.client] = known
    return known.value


async def _fetch_token(auth: ClientCredentials, context: FetchContext) -> _Token:
    form = {"grant_type": "client_credentials"} | ({"scope": auth.scope} if auth.scope else {})
    reply = await http.ask(
        context,
        auth.token_url,
        method="POST",
        max_bytes=_TOKEN_MAX_BYTES,
        headers={
            "Accept": "application/json",
            "Authorization": _basic(auth.client_id, auth.client_secret.get_secret_value()),
        },
        form=form,
    )
    try:
        stated = orjson.loads(reply.body)
        value, life_s = stated["access_token"], _life_s(stated.get("expires_in"))
        check_header_value(value)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise NeedsPerson("refused", "the token server gave no token") from None
    return _Token(value, context.clock() + timedelta(seconds=life_s) - _MARGIN)


def _life_s(stated: object) -> float:
    """How long a token lives; servers leave it out, write it as text, or write nonsense."""
    try:
        life_s = float(str(stated))
    except ValueError:
        return _USUAL_LIFE_S
    return min(life_s, _LONGEST_LIFE_S) if life_s > 0 else _USUAL_LIFE_S
