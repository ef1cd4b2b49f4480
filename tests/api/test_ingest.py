"""`POST /ingest/{source}`: what a department pushes is believed, cleaned, and durable at 202."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from connectors.webhook.receiver import sign
from lawang.city import load_city
from lawang.settings import ROOT
from lawang.store.engine import open_engine
from lawang.store.history import History
from tests.api.conftest import Web, make_installation, sentence_of, serve_web

SECRET, OLD_SECRET = "kunci-baru", "kunci-lama"
_numbers = itertools.count(1)


@dataclass
class Centre:
    """A web process with an inbox of its own."""

    web: Web
    history: History

    def push(
        self,
        body: object,
        *,
        source: str = "damkar",
        secret: str = SECRET,
        at: float | None = None,
        key: str | None = None,
        **headers: str,
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = str(int(time.time() if at is None else at))
        stated = {
            "content-type": "application/json",
            "x-lawang-timestamp": stamp,
            "x-lawang-signature": sign(secret, stamp, content),
            **({} if key is None else {"idempotency-key": key}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.web.client.post(f"/ingest/{source}", content=content, headers=stated)

    def stored(self, source: str = "damkar") -> list[Any]:
        return [json.loads(each.body) for each in self.history.inbox.waiting(source, 0, 1000)]


@pytest.fixture
def centre(sqlite_url: str, tmp_path: Path, valkey_url: str) -> Iterator[Centre]:
    env = {
        "LAWANG_DAMKAR_SECRET": SECRET,
        "LAWANG_DAMKAR_PREVIOUS_SECRET": OLD_SECRET,
        "LAWANG_PSC119_SECRET": "rahasia-psc",
    }
    city = load_city(ROOT / "cities" / "palembang", env=env)
    with closing(History(open_engine(sqlite_url))) as history:
        installation = make_installation(city, history, valkey_url, tmp_path)
        with serve_web(installation) as web:
            yield Centre(web, history)


def call() -> dict[str, Any]:
    return {
        "nomor": f"DK-{next(_numbers)}",
        "status": "DITERIMA",
        "waktu_lapor": "2026-11-21T18:50:00+07:00",
        "uraian": "Kebakaran rumah, hubungi 0812-0000-0001",
        "pelapor": {"nama": "Suryadi Pratama", "telepon": "0812-0000-0002"},
    }


def test_a_signed_message_is_in_the_database_when_202_is_said(centre: Centre) -> None:
    message = call()
    answer = centre.push(message)
    assert (answer.status_code, answer.json()["repeated"]) == (202, False)
    assert [each["nomor"] for each in centre.stored()] == [message["nomor"]]


def test_nothing_personal_gets_into_the_database(centre: Centre, sqlite_url: str) -> None:
    assert centre.push(call()).status_code == 202
    patient = {"pasien": {"nik": "9916710101000001", "keluhan": "hamil 39 minggu"}, "nomor": "P-1"}
    assert centre.push(patient, source="psc119", secret="rahasia-psc").status_code == 202
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    whole = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
    assert b"Kebakaran rumah" in whole
    for planted in (b"Suryadi", b"0812-0000", b"9916710101000001", b"39 minggu"):
        assert planted not in whole


def test_a_repeated_message_gets_the_first_outcome(centre: Centre) -> None:
    message = call()
    first, second = centre.push(message), centre.push(message)
    assert (second.status_code, second.json()) == (200, {**first.json(), "repeated": True})
    assert len(centre.stored()) == 1


def test_a_repeated_key_gets_the_first_outcome_whatever_is_sent(centre: Centre) -> None:
    first, second = centre.push(call(), key="k-1"), centre.push(call(), key="k-1")
    assert (first.status_code, second.status_code) == (202, 200)
    assert len(centre.stored()) == 1


def test_the_old_secret_is_taken_during_rotation(centre: Centre) -> None:
    assert centre.push(call(), secret=OLD_SECRET).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "lain-sama-sekali"},
        {"x_lawang_signature": ""},
        {"x_lawang_signature": "sha256=zz"},
        {"x_lawang_timestamp": "1"},
        {"x_lawang_timestamp": "1e9"},
        {"after_s": -400},
        {"after_s": 4000},
        {"source": "psc119"},
    ],
    ids=str,
)
def test_what_the_source_did_not_sign_just_now_is_not_believed(
    centre: Centre, change: dict[str, Any]
) -> None:
    if "after_s" in change:
        change = {"at": time.time() + change["after_s"]}
    answer = centre.push(call(), **change)
    assert answer.status_code == 401
    sentence_of(answer)
    assert centre.stored() == []


def test_a_changed_body_is_not_believed(centre: Centre) -> None:
    stamp = str(int(time.time()))
    signature = sign(SECRET, stamp, b'{"nomor": "A"}')
    answer = centre.push(b'{"nomor": "B"}', x_lawang_signature=signature)
    assert answer.status_code == 401


@pytest.mark.parametrize("source", ["elapor", "nothing", "pengukur_air", "Damkar", "a%00b"])
def test_only_sources_that_push_are_known(centre: Centre, source: str) -> None:
    answer = centre.push(call(), source=source)
    assert answer.status_code in (400, 404) if "%" in source else answer.status_code == 404
    sentence_of(answer)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"nomor": "DK-', {}, 400),
        (b"\x00\xff", {}, 400),
        (b"12", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"", {}, 400),
        (b"{}", {"content_type": "text/plain"}, 415),
        (b"{}", {"content_encoding": "gzip"}, 415),
        (b"{}", {"origin": "http://127.0.0.1"}, 403),
        (b"{}", {"sec_fetch_site": "same-origin"}, 403),
        (b"{}", {"idempotency_key": "x" * 300}, 400),
        (b'"' + b"x" * 300_000 + b'"', {}, 413),
    ],
)
def test_what_is_no_message_is_refused_with_a_sentence(
    centre: Centre, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = centre.push(body, **headers)
    assert answer.status_code == status
    sentence_of(answer)
    assert centre.stored() == []


def test_a_stream_without_an_end_is_cut_at_the_limit(centre: Centre) -> None:
    def pour() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 65_536

    try:
        answer = centre.web.client.post("/ingest/damkar", content=pour())
    except httpx.HTTPError:
        return  # the door hung up in the middle
    assert answer.status_code == 413


def test_a_heartbeat_is_heard_and_not_stored(centre: Centre) -> None:
    answer = centre.push({"type": "heartbeat"})
    assert (answer.status_code, answer.json()["number"]) == (202, 0)
    assert centre.push({"type": "heartbeat"}).status_code == 202
    assert centre.stored() == []
    assert centre.history.inbox.last_heard("damkar") is not None


def test_too_many_are_told_when_to_go_on_and_others_are_not_slowed(centre: Centre) -> None:
    answers = [centre.push({"type": "heartbeat"}) for _ in range(400)]
    late = [each for each in answers if each.status_code == 429]
    assert {each.status_code for each in answers} == {202, 429}
    assert int(late[0].headers["retry-after"]) >= 1
    assert centre.push(call(), source="psc119", secret="rahasia-psc").status_code == 202


def test_strangers_use_up_nothing_of_a_sources_share(centre: Centre) -> None:
    assert {centre.push(call(), secret="lain-lain").status_code for _ in range(150)} == {401}
    assert centre.push(call()).status_code == 202


def test_fifty_duplicates_at_once_are_stored_once(centre: Centre) -> None:
    message = call()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: centre.push(message), range(50)))
    codes = [each.status_code for each in answers]
    assert (codes.count(202), codes.count(200)) == (1, 49)
    assert len(centre.stored()) == 1


def test_with_the_database_away_the_sender_keeps_it_and_later_gets_through(
    centre: Centre, sqlite_url: str
) -> None:
    message = call()
    engine = open_engine(sqlite_url)
    with engine.connect().execution_options(writes=True) as holder, holder.begin():
        holder.execute(text("SELECT 1"))
        answer = centre.push(message)
    engine.dispose()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert centre.stored() == []
    assert centre.push(message).status_code == 202
    assert len(centre.stored()) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ingest/damkar", 405),
        ("PUT", "/ingest/damkar", 405),
        ("POST", "/ingest/damkar/x", 404),
        ("GET", "/ingest/", 404),
    ],
)
def test_other_calls_do_not_end_in_a_page(
    centre: Centre, method: str, path: str, status: int
) -> None:
    answer = centre.web.client.request(method, path)
    assert answer.status_code == status
    sentence_of(answer)


def test_the_door_is_in_the_documentation(centre: Centre) -> None:
    document = centre.web.client.get("/api/v1/openapi.json").json()
    assert {"202", "401", "429", "503"} <= document["paths"]["/ingest/{source_id}"]["post"][
        "responses"
    ].keys()
