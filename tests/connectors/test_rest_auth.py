"""Who asks: each kind of key reaches the server, a token lives its time, and nothing leaks."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors.rest import CONNECTOR
from connectors.rest.options import RestOptions
from lawang.connector import Cursor
from lawang.domain.errors import NeedsPerson, RetryLater, SourceError

KEY = "kunci-rahasia-77"


class Login:
    """A department whose API wants a token, and the token server beside it."""

    def __init__(self, reply: Any, **stated: Any) -> None:
        self.reply = reply
        self.stated = stated
        self.given = 0
        self.valid: set[str] = set()

    def __call__(self, request: Any) -> Any:
        if request.path.endswith("token"):
            self.given += 1
            self.valid = {f"Bearer t{self.given}"}
            body = {"access_token": f"t{self.given}", "token_type": "Bearer", "expires_in": 300}
            return self.reply(json.dumps(body | self.stated))
        known = request.headers.get("authorization") in self.valid
        return self.reply("[]") if known else self.reply(status=401)


@pytest.fixture
def polls(serve: Any, context: Any) -> Callable[..., Any]:
    """Polls of one source after so many seconds each: (outcomes, site). None is a good poll."""

    def run(
        handler: Any, auth: dict[str, Any], after_s: tuple[float, ...] = (0,), **given: Any
    ) -> Any:
        between = given.pop("between", lambda: None)

        async def read() -> Any:
            outcomes: list[SourceError | None] = []
            async with serve(handler) as site, context() as policy:
                stated = {
                    "url": site.url,
                    "fields": {"external_id": "id", "requested_at": "at"},
                    "auth": {key: value.replace("{site}", site.url) for key, value in auth.items()},
                }
                chosen = RestOptions.model_validate(stated | given)
                for seconds in after_s:
                    moment = policy.clock() + timedelta(seconds=seconds)
                    later = replace(policy, clock=lambda moment=moment: moment)
                    try:
                        async for _ in CONNECTOR.fetch(chosen, Cursor(), later):
                            pass
                        outcomes.append(None)
                    except SourceError as error:
                        outcomes.append(error)
                    between()
            return outcomes, site

        return asyncio.run(read())

    return run


OAUTH = {
    "kind": "oauth2",
    "token_url": "{site}token",
    "client_id": "lawang",
    "client_secret": KEY,
}


def _paths(site: Any) -> list[str]:
    return [request.path.rpartition("/")[2] or "api" for request in site.requests]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "header", "value": KEY}, "x-api-key", KEY),
        ({"kind": "header", "name": "Api-Token", "value": KEY}, "api-token", KEY),
        ({"kind": "bearer", "token": KEY}, "authorization", f"Bearer {KEY}"),
        (
            {"kind": "basic", "user": "dinas", "password": "k:é"},
            "authorization",
            "Basic " + base64.b64encode("dinas:k:é".encode()).decode(),
        ),
    ],
)
def test_a_key_is_sent(
    polls: Any, reply: Any, auth: dict[str, Any], header: str, value: str
) -> None:
    _, site = polls(lambda _: reply("[]"), auth)
    assert site.requests[0].headers[header] == value


def test_who_needs_no_key_sends_none(polls: Any, reply: Any) -> None:
    _, site = polls(lambda _: reply("[]"), {"kind": "none"})
    assert not {"authorization", "x-api-key"} & set(site.requests[0].headers)


def test_a_token_is_asked_for_by_client_credentials(polls: Any, reply: Any) -> None:
    outcomes, site = polls(Login(reply), OAUTH | {"scope": "baca laporan"})
    asked = site.requests[0]
    assert outcomes == [None]
    assert asked.method == "POST"
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["baca laporan"],
    }
    expected = base64.b64encode(f"lawang:{KEY}".encode()).decode()
    assert asked.headers["authorization"] == f"Basic {expected}"
    assert site.requests[1].headers["authorization"] == "Bearer t1"


def test_a_token_serves_for_as_long_as_it_lives(polls: Any, reply: Any) -> None:
    outcomes, site = polls(Login(reply), OAUTH, (0, 100, 269))
    assert outcomes == [None] * 3
    assert _paths(site) == ["token", "api", "api", "api"]


def test_a_token_is_renewed_before_it_runs_out(polls: Any, reply: Any) -> None:
    outcomes, site = polls(Login(reply), OAUTH, (0, 270))
    assert outcomes == [None, None]
    assert _paths(site) == ["token", "api", "token", "api"]


def test_a_token_that_the_server_revoked_is_renewed_at_once(polls: Any, reply: Any) -> None:
    login = Login(reply)
    outcomes, site = polls(login, OAUTH, (0, 10), between=lambda: login.valid.clear())
    assert outcomes == [None, None]
    assert _paths(site) == ["token", "api", "api", "token", "api"]


def test_a_token_that_is_never_taken_is_refused_and_not_asked_for_without_end(
    polls: Any, reply: Any
) -> None:
    def never(request: Any) -> Any:
        if request.path.endswith("token"):
            return reply(json.dumps({"access_token": "t", "expires_in": 300}))
        return reply(status=401)

    (outcome,), site = polls(never, OAUTH)
    assert (type(outcome), outcome.kind) == (NeedsPerson, "refused")
    assert len(site.requests) <= 4


def test_a_key_that_is_refused_is_tried_once(polls: Any, reply: Any) -> None:
    (outcome,), site = polls(lambda _: reply(status=401), {"kind": "bearer", "token": KEY})
    assert (type(outcome), outcome.kind, len(site.requests)) == (NeedsPerson, "refused", 1)


@pytest.mark.parametrize("life", [None, "", "nan", "inf", 1e300, -5, 0, "300", [], True])
def test_any_stated_life_of_a_token_will_do(polls: Any, reply: Any, life: object) -> None:
    outcomes, site = polls(Login(reply, expires_in=life), OAUTH, (0,))
    assert outcomes == [None]
    assert _paths(site) == ["token", "api"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "[]",
        "null",
        "{}",
        '{"access_token": null}',
        '{"access_token": ""}',
        '{"access_token": 7}',
        '{"access_token": {"a": 1}}',
        '{"access_token": "a\\r\\nX-Evil: 1"}',
        '{"access_token": "t\\u2026"}',
    ],
)
def test_a_token_server_without_a_token_is_refused(polls: Any, reply: Any, body: str) -> None:
    (outcome,), site = polls(lambda _: reply(body), OAUTH)
    assert (type(outcome), str(outcome)) == (
        NeedsPerson,
        "refused: the token server gave no token",
    )
    assert _paths(site) == ["token"]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (401, "refused", NeedsPerson),
        (400, "bad_status", RetryLater),
        (429, "rate_limited", RetryLater),
    ],
)
def test_a_token_server_that_refuses_is_told(
    polls: Any, reply: Any, status: int, kind: str, error: type[SourceError]
) -> None:
    (outcome,), _ = polls(lambda _: reply(status=status), OAUTH)
    assert (type(outcome), outcome.kind) == (error, kind)


def test_a_token_server_that_redirects_gets_no_secret_elsewhere(polls: Any, reply: Any) -> None:
    (outcome,), site = polls(lambda _: reply(status=307, headers={"Location": "/x"}), OAUTH)
    assert (type(outcome), outcome.kind, len(site.requests)) == (NeedsPerson, "redirected", 1)


@pytest.mark.parametrize(
    "auth",
    [
        {"kind": "header", "value": KEY},
        {"kind": "bearer", "token": KEY},
        {"kind": "basic", "user": "dinas", "password": KEY},
        OAUTH,
    ],
    ids=lambda auth: auth["kind"],
)
@pytest.mark.parametrize("fault", ["refused", "garbage", "redirected"])
def test_no_error_repr_or_log_holds_a_key(
    polls: Any, reply: Any, caplog: pytest.LogCaptureFixture, auth: dict[str, Any], fault: str
) -> None:
    def answer(request: Any) -> Any:
        echo = request.headers.get("authorization", KEY)
        if fault == "garbage":
            return reply(f"{KEY} {echo}", headers={"Content-Encoding": "br"})
        status = 403 if fault == "refused" else 302
        return reply(
            f"{KEY} {echo}", status=status, headers={"Location": f"http://lain.example/?k={KEY}"}
        )

    with caplog.at_level(logging.DEBUG):
        (outcome,), site = polls(answer, auth)
    sent = site.requests[0].headers.get("authorization", KEY).split()[-1]
    told = f"{outcome!r} {outcome} {outcome.detail}" + caplog.text
    chosen = RestOptions.model_validate(
        {
            "url": site.url,
            "fields": {"external_id": "id", "requested_at": "at"},
            "auth": auth | ({"token_url": site.url} if auth is OAUTH else {}),
        }
    )
    assert KEY not in told
    assert sent not in told
    assert KEY not in f"{chosen!r} {chosen} {chosen.model_dump()}"
