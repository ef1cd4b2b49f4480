"""Walls with keys: who gets in, how a key comes to a wall, and what a revoked one finds."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from api.screen_keys import CHECK_EVERY_S, ScreenKeys
from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.domain.screen import BEAT_EVERY
from lawang.store.engine import open_engine
from lawang.store.history import History
from lawang.store.screens import ScreenToken
from tests.api.conftest import (
    PATIENCE_S,
    Hand,
    Web,
    board_of,
    make_installation,
    sentence_of,
    serve_web,
    until,
    without_table,
)

OPERATOR = "kunci-operator-rahasia-72"
FAR = {"host": "kota.example"}
PAGE = {**FAR, "accept": "text/html"}
BEAT = {"build": "b1", "scene": "kota"}


@dataclass
class Guarded:
    """A web process whose walls need keys, asked under a name that is not this machine's."""

    web: Web
    history: History

    def key(self, screen: str | None = "utama") -> tuple[int, str]:
        token, key = self.history.screens.make_token("uji", "Sari", utc_now(), screen)
        return token.id, key

    def get(
        self, path: str, key: str = "", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        cookie = {"cookie": f"lawang_screen={key}"} if key else {}
        # Not by a client of its own cookies: each call says for itself what it has.
        return httpx.get(
            f"{self.web.url}{path}",
            headers={**PAGE, **cookie, **(headers or {})},
            timeout=PATIENCE_S,
            trust_env=False,
        )

    def beat(self, screen: str, key: str = "") -> httpx.Response:
        cookie = {"cookie": f"lawang_screen={key}"} if key else {}
        return httpx.post(
            f"{self.web.url}/api/v1/screens/{screen}/heartbeat",
            json=BEAT,
            headers={**FAR, **cookie},
            timeout=PATIENCE_S,
            trust_env=False,
        )


@pytest.fixture(scope="module")
def guarded(
    city: City, _migrated_sqlite: Path, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    path = folder / "history.sqlite3"
    path.write_bytes(_migrated_sqlite.read_bytes())
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        installation = make_installation(
            city,
            history,
            valkey_url,
            folder,
            operator_token=SecretStr(OPERATOR),
            allowed_hosts="kota.example",
            walls="token",
        )
        with board_of(installation), serve_web(installation) as web:
            until(lambda: web.client.get("/readyz").status_code == 200, "a ready web process")
            yield Guarded(web, history)


def test_a_key_in_the_address_goes_into_a_cookie_that_no_script_reads(guarded: Guarded) -> None:
    _, key = guarded.key()
    answer = guarded.get(f"/wall/utama?lang=en&token={key}&scene=kota")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("/wall/utama?lang=en&scene=kota")
    cookie = answer.headers["set-cookie"].lower()
    assert all(each in cookie for each in ("httponly", "samesite=strict", "path=/", "max-age"))
    assert "secure" not in cookie
    assert key not in answer.text


def test_a_key_in_the_address_leads_to_no_other_host(guarded: Guarded) -> None:
    _, key = guarded.key()
    assert guarded.get(f"//wall/utama?token={key}").headers["location"] == "/wall/utama"


def test_behind_tls_the_cookie_is_for_tls_alone(guarded: Guarded) -> None:
    _, key = guarded.key()
    answer = guarded.get(f"/wall/utama?token={key}", headers={"x-forwarded-proto": "https"})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_key_opens_its_wall_its_stream_and_its_heartbeat(guarded: Guarded) -> None:
    _, key = guarded.key()
    page = guarded.get("/wall/utama", key)
    assert page.status_code == 200
    assert "max-age" in page.headers["set-cookie"].lower()
    assert guarded.beat("utama", key).status_code == 200
    assert guarded.get("/assets/lawang.css", key).status_code == 200
    url = f"{guarded.web.url}/stream?panels=programme"
    headers = {**FAR, "cookie": f"lawang_screen={key}"}
    with httpx.stream("GET", url, headers=headers, timeout=PATIENCE_S, trust_env=False) as stream:
        assert stream.status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/screens", "/sources", "/mayor", "/api/v1/incidents", "/api/v1/screens", "/docs"]
)
def test_a_key_opens_nothing_else(guarded: Guarded, path: str) -> None:
    _, key = guarded.key()
    answer = guarded.get(path, key)
    assert answer.status_code == 403
    assert key not in answer.text


def test_a_key_of_one_wall_opens_no_other(guarded: Guarded) -> None:
    _, key = guarded.key()
    assert guarded.get("/wall/operator", key).status_code == 403
    assert guarded.beat("operator", key).status_code == 403
    # `/wall` alone is the first wall of the programme.
    assert guarded.get("/wall", key).status_code == 200
    _, other = guarded.key("operator")
    assert guarded.get("/wall", other).status_code == 403


def test_a_key_for_every_screen_opens_every_wall(guarded: Guarded) -> None:
    _, key = guarded.key(None)
    assert [guarded.get(path, key).status_code for path in ("/wall", "/wall/dinding")] == [200] * 2


def test_without_a_key_a_wall_says_what_to_do_in_both_languages(guarded: Guarded) -> None:
    answer = guarded.get("/wall/utama")
    assert answer.status_code == 403
    assert "Layar ini memerlukan kunci" in answer.text
    assert "This screen needs a key" in answer.text
    assert "lawang screens token new" in answer.text
    assert guarded.beat("utama").status_code == 403
    refused = guarded.get("/stream", headers={"accept": "text/event-stream"})
    assert refused.status_code == 403
    assert "key" in sentence_of(refused)


def test_a_revoked_key_is_told_so_and_no_login_is_shown(guarded: Guarded) -> None:
    number, key = guarded.key()
    guarded.history.screens.revoke_token(number, utc_now())
    answer = guarded.get("/wall/utama", key)
    assert answer.status_code == 403
    assert "Kunci layar dicabut" in answer.text
    assert "Screen key revoked" in answer.text
    assert "<form" not in answer.text
    assert guarded.get(f"/wall/utama?token={key}").status_code == 403


def test_a_running_stream_ends_when_its_key_is_revoked(guarded: Guarded) -> None:
    number, key = guarded.key()
    heard: list[str] = []
    opened = threading.Event()

    def listen() -> None:
        headers = {**FAR, "cookie": f"lawang_screen={key}"}
        url = f"{guarded.web.url}/stream?panels=city"
        with httpx.stream(
            "GET", url, headers=headers, timeout=PATIENCE_S, trust_env=False
        ) as stream:
            for line in stream.iter_lines():
                heard.append(line)
                opened.set()

    listening = threading.Thread(target=listen)
    listening.start()
    assert opened.wait(PATIENCE_S)
    guarded.history.screens.revoke_token(number, utc_now())
    listening.join(PATIENCE_S)
    assert not listening.is_alive()
    assert "event: revoked" in heard
    until(lambda: guarded.get("/stream", key).status_code == 403, "the next stream to be refused")


def test_an_operator_and_this_machine_need_no_screens_key(guarded: Guarded) -> None:
    bearer = {"authorization": f"Bearer {OPERATOR}"}
    assert guarded.get("/wall/utama", headers=bearer).status_code == 200
    assert guarded.web.browser.get("/wall/utama").status_code == 200
    beat = guarded.web.client.post("/api/v1/screens/utama/heartbeat", json=BEAT)
    assert beat.json()["beat_every_s"] == BEAT_EVERY.total_seconds()


def test_other_pages_stay_as_open_as_they_were(guarded: Guarded) -> None:
    assert [guarded.get(path).status_code for path in ("/", "/sources")] == [200, 200]


def asks_for(web: Web, path: str, headers: dict[str, str]) -> httpx.Response:
    """Dash's own call for the content of a page."""
    dependencies = web.client.get("/_dash-dependencies").json()
    pages = next(each for each in dependencies if "_pages_content" in each["output"])
    names = pages["output"].strip(".").split("...")
    values = {"pathname": path, "search": ""}

    def given(items: list[dict[str, str]]) -> list[dict[str, object]]:
        return [{**each, "value": values.get(each["property"])} for each in items]

    return httpx.post(
        f"{web.url}/_dash-update-component",
        json={
            "output": pages["output"],
            "outputs": [
                dict(zip(("id", "property"), each.rsplit(".", 1), strict=True)) for each in names
            ],
            "inputs": given(pages["inputs"]),
            "state": given(pages.get("state", [])),
            "changedPropIds": [],
        },
        headers=headers,
        timeout=PATIENCE_S,
        trust_env=False,
    )


def test_dash_gives_nobody_a_page_that_the_address_would_not(guarded: Guarded) -> None:
    for path in ("/screens", "//screens", "/screens//", "/wall", "/wall/utama", "//wall/utama"):
        assert asks_for(guarded.web, path, FAR).status_code == 403, path
    assert asks_for(guarded.web, "/sources", FAR).status_code == 200
    _, key = guarded.key()
    cookie = {**FAR, "cookie": f"lawang_screen={key}"}
    for path in ("/sources", "/wall/operator", "//wall/operator", "//screens"):
        assert asks_for(guarded.web, path, cookie).status_code == 403, path
    assert asks_for(guarded.web, "/wall/utama", cookie).status_code == 200


@pytest.mark.parametrize("path", ["/", "/sources", "/analysis"])
def test_a_page_that_is_open_is_heard_without_a_key(guarded: Guarded, path: str) -> None:
    page = asks_for(guarded.web, path, FAR).json()
    root = page["response"]["_pages_content"]["children"]["props"]
    wished = json.loads(root["data-live-config"])["panels"]
    url = f"{guarded.web.url}/stream?panels={','.join(wished)}"
    with httpx.stream("GET", url, headers=FAR, timeout=PATIENCE_S, trust_env=False) as stream:
        assert stream.status_code == 200


@pytest.mark.parametrize(
    "query", ["", "?panels=,", "?panels=city,incidents", "?panels=incidents&panels=city"]
)
def test_what_walls_hear_needs_a_key(guarded: Guarded, query: str) -> None:
    number, key = guarded.key()
    assert guarded.get(f"/stream{query}").status_code == 403
    guarded.history.screens.revoke_token(number, utc_now())
    assert guarded.get("/stream?panels=city", key).status_code == 403


def test_the_desk_is_for_operators(guarded: Guarded) -> None:
    refused = guarded.get("/screens")
    assert refused.status_code == 403
    assert 'action="/operator"' in refused.text
    assert guarded.web.browser.get("/screens").status_code == 200


def test_while_history_is_away_a_key_stays_good_and_is_asked_after_now_and_then(
    sqlite_url: str,
) -> None:
    hand = Hand()
    with closing(History(open_engine(sqlite_url))) as history:
        token, key = history.screens.make_token("uji", "Sari", utc_now())
        keys = ScreenKeys(history.screens, utc_now, monotonic=hand)

        def find_later(seconds: float) -> ScreenToken | None:
            hand.now += seconds
            return asyncio.run(keys.find(key))

        assert find_later(0) == token
        with without_table(sqlite_url, "screen_token"):
            assert find_later(CHECK_EVERY_S) == token
        history.screens.revoke_token(token.id, utc_now())
        # Not asked again yet, or a lost database would hold every call up.
        assert find_later(CHECK_EVERY_S / 2) == token
        assert find_later(CHECK_EVERY_S) is None
