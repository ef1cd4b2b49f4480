"""Who may act: this machine, or the operator's key; never another site, never unseen by a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.operator import check_operator_token
from app import create_web
from lawang.city import City
from lawang.domain.errors import SettingsError
from lawang.store.history import History
from lawang.store.live import LiveStore
from tests.api.conftest import Web, make_installation, sentence_of, serve_web

KEY = "kunci-operator-rahasia-71"
PATH = "/api/v1/sources/elapor/poll"
FORWARDED = pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "203.0.113.7"},
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"x-real-ip": "127.0.0.1"},
        {"via": "1.1 proxy"},
    ],
)


def serving(
    city: City, history: History, redis_url: str, folder: Path, key: str = ""
) -> Iterator[tuple[Web, LiveStore]]:
    installation = make_installation(
        city,
        history,
        redis_url,
        folder,
        operator_token=SecretStr(key),
        allowed_hosts="kota.example",
    )
    with closing(installation.open_live()) as store, serve_web(installation) as web:
        yield web, store


@pytest.fixture(scope="module")
def unkeyed(
    city: City, full_history: History, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Web, LiveStore]]:
    yield from serving(city, full_history, valkey_url, tmp_path_factory.mktemp("unkeyed"))


@pytest.fixture(scope="module")
def keyed(
    city: City, full_history: History, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Web, LiveStore]]:
    yield from serving(city, full_history, valkey_url, tmp_path_factory.mktemp("keyed"), KEY)


@pytest.fixture(scope="module")
def unasked(city: City) -> Iterator[str]:
    """Sources that nobody asked for yet."""
    return iter([source.id for source in city.sources.values() if not source.unset])


@pytest.fixture
def source(unasked: Iterator[str]) -> str:
    """A source of this test alone, as one is polled only so often."""
    return next(unasked)


@pytest.fixture
def path(source: str) -> str:
    return f"/api/v1/sources/{source}/poll"


def test_somebody_at_this_machine_may_ask_for_a_poll(
    unkeyed: tuple[Web, LiveStore], source: str, path: str
) -> None:
    web, live = unkeyed
    answer = web.client.post(path, json={})
    assert (answer.status_code, answer.json()["source"]) == (202, source)
    assert live.take_wanted() == [source]


def test_a_source_is_asked_for_once_in_five_seconds(
    unkeyed: tuple[Web, LiveStore], source: str, path: str, unasked: Iterator[str]
) -> None:
    web, live = unkeyed
    assert web.client.post(path, json={}).status_code == 202
    again = web.client.post(path, json={})
    assert (again.status_code, again.headers["retry-after"]) == (429, "5")
    assert sentence_of(again)
    assert live.take_wanted() == [source]
    other = next(unasked)
    assert web.client.post(f"/api/v1/sources/{other}/poll", json={}).status_code == 202
    assert live.take_wanted() == [other]


@FORWARDED
def test_behind_a_proxy_nobody_is_at_this_machine(
    unkeyed: tuple[Web, LiveStore], headers: dict[str, str]
) -> None:
    web, live = unkeyed
    answer = web.client.post(PATH, json={}, headers=headers)
    assert answer.status_code == 403
    assert "LAWANG_OPERATOR_TOKEN" in sentence_of(answer)
    assert live.take_wanted() == []


def test_a_proxy_that_is_silent_is_known_by_its_name(unkeyed: tuple[Web, LiveStore]) -> None:
    web, _live = unkeyed
    answer = web.client.post(PATH, json={}, headers={"host": "kota.example"})
    assert answer.status_code == 403


@FORWARDED
def test_the_key_opens_from_anywhere(
    keyed: tuple[Web, LiveStore], headers: dict[str, str], source: str, path: str
) -> None:
    web, live = keyed
    answer = web.client.post(path, json={}, headers={**headers, "authorization": f"Bearer {KEY}"})
    assert answer.status_code == 202
    assert live.take_wanted() == [source]


@pytest.mark.parametrize(
    "given", ["", KEY, f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer", "Bearer é"]
)
def test_a_wrong_key_opens_nothing_and_is_not_repeated(
    keyed: tuple[Web, LiveStore], given: str
) -> None:
    web, live = keyed
    headers = {"x-forwarded-for": "203.0.113.7", "authorization": given}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = web.client.post(PATH, json={}, headers=raw)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert KEY not in answer.text
    assert live.take_wanted() == []


def test_a_key_that_could_be_guessed_stops_the_start(
    city: City, full_history: History, valkey_url: str, tmp_path: Path
) -> None:
    short = KEY[:19]
    installation = make_installation(
        city, full_history, valkey_url, tmp_path, operator_token=SecretStr(short)
    )
    with pytest.raises(SettingsError, match="LAWANG_OPERATOR_TOKEN has fewer than 20") as refused:
        create_web(installation)
    assert short not in str(refused.value)
    check_operator_token(SecretStr(KEY[:20]))
    check_operator_token(SecretStr(""))


def test_without_a_key_set_an_empty_one_opens_nothing(unkeyed: tuple[Web, LiveStore]) -> None:
    web, _live = unkeyed
    headers = {"x-forwarded-for": "203.0.113.7", "authorization": "Bearer"}
    assert web.client.post(PATH, json={}, headers=headers).status_code == 403


@pytest.mark.parametrize("address", [PATH, "/api/v1/findings/1"])
def test_another_site_is_refused_even_with_the_key(
    keyed: tuple[Web, LiveStore], address: str
) -> None:
    web, live = keyed
    headers = {"origin": "http://evil.example", "authorization": f"Bearer {KEY}"}
    assert web.client.post(address, json={}, headers=headers).status_code == 403
    assert live.take_wanted() == []


@pytest.mark.parametrize("address", [PATH, "/api/v1/findings/1"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_acts(keyed: tuple[Web, LiveStore], address: str, kind: str) -> None:
    web, live = keyed
    answer = web.client.post(address, content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415
    assert live.take_wanted() == []


def test_our_own_page_may_act(unkeyed: tuple[Web, LiveStore], source: str, path: str) -> None:
    web, live = unkeyed
    assert web.client.post(path, json={}, headers={"origin": web.url}).status_code == 202
    assert live.take_wanted() == [source]


def test_a_source_that_does_not_exist_is_404(unkeyed: tuple[Web, LiveStore]) -> None:
    web, _live = unkeyed
    answer = web.client.post("/api/v1/sources/lain/poll", json={})
    assert answer.status_code == 404
    assert "elapor" in sentence_of(answer)


def test_reading_the_address_of_an_action_is_405(unkeyed: tuple[Web, LiveStore]) -> None:
    web, _live = unkeyed
    answer = web.client.get(PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert sentence_of(answer)


@pytest.mark.parametrize(("headers", "allowed"), [({}, True), ({"via": "1.1 proxy"}, False)])
def test_the_page_is_told_whether_it_may_act(
    keyed: tuple[Web, LiveStore], headers: dict[str, str], allowed: bool
) -> None:
    web, _live = keyed
    found = web.client.get("/api/v1/sources/elapor", headers=headers).json()
    assert (found["may_act"], found["takes_key"]) == (allowed, True)


def test_without_live_state_an_action_says_so(
    city: City, sqlite_history: History, tmp_path: Path
) -> None:
    installation = make_installation(city, sqlite_history, "redis://127.0.0.1:1/0", tmp_path)
    with serve_web(installation) as web:
        answer = web.client.post(PATH, json={})
        assert answer.status_code == 503
        assert "cache_down" in sentence_of(answer)
