"""The operator's key, entered once: what the browser keeps, and what it may do with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from api.operator import PROOF_HOLDS, is_proof, make_proof
from api.sign_in import _inside
from lawang.city import City
from lawang.domain.clock import utc_now
from lawang.store.history import History
from tests.api.conftest import PATIENCE_S, Web, make_installation, sentence_of, serve_web

KEY = "kunci-operator-rahasia-73"
TOKEN = SecretStr(KEY)
FAR = {"host": "kota.example", "accept": "text/html"}
HERE = {**FAR, "origin": "http://kota.example"}


@pytest.fixture(scope="module")
def web(
    city: City, full_history: History, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    installation = make_installation(
        city,
        full_history,
        valkey_url,
        tmp_path_factory.mktemp("sign_in"),
        operator_token=TOKEN,
        allowed_hosts="kota.example",
    )
    with serve_web(installation) as running:
        yield running


def send(web: Web, path: str, headers: dict[str, str], **given: object) -> httpx.Response:
    return httpx.request(
        "POST" if given else "GET",
        f"{web.url}{path}",
        headers=headers,
        timeout=PATIENCE_S,
        trust_env=False,
        **given,  # type: ignore[arg-type]
    )


def proof() -> dict[str, str]:
    return {"cookie": f"lawang_operator={make_proof(TOKEN, utc_now())}"}


def test_the_right_key_becomes_a_proof_in_a_cookie_and_leads_back(web: Web) -> None:
    answer = send(web, "/operator", HERE, data={"key": KEY, "next": "/screens?lang=en"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/screens?lang=en")
    cookie = answer.headers["set-cookie"]
    assert all(each in cookie.lower() for each in ("httponly", "samesite=strict", "max-age"))
    assert KEY not in cookie
    opened = send(web, "/screens", {**FAR, "cookie": cookie.partition(";")[0]})
    assert opened.status_code == 200


def test_the_proof_acts_from_our_own_pages_and_from_no_other_call(web: Web) -> None:
    path, body = "/api/v1/screens/utama/commands", {"kind": "identify", "by": "Sari"}
    assert send(web, path, {**HERE, **proof()}, json=body).status_code == 201
    fetched = {**FAR, "sec-fetch-site": "same-origin", **proof()}
    assert send(web, path, fetched, json=body).status_code == 201
    silent = send(web, path, {**FAR, **proof()}, json=body)
    assert silent.status_code == 403
    assert "our own pages" in sentence_of(silent)
    foreign = {**FAR, "origin": "http://evil.example", **proof()}
    assert send(web, path, foreign, json=body).status_code == 403
    assert send(web, path, HERE, json=body).status_code == 401


def test_a_proof_is_worthless_when_it_is_old_changed_or_of_another_key() -> None:
    now = utc_now()
    made = make_proof(TOKEN, now)
    assert is_proof(made, TOKEN, now)
    assert not is_proof(made, TOKEN, now + PROOF_HOLDS + timedelta(seconds=1))
    assert not is_proof(made, SecretStr("lain"), now)
    expiry, rest = made.split(".", 1)
    assert not is_proof(f"{int(expiry) + 9}.{rest}", TOKEN, now)
    assert not is_proof(made, SecretStr(""), now)
    assert not is_proof("", TOKEN, now)


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_the_form_leads_nowhere_else(web: Web, path: str) -> None:
    answer = send(web, f"/operator?next={quote(path)}", FAR)
    assert 'name="next" value="/screens"' in answer.text
    # And where it was changed on the way, the answer to the key.
    assert _inside(path) == "/screens"


def test_the_form_leads_back_to_where_one_came_from(web: Web) -> None:
    answer = send(web, "/operator?next=/wall/utama", FAR)
    assert 'name="next" value="/wall/utama"' in answer.text


def test_hostile_text_in_the_address_is_escaped(web: Web) -> None:
    answer = send(web, '/operator?next=/"><script>alert(1)</script>', FAR)
    assert "<script" not in answer.text


def test_who_leaves_gives_the_proof_back(web: Web) -> None:
    answer = send(web, "/operator", {**HERE, **proof()}, data={"leave": "1"})
    assert answer.status_code == 303
    assert 'lawang_operator="";' in answer.headers["set-cookie"]


def test_a_key_from_another_site_is_refused(web: Web) -> None:
    foreign = {**FAR, "origin": "http://evil.example"}
    assert send(web, "/operator", foreign, data={"key": KEY}).status_code == 403


def test_a_form_that_is_too_long_is_not_read(web: Web) -> None:
    assert send(web, "/operator", HERE, data={"key": "x" * 5000}).status_code == 413


def test_wrong_keys_are_said_and_slowed_down(web: Web) -> None:
    answers = [send(web, "/operator", HERE, data={"key": "salah"}) for _ in range(6)]
    assert answers[0].status_code == 403
    assert "Kuncinya tidak cocok." in answers[0].text
    assert "The key is not right." in answers[0].text
    last = answers[-1]
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) > 0
    assert "Terlalu banyak percobaan" in last.text
