"""Manifest, worker, script and icons of the mayor's app, as the web process gives them out."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI

from lawang.city import City
from light.app_files import add_app_routes, manifest_of
from tests.installation.running import wait_until

BUILD = "0123456789ab"


@pytest.fixture(scope="module")
def client(city: City) -> Iterator[httpx.Client]:
    router = APIRouter()
    add_app_routes(router, city, BUILD)
    pages = FastAPI()
    pages.include_router(router)
    server = uvicorn.Server(uvicorn.Config(pages, log_level="warning", lifespan="off"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            wait_until(lambda: server.started, 60, "the server")
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(60)


@pytest.mark.parametrize(
    ("language", "name"), [("id", "Halaman wali kota"), ("en", "Mayor's page")]
)
def test_the_app_is_named_in_the_language_of_its_page(city: City, language: str, name: str) -> None:
    manifest = manifest_of(city, language)
    assert (manifest["name"].partition(" · ")[0], manifest["lang"]) == (name, language)


def test_the_app_opens_in_the_language_it_was_installed_in(city: City) -> None:
    assert manifest_of(city, "id")["start_url"] == "/mayor?source=app"
    assert manifest_of(city, "en")["start_url"] == "/mayor?source=app&lang=en"


def test_a_language_that_is_not_known_is_the_default(city: City) -> None:
    assert manifest_of(city, "xx") == manifest_of(city, "id")


def test_the_app_is_the_mayors_pages_and_no_others(client: httpx.Client) -> None:
    answer = client.get("/mayor/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    told = answer.json()
    assert (told["id"], told["scope"], told["display"]) == ("/mayor", "/mayor", "standalone")


def test_every_icon_is_a_picture_of_the_size_it_is_said_to_be(
    client: httpx.Client, city: City
) -> None:
    for icon in manifest_of(city, "id")["icons"]:
        answer = client.get(icon["src"])
        assert answer.headers["content-type"] == "image/png"
        width, height = struct.unpack(">II", answer.content[16:24])
        assert f"{width}x{height}" == icon["sizes"]


def test_there_are_icons_for_the_home_screen_and_one_that_may_be_cut(city: City) -> None:
    icons = {(each["sizes"], each["purpose"]) for each in manifest_of(city, "id")["icons"]}
    assert icons == {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}


def test_the_worker_knows_its_build_and_may_serve_the_first_page(client: httpx.Client) -> None:
    answer = client.get("/mayor/sw.js")
    assert f'const BUILD = "{BUILD}"' in answer.text
    assert answer.headers["service-worker-allowed"] == "/mayor"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    ["sw.js", "page.js", "../routes.py", "%2e%2e/routes.py", "light.css", "icons", "icons/"],
)
def test_nothing_but_the_apps_own_files_is_given_out(client: httpx.Client, name: str) -> None:
    assert client.get(f"/mayor/static/{name}").status_code == 404
