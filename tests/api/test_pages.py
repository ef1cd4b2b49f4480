"""Pages, scripts and unknown addresses, as a browser meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from lawang.city import City
from lawang.store.history import History
from tests.api.conftest import Web, make_installation, sentence_of, serve_web

PAGES = ("/", "/wall", "/wall/utama", "/sources")
_OWN_FILES = re.compile(
    r"/assets/(?:live|wall|wall_map|scenes/kota|live_sources|lawang)\.(?:js|css)"
)


class _Loads(HTMLParser):
    """The addresses of all scripts and styles of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        address = values.get("src") if tag == "script" else values.get("href")
        if tag in ("script", "link") and address:
            self.found.append(address)


def loads(page: httpx.Response) -> list[str]:
    parser = _Loads()
    parser.feed(page.text)
    return parser.found


@pytest.mark.parametrize("path", [*PAGES, "/wall/", "/wall?lang=en", "/wall?lang=xx&lang=id"])
def test_a_page_is_html(web: Web, path: str) -> None:
    page = web.browser.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<html lang="id">' in page.text


@pytest.mark.parametrize("path", PAGES)
def test_everything_a_page_loads_is_there_and_ours(web: Web, path: str) -> None:
    addresses = loads(web.browser.get(path))
    assert [address for address in addresses if not address.startswith("/")] == []
    answers = {address: web.browser.get(address).status_code for address in addresses}
    assert {address for address, status in answers.items() if status != 200} == set()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_brings_our_scripts_and_styles(web: Web, path: str) -> None:
    own = {_OWN_FILES.search(address) for address in loads(web.browser.get(path))}
    names = {found[0].removeprefix("/assets/") for found in own if found}
    assert names == {
        *("live.js", "live_sources.js", "lawang.css", "wall.js", "wall.css", "wall_map.js"),
        *("wall_map.css", "scenes/kota.js", "scenes/kota.css"),
    }


@pytest.fixture
def untouched(
    city: City, sqlite_history: History, valkey_url: str, tmp_path: Path
) -> Iterator[Web]:
    """A web process that nobody has asked for anything yet."""
    installation = make_installation(city, sqlite_history, valkey_url, tmp_path)
    with serve_web(installation) as running:
        yield running


@pytest.mark.parametrize("first", ["/wall", "/sources"])
def test_the_first_page_ever_asked_for_is_complete(untouched: Web, first: str) -> None:
    page = untouched.browser.get(first)
    assert page.status_code == 200
    assert {found[0] for found in _OWN_FILES.finditer(page.text)} >= {
        "/assets/live.js",
        "/assets/lawang.css",
    }
    policy = page.headers["content-security-policy"]
    assert policy == untouched.browser.get(first).headers["content-security-policy"]


def test_a_first_call_is_as_good_as_a_later_one(untouched: Web) -> None:
    names = {each["output"] for each in untouched.client.get("/_dash-dependencies").json()}
    assert any(name.startswith(".._pages_content.children") for name in names)


# --- what is not there ----------------------------------------------------------------------

LOST = (
    "/nothing",
    "/wall/more/yet",
    "/wall/%20",
    "/index.php",
    "/.env",
    "/_dash-nothing",
    "/_reload-hash",
    "/_dash-ws-callback",
    "/docs/nothing",
    "/healthz/more",
    "/stream/more",
)


@pytest.mark.parametrize("path", LOST)
def test_an_unknown_address_is_404_for_a_browser_as_a_page(web: Web, path: str) -> None:
    page = web.browser.get(path)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Tidak ada halaman di alamat ini" in page.text


@pytest.mark.parametrize("path", LOST)
def test_an_unknown_address_is_404_for_a_program_as_json(web: Web, path: str) -> None:
    answer = web.client.get(path)
    assert answer.status_code == 404
    assert sentence_of(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1",
        "/api/v2/sources",
        "/api/v1/nothing",
        "/assets/nothing.css",
        "/assets/../app.py",
        "/assets/..%2Fapp.py",
        "/docs/static/nothing.js",
        "/docs/static/..%2f..%2f__init__.py",
        "/_dash-component-suites/dash/nothing.js",
        "/_dash-component-suites/nothing/x.js",
        "/_dash-component-suites/dash",
        "/_dash-component-suites/dash/..%2F..%2Fx.py",
        "/_dash-component-suites/os/path.py",
    ],
)
@pytest.mark.parametrize("kind", ["client", "browser"])
def test_an_unknown_file_or_call_is_404(web: Web, path: str, kind: str) -> None:
    assert getattr(web, kind).get(path).status_code == 404


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_can_only_be_read(web: Web, method: str, path: str) -> None:
    answer = web.client.request(method, path)
    assert answer.status_code == 405
    assert sentence_of(answer)


# --- compression ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/wall", "/assets/live.js", "/api/v1/incidents?limit=50"])
def test_large_answers_are_compressed(web: Web, path: str) -> None:
    answer = web.client.get(path, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in answer.headers["vary"].lower()


def test_whoever_cannot_unpack_gets_it_plain(web: Web) -> None:
    answer = web.client.get("/assets/live.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert "EventSource" in answer.text


# --- the documentation of the API -----------------------------------------------------------


def test_the_documentation_loads_only_our_own_files(web: Web) -> None:
    page = web.browser.get("/docs")
    addresses = loads(page)
    assert addresses
    assert [address for address in addresses if not address.startswith("/")] == []
    assert {web.browser.get(address).status_code for address in addresses} == {200}


def test_the_documentation_runs_under_the_policy_of_all_pages(web: Web) -> None:
    page = web.browser.get("/docs")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
    assert "'unsafe-inline'" not in _directive(page, "script-src")


def _directive(page: httpx.Response, name: str) -> str:
    parts = page.headers["content-security-policy"].split("; ")
    return next(part for part in parts if part.startswith(name))


def test_the_api_describes_itself(web: Web) -> None:
    described = web.client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.")
    assert set(described["paths"]) == {
        "/api/v1/sources",
        "/api/v1/sources/{source_id}",
        "/api/v1/sources/{source_id}/poll",
        "/api/v1/cameras",
        "/api/v1/cameras/{camera_id}/still",
        "/api/v1/cameras/{camera_id}/stream/{name}",
        "/api/v1/quality",
        "/api/v1/maturity",
        "/api/v1/kpis",
        "/api/v1/kpis/{kpi_id}",
        "/api/v1/scores",
        "/api/v1/findings",
        "/api/v1/findings/{finding_id}",
        "/api/v1/series",
        "/api/v1/readings",
        "/api/v1/positions",
        "/api/v1/warnings",
        "/api/v1/service-requests",
        "/api/v1/incidents",
        "/api/v1/incidents/{incident_id}",
        "/api/v1/briefs",
        "/api/v1/briefs/{day}.json",
        "/api/v1/briefs/{day}.{kind}",
        "/api/v1/alerts",
        "/api/v1/alerts/{alert_id}",
        "/api/v1/screens",
        "/api/v1/screens/{screen_id}",
        "/api/v1/screens/{screen_id}/heartbeat",
        "/api/v1/screens/{screen_id}/commands",
        "/api/v1/status",
        "/api/v1/status/end",
        "/ingest/{source_id}",
        "/healthz",
        "/readyz",
        "/metrics",
    }
