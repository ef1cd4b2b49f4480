"""The mayor's page as it is asked for: the real application, its stores, its cookie."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from lawang.city import City
from lawang.domain.kpi import Daily
from lawang.store.engine import open_engine
from lawang.store.history import History
from light.look import COOKIE
from tests.api.conftest import Web, make_installation, serve_web
from tests.light.conftest import MORNING, SetClock, browser, serve_pages

KPI = "surat_10_menit"


@dataclass
class Door:
    """A visitor of the mayor's pages, and the clock there."""

    client: httpx.Client
    clock: SetClock

    def look(self, **query: str) -> httpx.Response:
        return self.client.get("/mayor", params=query)


@pytest.fixture(scope="module")
def known_history(
    _migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[History]:
    """Forty days of one indicator: 9 of 10 letters in time, 6 of 10 in the last ten days."""
    path = tmp_path_factory.mktemp("mayor") / "history.sqlite3"
    path.write_bytes(_migrated_sqlite.read_bytes())
    last = date(2026, 11, 21)
    days = [
        Daily(
            kpi=KPI,
            region="",
            day=last - timedelta(days=back),
            num=60.0 if back < 10 else 90.0,
            den=100.0,
            n=100,
            observed_at=datetime(2026, 11, 21, 10, tzinfo=UTC) - timedelta(days=back),
        )
        for back in range(40)
    ]
    with closing(History(open_engine(f"sqlite:///{path}"))) as history:
        history.kpis.replace(KPI, last - timedelta(days=39), last, days)
        yield history


@pytest.fixture(scope="module")
def served(city: City, known_history: History) -> Iterator[tuple[str, SetClock]]:
    clock = SetClock()
    with serve_pages(city, known_history, clock) as url:
        yield url, clock


@pytest.fixture
def door(served: tuple[str, SetClock]) -> Iterator[Door]:
    url, clock = served
    clock.now = MORNING
    with browser(url) as client:
        yield Door(client, clock)


def plain(answer: httpx.Response) -> str:
    body = answer.text[answer.text.index("</head>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_page_shows_what_history_holds(door: Door) -> None:
    answer = door.look()
    assert answer.status_code == 200
    text = plain(answer)
    # Ten days of 60 and twenty of 90 in a hundred.
    assert "1 dari" in text
    assert "80%" in text
    assert "data sampai 21 Nov 2026" in text


def test_the_cookie_is_for_the_mayors_pages_and_no_script(door: Door) -> None:
    cookie = door.look().headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=~2026-11-21~{int(MORNING.timestamp())}")
    for part in ("HttpOnly", "SameSite=lax", "Path=/mayor", "Max-Age=34560000"):
        assert part in cookie


def test_the_page_is_compared_with_the_last_look(door: Door) -> None:
    door.clock.now = MORNING - timedelta(days=3)
    assert "dibanding 11 Nov 2026" in plain(door.look())
    door.clock.now = MORNING
    again = plain(door.look())
    assert "Memburuk sejak Anda terakhir melihat" in again
    assert "dibanding 18 Nov 2026" in again
    door.clock.now = MORNING + timedelta(minutes=20)
    assert "dibanding 18 Nov 2026" in plain(door.look())


@pytest.mark.parametrize(
    "query",
    [
        {"span": "decade"}, {"lang": "xx"}, {"districts": "no_such"}, {"span": "<b>", "x": "y"},
        {"span": "day"}, {"span": "year"}, {"districts": KPI},
    ],
)  # fmt: skip
def test_no_wish_makes_the_page_fail(door: Door, query: dict[str, str]) -> None:
    answer = door.look(**query)
    assert answer.status_code == 200
    assert "&lt;b" not in answer.text


def test_an_unknown_page_says_so_in_a_page(door: Door) -> None:
    answer = door.client.get("/mayor/no/such/page", params={"lang": "en"})
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text
    assert 'href="/mayor?lang=en"' in answer.text


def test_while_history_is_away_the_page_says_so_and_shows_no_number(
    city: City, tmp_path: Path
) -> None:
    # A database without tables: every question to it ends in an error.
    with (
        closing(History(open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}"))) as history,
        serve_pages(city, history, SetClock()) as url,
        browser(url) as client,
    ):
        answer = client.get("/mayor")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "15"
    assert answer.headers["cache-control"] == "no-store"
    text = plain(answer)
    assert "Riwayat angka sedang tidak bisa dibaca." in text
    assert "22 Nov 2026 08.00 WIB" in text
    assert "set-cookie" not in answer.headers
    assert "huge" not in answer.text.split("</style>")[1]
    assert str(tmp_path) not in answer.text


@pytest.fixture(scope="module")
def web(
    city: City,
    known_history: History,
    valkey_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Web]:
    installation = make_installation(
        replace(city, slug="mayor"), known_history, valkey_url, tmp_path_factory.mktemp("data")
    )
    with serve_web(installation) as running:
        yield running


def test_the_application_serves_the_page_whole_and_small(web: Web) -> None:
    with web.browser.stream("GET", "/mayor") as answer:
        size = sum(len(piece) for piece in answer.iter_raw())
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert size < 45_000


def test_nothing_of_the_page_comes_from_another_host_or_blocks_it(web: Web) -> None:
    text = web.browser.get("/mayor").text
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", text) == []
    assert 'rel="stylesheet"' not in text
    assert "<script src" not in text
    assert " onclick=" not in text


def test_the_script_of_the_page_is_the_one_that_the_policy_names(web: Web) -> None:
    answer = web.browser.get("/mayor")
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    hashes = [base64.b64encode(sha256(each.encode()).digest()).decode() for each in scripts]
    assert len(hashes) == 1
    assert f"'sha256-{hashes[0]}'" in answer.headers["content-security-policy"]


def test_below_the_page_there_is_only_what_is_made(web: Web) -> None:
    answer = web.browser.get("/mayor/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert web.browser.get("/mayorx").status_code == 404
