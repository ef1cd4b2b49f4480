"""The simulated SP4N-LAPOR!: tokens, envelopes, cursors, and the life behind them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.city_life import Town
from simulator.desk import Desk
from simulator.life import BACKFILL, Rhythm
from simulator.sp4n import PER_DAY
from simulator.sp4n.kinds import KINDS
from simulator.sp4n.tokens import LIFE, Tokens
from simulator.store import Query, Store
from tests.simulator.conftest import NOW, HeldClock, Simulator, run_simulator

CITY = {"instansi": "Kota Palembang"}
GRANT = {"grant_type": "client_credentials"}
LIST = "api/pengaduan/daftar"


def take_token(client: httpx.Client) -> dict[str, str]:
    answer = client.post("oauth/token", data=GRANT, auth=("demo", "demo")).raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
def stranger(simulator: Simulator) -> Iterator[httpx.Client]:
    """A client without a token."""
    base = f"{simulator.url}/sp4n/"
    with httpx.Client(base_url=base, timeout=40, trust_env=False) as client:
        yield client


@pytest.fixture
def client(stranger: httpx.Client) -> Iterator[httpx.Client]:
    """A client that shows its token."""
    stranger.headers.update(take_token(stranger))
    yield stranger
    stranger.post("_fault", json={"kind": "none"})


def fault(client: httpx.Client, kind: str) -> None:
    client.post("_fault", json={"kind": kind}).raise_for_status()


def ask(client: httpx.Client, **query: object) -> dict[str, Any]:
    answer = client.post(LIST, json={**CITY, **query}).raise_for_status().json()
    assert answer["metaData"] == {"code": 200, "message": "OK"}
    found: dict[str, Any] = answer["response"]
    return found


def refusal(client: httpx.Client, **query: object) -> int:
    answer = client.post(LIST, json=query)
    assert answer.status_code == 200
    assert answer.json()["response"] is None
    code: int = answer.json()["metaData"]["code"]
    return code


def read_all(client: httpx.Client, **query: object) -> list[dict[str, Any]]:
    page = ask(client, **query)
    found = list(page["daftar"])
    while page["kursor_berikut"]:
        page = ask(client, **query, kursor=page["kursor_berikut"])
        found += page["daftar"]
    return found


def written_at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+07:00")


# --- life -----------------------------------------------------------------------------------


def test_there_are_about_three_complaints_a_day(tmp_path: Path, town: Town) -> None:
    store = Store(tmp_path / "sp4n.sqlite3")
    life = Desk(store, town, 1671, 1.0, rhythm=Rhythm("SP4N", PER_DAY, ("sp4n",)), kinds=KINDS)
    life.advance(NOW)
    count = store.count(Query())
    store.close()
    assert 2 < count / BACKFILL.days < 4


def test_a_restart_carries_on(tmp_path: Path) -> None:
    clock = HeldClock(NOW)
    seen = []
    for _ in range(2):
        with (
            run_simulator(tmp_path, clock) as running,
            httpx.Client(base_url=f"{running.url}/sp4n/", trust_env=False) as client,
        ):
            client.headers.update(take_token(client))
            seen.append({each["nomor_tiket"] for each in read_all(client)})
        clock.forward(days=3)
    assert seen[0] < seen[1]


# --- tokens ---------------------------------------------------------------------------------


def test_a_token_is_given_as_the_standard_says(stranger: httpx.Client) -> None:
    answer = stranger.post("oauth/token", data=GRANT, auth=("demo", "demo"))
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == LIFE.total_seconds()


def test_credentials_may_stand_in_the_form(stranger: httpx.Client) -> None:
    form = {**GRANT, "client_id": "demo", "client_secret": "demo"}
    assert stranger.post("oauth/token", data=form).status_code == 200


@pytest.mark.parametrize("auth", [None, ("demo", "lain"), ("lain", "demo")])
def test_a_stranger_gets_no_token(stranger: httpx.Client, auth: tuple[str, str] | None) -> None:
    answer = stranger.post("oauth/token", data=GRANT, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_another_grant_is_refused(stranger: httpx.Client) -> None:
    answer = stranger.post("oauth/token", data={"grant_type": "password"}, auth=("demo", "demo"))
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_token_runs_out() -> None:
    clock = HeldClock(NOW)
    tokens = Tokens("rahasia", clock)
    token = tokens.give()
    assert tokens.is_good(token)
    clock.forward(hours=1)
    assert not tokens.is_good(token)


@pytest.mark.parametrize("token", ["", "x", "9999999999.x", "9999999999"])
def test_a_made_up_token_is_no_good(token: str) -> None:
    assert not Tokens("rahasia", HeldClock(NOW)).is_good(token)


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic ZGVtbzpkZW1v"])
def test_without_a_token_the_refusal_stands_in_an_answer_of_200(
    stranger: httpx.Client, header: str | None
) -> None:
    if header:
        stranger.headers["Authorization"] = header
    assert refusal(stranger, **CITY) == 401


# --- the list -------------------------------------------------------------------------------


def test_the_cursor_leads_through_every_complaint_once(client: httpx.Client) -> None:
    numbers = [each["nomor_tiket"] for each in read_all(client)]
    assert len(numbers) == len(set(numbers)) > 100


def test_the_cursor_may_stand_in_the_address(client: httpx.Client) -> None:
    first = ask(client)
    query = {"kursor": first["kursor_berikut"]}
    by_address = client.post(LIST, json=CITY, params=query).json()["response"]
    assert by_address == ask(client, **query)


def test_the_last_page_names_no_further_one(client: httpx.Client) -> None:
    whole = ask(client, jumlah=200)
    exact = len(whole["daftar"])
    assert exact < 200
    assert whole["kursor_berikut"] is None
    assert ask(client, jumlah=exact)["kursor_berikut"] is None
    assert ask(client, jumlah=exact - 1)["kursor_berikut"] is not None


def test_the_oldest_change_comes_first(client: httpx.Client) -> None:
    times = [written_at(each["tanggal"]["perubahan"]) for each in read_all(client)]
    assert times == sorted(times)
    assert times[-1] <= NOW


def test_only_what_changed_is_told_if_so_asked(client: httpx.Client) -> None:
    since = NOW - timedelta(days=3)
    wanted = {
        each["nomor_tiket"]
        for each in read_all(client)
        if written_at(each["tanggal"]["perubahan"]) >= since
    }
    found = read_all(client, sejak=since.isoformat(), jumlah=2)
    assert {each["nomor_tiket"] for each in found} == wanted
    assert wanted


def test_points_are_in_the_order_of_geojson(client: httpx.Client) -> None:
    points = [each["lokasi"]["koordinat"] for each in read_all(client)]
    usual = [point for point in points if point and 104 < float(point[0]) < 106]
    assert len(usual) > 0.9 * len(points)
    assert None in points


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 404),
        ({"instansi": "Kota Lain"}, 404),
        ({**CITY, "sejak": "kemarin"}, 400),
        ({**CITY, "kursor": "!"}, 400),
        ({**CITY, "kursor": "eA=="}, 400),
        ({**CITY, "jumlah": 0}, 400),
    ],
)
def test_a_refusal_is_an_answer_of_200(
    client: httpx.Client, query: dict[str, Any], code: int
) -> None:
    assert refusal(client, **query) == code


@pytest.mark.parametrize("body", [b"[]", b"{", b'"x"', b"[" * 50_000])
def test_a_query_that_is_no_object_is_refused(client: httpx.Client, body: bytes) -> None:
    assert client.post(LIST, content=body).json()["metaData"]["code"] == 400


def test_a_query_of_any_length_is_not_read(client: httpx.Client) -> None:
    assert client.post(LIST, content=b" " * 70_000).json()["metaData"]["code"] == 413


def test_answers_are_marked_as_simulated(stranger: httpx.Client) -> None:
    assert stranger.post(LIST).headers["x-simulated"] == "true"


# --- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("429", 429), ("auth", 403)])
@pytest.mark.parametrize("path", [LIST, "oauth/token"])
def test_refusing_faults_reach_both_doors(
    client: httpx.Client, kind: str, status: int, path: str
) -> None:
    fault(client, kind)
    assert client.post(path, json=CITY).status_code == status


def test_wrong_types_stand_beside_good_records(client: httpx.Client) -> None:
    true = ask(client)["daftar"]
    fault(client, "wrong_types")
    answer = client.post(LIST, json=CITY).json()
    spoilt: list[Any] = answer["response"]["daftar"]
    same = sum(here == there for here, there in zip(spoilt, true, strict=True))
    assert 0.5 * len(true) < same < len(true)
    assert any(isinstance(each, str) for each in spoilt)


def test_clock_skew_shifts_all_times(client: httpx.Client) -> None:
    before = [written_at(each["tanggal"]["masuk"]) for each in ask(client)["daftar"]]
    fault(client, "clock_skew")
    after = [written_at(each["tanggal"]["masuk"]) for each in ask(client)["daftar"]]
    assert after == [at + timedelta(hours=2) for at in before]
